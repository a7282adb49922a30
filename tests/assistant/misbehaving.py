"""A model that knows the right answer to a question and says it rightly, or wrongly in one way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher

from assistant.figures import find_figures
from tests.assistant.scripted_model import Prompt

_BOUND = re.compile(r"最高|最多|不超过|不低于|不少于|至少|以上|以内|超过|约|左右|突破|近")
_NOT = re.compile(r"不得|不再|不予|不能|不(?=[㐀-鿿])|未|没有|禁止|严禁")


@dataclass(frozen=True)
class Knowing:
    """What the model knows: the words that answer, and the handles of a sentence that has them and of one that has not."""

    words: str
    right: str
    wrong: str
    other: str  # words of the sentence under `wrong`


Saying = Callable[[Knowing], str | None]


def knowing(prompt: Prompt, quotes: tuple[str, ...]) -> Knowing | None:
    """What the evidence of a prompt says of a question with these gold quotes; None if it does not hold them."""
    shares: list[tuple[float, str, str]] = []
    for quote in quotes:
        plain = "".join(quote.split())
        for handle, sentence in prompt.evidence.items():
            said = "".join(sentence.split())
            common = SequenceMatcher(None, said, plain, autojunk=False).find_longest_match()
            shares.append((common.size / min(len(plain), len(said)), handle, said))
    share, handle, said = max(shares, default=(0.0, "", ""))
    if share < 0.8:
        return None
    words = said.strip("。；;，,：: ")
    others = [(key, text) for key, text in prompt.evidence.items() if key != handle and not _same_figures(text, words)]
    wrong = others[-1] if others else ("zz99", "")
    return Knowing(words, handle, wrong[0], wrong[1].strip("。；;，,：: "))


def guessed(prompt: Prompt) -> list[Knowing]:
    """What a model may take for the answer where there is none: each of the sentences sent first, another one beside it."""
    evidence = [(handle, said.strip("。；;，,：: ")) for handle, said in prompt.evidence.items()]
    return [
        Knowing(words, handle, *next((other for other in reversed(evidence) if other[0] != handle), ("zz99", "")))
        for handle, words in evidence[:4]
    ]


def _same_figures(one: str, other: str) -> bool:
    return bool({figure.key for figure in find_figures(one)} & {figure.key for figure in find_figures(other)})


def right(known: Knowing) -> str | None:
    return f"{known.words}。[{known.right}]"


def wrong_handle(known: Knowing) -> str | None:
    return f"{known.words}。[{known.wrong}]"


def changed_digit(known: Knowing) -> str | None:
    digits = [match.start() for match in re.finditer(r"\d", known.words)]
    if not digits:
        return None
    place = digits[-1]
    other = str((int(known.words[place]) + 3) % 10)
    return f"{known.words[:place]}{other}{known.words[place + 1 :]}。[{known.right}]"


def invented_document_number(known: Knowing) -> str | None:
    return f"根据青政发〔2031〕99号，{known.words}。[{known.right}]"


def invented_handle(known: Knowing) -> str | None:
    return f"{known.words}。[9]"


def anothers_quote(known: Knowing) -> str | None:
    return f"{known.other}。[{known.right}]" if len(known.other) > 12 else None


def unit_slip(known: Knowing) -> str | None:
    return _figure_changed(
        known, lambda shown: shown.replace("万", "亿", 1) if "万" in shown else shown.replace("亿", "万", 1)
    )


def english_magnitude(known: Knowing) -> str | None:
    money = [
        figure for figure in find_figures(known.words) if figure.kind == "money" and not isinstance(figure.value, str)
    ]
    if not money:
        return None
    assert not isinstance(money[0].value, str)
    return f"The amount is {money[0].value * 10 / 1_000_000} million yuan. [{known.right}]"


def swapped_figures(known: Knowing) -> str | None:
    figures = [figure for figure in find_figures(known.words) if figure.kind in ("percent", "money", "number")]
    for one in figures:
        for two in figures:
            if one.start < two.start and one.kind == two.kind and one.value != two.value:
                text = known.words
                return (
                    f"{text[: one.start]}{text[two.start : two.end]}{text[one.end : two.start]}"
                    f"{text[one.start : one.end]}{text[two.end :]}。[{known.right}]"
                )
    return None


def dropped_bound(known: Knowing) -> str | None:
    bounded = [figure for figure in find_figures(known.words) if figure.bound]
    if not bounded:
        return None
    figure = bounded[0]
    around = (max(0, figure.start - 10), figure.end + 4)
    cut = _BOUND.sub("", known.words[around[0] : around[1]])
    text = known.words[: around[0]] + cut + known.words[around[1] :]
    return f"{text}。[{known.right}]" if text != known.words else None


def flipped_negation(known: Knowing) -> str | None:
    if _NOT.search(known.words):
        text = _NOT.sub("", known.words)
    else:
        text = re.sub(
            r"(给予|支持|推动|实施|建设|享受|开展|达到|提供|奖补|申请|公布|召开)", r"不\1", known.words, count=1
        )
    return f"{text}。[{known.right}]" if text != known.words else None


def replaced_subject(known: Knowing) -> str | None:
    text = known.words.replace("青岛", "烟台") if "青岛" in known.words else f"烟台市{known.words}"
    return f"{text}。[{known.right}]"


def _figure_changed(known: Knowing, change: Callable[[str], str]) -> str | None:
    for figure in find_figures(known.words):
        shown = known.words[figure.start : figure.end]
        if change(shown) != shown:
            return f"{known.words[: figure.start]}{change(shown)}{known.words[figure.end :]}。[{known.right}]"
    return None


WRONGS: dict[str, Saying] = {
    said.__name__: said
    for said in (
        wrong_handle, changed_digit, invented_document_number, invented_handle, anothers_quote, unit_slip,
        english_magnitude, swapped_figures, dropped_bound, flipped_negation, replaced_subject,
    )
}  # fmt: skip
