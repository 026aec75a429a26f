"""Files to download: the rows that were not taken, with their reasons; templates to fill in.

Whatever a spreadsheet would compute is written as text: a leading apostrophe before = + - @ and controls.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from sqlalchemy import select

from marketplace.cases.imports.faults import ERROR, text_of
from marketplace.cases.imports.fields import TARGETS
from marketplace.cases.imports.upload import rows_of
from marketplace.cases.models import ImportFault, ImportRun
from marketplace.core.db import db
from marketplace.core.i18n import _

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(text: str) -> str:
    """``text`` so that no spreadsheet takes it for a formula (CSV injection)."""
    return "'" + text if text.startswith(RISKY) else text


def as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with a byte-order mark, so that spreadsheets read the Chinese right."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
    return ("\ufeff" + out.getvalue()).encode("utf-8")


def bad_rows(run: ImportRun) -> bytes:
    """The rows that were not taken, as they stood, with row number and reasons behind; ready to correct and
    upload again."""
    reasons: dict[int, list[str]] = {}
    for fault in db.session.scalars(
        select(ImportFault)
        .where(ImportFault.run_id == run.id, ImportFault.severity == ERROR)
        .order_by(ImportFault.row_no, ImportFault.id)
    ):
        where = f"{fault.column}: " if fault.column else ""
        reasons.setdefault(fault.row_no, []).append(where + text_of(fault))
    numbers = list(reasons)
    rows: list[list[str]] = [[*run.columns, _("行号"), _("原因")]]
    for start in range(0, len(numbers), 5000):
        chunk = numbers[start : start + 5000]
        cells = rows_of(run.id, chunk)
        rows += [[*cells.get(n, [""] * len(run.columns)), str(n), "；".join(reasons[n])] for n in chunk]
    return as_csv(rows)


def template_csv(target: str) -> bytes:
    """One header row in the reader's language and one example row to overwrite."""
    fields = TARGETS[target]
    return as_csv([[str(field.label) for field in fields], [field.example for field in fields]])


def template_xlsx(target: str) -> bytes:
    """The same as a workbook, with a second sheet that explains each column."""
    fields = TARGETS[target]
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = _("数据")
    sheet.append([str(field.label) for field in fields])
    sheet.append([field.example for field in fields])
    for place, field in enumerate(fields, start=1):
        sheet.cell(1, place).font = Font(bold=True)
        column = get_column_letter(place)
        sheet.column_dimensions[column].width = 30 if field.limit > 300 else 18
        for row in range(2, 1002):  # numbers and dates as written, never turned into something else
            sheet.cell(row, place).number_format = "@"
    sheet.freeze_panes = "A2"
    book.create_sheet(_("填写说明"))
    help_sheet = book.worksheets[1]
    help_sheet.append([_("列"), _("必填"), _("格式"), _("示例"), _("说明")])
    kinds = {
        "date": _("日期，如 2024-01-31"),
        "amount": _("金额（元），也可写 12.5万"),
        "list": _("多项用分号隔开"),
        "uscc": _("18 位统一社会信用代码"),
        "percent": _("百分比，0 至 100"),
        "rank": _("整数"),
        "count": _("整数"),
    }
    for field in fields:
        help_sheet.append(
            [
                str(field.label),
                _("是") if field.required else "",
                kinds.get(field.type, _("文字")),
                field.example,
                str(field.hint),
            ]
        )
    for column, width in zip("ABCDE", (26, 8, 28, 30, 50), strict=True):
        help_sheet.column_dimensions[column].width = width
    for row in help_sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
