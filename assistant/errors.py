"""What can go wrong with a question (see `vectorstore/errors.py` for the whole tree).

    ZhiceError
    └── AssistantError
        ├── EmptyQuestion       nothing was asked
        ├── QuestionTooLong     more was asked than is read
        ├── UnknownAnswer       feedback on an answer that is not kept
        └── SettingError        a setting has a value that cannot be used

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


class UnknownAnswer(AssistantError):
    """No answer goes by this id."""


class SettingError(AssistantError):
    """A setting has a value that cannot be used."""
