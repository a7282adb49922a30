"""Made policies, any number of them, that use words about as often as laws do, and questions about them.

A clause is put together from the lists below. Their few hundred words are the frequent ones; the rare ones, names of
things that there are not, are made of the characters of GB 2312's first level, which are in the order of their sounds.
Words and what is called by them follow a law of Zipf and Mandelbrot, so that the terms do, too: `shape` says how far.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final

from ingest.readers.docx_numbering import chinese_numeral
from vectorstore.passage import Document, Heading, Metadata, Passage

FEWEST: Final = 50
MOST: Final = 150
"""Passages of a document, evenly spread: laws have 42 on average, the policies of a province 13."""

REPEALING: Final = 50
"""One document in so many says that an earlier one is repealed."""

_CHAPTER: Final = 12  # clauses under one heading
_MATTERS: Final = 150_000  # things that clauses are about, each called by two to four words
_WORDS: Final = 8_000
# The exponent, and how many of the most frequent are about as frequent as each other.
_MATTER_LAW: Final = (0.8, 30.0)
_WORD_LAW: Final = (1.05, 200.0)
_CHARACTER_LAW: Final = (0.9, 150.0)

_REGIONS: Final = tuple(
    "海州 临江 青原 云溪 东岭 北泽 南屏 西渡 安河 和川 永丰 平湖 新港 长陵 广源 宁谷 明山 秀水 同泰 福岗".split()
)
_BODIES: Final = tuple(
    "人民政府 发展改革部门 工业和信息化部门 科技主管部门 财政部门 商务部门 人力资源社会保障部门 自然资源部门 生态环境部门 "
    "住房城乡建设部门 交通运输部门 农业农村部门 市场监管部门 应急管理部门 统计部门 税务机关 园区管理机构 街道办事处 行业协会 "
    "国有资产监管机构".split()
)
_FREQUENT: Final = tuple(
    "企业 项目 资金 服务 管理 建设 发展 技术 产业 创新 设备 平台 人才 研发 投资 生产 市场 信息 数据 安全 环境 资源 能源 土地 "
    "住房 教育 医疗 养老 文化 旅游 交通 物流 贸易 金融 保险 税收 信用 标准 质量 品牌 专利 成果 转化 示范 试点 园区 基地 中心 "
    "机构 组织 单位 个人 职工 居民 农民 学生 青年 妇女 老人 儿童 残疾人 退役军人 毕业生 专家 团队 团体 协会 合作社 家庭农场 "
    "中小企业 龙头企业 高新技术 智能制造 绿色低碳 数字经济 先进装备 新材料 生物医药 新能源 集成电路 现代农业 乡村 城市 社区 "
    "街区 河道 湖泊 森林 湿地 耕地 水库 道路 桥梁 港口 机场 铁路 公交 停车 充电 供水 供电 供气 供热 排水 污水 垃圾 噪声 扬尘 "
    "许可 备案 登记 审批 验收 评估 监督 检查 公示 公告 申报 审核 认定 考核 奖励 补助 补贴 贴息 减免 扶持 培训 就业 创业 招聘 "
    "工资 合同 社保 公积金 租金 费用 价格 收费 采购 招标 工程 施工 设计 监理 造价 维修 改造 更新 搬迁 安置 补偿 保护 修复 治理 "
    "防治 监测 预警 应急 救援 救助 福利 慈善 志愿 宣传 普法 调解 仲裁 诉讼 处罚 责任 义务 权利 期限 程序 条件 材料 证明 档案 "
    "印章 证书 目录 清单 计划 规划 方案 办法 细则 指标 目标 任务 措施 机制 体系 制度 网络 系统 软件 硬件 产品 原料 零部件 包装 "
    "仓储 配送 出口 进口 通关 检验 检疫 计量 认证 食品 药品 疫苗 器械 消防 锅炉 电梯 矿山 化工 纺织 家具 陶瓷 茶叶 水果 蔬菜 粮食 "
    "畜牧 渔业 种子 肥料 农机 灌溉 气象 地震 测绘 遥感 档案馆 图书馆 博物馆 体育馆 学校 医院 幼儿园 托育 食堂 宿舍 公寓 老旧小区".split()
)
_SUPPORTS: Final = tuple("补助 奖励 补贴 贴息 扶持资金 专项资金 一次性奖补 租金减免".split())
_GROUNDS: Final = tuple("实际投入 设备购置额 年度研发费用 贷款利息 合同金额 新增产值 场地租金 培训支出".split())
_TITLES: Final = tuple("管理办法 实施细则 若干措施 暂行规定 条例 行动方案 工作意见 奖补办法".split())
_CHAPTERS: Final = tuple("总则 支持对象 支持标准 申报程序 资金管理 监督检查 法律责任 保障措施 附则".split())

# What a clause says: {m} is what it is about, {n} another, {b} a body, {y} a year, {d} days, {p} percent.
_SENTENCES: Final = tuple(
    """{b}应当对{m}进行{n}，并自收到申请之日起{d}个工作日内作出决定。
