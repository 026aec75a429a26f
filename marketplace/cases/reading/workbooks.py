"""XLSX, read as a stream of text cells after the container has been looked through for traps."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.cell import TYPE_FORMULA

from marketplace.cases.reading.table import MAX_COLUMNS, MAX_ROWS, FileRefused, Table, shaped

MAX_UNPACKED = 300 * 1024 * 1024
MAX_RATIO = 150
MAX_ENTRIES = 2000
SMALL = 20 * 1024 * 1024  # below this a high ratio is only an empty sheet
#: Names whose presence means code or foreign content.
CODE = ("vbaproject.bin", "vbadata.xml", "/activex", "/embeddings/", "macrosheets/")


def read_xlsx(content: bytes) -> Table:
    """The first visible sheet that has cells. Formulas are read as their text, never computed.

    Refuses file_damaged, file_encrypted, file_bomb, file_macros, file_type, file_no_sheet and those of
    ``shaped``.
    """
    check_container(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    except Exception as error:  # a library's every way of failing on made-up bytes
        raise _refusal(error) from None
    for sheet in sheets:
        rows = _rows(sheet)
        first = next(rows, None)
        while first is not None and not any(cell.strip() for cell in first[1]):
            first = next(rows, None)
        if first is not None:
            header, data = shaped(_from(first, rows))
            return Table(header, data, "xlsx", sheet=sheet.title)
    raise FileRefused("file_empty" if sheets else "file_no_sheet")


def check_container(content: bytes) -> None:
    """Look through the ZIP directory only: nothing is unpacked before its size is known to be bearable."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise FileRefused("file_damaged") from None
    names = [entry.filename.casefold() for entry in entries]
    if any(entry.flag_bits & 1 for entry in entries):
        raise FileRefused("file_encrypted")
    unpacked, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED:
        raise FileRefused("file_bomb")
    if unpacked > SMALL and unpacked > MAX_RATIO * max(packed, 1):
        raise FileRefused("file_bomb")
    if any(mark in name for name in names for mark in CODE):
        raise FileRefused("file_macros")
    if "[content_types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise FileRefused("file_type")


def _from(first: tuple[int, list[str]], rest: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rest


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # the stated size may lie
    blank = 0
    try:
        for number, row in enumerate(sheet.iter_rows(), start=1):
            if len(row) > 5 * MAX_COLUMNS:
                raise FileRefused("file_too_many_columns", max=MAX_COLUMNS)
            cells = [_text(cell) for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            # a cell far below (or an endless gap) must not keep us walking for ever
            blank = 0 if cells else blank + 1
            if blank > MAX_ROWS:
                raise FileRefused("file_too_many_rows", max=MAX_ROWS)
            if cells:
                yield number, cells
    except FileRefused:
        raise
    except Exception as error:
        raise _refusal(error) from None


def _refusal(error: Exception) -> FileRefused:
    """Forbidden XML (entities, external references) is a bomb, anything else damage."""
    causes = (error, error.__cause__)  # the workbook library wraps what the parser says
    bomb = any(type(cause).__module__.startswith("defusedxml") for cause in causes)
    return FileRefused("file_bomb" if bomb else "file_damaged")


def _text(cell: Any) -> str:
    """A cell as a person would type it: whole numbers without ``.0``, dates as ISO days."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == TYPE_FORMULA and not isinstance(value, str):
        return "=" + str(getattr(value, "text", "") or "").lstrip("=")
    if isinstance(value, str):
        return value.replace("\x00", "").replace("_x000D_", "").strip() if cell.data_type != TYPE_FORMULA else value
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        # fifteen digits are all a spreadsheet keeps; more would show the binary remainder of 1234.1
        return format(Decimal(f"{value:.15g}"), "f")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
