"""A folder of tiny sets of the benchmark's shape, written for these tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PARK, TALENT

LAW = "# 海州市园区条例\n\n<!-- INFO END -->\n\n## 第一章 总则\n\n第一条 园区由市人民政府设立。\n\n第二条 园区内禁止焚烧垃圾。\n"
OTHER = "# 养犬规定\n\n<!-- INFO END -->\n\n第一条 养犬应当登记。\n\n第二条 园区内禁止焚烧垃圾。\n"


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    (folder / "seeds").mkdir(parents=True)
    (folder / "seeds" / "park.txt").write_text(PARK, encoding="utf-8")
    (folder / "seeds" / "talent.txt").write_text(TALENT, encoding="utf-8")
    write(
        folder / "questions" / "seeds_dev.jsonl",
        [
            {"question": "园区运营机构每年最高能拿到多少奖励？", "lang": "zh", "must_include": [["3000万"]], "quotes": ["每年给予 最高3000万元奖励"]},
            {"question": "博士有多少安家补贴？", "lang": "zh", "must_include": [["15万"]], "quotes": ["一次性给予15万元安家补贴"]},
            {"question": "那由谁受理？", "lang": "zh", "history": ["博士有多少安家补贴？"], "quotes": ["社会保障局受理"]},
            {"question": "园区食堂几点开门？", "lang": "zh", "answerable": False},
        ],
    )  # fmt: skip
    write(folder / "data" / "bench" / "xquad_zh_en.jsonl.gz", [
        {"context_zh": "甲河长三百公里，流入东海。", "qas": [{"zh": "甲河有多长？", "en": "How long is the river Jia?"}]},
        {"context_zh": "乙山高两千米，位于西部。", "qas": [{"zh": "乙山有多高？", "en": "How high is Mount Yi?"}]},
    ])  # fmt: skip
    write(folder / "data" / "bench" / "cmrc2018_dev.jsonl.gz", [
        {"context": "丙剧于1990年首演。", "qas": [{"question": "丙剧何时首演？", "answers": ["1990年"]}, {"question": "何剧首演？", "answers": ["丙剧"]}]},
        {"context": "丁鱼生活在海里。", "qas": [{"question": "丁鱼生活在哪里？", "answers": ["海里"]}]},
    ])  # fmt: skip
    write(folder / "data" / "bench" / "stard_dev.jsonl.gz", [
        {"question": "可以在园区里烧垃圾吗？", "statutes": {"甲": "园区内禁止焚烧垃圾。"}},
        {"question": "养狗要登记吗？园区是谁设立的？", "statutes": {"乙": "养犬应当登记。", "丙": "园区由市人民政府设立。"}},
    ])  # fmt: skip
    write(
        folder / "data" / "train" / "stard_train.jsonl.gz",
        [{"question": "养狗？", "statutes": {"乙": "养犬应当 登记。"}}],
    )
    laws = [{"title": "海州市园区条例", "text": LAW}, {"title": "养犬规定", "text": OTHER}]
    write(folder / "data" / "train" / "laws.jsonl.gz", laws)
    policies = [
        {"title": "海州市园区奖励办法", "date": "2026-01-02", "text": PARK},
        {"title": "海州市人才办法", "date": "2026-01-02", "text": TALENT},
    ]
    write(folder / "data" / "train" / "policies_hebei.jsonl.gz", policies)
    return folder
