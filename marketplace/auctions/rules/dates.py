"""Legal days: whole calendar days of Asia/Shanghai, the first day not counted (民法典 art. 201)."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")  # no daylight saving since 1991

IsWorkday = Callable[[date], bool]


def monday_to_friday(day: date) -> bool:
    """Workdays without public holidays; callers with a holiday calendar pass their own function."""
    return day.weekday() < 5


def legal_date(moment: datetime) -> date:
    """The Shanghai calendar day of an aware moment."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone decides nothing")
    return moment.astimezone(SHANGHAI).date()


def add_days(start: date, days: int, unit: str = "days", is_workday: IsWorkday = monday_to_friday) -> date:
    """The day that is `days` calendar days (or ``workdays``) after (negative: before) `start`."""
    if unit == "days":
        return start + timedelta(days=days)
    if unit != "workdays":
        raise ValueError(f"not a unit of days: {unit}")
    step = timedelta(days=1 if days >= 0 else -1)
    day, left = start, abs(days)
    while left:
        day += step
        left -= is_workday(day)
    return day


def add_months(start: date, months: int) -> date:
    """The same day `months` later, or that month's last day."""
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def day_ends(day: date) -> datetime:
    """The moment a legal day is over: 24:00 in Shanghai, as UTC (exclusive end; 民法典 art. 203)."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI).astimezone(UTC)


def day_starts(day: date) -> datetime:
    """00:00 in Shanghai of that day, as UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
