from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.auctions.rules import english, events, formats
from marketplace.auctions.rules.catalogue import JUDICIAL_ONLINE, SANDBOX
from marketplace.auctions.rules.findings import Term
from marketplace.auctions.rules.state import Accepted, BidIntent, Refused

from .sale import ENDS, OPENS, Sale, fresh, refusal

SECOND = timedelta(seconds=1)
MICRO = timedelta(microseconds=1)


def at(clock: str) -> datetime:
    """A time of the last morning; the sale ends at 10:00:00 in Shanghai = 02:00:00 UTC."""
    hours, minutes, seconds = map(int, clock.split(":"))
    return datetime(2026, 3, 3, hours - 8, minutes, seconds, tzinfo=UTC)


def test_vector_4_bid_in_last_five_minutes_moves_end_to_five_minutes_after_it():
    sale = Sale()
    assert sale.bid("A", 100_000, at("09:54:59")).state.ends_at == at("10:00:00")
    assert sale.bid("B", 101_000, at("09:56:00")).state.ends_at == at("10:01:00")
    assert sale.bid("A", 102_000, at("10:00:59")).state.ends_at == at("10:05:59")
    assert sale.state.extensions == 2
    assert [entry.body["extended"] for entry in sale.entries] == [False, True, True]


def test_vector_4_bid_exactly_five_minutes_before_the_end_is_within_and_moves_nothing():
    sale = Sale()
    assert english.closing_window_opens(sale.state, sale.profile) == at("09:55:00")
    assert sale.bid("A", 100_000, at("09:55:00")).state.ends_at == ENDS
    assert sale.state.extensions == 0
    assert sale.bid("B", 101_000, at("09:55:00") + MICRO).state.ends_at == ENDS + MICRO
    longer = replace(JUDICIAL_ONLINE, extension_length=Term(600, "seconds", "test", "contract"))
    assert english.extended_end(fresh(), at("09:55:00"), longer) == at("10:05:00")
    assert english.extended_end(fresh(), at("09:55:00") - MICRO, longer) == ENDS


def test_a_window_longer_than_the_extension_never_moves_the_end_back():
    wide = replace(JUDICIAL_ONLINE, extension_window=Term(600, "seconds", "test", "contract"))
    assert english.extended_end(fresh(), at("09:52:00"), wide) == ENDS


def test_extension_keeps_microseconds():
    sale = Sale()
    moment = at("09:59:59") + timedelta(microseconds=123_457)
    assert sale.bid("A", 100_000, moment).state.ends_at == moment + timedelta(minutes=5)


def test_the_end_is_exclusive_and_the_opening_inclusive():
    assert refusal(Sale().bid("A", 100_000, ENDS)) == "closed"
    assert isinstance(Sale().bid("A", 100_000, ENDS - MICRO), Accepted)
    assert isinstance(Sale().bid("A", 100_000, OPENS), Accepted)
    assert refusal(Sale().bid("A", 100_000, OPENS - MICRO)) == "not_open"


def test_an_extension_cap_bounds_the_sum_of_extensions():
    profile = replace(JUDICIAL_ONLINE, extension_cap=Term(420, "seconds", "test", "contract"))
    sale = Sale(profile)
    sale.bid("A", 100_000, at("09:59:00"))
    sale.bid("B", 101_000, at("10:03:00"))
    assert sale.state.ends_at == at("10:07:00")
    assert sale.bid("A", 102_000, at("10:06:00")).state.ends_at == at("10:07:00")
    assert sale.state.extensions == 2


def test_sandbox_extends_by_its_scaled_length():
    sale = Sale(SANDBOX, ends_at=OPENS + timedelta(minutes=1))
    sale.bid("A", 100_000, OPENS + 55 * SECOND)
    assert sale.state.ends_at == OPENS + 65 * SECOND


