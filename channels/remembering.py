"""Conversations of the page beyond one process: kept after every answer, and taken up by whichever process is asked next."""

from __future__ import annotations

import json
import logging

from assistant.answer import Answer
from assistant.assembly import Assistant
from channels import conversation
from channels.conversation import Turn, Turns
from channels.filtering import AS_OF, chosen_from
from vectorstore.conversations import Asked, Conversations
from vectorstore.errors import StoreError

logger = logging.getLogger(__name__)


class Memory:
    """The conversations of an assistant's catalog, each by the name that a browser gives itself."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._kept = Conversations(assistant.store.catalog)

    def turns(self, session: str, held: Turns) -> Turns:
        """What this process holds of a conversation, or else what an earlier one has kept of it."""
        if held or not session:
            return held
        try:
            return tuple(turn for asked in self._kept.of(session) if (turn := self._turn(asked)) is not None)
        except StoreError:
            logger.exception("a conversation could not be taken up")
            return held

    def keep(self, session: str, turns: Turns) -> None:
        """Keep the answered turns of a conversation; where that is not possible, it goes on in this process only."""
        answered = [turn for turn in turns if turn.state == "done" and turn.answer is not None]
        try:
            self._kept.keep(session, [_asked(turn, turn.answer) for turn in answered if turn.answer is not None])
        except StoreError:
            logger.exception("a conversation could not be kept")

    def _turn(self, asked: Asked) -> Turn | None:
        """A turn as it was shown; None if its answer is not kept any more."""
        kept = self._assistant.store.catalog.answer(asked.answer_id)
        if kept is None:
            return None
        answer = Answer.from_dict(kept)
        evidence = conversation.evidence(self._assistant, answer)
        return Turn(asked.question, "done", answer, evidence, chosen=chosen_from(json.loads(asked.within)))


def _asked(turn: Turn, answer: Answer) -> Asked:
    within = {**turn.chosen.filters, **({AS_OF: turn.chosen.as_of} if turn.chosen.as_of else {})}
    return Asked(turn.question, answer.id, json.dumps(within, ensure_ascii=False))
