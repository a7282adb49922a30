"""Which reader a file goes to: its content decides, its name only breaks ties between texts."""

from __future__ import annotations

import re
from pathlib import PurePath

from ingest.errors import UnreadableDocument
from ingest.readers.building import MAX_TEXT_CHARACTERS
from ingest.readers.docx_package import check_word_package
from ingest.readers.encoding import declared_encodings, decode
from ingest.readers.plain import read_plain
from vectorstore.passage import Document

# The other readers are imported where a file needs them: their libraries take 0.4 s, which a question must not wait for.

# A policy document has at most some ten thousand pages of text; beyond 50 MiB it is a scan, an archive or an attack.
MAX_BYTES = 50 * 1024 * 1024

SUPPORTED = ".txt, .md, .html, .pdf with a text layer, .docx"
_NEXT = f"supported are {SUPPORTED}; save it as one of these and add it again."

# Leading bytes of what people drop in by mistake, and what to call it.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7fELF", "a Linux program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"ID3", "an MP3 recording"),
    (b"OggS", "an Ogg recording"),
    (b"%!PS", "a PostScript document"),
    (b"AT&TFORM", "a DjVu document"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML_START = re.compile(r"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_HTML_TAG = re.compile(
    r"</?(?:p|div|table|tbody|tr|td|br|span|script|style|font|ul|li|h[1-6]|meta|link|title)\b[^<>]*>", re.I
)
# A text that only mentions a tag has one or two of them; a fragment of a page has a tag in every paragraph.
_FRAGMENT_TAGS = 3
_FRAGMENT_CHARACTERS_PER_TAG = 400
_SNIFFED_CHARACTERS = 20_000
# What servers send in place of a file: a page of some sentences, none of them Chinese prose.
_FILE_SUFFIXES = frozenset((".pdf", ".doc", ".docx", ".xls", ".xlsx", ".wps", ".zip", ".rar"))
_NOTICE_CHARACTERS = 600


def read_document(data: bytes, source: str) -> Document:
    """Read one file. `source` is its name; the format is told from the bytes.

    Raises `UnreadableDocument` with the reason and what to do next, never anything else for bad input.
    """
    if len(data) > MAX_BYTES:
        size, limit = len(data) / 1024 / 1024, MAX_BYTES // 1024 // 1024
        raise UnreadableDocument(f"It is {size:.1f} MiB and the limit is {limit} MiB; split it into smaller files.")
    if not data.strip(b"\x00 \t\r\n\x0b\x0c"):
        raise UnreadableDocument(f"It is empty ({len(data)} bytes); save the document again and add that.")
    document = _read(data, source)
    if len(document.text) > MAX_TEXT_CHARACTERS:
        raise UnreadableDocument(
            f"Its text has {len(document.text):,} characters and the limit is {MAX_TEXT_CHARACTERS:,}; split it into parts."
        )
    if not document.text.strip():
        raise UnreadableDocument("It holds no text besides white space; save the document again and add that.")
    return document


def _read(data: bytes, source: str) -> Document:
    if re.match(rb"(?:\xef\xbb\xbf)?\s*%PDF-", data[:1024]) or (
        source.lower().endswith(".pdf") and b"%PDF-" in data[:1024]
    ):
        from ingest.readers.pdf import read_pdf

        return read_pdf(data, source)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        check_word_package(data, _NEXT)
        from ingest.readers.docx import read_docx

        return read_docx(data, source)
    refuse_binary(data)
    text = decode(data, declared_encodings(data))
    kind = _text_kind(text, PurePath(source).suffix.lower())
    if kind == "html":
        from ingest.readers.html import read_html

        return _checked_page(read_html(text, source), source)
    if kind == "markdown":
        from ingest.readers.markdown import read_markdown

        return read_markdown(text, source)
    return read_plain(text, source)


def _checked_page(page: Document, source: str) -> Document:
    """A page, unless it is only the notice that came in place of the file its name promises."""
    marked = {index for start, end in page.boilerplate for index in range(start, end)}
    own = "".join(character for index, character in enumerate(page.text) if index not in marked)
    if PurePath(source).suffix.lower() in _FILE_SUFFIXES and len(own) < _NOTICE_CHARACTERS and "。" not in own:
        raise UnreadableDocument(
            "Its name promises a file, but it is a web page without the text of one (an error or a download page); "
            "download the file itself."
        )
    return page


def refuse_binary(data: bytes) -> None:
    """Raise `UnreadableDocument` naming what the file is, where its first bytes tell."""
    for signature, name in _SIGNATURES:
        if data.startswith(signature) and (len(signature) > 3 or b"\x00" in data[:4096] or signature[0] > 127):
            raise UnreadableDocument(f"It is {name}; {_NEXT}")
    if data[:4] == b"RIFF" and data[8:12] in (b"WEBP", b"WAVE", b"AVI "):
        raise UnreadableDocument(f"It is a picture, a recording or a video ({data[8:12].decode().strip()}); {_NEXT}")
    if data[4:8] == b"ftyp":
        raise UnreadableDocument(f"It is a video or a HEIC picture; {_NEXT}")
    if data.startswith((b"MZ", b"BM")) and b"\x00" in data[:64]:
        name = "a Windows program" if data.startswith(b"MZ") else "a bitmap picture"
        raise UnreadableDocument(f"It is {name}; {_NEXT}")
    if data.startswith(_OLE):
        raise UnreadableDocument(_ole_reason(data))


def _ole_reason(data: bytes) -> str:
    """What a container of the old Office formats holds, told from the names of its streams."""

    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if holds("EncryptedPackage"):
        return "It is a password-protected Office document; remove the password in Word or WPS and add it again."
    for stream, name in (
        ("WordDocument", "an old Word document (.doc)"),
        ("Workbook", "an old Excel workbook (.xls)"),
        ("Book", "an old Excel workbook (.xls)"),
        ("PowerPoint Document", "an old PowerPoint file (.ppt)"),
    ):
        if holds(stream):
            return f"It is {name}; {_NEXT}"
    return f"It is a file of an old Office program; {_NEXT}"


def _text_kind(text: str, suffix: str) -> str:
    start = text[:_SNIFFED_CHARACTERS]
    if _HTML_START.match(start):
        return "html"
    if suffix in (".md", ".markdown"):
        return "markdown"
    tags = len(_HTML_TAG.findall(start))
    if suffix in (".html", ".htm", ".xhtml", ".shtml", ".aspx", ".asp", ".jsp", ".php") and tags:
        return "html"
    if tags >= _FRAGMENT_TAGS and len(start) <= tags * _FRAGMENT_CHARACTERS_PER_TAG:
        return "html"
    return "plain"
