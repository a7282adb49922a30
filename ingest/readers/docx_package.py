"""What a zip package is, and whether it is safe to open: sizes are checked before anything is unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib

from ingest.errors import UnreadableDocument

# Office files of 50 MiB hold pictures, which do not unpack to more; text parts of a book stay below 10 MiB.
MAX_UNPACKED_BYTES = 120 * 1024 * 1024
# The XML tree takes some ten times the size of its source in memory.
MAX_PART_BYTES = 24 * 1024 * 1024
_MAX_PARTS = 10_000

_KINDS = (
    ("xl/workbook.xml", "an Excel workbook (.xlsx)"),
    ("xl/workbook.bin", "an Excel workbook (.xlsb)"),
    ("ppt/presentation.xml", "a PowerPoint file (.pptx)"),
    ("META-INF/container.xml", "an e-book (.epub)"),
    ("OFD.xml", "an OFD document"),
    ("META-INF/MANIFEST.MF", "a Java archive"),
)
_OPEN_DOCUMENT = {
    b"application/vnd.oasis.opendocument.text": "an OpenDocument text (.odt)",
    b"application/vnd.oasis.opendocument.spreadsheet": "an OpenDocument spreadsheet (.ods)",
    b"application/vnd.oasis.opendocument.presentation": "an OpenDocument presentation (.odp)",
}
WORD_PART = "word/document.xml"


def check_word_package(data: bytes, supported: str) -> None:
    """Return for a Word package that is safe to open.

    Raises `UnreadableDocument` for any other zip file (named, with `supported` as the next step), for damaged and
    encrypted packages, and for those that unpack beyond the limits or declare XML entities.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
            _check_sizes(parts)
            names = {part.filename for part in parts}
            if WORD_PART not in names:
                raise UnreadableDocument(f"It is {_kind(package, names)}; {supported}")
            for part in parts:
                if part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in package.read(part)[:4096]:
                    raise UnreadableDocument(
                        "Its XML declares entities, which no Word document does; save it again in Word or WPS."
                    )
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


def _check_sizes(parts: list[zipfile.ZipInfo]) -> None:
    total = sum(part.file_size for part in parts)
    if len(parts) > _MAX_PARTS or total > MAX_UNPACKED_BYTES:
        raise UnreadableDocument(
            f"It unpacks to {total / 1024 / 1024:,.0f} MiB in {len(parts):,} parts and the limit is "
            f"{MAX_UNPACKED_BYTES // 1024 // 1024} MiB; take pictures out, or split it."
        )
    largest = max((part.file_size for part in parts if part.filename.endswith((".xml", ".rels"))), default=0)
    if largest > MAX_PART_BYTES:
        raise UnreadableDocument(
            f"Its text part unpacks to {largest / 1024 / 1024:,.0f} MiB and the limit is "
            f"{MAX_PART_BYTES // 1024 // 1024} MiB; split the document."
        )
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableDocument("It is encrypted with a password; save it without one and add it again.")


def _kind(package: zipfile.ZipFile, names: set[str]) -> str:
    if "mimetype" in names:
        kind = _OPEN_DOCUMENT.get(package.read("mimetype")[:80].strip())
        if kind:
            return kind
    return next((kind for name, kind in _KINDS if name in names), "a zip archive")
