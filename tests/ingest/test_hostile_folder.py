"""A folder of files made to do harm, among good ones: each is refused with its reason, the good ones go in."""

from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib
from pathlib import Path

import psutil

from ingest.pipeline import ingest_into
from tests.conftest import PARK, TALENT
from tests.ingest.readers.office_files import ole, sheet, xlsx_parts
from vectorstore.store import PolicyStore

SECONDS = 60.0
MEMORY_MIB = 400
BOMB = 400 * 2**20


def zipped(parts: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return packed.getvalue()


def pdf_of_many_pages() -> bytes:
    kids = " ".join("3 0 R" for _ in range(10_000))
    return (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        f"2 0 obj<</Type/Pages/Count 10000/Kids[{kids}]>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n"
    ).encode()


def picture_of_400_megapixels() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><d>&b;</d>'


def hostile() -> dict[str, bytes]:
    word = {"[Content_Types].xml": b"<Types/>", "word/document.xml": LAUGHS}
    sheets = {
        name: part.encode() if isinstance(part, str) else part
        for name, part in xlsx_parts(("一", sheet({1: ["地区", "标准"]}))).items()
    }
    encrypted = ole({"EncryptedPackage": bytes(600), "EncryptionInfo": bytes(100)})
    return {
        "bomb.zip": zipped({f"{number}.txt": bytes(BOMB // 8) for number in range(8)}),
        "pages.pdf": pdf_of_many_pages(),
        "picture.png": picture_of_400_megapixels(),
        "entities.docx": zipped(word),
        "entities.xlsx": zipped(sheets | {"xl/workbook.xml": LAUGHS}),
        "encrypted.docx": encrypted,
        "empty.txt": b"",
        "half.docx": zipped(word)[:200],
        "deep.rtf": b"{\\rtf1" + b"{" * 1_000_000,
        "braces.txt": b"{" * 1_000_000,
    }


def test_each_is_refused_with_its_reason_and_the_others_go_in(store: PolicyStore, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    files = hostile()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with (folder / "gigabyte.txt").open("wb") as large:
        large.truncate(2**30)
    traversing = zipped({"../../out.txt": PARK.encode(), "/etc/out.txt": TALENT.encode()})
    (folder / "paths.zip").write_bytes(traversing)
    (folder / "zz-good.txt").write_text(PARK.replace("海州", "云川"), encoding="utf-8")
    before, started = psutil.Process().memory_info().rss, time.perf_counter()
    report = ingest_into(store, [folder])
    assert time.perf_counter() - started < SECONDS
    assert psutil.Process().memory_info().rss - before < MEMORY_MIB * 2**20
    reasons = {Path(file).name: reason for file, reason in report.failed}
    assert reasons.keys() == {*files, "gigabyte.txt"}
    assert all(reason.endswith(".") and "Traceback" not in reason for reason in reasons.values())
    assert "1024 MiB" in reasons["gigabyte.txt"]
    assert "10,000 pages" in reasons["pages.pdf"]
    assert "password" in reasons["encrypted.docx"]
    # What was in the archive under paths of elsewhere went in, and nothing was written outside.
    assert {record.source for record in store.catalog.records()} == {"out.txt", "zz-good.txt"}
    assert not list(tmp_path.glob("out.txt"))
    assert psutil.Process().children(recursive=True) == []
