from __future__ import annotations

import pytest

from assistant.pinyin import pinyin
from assistant.question import Term
from assistant.retrieval import term_match


@pytest.mark.parametrize(("text", "sound"), [("东浦区", "dongpuqu"), ("青岛GDP", "qingdao"), ("", "")])
def test_chinese_by_its_sound(text: str, sound: str) -> None:
    assert pinyin(text) == sound


def test_an_english_name_is_said_by_the_chinese_that_sounds_like_it() -> None:
    name = Term("dongpu", role="name", sounds=True)
    assert term_match(name, "海州市东浦区人才安居实施办法") == 1.0
    assert term_match(name, "海州市西山区人才安居实施办法") == 0.0
