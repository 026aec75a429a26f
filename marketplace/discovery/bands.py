"""Ranges that a page counts: of price, of the remaining term, of the time until the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from marketplace.core.calendar import add_years

#: Lower ends in yuan; a code names the range in 10,000 yuan.
PRICES = (("0-10", 0), ("10-50", 100_000), ("50-100", 500_000), ("100-500", 1_000_000),
          ("500-1000", 5_000_000), ("1000-", 10_000_000))  # fmt: skip
#: Whole years that remain.
TERMS = (("0-1", 0), ("1-3", 1), ("3-5", 3), ("5-10", 5), ("10-", 10))
#: Days until the end; each holds the shorter ones.
CLOSINGS = (1, 3, 7, 30)
#: Ranking: how soon it ends (days) → urgency.
URGENCY = ((3, 3), (7, 2), (30, 1))


def price_band(minor: int, currency: str) -> str:
    """The range of a price in fen; empty for other money, whose amounts do not compare."""
    if currency != "CNY":
        return ""
    return [code for code, low in PRICES if minor >= low * 100][-1]


def term_band(end: date | None, today: date) -> str:
    """The range of what remains; empty without an end or after it."""
    if end is None or end < today:
        return ""
    return [code for code, years in TERMS if add_years(today, years) <= end][-1]


def closing_bands(ends_at: datetime | None, at: datetime) -> tuple[str, ...]:
    if ends_at is None or ends_at <= at:
        return ()
    return tuple(str(days) for days in CLOSINGS if ends_at - at <= timedelta(days=days))


def urgency(ends_at: datetime | None, at: datetime) -> int:
    if ends_at is None or ends_at <= at:
        return 0
    return next((rank for days, rank in URGENCY if ends_at - at <= timedelta(days=days)), 0)


def closing_turns(ends_at: datetime | None) -> list[datetime]:
    """When a range of closing changes by time alone."""
    if ends_at is None:
        return []
    days: Sequence[int] = sorted({0, *CLOSINGS, *(n for n, _rank in URGENCY)})
    return [ends_at - timedelta(days=n) for n in days]


def term_turns(end: date | None) -> list[date]:
    """The days from which a right stands in the next lower range of remaining term, and the day after its end."""
    if end is None:
        return []
    return [add_years(end, -years) + timedelta(days=1) for _code, years in TERMS]
