"""Bytes to text in the encodings of Chinese offices."""

from __future__ import annotations

import codecs

import pytest

from ingest.errors import UnreadableDocument
from ingest.readers import read_document
from ingest.readers.encoding import declared_encodings, decode

SIMPLIFIED = "海州市人民政府关于支持企业发展的若干意见\n一、对新建厂房的企业给予一次性补贴。\n"
TRADITIONAL = "海州市政府關於支持企業發展的若干意見\n一、對新建廠房的企業給予一次性補貼。\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_simplified_text_is_read_in_any_encoding(encoding: str) -> None:
    assert decode(SIMPLIFIED.encode(encoding)) == SIMPLIFIED


@pytest.mark.parametrize("encoding", ["utf-8", "big5", "gb18030", "utf-16-le"])
def test_traditional_text_is_read_in_any_encoding(encoding: str) -> None:
    assert decode(TRADITIONAL.encode(encoding)) == TRADITIONAL


@pytest.mark.parametrize("text", ["市财政局", "联系电话：0532-1234", "附件下载 http://example.org/a", "关于补贴的说明"])
def test_a_few_characters_of_gbk_are_enough(text: str) -> None:
    assert decode(text.encode("gbk")) == text


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_zeros_up_to_the_end_of_a_block_are_no_text(encoding: str) -> None:
    assert decode(SIMPLIFIED.encode(encoding) + bytes(301 * 2)) == SIMPLIFIED


def test_big_endian_mark_is_honoured() -> None:
    assert decode(codecs.BOM_UTF16_BE + SIMPLIFIED.encode("utf-16-be")) == SIMPLIFIED


def test_a_page_with_a_few_broken_bytes_stays_utf_8() -> None:
    whole = (SIMPLIFIED * 5).encode()
    broken = whole[:40] + whole[41:200] + whole[201:]
    text = decode(broken)
    assert "新建厂房的企业" in text
    assert text.count("\ufffd") <= 8


@pytest.mark.parametrize(
    ("encoding", "declared"), [("utf-8", "gb2312"), ("gbk", "utf-8"), ("gb18030", "iso-8859-1"), ("big5", "utf-8")]
)
def test_a_wrong_declaration_never_wins(encoding: str, declared: str) -> None:
    body = TRADITIONAL if encoding == "big5" else SIMPLIFIED
    page = f'<html><head><meta charset="{declared}"></head><body><p>{body}</p></body></html>'
    text = read_document(page.encode(encoding), "page.html").text
    assert body.split("\n")[1] in text


def test_a_declaration_decides_where_the_bytes_leave_it_open() -> None:
    page = "<html><head><meta charset=shift_jis></head><body>ｱﾝｹｰﾄ ﾃｽﾄ</body></html>".encode("shift_jis")
    assert declared_encodings(page) == ("shift_jis",)
    assert "ｱﾝｹｰﾄ" in decode(page, declared_encodings(page))


def test_latin_text_goes_to_the_last_resort() -> None:
    text = "Le règlement est entré en vigueur à Genève après la réunion du comité. " * 4
    assert "entré en vigueur" in decode(text.encode("cp1252"))


def test_binary_data_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="not text"):
        decode(bytes(range(256)) * 8)
