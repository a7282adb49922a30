"""Questions put to an assistant whose model says one thing of each, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from assistant import Answer, Assistant
from assistant.figures import find_figures
from assistant.verification import is_verbatim, same_figure
from evaluation import GoldQuestion
from evaluation.scoreboard.misbehaving import Knowing, Prompt, Saying
from tests.assistant.scripted_model import ScriptedModel

_MARK = re.compile(r"\[([^\[\]]{1,24})\]")


@dataclass(frozen=True)
class Trial:
    """What the model said of a question, and the answer."""

    gold: GoldQuestion
    known: Knowing
    said: str
    answer: Answer
    sound: bool

    @property
    def shown(self) -> bool:
        """Whether the model's sentence is in the answer; where the words stand elsewhere too, they are no mistake."""
        text = self.said.partition("[")[0].rstrip("。. ")
        written = self.answer.generator != "extractive"
        return written and any(claim.text == text for claim in self.answer.claims)


def knowing(prompt: Prompt, quotes: tuple[str, ...]) -> Knowing | None:
    """What the evidence of a prompt says of a question with these gold quotes; None if it does not hold them."""
    shares: list[tuple[float, str, str]] = []
    for quote in quotes:
        plain = "".join(quote.split())
        for handle, sentence in prompt.evidence.items():
            said = "".join(sentence.split())
            common = SequenceMatcher(None, said, plain, autojunk=False).find_longest_match()
            shares.append((common.size / min(len(plain), len(said)), handle, said))
    share, handle, said = max(shares, default=(0.0, "", ""))
    if share < 0.8:
        return None
    words = said.strip("。；;，,：: ")
    others = [(key, text) for key, text in prompt.evidence.items() if key != handle and not _same_figures(text, words)]
    wrong = others[-1] if others else ("zz99", "")
    return Knowing(words, handle, wrong[0], wrong[1].strip("。；;，,：: "))


def guessed(prompt: Prompt) -> list[Knowing]:
    """What a model may take for the answer where there is none: each of the sentences sent first, another one beside it."""
    evidence = [(handle, said.strip("。；;，,：: ")) for handle, said in prompt.evidence.items()]
    return [
        Knowing(words, handle, *next((other for other in reversed(evidence) if other[0] != handle), ("zz99", "")))
        for handle, words in evidence[:4]
    ]


def _same_figures(one: str, other: str) -> bool:
    return bool({figure.key for figure in find_figures(one)} & {figure.key for figure in find_figures(other)})


def trials(
    assistant: Assistant, model: ScriptedModel, questions: Sequence[GoldQuestion], saying: Saying
) -> Iterator[Trial]:
    """The questions of which the model was asked and had something to say."""
    for gold in questions:
        heard: list[tuple[Knowing, str]] = []

        def reply(prompt: Prompt, gold: GoldQuestion = gold, heard: list[tuple[Knowing, str]] = heard) -> str:
            known = knowing(prompt, gold.quotes) if gold.answerable else None
            said = saying(known) if known else None
            if known is None or said is None:
                return "NO_BASIS\n"
            heard.append((known, said))
            return said + "\n"

        model.reply = reply
        answer = assistant.ask(gold.question, history=gold.history)
        if heard:
            yield Trial(gold, *heard[0], answer, sound(assistant, answer))


def sound(assistant: Assistant, answer: Answer) -> bool:
    """Whether every quote is the source's own, every figure stands in its own quotes, and only citations are marked."""
    numbers = {str(citation.number) for citation in answer.citations}
    quotes = {citation.number: citation.quote for citation in answer.citations}
    return (
        all(
            is_verbatim(each.quote, assistant.document_text(each.document_id, each.version), each.start, each.end)
            for each in answer.citations
        )
        and all(
            any(same_figure(figure, other) for number in claim.citations for other in find_figures(quotes[number]))
            for claim in answer.claims
            for figure in find_figures(claim.text)
        )
        and set(_MARK.findall(answer.text)) <= numbers
    )
