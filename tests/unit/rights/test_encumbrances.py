"""Pledges, preservation and licences in time."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.rights.rules.encumbrances import (
    EncumbranceRefused,
    Licence,
    LicenceType,
    Pledge,
    Preservation,
    RecordalState,
    active_on,
    check_preservation,
    latest_preservation_end,
    recordal_deadline,
    recordal_state,
    renew_preservation,
)
from marketplace.rights.rules.kinds import Kind

COURT = "武汉市中级人民法院"


def preservation(start, until=None):
    return Preservation(COURT, "（2026）鄂01执1号", start, until)


@pytest.mark.parametrize(
    ("effective", "deadline"),
    [
        (date(2026, 1, 15), date(2026, 4, 15)),  # vector 15
        (date(2025, 11, 30), date(2026, 2, 28)),
        (date(2023, 11, 30), date(2024, 2, 29)),
        (date(2026, 1, 31), date(2026, 4, 30)),
    ],
)
def test_a_licence_is_recorded_within_three_months(effective, deadline):
    assert recordal_deadline(effective) == deadline


def test_recordal_states():
    licence = Licence("甲公司", LicenceType.SOLE, date(2026, 1, 15))
    assert recordal_state(licence, date(2026, 4, 15)) == RecordalState.PENDING
    assert recordal_state(licence, date(2026, 4, 16)) == RecordalState.OVERDUE
    in_time = Licence("甲", LicenceType.SOLE, date(2026, 1, 15), recorded_on=date(2026, 4, 15))
    assert recordal_state(in_time, date(2027, 1, 1)) == RecordalState.RECORDED
    late = Licence("甲", LicenceType.SOLE, date(2026, 1, 15), recorded_on=date(2026, 4, 16))
    assert recordal_state(late, date(2027, 1, 1)) == RecordalState.RECORDED_LATE


def test_preservation_lasts_six_months_on_patents_and_a_year_on_marks():
    start = date(2026, 8, 31)
    assert latest_preservation_end(Kind.UTILITY_MODEL, start) == date(2027, 2, 28)
    assert latest_preservation_end(Kind.TRADEMARK, start) == date(2027, 8, 31)
    assert latest_preservation_end(Kind.COPYRIGHT_WORK, start) is None
    filled = check_preservation(Kind.INVENTION_PATENT, preservation(start))
    assert filled.until == date(2027, 2, 28)
    assert filled.active_on(date(2027, 2, 28)) and not filled.active_on(date(2027, 3, 1))
    for until, code in [
        (date(2027, 3, 1), "preservation.too_long"),
        (date(2026, 8, 30), "preservation.ends_before_start"),
    ]:
        with pytest.raises(EncumbranceRefused) as caught:
            check_preservation(Kind.INVENTION_PATENT, preservation(start, until))
        assert caught.value.code == code


def test_preservation_is_renewed_only_before_it_lapses():
    old = check_preservation(Kind.DESIGN_PATENT, preservation(date(2026, 1, 15)))
    renewed = renew_preservation(Kind.DESIGN_PATENT, old, date(2026, 7, 15))
    assert (renewed.starts_on, renewed.until) == (date(2026, 1, 15), date(2027, 1, 15))
    with pytest.raises(EncumbranceRefused) as caught:
        renew_preservation(Kind.DESIGN_PATENT, old, date(2026, 7, 16))
    assert caught.value.code == "preservation.lapsed"


def test_a_pledge_lives_from_registration_to_cancellation():
    pledge = Pledge("甲银行", date(2026, 1, 15), date(2026, 6, 1))
    assert [pledge.active_on(d) for d in (date(2026, 1, 14), date(2026, 1, 15), date(2026, 5, 31))] == [
        False,
        True,
        True,
    ]
    assert not pledge.active_on(date(2026, 6, 1))
    assert not Pledge("甲银行").active_on(date(2026, 6, 1))


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 500), st.integers(-10, 600))
def test_a_licence_is_active_exactly_from_its_first_to_its_last_day(start, length, offset):
    licence = Licence("甲", LicenceType.ORDINARY, start, start + timedelta(days=length))
    day = start + timedelta(days=offset)
    assert (active_on([licence], day) == [licence]) == (0 <= offset <= length)
