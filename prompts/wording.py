"""Loads the wording of one language and fills it in; a missing or unknown placeholder is an error, not a blank."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Literal

Language = Literal["zh", "en"]
_SECTION = re.compile(r"^## (?P<name>[a-z_]+)\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


class Wording:
    """The phrases of one language by name, each with the placeholders it needs."""

    def __init__(self, phrases: Mapping[str, str]) -> None:
        self._phrases = dict(phrases)

    def names(self) -> set[str]:
        """The names of all phrases."""
        return set(self._phrases)

    def placeholders(self, name: str) -> set[str]:
        """The placeholders a phrase has to be given."""
        return {field for _, field, _, _ in Formatter().parse(self._phrases[name]) if field}

    def say(self, name: str, **values: object) -> str:
        """A phrase with its placeholders filled in.

        Raises:
            KeyError: there is no such phrase.
            ValueError: a placeholder is missing, or a value has none.
        """
        wanted = self.placeholders(name)
        if wanted != values.keys():
            raise ValueError(f"The phrase {name!r} takes {sorted(wanted)}, it was given {sorted(values)}.")
        return self._phrases[name].format(**values)


@cache
def load_wording(language: Language) -> Wording:
    """The wording of a language; both languages have the same phrases with the same placeholders."""
    return _load(f"{language}.md")


@cache
def load_prompts(language: Language) -> Wording:
    """The messages to a language model that writes in a language."""
    return _load(f"writer.{language}.md")


def _load(name: str) -> Wording:
    text = files("prompts").joinpath(name).read_text(encoding="utf-8")
    return Wording({found["name"]: found["text"].strip() for found in _SECTION.finditer(text)})
