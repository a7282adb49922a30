"""What kind of answer a question wants, told by how it asks."""

from __future__ import annotations

import re
from typing import Literal

from vectorstore.segmentation import normalise

Kind = Literal["money", "count", "percent", "date", "duration", "list", "entity", "yesno", "open"]

# The order decides: a share is asked for before an amount, an amount before a bare number.
_CHINESE: tuple[tuple[Kind, str], ...] = (
    (
        "percent",
        r"百分之几|百分之多少|多少个?百分"
        r"|(?:比重|占比|比例|权重|份额|[㐀-鿿]率|增速|增幅|增长)[^,，。]{0,10}(?:多少|几|怎么|如何|是什么)"
        r"|(?:多少|几成)[^,，。]{0,4}(?:比重|占比|比例|权重)",
    ),
    (
        "date",
        r"哪天|哪一天|哪年|哪一年|几月|几号|何时|什么时候|啥时候|什么日期|哪个月|(?:到|至)什么时候"
        r"|多会儿|(?:截止|开始|起始|施行|生效|发布|印发)(?:时间|日期)|(?:时间|日期)是",
    ),
    (
        "duration",
        r"多少年来|多长时间|多久|几年|几个月|多少年|多少天|几天|多少个?月|有效期(?:是|有)?(?:多|几)"
        r"|多少个?工作日|期限是|年限",
    ),
    (
        "money",
        r"每亩多少|多大(?:的)?(?:规模|投资|体量)|(?:规模|投资|产值)[^,，。]{0,6}多大|罚多少|补多少"
        r"|多少(?:万|亿)?(?:钱|元|资金|奖金|补贴|奖补|补助|奖励|资助|费用|安家费|租金|美元|人民币|万|亿)"
        r"|(?:金额|额度|标准|上限|资金|奖补|补贴|补助|奖励|资助|投资|产值|收入|规模|总额|租金|费用|基金|GDP|gdp|税收|安家费|产业规模|奖金)[^,，。]{0,12}(?:多少|几)(?![个家条项名人套所])"
        r"|(?:给|补|奖|拿到?|领|得到?|获得?)多少(?![个家条项名人套所])"
        r"|多少(?![个家条项名人套所])[^,，。]{0,8}(?:补贴|奖补|补助|奖励|安家费|资金)",
    ),
    (
        "list",
        r"哪些|哪几|哪[二两三四五六七八九十]"
        r"|(?:有|要|需要|满足|符合|具备|提交|享受)?什么(?:样的)?(?:条件|要求|材料|服务|优势|措施|方式|类型|内容|政策|指标|任务|行动)"
        r"|分别是(?!多少)|怎么分|如何分|分为|包括什么|包含什么|都有(?:什么|谁)|有几种|几类",
    ),
    ("count", r"多少|几[个家条项名人所套栋座种类次批届亩年%]|几成"),
    ("entity", r"哪[份部条项本款种]|哪个|哪家|哪里|哪座|哪所|哪一|谁|何处|什么地方|叫什么|什么名字|名称"),
    ("open", r"为什么|为何|怎么|怎样|如何|什么|啥"),
    ("yesno", r"吗|是否|能不能|可不可以|可以不|是不是|有没有|对不对|对吧|是吧|行不行|能否|可否"),
)
_ENGLISH: tuple[tuple[Kind, str], ...] = (
    (
        "percent",
        r"what (?:percentage|percent|share|proportion)"
        r"|how (?:high|large) (?:a|the) (?:share|percentage|rate)"
        r"|\bweight(?:s|ing)?\b.*\b(?:of|is|are)\b"
        r"|what (?:is|are|was|were) the (?:\w+ )?(?:share|rate|proportion|percentage|weight)",
    ),
    (
        "date",
        r"\bwhen\b|what (?:date|day|year|month)|which (?:date|day|year|month)|by what (?:date|time)"
        r"|deadline",
    ),
    ("duration", r"how long|how many (?:days|months|years|weeks|working)"),
    ("count", r"how many|number of"),
    (
        "money",
        r"how much"
        r"|how (?:large|big) (?:is|are|was) the (?:\w+ ){0,4}(?:fund|budget|subsid|grant|investment)"
        r"|what (?:is|was) the (?:maximum|minimum|highest|lowest|total|combined|overall)"
        r"|what (?:is|was) the (?:\w+ ){0,2}(?:revenue|output|investment|budget|amount)"
        r"|what (?:\w+ ){0,2}(?:subsid|grant|reward|amount|bonus|allowance|award|incentive|budget|investment)"
        r"|maximum (?:subsid|grant|reward|amount)",
    ),
    (
        "list",
        r"which (?:\w+ )*?\w+s\b(?! (?:is|was|has|does))|what (?:are|were)\b"
        r"|what (?:\w+ )?(?:materials|documents|conditions|requirements|indicators|services|criteria|industries|advantages|parks|policies|measures)"
        r"|\blist\b|name the",
    ),
    ("entity", r"\bwho\b|\bwhere\b|which|what is the name|called|whose"),
    ("yesno", r"^(?:is|are|was|were|does|do|did|can|could|may|must|will|should|has|have)\b"),
    ("open", r"what|how|why"),
)


def kind_of_answer(question: str, language: Literal["zh", "en"]) -> Kind:
    """The first kind whose way of asking the question uses; "open" if it uses none."""
    folded = normalise(question)
    for kind, pattern in _CHINESE if language == "zh" else _ENGLISH:
        if re.search(pattern, folded):
            return kind
    return "open"
