"""A model that knows the right answer to a question and says it rightly, or wrongly in one way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from assistant.figures import find_figures

_EVIDENCE: Final = re.compile(r"^\[([a-z]{2}\d+)\] (.*)$", re.MULTILINE)
_BOUND: Final = re.compile(r"最高|最多|不超过|不低于|不少于|至少|以上|以内|超过|约|左右|突破|近")
_NOT: Final = re.compile(r"不得|不再|不予|不能|不(?=[㐀-鿿])|未|没有|禁止|严禁")
_AFFIRMED: Final = re.compile(r"(给予|支持|推动|实施|建设|享受|开展|达到|提供|奖补|申请|公布|召开)")
# Limits and what turns them around.
_TURNED: Final = {
    "最高": "最低",
    "最低": "最高",
    "不超过": "不低于",
    "不低于": "不超过",
    "不少于": "不多于",
    "以上": "以下",
}
_LIMIT: Final = re.compile("|".join(_TURNED))
_QUOTE: Final = re.compile(r"“([^“”]{4,})”")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked: messages, each its role and its content."""

    messages: list[dict[str, str]]

    @property
    def evidence(self) -> dict[str, str]:
        """The sentences by handle."""
        return dict(_EVIDENCE.findall(self.messages[-1]["content"]))

    @property
    def question(self) -> str:
        """The last line."""
        last = self.messages[-1]["content"].rpartition("\n")[2]
        return last.partition("：")[2] or last.partition("uestion: ")[2]


@dataclass(frozen=True, slots=True)
class Knowing:
    """What the model knows: the words that answer, and the handles of a sentence that has them and of one that has not.

    `other` are words of the sentence under `wrong`.
    """

    words: str
    right: str
    wrong: str
    other: str


Saying = Callable[[Knowing], str | None]
"""What a model says of what it knows, a sentence with its handle; None where it cannot say it in its way."""


def right(known: Knowing) -> str | None:
    """What is known, as it is."""
    return f"{known.words}。[{known.right}]"


def wrong_handle(known: Knowing) -> str | None:
    """Cited from a sentence that does not say it."""
    return f"{known.words}。[{known.wrong}]"


def no_handle(known: Knowing) -> str | None:
    """Another digit, cited from nothing: what is right without a handle is attributed by the program."""
    changed = changed_digit(known)
    return changed.partition("[")[0] if changed else None


def invented_handle(known: Knowing) -> str | None:
    """Cited from a number that was never given."""
    return f"{known.words}。[9]"


def invented_handle_beside(known: Knowing) -> str | None:
    """Cited from the right sentence, and from one that was never given."""
    return f"{known.words}。[{known.right}][zz99]"


def changed_digit(known: Knowing) -> str | None:
    """The last digit is another one."""
    digits = [match.start() for match in re.finditer(r"\d", known.words)]
    if not digits:
        return None
    place = digits[-1]
    other = str((int(known.words[place]) + 3) % 10)
    return f"{known.words[:place]}{other}{known.words[place + 1 :]}。[{known.right}]"


def changed_quote(known: Knowing) -> str | None:
    """Words in quotation marks of which one character is another."""
    quoted = _QUOTE.search(known.words)
    words = quoted[1] if quoted else known.words
    place = len(words) // 2
    while words[place] in "0123456789，；、":
        place -= 1
    changed = f"{words[:place]}{'乙' if words[place] != '乙' else '甲'}{words[place + 1 :]}"
    return f"文件规定“{changed}”。[{known.right}]"


def invented_document_number(known: Knowing) -> str | None:
    """A document number that the source does not have."""
    return f"根据青政发〔2031〕99号，{known.words}。[{known.right}]"


def invented_article(known: Knowing) -> str | None:
    """An article that the source does not have."""
    return f"第九十七条规定，{known.words}。[{known.right}]"


def invented_page(known: Knowing) -> str | None:
    """A page that the source does not have."""
    return f"{known.words}（见第8807页）。[{known.right}]"


