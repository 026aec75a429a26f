"""The filters of the board. Every filter stands in the address; whatever the address says, a board answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from marketplace.core.money import MoneyRefused, parse_minor
from marketplace.interest.rules import INDUSTRY, IPC, ipc_code

WANTED = ("licence", "purchase")
LAST_PAGE = 1000
REGION = re.compile(r"\d{2}|\d{4}|\d{6}", re.ASCII)


@dataclass(frozen=True)
class BoardFilters:
    """``budget``: at least this much is offered for it. ``faults`` names what could not be read and is ignored."""

    q: str = ""
    ipc: str = ""
    industry: str = ""
    region: str = ""
    wanted: str = ""
    budget: str = ""
    ended: bool = False
    page: int = 1
    faults: tuple[str, ...] = ()

    @property
    def budget_minor(self) -> int | None:
        return _amount(self.budget)

    @property
    def industries(self) -> tuple[str, ...]:
        """The code with and without the letter of its section."""
        bare = self.industry[1:] if len(self.industry) > 1 and self.industry[0].isalpha() else ""
        with_letter = tuple(f"{c}{self.industry}" for c in "ABCDEFGHIJKLMNOPQRST") if self.industry.isdigit() else ()
        return tuple(code for code in (self.industry, bare, *with_letter) if code)

    @property
    def any(self) -> bool:
        return bool(self.q or self.narrowed)

    @property
    def narrowed(self) -> bool:
        """By more than words."""
        return bool(self.ipc or self.industry or self.region or self.wanted or self.budget or self.ended)

    def query(self, **changes: Any) -> str:
        """The address's query string with these changes; a changed filter goes back to the first page."""
        changed = replace(self, **({"page": 1} | changes))
        pairs = [(f.name, getattr(changed, f.name)) for f in fields(changed) if f.name != "faults"]
        return urlencode([(k, 1 if v is True else v) for k, v in pairs if v and (k, v) != ("page", 1)])


def read_filters(args: Mapping[str, Any]) -> BoardFilters:
    """Filters from any query string; never raises."""
    faults = []

    def text(name: str, limit: int) -> str:
        return "".join(c for c in str(args.get(name) or "") if c.isprintable()).strip()[:limit]

    def coded(name: str, value: str, form: re.Pattern[str]) -> str:
        if value and not form.fullmatch(value):
            faults.append(name)
            return ""
        return value

    wanted = text("wanted", 20)
    if wanted and wanted not in WANTED:
        faults.append("wanted")
        wanted = ""
    budget = text("budget", 40)
    if budget and _amount(budget) is None:
        faults.append("budget")
        budget = ""
    page = text("page", 6)
    return BoardFilters(
        q=text("q", 100),
        ipc=coded("ipc", ipc_code(text("ipc", 20)), IPC),
        industry=coded("industry", text("industry", 5).upper(), INDUSTRY),
        region=coded("region", text("region", 6), REGION),
        wanted=wanted,
        budget=budget,
        ended=bool(text("ended", 5)),
        page=min(max(int(page), 1), LAST_PAGE) if page.isascii() and page.isdigit() else 1,
        faults=tuple(faults),
    )


def _amount(value: str) -> int | None:
    if not value:
        return None
    try:
        return parse_minor(value)
    except MoneyRefused:
        return None
