"""English word forms: what an inflected word may come from, and which words belong to one family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Final

VOWELS: Final = frozenset("aeiou")
SHORTEST_STEM: Final = 3  # "as", "the" and "used" are no forms of "a", "th" and "us"
# Families are kept by longer stems: what four letters have in common (cons-ist, cons-ent) is often chance.
SHORTEST_FAMILY: Final = 4

# Endings and what may stand in their place, in the order of trying.
ENDINGS: Final = (
    ("ies", ("y", "ie")),
    ("ves", ("f", "fe")),
    ("es", ("", "e")),
    ("s", ("",)),
    ("ied", ("y",)),
    ("ed", ("", "e")),
    ("ing", ("", "e")),
    ("ier", ("y",)),
    ("iest", ("y",)),
    ("er", ("", "e")),
    ("est", ("", "e")),
)
DOUBLING: Final = frozenset({"ed", "ing", "er", "est"})  # stopped, running, bigger

# Endings that make one word of another; taken off up to three times (coloni-al-ist-s).
SUFFIXES: Final = tuple(
    sorted(
        "ization isation izations ational ial ially ience iences ient ients ation ations ition itions ional tional ion ions ment ments ness ity ities "
        "al als ially ical ically ic ics tic ist ists ism isms ive ively ance ances ence ences ant ants ent ents "
        "able ably ible ous ously ful fully less ly er ers or ors ian ians an ans ish ize izes ized izing ise ised ify "
        "ified y ies ed ing s es e ate ated ates ating ary ery ship hood".split(),
        key=len,
        reverse=True,
    )
)


@cache
def irregular() -> Mapping[str, str]:
    """The irregular forms (went, children) with their words (go, child)."""
    lines = (resources.files("assistant.lexicon") / "irregular.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {form: word for word, forms in pairs for form in forms.split()}


def lemmas(word: str) -> Iterator[str]:
    """Yield what a lower-case word may be a form of, the likeliest first; the word itself is left out."""
    if word in irregular():
        yield irregular()[word]
    for ending, replacements in ENDINGS:
        rest = word.removesuffix(ending)
        if rest == word or len(rest) < SHORTEST_STEM or (ending == "s" and rest.endswith("s")):
            continue
        if ending in DOUBLING and len(rest) > SHORTEST_STEM and rest[-1] == rest[-2] and rest[-1] not in VOWELS:
            yield rest[:-1]
        for replacement in replacements:
            yield rest + replacement


@cache
def family(word: str) -> str:
    """What a lower-case word has in common with its relatives: coloni for colony, colonies, colonial, colonialism."""
    word = irregular().get(word, word)
    for _ in range(3):
        ending = next((e for e in SUFFIXES if word.endswith(e) and len(word) - len(e) >= SHORTEST_FAMILY), None)
        if ending is None:
            break
        word = word.removesuffix(ending)
    return word
