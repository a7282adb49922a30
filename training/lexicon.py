"""`python -m training.lexicon --data DIR`: the English-Chinese word table for questions, and the sounds of names."""

from __future__ import annotations

import argparse
import gzip
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from assistant.lexicon.cedict_table import SKIPPED, TABLE, WORD, plain_letters
from assistant.transliteration import SOUNDS
from training import corpora, names
from training.alignment import Pair, Translations, both_ways
from training.corpora import Entry
from training.inversion import HAN, LONGEST_GLOSS, Weights, base_form, glosses, invert, usualness

logger = logging.getLogger(__name__)

LEXICON: Final = Path(__file__).parents[1] / "assistant" / "lexicon" / "cedict"

# General text says how names and things are usually called, official text how policies call them; there is four times
# as much of the latter, and both shall count the same.
GENERAL_WEIGHT: Final = 4
EVERY_ARTICLE: Final = 8  # every eighth article and every fourth paragraph are enough to know what is frequent
EVERY_PARAGRAPH: Final = 4

# A gloss is half a sentence pair: there are ten times as many, of rarer words.
GLOSS_WEIGHT: Final = 0.5
LEAST_AGREEMENT: Final = 0.01
# How much an alignment that is certain tells against a gloss (.756 without the alignments, .772 with them on XQuAD).
LEARNED_WEIGHT: Final = 2.0

# A worth is the fifth root of a weight's share in the best one's: it tells good from bad, but a passage's only word
# for a thing must not fall far behind (powers 0.4, 0.3, 0.2 on XQuAD: .814, .819, .824).
WORTH_POWER: Final = 0.2
WORD_ROW: Final = 20
PHRASE_ROW: Final = 6
UNHEARD_ROW: Final = 6  # words that no corpus says may stand among the first few only
# Phrases of lower-case words whose Chinese no corpus says are explanations, not what questions ask about.
EXPLAINING: Final = 2


def count_words(texts: Iterable[tuple[str, int]], entries: Iterable[Entry]) -> Counter[str]:
    """Count the dictionary's words in weighted texts as jieba cuts them, longer words also by their parts."""
    import jieba

    known = {entry.word for entry in entries}
    counts = Counter[str]()
    for text, weight in texts:
        for word in jieba.cut_for_search(text):
            if word in known:
                counts[word] += weight
    return counts


def corpus(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield general and official texts with their weights."""
    for name in ("drcd_traditional.jsonl.gz", "cmrc2018_trial.jsonl.gz"):
        for text in dict.fromkeys(question.paragraph for question in corpora.questions(folder / name)):
            yield text, GENERAL_WEIGHT
    for number, article in enumerate(corpora.articles(folder)):
        if number % EVERY_ARTICLE == 0:
            yield article.text, 1
    for number, paragraph in enumerate(corpora.paragraphs(folder)):
        if number % EVERY_PARAGRAPH == 0:
            yield paragraph.text, 1


def pairs(folder: Path, entries: Iterable[Entry], known: Collection[str]) -> Iterator[Pair]:
    """Yield sentence pairs, and dictionary words with their glosses, whole and cut; English in base forms."""
    import jieba

    for english, chinese in corpora.translations(folder):
        said = WORD.findall(plain_letters(english).lower().replace("'s", "").replace("'", ""))
        words = tuple(word for word in jieba.cut(chinese) if HAN.fullmatch(word))
        yield Pair(tuple(base_form(word, known) for word in said), words)
    for entry in entries:
        if not HAN.fullmatch(entry.word):
            continue
        parts = tuple(part for part in jieba.cut_for_search(entry.word) if part != entry.word)
        cuts = [(entry.word,), *([parts] if parts and len(entry.word) > 2 else [])]
        for words_of_gloss, place in glosses(entry):
            source = tuple(base_form(word, known) for word in words_of_gloss if word not in SKIPPED)
            if source and len(source) <= LONGEST_GLOSS:
                for cut in cuts:
                    yield Pair(source, cut, GLOSS_WEIGHT / len(cuts) / place**0.5)


def merge(whole: Weights, part: Weights, learned: Translations, counts: Mapping[str, float]) -> Weights:
    """Add up what whole glosses, parts of glosses and sentence pairs say of a key."""
    table: Weights = {}
    for key in {*whole, *part, *(word for word in learned if word not in SKIPPED)}:
        row = dict(whole.get(key, {}))
        for word, weight in part.get(key, {}).items():
            row[word] = row.get(word, 0.0) + weight
        for word, share in learned.get(key, {}).items():
            row[word] = row.get(word, 0.0) + LEARNED_WEIGHT * share * usualness(counts.get(word, 0))
        table[key] = row
    return table


def rows(table: Weights, counts: Mapping[str, float], names_listed: frozenset[str]) -> dict[str, str]:
    """Write every key's best words with the digits of their worths, the best first."""
    written: dict[str, str] = {}
    for key, row in table.items():
        length = len(key.split())
        unheard = not any(counts.get(word, 0) for word in row)
        if length >= EXPLAINING and unheard and key not in names_listed:
            continue
        ranked = sorted(row, key=lambda word: (-row[word], word))
        ranked = ranked[:UNHEARD_ROW] + [word for word in ranked[UNHEARD_ROW:] if counts.get(word, 0)]
        del ranked[WORD_ROW if length == 1 else PHRASE_ROW :]
        written[key] = "".join(word + digit(row[word] / row[ranked[0]]) for word in ranked)
    return written


def digit(share: float) -> str:
    """A weight's share in the best one's as the digit that stands for its worth."""
    return str(max(0, min(9, round(10 * share**WORTH_POWER) - 1)))


def listed_names(entries: Sequence[Entry]) -> frozenset[str]:
    """The keys of capitalised entries: people, places, organisations."""
    return frozenset(" ".join(words) for entry in entries if entry.reading[:1].isupper() for words, _ in glosses(entry))


def main() -> None:
    """Count, invert, learn and write both tables."""
    parser = argparse.ArgumentParser(prog="python -m training.lexicon", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training corpora")
    parser.add_argument("--out", type=Path, default=LEXICON, help="folder to write to")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    entries = list(corpora.dictionary(arguments.data))
    know_words(entries)
    texts = list(corpus(arguments.data))
    counts = count_words(texts, entries)
    whole, part = invert(entries, counts)
    learned = both_ways(pairs(arguments.data, entries, whole), LEAST_AGREEMENT)
    write(arguments.out / TABLE, rows(merge(whole, part, learned, counts), counts, listed_names(entries)))
    write(arguments.out / SOUNDS, names.sounds(entries, Counter("".join(t for t, w in texts if w == GENERAL_WEIGHT))))


def know_words(entries: Iterable[Entry]) -> None:
    """Teach jieba the dictionary's words."""
    import jieba

    jieba.setLogLevel(logging.WARNING)
    for entry in entries:
        if 2 <= len(entry.word) <= 6:
            jieba.add_word(entry.word)


def write(path: Path, table: Mapping[str, str]) -> None:
    """Write a table in the order of its bytes; without a time stamp, the same table gives the same bytes."""
    lines = b"".join(sorted(f"{key}\t{words}\n".encode() for key, words in table.items()))
    path.write_bytes(gzip.compress(lines, mtime=0))
    logger.info("%s: %d lines, %d bytes, %d packed", path.name, len(table), len(lines), path.stat().st_size)


if __name__ == "__main__":
    main()
