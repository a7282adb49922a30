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

        def words(part: str) -> frozenset[str]:
            return frozenset(rows[part].split())

        return cls(
            stop=words("stop"),
            english_stop=words("english_stop"),
            light=words("light"),
            particles=words("particles"),
            verbs=words("verbs"),
            short_forms=rows["short_forms"],
            longer=rows["longer"],
        )
