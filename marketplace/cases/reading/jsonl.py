"""JSON Lines: one object a line; its keys are the columns. For the command line only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from marketplace.cases.reading.table import FileRefused, Table, shaped


def read_jsonl(content: bytes) -> Table:
    """Columns are the keys of all objects, in the order first met; lists are joined by ``|``, null is empty.

    Refuses file_encoding, file_json and those of ``shaped``.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("file_encoding") from None
    columns: dict[str, None] = {}
    for _, record in _objects(text):
        columns.update(dict.fromkeys(record))
    header, rows = shaped(_cells(text, list(columns)))
    return Table(header, rows, "jsonl", encoding="UTF-8")


def _objects(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    # not splitlines(): U+2028 and the like may stand inside a JSON text
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            raise FileRefused("file_json", row=number) from None
        if not isinstance(record, dict):
            raise FileRefused("file_json", row=number)
        yield number, record


def _cells(text: str, columns: list[str]) -> Iterator[tuple[int, list[str]]]:
    yield 0, columns
    for number, record in _objects(text):
        yield number, [_text(record.get(name)) for name in columns]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "|".join(_text(item) for item in value)
    if isinstance(value, (dict, bool)):
        return json.dumps(value, ensure_ascii=False)
    return str(value).replace("\x00", "")
