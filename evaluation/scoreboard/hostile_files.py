"""Files made to do harm, each refused by a sound reader: bombs, entities, nesting, halves, locks, empty and false ones."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from fpdf import FPDF
from fpdf.enums import AccessPermission, EncryptionMethod

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
from evaluation.scoreboard.samples import SAMPLES

Files = Iterator[tuple[str, bytes]]

SEED: Final = 8
# Unpacked, some times what any document may unpack to.
BOMB: Final = 400 * 2**20
# Beyond the largest text part that is read (24 MiB).
LARGE_PART: Final = 30 * 2**20
# Deeper than any parser follows by calling itself.
DEEP: Final = 200_000

PARTS: Final = {
    "a.docx": "word/document.xml",
    "a.xlsx": "xl/worksheets/sheet1.xml",
    "a.ods": "content.xml",
    "a.odt": "content.xml",
}
"""The part with the text, by package."""

LAUGHS: Final = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
OUTSIDE: Final = '<!ENTITY a11 SYSTEM "file:///etc/passwd">'
_DECLARED: Final = (LAUGHS, OUTSIDE)
_FEW_LAUGHS: Final = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><d>&b;</d>'
_LOCKED: Final = {"EncryptedPackage": bytes(600), "EncryptionInfo": bytes(100)}
# The first record of an old workbook, then the one that says that it is locked.
_LOCKED_WORKBOOK: Final = b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(12) + b"\x2f\x00\x36\x00\x01\x00" + bytes(52)


def zipped(parts: dict[str, bytes]) -> bytes:
    """A zip archive of these files."""
    return package({**parts})


def with_part(name: str, content: bytes, part: str = "") -> bytes:
    """A sound package with one part replaced, by default the one with the text."""
    with zipfile.ZipFile(io.BytesIO(SAMPLES[name])) as archive:
        parts: dict[str, str | bytes] = {each: archive.read(each) for each in archive.namelist()}
    return package({**parts, part or PARTS[name]: content})


def with_entities(name: str, declared: str, encoding: str) -> bytes:
    """A package whose text part declares entities and uses the last one."""
    content = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [{declared}]><x>&a11;</x>'
    return with_part(name, content.encode(encoding))


def lying(data: bytes, size: int, told: int = 100) -> bytes:
    """A package that says of its parts of one size that they have another."""
    return data.replace(struct.pack("<I", size), struct.pack("<I", told))


def pdf_of_many_pages(count: int = 10_000) -> bytes:
    """A small PDF file that lists one page again and again."""
    kids = " ".join("3 0 R" for _ in range(count))
    return (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        f"2 0 obj<</Type/Pages/Count {count}/Kids[{kids}]>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n"
    ).encode()


def pdf_with(content: bytes, *, packed: bool = False, page: str = "") -> bytes:
    """A PDF file of one page with this content stream."""
    stream = zlib.compress(content, 9) if packed else content
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
        + f"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R{page}>>endobj\n".encode()
        + f"4 0 obj<<{'/Filter/FlateDecode' if packed else ''}/Length {len(stream)}>>stream\n".encode()
        + stream
        + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n"
    )


def laughing_pdf(depth: int = 10) -> bytes:
    """A PDF file whose page shows a form that shows another ten times, and so on; the last one says two letters."""
    head = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
    page = b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</XObject<</N 5 0 R>>>>>>"
    parts = [head, page, b"endobj\n4 0 obj<</Length 6>>stream\n/N Do \nendstream endobj\n"]
    for number in range(5, 5 + depth):
        last = number == 4 + depth
        shown = b"BT /F 9 Tf (ha) Tj ET" if last else b"/N Do " * 10
        uses = (
            "/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>" if last else f"/XObject<</N {number + 1} 0 R>>"
        )
        form = f"/Type/XObject/Subtype/Form/BBox[0 0 200 200]/Resources<<{uses}>>/Length {len(shown)}"
        parts += [f"{number} 0 obj<<{form}>>stream\n".encode(), shown, b"\nendstream endobj\n"]
    return b"".join([*parts, b"trailer<</Root 1 0 R>>\n"])


def locked_pdf(method: EncryptionMethod) -> bytes:
    """A PDF file that asks for a password."""
    document = FPDF()
    document.set_encryption(
        owner_password="owner",  # noqa: S106 - the lock is what is tried, not the password
        user_password="user",  # noqa: S106
        encryption_method=method,
        permissions=AccessPermission.none(),
    )
    document.add_page()
    document.set_font("helvetica", size=12)
    document.cell(0, 7, "A reward of up to five million.")
    return bytes(document.output())


def picture(width: int, height: int) -> bytes:
    """A PNG file that says it is this large and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


