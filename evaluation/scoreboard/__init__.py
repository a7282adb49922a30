"""The reliability scoreboard: one file a line, each run by `python -m evaluation.scoreboard`."""

from evaluation.scoreboard.line import Line

__all__ = ["Line"]
