"""What a line of the scoreboard says when it has been run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what is tested, how it was done here, what came out, and whether that is good enough.

    A line that this machine cannot run is neither passed nor failed: `skipped_because` says why.
    """

    number: int
    test: str
    method: str
    figure: str
    passed: bool
    seconds: float = 0.0
    skipped_because: str = ""
