"""Reading the training corpora."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from training import corpora
from training.corpora import Article, Paragraph


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def test_articles_know_their_chapter(tmp_path: Path) -> None:
    text = (
        "# 某条例\n\n2020年1月1日公布\n\n<!-- INFO END -->\n\n"
        "## 第一章　总则\n\n第一条 甲。\n\n第二条　乙：\n\n（一）丙。\n\n"
        "## 第二章 罚则\n\n第十二条之一 违反第二条的，罚款。\n"
    )
    write(tmp_path / "laws.jsonl.gz", [{"title": "某条例", "text": text}])
    assert list(corpora.articles(tmp_path)) == [
        Article("某条例", "总则", "甲。"),
        Article("某条例", "总则", "乙：\n\n（一）丙。"),
        Article("某条例", "罚则", "违反第二条的，罚款。"),
    ]


def test_paragraphs_are_found_without_line_breaks(tmp_path: Path) -> None:
    text = (
        "为了做好工作，现就有关事项通知如下，请认真贯彻执行并及时报告情况。"
        "一、总体要求。坚持问题导向，坚持统筹推进，把各项工作落到实处。（一）短。"
    )
    write(tmp_path / "policies_hebei.jsonl.gz", [{"title": "某通知...", "text": text}])
    assert list(corpora.paragraphs(tmp_path)) == [
        Paragraph("某通知", "", "为了做好工作，现就有关事项通知如下，请认真贯彻执行并及时报告情况。"),
        Paragraph("某通知", "总体要求", "坚持问题导向，坚持统筹推进，把各项工作落到实处。"),
    ]


def test_articles_are_the_same_whatever_their_line_breaks() -> None:
    assert corpora.article_key("自然人\n\n从事 工商业") == corpora.article_key("自然人从事工商业")
    assert corpora.article_key("甲" * 40 + "乙") == corpora.article_key("甲" * 40)


def test_dictionary_entries_are_taken_apart(tmp_path: Path) -> None:
    line = "# a remark\n補貼 补贴 [bu3 tie1] /to subsidize/subsidy/allowance/\n"
    (tmp_path / "cedict_ts.u8.gz").write_bytes(gzip.compress(line.encode()))
    (entry,) = corpora.dictionary(tmp_path)
    assert (entry.word, entry.reading, entry.glosses) == ("补贴", "bu3 tie1", ("to subsidize", "subsidy", "allowance"))
