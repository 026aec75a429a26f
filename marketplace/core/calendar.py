"""Dates as the law counts them: days and moments in Shanghai, months, working days.

A period counted in days, months or years does not count the day it starts on (民法典 art. 201); one counted
in months or years ends on the corresponding day of the last month, or on that month's last day where there
is none (民法典 art. 202); a day ends at 24:00 (art. 203). Working days follow the State Council's yearly holiday
notice, which is published only for the coming year: past the last known year we count Monday to Friday, and the
pages say so.
"""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
from chinese_calendar.constants import holidays as _holidays

SHANGHAI = ZoneInfo("Asia/Shanghai")
IsWorkday = Callable[[date], bool]

#: First and last day for which the official holiday notice is known to the installed calendar.
HOLIDAYS_KNOWN_FROM = date(min(_holidays).year, 1, 1)
HOLIDAYS_KNOWN_UNTIL = date(max(_holidays).year, 12, 31)


def legal_date(moment: datetime) -> date:
    """The Shanghai calendar day of an aware moment; a naive one is refused with ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone decides nothing")
    return moment.astimezone(SHANGHAI).date()


def day_starts(day: date) -> datetime:
    """00:00 of ``day`` in Shanghai, as UTC."""
    return datetime.combine(day, time.min, tzinfo=SHANGHAI).astimezone(UTC)


def day_ends(day: date) -> datetime:
    """24:00 of ``day`` in Shanghai, as UTC (民法典 art. 203): the first instant at which the day is over. A deadline
    that falls on ``day`` is met by an act whose time is strictly before this."""
    return day_starts(day + timedelta(days=1))


def add_months(start: date, months: int) -> date:
    """The day ``months`` legal months after ``start`` (before it, when negative).

    The corresponding day, or the last day of that month where it has none: 31 Jan + 1 month = 28 or 29 Feb.
    Add the whole number of months to the original day; adding month by month would lose the 31st.
    """
    index = start.year * 12 + (start.month - 1) + months
    year, month = divmod(index, 12)
    last = gregorian.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def add_years(start: date, years: int) -> date:
    """The day ``years`` legal years after ``start``: 29 Feb becomes 28 Feb in a common year."""
    return add_months(start, 12 * years)


def monday_to_friday(day: date) -> bool:
    """Workdays without public holidays."""
    return day.weekday() < 5


def holidays_known(day: date) -> bool:
    """Whether the official holiday notice for the year of ``day`` is known."""
    return HOLIDAYS_KNOWN_FROM <= day <= HOLIDAYS_KNOWN_UNTIL


def is_working_day(day: date) -> bool:
    """Whether ``day`` is worked in mainland China, moved weekends included; Mon-Fri in unknown years."""
    if holidays_known(day):
        return bool(chinese_calendar.is_workday(day))
    return monday_to_friday(day)


def add_days(start: date, days: int, unit: str = "days", is_workday: IsWorkday = monday_to_friday) -> date:
    """The day that is ``days`` calendar days (``unit`` ``workdays``: working days) after ``start``, before it when
    negative; ``start`` itself is not counted."""
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