从事{m}的单位和个人，应当遵守{n}的规定，不得损害公共利益。
未按照规定开展{m}的，由{b}责令限期改正；逾期不改正的，处以罚款。
{m}应当符合下列条件：（一）依法办理{n}；（二）近{d}个月内没有违法记录。
鼓励{m}与{n}相结合，到{y}年覆盖率达到{p}%以上。
{b}会同有关部门建立{m}的协调机制，定期公布{n}。
申请{m}的，应当提交{n}及其复印件。
县级以上{b}负责本行政区域内{m}的指导和监督。
{m}所需经费列入年度预算，用于{n}的比例不低于{p}%。
任何单位和个人有权向{b}举报{m}中的违法行为。
本办法所称{m}，是指为{n}提供服务的活动。
{b}可以委托第三方对{m}开展绩效评价，结果作为安排{n}的依据。
{y}年底前完成{m}，{y}年起全面推行{n}。
{m}发生变更的，应当在{d}日内向{b}办理变更手续。
对{m}给予优先安排，同等条件下向{n}倾斜。
在{m}、{n}等方面给予支持，具体由{b}另行制定。""".split("\n")
)
_GRANT: Final = "对{m}，按照{g}的{p}%给予{s}，单个项目最高不超过{a}万元。"

# How people ask for what a clause grants.
_QUESTIONS: Final = (
    "{m}最高能拿到多少{s}？", "{r}对{m}的{s}标准是多少？", "做{m}可以申请多少钱的{s}？", "{m}按{g}的多少给予{s}？",
    "What is the maximum subsidy for {m}？",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A document with its passages, and questions that it answers."""

    document: Document
    passages: tuple[Passage, ...]
    questions: tuple[str, ...]


