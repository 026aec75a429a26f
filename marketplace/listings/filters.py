"""The filters of the public list. Every filter stands in the address; whatever the address says, a list answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from marketplace.core.money import MoneyRefused, parse_minor
from marketplace.rights.rules.kinds import KINDS

STATES = ("scheduled", "running", "suspended", "sold", "unsold", "withdrawn")
CHANNELS = ("auction", "storage", "licence")
SORTS = ("new", "ending", "price_up", "price_down")
CLOSING_DAYS = ("1", "3", "7", "30")
LONGEST_TEXT = 100
LAST_PAGE = 10_000
KIND_CODES = tuple(str(info.code) for info in KINDS.values())


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to. Amounts as typed (``low``, ``high``) and in minor units; ``closing`` is a number
    of days from now or a date up to which the sale ends. ``faults`` names what could not be read and is ignored."""

    q: str = ""
    kind: str = ""
    channel: str = ""
    state: str = ""
    region: str = ""
    low: str = ""
    high: str = ""
    closing: str = ""
    sort: str = "new"
    page: int = 1
    faults: tuple[str, ...] = ()

    @property
    def low_minor(self) -> int | None:
        return _amount(self.low)

    @property
    def high_minor(self) -> int | None:
        return _amount(self.high)

    @property
    def closing_span(self) -> timedelta | None:
        return timedelta(days=int(self.closing)) if self.closing in CLOSING_DAYS else None

    @property
    def closing_day(self) -> date | None:
        return _day(self.closing)

    @property
    def any(self) -> bool:
        return bool(self.q or self.kind or self.channel or self.state or self.region or self.low or self.high) or bool(
            self.closing
        )

    def query(self, **changes: Any) -> str:
        """The address's query string with these changes; a changed filter goes back to the first page."""
        changed = replace(self, **({"page": 1} | changes))
        pairs = [(f.name, getattr(changed, f.name)) for f in fields(changed) if f.name != "faults"]
        kept = [(name, value) for name, value in pairs if value and (name, value) not in (("sort", "new"), ("page", 1))]
        return urlencode(kept)


def read_filters(args: Mapping[str, str]) -> Filters:
    """Filters from any query string; never raises."""
    faults = []

    def text(name: str, limit: int = LONGEST_TEXT) -> str:
        return "".join(c for c in args.get(name, "") if c.isprintable()).strip()[:limit]

    def choice(name: str, allowed: tuple[str, ...], default: str = "") -> str:
        value = text(name)
        if value and value not in allowed:
            faults.append(name)
        return value if value in allowed else default

    def amount(name: str) -> str:
        value = text(name, 40)
        if value and _amount(value) is None:
            faults.append(name)
            return ""
        return value

    closing = text("closing", 10)
    if closing and closing not in CLOSING_DAYS and _day(closing) is None:
        faults.append("closing")
        closing = ""
    region = text("region", 6)
    if region and not (region.isascii() and region.isdigit()):
        faults.append("region")
        region = ""
    return Filters(
        q=text("q"),
        kind=choice("kind", KIND_CODES),
        channel=choice("channel", CHANNELS),
        state=choice("state", STATES),
        region=region,
        low=amount("low"),
        high=amount("high"),
        closing=closing,
        sort=choice("sort", SORTS, "new"),
        page=_page(args.get("page", "")),
        faults=tuple(faults),
    )


def _page(value: str) -> int:
    value = value.strip()
    if not (value.isascii() and value.isdigit() and len(value) <= 6):
        return 1
    return min(max(int(value), 1), LAST_PAGE)


def _amount(value: str) -> int | None:
    if not value:
        return None
    try:
        return parse_minor(value)
    except MoneyRefused:
        return None


def _day(value: str) -> date | None:
    if len(value) != 10 or not value.isascii():
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
