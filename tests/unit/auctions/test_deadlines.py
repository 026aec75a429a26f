from datetime import UTC, date, datetime, timedelta

import pytest

from marketplace.auctions.rules.catalogue import COMMERCIAL, JUDICIAL_ONLINE, SANDBOX, STATE_OWNED
from marketplace.auctions.rules.deadlines import deadlines_for
from marketplace.core.calendar import add_days, add_months, day_ends

PUBLISHED = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
OPENS = datetime(2026, 2, 14, 2, 0, tzinfo=UTC)
ENDS = OPENS + timedelta(days=1)


def named(profile, **changes):
    values = {
        "round_no": 1,
        "start_minor": 70_000_000,
        "published_at": PUBLISHED,
        "opens_at": OPENS,
        "ends_at": ENDS,
    }
    rows = deadlines_for(profile, **{**values, **changes})
    assert rows == sorted(rows, key=lambda row: row.at)
    return {row.code: row for row in rows}


def test_judicial_deadlines_end_with_their_shanghai_day():
    rows = named(JUDICIAL_ONLINE, valuation_date=date(2025, 6, 1))
    assert rows["parties_notified"].at == datetime(2026, 1, 12, 16, 0, tzinfo=UTC)
    assert rows["notice_satisfied"].at == datetime(2026, 2, 13, 16, 0, tzinfo=UTC)
    assert rows["deposit_refund"].at == ENDS + timedelta(hours=24)
    assert rows["balance"].at == datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
    assert rows["reauction_latest"].at == datetime(2026, 3, 17, 16, 0, tzinfo=UTC)
    assert rows["price_basis_expires"].at == datetime(2026, 6, 1, 16, 0, tzinfo=UTC)
    assert rows["records_kept"].at.year == 2036
    assert rows["closes"].provisional and not rows["opens"].provisional
    assert rows["deposit_refund"].source == "网拍规定 art. 23"


def test_state_owned_balance_counts_working_days():
    rows = named(STATE_OWNED)
    assert rows["balance"].at == datetime(2026, 2, 20, 16, 0, tzinfo=UTC)


def test_commercial_has_no_ladder_and_sandbox_runs_fast():
    assert "reauction_latest" not in named(COMMERCIAL)
    rows = named(SANDBOX)
    assert rows["deposit_refund"].at == ENDS + timedelta(minutes=1)
    assert rows["balance"].at == ENDS + timedelta(minutes=15)


def test_a_round_that_is_not_there_has_no_deadlines():
    with pytest.raises(ValueError, match="no round 9"):
        named(JUDICIAL_ONLINE, round_no=9)


def test_days_and_months():
    assert add_days(date(2026, 1, 2), 1, "workdays") == date(2026, 1, 5)
    assert add_days(date(2026, 1, 5), -1, "workdays") == date(2026, 1, 2)
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert day_ends(date(2026, 1, 15)) == datetime(2026, 1, 15, 16, 0, tzinfo=UTC)
    with pytest.raises(ValueError, match="unit"):
        add_days(date(2026, 1, 2), 1, "moons")
