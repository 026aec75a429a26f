"""Dates as the law counts them: months, working days, ends of days.

A period counted in days, months or years does not count the day it starts on (民法典 art. 201); one counted
in months or years ends on the corresponding day of the last month, or on that month's last day where there
is none (民法典 art. 202). Working days follow the State Council's yearly holiday notice, which is published
only for the coming year: past the last known year we count Monday to Friday and say so.
"""

from __future__ import annotations

import calendar as gregorian
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
from chinese_calendar.constants import holidays as _holidays

SHANGHAI = ZoneInfo("Asia/Shanghai")

#: First and last day for which the official holiday notice is known to the installed calendar.
HOLIDAYS_KNOWN_FROM = date(min(_holidays).year, 1, 1)
HOLIDAYS_KNOWN_UNTIL = date(max(_holidays).year, 12, 31)


@dataclass(frozen=True, slots=True)
class WorkingDate:
    """A day counted in working days; not `certain` when a year without a holiday notice was crossed."""

    day: date
    certain: bool
    known_until: date = HOLIDAYS_KNOWN_UNTIL


def add_months(start: date, months: int) -> date:
    """The day `months` legal months after `start` (before it, when negative).

    The corresponding day, or the last day of that month where it has none: 31 Jan + 1 month = 28 or 29 Feb.
    Add the whole number of months to the original day; adding month by month would lose the 31st.
    """
    index = start.year * 12 + (start.month - 1) + months
    year, month = divmod(index, 12)
    last = gregorian.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def add_years(start: date, years: int) -> date:
    """The day `years` legal years after `start`: 29 Feb becomes 28 Feb in a common year."""
    return add_months(start, 12 * years)


def days_before(day: date, days: int) -> date:
    """The last day on which a notice of at least `days` full calendar days before `day` may be given."""
    return day - timedelta(days=days)


def days_after(day: date, days: int) -> date:
    """The last day of a period of `days` calendar days that starts on `day` (that day is not counted)."""
    return day + timedelta(days=days)


def holidays_known(day: date) -> bool:
    """Whether the official holiday notice for the year of `day` is known."""
    return HOLIDAYS_KNOWN_FROM <= day <= HOLIDAYS_KNOWN_UNTIL


def is_working_day(day: date) -> bool:
    """Whether `day` is worked in mainland China, moved weekends included; Mon-Fri in unknown years."""
    if holidays_known(day):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5


def add_working_days(start: date, days: int) -> WorkingDate:
    """The `days`-th working day after `start` (before it, when negative); `start` itself is not counted.

    With 0 it is `start` if worked, else the next working day.
    """
    if days == 0:
        return next_working_day(start)
    step = timedelta(days=1 if days > 0 else -1)
    day, left, certain = start, abs(days), True
    while left:
        day += step
        certain = certain and holidays_known(day)
        left -= is_working_day(day)
    return WorkingDate(day, certain)


def next_working_day(day: date) -> WorkingDate:
    """`day` itself when worked, else the first one after it (how a period ends, 民法典 art. 203)."""
    certain = holidays_known(day)
    while not is_working_day(day):
        day += timedelta(days=1)
        certain = certain and holidays_known(day)
    return WorkingDate(day, certain)


def start_of_day(day: date) -> datetime:
    """00:00 of `day` in Shanghai, as UTC."""
    return datetime.combine(day, time.min, tzinfo=SHANGHAI).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """24:00 of `day` in Shanghai, as UTC (民法典 art. 203): the first instant at which the day is over.

    A deadline that falls on `day` is met by an act whose time is strictly before this.
    """
    return start_of_day(day + timedelta(days=1))


def shanghai_date(moment: datetime) -> date:
    """The calendar day in Shanghai of an aware `moment`; a naive one is refused with ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone has no calendar day")
    return moment.astimezone(SHANGHAI).date()
