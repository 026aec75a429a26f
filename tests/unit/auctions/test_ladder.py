"""What a profile allows after a failed round: bounds, obstacles, and a suggestion that keeps every bound."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.auctions.rules.catalogue import (
    BANKRUPTCY,
    COMMERCIAL,
    JUDICIAL_ONLINE,
    PLEDGEE_AGREED,
    SANDBOX,
    STATE_OWNED,
)
from marketplace.auctions.rules.ladder import next_step
from marketplace.auctions.rules.pricing import check_terms

YUAN = 100
FAILED = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
AT = FAILED + timedelta(days=1)
FIRST = {
    "round_no": 1,
    "start_minor": 700_000 * YUAN,
    "increment_minor": 5_000 * YUAN,
    "deposit_minor": 70_000 * YUAN,
    "length": timedelta(days=2),
    "appraisal_minor": 1_000_000 * YUAN,
    "failed_at": FAILED,
    "at": AT,
}


def step(profile=JUDICIAL_ONLINE, **changes):
    return next_step(profile, **{**FIRST, **changes})


def test_the_second_auction_after_an_unsold_first():
    found = step()
    assert found.allowed and (found.round_no, found.rung.code) == (2, "second")
    assert found.lowest_minor == 560_000 * YUAN  # domain vector 1
    assert found.earliest == datetime(2026, 3, 17, 16, tzinfo=UTC)  # 18 March 00:00: 15 days after 3 March
    assert found.latest == datetime(2026, 4, 1, 16, tzinfo=UTC)  # 30 days after 2 March, to the end of that day
    assert found.publish_by == datetime(2026, 3, 17, 16, tzinfo=UTC)
    assert found.least == timedelta(days=1)
    assert found.suggestion.deposit_minor == 56_000 * YUAN
    assert found.suggestion.opens_at == datetime(2026, 3, 21, 2, tzinfo=UTC)


@pytest.mark.parametrize(("days", "obstacle"), [(0, ""), (14, ""), (15, ""), (16, "time_over"), (40, "time_over")])
def test_the_last_day_on_which_a_notice_is_long_enough(days, obstacle):
    found = step(at=FAILED + timedelta(days=days))
    assert found.obstacle == obstacle
    assert step(at=FAILED + timedelta(days=days), within_applies=False).obstacle == ""


def test_what_comes_after_the_last_rung():
    assert step(round_no=2).obstacle == "format_unknown" and step(round_no=2).rung.code == "sell_off"
    assert step(round_no=3).obstacle == "ladder_ended"
    assert step(COMMERCIAL).obstacle == "ladder_ended" and not step(COMMERCIAL).allowed
    assert step(STATE_OWNED, round_no=2).obstacle == "ladder_ended"


def test_a_state_owned_seller_goes_no_lower_than_without_a_written_approval():
    found = step(STATE_OWNED, start_minor=1_000_000 * YUAN)
    assert (found.lowest_minor, found.latest) == (900_000 * YUAN, None)
    assert found.suggestion.start_minor == 1_000_000 * YUAN  # nobody decided on a reduction yet


def test_a_rehearsal_opens_when_people_have_the_time():
    found = step(SANDBOX, at=FAILED + timedelta(hours=5))
    assert found.allowed and found.earliest == FAILED + timedelta(hours=5)


@given(
    start=st.integers(1_00, 10**13),
    share=st.integers(500, 2_000),
    hours=st.integers(0, 14 * 24),
    profile=st.sampled_from([JUDICIAL_ONLINE, PLEDGEE_AGREED, BANKRUPTCY]),
)
def test_what_is_suggested_is_never_refused(start, share, hours, profile):
    at = FAILED + timedelta(hours=hours)
    deposit = max(1, start * share // 10_000)
    found = step(profile, start_minor=start, deposit_minor=deposit, increment_minor=max(1, start // 200), at=at)
    terms = found.suggestion
    refused = [
        finding
        for finding in check_terms(
            profile,
            round_no=2,
            appraisal_minor=FIRST["appraisal_minor"],
            previous_start_minor=start,
            start_minor=terms.start_minor,
            increment_minor=terms.increment_minor,
            deposit_minor=terms.deposit_minor,
            published_at=at,
            opens_at=terms.opens_at,
            ends_at=terms.ends_at,
            previous_ended_at=FAILED,
        )
        if finding.severity == "refuse"
    ]
    assert refused == []
