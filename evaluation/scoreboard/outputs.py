"""Line 12: what a model wrote, true and altered, through everything that decides what is shown."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from assistant import Assistant
from assistant.lexicon import Regions
from assistant.model import Exchange, ModelClient, ModelSettings
from assistant.reading.agreement import Agreement
from assistant.reading.candidates import Candidates
from assistant.reading.passage_reader import OnnxPassageReader
from assistant.reading.reader import Reader
from assistant.stages import Request, Stages
from assistant.support import Support
from assistant.writer import MOST_SENTENCES, Writer
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.misbehaving import WRONGS, Knowing, Prompt
from ingest.pipeline import ingest_into
from vectorstore.store import PolicyStore

SEED: Final = 12
TRIALS: Final = 1000
POLICIES: Final = 60
FEW_TRIALS: Final = 120  # in the quick form
FEW_POLICIES: Final = 12
DRAWS: Final = 30  # clauses tried for a way that not every one can be altered in: few hold a share, or a date
MOST_REFUSED: Final = 0.01
"""The share of true sentences that may be refused."""

MISCITED: Final = ("wrong_handle", "no_handle", "invented_handle", "invented_handle_beside", "anothers_quote")
"""Ways that leave the words true: what they cite does not say them."""

_PLACES: Final = ("海州市", "云川市", "临潮市", "北屏县", "南浦区")
_WHO: Final = (
    "生物医药企业", "船舶制造企业", "软件服务企业", "新材料企业", "智能家电企业", "仪器仪表企业", "食品加工企业",
    "纺织服装企业", "冷链物流企业", "会展服务企业", "工业设计机构", "检验检测机构",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence of a policy, and others that say nothing that it does not say."""

    number: int
    source: str
    others: tuple[str, ...]

    @property
    def true(self) -> tuple[str, ...]:
        """All true ways to say it."""
        return (self.source, f"文件规定“{self.source}”", *self.others)


@dataclass(frozen=True, slots=True)
class Policy:
    """An invented policy for one kind of body in one place, whose figures are no other policy's."""

    title: str
    who: str
    clauses: tuple[Clause, ...]

    @property
    def text(self) -> str:
        """The policy's file."""
        said = "\n\n".join(f"第{clause.number}条 {clause.source}。" for clause in self.clauses)
        return f"{self.title}\n\n{said}\n"


def policies(count: int) -> list[Policy]:
    """So many policies; the same ones each time."""
    return [_policy(number, _PLACES[number % len(_PLACES)] + _WHO[number % len(_WHO)]) for number in range(count)]


def _policy(number: int, who: str) -> Policy:
    """Seven clauses with figures counted on from the policy's number, so that no two of a kind are the same."""
    most, share, limit, pieces = 1100 + number, f"{11 + number}.5", 310 + number, 121 + number
    good, fair = 5200 + number, 2200 + number
    year, month, day = 2031 + number % 50, number % 12 + 1, number % 28 + 1
    sayings = (
        (
            f"对{who}每年给予最高{most}万元奖励",
            f"{who}每年最高可以获得{most}万元奖励",
            f"{who}每年可获得的奖励不超过{most}万元",
        ),
        (
            f"{who}按照设备投入的{share}%享受补助，单个项目不超过{limit}万元",
            f"{who}享受的补助为设备投入的{share}%",
            f"{who}享受设备投入{share}%的补助，单个项目最高{limit}万元",
        ),
        (
            f"{who}应当在{year}年{month}月{day}日前提交申请材料",
            f"{who}提交申请材料的时间为{year}年{month}月{day}日前",
            f"申请材料应当由{who}在{year}年{month}月{day}日前提交",
        ),
        (
            f"{who}申请认定应当拥有不少于{pieces}件有效专利",
            f"{who}申请认定至少要有{pieces}件有效专利",
            f"申请认定的{who}拥有的有效专利应当不少于{pieces}件",
        ),
        (
            f"{who}考核优秀的给予{good}万元，考核合格的给予{fair}万元",
            f"{who}考核优秀的，给予{good}万元",
            f"{who}考核优秀的给予{good}万元，合格的给予{fair}万元",
        ),
        (
            f"{who}不得将补助资金用于偿还债务",
            f"补助资金不得由{who}用于偿还债务",
            f"{who}不能把补助资金用于偿还债务",
        ),
        (
            f"{who}通过政务服务网提交申请，由园区管委会初审",
            f"{who}的申请由园区管委会初审",
            f"{who}可以通过政务服务网提交申请",
        ),
    )
    clauses = tuple(Clause(place, said[0], said[1:]) for place, said in enumerate(sayings, 1))
    return Policy(f"{who}扶持办法", who, clauses)


_ASKED: Final = (
    "{who}每年最高奖励多少？", "{who}的补助比例是多少？", "{who}什么时候提交申请材料？", "{who}认定要多少件专利？",
    "{who}考核优秀给多少钱？", "{who}的补助资金可以还债吗？", "{who}怎样提交申请？",
)  # fmt: skip


class Scripted(ModelClient):
    """A model that says what it was told to of the evidence that it is sent, in pieces, without a network."""

    def __init__(self) -> None:
        super().__init__(ModelSettings("scripted:model"))
        self.says: Sayings | None = None

    def stream(self, messages: Sequence[tuple[str, str]], exchange: Exchange, *, share: float = 1.0) -> Generator[str]:  # noqa: ARG002 - what a model takes
        """The reply to the prompt."""
        prompt = Prompt([{"role": role, "content": content} for role, content in messages])
        yield from re.findall(r".{1,40}", self.says.reply(prompt) if self.says else "", re.DOTALL)


