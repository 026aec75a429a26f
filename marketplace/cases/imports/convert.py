"""Cells into values: one converter a type; a row gives its values and every fault in it at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from marketplace.cases.imports.faults import WARNING, Fault
from marketplace.cases.imports.fields import CHOICES, TARGETS, Field, fields_of
from marketplace.cases.reading.dates import DateRefused, parse_date
from marketplace.core.money import MoneyRefused, parse_minor

_LIST = re.compile(r"[|;；\n、]+|,(?=\s*\S)|，")
_CODES = re.compile(r"[|;；\n、,，\s]+")
_DIGITS = re.compile(r"^-?\d{1,9}$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]")


class CellRefused(ValueError):
    def __init__(self, code: str, **params: Any) -> None:
        self.code, self.params = code, params
        super().__init__(code)


def _text(cell: str, field: Field, unit: str) -> str:
    text = _CONTROL.sub("", cell).strip() if not cell.isprintable() else cell
    if len(text) > field.limit:
        raise CellRefused("too_long", length=len(text), max=field.limit)
    return text


def _date(cell: str, field: Field, unit: str) -> Any:
    try:
        return parse_date(cell)
    except DateRefused as refused:
        raise CellRefused(refused.code) from None


def _amount(cell: str, field: Field, unit: str) -> int:
    plain = unicodedata.normalize("NFKC", cell).strip()
    if unit and plain[-1:].isdigit():
        plain += unit
    try:
        return parse_minor(plain)
    except MoneyRefused as refused:
        raise CellRefused(refused.code) from None


def _whole(cell: str, low: int, high: int) -> int:
    text = unicodedata.normalize("NFKC", cell).strip().removeprefix("第").removesuffix("年").removesuffix("位")
    text = text.removesuffix(".0")
    if not _DIGITS.match(text):
        raise CellRefused("number_format")
    if not low <= int(text) <= high:
        raise CellRefused("number_range", low=low, high=high)
    return int(text)


def _percent(cell: str, field: Field, unit: str) -> int:
    text = unicodedata.normalize("NFKC", cell).strip()
    if re.fullmatch(r"0?\.\d{1,2}|1\.0+|0\.0+", text):  # a percent cell of a spreadsheet is a fraction
        return round(float(text) * 100)
    return _whole(text.removesuffix("%").strip(), 0, 100)


def _list(cell: str, field: Field, unit: str) -> list[str]:
    pattern = _CODES if field.name in ("ipc", "nice") else _LIST
    if field.limit and len(cell) > max(field.limit, 2000):
        raise CellRefused("too_long", length=len(cell), max=max(field.limit, 2000))
    return [part.strip() for part in pattern.split(cell) if part.strip()]


def _choice(cell: str, field: Field, unit: str) -> str:
    word = " ".join(unicodedata.normalize("NFKC", cell).casefold().split())
    code = CHOICES[field.type].get(word) or CHOICES[field.type].get(word.replace(" ", ""))
    if code is None:
        raise CellRefused("choice_unknown")
    return code


def _currency(cell: str, field: Field, unit: str) -> str:
    word = unicodedata.normalize("NFKC", cell).strip().upper()
    word = {"人民币": "CNY", "RMB": "CNY", "¥": "CNY", "元": "CNY", "美元": "USD", "欧元": "EUR", "港币": "HKD"}.get(
        word, word
    )
    if not re.fullmatch(r"[A-Z]{3}", word):
        raise CellRefused("currency_unknown")
    return word


CONVERTERS: dict[str, Callable[[str, Field, str], Any]] = {
    "text": _text,
    "uscc": _text,
    "date": _date,
    "amount": _amount,
    "rank": lambda cell, field, unit: _whole(cell, 1, 99),
    "count": lambda cell, field, unit: _whole(cell, 0, 30),
    "percent": _percent,
    "list": _list,
    "kind": _choice,
    "path": _choice,
    "basis": _choice,
    "currency": _currency,
}


class RowReader:
    """Reads rows of one file by its mapping (field → column) and defaults (field → text)."""

    def __init__(self, target: str, columns: Sequence[str], mapping: dict[str, str], defaults: dict[str, str]) -> None:
        fields = fields_of(target)
        places = {column: place for place, column in enumerate(columns)}
        self.columns = {name: mapping[name] for name in mapping if name in fields and mapping[name] in places}
        self.plan: list[tuple[Field, int | None, str, Callable[[str, Field, str], Any], str]] = []
        for field in TARGETS[target]:
            column = self.columns.get(field.name)
            default = (defaults.get(field.name) or "").strip()
            if column is None and not default and not field.required:
                continue
            unit = _unit(column) if column and field.type == "amount" else ""
            place = places[column] if column is not None else None
            self.plan.append((field, place, default, CONVERTERS[field.type], unit))

    def read(self, cells: Sequence[str]) -> tuple[dict[str, Any], dict[str, str], list[Fault]]:
        """``(values, texts as they stood, faults)``; a field with a fault has no value."""
        values: dict[str, Any] = {}
        written: dict[str, str] = {}
        faults: list[Fault] = []
        for field, place, default, convert, unit in self.plan:
            cell = cells[place].strip() if place is not None else ""
            name = field.name
            if cell:
                written[name] = cell
            else:
                cell = default
                if not cell:
                    continue
            try:
                values[name] = convert(cell, field, unit)
            except CellRefused as refused:
                code = "cell_formula" if cell.startswith("=") else refused.code
                faults.append(Fault(code, name, cell[:200], refused.params))
                continue
            if field.type == "text" and cell.startswith(("=", "@")):
                faults.append(Fault("cell_formula_text", name, cell[:200], severity=WARNING))
        if not values.get("title") and values.get("title_en"):
            values["title"] = values["title_en"]
        bad = {fault.field for fault in faults if fault.severity != WARNING}
        faults += [
            Fault("required_missing", field.name)
            for field, *_ in self.plan
            if field.required and field.name not in values and field.name not in bad
        ]
        return values, written, faults


def _unit(column: str) -> str:
    """万 or 亿 when the header says so: 贷款本金（万元）."""
    text = unicodedata.normalize("NFKC", column)
    for unit in ("万", "亿"):
        if unit + "元" in text:
            return unit
    return ""
