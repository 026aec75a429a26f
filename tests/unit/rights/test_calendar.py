"""Dates as the law counts them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.calendar import (
    HOLIDAYS_KNOWN_UNTIL,
    add_days,
    add_months,
    add_years,
    day_ends,
    day_starts,
    holidays_known,
    is_working_day,
    legal_date,
)

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 15), 3, date(2026, 4, 15)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 1), -12, date(2025, 1, 1)),
        (date(2026, 5, 31), 0, date(2026, 5, 31)),
    ],
)
def test_legal_months_end_on_the_corresponding_day_or_the_months_last(start, months, end):
    assert add_months(start, months) == end


@given(days, st.integers(-400, 400))
def test_months_move_the_month_exactly_and_the_day_only_back(day, months):
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved.day < day.day and (moved + timedelta(days=1)).day == 1)


def working(start, days):
    return add_days(start, days, "workdays", is_working_day)


def test_working_days_pass_over_the_national_holiday_and_count_moved_weekends():
    # 2025: 28 Sept (a Sunday) and 11 Oct (a Saturday) are worked, 1-8 Oct are not
    assert is_working_day(date(2025, 9, 28)) and is_working_day(date(2025, 10, 11))
    assert working(date(2025, 9, 30), 1) == date(2025, 10, 9)
    assert working(date(2025, 9, 27), 1) == date(2025, 9, 28)
    assert working(date(2025, 10, 9), -1) == date(2025, 9, 30)
    assert working(date(2025, 10, 9), 0) == date(2025, 10, 9)
    assert add_days(date(2025, 9, 30), 1) == date(2025, 10, 1)
    with pytest.raises(ValueError, match="unit"):
        add_days(date(2025, 9, 30), 1, "months")


def test_years_without_a_holiday_notice_count_weekdays():
    beyond = HOLIDAYS_KNOWN_UNTIL + timedelta(days=1)
    assert holidays_known(HOLIDAYS_KNOWN_UNTIL) and not holidays_known(beyond)
    assert all(is_working_day(day) == (day.weekday() < 5) for day in (beyond + timedelta(days=n) for n in range(14)))


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 60))
def test_working_days_land_on_a_worked_day_with_that_many_between(day, count):
    result = working(day, count)
    between = [day + timedelta(days=i) for i in range(1, (result - day).days + 1)]
    assert is_working_day(result)
    assert sum(map(is_working_day, between)) == count


def test_a_day_ends_at_midnight_in_shanghai():
    assert day_ends(date(2026, 4, 15)) == datetime(2026, 4, 15, 16, 0, tzinfo=UTC)
    assert day_starts(date(2026, 4, 15)) == datetime(2026, 4, 14, 16, 0, tzinfo=UTC)
    assert legal_date(datetime(2026, 4, 15, 15, 59, 59, tzinfo=UTC)) == date(2026, 4, 15)
    assert legal_date(day_ends(date(2026, 4, 15))) == date(2026, 4, 16)
    with pytest.raises(ValueError, match="time zone"):
        legal_date(datetime(2026, 4, 15))


def test_a_leap_day_becomes_the_28th():
    assert add_years(date(2020, 2, 29), 5) == date(2025, 2, 28)
