"""Legal terms, domain 2.6."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.rights.rules.kinds import Kind
from marketplace.rights.rules.terms import PlantTermRow, TermRefused, legal_term, needed_dates, renewal_window

days = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize(
    ("kind", "filed", "end"),
    [
        (Kind.INVENTION_PATENT, date(2020, 3, 27), date(2040, 3, 26)),
        (Kind.INVENTION_PATENT, date(2020, 2, 29), date(2040, 2, 28)),
        (Kind.UTILITY_MODEL, date(2020, 3, 27), date(2030, 3, 26)),
        (Kind.UTILITY_MODEL, date(2020, 1, 1), date(2029, 12, 31)),
        (Kind.DESIGN_PATENT, date(2021, 5, 31), date(2031, 5, 30)),
        (Kind.DESIGN_PATENT, date(2021, 6, 1), date(2036, 5, 31)),
    ],
)
def test_patents_count_from_filing(kind, filed, end):
    term = legal_term(kind, filing_date=filed)
    assert term.end == end and term.confirmed
    assert term.in_force_on(end) and not term.expired_on(end)


def test_a_registered_compensation_lengthens_the_term():
    term = legal_term(Kind.INVENTION_PATENT, filing_date=date(2020, 3, 27), compensated_until=date(2041, 1, 1))
    assert term.end == date(2041, 1, 1)


def test_marks_are_renewed_by_ten_years():
    assert legal_term(Kind.TRADEMARK, registration_date=date(2016, 1, 7)).end == date(2026, 1, 6)
    term = legal_term(Kind.COLLECTIVE_MARK, registration_date=date(2016, 1, 7), renewals=2)
    assert term.end == date(2046, 1, 6)
    window = renewal_window(term)
    assert (window.opens, window.closes, window.grace_end) == (
        date(2045, 1, 7),
        date(2046, 1, 6),
        date(2046, 7, 6),
    )


def test_copyright_runs_to_the_year_end():
    death = legal_term(Kind.COPYRIGHT_WORK, author_death=date(1980, 2, 1))
    assert death.end == date(2030, 12, 31)
    published = legal_term(Kind.SOFTWARE_COPYRIGHT, first_publication=date(2015, 5, 5))
    assert published.end == date(2065, 12, 31)
    unpublished = legal_term(Kind.SOFTWARE_COPYRIGHT, completion_date=date(2014, 5, 5))
    assert unpublished.end == date(2064, 12, 31)
    late = legal_term(Kind.COPYRIGHT_WORK, completion_date=date(1950, 1, 1), first_publication=date(2001, 1, 1))
    assert late.end == date(2000, 12, 31)
    living = legal_term(Kind.COPYRIGHT_WORK, natural_person=True, completion_date=date(2000, 1, 1))
    assert living.end is None and living.remaining(date(2026, 1, 1)) is None


def test_layouts_take_the_earlier_start_and_the_fifteen_year_cap():
    filed, used = date(2020, 6, 1), date(2019, 2, 1)
    assert legal_term(Kind.IC_LAYOUT, filing_date=filed, first_commercial_use=used).end == date(2029, 1, 31)
    capped = legal_term(Kind.IC_LAYOUT, filing_date=filed, completion_date=date(2012, 1, 1))
    assert capped.end == date(2026, 12, 31)


def test_plant_varieties_follow_a_table_whose_new_row_is_not_confirmed():
    old = legal_term(Kind.PLANT_VARIETY, grant_date=date(2020, 1, 1))
    assert (old.end, old.confirmed) == (date(2034, 12, 31), True)
    assert legal_term(Kind.PLANT_VARIETY, grant_date=date(2020, 1, 1), woody=True).end == date(2039, 12, 31)
    new = legal_term(Kind.PLANT_VARIETY, grant_date=date(2025, 6, 1), woody=True)
    assert (new.end, new.confirmed) == (date(2050, 5, 31), False)
    own = (PlantTermRow(None, 30, 10, "x", True),)
    assert legal_term(Kind.PLANT_VARIETY, grant_date=date(2025, 6, 1), plant_terms=own).end == date(2035, 5, 31)


def test_unsettled_terms_say_so():
    data = legal_term(Kind.DATA_RIGHT, registration_date=date(2024, 1, 1))
    assert (data.end, data.confirmed) == (date(2026, 12, 31), False)
    assert legal_term(Kind.GEOGRAPHICAL_INDICATION).confirmed is False
    assert legal_term(Kind.TRADE_SECRET).end is None


@pytest.mark.parametrize("kind", list(Kind))
def test_missing_dates_are_named(kind):
    try:
        legal_term(kind)
    except TermRefused as error:
        assert error.code == "term.date_missing"
        assert set(error.at) <= set(needed_dates(kind)) | {"registration_date"}
    else:
        assert kind in (Kind.PATENT_APPLICATION, Kind.GEOGRAPHICAL_INDICATION, Kind.TRADE_SECRET)


def test_a_grant_before_the_filing_is_refused():
    with pytest.raises(TermRefused) as caught:
        legal_term(Kind.UTILITY_MODEL, filing_date=date(2020, 1, 2), grant_date=date(2020, 1, 1))
    assert caught.value.code == "term.dates_out_of_order"


def test_what_remains():
    term = legal_term(Kind.UTILITY_MODEL, filing_date=date(2020, 3, 27))
    left = term.remaining(date(2026, 1, 1))
    assert (left.years, left.months, left.days, left.total_days) == (4, 2, 26, 1546)
    assert term.remaining(term.end).total_days == 1
    assert term.remaining(date(2030, 3, 27)).total_days == 0


@given(days, days)
def test_remaining_falls_by_one_a_day_and_is_zero_exactly_when_expired(filed, day):
    term = legal_term(Kind.INVENTION_PATENT, filing_date=filed)
    left = term.remaining(day)
    assert (left.total_days == 0) == term.expired_on(day)
    assert left.months < 12 and 0 <= left.days <= 31
