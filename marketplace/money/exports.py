"""A release order as a file for the bank: CSV (UTF-8 with mark, for spreadsheets) or XLSX, safe from formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from openpyxl import Workbook

from marketplace.money.models import ReleaseItem, ReleaseOrder

HEADER = ("序号", "收款人户名", "收款人账号", "收款人开户行", "金额", "币种", "附言", "付款单号", "明细编号")
TEXT_FORMAT = "@"


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: a leading sign gets an apostrophe."""
    line = " ".join(text.split())
    return f"'{line}" if line[:1] in ("=", "+", "-", "@", "|", "%") else line


def rows(order: ReleaseOrder, items: Sequence[ReleaseItem]) -> list[tuple[str, ...]]:
    """Amounts as ``1234.56`` without grouping, as bank batch payments take them."""
    return [
        (
            str(no),
            safe(item.payee_name),
            safe(item.payee_account),
            safe(item.payee_bank),
            f"{item.amount_minor // 100}.{item.amount_minor % 100:02d}",
            order.currency,
            safe(item.remark),
            order.number,
            str(item.id),
        )
        for no, item in enumerate(items, start=1)
    ]


def as_csv(order: ReleaseOrder, items: Sequence[ReleaseItem]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows(rows(order, items))
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(order: ReleaseOrder, items: Sequence[ReleaseItem]) -> bytes:
    """Every cell is text, so that no account number loses digits."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = order.number
    for line in (HEADER, *rows(order, items)):
        sheet.append(line)
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.data_type, cell.number_format = "s", TEXT_FORMAT
    out = io.BytesIO()
    book.save(out)
    book.close()
    return out.getvalue()
