"""Small files of the Office formats, built byte by byte, so that any part of them can be broken."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_ODF = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"))
)


def package(parts: dict[str, str | bytes]) -> bytes:
    """A zip package of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def xlsx_parts(
    *sheets: tuple[str, str], styles: str = "", strings: Sequence[str] = (), state: str = ""
) -> dict[str, str | bytes]:
    """The parts of a workbook; a sheet is its name and the XML inside of `worksheet`; `state` is the last sheet's."""
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="r{number}"'
        + (f' state="{state}"' if state and number == len(sheets) else "")
        + "/>"
        for number, (name, _) in enumerate(sheets, start=1)
    )
    links = "".join(
        f'<Relationship Id="r{number}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(sheets) + 1)
    )
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{links}</Relationships>",
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{items}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>',
    }
    for number, (_, content) in enumerate(sheets, start=1):
        parts[f"xl/worksheets/sheet{number}.xml"] = f'<worksheet xmlns="{_MAIN}">{content}</worksheet>'
    return parts


def inline(reference: str, text: str) -> str:
    """A cell with its text in it."""
    return f'<c r="{reference}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def sheet(rows: Mapping[int, Sequence[str]], merges: Sequence[str] = ()) -> str:
    """The XML of a sheet by row number and cells."""
    merged = "".join(f'<mergeCell ref="{reference}"/>' for reference in merges)
    return (
        "<sheetData>"
        + "".join(f'<row r="{number}">{"".join(cells)}</row>' for number, cells in rows.items())
        + f"</sheetData><mergeCells>{merged}</mergeCells>"
    )


def opendocument(kind: str, body: str, styles: str = "") -> dict[str, str | bytes]:
    """The parts of an OpenDocument file; `kind` is `text` or `spreadsheet`."""
    return {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": f"<office:document-content {_ODF}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
    }


