"""The words that questions are asked with, from `asking.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class AskingWords:
    """Words of questions by their part in it; the file says what each part is."""

    stop: frozenset[str]
    english_stop: frozenset[str]
    light: frozenset[str]
    particles: frozenset[str]
    verbs: frozenset[str]
    short_forms: Mapping[str, str]
    longer: Mapping[str, str]

    @classmethod
    @cache
    def load(cls) -> AskingWords:
        """The words that ship with the program."""
        rows = tomllib.loads(files("assistant.lexicon").joinpath("asking.toml").read_text(encoding="utf-8"))
        tables = {name: rows.pop(name) for name in ("short_forms", "longer")}
        return cls(**{name: frozenset(words.split()) for name, words in rows.items()}, **tables)
