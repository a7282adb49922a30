"""A question made standalone by a language model: one Chinese question for the search, checked before it is used.

A follow-up gets what it leaves out from the questions before it, a foreign question the words of the documents. The
model may add nothing: figures, years, places and titles have to be those of the question and of what was asked before.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from assistant.errors import ModelFault
from assistant.figures import find_figures
from assistant.model import Exchange, ModelClient
from assistant.question import Query, Understanding
from assistant.verification import same_figure
from prompts import load_prompts
from vectorstore.segmentation import is_chinese, normalise

logger = logging.getLogger(__name__)

# A standalone question is hardly longer than what it was made of; a longer one says more than was asked.
LONGEST: Final = 200  # characters
LONGER: Final = 60  # characters that it may have more than question and history together
# The share of its words that question and history have to say; between languages there is no telling.
LEAST_KNOWN: Final = 0.6
# The share of an answer's time that it may take; the rest is for writing.
SHARE_OF_TIME: Final = 0.25

_FOREIGN = re.compile(r"https?:|www\.|[\[\]<>{}@]|NO_BASIS")
_TITLE = re.compile(r"《([^《》]+)》")


class Rewording:
    """Makes questions standalone; safe to use from several threads."""

    def __init__(self, client: ModelClient, understanding: Understanding) -> None:
        self._client = client
        self._understanding = understanding

    def wanted(self, query: Query, history: Sequence[str]) -> bool:
        """Whether a question may gain by it: one that leans on those before it, or one in another language."""
        follows = bool(history) and (query.dangling or query.standalone != query.question)
        return not (query.parts or query.small_talk) and (follows or query.language != "zh")

    def standalone(self, query: Query, history: Sequence[str], exchange: Exchange) -> str | None:
        """The question in other words; None if the model fails or says what was not asked."""
        prompts = load_prompts(query.language)
        asked = prompts.say("rewrite", history="\n".join(history) or "-", question=query.question)
        messages = [("system", prompts.say("rewrite_system")), ("human", asked)]
        try:
            with closing(self._client.stream(messages, exchange, share=SHARE_OF_TIME)) as pieces:
                said = "".join(pieces).strip()
        except ModelFault as fault:
            logger.warning("the question stays as it is: %s (%s)", fault, fault.code)
            return None
        said = re.sub(r"^[\"“「]|[\"”」]$", "", said)
        problems = self.problems(said, query.question, history)
        if problems:
            logger.info("the question stays as it is: %s", "; ".join(problems))
            return None
        return said

    def problems(self, said: str, question: str, history: Sequence[str]) -> list[str]:
        """What a rewording adds or leaves out, in words for a log; empty if it may be used."""
        given = "\n".join((question, *history))
        if not said or "\n" in said or len(said) > min(LONGEST, len(given) + LONGER) or _FOREIGN.search(said):
            return ["it is no single question"]
        if not any(map(is_chinese, said)):
            return ["it is not in Chinese"]
        known, found = find_figures(given), find_figures(said)
        problems = [
            f"{said[figure.start : figure.end]!r} was not asked"
            for figure in found
            if not any(same_figure(figure, other) for other in known)
        ]
        problems += [
            f"{question[figure.start : figure.end]!r} is lost"
            for figure in find_figures(question)
            if not any(same_figure(figure, other) for other in found)
        ]
        read, asked = self._understanding.read(said), [self._understanding.read(each) for each in (question, *history)]
        places = {place for each in asked for place in each.regions}
        problems += [f"the place {place} was not asked" for place in read.regions if place not in places]
        problems += [f"the place {place} is lost" for place in asked[0].regions if place not in read.regions]
        folded = normalise(given)
        problems += [f"《{title}》 was not asked" for title in _TITLE.findall(said) if normalise(title) not in folded]
        terms = [term.text for term in read.terms if term.role != "light"]
        if asked[0].language == "zh" and sum(term in folded for term in terms) < LEAST_KNOWN * len(terms):
            problems.append("most of its words were not asked")
        return problems
