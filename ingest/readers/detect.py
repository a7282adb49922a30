"""Which reader a file goes to: its content decides, its name only breaks ties between texts."""

from __future__ import annotations

import re
from pathlib import PurePath

from ingest.errors import UnreadableDocument
from ingest.readers.building import MAX_TEXT_CHARACTERS
from ingest.readers.encoding import declared_encodings, decode
from ingest.readers.package import EXCEL_PART, SIGNATURES, WORD_PART, check_package
from ingest.readers.plain import read_plain
from vectorstore.passage import Document

# The other readers are imported where a file needs them: their libraries take 0.4 s, which a question must not wait for.

# A policy document has at most some ten thousand pages of text; beyond 50 MiB it is a scan, an archive or an attack.
MAX_BYTES = 50 * 1024 * 1024

SUPPORTED = (
    ".txt, .md, .html, .pdf, pictures, .docx, .doc, .wps, .rtf, .odt, .xlsx, .xls, .ods, and .zip archives of these"
)
_NEXT = f"supported are {SUPPORTED}. Save it as one of these and add it again."

# Leading bytes of what people drop in by mistake, and what to call it.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x7fELF", "a Linux program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"ID3", "an MP3 recording"),
    (b"OggS", "an Ogg recording"),
    (b"%!PS", "a PostScript document"),
    (b"AT&TFORM", "a DjVu document"),
)
# Pictures are read by text recognition; a bitmap and a WebP picture need a second look at their bytes.
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML_START = re.compile(r"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_HTML_TAG = re.compile(
    r"</?(?:p|div|table|tbody|tr|td|br|span|script|style|font|ul|li|h[1-6]|meta|link|title)\b[^<>]*>", re.I
)
_OFFICE_XML = re.compile(
    r"\s*<\?xml[^>]*\?>\s*(?:<\?mso-application\s+progid=\"(?P<program>[\w.]+)\"|<(?:w:wordDocument|pkg:package)\b)"
)
# The head of a saved message.
_HEADER_BYTES = 2_048
# A text that only mentions a tag has one or two of them; a fragment of a page has a tag in every paragraph.
_FRAGMENT_TAGS = 3
_FRAGMENT_CHARACTERS_PER_TAG = 400
_SNIFFED_CHARACTERS = 20_000
# What servers send in place of a file: a page of some sentences, none of them Chinese prose.
_FILE_SUFFIXES = frozenset(
    (".pdf", ".doc", ".docx", ".wps", ".rtf", ".odt", ".xls", ".xlsx", ".ods", ".ppt", ".pptx", ".zip", ".rar")
)
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
    if data.startswith(SIGNATURES):
        return _read_package(data, source)
    if data.startswith(_OLE):
        return _read_ole(data, source)
    if re.match(rb"\s*\{\\rtf", data[:64]):
        from ingest.readers.rtf import read_rtf

        return read_rtf(data, source)
    if is_picture(data):
        from ingest.readers.images import read_image

        return read_image(data, source)
    refuse_binary(data)
    if data[:_HEADER_BYTES].lower().find(b"mime-version:") >= 0:
        from ingest.readers import mhtml

        if mhtml.is_web_archive(data):
            data = mhtml.page_of(data).encode()
    text = decode(data, declared_encodings(data))
    _refuse_office_xml(text)
    kind = _text_kind(text, PurePath(source).suffix.lower())
    if kind == "html":
        from ingest.readers.html import read_html

        return _checked_page(read_html(text, source), source)
    if kind == "markdown":
        from ingest.readers.markdown import read_markdown

        return read_markdown(text, source)
    return read_plain(text, source)


def _read_package(data: bytes, source: str) -> Document:
    body = check_package(data, _NEXT)
    if body == WORD_PART:
        from ingest.readers.docx import read_docx

        return read_docx(data, source)
    if body == EXCEL_PART:
        from ingest.readers.xlsx import read_xlsx

        return read_xlsx(data, source)
    from ingest.readers.opendocument import read_opendocument

    return read_opendocument(data, source)


def _read_ole(data: bytes, source: str) -> Document:
    """A file of the old Office programs, told from the names of its streams."""
    from ingest.readers.ole import open_container

    with open_container(data) as container:
        streams = {entry[0].lower() for entry in container.listdir()}
    if "encryptedpackage" in streams:
        raise UnreadableDocument(
            "It is a password-protected Office document; remove the password in Word, Excel or WPS and add it again."
        )
    if "worddocument" in streams:
        from ingest.readers.doc import read_doc

        return read_doc(data, source)
    if streams & {"workbook", "book"}:
        from ingest.readers.xls import read_xls

        return read_xls(data, source)
    name = "an old PowerPoint file (.ppt)" if "powerpoint document" in streams else "a file of an old Office program"
    raise UnreadableDocument(f"It is {name}; {_NEXT}")


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


def is_picture(data: bytes) -> bool:
    """Whether the first bytes are those of a JPEG, PNG, GIF, TIFF, BMP or WebP picture."""
    if data[:4] == b"RIFF":
        return data[8:12] == b"WEBP"
    return data.startswith(_PICTURES) or (data.startswith(b"BM") and b"\x00" in data[6:10])


def refuse_binary(data: bytes) -> None:
    """Raise `UnreadableDocument` naming what the file is, where its first bytes tell."""
    for signature, name in _SIGNATURES:
        if data.startswith(signature) and (len(signature) > 3 or b"\x00" in data[:4096] or signature[0] > 127):
            raise UnreadableDocument(f"It is {name}; {_NEXT}")
    if data[:4] == b"RIFF" and data[8:12] in (b"WAVE", b"AVI "):
        raise UnreadableDocument(f"It is a recording or a video ({data[8:12].decode().strip()}); {_NEXT}")
    if data[4:8] == b"ftyp":
        raise UnreadableDocument(f"It is a video or a HEIC picture; {_NEXT}")
    if data.startswith(b"MZ") and b"\x00" in data[:64]:
        raise UnreadableDocument(f"It is a Windows program; {_NEXT}")


def _refuse_office_xml(text: str) -> None:
    """The XML formats of Office 2003 are text, but none that anybody could read."""
    match = _OFFICE_XML.match(text[:_SNIFFED_CHARACTERS])
    if match:
        name = "an Excel workbook as XML" if match["program"] == "Excel.Sheet" else "a Word document as XML"
        raise UnreadableDocument(f"It is {name} (Office 2003); {_NEXT}")


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
