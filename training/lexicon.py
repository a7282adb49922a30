"""`python -m training.lexicon --data DIR`: invert CC-CEDICT into an English-Chinese word table for questions."""

from __future__ import annotations

import argparse
import gzip
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from assistant.lexicon.cedict_table import TABLE, forms, normal_form
from training import corpora
from training.corpora import Entry

logger = logging.getLogger(__name__)

LEXICON: Final = Path(__file__).parents[1] / "assistant" / "lexicon" / "cedict"

# A policy counts for four statutes: there are four times as many characters of statutes.
POLICY_WEIGHT: Final = 4

# Words seen less often are not what an official document would say.
RAREST_WORD: Final = 8
# Single characters match inside other words; only those that often stand alone, and in their first sense (税, 年, 人).
RAREST_CHARACTER: Final = 100
# Words seen this often are taken from a phrase for its last noun where that noun has no entry of its own.
COMMON_WORD: Final = 300
# A candidate with less than this share of the best one's weight is another sense of the English word.
SMALLEST_SHARE: Final = 0.02
MOST_CANDIDATES: Final = 6
LONGEST_PHRASE: Final = 3

UNUSABLE_ENTRY: Final = re.compile(r"\(idiom\)|\bidiom\b|\(saying\)|\bsurname\b")
UNUSABLE_GLOSS: Final = re.compile(
    r"CL:|variant of|classifier|also pr\.|pr\. \[|see |abbr\. |Taiwan pr\.|used (?:in|as|to|for|before|after)|"
    r"\((?:old|archaic|literary|loanword|slang|coll\.|dialect|onom\.|Tw|Internet slang|bound form|fig\.|math\.|"
    r"physics|chess|medicine|mus\.|Buddhism|TCM|linguistics|grammar|interjection|polite|humble|courteous)"
)
NOTE: Final = re.compile(r"\([^)]*\)|\[[^\]]*\]")
HAN: Final = re.compile(r"[\u4e00-\u9fff]+")
PLAIN: Final = re.compile(r"[a-z][a-z -]*[a-z]")
# "apply for" answers for "apply", too, at a discount: the preposition is often elsewhere in a question.
TRAILING: Final = re.compile(r" (?:for|to|of|with|in|on|from|by|at|into|upon|out|up|sb|sth|sb or sth)$")
TRAILING_WEIGHT: Final = 0.7


def gloss_keys(gloss: str) -> Iterator[tuple[str, float]]:
    """Yield the keys that a gloss can be looked up by, with their weights."""
    if UNUSABLE_GLOSS.search(gloss):
        return
    for part in NOTE.sub(" ", gloss).split(";"):
        key = normal_form(part)
        if not PLAIN.fullmatch(key):
            continue
        weight = 1.0
        while 1 <= len(key.split()) <= LONGEST_PHRASE + 1:
            if len(key.split()) <= LONGEST_PHRASE:
                yield key, weight
            shorter = TRAILING.sub("", key)
            if shorter == key:
                break
            key, weight = shorter, weight * TRAILING_WEIGHT


def invert(entries: Iterable[Entry], counts: Mapping[str, int]) -> dict[str, list[str]]:
    """Give every English key its Chinese words, the best first.

    A word's weight for a key is its count in the corpora, divided by the place of the gloss in its entry: first
    glosses are main senses. Rare words, single characters, names and idioms are left out.
    """
    weights: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for entry in entries:
        count = counts.get(entry.word, 0)
        if count < (RAREST_CHARACTER if len(entry.word) == 1 else RAREST_WORD):
            continue
        if not HAN.fullmatch(entry.word) or any(UNUSABLE_ENTRY.search(gloss) for gloss in entry.glosses):
            continue
        place = 0
        for gloss in entry.glosses:
            keys = list(gloss_keys(gloss))
            place += bool(keys)
            if len(entry.word) == 1 and place > 1:
                break
            for key, weight in keys:
                best = weights[key].get(entry.word, 0.0)
                weights[key][entry.word] = max(best, count * weight / place)
    table = {key: candidates(words) for key, words in weights.items()}
    singular = {form: table[key] for key in table if key.endswith("s") and " " not in key for form in forms(key)}
    return dict(sorted((by_head(weights) | singular | table).items()))


def by_head(weights: Mapping[str, Mapping[str, float]]) -> dict[str, list[str]]:
    """Give the nouns that the dictionary only has in pairs (general headquarters) what their pairs have."""
    pairs: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for key, words in weights.items():
        _, blank, head = key.rpartition(" ")
        if blank and len(head) > 3 and head not in weights:
            pairs[head].update({word: weight for word, weight in words.items() if weight >= COMMON_WORD})
    return {head: candidates(words)[:3] for head, words in pairs.items() if words}


def candidates(weights: Mapping[str, float]) -> list[str]:
    """The words worth searching for, by weight: at most six, without those far below the best."""
    ranked = sorted(weights, key=lambda word: (-weights[word], word))
    floor = weights[ranked[0]] * SMALLEST_SHARE
    return [word for word in ranked if weights[word] >= floor][:MOST_CANDIDATES]


def count_words(folder: Path, entries: Iterable[Entry]) -> Counter[str]:
    """Count the dictionary's words in statutes and policies as jieba cuts them, longer words also by their parts."""
    import jieba

    known = {entry.word for entry in entries}
    counts = Counter[str]()
    for text, weight in corpus(folder):
        for word in jieba.cut_for_search(text):
            if word in known:
                counts[word] += weight
    return counts


def corpus(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the official texts with their weights; every other article is enough to know what is frequent."""
    for number, article in enumerate(corpora.articles(folder)):
        if number % 2 == 0:
            yield article.text, 1
    for paragraph in corpora.paragraphs(folder):
        yield paragraph.heading + "。" + paragraph.text, POLICY_WEIGHT // 2


def main() -> None:
    """Count, invert and write the table."""
    parser = argparse.ArgumentParser(prog="python -m training.lexicon", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training corpora")
    parser.add_argument("--out", type=Path, default=LEXICON / TABLE, help="file to write (.tsv.gz)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    entries = list(corpora.dictionary(arguments.data))
    table = invert(entries, count_words(arguments.data, entries))
    lines = "".join(f"{key}\t{' '.join(words)}\n" for key, words in table.items())
    # without a time stamp and a file name, the same table gives the same bytes
    arguments.out.write_bytes(gzip.compress(lines.encode(), mtime=0))
    logger.info("%s: %d keys, %d bytes", arguments.out, len(table), arguments.out.stat().st_size)


if __name__ == "__main__":
    main()
