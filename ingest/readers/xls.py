"""Old Excel workbooks (.xls): cells, merges and number formats of every visible sheet."""

from __future__ import annotations

import io
from typing import Any

import xlrd

from ingest.errors import UnreadableDocument
from ingest.readers.spreadsheet import Budget, Sheet, number_text, sheets_document
from vectorstore.passage import Document

MEDIA_TYPE = "application/vnd.ms-excel"
# The format holds at most 65,536 x 256 cells a sheet, two bytes and more each; workbooks of text stay below this.
MAX_XLS_BYTES = 24 * 1024 * 1024


def read_xls(data: bytes, source: str) -> Document:
    """A document of the workbook's visible sheets.

    Raises `UnreadableDocument` for a damaged or encrypted workbook and for one that holds more than any document.
    """
    if len(data) > MAX_XLS_BYTES:
        raise UnreadableDocument(
            f"It has {len(data) / 2**20:.0f} MiB and the limit for an old Excel workbook is {MAX_XLS_BYTES // 2**20} MiB; "
            "save it as .xlsx, or split it."
        )
    try:
        workbook = xlrd.open_workbook(
            file_contents=data, formatting_info=True, on_demand=True, ragged_rows=True, logfile=io.StringIO()
        )
        budget = Budget()
        read = [_sheet(workbook, number, budget) for number in range(workbook.nsheets)]
    except UnreadableDocument:
        raise
    except Exception as error:  # the library lets through whatever damaged records lead it to
        if "encrypt" in str(error).lower() or "password" in str(error).lower():
            raise UnreadableDocument(
                "It is an Excel workbook protected with a password; remove the password and add it again."
            ) from error
        raise UnreadableDocument(
            "It is damaged and cannot be opened as an Excel workbook; open it in Excel or WPS and save it as .xlsx."
        ) from error
    visible = [sheet for sheet, shown in read if shown]
    hidden = len(read) - len(visible) if visible else 0
    notes = (f"Hidden sheets left out: {hidden}.",) if hidden else ()
    return sheets_document(visible or [sheet for sheet, _ in read], source, MEDIA_TYPE, notes)


def _sheet(workbook: Any, number: int, budget: Budget) -> tuple[Sheet, bool]:
    """A sheet, and whether it is shown."""
    opened = workbook.sheet_by_index(number)
    sheet = Sheet(str(opened.name))
    for row in range(opened.nrows):
        for column, cell in enumerate(opened.row(row)):
            text = _text(workbook, cell)
            if text.strip():
                budget.take(text)
                sheet.rows.setdefault(row, {})[column] = text
    for first, end, left, right in opened.merged_cells:
        budget.take("")
        sheet.merges.append((first, end - 1, left, right - 1))
    workbook.unload_sheet(number)
    return sheet, opened.visibility == 0


def _text(workbook: Any, cell: Any) -> str:
    if cell.ctype == xlrd.XL_CELL_TEXT:
        return str(cell.value)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return "TRUE" if cell.value else "FALSE"
    if cell.ctype not in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
        return ""
    identifier, code = 0, ""
    if cell.xf_index is not None and cell.xf_index < len(workbook.xf_list):
        identifier = workbook.xf_list[cell.xf_index].format_key
        found = workbook.format_map.get(identifier)
        code = found.format_str if found is not None else ""
    return number_text(float(cell.value), code, identifier, since_1904=bool(workbook.datemode))