class Corpus:
    """Documents by their numbers, the same on every machine."""

    def __init__(self) -> None:
        chance = Random(1)  # noqa: S311 - the same each time
        characters = [
            bytes((row, cell)).decode("gb2312")
            for row in range(0xB0, 0xD8)
            for cell in range(0xA1, 0xFF)
            if (row, cell) < (0xD7, 0xFA)
        ]
        chance.shuffle(characters)
        drawn = _Zipf(len(characters), *_CHARACTER_LAW)
        words = list(_FREQUENT)
        while len(words) < _WORDS:
            words.append("".join(characters[drawn(chance)] for _ in range(chance.choice((2, 2, 2, 3)))))
        called = _Zipf(len(words), *_WORD_LAW)
        self._matters = tuple(
            "".join(words[called(chance)] for _ in range(chance.choice((2, 2, 3, 3, 4)))) for _ in range(_MATTERS)
        )
        self._of = _Zipf(_MATTERS, *_MATTER_LAW)

    def made(self, number: int, most: int | None = None) -> Made:
        """The document of a number, cut off after so many passages."""
        chance = Random(f"policy {number}")  # noqa: S311 - the same each time
        count = min(chance.randint(FEWEST, MOST), most or MOST)
        region, about = chance.choice(_REGIONS), self._matters[self._of(chance)]
        title = f"{region}市{about}{chance.choice(_TITLES)}（第{number}号）"
        lines, headings, passages, questions = [title], [Heading(0, len(title), 1)], [], []
        place = len(title) + 1
        section: tuple[str, ...] = ()
        for position in range(count):
            if position % _CHAPTER == 0:
                name = f"第{position // _CHAPTER + 1}章 {_CHAPTERS[min(position // _CHAPTER, len(_CHAPTERS) - 1)]}"
                headings.append(Heading(place, place + len(name), 2))
                section = (title, name)
                lines.append(name)
                place += len(name) + 1
            clause, asked = self._clause(chance, position + 1, region)
            passages.append(Passage(position, place, place + len(clause), section))
            questions += asked
            lines.append(clause)
            place += len(clause) + 1
        year = chance.randint(2005, 2026)
        day = f"{year}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        repealed = (f"（第{number - REPEALING // 2}号）",) if number > REPEALING and number % REPEALING == 0 else ()
        described = Metadata(
            title=title, issuer=f"{region}市人民政府", doc_no=f"{region[0]}政发〔{year}〕{number}号", published=day,
            valid_from=day, valid_until=f"{year + 5}-12-31" if chance.random() < 0.3 else None, region=f"{region}市",
            level="市", kind="政策", repeals=repealed,
        )  # fmt: skip
        document = Document(
            f"policy-{number}.txt", "text/plain", "\n".join(lines), (), tuple(headings), metadata=described
        )
        return Made(document, tuple(passages), tuple(questions))

    def _clause(self, chance: Random, number: int, region: str) -> tuple[str, list[str]]:
        """A clause, and the question that it answers if it grants something."""
        sentences = [
            self._sentence(chance, chance.choice(_SENTENCES)) for _ in range(chance.choice((1, 1, 1, 2, 2, 4)))
        ]
        asked = []
        if chance.random() < 0.2:
            said = {"m": self._matters[self._of(chance)], "s": chance.choice(_SUPPORTS), "g": chance.choice(_GROUNDS)}
            sentences.append(_GRANT.format(**said, p=5 * chance.randint(1, 10), a=10 * chance.randint(1, 500)))
            asked.append(chance.choice(_QUESTIONS).format(**said, r=f"{region}市"))
        return f"第{chinese_numeral(number)}条 {''.join(sentences)}", asked

    def _sentence(self, chance: Random, template: str) -> str:
        return template.format(
            m=self._matters[self._of(chance)], b=chance.choice(_BODIES),
            n="、".join(self._matters[self._of(chance)] for _ in range(chance.choice((1, 2, 3, 5, 7)))),
            y=chance.randint(2005, 2030), d=chance.randint(3, 60), p=chance.randint(5, 95),
        )  # fmt: skip


class _Zipf:
    """Numbers below a count, the first the most frequent: the chance of r is as 1 / (r + flat) ** exponent."""

    def __init__(self, count: int, exponent: float, flat: float) -> None:
        self._sums = list(accumulate((rank + flat) ** -exponent for rank in range(count)))

    def __call__(self, chance: Random) -> int:
        return bisect(self._sums, chance.random() * self._sums[-1])


@dataclass(frozen=True, slots=True)
class Shape:
    """How often a corpus uses its terms.

    `vocabulary` is the number of its terms, `once` the share of them that one passage has, `distinct` terms and
    `characters` are of a passage on average, `widest` is the share of passages that have the most frequent term, and
    `top` the share of all pairs of a passage and a term of it that the 10, 100, 1,000 and 10,000 most frequent make up.
    """

    passages: int
    characters: float
    distinct: float
    vocabulary: int
    once: float
    widest: float
    top: tuple[float, float, float, float]


def shape(passages: Iterable[tuple[int, Iterable[str]]]) -> Shape:
    """The shape of a corpus by its passages' lengths in characters and terms."""
    having: Counter[str] = Counter()
    count = characters = 0
    for length, terms in passages:
        count, characters = count + 1, characters + length
        having.update(set(terms))
    ordered = sorted(having.values(), reverse=True)
    pairs = sum(ordered)

    def share(first: int) -> float:
        return round(sum(ordered[:first]) / pairs, 3)

    return Shape(
        passages=count,
        characters=round(characters / count, 1),
        distinct=round(pairs / count, 1),
        vocabulary=len(having),
        once=round(ordered.count(1) / len(ordered), 3),
        widest=round(ordered[0] / count, 3),
        top=(share(10), share(100), share(1_000), share(10_000)),
    )
