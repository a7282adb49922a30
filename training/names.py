"""How Chinese characters spell foreign names: letters aligned with characters over CC-CEDICT's names."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from assistant.lexicon.cedict_table import plain_letters
from assistant.transliteration import COST_OFFSET, LONGEST_CHUNK, SHORTEST_NAME
from training.corpora import Entry
from training.inversion import HAN, NOTE, UNUSABLE

Name = tuple[str, str]  # characters, letters

# Entries about East Asia spell names by their characters, not by sound; other entries end in a word (a language, a
# province, a society).
EAST_ASIAN: Final = re.compile(
    r"[\u4e00-\u9fff]|Chin(?:a|ese)|Taiwan|PRC|dynasty|Hong Kong|county|district|prefecture|township|Tibet|Japan|Korea|"
    r"Shanghai|Beijing|writer and|Song|Tang|Qing|Han |Confuci|Buddh|novelist and|Communist"
)
WORD_ENDINGS: Final = frozenset("县市区镇乡人语族教史书学军院社党会州省港传")
# "Rhine River": the last character translates the last word.
KINDS: Final = {
    "River": "河", "Lake": "湖", "Island": "岛", "Mountains": "山", "Mountain": "山", "Sea": "海", "Strait": "海峡",
    "Peninsula": "半岛", "Gulf": "湾", "Bay": "湾", "Street": "街", "Desert": "沙漠", "Province": "省",
}  # fmt: skip

ROUNDS: Final = 8
# An entry's words compete to be what its characters spell. From these rounds on, those that fit worse than the
# entry's best by more than a quarter of a unit a letter are dropped, and pairs below the floor are not learned from.
COMPETITIONS: Final = (2, 4, 6)
WITHIN: Final = 0.25
FLOORS: Final = (-2.6, -2.6, -2.0, -2.0, -1.6, -1.6, -1.6, -1.6)

# A character is trusted as far as it was seen; below this count, and for the rest, its syllable speaks for it.
SYLLABLE_COUNT: Final = 3.0
UNSEEN_COUNT: Final = 2.0
UNSEEN: Final = 0.03  # the probability of any one letter
SEEN_TWICE: Final = 2.0  # characters seen less often spell nothing at query time
LEAST: Final = 2e-3
# How much more often a character stands in names than in text counts at most e to the third; those that stand there
# three times less often (的, 国) spell nothing.
MOST_TELLING: Final = 3.0
LEAST_TELLING: Final = -1.0


def names(entries: Iterable[Entry], syllables: Mapping[str, str]) -> list[Name]:
    """The pairs of characters and letters that may spell each other."""
    found: dict[Name, None] = {}
    for entry in entries:
        explained = " ".join(entry.glosses)
        if not entry.reading[:1].isupper() or entry.word[-1] in WORD_ENDINGS or EAST_ASIAN.search(explained):
            continue
        for gloss in entry.glosses:
            for characters, word in _aligned_words(entry.word, gloss):
                letters = "".join(re.findall("[a-z]", plain_letters(word).lower()))
                fitting = max(SHORTEST_NAME, len(characters)) <= len(letters) <= LONGEST_CHUNK * len(characters)
                spelled = HAN.fullmatch(characters) and 2 <= len(characters) <= 7 and word[:1].isupper()
                if spelled and fitting and letters != "".join(syllables.get(c, "") for c in characters):
                    found[characters, letters] = None
    return list(found)


def _aligned_words(characters: str, gloss: str) -> Iterator[Name]:
    """Pair the parts of a Chinese name with the words of a gloss, or the whole with each word."""
    head = re.split(r"[,(;]", NOTE.sub(" ", gloss))[0].strip()
    if UNUSABLE.search(gloss) or head.startswith("abbr"):
        return
    parts = characters.split("·")
    words = [word for word in re.split(r" +|-(?=[A-Z])", head) if word]
    if len(parts) == len(words):
        yield from zip(parts, words, strict=True)
    elif len(parts) == 1 and words:
        kind = KINDS.get(words[-1], "")
        if kind and characters.endswith(kind):
            characters, words = characters.removesuffix(kind), words[:-1]
        yield from ((characters, word) for word in words if word not in KINDS)


def readings(entries: Iterable[Entry]) -> dict[str, str]:
    """Every character's most frequent syllable in the dictionary, without its tone."""
    heard: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        parts = entry.reading.lower().replace("u:", "v").split()
        if len(parts) == len(entry.word):
            for character, reading in zip(entry.word, parts, strict=True):
                heard[character][reading.rstrip("12345")] += 1
    return {character: counts.most_common(1)[0][0] for character, counts in heard.items()}


