"""Turn CC-CEDICT round: its glosses become keys, each with the Chinese words that they explain."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from assistant.lexicon.cedict_table import LONGEST_PHRASE, SKIPPED, WORD, plain_letters
from assistant.lexicon.morphology import lemmas
from training.corpora import Entry

Weights = dict[str, dict[str, float]]

# An even distribution ranks too little by how usual a word is, one by the counts themselves too much: of two right
# words the passage may well hold the rarer one (.743 with 0.5, .752 with 0.25, .738 with 0.75 on XQuAD, words alone).
USUAL: Final = 0.25
# Later glosses are lesser senses.
PLACE: Final = 0.5
# A gloss of several words says something of each of them: 核反应堆 answers for "reactor", too.
PART: Final = 0.4
PART_LENGTH: Final = 1.5
LONGEST_GLOSS: Final = 6
LIST_LENGTH: Final = 6  # a longer gloss with commas is a sentence rather than a list of words

UNUSABLE: Final = re.compile(
    r"CL:|variant of|^classifier|also pr\.|pr\. \[|^see |^also written|^surname |"
    r"used (?:in|as|to|for|before|after)|\((?:bird species|onom|archaic)"
)
NOTE: Final = re.compile(r"\([^)]*\)|\[[^\]]*\]")
SHORT_FOR: Final = re.compile(r"^\s*abbr\. for")
HAN: Final = re.compile(r"[\u4e00-\u9fff]+")


def gloss_words(gloss: str) -> Iterator[list[str]]:
    """Yield the wordings that a gloss gives, as lower-case words without small words.

    Of a name with its explanation ("Salem, capital of Oregon") only the name is taken, of other lists every member.
    """
    if UNUSABLE.search(gloss):
        return
    for part in SHORT_FOR.sub("", NOTE.sub(" ", gloss)).split(";"):
        pieces = part.strip().split(", ")
        if pieces[0][:1].isupper() or len(part.split()) > LIST_LENGTH:
            del pieces[1:]
        for piece in pieces:
            plain = plain_letters(piece).lower().replace("’", "'").replace("'s", "").replace("'", "")
            words = WORD.findall(plain)
            if words:
                yield [word for word in words if word not in SKIPPED] or words


def glosses(entry: Entry) -> Iterator[tuple[list[str], int]]:
    """Yield the wordings of an entry with the place of their gloss in it, from 1."""
    place = 0
    for gloss in entry.glosses:
        wordings = list(gloss_words(gloss))
        place += bool(wordings)
        for words in wordings:
            yield words, place


def invert(entries: Iterable[Entry], counts: Mapping[str, float]) -> tuple[Weights, Weights]:
    """Give every key the weights of its Chinese words: of whole glosses, and of glosses it is a part of.

    A weight grows with the count of the Chinese word in the corpora and falls with the place of the gloss.
    """
    whole: defaultdict[str, dict[str, float]] = defaultdict(dict)
    part: defaultdict[str, dict[str, float]] = defaultdict(dict)
    parts: list[tuple[list[str], str, float]] = []
    for entry in entries:
        usual = usualness(counts.get(entry.word, 0))
        usable = glosses(entry) if HAN.fullmatch(entry.word) else ()
        for words, place in ((words, place) for words, place in usable if len(words) <= LONGEST_GLOSS):
            weight = usual / place**PLACE
            if len(words) <= LONGEST_PHRASE:
                _raise(whole[" ".join(words)], entry.word, weight)
            if len(words) > 1:
                parts.append((words, entry.word, weight * PART / len(words) ** PART_LENGTH))
    _add_plurals(whole)
    for words, chinese, weight in parts:
        for word in words:
            _raise(part[base_form(word, whole)], chinese, weight)
    return dict(whole), dict(part)


def _add_plurals(whole: Weights) -> None:
    """Let words that are glossed in the plural answer for the singular, too: 税 is glossed "taxes" only."""
    for key in [key for key in whole if key.endswith("s") and " " not in key]:
        for lemma in (lemma for lemma in lemmas(key) if lemma in whole):
            for chinese, weight in whole[key].items():
                _raise(whole[lemma], chinese, weight)


def usualness(count: float) -> float:
    """How much a Chinese word's count in the corpora speaks for it."""
    return float((count + 1) ** USUAL)


def base_form(word: str, known: Collection[str]) -> str:
    """The word itself if it is known or has no known lemma; else that: teachers -> teacher."""
    if word in known:
        return word
    return next((lemma for lemma in lemmas(word) if lemma in known), word)


def _raise(row: dict[str, float], word: str, weight: float) -> None:
    row[word] = max(row.get(word, 0.0), weight)