def ole(streams: dict[str, bytes]) -> bytes:
    """A container ([MS-CFB]) of these streams; each is padded to the size from which it has sectors of its own."""
    padded = {name: content.ljust(4096, b"\x00") for name, content in streams.items()}
    sectors: list[bytes] = []
    table: list[int] = []
    starts: dict[str, int] = {}

    def add(content: bytes) -> int:
        first = len(sectors)
        count = -(-len(content) // SECTOR)
        sectors.extend(content[index * SECTOR : (index + 1) * SECTOR].ljust(SECTOR, b"\x00") for index in range(count))
        table.extend([*range(first + 1, first + count), _END])
        return first

    for name, content in padded.items():
        starts[name] = add(content)
    entries = [_entry("Root Entry", 5, child=1 if streams else _FREE)]
    for number, (name, content) in enumerate(padded.items(), start=1):
        entries.append(
            _entry(name, 2, right=number + 1 if number < len(padded) else _FREE, start=starts[name], size=len(content))
        )
    while len(entries) % 4:
        entries.append(_entry("", 0))
    directory = add(b"".join(entries))
    fat_sectors = 1
    while fat_sectors * (SECTOR // 4) < len(table) + fat_sectors:
        fat_sectors += 1
    first_fat = len(sectors)
    table += [_FAT] * fat_sectors
    raw = struct.pack(f"<{len(table)}I", *table).ljust(fat_sectors * SECTOR, b"\xff")
    sectors.extend(raw[index * SECTOR : (index + 1) * SECTOR] for index in range(fat_sectors))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, fat_sectors, directory, 0, 4096, _END, 0, _END, 0
    )
    fat_places = [first_fat + index for index in range(fat_sectors)]
    header += struct.pack("<109I", *fat_places, *[_FREE] * (109 - fat_sectors))
    return header + b"".join(sectors)


def _entry(name: str, kind: int, *, right: int = _FREE, child: int = _FREE, start: int = 0, size: int = 0) -> bytes:
    raw = (name + "\x00").encode("utf-16-le") if name else b""
    return struct.pack(
        "<64sHBBIII16xI8x8xIQ", raw, len(raw), kind, 1, _FREE, right, child, 0, start if kind != 5 else _END, size
    )


@dataclass
class Paragraph:
    """A paragraph of a Word file: its mark, its style, and changes of its properties as ready bytes."""

    text: str
    mark: str = "\r"
    style: int = 0
    changes: bytes = b""


@dataclass
class Piece:
    """A run of the text, stored in `encoding`, after bytes that belong to nothing."""

    text: str
    encoding: str = "utf-16-le"
    leftover: bytes = b""


def word(
    paragraphs: Sequence[Paragraph],
    *,
    pieces: Sequence[Piece] | None = None,
    character_changes: Sequence[tuple[int, int, bytes]] = (),
    lists: bytes = b"",
    overrides: bytes = b"",
    flags: int = 0x0200,
    after: str = "",
    table_edit: bytes | None = None,
) -> bytes:
    """A Word 97 file ([MS-DOC]); `after` is text beyond the main one, such as notes; `table_edit` replaces the piece table."""
    text = "".join(paragraph.text + paragraph.mark for paragraph in paragraphs)
    stored = list(pieces) if pieces is not None else [Piece(text + after)]
    main = bytearray(2048)
    table = bytearray()
    places: list[int] = []  # byte of every character
    descriptors, starts = b"", [0]
    for piece in stored:
        main += piece.leftover + b"\x00" * ((len(main) + len(piece.leftover)) % 2)
        raw, width = piece.text.encode(piece.encoding), 2 if piece.encoding == "utf-16-le" else 1
        count = len(raw) // width
        places += [len(main) + width * index for index in range(count)]
        place = len(main) if width == 2 else len(main) * 2 | 0x4000_0000
        descriptors += struct.pack("<HIH", 0, place, 0)
        starts.append(starts[-1] + count)
        main += raw
    places.append(len(main))
    main += b"\x00" * (-len(main) % SECTOR)
    runs = []
    position = 0
    for paragraph in paragraphs:
        position += len(paragraph.text) + 1
        properties = struct.pack("<H", paragraph.style) + paragraph.changes
        properties += b"\x00" * (len(properties) % 2 == 0)
        runs.append((places[position - 1], bytes([len(properties) // 2 + 1]) + properties))
    positions: dict[int, tuple[int, int]] = {}

    def put(index: int, content: bytes, counted: int | None = None) -> None:
        positions[index] = (len(table), len(content) if counted is None else counted)
        table.extend(content)

    put(1, _styles())
    put(13, _pages(main, [(place, place + 2, content) for place, content in runs]))
    marks = [(places[start], places[end], bytes([len(changes)]) + changes) for start, end, changes in character_changes]
    put(12, _pages(main, marks))
    clx = struct.pack(f"<{len(starts)}I", *starts) + descriptors
    put(33, table_edit if table_edit is not None else b"\x02" + struct.pack("<I", len(clx)) + clx)
    count = struct.unpack_from("<H", lists)[0] if lists else 0
    put(73, lists, 2 + 28 * count if lists else 0)
    put(74, overrides)
    main[:32] = struct.pack("<HHHHHH20x", 0xA5EC, 0xC1, 0, 0x0804, 0, flags)
    longs = [0] * 22
    longs[3] = len(text) if pieces is None else starts[-1]
    header = struct.pack("<H28xH22iH", 14, 22, *longs, 93)
    for index in range(93):
        header += struct.pack("<II", *positions.get(index, (0, 0)))
    main[32 : 32 + len(header)] = header
    return ole({"WordDocument": bytes(main), "1Table": bytes(table)})


def _pages(main: bytearray, runs: Sequence[tuple[int, int, bytes]]) -> bytes:
    """Put runs of properties into pages of the main stream and return the table that finds them."""
    bounds, numbers = [], []
    for start, end, content in sorted(runs, key=lambda run: run[0]):
        page = bytearray(SECTOR)
        struct.pack_into("<II", page, 0, start, end)
        offset = (SECTOR - 2 - len(content)) // 2
        page[8] = offset
        page[offset * 2 : offset * 2 + len(content)] = content
        page[-1] = 1
        numbers.append(len(main) // SECTOR)
        bounds.append(start)
        main += page
    bounds.append(bounds[-1] + 2 if bounds else 0)
    return struct.pack(f"<{len(bounds)}I", *bounds) + struct.pack(f"<{len(numbers)}I", *numbers) if runs else b""


def _styles() -> bytes:
    """A style sheet of Normal (0), heading 1 (1), and one based on that (2)."""
    content = struct.pack("<HHH14x", 18, 3, 10)
    for builtin, base, name in ((0, 0xFFF, "Normal"), (1, 0, "heading 1"), (0xFFE, 1, "章名")):
        style = struct.pack("<HHHHH", builtin, 1 | base << 4, 2, 0, 0)
        style += struct.pack("<H", len(name)) + (name + "\x00").encode("utf-16-le")
        style += struct.pack("<HH", 2, 0)
        content += struct.pack("<H", len(style)) + style + b"\x00" * (len(style) % 2)
    return content


def change(code: int, operand: bytes) -> bytes:
    """One change of a property."""
    return struct.pack("<H", code) + operand


IN_TABLE = change(0x2416, b"\x01")


def row_end(edges: Sequence[int], vertical: Sequence[int] = ()) -> Paragraph:
    """The mark that ends a table row, with its layout."""
    cells = b"".join(
        struct.pack("<H18x", (vertical[index] if index < len(vertical) else 0) << 5) for index in range(len(edges) - 1)
    )
    definition = bytes([len(edges) - 1]) + struct.pack(f"<{len(edges)}h", *edges) + cells
    return Paragraph(
        "",
        "\x07",
        changes=IN_TABLE
        + change(0x2417, b"\x01")
        + change(0xD608, struct.pack("<H", len(definition) + 1) + definition),
    )


def cell(text: str) -> Paragraph:
    """A table cell of one paragraph."""
    return Paragraph(text, "\x07", changes=IN_TABLE)


def xls(
    cells: Sequence[tuple[int, int, str | float]],
    merges: Sequence[tuple[int, int, int, int]] = (),
    formats: Sequence[int] = (0,),
) -> bytes:
    """An Excel 97 workbook ([MS-XLS]) of one sheet; a number takes the cell format of its place among the numbers, if any."""

    def record(kind: int, content: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    name = "补贴".encode("utf-16-le")
    head = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 1997, 0, 0)) + record(0x42, struct.pack("<H", 1200))
    font = struct.pack("<HHHHHBBBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0) + b"\x05\x00Arial"
    head += record(0x31, font) * 5
    head += b"".join(record(0xE0, struct.pack("<HHH14x", 0, number, 0)) for number in formats)
    bound = struct.pack("<IHBB", len(head) + 4 + 8 + len(name) + 4, 0, 2, 1) + name
    head += record(0x85, bound) + record(0x0A)
    body = record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 1997, 0, 0))
    seen = 0
    for row, column, value in cells:
        if isinstance(value, str):
            raw = value.encode("utf-16-le")
            body += record(0x204, struct.pack("<HHHHB", row, column, 0, len(value), 1) + raw)
        else:
            body += record(0x203, struct.pack("<HHHd", row, column, min(seen, len(formats) - 1), value))
            seen += 1
    if merges:
        body += record(0xE5, struct.pack("<H", len(merges)) + b"".join(struct.pack("<4H", *merge) for merge in merges))
    return ole({"Workbook": head + body + record(0x0A)})