@dataclass(slots=True)
class Sayings:
    """What is to be said: sentences made in turn by all ways, of clauses drawn from the evidence."""

    clauses: Mapping[str, Clause]
    ways: Sequence[str]
    chance: random.Random
    said: list[tuple[str, str]] = field(default_factory=list)  # a way, and the sentence without its handles
    made: int = 0

    def reply(self, prompt: Prompt) -> str:
        """As many sentences as are read of a reply."""
        known = [(handle, self.clauses[said]) for handle, said in _plain(prompt).items() if said in self.clauses]
        lines = []
        for _ in range(MOST_SENTENCES if len(known) > 1 else 0):
            way = self.ways[self.made % len(self.ways)]
            self.made += 1
            line = next(filter(None, (self._drawn(way, known) for _ in range(DRAWS))), None)
            if line is not None:
                self.said.append((way, line.partition("[")[0].rstrip("。. ")))
                lines.append(line)
        return "\n".join(lines) + "\n"

    def _drawn(self, way: str, known: Sequence[tuple[str, Clause]]) -> str | None:
        (handle, clause), (wrong, other) = self.chance.sample(known, 2)
        return self._line(way, Knowing(self.chance.choice(clause.true), handle, wrong, other.source))

    def _line(self, way: str, known: Knowing) -> str | None:
        if way == "true":
            return f"{known.words}。[{known.right}]"
        line = WRONGS[way](known)
        # What is left true, or is said of a clause that says it, is no mistake.
        true = {said for clause in self.clauses.values() for said in clause.true}
        return line if line and (way in MISCITED or line.partition("[")[0].rstrip("。. ") not in true) else None


def _plain(prompt: Prompt) -> dict[str, str]:
    """The evidence by handle, without the number of its article and its full stop."""
    return {handle: re.sub(r"^第\d+条 ", "", said).rstrip("。") for handle, said in prompt.evidence.items()}


def run(work: Path, *, quick: bool) -> Line:
    """A thousand true sentences and a thousand altered ones; in the quick form some of each."""
    started, chance = time.perf_counter(), random.Random(SEED)  # noqa: S311 - to be the same each time
    wanted, shelf = (FEW_TRIALS, policies(FEW_POLICIES)) if quick else (TRIALS, policies(POLICIES))
    folder = work / "policies"
    folder.mkdir()
    for number, policy in enumerate(shelf):
        (folder / f"{number:03}.txt").write_text(policy.text, encoding="utf-8")
    store = PolicyStore(work / "kb")
    ingest_into(store, [folder])
    with Assistant(store) as assistant:
        true = list(trials(assistant, shelf, ["true"], chance, wanted))
        altered = list(trials(assistant, shelf, list(WRONGS), chance, wanted))
    refused = [said for _, said, shown in true if not shown]
    passed_off = [(way, said) for way, said, shown in altered if shown]
    ways = Counter(way for way, *_ in altered)
    missing = set(WRONGS) - set(ways)
    examples = [f"shown: {said} ({way})" for way, said in passed_off[:3]] + [f"refused: {said}" for said in refused[:3]]
    return Line(
        12,
        "altered model outputs (quote, number, id, page)",
        f"{len(true):,} true sentences (verbatim, quoted and paraphrased) and {len(altered):,} altered in {len(ways)} ways "
        f"over {len(shelf)} invented policies, up to {MOST_SENTENCES} a reply, through all stages of an answer",
        f"{len(passed_off)} of {len(altered):,} altered ones shown as checked, {len(refused)} of {len(true):,} true ones refused"
        + "".join(f"; {each}" for each in examples)
        + "".join(f"; no sentence was made by {way}" for way in sorted(missing)),
        not passed_off
        and not missing
        and len(refused) <= MOST_REFUSED * len(true)
        and min(len(true), len(altered)) >= wanted,
        time.perf_counter() - started,
    )


def trials(
    assistant: Assistant, shelf: Sequence[Policy], ways: Sequence[str], chance: random.Random, wanted: int
) -> Iterator[tuple[str, str, bool]]:
    """So many sentences, each with the way it was made and whether it is in the answer as checked."""
    model, made = Scripted(), 0
    stages = _stages(assistant, model)
    clauses = {clause.source: clause for policy in shelf for clause in policy.clauses}
    sayings = Sayings(clauses, ways, chance)
    model.says = sayings
    questions = [asked.format(who=policy.who) for policy in shelf for asked in _ASKED]
    while made < wanted:
        before, question = made, chance.choice(questions)
        sayings.said.clear()
        *_, answer = stages.run(Request(question=question, history=[], as_of=date.today(), filters={}))
        written = answer.generator != "extractive"
        shown = {claim.text for claim in answer.claims if written and claim.checks.quote and claim.checks.numbers}
        for way, said in sayings.said[: wanted - made]:
            made += 1
            yield way, said, said in shown
        if made == before and sayings.made > 100 * wanted:
            return


def _stages(assistant: Assistant, model: ModelClient) -> Stages:
    """The stages of an assistant with this model in the place of one that is asked over a network."""
    store, understanding = assistant.store, assistant.understanding
    writer = Writer(model, Support(understanding), store.text)
    reader = Reader(Candidates(Agreement(Regions.load(), store.text), store.text))
    return Stages(store, understanding, OnnxPassageReader(), reader, assistant.standing, writer=writer)
