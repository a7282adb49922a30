"""What became of a file that was to be taken in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["added", "updated", "unchanged", "failed", "waiting"]


@dataclass(frozen=True, slots=True)
class Taken:
    """One file: its name, what became of it, and the id it goes by or the reason why it has none.

    The reason of one that is in says what could not be done besides; one that waits will be taken in later.
    """

    file: str
    outcome: Outcome
    document_id: str = ""
    reason: str = ""
