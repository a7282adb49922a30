"""Which reader a file goes to, and what is refused with which reason."""

from __future__ import annotations

import io
import json
import random
import sqlite3
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest.readers
from evaluation.scoreboard.office_files import ole
from ingest.errors import UnreadableDocument
from ingest.readers import MAX_BYTES, read_document
from ingest.readers.detect import is_picture

PAGE = "<html><body><h1>海州市人才安居办法</h1><p>博士每人补贴15万元。</p></body></html>".encode()
ARCHIVE = b"""MIME-Version: 1.0
Content-Type: multipart/related; boundary="--=b"

----=b
Content-Type: text/html; charset="gb2312"
Content-Transfer-Encoding: quoted-printable

<html><body><p>=B5=DA=D2=BB=CC=F5 =CB=B5=C3=F7=A1=A3</p></body></html>
----=b
Content-Type: image/png
Content-Transfer-Encoding: base64

iVBORw0KGgo=
----=b--
"""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600


def package(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_the_package_exports_what_it_says() -> None:
    assert set(ingest.readers.__all__) == {"MAX_BYTES", "read_document"}


@pytest.mark.parametrize(
    ("data", "source", "media_type"),
    [
        ("第一条 本办法所称园区是指产业园区。".encode(), "办法.txt", "text/plain"),
        ("第一条 本办法所称园区是指产业园区。".encode(), "没有后缀", "text/plain"),
        ("# 办法\n\n第一条 说明。".encode(), "办法.md", "text/markdown"),
        (PAGE, "办法.html", "text/html"),
        (PAGE, "办法.txt", "text/html"),
        (PAGE, "办法.doc", "text/html"),
        (ARCHIVE, "办法.doc", "text/html"),
        ("<p>第一段</p><p>第二段</p>".encode(), "片段.html", "text/html"),
        (("正文中提到一个 <table> 标签。" + "别无其他。" * 200).encode(), "说明.txt", "text/plain"),
    ],
)
def test_content_decides_the_type(data: bytes, source: str, media_type: str) -> None:
    assert read_document(data, source).media_type == media_type


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t ", "empty"),
        ("\u3000\n\u3000".encode(), "no text besides white space"),
        (b"Rar!\x1a\x07\x01\x00" + b"\x00" * 50, "RAR archive"),
        (b"MZ\x90\x00\x03" + b"\x00" * 90, "Windows program"),
        (OLE, "damaged"),
        (ole({"EncryptedPackage": b"x"}), "password"),
        (package(**{"xl/workbook.bin": b"<x/>"}), r"\.xlsb"),
        (package(**{"ppt/presentation.xml": b"<x/>"}), r"\.pptx"),
        (package(mimetype=b"application/vnd.oasis.opendocument.presentation"), r"\.odp"),
        (package(**{"a.txt": b"text"}), "zip archive"),
        (b"PK\x03\x04" + b"\x00" * 40, "damaged"),
        (b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?><Workbook/>', "Excel workbook as XML"),
        (b'<?xml version="1.0"?><w:wordDocument xmlns:w="x"/>', "Word document as XML"),
        (ARCHIVE.replace(b"text/html", b"image/png"), "web archive without a page"),
        (b"\x00\x01\x02\x03" * 300, "not text"),
    ],
)
def test_what_is_no_document_is_refused_by_name_and_with_a_next_step(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason) as caught:
        read_document(data, "file")
    assert str(caught.value).endswith(".")
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    "start",
    [
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"II*\x00",
        b"MM\x00*",
        b"BM\x36\x10\x00\x00\x00\x00",
        b"RIFF\x00\x10\x00\x00WEBP",
    ],
)
def test_pictures_are_told_by_their_first_bytes(start: bytes) -> None:
    assert is_picture(start + bytes(50))


@pytest.mark.parametrize("start", [b"BMW and other makers", b"RIFF\x00\x10\x00\x00WAVE", b"II. Teil", b"text"])
def test_what_begins_like_a_picture_is_none(start: bytes) -> None:
    assert not is_picture(start + b" text" * 10)


def test_a_file_over_the_limit_is_refused_with_size_and_limit() -> None:
    with pytest.raises(UnreadableDocument, match=r"50\.0 MiB and the limit is 50 MiB"):
        read_document(bytes(MAX_BYTES + 1), "big.txt")


def test_a_text_over_the_limit_is_refused_with_size_and_limit() -> None:
    with pytest.raises(UnreadableDocument, match="6,000,000 characters and the limit is 5,000,000"):
        read_document(b"ab\n" * 2_000_000, "big.txt")


def test_the_page_of_a_web_archive_is_its_text() -> None:
    assert read_document(ARCHIVE, "办法.mht").text == "第一条 说明。\n"


def test_a_page_that_came_in_place_of_a_file_is_refused() -> None:
    page = b"<html><body><a href='/'>Home</a><p>The file could not be displayed</p></body></html>"
    assert read_document(page, "notice.html").text
    with pytest.raises(UnreadableDocument, match="promises a file"):
        read_document(page, "办法.pdf")


def test_control_characters_and_line_ends_are_cleaned_and_nothing_else() -> None:
    rest = "其余各条照旧，一字不改。" * 20
    text = read_document(("\ufeff第一条\x07 ＡＢ１２\r\n第二条\r　“引号”\t表\x00格" + rest).encode(), "a.txt").text
    assert text == "第一条  ＡＢ１２\n第二条\n　“引号”\t表 格" + rest


@given(st.binary(max_size=400), st.sampled_from(["a.txt", "a.md", "a.html", "a.pdf", "a.docx", "a"]))
def test_any_bytes_are_read_or_refused(data: bytes, source: str) -> None:
    for content in (data, b"%PDF-1.7\n" + data, b"PK\x03\x04" + data, b"<html>" + data, rb"{\rtf1" + data, OLE + data):
        try:
            document = read_document(content, source)
        except UnreadableDocument:
            continue
        assert document.text.strip()
        assert json.loads(json.dumps(document.text, ensure_ascii=False).encode()) == document.text


def test_random_files_are_read_or_refused() -> None:
    chance = random.Random(7)
    refusals = 0
    for _ in range(100):
        try:
            read_document(chance.randbytes(chance.randrange(1, 5_000)), "random.bin")
        except UnreadableDocument:
            refusals += 1
    assert refusals >= 90


@given(st.text(max_size=300))
def test_any_text_comes_out_fit_for_the_catalog(text: str) -> None:
    try:
        document = read_document(text.encode("utf-8", "surrogatepass"), "a.txt")
    except UnreadableDocument:
        return
    connection = sqlite3.connect(":memory:")
    assert connection.execute("select ?", (document.text,)).fetchone() == (document.text,)
    connection.close()
    assert not any("\ud800" <= character <= "\udfff" or character in "\x00\r" for character in document.text)