def anothers_quote(known: Knowing) -> str | None:
    """Another sentence's words."""
    return f"{known.other}。[{known.right}]" if len(known.other) > 12 else None


def anothers_figure(known: Knowing) -> str | None:
    """The figure of another sentence in place of its own."""
    for figure in find_figures(known.words):
        for other in find_figures(known.other):
            if figure.kind == other.kind and figure.value != other.value and figure.kind != "docno":
                shown = known.other[other.start : other.end]
                return f"{known.words[: figure.start]}{shown}{known.words[figure.end :]}。[{known.right}]"
    return None


def unit_slip(known: Knowing) -> str | None:
    """万 for 亿, or 亿 for 万."""
    return _figure_changed(
        known, lambda shown: shown.replace("万", "亿", 1) if "万" in shown else shown.replace("亿", "万", 1)
    )


def share_for_amount(known: Knowing) -> str | None:
    """An amount of money for a share."""
    return _figure_changed(known, lambda shown: shown.replace("%", "万元", 1))


def wrong_month(known: Knowing) -> str | None:
    """A date of another month."""
    return _figure_changed(
        known, lambda shown: re.sub(r"(?<=年)(\d{1,2})月", lambda month: f"{int(month[1]) % 12 + 1}月", shown, count=1)
    )


def english_magnitude(known: Knowing) -> str | None:
    """Ten times as much, in English."""
    money = [
        figure.value
        for figure in find_figures(known.words)
        if figure.kind == "money" and isinstance(figure.value, Decimal)
    ]
    return f"The amount is {money[0] * 10 / 1_000_000} million yuan. [{known.right}]" if money else None


def swapped_figures(known: Knowing) -> str | None:
    """Two figures in each other's place."""
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


def added_figure(known: Knowing) -> str | None:
    """A grant that the source does not give."""
    return f"{known.words}，另外再给予7777万元。[{known.right}]"


def dropped_bound(known: Knowing) -> str | None:
    """A figure without its limit."""
    bounded = [figure for figure in find_figures(known.words) if figure.bound]
    if not bounded:
        return None
    figure = bounded[0]
    around = (max(0, figure.start - 10), figure.end + 4)
    cut = _BOUND.sub("", known.words[around[0] : around[1]])
    text = known.words[: around[0]] + cut + known.words[around[1] :]
    return f"{text}。[{known.right}]" if text != known.words else None


def turned_bound(known: Knowing) -> str | None:
    """A lower limit for an upper one, or an upper for a lower one."""
    text = _LIMIT.sub(lambda limit: _TURNED[limit[0]], known.words, count=1)
    return f"{text}。[{known.right}]" if text != known.words and find_figures(known.words) else None


def flipped_negation(known: Knowing) -> str | None:
    """A denial affirmed, or what is affirmed denied."""
    denied, affirmed = _NOT.sub("", known.words), _AFFIRMED.sub(r"不\1", known.words, count=1)
    text = denied if denied != known.words else affirmed
    return f"{text}。[{known.right}]" if text != known.words else None


def replaced_subject(known: Knowing) -> str | None:
    """Another place than the source's."""
    text = known.words.replace("青岛", "烟台") if "青岛" in known.words else f"烟台市{known.words}"
    return f"{text}。[{known.right}]"


def _figure_changed(known: Knowing, change: Callable[[str], str]) -> str | None:
    for figure in find_figures(known.words):
        shown = known.words[figure.start : figure.end]
        if change(shown) != shown:
            return f"{known.words[: figure.start]}{change(shown)}{known.words[figure.end :]}。[{known.right}]"
    return None


WRONGS: Final[dict[str, Saying]] = {
    said.__name__: said
    for said in (
        wrong_handle, no_handle, invented_handle, invented_handle_beside, changed_digit, changed_quote,
        invented_document_number, invented_article, invented_page, anothers_quote, anothers_figure, unit_slip,
        share_for_amount, wrong_month, english_magnitude, swapped_figures, added_figure, dropped_bound, turned_bound,
        flipped_negation, replaced_subject,
    )
}  # fmt: skip
