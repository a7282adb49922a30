"""What a zip package is, and whether it is safe to open: sizes are checked before anything is unpacked."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from ingest.errors import UnreadableDocument

# Office files of 50 MiB hold pictures, which do not unpack to more; text parts of a book stay below 10 MiB.
MAX_UNPACKED_BYTES = 120 * 1024 * 1024
# The XML tree takes some ten times the size of its source in memory.
MAX_PART_BYTES = 24 * 1024 * 1024
_MAX_PARTS = 10_000
# An element of the tree takes some 200 bytes; a book of a thousand pages has half a million.
_MAX_TAGS = 1_500_000
# Parts that are read without a tree.
_STREAMED = ("xl/worksheets/", "xl/sharedStrings.xml")
# The library makes an object of every entry before anything can be checked.
MAX_ENTRIES = 20_000
SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")

_KINDS = (
    ("xl/workbook.bin", "an Excel workbook (.xlsb)"),
    ("ppt/presentation.xml", "a PowerPoint file (.pptx)"),
    ("META-INF/container.xml", "an e-book (.epub)"),
    ("OFD.xml", "an OFD document"),
    ("META-INF/MANIFEST.MF", "a Java archive"),
)
_OPEN_DOCUMENT = {
    b"application/vnd.oasis.opendocument.graphics": "an OpenDocument drawing (.odg)",
    b"application/vnd.oasis.opendocument.presentation": "an OpenDocument presentation (.odp)",
}
_READ_OPEN_DOCUMENTS = (
    b"application/vnd.oasis.opendocument.text",
    b"application/vnd.oasis.opendocument.text-template",
    b"application/vnd.oasis.opendocument.spreadsheet",
    b"application/vnd.oasis.opendocument.spreadsheet-template",
)
WORD_PART = "word/document.xml"
# Word's own name for it; services that edit in a browser count on: document2.xml.
_WORD_PARTS = re.compile(r"word/document\d*\.xml")
EXCEL_PART = "xl/workbook.xml"
OPEN_DOCUMENT_PART = "content.xml"
# Document type declarations stand before the first element.
_PROLOGUE_BYTES = 64 * 1024


def check_package(data: bytes, supported: str) -> str:
    """The part that holds the body of an Office package that is safe to open: `WORD_PART`, `EXCEL_PART` or `OPEN_DOCUMENT_PART`.

    Raises `UnreadableDocument` for any other zip file (named, with `supported` as the next step), for damaged and
    encrypted packages, and for those that unpack beyond the limits or declare XML entities.
    """
    if entries_in(data) > MAX_ENTRIES:
        raise UnreadableDocument(f"It has over {MAX_ENTRIES:,} parts, more than any document; save it again.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
            _check_sizes(parts)
            names = {part.filename for part in parts}
            body = _body(package, names)
            if body is None:
                raise UnreadableDocument(f"It is {_kind(package, names)}; {supported}")
            for part in parts:
                if _is_xml(part):
                    _check_part(package, part)
            return body
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,  # a compression that zipfile does not know, too
        KeyError,
    ) as error:
        raise UnreadableDocument(
            "It is a damaged or incomplete zip package (.docx and other Office files are such); save or download it again."
        ) from error
    except zlib.error as error:
        raise UnreadableDocument("It is a damaged zip package; save or download it again.") from error


def entries_in(data: bytes) -> int:
    """How many entries a zip file can list at most."""
    return data.count(b"PK\x01\x02")


def _check_sizes(parts: list[zipfile.ZipInfo]) -> None:
    total = sum(part.file_size for part in parts)
    if len(parts) > _MAX_PARTS or total > MAX_UNPACKED_BYTES:
        raise UnreadableDocument(
            f"It unpacks to {total / 1024 / 1024:,.0f} MiB in {len(parts):,} parts and the limit is "
            f"{MAX_UNPACKED_BYTES // 1024 // 1024} MiB; take pictures out, or split it."
        )
    largest = max((part.file_size for part in parts if _is_xml(part)), default=0)
    if largest > MAX_PART_BYTES:
        raise UnreadableDocument(
            f"Its text part unpacks to {largest / 1024 / 1024:,.0f} MiB and the limit is "
            f"{MAX_PART_BYTES // 1024 // 1024} MiB; split the document."
        )
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableDocument("It is encrypted with a password; save it without one and add it again.")


def _body(package: zipfile.ZipFile, names: set[str]) -> str | None:
    if any(_WORD_PARTS.fullmatch(name) for name in names):
        return WORD_PART
    if EXCEL_PART in names:
        return EXCEL_PART
    if OPEN_DOCUMENT_PART in names and _open_document(package, names) in _READ_OPEN_DOCUMENTS:
        return OPEN_DOCUMENT_PART
    return None


def _is_xml(part: zipfile.ZipInfo) -> bool:
    return part.filename.lower().endswith((".xml", ".rels"))


def _check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Unpack one part, counting, since a package may lie about its sizes, and look for declared entities."""
    start, size, tags = b"", 0, 0
    with package.open(part) as stream:
        while block := stream.read(1 << 20):
            start = start or block[:_PROLOGUE_BYTES]
            size += len(block)
            tags += 0 if part.filename.startswith(_STREAMED) else block.count(b"<")
            if tags > _MAX_TAGS:
                raise UnreadableDocument(f"Its text part has over {_MAX_TAGS:,} tags; split the document.")
            if size > MAX_PART_BYTES:
                raise UnreadableDocument(
                    f"Its text part unpacks to more than {MAX_PART_BYTES // 2**20} MiB; split the document."
                )
    # an UTF-16 part has a zero beside each of these letters
    if b"<!DOCTYPE" in start.replace(b"\x00", b""):
        raise UnreadableDocument(
            "Its XML declares entities, which no Office document does; save it again in Word, Excel, WPS or LibreOffice."
        )


def _open_document(package: zipfile.ZipFile, names: set[str]) -> bytes:
    if "mimetype" not in names:
        return b""
    with package.open("mimetype") as stream:
        return stream.read(80).strip()


def _kind(package: zipfile.ZipFile, names: set[str]) -> str:
    kind = _OPEN_DOCUMENT.get(_open_document(package, names))
    return kind or next((kind for name, kind in _KINDS if name in names), "a zip archive")
