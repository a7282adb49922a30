"""The tokenizer: jieba words, single characters, English words and pieces, matched greedily, longest first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from training import corpora
from training.pairs import Texts

UNKNOWN: Final = "[UNK]"

# 60,000 rows of 256 float16 take 31 MB, which leaves the folder under 40 MB with its tokenizer.
CHINESE_WORDS: Final = 36_000
ENGLISH_WORDS: Final = 15_000
ENGLISH_PIECES: Final = 3_000
LONGEST_WORD: Final = 8

# A character or a number seen less often gets no row of its own: too few examples to learn one from.
RAREST_CHARACTER: Final = 3
RAREST_NUMBER: Final = 50

# Runs are cut after this many characters, because greedy matching takes time quadratic in the length of a run:
# a page without punctuation would take minutes. No token is a third as long.
LONGEST_RUN: Final = 24

HAN_RUN: Final = re.compile(r"[\u4e00-\u9fff]+")
LATIN_RUN: Final = re.compile(r"[a-z]+")
NUMBER: Final = re.compile(r"\d+")


def build_tokenizer(folder: Path, pairs: Mapping[str, list[Texts]], *, processes: int) -> Tokenizer:
    """Make the tokenizer of the most frequent Chinese words of the corpora and English words of the pairs.

    The tokenizer decomposes compatibility characters, lower-cases, keeps runs of known Chinese characters, of Latin
    letters and of digits, and splits each run into the longest known words from the left. Everything else (marks,
    other scripts, characters never seen) is dropped, so that one rare character does not hide the words around it.
    """
    chinese, characters, numbers = count_chinese(chinese_texts(folder), processes=processes)
    english = count_english(pairs)
    words = [word for word, _ in chinese.most_common(CHINESE_WORDS)]
    known = sorted(character for character, count in characters.items() if count >= RAREST_CHARACTER)
    digits = [str(number) for number in range(10)] + [f"{number:02}" for number in range(100)]
    digits += [number for number, count in numbers.items() if count >= RAREST_NUMBER and 3 <= len(number) <= 4]
    latin = [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
    latin += [word for word, _ in english.most_common(ENGLISH_WORDS)] + english_pieces(english)
    tokens = dict.fromkeys([UNKNOWN, *digits, *latin, *known, *words])
    vocabulary = {token: number for number, token in enumerate(tokens)}

    tokenizer = Tokenizer(
        models.WordPiece(
            vocab=vocabulary, unk_token=UNKNOWN, continuing_subword_prefix="", max_input_chars_per_word=LONGEST_RUN
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    runs = f"[{character_class(known)}]{{1,{LONGEST_RUN}}}|[a-z]{{1,{LONGEST_RUN}}}|[0-9]{{1,{LONGEST_RUN}}}"
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(runs), behavior="removed", invert=True)
    return tokenizer


def chinese_texts(folder: Path) -> Iterator[str]:
    """Yield the Chinese side of all corpora."""
    for article in corpora.articles(folder):
        yield article.text
    for paragraph in corpora.paragraphs(folder):
        yield paragraph.heading + "。" + paragraph.text
    for name in ("drcd_traditional.jsonl.gz", "cmrc2018_trial.jsonl.gz"):
        paragraphs = set[str]()
        for question in corpora.questions(folder / name):
            yield question.text
            if question.paragraph not in paragraphs:
                paragraphs.add(question.paragraph)
                yield question.paragraph
    for text, _ in corpora.lay_questions(folder / "stard_train.jsonl.gz"):
        yield text
    for _, chinese in corpora.translations(folder):
        yield chinese


def count_chinese(texts: Iterable[str], *, processes: int) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Count jieba words of 2 to 8 characters, single characters, and numbers."""
    words, characters, numbers = Counter[str](), Counter[str](), Counter[str]()
    with get_context("spawn").Pool(processes) as pool:
        for some_words, some_characters, some_numbers in pool.imap(_count, batches(iter(texts))):
            words.update(some_words)
            characters.update(some_characters)
            numbers.update(some_numbers)
    return words, characters, numbers


def batches(texts: Iterator[str]) -> Iterator[tuple[str, ...]]:
    """Yield the texts 2,000 at a time: half a second of work for a process."""
    while batch := tuple(islice(texts, 2000)):
        yield batch


def count_english(pairs: Mapping[str, list[Texts]]) -> Counter[str]:
    """Count the English words of all pairs."""
    counts = Counter[str]()
    for some in pairs.values():
        for pair in some:
            for text in pair:
                counts.update(LATIN_RUN.findall(text.lower()))
    return counts


def english_pieces(counts: Counter[str]) -> list[str]:
    """The pieces that byte-pair encoding finds in the words counted, for words outside the vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=ENGLISH_PIECES, show_progress=False)
    tokenizer.train_from_iterator((" ".join([word] * min(count, 100)) for word, count in counts.items()), trainer)
    return sorted(tokenizer.get_vocab())


def character_class(characters: list[str]) -> str:
    """The inside of a regular expression's character class for sorted characters, neighbours as ranges."""
    ranges: list[tuple[int, int]] = []
    for code in map(ord, characters):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return "".join(chr(low) if low == high else f"{chr(low)}-{chr(high)}" for low, high in ranges)


def _count(texts: tuple[str, ...]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """The counts of one batch; runs in a worker process."""
    import jieba

    words, characters, numbers = Counter[str](), Counter[str](), Counter[str]()
    for text in texts:
        characters.update(character for run in HAN_RUN.findall(text) for character in run)
        numbers.update(NUMBER.findall(text))
        for word in jieba.cut(text):
            if 2 <= len(word) <= LONGEST_WORD and HAN_RUN.fullmatch(word):
                words[word] += 1
    return words, characters, numbers
