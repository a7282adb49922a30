"""Word-by-word English for Chinese text: clumsy, but it puts English words where the Chinese ones stand."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from training import corpora

# A gloss longer than this explains its word rather than translating it.
LONGEST_GLOSS: Final = 3

NOTE: Final = re.compile(r"\([^)]*\)|\[[^\]]*\]")
NOT_A_TRANSLATION: Final = re.compile(
    r"^(?:CL:|abbr\. |variant of|old variant|also written|also pr\.|see |see also|Taiwan pr\.|surname |erhua variant"
    r"|used in |same as|\(|one of )"
)
LEADING_WORDS: Final = re.compile(r"^(?:to be |to |the |an? )(?=\w)")
PLACEHOLDER: Final = re.compile(r"\b(?:sb|sth)(?:'s)?(?: else)?\b")
LATIN: Final = re.compile(r"[A-Za-z][A-Za-z .'-]*")
CONTENT: Final = re.compile(r"[\u4e00-\u9fff]{1,8}|[A-Za-z]+|\d+(?:\.\d+)?%?")

# Of the verbs and nouns that a gloss begins or ends with, this many get an ending that questions have and
# dictionaries do not (subsidies, applying, approved).
INFLECTED_SHARE: Final = 0.3


def short_glosses(glosses: Iterable[str]) -> list[str]:
    """The glosses that can stand for the word in a sentence, without notes, particles and placeholders."""
    kept = list[str]()
    for gloss in glosses:
        if not NOT_A_TRANSLATION.match(gloss):
            for part in NOTE.sub("", gloss).split(";"):
                text = " ".join(PLACEHOLDER.sub("", LEADING_WORDS.sub("", part.strip())).split())
                if LATIN.fullmatch(text) and len(text.split()) <= LONGEST_GLOSS:
                    kept.append(text)
    return list(dict.fromkeys(kept))


def gloss_table(folder: Path) -> dict[str, list[str]]:
    """The short glosses of every word in the dictionary; surnames and the like come last."""
    table: defaultdict[str, list[str]] = defaultdict(list)
    for entry in sorted(corpora.dictionary(folder), key=lambda entry: entry.reading[:1].isupper()):
        table[entry.word] += short_glosses(entry.glosses)
    return {word: glosses[:4] for word, glosses in table.items() if glosses}


def in_english(text: str, table: Mapping[str, list[str]], chance: random.Random) -> str:
    """Replace the words of a Chinese text by one of their glosses each; unknown words are left out."""
    import jieba

    words = list[str]()
    for word in jieba.cut(text):
        if word in table:
            words.append(inflected(chance.choice(table[word]), chance))
        elif CONTENT.fullmatch(word):
            if word.isascii():
                words.append(word)
            elif len(word) > 2:  # compounds that the dictionary lacks, by their halves
                words += [chance.choice(table[half]) for half in (word[:2], word[2:]) if half in table]
    return " ".join(words)


def inflected(gloss: str, chance: random.Random) -> str:
    """Give a gloss, now and then, an English ending; irregular words come out wrong, and do no harm."""
    if not gloss.islower() or len(gloss) < 4 or chance.random() > INFLECTED_SHARE:
        return gloss
    ending = chance.choice(("s", "s", "ing", "ed"))
    if gloss.endswith("y") and gloss[-2] not in "aeiou" and ending != "ing":
        return gloss[:-1] + ("ies" if ending == "s" else "ied")
    if ending == "s":
        return gloss + ("es" if gloss.endswith(("s", "x", "ch", "sh")) else "s")
    return (gloss[:-1] if gloss.endswith("e") else gloss) + ending
