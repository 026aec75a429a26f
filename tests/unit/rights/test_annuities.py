"""Yearly fees, domain 2.7 and vector 10."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.calendar import add_months
from marketplace.rights.rules.annuities import (
    FEE_TABLES,
    JOINT_APPLICANTS,
    SINGLE_APPLICANT,
    SURCHARGE_STRICT,
    FeeStanding,
    PaymentState,
    Reduction,
    amount_due,
    annuity_state,
    full_fee,
    lapse_date,
    patent_year,
    restoration_deadline,
    schedule,
)
from marketplace.rights.rules.kinds import Kind

FILED = date(2020, 3, 27)
days = st.dates(date(1995, 1, 1), date(2035, 12, 31))
fee_kinds = st.sampled_from(list(FEE_TABLES))


def fee_of(year, filed=FILED, kind=Kind.INVENTION_PATENT, **more):
    return next(row for row in schedule(kind, filed, **more) if row.year == year)


def test_vector_10_year_six_is_due_on_the_fifth_anniversary():
    fee = fee_of(6, grant_date=date(2022, 5, 1))
    assert (fee.amount_minor, fee.due, fee.grace_end) == (1200_00, date(2025, 3, 27), date(2025, 9, 27))


def test_vector_10_year_ten_paid_in_the_third_overdue_month():
    owed = amount_due(fee_of(10), date(2029, 6, 20))
    assert (owed.state, owed.overdue_month) == (PaymentState.GRACE, 3)
    assert (owed.fee_minor, owed.surcharge_minor, owed.total_minor) == (4000_00, 400_00, 4400_00)


@pytest.mark.parametrize(
    ("kind", "filed", "total"),
    [
        (Kind.INVENTION_PATENT, FILED, 82_300_00),
        (Kind.UTILITY_MODEL, FILED, 11_200_00),
        (Kind.DESIGN_PATENT, date(2022, 1, 1), 26_200_00),
        (Kind.DESIGN_PATENT, FILED, 11_200_00),
    ],
)
def test_totals_when_every_year_is_paid(kind, filed, total):
    assert sum(row.amount_minor for row in schedule(kind, filed)) == total


@pytest.mark.parametrize(
    ("paid_on", "month", "percent"),
    [
        (date(2025, 3, 27), 0, 0),
        (date(2025, 3, 28), 1, 0),
        (date(2025, 4, 27), 1, 0),
        (date(2025, 4, 28), 2, 5),
        (date(2025, 5, 27), 2, 5),
        (date(2025, 5, 28), 3, 10),
        (date(2025, 7, 27), 4, 15),
        (date(2025, 8, 27), 5, 20),
        (date(2025, 9, 27), 6, 25),
    ],
)
def test_surcharge_by_overdue_month(paid_on, month, percent):
    fee = fee_of(6)
    owed = amount_due(fee, paid_on)
    assert (owed.overdue_month, owed.surcharge_percent) == (month, percent)
    assert owed.surcharge_minor == 1200_00 * percent // 100
    if month:
        assert amount_due(fee, paid_on, SURCHARGE_STRICT).surcharge_percent == percent + 5


def test_after_the_grace_the_right_is_gone_from_the_due_date():
    fee = fee_of(6)
    owed = amount_due(fee, date(2025, 9, 28))
    assert (owed.state, owed.total_minor) == (PaymentState.LAPSED, 0)
    assert lapse_date(fee) == date(2025, 3, 27)
    assert restoration_deadline(date(2025, 12, 31)) == date(2026, 2, 28)


def test_surcharge_is_on_the_full_fee_even_when_the_fee_is_reduced():
    fee = fee_of(6, reduction=SINGLE_APPLICANT)
    assert fee.amount_minor == 180_00
    owed = amount_due(fee, date(2025, 5, 28))
    assert (owed.fee_minor, owed.surcharge_minor) == (180_00, 120_00)


def test_a_reduction_ends_ten_fees_after_the_grant():
    rows = schedule(Kind.INVENTION_PATENT, FILED, date(2022, 5, 1), reduction=JOINT_APPLICANTS)
    assert [row.year for row in rows if row.amount_minor < row.full_minor] == list(range(3, 13))
    open_licence = Reduction("open_licence", 15, years=None, only_years=frozenset({7}), confirmed=False)
    cut = schedule(Kind.INVENTION_PATENT, FILED, reduction=open_licence)
    assert [(row.year, row.amount_minor) for row in cut if row.amount_minor < row.full_minor] == [(7, 1700_00)]


def test_the_first_fee_belongs_to_the_year_of_grant_and_has_no_grace():
    rows = schedule(Kind.INVENTION_PATENT, FILED, date(2022, 3, 26))
    assert (rows[0].year, rows[0].due, rows[0].with_grant) == (2, date(2022, 3, 26), True)
    assert (rows[1].year, rows[1].due) == (3, date(2022, 3, 27))
    assert patent_year(FILED, date(2022, 3, 27)) == 3


def test_a_leap_day_filing_and_a_month_end_filing():
    leap = {row.year: row for row in schedule(Kind.UTILITY_MODEL, date(2020, 2, 29))}
    assert (leap[2].due, leap[2].grace_end) == (date(2021, 2, 28), date(2021, 8, 28))
    assert (leap[5].due, leap[5].grace_end) == (date(2024, 2, 29), date(2024, 8, 29))
    august = fee_of(2, date(2020, 8, 31))
    assert august.grace_end == date(2022, 2, 28)
    # months are counted from the due date, not from each other: 30 Sept, 31 Oct, 30 Nov
    assert amount_due(august, date(2021, 10, 31)).overdue_month == 2
    assert amount_due(august, date(2021, 11, 1)).overdue_month == 3
    assert amount_due(august, date(2022, 2, 28)).overdue_month == 6


def test_kinds_without_fees_and_impossible_years():
    assert schedule(Kind.TRADEMARK, FILED) == []
    with pytest.raises(ValueError, match="patent year 21"):
        full_fee(Kind.INVENTION_PATENT, 21)
    with pytest.raises(ValueError, match="before filed"):
        schedule(Kind.UTILITY_MODEL, FILED, date(2020, 3, 26))


@given(fee_kinds, days, st.integers(0, 3000))
def test_the_schedule_only_moves_forward(kind, filed, wait):
    granted = filed + timedelta(days=wait)
    rows = schedule(kind, filed, granted)
    assert [row.year for row in rows] == list(range(rows[0].year, rows[0].year + len(rows)))
    assert all(a.due <= b.due and a.full_minor <= b.full_minor for a, b in pairwise(rows))
    assert all(row.due == add_months(filed, 12 * (row.year - 1)) for row in rows[1:])
    cut = schedule(kind, filed, granted, until=granted + timedelta(days=800))
    assert cut == [row for row in rows if row.due <= granted + timedelta(days=800)]


@given(days, st.integers(2, 20), st.integers(0, 250), st.integers(0, 30))
def test_paying_later_never_costs_less_until_the_right_is_gone(filed, year, late, more):
    fee = fee_of(year, filed)
    first = amount_due(fee, fee.due + timedelta(days=late))
    second = amount_due(fee, fee.due + timedelta(days=late + more))
    if second.state == PaymentState.LAPSED:
        assert fee.due + timedelta(days=late + more) > fee.grace_end
    else:
        assert first.total_minor <= second.total_minor
        assert first.overdue_month <= second.overdue_month <= 6


@pytest.mark.parametrize(
    ("paid", "today", "standing", "year"),
    [
        ({4, 5}, date(2025, 3, 1), FeeStanding.DUE_SOON, 6),
        ({4, 5}, date(2024, 6, 1), FeeStanding.PAID, 6),
        ({4, 5}, date(2025, 3, 27), FeeStanding.DUE_SOON, 6),
        ({4, 5}, date(2025, 3, 28), FeeStanding.GRACE, 6),
        ({4, 5}, date(2025, 9, 28), FeeStanding.LAPSED, 6),
        ({4, 6}, date(2025, 9, 28), FeeStanding.LAPSED, 5),
    ],
)
def test_the_oldest_unpaid_fee_decides(paid, today, standing, year):
    state = annuity_state(schedule(Kind.INVENTION_PATENT, FILED, date(2022, 5, 1)), paid, today)
    assert (state.standing, state.annuity.year) == (standing, year)


def test_unknown_and_absent_fees():
    rows = schedule(Kind.UTILITY_MODEL, FILED)
    assert annuity_state(rows, None, FILED).standing == FeeStanding.UNKNOWN
    assert annuity_state([], set(), FILED).standing == FeeStanding.NONE_DUE
    assert annuity_state(rows, set(range(1, 11)), date(2029, 1, 1)).standing == FeeStanding.PAID
