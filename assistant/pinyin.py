"""Chinese text by its sound, so that an English question's names find their Chinese spelling."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=2048)
def pinyin(text: str) -> str:
    """The text's syllables without tones, run together: 青岛 -> qingdao. Loads its dictionary at the first call."""
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(text, errors="ignore"))
