from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.figures import Figure, find_figures, in_english, parse_chinese_number


def keys(text: str) -> list[tuple[str, str]]:
    return [(figure.kind, str(figure.value)) for figure in find_figures(text)]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("补助5000万元", "补助５，０００万元"),
        ("补助5000万元", "补助五千万元"),
        ("补助5000万元", "补助50,000,000元"),
        ("补助5000万元", "a grant of 50 million yuan"),
        ("规模1.2万亿元", "规模12000亿元"),
        ("占比27.48%", "占比百分之二十七点四八"),
        ("占比40%", "占比４０％"),
        ("占比40%", "a share of 40 percent"),
        ("3561家企业", "3,561 enterprises"),
        ("十五个园区", "15个园区"),
        ("fifteen parks", "15个园区"),
        ("2024年7月29日", "2024-07-29"),
        ("2024年7月29日", "July 29, 2024"),
        ("二○二三年", "2023年"),
        ("两百三十户", "230户"),
        ("一亿两千万元", "1.2亿元"),
        ("〔2024〕12号", "[2024]12号"),
        ("〔2024〕12号", "（2024）第12号"),
    ],
)
def test_notations_of_one_figure_are_one(left: str, right: str) -> None:
    assert [figure.key for figure in find_figures(left)] == [figure.key for figure in find_figures(right)] != []


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("5000万元", "5亿元"),
        ("5000万元", "5000万户"),
        ("40%", "40个"),
        ("2021年", "2022年"),
        ("50 million yuan", "5 million yuan"),
        ("3月5日", "5月3日"),
        ("〔2024〕12号", "〔2024〕21号"),
    ],
)
def test_different_figures_stay_different(left: str, right: str) -> None:
    assert [figure.key for figure in find_figures(left)] != [figure.key for figure in find_figures(right)]


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("最高5000万元", "max"),
        ("至少要有5件专利", "min"),
        ("给予不超过30万元", "max"),
        ("500个以上", "min"),
        ("不低于20%", "min"),
        ("超过100家", "min"),
        ("约12万人", "about"),
        ("up to 50 million yuan", "max"),
        ("at least 15 parks", "min"),
        ("奖励20万元", ""),
        ("100万元以下", "max"),
    ],
)
def test_bounds_are_read(text: str, bound: str) -> None:
    assert [figure.bound for figure in find_figures(text)] == [bound]


@pytest.mark.parametrize(
    "text", ["第三届大会", "万一有变", "统一管理", "一般情况", "百姓", "千方百计", "no one", "十分重要"]
)
def test_words_with_numerals_are_no_figures(text: str) -> None:
    assert keys(text) == []


def test_positions_point_at_the_figure() -> None:
    text = "每年给予最高５０００万元奖补，占比百分之四十。"
    assert [text[figure.start : figure.end] for figure in find_figures(text)] == ["５０００万元", "百分之四十"]


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("最高5000万元", "up to 50 million yuan (最高5000万元)"),
        ("1.2万亿元", "1.2 trillion yuan (1.2万亿元)"),
        ("27.48%", "27.48%"),
        ("2月20日", "20 February (2月20日)"),
        ("2024年7月29日", "29 July 2024 (2024年7月29日)"),
        ("2021年", "2021 (2021年)"),
        ("30万美元", "300,000 US dollars (30万美元)"),
        ("36个月", "36 months (36个月)"),
        ("最长两年", "up to 2 years (最长两年)"),
        ("十五日内", "15 days (十五日内)"),
        ("满1年", "1 year (满1年)"),
        ("不少于90平方米", "at least 90 square metres (不少于90平方米)"),
        ("15个工作日", "15 working days (15个工作日)"),
        ("500个", "500"),
    ],
)
def test_figures_in_english_carry_both_notations(text: str, english: str) -> None:
    assert in_english(find_figures(text)[0], text) == english


@given(st.integers(min_value=0, max_value=10**12 - 1))
def test_arabic_and_chinese_numerals_agree(number: int) -> None:
    assert parse_chinese_number(to_chinese(number)) == number


@given(st.integers(min_value=1, max_value=10**9))
def test_thousands_separators_and_width_do_not_matter(number: int) -> None:
    plain, separated = f"{number}元", f"{number:,}元"
    wide = plain.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    assert keys(plain) == keys(separated) == keys(wide) == [("money", str(number))]


@given(st.decimals(min_value=Decimal("0.01"), max_value=9999, places=2))
def test_ten_thousands_scale(number: Decimal) -> None:
    assert [figure.value for figure in find_figures(f"{number}万元")] == [number * 10000]


@given(st.text(max_size=200))
def test_any_text_is_read_and_positions_are_inside(text: str) -> None:
    for figure in find_figures(text):
        assert 0 <= figure.start < figure.end <= len(text)
        assert isinstance(figure, Figure)


def to_chinese(number: int) -> str:
    """Standard numerals, written independently of the parser."""
    if number == 0:
        return "零"
    digits, groups = "零一二三四五六七八九", []
    for scale in ("", "万", "亿"):
        number, group = divmod(number, 10000)
        groups.append((group, scale))
    text = ""
    for group, scale in reversed(groups):
        if group == 0:
            if text and not text.endswith("零"):
                text += "零"
            continue
        if text and group < 1000 and not text.endswith("零"):
            text += "零"
        part, gap = "", False
        for value, unit in zip(map(int, f"{group:04d}"), ("千", "百", "十", ""), strict=True):
            if value:
                part += ("零" if gap and part else "") + digits[value] + unit
                gap = False
            else:
                gap = True
        text += part + scale
    return text.rstrip("零") or "零"
