"""What a bank types about one right, checked whole: every fault at its field, at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from marketplace.core.errors import Invalid, Problem
from marketplace.core.i18n import _l
from marketplace.rights import bulk
from marketplace.rights.facts import DATES, EXTRA_DATES, EXTRA_TRAITS
from marketplace.rights.rules.annuities import term_years
from marketplace.rights.rules.kinds import KINDS, Kind
from marketplace.rights.words import say

TEXT_LIMITS = {
    "title": 300,
    "title_en": 500,
    "abstract": 20_000,
    "abstract_en": 20_000,
    "holder_name": 200,
    "industry": 10,
    "region_code": 12,
}
#: Days that lie behind us when a bank enters them.
PAST = (*DATES, "author_death", "first_commercial_use")
EARLIEST = date(1900, 1, 1)
_IPC = re.compile(r"^[A-H](\d{2}([A-Z](\d{1,4}(/\d{2,6})?)?)?)?$")
_INDUSTRY = re.compile(r"^[A-T]?\d{0,4}$")
_REGION = re.compile(r"^\d{2}(\d{2}(\d{2})?)?$")


def one_line(value: Any) -> str | None:
    """Text without control or direction marks and without surplus blanks; None when nothing is left."""
    if value is None:
        return None
    kept = "".join(
        " " if sign in "\r\n\t" else sign
        for sign in str(value)
        if sign in "\r\n\t" or unicodedata.category(sign)[0] != "C"
    )
    return " ".join(unicodedata.normalize("NFC", kept).split()) or None


def _paragraphs(value: Any) -> str | None:
    lines = [one_line(line) or "" for line in str(value or "").splitlines()]
    return "\n".join(lines).strip() or None


def _list(value: Any) -> list[str]:
    items = re.split(r"[;；|、\n]", value) if isinstance(value, str) else list(value or [])
    found = [text for item in items if (text := one_line(item))]
    return list(dict.fromkeys(found))


class Intake:
    """One reading of ``data``; ``values`` are columns of ``right``, ``extra`` its further traits."""

    def __init__(self, data: Mapping[str, Any], today: date) -> None:
        self.data, self.today = data, today
        self.problems: list[Problem] = []
        self.values: dict[str, Any] = {}
        self.extra: dict[str, Any] = {}

    def fault(self, code: str, message: Any, field: str, **params: Any) -> None:
        self.problems.append(Problem(code, message, field, params))

    def day(self, name: str) -> date | None:
        value = self.data.get(name)
        if value is None or value == "" or isinstance(value, date):
            return value or None
        try:
            return date.fromisoformat(str(value).strip())
        except ValueError:
            self.fault("date_format", _l("日期应写作 2026-11-22"), name)
            return None

    def number(self, name: str, low: int, high: int) -> int | None:
        value = self.data.get(name)
        if value is None or value == "":
            return None
        try:
            found = int(str(value).strip())
        except ValueError:
            found = low - 1
        if not low <= found <= high:
            self.fault(
                "number_range", _l("请填写 %(low)s 至 %(high)s 的整数", low=low, high=high), name, low=low, high=high
            )
            return None
        return found

    def texts(self) -> None:
        for name, limit in TEXT_LIMITS.items():
            read = _paragraphs if name.startswith("abstract") else one_line
            self.values[name] = text = read(self.data.get(name))
            if text and len(text) > limit:
                self.fault("too_long", _l("最多 %(max)s 个字", max=limit), name, max=limit)
        self.values["holder_uscc"] = one_line(self.data.get("holder_uscc"))
        self.values["publication_no"] = one_line(self.data.get("publication_no"))
        if self.values["publication_no"] and len(self.values["publication_no"]) > 40:
            self.fault("too_long", _l("最多 %(max)s 个字", max=40), "publication_no", max=40)

    def dates(self) -> None:
        for name in (*DATES, "renewed_until"):
            self.values[name] = self.day(name)
        for name in EXTRA_DATES:
            day = self.day(name)
            self.extra[name] = day.isoformat() if day else None
        for name in (*DATES, *EXTRA_DATES, "renewed_until"):
            day = self.values.get(name) or (date.fromisoformat(self.extra[name]) if self.extra.get(name) else None)
            if day and name in PAST and day > self.today:
                self.fault("date_in_future", _l("日期不能晚于今天"), name)
            if day and not EARLIEST <= day <= date(2200, 12, 31):
                self.fault("date_range", _l("请核对年份"), name)

    def lists(self) -> None:
        self.values["co_owners"] = owners = _list(self.data.get("co_owners"))
        if len(owners) > 50 or any(len(owner) > 200 for owner in owners):
            self.fault("too_long", _l("共有人最多 50 个，每个最多 200 个字"), "co_owners")
        ipc = [item.upper().replace(" ", "") for item in _list(str_list(self.data.get("ipc")))]
        self.values["ipc"] = ipc
        for item in ipc[:51]:
            if not _IPC.match(item):
                self.fault(
                    "ipc_format", _l("“%(found)s”不是 IPC 分类号，例如 G06F 17/30", found=item), "ipc", found=item
                )
        nice = [item.removeprefix("第").removesuffix("类").strip() for item in _list(str_list(self.data.get("nice")))]
        self.values["nice"] = nice
        for item in nice[:51]:
            if not (item.isascii() and item.isdigit() and 1 <= int(item) <= 45):
                text = say("商品和服务类别应为 1 至 45，这里是 %(found)s", {"found": item})
                self.fault("trademark.class", text, "nice", found=item)
        for name, found in (("ipc", ipc), ("nice", nice)):
            if len(found) > 50:
                self.fault("too_many", _l("最多 50 项"), name)
        for name, form in (("industry", _INDUSTRY), ("region_code", _REGION)):
            code = self.values.get(name)
            if code and not form.match(code.upper()):
                self.fault("code_format", _l("代码格式不符，请核对"), name)
            self.values[name] = code.upper() if code else None

    def fees(self, kind: Kind | None) -> None:
        self.values["fee_reduction"] = self.number("fee_reduction", 0, 100) or 0
        filed = self.values.get("filing_date")
        last = term_years(kind, filed) if kind and KINDS[kind].has_annuities and filed else 20
        self.values["fees_paid_through"] = self.number("fees_paid_through", 0, last)


def str_list(value: Any) -> Any:
    """Codes may also be parted by commas and spaces; an IPC code may hold one blank."""
    if not isinstance(value, str):
        return value
    return re.sub(r"[,，]", ";", re.sub(r"\s*\n\s*", ";", value))


def check(data: Mapping[str, Any], today: date) -> tuple[dict[str, Any], dict[str, Any], list[Problem]]:
    """``(columns, extra, warnings)`` of one right. Refuses (Invalid) with all faults: codes of bulk.prepare,
    ``date_format``, ``date_in_future``, ``date_range``, ``number_range``, ``too_long``, ``ipc_format``,
    ``trademark.class``, ``code_format``, ``kind_unknown``."""
    intake = Intake(data, today)
    kind: Kind | None = None
    wanted = str(data.get("kind") or "")
    if wanted in list(Kind):
        kind = Kind(wanted)
    elif wanted and wanted != bulk.AUTO:
        intake.fault("kind_unknown", _l("请选择权利类型"), "kind")
    intake.texts()
    intake.dates()
    intake.lists()
    intake.fees(kind)
    warnings: list[Problem] = []
    row = {**intake.values, "number": one_line(data.get("number")), "kind": kind.value if kind else None}
    try:
        prepared = bulk.prepare(None, row, today=today)
        intake.values.update({name: value for name, value in prepared.values.items() if name != "extra"})
        warnings = [_said(warning) for warning in prepared.warnings]
    except Invalid as refused:
        unclear = any(problem.field == "kind" for problem in intake.problems)
        intake.problems += [_said(p) for p in refused.problems if not (unclear and p.code == "kind_unclear")]
    for name in EXTRA_TRAITS:
        intake.extra[name] = bool(data.get(name)) or None
    if intake.problems:
        raise Invalid(intake.problems)
    extra = {name: value for name, value in intake.extra.items() if value is not None}
    return intake.values, extra, warnings


def _said(problem: Problem) -> Problem:
    """The rules' Chinese template as a text in the reader's language."""
    if not isinstance(problem.message, str):
        return problem
    return Problem(problem.code, say(problem.message, problem.params), problem.field, problem.params, problem.source)
