"""Question -> Query: language, terms with their other wordings, names, years, follow-ups."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from assistant.figures import Figure, find_figures
from assistant.lexicon import AskingWords, EnglishTable, Glossary, Regions
from assistant.lexicon.cedict_table import LONGEST_PHRASE, normal_form, plain_letters
from assistant.lexicon.numerals import read_numeral
from assistant.lexicon.small_talk import SmallTalk, small_talk
from assistant.words import Words
from vectorstore.segmentation import is_chinese, normalise

Role = Literal["topic", "light", "name", "place", "history"]
Asks = Literal["time", "list", "figure", ""]

# What a question is asked with, and words that no passage is about.
_ASKING = re.compile(
    r"多大(?=规模|体量|投资|面积)|请问|请告诉我|告诉我|我想知道|想了解一下|麻烦|帮我查一?下?|到底|究竟|多少|哪些|哪几|哪个|哪家|哪里|哪座|哪所|哪一|哪[天年二两三四五六七八九十]?|谁|何时|"
    r"什么时候|什么|多长时间|多久|多长|为什么|为何|怎么样|怎么办|怎么|怎样|如何|是否|能不能|可不可以|是不是|有没有|对不对|能否|可否|"
    r"吗|呢|吧|啊|呀|[?？!！]|几(?=[个家条项名人所套栋座种类次批届亩月号年天])|百分之几|各是|分别|各(?=有|为|占)|叫作?|名字|用了|拿到|得到|能拿"
)  # fmt: skip
_FOLLOW_UP = re.compile(
    r"^(?:那么?|然后|另外|还有|此外|其中|其|它们?|这个?|该|此|上述|前者|后者|继续)|(?:它们?|这个|那个|这项|该项|该政策|上述|前面|刚才)|呢[?？]?$"
    r"|^(?:and|what about|how about|then|also)\b|\b(?:it|its|they|them|their|that|those|this one)\b",
    re.IGNORECASE,
)
# A follow-up that only names another subject: 那博士呢？
_SWAP = re.compile(
    r"^(?:那么?|如果是?|要是|换成|改成)?\s*([^，。？?]{1,24}?)(?:的话)?呢[？?]?$|^(?:and |so )?(?:(?:what|how) about|and for) (.{1,40}?)\??$",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(?:an?|the) ", re.IGNORECASE)
SAME_END = 0.3  # what the same last character counts beside it: 国家级 is another 市级
LEAST_ALIKE = 0.44  # the nearness in meaning from which a subject takes the place of an earlier one
_CHECKING = re.compile(r"对吗|对吧|对不对|是吗|是吧|是不是|没错吧|正确吗|真的吗|吗[?？]?$|\bright\?|\bcorrect\?|isn't it|is it true|^(?:is|are|does|do|was|were)\b", re.IGNORECASE)  # fmt: skip
_TITLE = re.compile(r"《([^《》]+)》")
_QUOTED = re.compile(r"[“\"「『]([^“”\"「」『』]{2,30})[”\"」』]")
_PART = re.compile(r"(?<=[?？])|[,，;；]\s*(?:那么?|以及|and)?")
_INTERROGATIVE = re.compile(r"多少|几|哪|什么|谁|何|怎|吗|\b(?:what|which|who|when|where|how)\b", re.IGNORECASE)
_WHICH = re.compile(r"哪(?:一?[个家座所位份部条项本款])([㐀-鿿]{2,4})")
_MEASURES = frozenset("个家条项名人所套栋座种类次批届位只大")
# What an answer must hold: a day or a length of time, more than one thing, a number.
_ASKS: tuple[tuple[Asks, re.Pattern[str]], ...] = (
    (
        "time",
        re.compile(
            r"什么时候|何时|哪[天日年]|几[号月日点]|几(?:个月|个?工作日|天|年)|截止|期限|多久|多长时间|\bwhen\b|\bhow long\b|deadline|what (?:time|date)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "list",
        re.compile(
            r"哪些|哪几|什么(?:材料|资料|手续|条件|要求|情形|情况|证件|流程|程序|步骤|方式)|(?:要|得|该|需)(?:带|交|备|准备|提交|提供|满足|符合|具备)(?:些)?(?:什么|啥)|怎么(?:办理?|申请|申报|走)|如何(?:办理|申请|申报)|(?:指标|条件|材料|步骤|流程).{0,6}(?:怎样|怎么样|如何|是什么)"
            r"|\b(?:what|which)\b[^?]{0,24}\b(?:documents|papers|materials|conditions|requirements|steps|criteria|indicators)\b|\bhow (?:do|can|should) \w+ apply",
            re.IGNORECASE,
        ),
    ),
    (
        "figure",
        re.compile(
            r"多少|多大|多高|几(?!乎)|\bhow (?:much|many|big|large|high)\b"
            r"|\bwhat (?:\w+ )?(?:subsid(?:y|ies)|rewards?|bonus|grant|allowance|fine|fee|penalty|amount|share|rate)\b",
            re.IGNORECASE,
        ),
    ),
)
_MONEY = re.compile(
    r"钱|元|奖|补|贴|资助|津贴|罚|费|租金|资金|\b(?:subsid|reward|grant|allowance|fine|fee|money|pay|cost|yuan)",
    re.IGNORECASE,
)
# A place that no table lists, such as a county; words that end like one are not.
_PLACE = re.compile(
    r"(?!.*(?:城市|都市|全市|我市|本市|该市|超市|上市|股市|跨市|门市|市区|园区|地区|城区|社区|景区|校区|辖区|片区|厂区|新区|特区|郊区|小区|[发聚范新税护心市湾]区|区县|各县|全省|全县|全区|我省|本省|我区|本区)$)[㐀-鿿]{2,3}[市县省州区]$"
)
_SEVERAL = re.compile(r"分别|前后|新旧|对比|相比|区别|差别|\bboth\b|respectively|compare|differ", re.IGNORECASE)
_FORMER = re.compile(
    r"旧(?:办法|政策|规定|版)|原(?:来的?)?(?:办法|政策|规定)|修订前|修改前|废止前|以前的|\b(?:old|former|previous)\b",
    re.IGNORECASE,
)
_ENGLISH_WORD = re.compile(r"[A-Za-z][\w'’&-]*|\d[\d,]*(?:\.\d+)?(?:st\b|nd\b|rd\b|th\b)?")
_POSSESSIVE = re.compile(r"['’]s?$")
_YEAR = re.compile(r"(?:19|20)\d{2}")
# What the dictionary's words for an English word tell beside the glossary's.
SECOND_WORTH = 0.8


@dataclass(frozen=True, slots=True)
class Term:
    """Something the question is about: as asked, and other wordings of it, the best first.

    `name` terms (titles, quoted words, unknown names) have no substitutes; `history` terms come from earlier
    questions and only steer. A number `counts` the words that follow it: 三个园区 is not said by 三个方面.
    A term that `sounds` is an English name, said by the Chinese words that sound like it.

    `worths` says how likely each of the `wordings` means the term, from 0 to 1 and in their order; without it, all do.
    An English phrase that has a wording as a whole may as well be said by all of its `parts`.
    """

    text: str
    wordings: tuple[str, ...] = ()
    role: Role = "topic"
    counts: tuple[str, ...] = ()
    sounds: bool = False
    worths: tuple[float, ...] = ()
    parts: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A question as the assistant understands it; `standalone` can be read without the conversation.

    `premise` are figures that the question asks to confirm, `dangling` marks a follow-up to nothing, `several` a
    comparison that more than one document may have to answer, `former` a question about rules no longer in force, `asks`
    what an answer must hold, `of_money` one about money, `topic` what documents are asked for on. A question of several `parts` is answered part by part. `filters`
    are what the question says of the documents to answer from (现行有效的办法).
    """

    question: str
    standalone: str
    language: Literal["zh", "en"]
    terms: tuple[Term, ...]
    years: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    premise: tuple[Figure, ...] = ()
    dangling: bool = False
    small_talk: SmallTalk = ""
    topic: str = ""
    several: bool = False
    former: bool = False
    asks: Asks = ""
    of_money: bool = False
    parts: tuple[Query, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def wording(self) -> str:
        """The question with the other wordings of its terms behind it."""
        return " ".join((self.standalone, *(wording for term in self.terms for wording in term.wordings)))


class Understanding:
    """Turns questions into queries by rules and tables; `nearness` says how near in meaning a text is to others (cosines)."""

    def __init__(
        self,
        words: Words,
        asking: AskingWords,
        glossary: Glossary,
        regions: Regions,
        english: Callable[[], EnglishTable],
        nearness: Callable[[str, Sequence[str]], Sequence[float]] | None = None,
    ) -> None:
        self._words = words
        self._asking = asking
        self._glossary = glossary
        self._regions = regions
        self._load_english = english
        self._nearness = nearness

    def understand(self, question: str, history: Sequence[str] = ()) -> Query:
        """The query of a question, made standalone with the questions asked before it (oldest first)."""
        question = " ".join(question.split())
        query = self.read(question)
        parts = [self.read(part) for part in _PART.split(question) if part.strip()]
        if len(parts) > 1 and all(_INTERROGATIVE.search(part.question) for part in parts) and not query.premise:
            return replace(query, parts=tuple(parts))
        if not _is_follow_up(question, query):
            return query
        if not history:
            return replace(query, dangling=_is_dangling(question, query))
        previous = self.understand(history[-1], history[:-1])
        swapped = self._swapped(question, previous)
        if swapped:
            return replace(self.read(swapped), question=question)
        known = {term.text for term in query.terms}
        # Without a subject of its own, a follow-up is about the earlier one's; else that only steers.
        own = any(term.role in ("topic", "name") for term in query.terms)
        carried = tuple(
            replace(term, role="history") if own else term
            for term in previous.terms
            if term.text not in known and term.role not in ("light", "history")
        )
        subject = (
            "、".join(term.text for term in carried) if query.language == "zh" else ", ".join(t.text for t in carried)
        )
        standalone = question if not carried else f"{subject}：{question}"
        return replace(
            query,
            standalone=standalone,
            terms=query.terms + carried,
            regions=query.regions or previous.regions,
            years=query.years or previous.years,
            titles=query.titles or previous.titles,
            asks=query.asks or previous.asks,
            of_money=query.of_money or previous.of_money,
        )

    def _swapped(self, question: str, previous: Query) -> str | None:
        """The earlier question with its subject that is most like the one that this question only names."""
        named = _SWAP.match(question)
        single = (*(term.text for term in previous.terms), *previous.years)
        pairs = (one + other for one in single for other in single if one + other in previous.standalone)
        subjects = (*single, *pairs)
        if not (named and single and self._nearness):
            return None
        subject = _ARTICLE.sub("", (named[1] or named[2]).strip())
        if _INTERROGATIVE.search(subject):
            return None
        subject = subject.removesuffix("年") if _YEAR.match(subject) else subject
        near = dict(zip(subjects, self._nearness(subject, subjects), strict=True))
        alike = {other: likeness + SAME_END * _ends_alike(subject, other) for other, likeness in near.items()}
        best = max(alike, key=alike.__getitem__)
        if subject.endswith(best):  # 新能源汽车 is another 小型汽车, and no other 汽车
            longer = [other for other in alike if other.endswith(best) and other != best]
            best = max(longer, key=alike.__getitem__, default=best)
        if alike[best] < LEAST_ALIKE or best in subject:  # 申请材料 is no other 申请
            return None
        subject = subject if best.endswith("的") else subject.removesuffix("的")
        whole = rf"(?<![一二三四五六七八九十\d]){re.escape(best)}"
        said, swaps = re.subn(whole, lambda _: subject, previous.standalone, count=1, flags=re.IGNORECASE)
        return said if swaps else None

    def read(self, question: str) -> Query:
        """A question, or any sentence, on its own."""
        language: Literal["zh", "en"] = "zh" if _is_chinese(question) else "en"
        plain = _QUOTED.sub(_blank, _TITLE.sub(_blank, question))  # names keep their figures to themselves
        figures = find_figures(plain)
        years = tuple(
            str(figure.value)[:4]
            for figure in figures
            if figure.kind in ("year", "date") and str(figure.value)[0] != "-"
        )
        if language == "en":
            years += tuple(found for found in re.findall(r"\b(?:19|20)\d{2}\b", question) if found not in years)
        checking = bool(_CHECKING.search(question))
        premise = (
            tuple(f for f in figures if f.kind in ("money", "percent", "number") and str(f.value) not in years)
            if checking
            else ()
        )
        regions = self._regions.named_in(question)
        if language == "en":
            regions += self._regions.named_in_english(question)
        rest = plain
        counted: list[Term] = []
        for figure in figures:
            shown = question[figure.start : figure.end]
            if figure in premise or figure.kind in ("year", "date"):
                rest = rest.replace(shown, " ")
            elif figure.kind == "number" and not figure.unit.isascii():
                behind = self._words.split(question[figure.end + 1 : figure.end + 9])
                counted.append(_counted(figure, shown, [word for word in behind if word not in self._asking.stop]))
                rest = rest.replace(shown + figure.unit[:1], " ")
        names = [*_TITLE.findall(question), *_QUOTED.findall(question)]
        if language == "en":  # no Chinese document says an English quotation as it stands
            names = [name for name in names if any(map(is_chinese, name))]
            rest = _QUOTED.sub(lambda found: f" {found[1]} ", rest if figures else question)
        terms = [Term(normalise(name), role="name") for name in names] + counted
        terms += self._english_terms(rest) if language == "en" else self._chinese_terms(rest)
        terms = list({term.text: term for term in terms}.values())
        regions += tuple(term.text for term in terms if _PLACE.match(term.text) and term.text[:-1] not in regions)
        talk, topic = small_talk(question)
        return Query(
            question=question,
            standalone=topic or question,
            language=language,
            terms=(
                *(term for term in terms if not self._is_region(term, regions)),
                *(Term(region, role="place") for region in regions),
            ),
            years=tuple(dict.fromkeys(years)),
            regions=regions,
            titles=tuple(_TITLE.findall(question)),
            premise=premise,
            small_talk=talk,
            topic=topic,
            several=bool(_SEVERAL.search(question)),
            former=bool(_FORMER.search(question)),
            asks=next((asks for asks, words in _ASKS if words.search(question)), ""),
            of_money=bool(_MONEY.search(question)),
        )

    def _is_region(self, term: Term, regions: tuple[str, ...]) -> bool:
        return any(term.text in (region, region + "市", region + "省") for region in regions) or (
            term.text.isascii() and any(region in self._regions.named_in_english(term.text) for region in regions)
        )

    def _chinese_terms(self, question: str) -> list[Term]:
        terms: list[Term] = []
        for piece in re.split(r"\s+", _ASKING.sub(" ", question)):
            terms += [
                self._term(word)
                for word in self._words.split(piece)
                if word not in self._asking.stop and not (word.isdecimal() and len(word) == 4)
            ]
        asked_for = _WHICH.search(question)
        if asked_for:  # 哪个部门 asks for a department; its name need not say so
            terms = [replace(term, role="light") if asked_for[1].startswith(term.text) else term for term in terms]
        return terms

    def _term(self, word: str) -> Term:
        role: Role = "light" if word in self._asking.light or len(word) == 1 else "topic"
        full = self._asking.short_forms.get(word)
        if full is not None:
            return Term(word, (full, *self._glossary.wordings(full)), role)
        return Term(word, self._glossary.wordings(word), role)

    def _english_role(self, word: str) -> Role:
        return "light" if word in self._asking.light else "topic"

    def _english_terms(self, question: str) -> list[Term]:
        """Terms of the longest phrases that a table knows, and of the single words between them."""
        terms: list[Term] = []
        words = self._english_words(question)
        position = 0
        while position < len(words):
            numeral = read_numeral(words, position)
            if numeral is not None:
                shown = " ".join(words[position : position + numeral.words]).lower()
                if not _YEAR.fullmatch(shown):
                    terms.append(_weighted(shown, numeral.wordings))
                position += numeral.words
                continue
            for length in range(min(LONGEST_PHRASE, len(words) - position), 1, -1):
                phrase = self._english_phrase(words[position : position + length])
                if phrase is not None:
                    terms.append(phrase)
                    position += length
                    break
            else:
                if words[position].lower() not in self._asking.english_stop and len(words[position]) > 1:
                    terms.append(self._english_word(words[position]))
                position += 1
        return terms

    def _english_words(self, question: str) -> list[str]:
        """Words without 's; those with hyphens stay whole where the glossary has them."""
        words: list[str] = []
        for found in _ENGLISH_WORD.findall(plain_letters(question)):
            word = found.strip("'’.-,")
            if self._glossary.wordings(word.lower()):
                words.append(word)
            else:
                words += [part for part in _POSSESSIVE.sub("", word).split("-") if part]
        return words

    def _english_phrase(self, words: Sequence[str]) -> Term | None:
        phrase = " ".join(words).lower()
        stop = self._asking.english_stop
        listed = self._glossary.wordings(phrase)
        if listed:
            return Term(phrase, listed, self._english_role(phrase))
        if words[0].lower() in stop or words[-1].lower() in stop or not phrase.replace(" ", "").isalpha():
            return None
        if len(normal_form(phrase).split()) < 2:
            return None
        found = self._load_english().lookup(phrase)
        if not found:
            return None
        parts = (self._english_word(word) for word in words if word.lower() not in stop and len(word) > 1)
        head = self._glossary.wordings(phrase.split()[-1])
        whole = _weighted(phrase, (*found, *((wording, 1.0) for wording in head)), self._english_role(phrase))
        return replace(whole, parts=tuple(parts))

    def _english_word(self, word: str) -> Term:
        text = word.lower()
        listed = self._glossary.wordings(text)
        table = [pair for pair in self._load_english().lookup(text) if pair[0] not in listed]
        # A capitalised word that no table knows is a name; it is looked for by its sound.
        name = not listed and not table and word[0].isupper()
        role: Role = "name" if name else self._english_role(text)
        # The glossary knows what policies say; the dictionary's words are second to it.
        wordings = [(wording, 1.0) for wording in listed]
        wordings += [(wording, worth * (SECOND_WORTH if listed else 1.0)) for wording, worth in table]
        return replace(_weighted(text, wordings, role), sounds=name)


def _weighted(text: str, wordings: Sequence[tuple[str, float]], role: Role = "topic") -> Term:
    return Term(text, tuple(word for word, _ in wordings), role, worths=tuple(worth for _, worth in wordings))


def without_asking(question: str) -> str:
    """A Chinese question without the words that only ask."""
    return _ASKING.sub(" ", question)


def _counted(figure: Figure, shown: str, following: Sequence[str]) -> Term:
    """三个 as a term that 3个 says as well."""
    unit = figure.unit[:1]
    plain = f"{figure.value:f}" if isinstance(figure.value, Decimal) else str(figure.value)
    digits = "一二三四五六七八九十"
    words = [digits[int(plain) - 1]] if plain in "1 2 3 4 5 6 7 8 9 10".split() else []
    words += ["两"] if plain == "2" else []
    wordings = tuple(number + unit for number in (plain, *words) if number + unit != shown + unit)
    counts = tuple(following[:3]) if unit in _MEASURES else ()
    return Term(normalise(shown + unit), wordings, counts=counts)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _is_chinese(text: str) -> bool:
    chinese = sum(map(is_chinese, text))
    latin = len(re.findall(r"[A-Za-z]+", text))
    return chinese > latin or chinese >= 2 * max(1, latin) or (chinese > 0 and latin == 0)


def _is_dangling(question: str, query: Query) -> bool:
    """Whether a question points at something that was never named."""
    named = query.regions or query.titles or query.years or any(term.role == "name" for term in query.terms)
    topics = sum(term.role == "topic" for term in query.terms)
    return bool(_FOLLOW_UP.search(question)) and not named and topics <= 2


def _ends_alike(one: str, other: str) -> bool:
    """Whether two Chinese subjects end with the same character, 的 aside."""
    return not one.isascii() and one.removesuffix("的")[-1:] == other.removesuffix("的")[-1:]


def _is_follow_up(question: str, query: Query) -> bool:
    topics = [term for term in query.terms if term.role in ("topic", "name")]
    short = len(topics) <= 3 or query.language == "zh"
    return (bool(_FOLLOW_UP.search(question)) and short) or (
        len(topics) <= 1 and not query.regions and not query.titles
    )
