"""Replies in the formats that models write: every honest sentence is read with its handles, and nothing else is."""

from __future__ import annotations

import pytest

from assistant.writing.reply import Parser, Said

ONE, TWO, THREE = "园区每年最高可得3000万元奖励", "奖励由市财政局拨付给园区", "申请在每年五月底以前提交"


def read(reply: str, size: int = 7) -> list[Said]:
    parser, found = Parser("ab"), []
    for start in range(0, len(reply), size):
        found += parser.feed(reply[start : start + size])
    return found + parser.end()


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_sentences_are_read_as_they_come(size: int) -> None:
    reply = "- 第一句，有 3 条。[ab1][ab2]\n没有编号的一句\n2. 第二句的话 [ab3]。 第三句的话[ab4]"
    assert read(reply, size) == [
        Said("第一句，有 3 条", ("ab1", "ab2")),
        Said("没有编号的一句", ()),
        Said("第二句的话", ("ab3",)),
        Said("第三句的话", ("ab4",)),
    ]


@pytest.mark.parametrize(
    "reply",
    [
        "{one}。[ab1]", "{one}[ab1]。", "{one}[ab1]", "{one}。[ab1]。", "{one}【ab1】。", "{one}［ab1］", "{one}〔ab1〕。", "{one}。(ab1)", "{one}（ab1）。",
        "{one}[^ab1]。", "{one}[[ab1]]", "[ab1] {one}。", "[ab1]：{one}。", "根据[ab1]，{one}。", "依据【ab1】，{one}。", "园区[ab1]每年最高可得3000万元奖励。",
        "**{one}**[ab1]", "- {one}[ab1]", "* **{one}** [ab1]", "1. {one}[ab1]", "1、{one}[ab1]", "（1）{one}[ab1]", "（一）{one}[ab1]", "①{one}[ab1]", "> {one}[ab1]",
        "园区每年最高可得**3000**万元奖励[ab1]", "**标准**：{one}。[ab1]", "**奖励标准：**{one}。[ab1]", "结论：{one}[ab1]", "- **金额**: {one}[ab1]",
        "您好！{one}。[ab1]", "你好，{one}[ab1]", "此外，{one}[ab1]", "但是，{one}[ab1]", "综上，{one}[ab1]", "综上所述，{one}。[ab1]", "因此，{one}[ab1]", "首先，{one}[ab1]",
        "## 奖励标准\n{one}[ab1]", "### **答案**\n\n{one}[ab1]", "以下是根据依据整理的答案：\n{one}[ab1]", "您好！\n{one}[ab1]",
        "```\n{one}[ab1]\n```", "```markdown\n{one}[ab1]\n```", "---\n{one}[ab1]\n---",
        "<think>园区[ab2]最高\n多少？</think>{one}[ab1]", "<think>\n想想\n</think>\n\n{one}[ab1]", "<thinking>嗯</thinking>{one}[ab1]",
        "{one}[ab1]\n\n来源：\n[ab1] 《办法》第五条\n[ab2] 《细则》", "{one}[ab1]\n参考文献\n1. 《办法》[ab1]", "{one}[ab1]\n\n注：以上内容仅供参考。",
        "{one}[ab1]\n希望以上内容对您有帮助！", "{one}[ab1]\n如有疑问，请咨询当地主管部门。", "{one}[ab1]\n**Sources:** [ab1]",
        '{{"answer": "{one}。", "citations": ["ab1"]}}', '{{"answer": "{one}[ab1]"}}', '[{{"text": "{one}", "source": "ab1"}}]',
        '```json\n{{"claims": [{{"sentence": "{one}", "handles": ["[ab1]"]}}]}}\n```',
    ],
)  # fmt: skip
def test_one_honest_sentence_is_read_whole(reply: str) -> None:
    assert read(reply.format(one=ONE)) == [Said(ONE, ("ab1",))]


@pytest.mark.parametrize(
    ("reply", "handles"),
    [
        ("{one}。[ab1][ab2]", ("ab1", "ab2")),
        ("{one}[ab1, ab2]。", ("ab1", "ab2")),
        ("{one}[ab1，ab2]", ("ab1", "ab2")),
        ("{one}【ab1、ab2】", ("ab1", "ab2")),
        ("{one}[ab1]和[ab2]。", ("ab1", "ab2")),
        ("{one}[ab1]、[ab2]", ("ab1", "ab2")),
        ("{one}[ab1 and ab2]", ("ab1", "ab2")),
        ("{one}[ab1-ab3]。", ("ab1", "ab3", "ab2")),
        ("{one}[ab1][9]", ("ab1", "9")),
        ("{one}[9]", ("9",)),
        ("{one}。", ()),
    ],
)
def test_all_handles_of_a_sentence_are_read(reply: str, handles: tuple[str, ...]) -> None:
    assert read(reply.format(one=ONE)) == [Said(ONE, handles)]


@pytest.mark.parametrize(
    "reply",
    [
        "{one}。[ab1]{two}。[ab2]{three}。[ab3]",
        "{one}[ab1]；{two}[ab2]；{three}[ab3]。",
        "1. {one}[ab1]\n2. {two}[ab2]\n3. {three}[ab3]",
        "首先，{one}。[ab1]其次，{two}。[ab2]最后，{three}。[ab3]",
        "根据[ab1]，{one}。根据[ab2]，{two}。根据[ab3]，{three}。",
        '{{"points": [{{"t": "{one}", "c": "ab1"}}, {{"t": "{two}", "c": "ab2"}}, {{"t": "{three}", "c": ["ab3"]}}]}}',
    ],
)
def test_several_sentences_keep_their_own_handles(reply: str) -> None:
    said = read(reply.format(one=ONE, two=TWO, three=THREE))
    assert said == [Said(ONE, ("ab1",)), Said(TWO, ("ab2",)), Said(THREE, ("ab3",))]


def test_several_sentences_may_share_what_stands_behind_the_last() -> None:
    assert read(f"{ONE}。{TWO}。[ab1][ab2]") == [Said(ONE, ("ab1", "ab2")), Said(TWO, ("ab1", "ab2"))]


def test_a_table_is_read_row_by_row_without_its_header() -> None:
    reply = "| 对象 | 金额 | 编号 |\n| --- | --- | --- |\n| 园区 | 3000万元 | [ab1] |\n| 机构 | 200万元 | [ab2] |\n"
    assert read(reply) == [Said("园区：3000万元", ("ab1",)), Said("机构：200万元", ("ab2",))]


def test_a_verdict_stays_with_what_is_to_bear_it_out() -> None:
    assert read(f"结论：可以。{ONE}[ab1]") == [Said(f"可以，{ONE}", ("ab1",))]


@pytest.mark.parametrize("words", ["“每年最高3000万元。超过的部分不予支持。”", "「先评估。后拨付。」"])
def test_a_stop_in_a_quotation_ends_no_sentence(words: str) -> None:
    assert read(f"文件规定{words}[ab1]") == [Said(f"文件规定{words}", ("ab1",))]


@pytest.mark.parametrize(
    "reply",
    ["<think>没有想完", "```\n```", "## 标题\n\n---\n", "您好！", "以下是答案：", "来源：\n[ab1] 《办法》", "{}", ""],
)
def test_what_claims_nothing_is_no_sentence(reply: str) -> None:
    assert read(reply) == []


def test_words_and_years_in_round_brackets_are_no_handles() -> None:
    assert read("标准（2026年）见附件（表2）[ab1]") == [Said("标准（2026年）见附件（表2）", ("ab1",))]
