"""Attacks: each is read or refused, soon, and with little memory; nothing else is raised."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from evaluation.scoreboard.hostile_files import LARGE_PART, LAUGHS, OUTSIDE, PARTS, lying, with_entities, with_part
from evaluation.scoreboard.office_files import (
    Paragraph,
    inline,
    ole,
    opendocument,
    package,
    sheet,
    word,
    xlsx_parts,
)
from evaluation.scoreboard.samples import SAMPLES, SHEET
from ingest.errors import UnreadableDocument
from ingest.readers import read_document
from tests.ingest.readers.bounds import bounded, survives

BYTES = 300 * 2**20


# Packages


SECRET = "root:x:0:0"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("declared", [LAUGHS, OUTSIDE])
def test_entities_are_refused_in_every_package(name: str, declared: str, encoding: str) -> None:
    with bounded(), pytest.raises(UnreadableDocument, match="entities"):
        read_document(with_entities(name, declared, encoding), name)


@pytest.mark.parametrize("name", PARTS)
def test_entities_behind_a_long_comment_expand_to_nothing(name: str) -> None:
    content = b"<!-- " + b" " * 70_000 + b'--><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    try:
        text = read_document(with_part(name, content), name).text
    except UnreadableDocument:
        return
    assert SECRET not in text


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_unpacks_without_measure_is_refused(name: str) -> None:
    data = with_part(name, b" " * LARGE_PART)
    assert len(data) < 200_000
    with bounded(), pytest.raises(UnreadableDocument, match="unpacks to"):
        read_document(data, name)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_lies_about_its_size_is_refused(name: str) -> None:
    data = lying(with_part(name, b" " * LARGE_PART), LARGE_PART)
    with bounded(), pytest.raises(UnreadableDocument):
        read_document(data, name)


def test_entries_that_share_their_bytes_are_refused() -> None:
    data = SAMPLES["a.docx"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.start_dir
        media = zipfile.ZipInfo("word/media/image1.png")
    kernel = package({"x": b"\x00" * (10 * 2**20)})
    entry = kernel[kernel.index(b"PK\x01\x02") : kernel.index(b"PK\x05\x06")]
    entry = entry[:28] + struct.pack("<H", len(media.filename)) + entry[30:46] + media.filename.encode()
    local = kernel[: kernel.index(b"PK\x01\x02")]
    entry = entry[:42] + struct.pack("<I", start) + entry[46:]
    directory = data[start : data.rindex(b"PK\x05\x06")] + entry * 50
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 50, 50, len(directory), start + len(local), 0)
    with bounded(), pytest.raises(UnreadableDocument):
        read_document(data[:start] + local + directory + end, "a.docx")


@pytest.mark.parametrize(
    "part", ["../../evil.xml", "/etc/evil.xml", "word/../../evil.xml", "..\\evil.xml", "C:\\evil.xml"]
)
@pytest.mark.parametrize("name", PARTS)
def test_parts_with_paths_out_of_the_package_write_nothing(
    name: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert survives(with_part(name, b"<evil/>", part), name)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_workbook_whose_links_lead_out_of_the_package_reads_nothing_there() -> None:
    links = '<Relationships><Relationship Id="r1" Type="x/worksheet" Target="../../../../etc/passwd"/></Relationships>'
    assert not survives(with_part("a.xlsx", links.encode(), "xl/_rels/workbook.xml.rels"), "a.xlsx")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(ole({"EncryptionInfo": b"x", "EncryptedPackage": b"x"}), id="docx and xlsx"),
        pytest.param(word([Paragraph("密文")], flags=0x0300), id="doc"),
        pytest.param(
            ole(
                {"Workbook": b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(12) + b"\x2f\x00\x36\x00\x01\x00" + bytes(52)}
            ),
            id="xls",
        ),
        pytest.param(
            SAMPLES["a.odt"].replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"), id="zip"
        ),
    ],
)
def test_encrypted_files_are_refused_with_the_reason(data: bytes) -> None:
    with pytest.raises(UnreadableDocument, match="password"):
        read_document(data, "a.docx")


@pytest.mark.parametrize("name", [*SAMPLES, "a.pdf", "a.zip", "a", ""])
def test_an_empty_file_is_refused_whatever_its_name(name: str) -> None:
    with pytest.raises(UnreadableDocument, match="empty"):
        read_document(b"", name)


# Workbooks that claim to be huge


def _cell(reference: str, text: str = "x") -> str:
    return inline(reference, text)


@pytest.mark.parametrize(
    "content",
    [
        '<dimension ref="A1:XFD1048576"/>' + SHEET,
        sheet({1: [_cell("A1")], 1_048_576: [_cell("XFD1048576")]}),
        sheet({9_999_999: [_cell("A9999999")]}),
        sheet({1: [_cell("ZZZ1"), _cell("A99999999999999999999")]}),
        f'<sheetData><row r="{"9" * 400}">{_cell("A1")}{"<c><v>1</v></c>" * 3}</row></sheetData>',
        sheet({1: [_cell("A1"), _cell("B1")]}, ["A1:XFD1048576"] * 20_000),
        sheet({n: [_cell(f"A{n}"), _cell(f"B{n}")] for n in range(1, 3_000)}, ["A1:A1048576"] * 3_000),
        sheet({n: [f'<c r="A{n}" s="1"/>'] for n in range(1, 50_000)}),
        sheet({n: [_cell(f"A{n}"), _cell(f"{chr(65 + n % 26)}{chr(65 + n // 26 % 26)}{n}")] for n in range(1, 9_000)}),
        f'<sheetData><row r="1"><c r="A1"><v>{"9" * 5_000}</v></c><c r="B1"><v>1e999999</v></c><c t="d"><v>x</v></c></row></sheetData>',
    ],
    ids=[
        "dimension",
        "corner",
        "row",
        "column",
        "digits",
        "merges",
        "long merges",
        "empty cells",
        "scattered",
        "numbers",
    ],
)
def test_a_sheet_that_claims_to_be_huge_costs_little(content: str) -> None:
    data = package(xlsx_parts(("a", content)))
    tracemalloc.start()
    try:
        with bounded(15.0):
            survives(data, "a.xlsx")
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()


def test_one_long_string_in_every_cell_is_refused() -> None:
    rows = {number: [f'<c r="A{number}" t="s"><v>0</v></c>'] for number in range(1, 20_000)}
    data = package(xlsx_parts(("a", sheet(rows)), strings=["长" * 30_000]))
    with bounded(), pytest.raises(UnreadableDocument, match="characters"):
        read_document(data, "a.xlsx")


@pytest.mark.parametrize("repeated", ["rows", "columns"])
def test_repeated_cells_of_a_sheet_are_refused_before_they_are_made(repeated: str) -> None:
    one = f'<table:table-cell table:number-columns-repeated="{10**8 - 1 if repeated == "columns" else 1}"><text:p>x</text:p></table:table-cell>'
    row = f'<table:table-row table:number-rows-repeated="{10**8 - 1}">{one}</table:table-row>'
    with bounded(), pytest.raises(UnreadableDocument, match="filled cells"):
        read_document(package(opendocument("spreadsheet", f"<table:table>{row}</table:table>")), "a.ods")


# Word files whose tables lead astray


def _pieces(starts: list[int], places: list[int], size: int | None = None) -> bytes:
    content = struct.pack(f"<{len(starts)}I", *starts) + b"".join(struct.pack("<HIH", 0, place, 0) for place in places)
    return b"\x02" + struct.pack("<I", len(content) if size is None else size) + content


@pytest.mark.parametrize(
    "table",
    [
        b"",
        b"\x02",
        b"\x01\xff\xff",
        b"\x03\x00\x00\x00\x00",
        b"\x01\x00\x00" * 100_000,
        _pieces([0, 6], [0x3FFF_FFFF]),
        _pieces([0, 6], [0xFFFF_FFFF]),
        _pieces([0, 6, 3, 6], [2048, 2048, 2048]),
        _pieces([6, 0], [2048]),
        _pieces([0, 6], [2048], 0xFFFF_FFFF),
        _pieces([0, 0xFFFF_FFFF], [2048]),
        _pieces([5, 6], [2048]),
        _pieces([0, 1] * 50_000, [2048] * 99_999),
    ],
)
def test_piece_tables_that_lead_astray_are_refused(table: bytes) -> None:
    with bounded():
        survives(word([Paragraph("第一条 办法")], table_edit=table), "a.doc")


@pytest.mark.parametrize("length", [0x7FFF_FFFF, -1, 6_000_000])
def test_a_word_file_that_claims_a_text_without_measure_is_refused(length: int) -> None:
    data = bytearray(SAMPLES["a.doc"])
    struct.pack_into("<i", data, 512 + 0x4C, length)
    with bounded(), pytest.raises(UnreadableDocument):
        read_document(bytes(data), "a.doc")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0x2C, 0x7FFF_FFFF),
        (0x48, 0x7FFF_FFFF),
        (0x40, 0x7FFF_FFFF),
        (0x1E, 31),
        (0x1E, 3),
        (0x44, 0),
        (0x30, 0),
        (0x4C, 0),
    ],
)
def test_containers_that_lie_about_their_sectors_are_refused_or_read(place: int, value: int) -> None:
    data = bytearray(SAMPLES["a.doc"])
    struct.pack_into("<H" if place == 0x1E else "<I", data, place, value)
    with bounded():
        survives(bytes(data), "a.doc")


def test_a_chain_of_sectors_that_turns_back_ends() -> None:
    data = bytearray(SAMPLES["a.doc"])
    (table,) = struct.unpack_from("<I", data, 0x4C)
    for sector in range(4):
        struct.pack_into("<I", data, 512 * (table + 1) + 4 * sector, 0)
    with bounded():
        survives(bytes(data), "a.doc")


# Texts nested without measure


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"{\\rtf1" + b"{" * 1_000_000, id="groups"),
        pytest.param(b"{\\rtf1" + b"{\\*\\x" * 200_000, id="skipped groups"),
        pytest.param(b"{\\rtf1" + b"\\u1" * 500_000, id="characters"),
        pytest.param(b"{\\rtf1" + b"\\trowd" + b"\\cellx1" * 300_000 + b"\\cell" * 100_000 + b"\\row}", id="cells"),
        pytest.param(b"{\\rtf1" + b"\\itap99\\intbl a\\nestcell" * 20_000 + b"}", id="tables"),
        pytest.param(b"{\\rtf1" + b"\\bin-5 \\bin2147483647 x", id="binary"),
        pytest.param(b"<html>" + b"<div>" * 300_000, id="elements"),
        pytest.param(b"<html>" + b"<table><tr><td>" * 50_000, id="page tables"),
        pytest.param(
            b"<html><table>" + b"<tr><td rowspan=65000 colspan=1000>x</td></tr>" * 3_000 + b"</table>", id="spans"
        ),
        pytest.param(b"<html>" + b"<p>x</p>" * 400_000, id="paragraphs"),
        pytest.param(b"{\\rtf1" + b"\\b\\i\\f1 a" * 1_000_000, id="formats"),
        pytest.param(b"<html><p>" + b"&lt;" * 1_000_000, id="entities"),
        pytest.param(b"<html><!-- " * 200_000, id="comments"),
        pytest.param(("> " * 200 + "x\n").encode() * 2_000, id="quotes"),
    ],
)
def test_markup_nested_without_measure_is_read_or_refused(data: bytes) -> None:
    with bounded(15.0):
        survives(data, "a.md" if data.startswith(b">") else "a.doc")
