"""A small sound file of every format, to be damaged."""

from __future__ import annotations

import io

import docx

from evaluation.scoreboard.office_files import (
    Paragraph,
    cell,
    inline,
    opendocument,
    package,
    row_end,
    sheet,
    word,
    xls,
    xlsx_parts,
)

TEXT = "海州市人才安居办法\n第一条 博士每人补贴15万元。\n第二条 自2024年7月29日起施行。\n"


def docx_file() -> bytes:
    """A Word file with a heading, a list and a table."""
    opened = docx.Document()
    opened.add_heading("海州市人才安居办法", level=1)
    opened.add_paragraph("第一条 博士每人补贴15万元。", style="List Number")
    table = opened.add_table(rows=2, cols=2)
    for target, text in zip(table._cells, ("地区", "标准", "东浦区", "每月880元"), strict=True):
        target.text = text
    buffer = io.BytesIO()
    opened.save(buffer)
    return buffer.getvalue()


ROWS = {1: [inline("A1", "地区"), inline("B1", "标准")], 2: [inline("A2", "东浦区"), '<c r="B2" s="1"><v>880</v></c>']}
SHEET = sheet(ROWS, ["A1:A1"])
TABLE_ROW = "<table:table-row><table:table-cell><text:p>东浦区</text:p></table:table-cell><table:table-cell><text:p>880元</text:p></table:table-cell></table:table-row>"
ODF_TABLE = f'<table:table table:name="标准">{TABLE_ROW * 2}</table:table>'
TABLE = [cell("地区"), cell("标准"), row_end([0, 1000, 2000]), cell("东浦区"), cell("880元"), row_end([0, 1000, 2000])]

SAMPLES: dict[str, bytes] = {
    "a.txt": TEXT.encode("gb18030"),
    "a.md": ("# " + TEXT + "\n| 地区 | 标准 |\n|---|---|\n| 东浦区 | 880元 |\n").encode(),
    "a.html": f"<html><body><h1>办法</h1><p>{TEXT}</p><table><tr><td>地区</td><td>标准</td></tr><tr><td rowspan=2>东</td><td>1</td></tr></table></body></html>".encode(),
    "a.rtf": rb"{\rtf1\ansi\ansicpg936{\fonttbl{\f0\fcharset134 S;}}\f0\'b5\'da\'d2\'bb\'cc\'f5\par\trowd\cellx100\cellx200\intbl a\cell b\cell\row}",
    "a.docx": docx_file(),
    "a.xlsx": package(xlsx_parts(("标准", SHEET), strings=["文本"])),
    "a.xls": xls([(0, 0, "地区"), (0, 1, 880.0), (1, 0, "东浦区"), (1, 1, 42611.0)], [(0, 1, 0, 0)], [0, 14]),
    "a.ods": package(opendocument("spreadsheet", ODF_TABLE)),
    "a.odt": package(
        opendocument("text", f'<text:h text:outline-level="1">办法</text:h><text:p>第一条</text:p>{ODF_TABLE}')
    ),
    "a.doc": word(
        [Paragraph("海州市办法", style=1), Paragraph("第一条 见\x13 REF \x14附件\x15。"), *TABLE, Paragraph("完。")]
    ),
}
