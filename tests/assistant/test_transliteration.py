"""Foreign names by their sound."""

from __future__ import annotations

import pytest

from assistant.transliteration import said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ferguson", "市长弗格森昨天到访。"),
        ("Richardson", "代表是理查森"),
        ("Melbourne", "与墨尔本结为友好城市"),
        ("Sandoval", "由桑多瓦尔公司承建"),
        ("Andersón", "工程师安德森"),
    ],
)
def test_a_name_is_said_by_the_characters_that_sound_like_it(name: str, text: str) -> None:
    assert said(name, text) > 0.5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ferguson", "园区管理机构按考核结果获得奖补，最高五百万元。"),
        ("Ferguson", "市长罗伯特·威尔逊昨天到访。"),
        ("Ferguson", "弗格"),
        ("Ferguson", ""),
        ("Lu", "路"),
        ("", "弗格森"),
        ("2024", "弗格森"),
    ],
)
def test_other_text_does_not_say_it(name: str, text: str) -> None:
    assert said(name, text) < 0.05


def test_a_name_does_not_reach_over_a_mark() -> None:
    assert said("Ferguson", "弗·格森") < said("Ferguson", "弗格森")