@dataclass(slots=True)
class Model:
    """How often characters and their syllables stood for pieces of names."""

    syllables: Mapping[str, str]
    characters: dict[str, dict[str, float]] = field(default_factory=dict)
    sounds: dict[str, dict[str, float]] = field(default_factory=dict)
    totals: dict[str, float] = field(default_factory=dict)
    sound_totals: dict[str, float] = field(default_factory=dict)

    def add(self, character: str, chunk: str, count: float) -> None:
        """Count a piece that a character stands for."""
        sound = self.syllables.get(character, "")
        for key, pieces, totals in (
            (character, self.characters, self.totals),
            (sound, self.sounds, self.sound_totals),
        ):
            row = pieces.setdefault(key, {})
            row[chunk] = row.get(chunk, 0.0) + count
            totals[key] = totals.get(key, 0.0) + count

    def probability(self, character: str, chunk: str) -> float:
        """Of a piece, given the character."""
        sound = self.syllables.get(character, "")
        unseen = UNSEEN_COUNT / 4 * UNSEEN ** len(chunk)
        by_sound = (self.sounds.get(sound, {}).get(chunk, 0.0) + unseen) / (
            self.sound_totals.get(sound, 0.0) + UNSEEN_COUNT
        )
        seen = self.characters.get(character, {}).get(chunk, 0.0) + SYLLABLE_COUNT * by_sound
        return seen / (self.totals.get(character, 0.0) + SYLLABLE_COUNT)


def first_guess(syllables: Mapping[str, str], character: str, chunk: str) -> float:
    """How alike a piece and a character's syllable look; where learning begins."""
    syllable = syllables.get(character, "")
    alike = len(set(chunk) & set(syllable)) + 2 * (chunk[0] == syllable[:1])
    return float((0.3 + alike) / (1 + abs(len(chunk) - max(2.0, len(syllable) - 0.5))) ** 1.5)


def learn(pairs: Sequence[Name], syllables: Mapping[str, str]) -> Model:
    """Align letters with characters by expectation maximisation."""
    model: Model | None = None
    counted = Model(syllables)
    fits: dict[Name, float] = {}
    for number in range(ROUNDS):
        if number in COMPETITIONS:
            best: defaultdict[str, float] = defaultdict(lambda: -math.inf)
            for (characters, _), fit in fits.items():
                best[characters] = max(best[characters], fit)
            pairs = [pair for pair in pairs if fits.get(pair, -math.inf) >= best[pair[0]] - WITHIN]
        counted = Model(syllables)
        for pair in pairs:
            aligned = _align(pair, model, counted, FLOORS[number])
            if aligned is not None:
                fits[pair] = aligned
        model = counted
    return counted


def _align(pair: Name, model: Model | None, counted: Model, floor: float) -> float | None:
    """Count one pair's pieces by their probabilities; return its log-probability a letter, None below the floor."""
    characters, letters = pair
    rows, columns = len(characters), len(letters)
    steps = [
        [
            (row, start, end, _probability(model, counted.syllables, characters[row], letters[start:end]))
            for start in range(columns)
            for end in range(start + 1, min(columns, start + LONGEST_CHUNK) + 1)
        ]
        for row in range(rows)
    ]
    forward = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    backward = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    forward[0][0] = backward[rows][columns] = 1.0
    for row, start, end, share in itertools.chain.from_iterable(steps):
        forward[row + 1][end] += forward[row][start] * share
    for row, start, end, share in (step for found in reversed(steps) for step in found):
        backward[row][start] += share * backward[row + 1][end]
    total = forward[rows][columns]
    if total <= 0 or (model is not None and math.log(total) / columns < floor):
        return None
    for row, start, end, share in itertools.chain.from_iterable(steps):
        count: float = forward[row][start] * share * backward[row + 1][end] / total
        if count > 1e-4:
            counted.add(characters[row], letters[start:end], count)
    return math.log(total) / columns


def _probability(model: Model | None, syllables: Mapping[str, str], character: str, chunk: str) -> float:
    return first_guess(syllables, character, chunk) if model is None else model.probability(character, chunk)


def sounds(entries: Sequence[Entry], text: Counter[str]) -> dict[str, str]:
    """For every piece of a name the characters that may stand for it, with their costs; `text` counts characters.

    A cost is the negative log odds, in tenths, of the character standing for the piece in a name against standing
    in general text for no reason.
    """
    syllables = readings(entries)
    model = learn(names(entries, syllables), syllables)
    in_names, in_text = sum(model.totals.values()), sum(text.values())
    table: defaultdict[str, str] = defaultdict(str)
    for character in sorted(model.totals):
        if model.totals[character] < SEEN_TWICE:
            continue
        share = (model.totals[character] + 0.2) / in_names
        odds = math.log(share / ((text[character] + 5) / in_text))
        if odds < LEAST_TELLING:
            continue
        telling = min(MOST_TELLING, odds)
        chunks = {*model.characters[character], *model.sounds[syllables.get(character, "")]}
        for chunk in sorted(chunks):
            probability = model.probability(character, chunk)
            if probability > LEAST:
                cost = round(-10 * (math.log(probability) + telling)) + COST_OFFSET
                table[chunk] += f"{character}{max(0, cost)}"
    return dict(table)
