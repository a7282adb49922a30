"""Whether a question of permission is answered by yes or no, and that nothing is said where the words leave a doubt."""

from __future__ import annotations

import pytest

from assistant.reading.permission import permission


@pytest.mark.parametrize(
    ("question", "answer", "told"),
    [
        ("公租房能转租给朋友吗？", "不得转租、转借", "forbidden"),
        ("在地铁上可不可以吃东西", "禁止在车厢内饮食", "forbidden"),
        ("学费能补一点吗", "可以申请培训补贴", "allowed"),
        ("户口没迁过来，能报名吗？", "可以凭居住证报名", ""),
        ("闲置厂房能改成展厅吗", "经批准后可以改造为展厅", "conditional"),
        ("能拿他怎么办？", "可以责令赔偿", ""),
        ("我能不交这笔钱吗", "可以免缴", ""),
        ("能不能拒绝安检？", "不得拒绝安全检查", ""),
        ("租金多少钱一个月？", "不得高于市场价的70%", ""),
        ("开会还要公证员在场才能算数吗", "可以直接表决", ""),
        ("能带宠物吗", "可以携带导盲犬，不得携带其他动物", ""),
        ("Can I rent the flat to a friend?", "不得转租", "forbidden"),
        ("May a company apply twice?", "可以重复申报", "allowed"),
        ("When can I apply?", "可以在每年3月申报", ""),
        ("Can the office refuse my form?", "不得拒收", ""),
    ],
)
def test_the_side_is_told_only_where_the_words_tell_it(question: str, answer: str, told: str) -> None:
    assert permission(question, answer, answer) == told