def hostile() -> dict[str, bytes]:
    """One file of each of the worst kinds, by name."""
    document = {"[Content_Types].xml": b"<Types/>", "word/document.xml": _FEW_LAUGHS}
    sheets = xlsx_parts(("一", sheet({1: ["地区", "标准"]})))
    return {
        "bomb.zip": zipped({f"{number}.txt": bytes(BOMB // 8) for number in range(8)}),
        "pages.pdf": pdf_of_many_pages(),
        "picture.png": picture(20_000, 20_000),
        "entities.docx": zipped(document),
        "entities.xlsx": package({**sheets, "xl/workbook.xml": _FEW_LAUGHS}),
        "encrypted.docx": ole(_LOCKED),
        "empty.txt": b"",
        "half.docx": zipped(document)[:200],
        "deep.rtf": b"{\\rtf1" + b"{" * 1_000_000,
        "braces.txt": b"{" * 1_000_000,
    }


def bad_files(seed: int = SEED) -> dict[str, bytes]:
    """A hundred different bad files of seven kinds, by name; the same for the same seed, but for the dates in archives."""
    chance = random.Random(seed)  # noqa: S311 - variants, not secrets
    made: dict[str, bytes] = {}
    for kind in _KINDS:
        for number, (suffix, data) in enumerate(kind(chance), start=1):
            made[f"{kind.__name__.strip('_')}-{number:02}.{suffix}"] = data
    return made


def _bombs(_: random.Random) -> Files:
    yield "zip", zipped({f"{number}.txt": bytes(BOMB // 8) for number in range(8)})
    yield "zip", zipped({"one.txt": bytes(BOMB // 2)})
    yield "zip", zipped({f"{number}.txt": b"x" for number in range(1_001)})
    yield "zip", zipped({f"{number}": b"" for number in range(20_001)})
    yield "zip", zipped({"inner.zip": zipped({"one.txt": bytes(BOMB // 8)})})
    for name in PARTS:
        spaces = with_part(name, b" " * LARGE_PART)
        yield name[2:], spaces
    for name in ("a.docx", "a.ods"):
        yield name[2:], lying(with_part(name, b" " * LARGE_PART), LARGE_PART)
    yield "docx", with_part("a.docx", b"<x>" + b"<y/>" * 2_000_000 + b"</x>")
    yield "odt", with_part("a.odt", b"<x>" + b"<y/>" * 1_600_000 + b"</x>")
    yield (
        "xlsx",
        package(
            xlsx_parts(
                ("a", sheet({n: [f'<c r="A{n}" t="s"><v>0</v></c>'] for n in range(1, 20_000)})),
                strings=["长" * 30_000],
            )
        ),
    )
    row = '<table:table-row table:number-rows-repeated="99999999"><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>'
    yield "ods", package(opendocument("spreadsheet", f"<table:table>{row}</table:table>"))
    yield "pdf", pdf_of_many_pages()
    yield "pdf", pdf_with(b" " * (BOMB // 4), packed=True)
    # Each of these takes a reader to its limit of memory: shapes, states, and forms that show ten forms each.
    yield "pdf", pdf_with(b"0 0 1 1 re f " * 8_000_000, packed=True)
    yield "pdf", pdf_with(b"q 1 0 0 1 0 0 cm " * 4_000_000, packed=True)
    yield "pdf", laughing_pdf()
    yield "png", picture(20_000, 20_000)
    yield "png", picture(2_000_000_000, 3)
    yield "txt", b"x " * 6_000_000
    yield "rtf", b"{\\rtf1" + b"\\b\\i\\f1 a" * 1_000_000
    yield "html", b"<html><p " + b" ".join(b"a%d=1" % number for number in range(500_000)) + b">x"


def _entities(_: random.Random) -> Files:
    for name in PARTS:
        for declared in _DECLARED:
            for encoding in ("utf-8", "utf-16"):
                yield name[2:], with_entities(name, declared, encoding)
    yield "docx", with_part("a.docx", _FEW_LAUGHS, "word/styles.xml")
    yield "xlsx", with_part("a.xlsx", _FEW_LAUGHS, "xl/workbook.xml")


def _locked(_: random.Random) -> Files:
    yield "docx", ole(_LOCKED)
    yield "xlsx", ole({**_LOCKED, "DataSpaces": b"x"})
    yield "doc", word([Paragraph("密文")], flags=0x0300)
    yield "xls", ole({"Workbook": _LOCKED_WORKBOOK})
    flag = b"PK\x01\x02\x14\x03\x14\x00"
    for name in ("a.odt", "a.ods", "a.xlsx"):
        yield name[2:], SAMPLES[name].replace(flag + b"\x00", flag + b"\x01")
    yield "zip", zipped({"a.txt": SAMPLES["a.txt"]}).replace(flag + b"\x00", flag + b"\x01")
    for method in (EncryptionMethod.RC4, EncryptionMethod.AES_128):
        yield "pdf", locked_pdf(method)


def _cut(chance: random.Random) -> Files:
    for name in PARTS:
        yield name[2:], SAMPLES[name][: int(len(SAMPLES[name]) * chance.uniform(0.1, 0.9))]
    for name in ("a.doc", "a.xls"):
        yield name[2:], SAMPLES[name][: 512 + chance.randrange(400)]
    archive = zipped({"a.txt": chance.randbytes(4_000)})
    yield "zip", archive[: chance.randrange(100, 4_000)]
    yield "pdf", b"%PDF-1.7\n" + chance.randbytes(chance.randrange(500, 5_000))
    yield "pdf", b"%PDF-1.4\n"
    yield "png", picture(400, 400)[:-20]
    yield "jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + chance.randbytes(900)


def _false(chance: random.Random) -> Files:
    noise = chance.randbytes(3_000)
    yield "pdf", b"MZ\x90\x00" + bytes(60) + noise
    yield "doc", b"\x7fELF\x02\x01\x01\x00" + noise
    yield "docx", b"\x00\x00\x00\x20ftypisom" + noise
    yield "txt", b"RIFF\x10\x00\x00\x00WAVEfmt " + noise
    yield "zip", gzip.compress(noise, mtime=0)
    yield "zip", b"7z\xbc\xaf\x27\x1c" + noise
    yield "zip", b"Rar!\x1a\x07\x00" + noise
    yield "xls", ole({"PowerPoint Document": b"x"})
    yield "txt", b"SQLite format 3\x00" + noise
    yield "html", noise
    yield "md", chance.randbytes(70_000)
    yield "pdf", b"<html><body><h1>404 Not Found</h1><p>nginx</p></body></html>"
    yield "docx", zipped({"[Content_Types].xml": b"<Types/>", "ppt/presentation.xml": b"<p/>"})
    yield "odt", zipped({"mimetype": b"application/epub+zip", "META-INF/container.xml": b"<c/>"})


def _empty(_: random.Random) -> Files:
    yield "pdf", b""
    yield "html", b"<html><head><title></title></head><body></body></html>"
    yield "txt", b" \r\n\t" * 100
    yield "doc", bytes(5_000)
    yield "zip", zipped({})
    yield "zip", zipped({"folder/": b""})
    yield "odt", package(opendocument("text", ""))
    yield "xlsx", package(xlsx_parts(("a", "")))
    yield "pdf", pdf_with(b"")


def _deep(_: random.Random) -> Files:
    yield "rtf", b"{\\rtf1" + b"{" * (5 * DEEP)
    yield "rtf", b"{\\rtf1" + b"{\\*\\x" * DEEP
    yield "txt", b"{" * (5 * DEEP)
    yield "html", b"<html>" + b"<div>" * DEEP + b"x"
    yield "html", b"<html>" + b"<table><tr><td>" * (DEEP // 4) + b"x"
    for name in PARTS:
        yield name[2:], with_part(name, b"<x>" * DEEP + b"</x>" * DEEP)
    yield "xlsx", package(xlsx_parts(("a", sheet({1: [inline("A1", "x"), "<c>" * DEEP]}))))
    yield "pdf", pdf_with(b"[" * DEEP)
    yield "pdf", pdf_with(b"q " * DEEP, page="/Kids[" * 1_000)
    yield "pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]/Count 9>>endobj\ntrailer<</Root 1 0 R>>\n"


_KINDS: Final[tuple[Callable[[random.Random], Files], ...]] = (_bombs, _entities, _locked, _cut, _false, _empty, _deep)
