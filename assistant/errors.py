"""What can go wrong with a question (see `vectorstore/errors.py` for the whole tree).

    ZhiceError
    └── AssistantError
        ├── EmptyQuestion       nothing was asked
        ├── QuestionTooLong     more was asked than is read
        ├── Busy                too many questions are being answered
        ├── UnknownAnswer       feedback on an answer that is not kept
        ├── SettingError        a setting has a value that cannot be used
        └── ModelFault          the language model did not reply as it should; the answer is made without it

A question without an answer is no error: it ends in an Answer whose status is `not_found`.
"""

from __future__ import annotations

from vectorstore.errors import ZhiceError


class AssistantError(ZhiceError):
    """A request to the assistant cannot be taken."""


class EmptyQuestion(AssistantError):
    """The question holds nothing but white space."""


class QuestionTooLong(AssistantError):
    """The question is longer than is read."""


class Busy(AssistantError):
    """Too many questions are being answered, and this one waited as long as it was to; `wait` is in seconds."""

    wait = 2

    def __init__(self) -> None:
        super().__init__("Too many questions at once; ask again in a moment.")


class UnknownAnswer(AssistantError):
    """No answer goes by this id."""


class SettingError(AssistantError):
    """A setting has a value that cannot be used."""


class ModelFault(AssistantError):
    """The language model did not reply; `code` is stable, the message says what to look at.

    `again`: trying once more may help, after `wait` seconds if the endpoint named them.
    """

    def __init__(self, code: str, message: str, *, again: bool = False, wait: float = 0.0) -> None:
        super().__init__(message)
        self.code = code
        self.again = again
        self.wait = wait