def test_vector_5_priority_takes_the_lead_at_equal_price_by_rank():
    sale = Sale()
    assert sale.bid("A", 100_000).state.leader_code == "A"
    assert sale.bid("P2", 100_000, rank=2).state.leader_code == "P2"
    assert sale.bid("P1", 100_000, rank=1).state.leader_code == "P1"
    answer = sale.bid("P2", 100_000, rank=2)
    assert refusal(answer) == "priority_outranked" and answer.source == "网拍规定 art. 21"
    assert refusal(sale.bid("B", 100_999)) == "below_minimum"
    assert sale.bid("B", 101_000).state.leader_code == "B"
    assert sale.bid("P2", 101_000, rank=2).state.leader_code == "P2"
    assert sale.state.price_minor == 101_000


def test_same_rank_at_equal_price_stays_with_the_earlier():
    sale = Sale()
    sale.bid("A", 100_000)
    sale.bid("P1", 100_000, rank=1)
    assert refusal(sale.bid("Q1", 100_000, rank=1)) == "priority_outranked"
    assert sale.bid("Q1", 101_000, rank=1).state.leader_code == "Q1"


def test_priority_bid_at_equal_price_in_the_window_extends_too():
    sale = Sale()
    sale.bid("A", 100_000)
    assert sale.bid("P1", 100_000, at("09:59:00"), rank=1).state.ends_at == at("10:04:00")


def test_priority_needs_a_confirmed_rank_and_a_profile_that_knows_it():
    sale = Sale()
    assert refusal(sale.bid("A", 100_000, kind="priority")) == "priority_not_confirmed"
    without = replace(JUDICIAL_ONLINE, priority_right=Term(False, "flag", "拍卖规则", "contract"))
    assert refusal(Sale(without).bid("P1", 100_000, rank=1)) == "priority_not_allowed"


def test_an_ordinary_bid_of_a_ranked_bidder_keeps_the_rank_but_not_the_equal_price():
    sale = Sale()
    sale.bid("A", 100_000)
    assert refusal(sale.bid("P2", 100_000, rank=2, kind="ordinary")) == "below_minimum"
    sale.bid("P2", 101_000, rank=2, kind="ordinary")
    assert sale.state.leader_rank == 2
    assert refusal(sale.bid("P3", 101_000, rank=3)) == "priority_outranked"


def test_the_first_bid_is_at_least_the_start_price_for_everyone():
    assert refusal(Sale().bid("A", 99_999)) == "below_start"
    assert refusal(Sale().bid("P1", 99_000, rank=1)) == "below_start"


def test_increments_are_whole_multiples_of_the_step_from_the_current_price():
    sale = Sale()
    assert refusal(sale.bid("A", 100_500)) == "not_multiple"
    sale.bid("A", 103_000)
    answer = sale.bid("B", 104_500)
    assert isinstance(answer, Refused)
    assert (answer.params["lower_minor"], answer.params["upper_minor"]) == (104_000, 105_000)
    assert isinstance(sale.bid("B", 105_000), Accepted)
    loose = replace(JUDICIAL_ONLINE, increment_multiple=Term(False, "flag", "test", "contract"))
    assert isinstance(Sale(loose).bid("A", 100_500), Accepted)


def test_the_leader_does_not_outbid_himself():
    sale = Sale()
    sale.bid("A", 100_000)
    assert refusal(sale.bid("A", 105_000)) == "own_lead"
    sale.bid("P1", 100_000, rank=1)
    assert refusal(sale.bid("P1", 100_000, rank=1)) == "own_lead"


def test_an_absurd_jump_needs_confirmation():
    sale = Sale()
    assert isinstance(sale.bid("A", 1_000_000), Accepted)
    answer = sale.bid("B", 10_001_000)
    assert refusal(answer) == "confirm_high" and answer.params["times"] == 10
    assert isinstance(sale.bid("B", 10_001_000, confirmed_high=True), Accepted)


@pytest.mark.parametrize("amount", [0, -5, 2**63, True, 100_000.0, "100000", None])
def test_an_amount_that_is_no_positive_whole_number_is_refused(amount):
    assert refusal(Sale().bid("A", amount)) == "bad_amount"


@pytest.mark.parametrize("phase", ["suspended", "withdrawn", "closed"])
def test_no_bid_in_a_lot_that_is_not_running(phase):
    assert refusal(english.decide(fresh(state=phase), BidIntent("A", 100_000), OPENS, JUDICIAL_ONLINE)) == phase


