"""Whether what was written says what its sources say: whose figure it is, of which place, and about what at all.

`verification` looks for each figure and title of a claim in its quotes; here the words around them are compared. A
claim in English over a Chinese quote is compared by the translations of its words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.figures import Figure, find_figures
from assistant.question import Term, Understanding
from assistant.retrieval import WORDING_WEIGHT, term_match
from assistant.verification import NEGATION, same_figure, unsupported
from vectorstore.segmentation import normalise

# The share of a claim's words that its sources have to say; a paraphrase keeps more than half of them.
LEAST_SAID = 0.5
# Of these so many in the quotes themselves; the rest may be in the headings or in what stands before.
LEAST_QUOTED = 0.3
LEAST_QUOTED_ALONE = 0.55  # where no figure ties the claim to its quote
# In another language some words have no translation in the tables.
LEAST_SAID_ACROSS = 0.34

_CLAUSE_END = re.compile(r"[，,；;。：:、！!？?\n]|\.\s")
_QUOTED = re.compile(r"\"([^\"]{2,})\"")
_LIMITS = {
    word.replace("_", " "): limit
    for limit, words in {
        "max": "不得超过 不超过 不高于 不多于 最高 最多 至多 上限 封顶 以内 以下 up_to at_most no_more_than not_exceed "
        "not_exceeding maximum capped cap",
        "min": "不得低于 不低于 不少于 不小于 最低 最少 至少 下限 以上 at_least no_less_than no_fewer_than minimum",
        "below": "低于 少于 小于 不足 未满 below less_than under fewer_than",
        "above": "超过 高于 多于 大于 突破 above more_than over exceeds exceeding",
    }.items()
    for word in words.split()
}
_LIMIT = re.compile("|".join(sorted(map(re.escape, _LIMITS), key=len, reverse=True)), re.IGNORECASE)
_BEYOND = re.compile("以[上下内外]")
LONGEST_UNIT = 3  # characters between a figure and 以上: 20个工作日以内
_STRANGE = re.compile("[㐀-鿿]{2,}")
# What says nothing by itself: 文件明确规定, 应当.
_FRAME = re.compile(
    "文件|规定|办法|通知|政策|明确|要求|根据|按照|依据|可以|能够|应当|应该|需要|必须|有关|相关|其中|如果|以及|或者|并且"
)
# A place at the beginning, or behind a preposition; read as words, one that runs on (云川市智能家电) is not always told from them.
_PLACE = re.compile("(?:^|[由对在给为向于])([㐀-鿿](?![各本全该市县区])[㐀-鿿][市县区省])")
# Which of many bodies is meant: 会展服务企业, 检验检测机构.
_KIND = re.compile("([㐀-鿿]{2,4})(?:企业|机构|单位|公司|人才|人员|院校|组织|项目)")
_ONLY = re.compile(r"(?<![不非])(?:仅仅|仅|只有|只能|只)|\bonly\b", re.IGNORECASE)
_IN_TURN = re.compile(r"(?P<items>[^，,；;。：:]{2,60})分别")
_ITEM = re.compile(r"[、和与及]")
# The endings of names of bodies; what stands before is compared from the second character on, for it may run on.
_BODY = re.compile(
    r"[㐀-鿿]{2,10}?(?:委员会|管委会|人民政府|办公室|公司|集团|银行|协会|基金会|大学|学院|研究院|医院|法院|[厅局委署院])"
)
_BODY_ENDING = 3  # characters by which a body is known where its name is shortened: 市财政局, 财政局


@dataclass(frozen=True, slots=True)
class Source:
    """A quote, and the words around it that tell what it is about: title, headings, issuer, place, what came before.

    `told` is the quote with what only its place tells: a table row with its columns' names.
    """

    quote: str
    around: str
    told: str = ""

    @property
    def words(self) -> str:
        """The quote as it is to be understood."""
        return self.told or self.quote

    @property
    def folded(self) -> str:
        """Everything, normalised."""
        return normalise(f"{self.words}\n{self.around}")


class Support:
    """Compares claims with their sources."""

    def __init__(self, understanding: Understanding) -> None:
        self._understanding = understanding

    def problems(self, claim: str, sources: Sequence[Source]) -> list[str]:
        """What a claim says that its sources do not, in words for a log; empty if they bear it out."""
        quotes = [source.quote for source in sources]
        read = self._understanding.read(claim)
        folded = "\n".join(source.folded for source in sources)
        problems = unsupported(claim, [source.words for source in sources])
        places = dict.fromkeys((*read.regions, *_PLACE.findall(normalise(claim))))
        problems += [f"the place {place} is not the sources'" for place in places if not _named(place, folded)]
        problems += [f"{body} is not in the sources" for body in _BODY.findall(claim) if not self._known(body, folded)]
        plain = "".join(folded.split())
        problems += [
            f"“{words}” is no quote" for words in quotations(claim) if "".join(normalise(words).split()) not in plain
        ]
        problems += self._misplaced(claim, [source.words for source in sources])
        problems += [
            f"{subject.text!r} is whose figure it is said to be, but is not in the sources"
            for subject in self._subjects(claim)
            if not term_match(subject, folded)
        ]
        told = [term for term in read.terms if term.role in ("topic", "name") and not find_figures(term.text)]
        said = [term_match(term, folded) for term in told]
        problems += [
            f"{term.text!r} is not in the sources"
            for term, match in zip(told, said, strict=True)
            if term.role == "name" and not match
        ]
        least = LEAST_SAID_ACROSS if read.language == "en" and not quotes[0].isascii() else LEAST_SAID
        quoted = normalise("\n".join(source.words for source in sources))
        if told and sum(said) < least * len(told):
            problems.append("most of its words are not in the sources")
        elif told and sum(term_match(term, quoted) for term in told) < (
            LEAST_QUOTED if find_figures(claim) else LEAST_QUOTED_ALONE
        ) * len(told):
            problems.append("its words stand around its quotes, not in them")
        if _grades(claim) - _grades(quoted):
            problems.append("the claim sets a limit that its quote does not")
        if not find_figures(claim) and not quoted.isascii():
            known = [term.text for term, match in zip(told, said, strict=True) if match]
            problems += [f"not a character of {words!r} is in the sources" for words in _strange(claim, known, folded)]
            problems += [f"{kind!r} is not in the sources" for kind in _kinds(claim) if _unsaid(kind, folded)]
            names = [term for term, match in zip(told, said, strict=True) if read.regions and not match]
            problems += [
                f"{term.text!r} is not in the sources" for term in names if _behind_place(term, claim, read.regions)
            ]
        if _ONLY.search(claim) and not _ONLY.search(quoted):
            problems.append("the claim says only where its quote does not")
        return problems

    def _known(self, body: str, folded: str) -> bool:
        """Whether a body is named, in another wording or shortened."""
        terms = [term for term in self._understanding.read(body).terms if term.role != "light"]
        return body[-_BODY_ENDING:] in folded or (bool(terms) and term_match(terms[-1], folded) >= WORDING_WEIGHT)

    def _subjects(self, claim: str) -> list[Term]:
        """What the clauses that hold a figure begin with."""
        subjects = []
        for clause in _CLAUSE_END.split(claim):
            figures = find_figures(clause)
            if not figures or figures[0].kind in ("date", "year"):
                continue
            terms = self._understanding.read(clause[: figures[0].start]).terms
            subjects += [term for term in terms if term.role in ("topic", "name")][:1]
        return subjects

    def _misplaced(self, claim: str, quotes: Sequence[str]) -> list[str]:
        """Figures whose words stand beside another figure of the quotes, or that are of another year or limit there."""
        known = [
            (figure, words)
            for quote in quotes
            for figure, words in zip(find_figures(quote), beside_figures(quote), strict=True)
        ]
        problems = []
        for figure, words in zip(find_figures(claim), beside_figures(claim), strict=True):
            shown = claim[figure.start : figure.end]
            own = [beside for other, beside in known if same_figure(figure, other)]
            others = [beside for other, beside in known if other.kind == figure.kind and not same_figure(figure, other)]
            if not own or figure.kind in ("date", "year", "docno"):
                continue
            terms = [term for term in self._understanding.read(words).terms if term.role in ("topic", "name")]
            best = max(_said(terms, beside) for beside in own)
            if terms and others and max(_said(terms, beside) for beside in others) > best:
                problems.append(f"the words beside {shown!r} belong to another figure")
            nearest = [beside for beside in own if _said(terms, beside) == best]
            if not any(_limits(words) == _limits(beside) for beside in nearest):
                problems.append(f"the limit of {shown!r} is not its quote's")
            years = _years(words)
            if years and not any(not _years(beside) or years & _years(beside) for beside in nearest):
                problems.append(f"{shown!r} is another year's")
        if "|" in claim and not any("".join(claim.split()) in "".join(quote.split()) for quote in quotes):
            problems.append("it is no row of the table")
        return problems


def quotations(text: str) -> list[str]:
    """What stands in quotation marks, also where a quotation is part of another."""
    found, opened = _QUOTED.findall(text), list[int]()
    for place, character in enumerate(text):
        if character in "“「":
            opened.append(place + 1)
        elif character in "”」" and opened:
            found.append(text[opened.pop() : place])
    return [words for words in found if len(words) > 1]


def beside_figures(text: str) -> list[str]:
    """The words that say what each figure of a text is, in the figures' order.

    They stand in the figure's clause between it and the figure before; or before 分别, in the same order.
    """
    figures = find_figures(text)
    beside = [_before(text, figures, place) for place in range(len(figures))]
    for match in _IN_TURN.finditer(text):
        end = next((found.start() for found in re.finditer(r"[；;。\n]", text[match.end() :])), len(text))
        places = [place for place, figure in enumerate(figures) if match.end() <= figure.start < match.end() + end]
        items = [item for item in _ITEM.split(match["items"]) if item]
        if len(items) == len(places):
            begin = match.end()
            for place, item in zip(places, items, strict=True):
                beside[place] = f"{item} {text[begin : figures[place].start]}".strip("为是占、和 ")
                begin = figures[place].end
    return beside


def _before(text: str, figures: Sequence[Figure], place: int) -> str:
    figure = figures[place]
    earlier = [other.end for other in figures[:place] if other.kind not in ("date", "year")]  # a year says whose it is
    begin = earlier[-1] if earlier else 0
    ends = [found.end() for found in _CLAUSE_END.finditer(text, begin, figure.start)]
    # A figure may follow its name by a comma or colon: take the nearest clause that has words.
    for start in [*reversed(ends), begin]:
        words = text[start : figure.start].strip(" ，,；;。：:、")
        if len(words) > 1:
            return f"{words} {_behind(text, figures, place)}".strip()
    return _behind(text, figures, place)


def _behind(text: str, figures: Sequence[Figure], place: int) -> str:
    """The words behind a figure in its clause, unless another figure follows there."""
    end = _CLAUSE_END.search(text, figures[place].end)
    limit = end.start() if end else len(text)
    if place + 1 < len(figures) and figures[place + 1].start < limit:
        return ""
    return text[figures[place].end : limit]


def _said(terms: Sequence[Term], words: str) -> float:
    folded = normalise(words)
    return sum(term_match(term, folded) for term in terms)


def _limits(words: str) -> set[str]:
    """Which limits words set on a figure: max, min, below, above."""
    return {_LIMITS[found.lower()] for found in _LIMIT.findall(words)}


def _grades(text: str) -> set[str]:
    """Which limits stand behind something else than a figure: 合格以上."""
    ends = [figure.end for figure in find_figures(text)]
    return {
        found[0]
        for found in _BEYOND.finditer(text)
        if not any(0 <= found.start() - end <= LONGEST_UNIT for end in ends)
    }


def _strange(claim: str, understood: Sequence[str], folded: str) -> list[str]:
    """Words of a claim without a figure that its sources share no character with: whom it is about may be another.

    Left out is what was `understood`: words that the sources say otherwise.
    """
    for words in (*NEGATION.findall(claim), *_FRAME.findall(claim), *understood):
        claim = claim.replace(words, " " * len(words)) if len(words) > 1 else claim
    return _STRANGE.findall("".join(character if character not in folded else " " for character in normalise(claim)))


def _kinds(claim: str) -> list[str]:
    """The words right before 企业, 机构 and the like, that tell one kind from another."""
    return [kind.rpartition("的")[2] for kind in _KIND.findall(normalise(claim))]


def _unsaid(words: str, folded: str) -> bool:
    """Whether two characters in a row stand in no pair that is in a text."""
    said = [words[place : place + 2] in folded for place in range(len(words) - 1)]
    covered = [any(said[max(0, place - 1) : place + 1]) for place in range(len(words))]
    return any(not (one or other) for one, other in pairwise(covered))


def _behind_place(term: Term, claim: str, places: Sequence[str]) -> bool:
    """Whether a term says who of a place is meant: 海州市软件企业."""
    return any(f"{place}{term.text}" in claim for place in places)


def _years(words: str) -> set[str]:
    return {str(figure.value)[:4] for figure in find_figures(words) if figure.kind in ("date", "year")}


def _named(place: str, folded: str) -> bool:
    stem = place[:-1] if len(place) > 2 and place[-1] in "市省区县" else place
    return stem in folded
