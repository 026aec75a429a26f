"""A table of text: one header and numbered rows, and the limits each file must keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 32_000
SAMPLE_ROWS = 20

#: Refusals of a whole file. Templates take the refusal's params.
REFUSALS: dict[str, str] = {
    "file_empty": "文件是空的",
    "file_no_rows": "文件只有标题行，没有数据",
    "file_type": "不能识别此文件，请上传 CSV 或 XLSX",
    "file_name_mismatch": "文件的内容不是 %(expected)s，请核对后重新上传",
    "file_xls": "不支持旧版 XLS 或加密的工作簿，请另存为不加密的 XLSX",
    "file_macros": "不接受带宏的工作簿，请另存为不带宏的 XLSX",
    "file_damaged": "文件已损坏，无法读取",
    "file_bomb": "压缩包解开后过大，不予处理",
    "file_encrypted": "不支持加密的文件",
    "file_no_sheet": "工作簿中没有数据表",
    "file_encoding": "不能识别文字编码，请另存为 UTF-8 或 GB18030",
    "file_nul": "文件中有空字符（NUL），不是文本文件",
    "file_quotes": "第 %(row)s 行的引号没有配对，或单元格过长",
    "file_json": "第 %(row)s 行不是 JSON 对象",
    "file_too_large": "文件过大：最多 %(max)s MB",
    "file_too_many_rows": "行数过多：最多 %(max)s 行，请拆分后上传",
    "file_too_many_columns": "列数过多：最多 %(max)s 列",
    "header_duplicate": "有两列的标题都是“%(name)s”，请改名后重新上传",
}
#: Problems of one row, found while reading.
TOO_MANY_CELLS, CELL_TOO_LONG = "row_too_many_cells", "cell_too_long"


class FileRefused(ValueError):
    """The file cannot be taken; ``code`` of REFUSALS with its params."""

    def __init__(self, code: str, **params: Any) -> None:
        self.code, self.params = code, params
        self.template = REFUSALS[code]
        super().__init__(self.template % params)


@dataclass(slots=True)
class Row:
    """``no`` counts as the spreadsheet does, the header included. ``problem``: what the reader found wrong."""

    no: int
    cells: list[str]
    problem: str | None = None


@dataclass
class Table:
    """``rows`` may be walked once. ``encoding``, ``delimiter`` and ``sheet`` say how the file was read."""

    header: list[str]
    rows: Iterator[Row]
    format: str
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    notes: list[str] = field(default_factory=list)


def shaped(raw: Iterable[tuple[int, list[str]]]) -> tuple[list[str], Iterator[Row]]:
    """The header (first row that is not blank) and the data rows, each cut and filled to the header's length.

    Blank rows are passed over. Columns without a title are named by their letter. Refuses file_empty,
    file_no_rows, file_too_many_columns, file_too_many_rows, header_duplicate.
    """
    rows = iter(raw)
    header: list[str] = []
    for _, cells in rows:
        header = [" ".join(cell.split()) for cell in cells]
        while header and not header[-1]:
            header.pop()
        if header:
            break
    if not header:
        raise FileRefused("file_empty")
    if len(header) > MAX_COLUMNS:
        raise FileRefused("file_too_many_columns", max=MAX_COLUMNS)
    seen: set[str] = set()
    for place, name in enumerate(header):
        name = name[:200] or f"({letter(place)})"
        if name.casefold() in seen:
            raise FileRefused("header_duplicate", name=name)
        seen.add(name.casefold())
        header[place] = name
    data = _rows(rows, len(header))
    first = next(data, None)
    if first is None:
        raise FileRefused("file_no_rows")
    return header, _again(first, data)


def _again(first: Row, rest: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rest


def _rows(raw: Iterator[tuple[int, list[str]]], width: int) -> Iterator[Row]:
    count = 0
    for number, cells in raw:
        if not any(cells) or not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > MAX_ROWS:
            raise FileRefused("file_too_many_rows", max=MAX_ROWS)
        problem = None
        if len(cells) > width:
            if any(cell.strip() for cell in cells[width:]):
                problem = TOO_MANY_CELLS
            cells = cells[:width]
        elif len(cells) < width:
            cells = cells + [""] * (width - len(cells))
        for place, cell in enumerate(cells):
            if len(cell) > MAX_CELL:
                problem = CELL_TOO_LONG
                cells[place] = cell[:200] + "…"
        yield Row(number, cells, problem)


def letter(place: int) -> str:
    """The spreadsheet's letter of a column counted from 0: A, B … Z, AA."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name