def test_a_lot_time_never_runs_backwards():
    sale = Sale()
    sale.bid("A", 100_000, at("09:59:00"))
    answer = sale.bid("B", 101_000, at("09:58:00"))
    assert answer.record.at == at("09:59:00")
    assert sale.state.ends_at == at("10:04:00")


def test_a_moment_without_a_time_zone_is_a_programming_error():
    with pytest.raises(ValueError, match="time zone"):
        english.decide(fresh(), BidIntent("A", 1), datetime(2026, 3, 3), JUDICIAL_ONLINE)
    with pytest.raises(ValueError, match="time zone"):
        fresh(ends_at=datetime(2026, 3, 3))


def test_formats_refuse_what_they_do_not_know():
    bid = BidIntent("A", 100_000)
    assert isinstance(formats.decide("english_priority", fresh(), bid, OPENS, JUDICIAL_ONLINE), Accepted)
    answer = formats.decide("sell_off_60d", fresh(), bid, OPENS, JUDICIAL_ONLINE)
    assert refusal(answer) == "format_unknown" and answer.params == {"format": "sell_off_60d"}


def test_suspension_gives_back_the_time_that_was_left():
    sale = Sale()
    sale.bid("A", 100_000)
    sale.take(events.suspend(sale.state, at("09:00:00"), "系统故障"))
    assert refusal(sale.bid("B", 101_000, at("09:10:00"))) == "suspended"
    sale.take(events.resume(sale.state, at("12:00:00"), "故障排除", sale.profile))
    assert sale.state.ends_at == at("13:00:00")
    assert isinstance(sale.bid("B", 101_000, at("12:59:00")), Accepted)
    assert sale.state.ends_at == at("13:04:00")


def test_resumption_leaves_at_least_one_extension_and_never_shortens():
    sale = Sale()
    sale.take(events.suspend(sale.state, at("09:59:59"), "系统故障"))
    early = events.resume(sale.state, at("11:00:00"), "恢复", sale.profile, ends_at=at("11:04:59"))
    assert refusal(early) == "end_too_early"
    sale.take(events.resume(sale.state, at("11:00:00"), "恢复", sale.profile))
    assert sale.state.ends_at == at("11:05:00")


def test_suspension_before_the_opening_keeps_the_whole_bidding_time():
    sale = Sale()
    sale.take(events.suspend(sale.state, OPENS - timedelta(hours=5), "异议审查"))
    sale.take(events.resume(sale.state, OPENS + timedelta(hours=2), "异议不成立", sale.profile))
    assert sale.state.ends_at == ENDS + timedelta(hours=2)


def test_events_give_a_reason_and_respect_the_end():
    state = fresh()
    assert refusal(events.suspend(state, OPENS, " ")) == "reason_missing"
    assert refusal(events.suspend(state, ENDS, "晚了")) == "closed"
    assert refusal(events.resume(state, OPENS, "未中止", JUDICIAL_ONLINE)) == "not_suspended"
    assert refusal(events.prolong(state, OPENS, ENDS, "未推后")) == "end_too_early"
    outage = events.prolong(state, ENDS + timedelta(hours=1), ENDS + timedelta(hours=2), "停机顺延")
    assert isinstance(outage, Accepted) and outage.state.ends_at == ENDS + timedelta(hours=2)
    assert refusal(events.prolong(state, ENDS + timedelta(hours=1), ENDS + timedelta(minutes=5), "过去")) == (
        "end_too_early"
    )
    gone = events.withdraw(state, OPENS, "债务清偿")
    assert isinstance(gone, Accepted) and gone.state.state == "withdrawn"
    assert refusal(events.withdraw(gone.state, OPENS, "再次")) == "withdrawn"
    sold = Sale()
    sold.bid("A", 100_000)
    assert refusal(events.withdraw(sold.state, ENDS, "成交后")) == "closed"


@given(
    before_end=st.integers(min_value=1, max_value=24 * 3600 * 10**6),
)
def test_the_end_after_a_bid_is_the_maximum_of_both(before_end):
    moment = ENDS - timedelta(microseconds=before_end)
    assert english.extended_end(fresh(), moment, JUDICIAL_ONLINE) == max(ENDS, moment + timedelta(minutes=5))
