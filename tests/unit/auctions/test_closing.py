from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.auctions.rules import events
from marketplace.auctions.rules.catalogue import COMMERCIAL, JUDICIAL_ONLINE, PLEDGEE_AGREED
from marketplace.auctions.rules.closing import NotYet, Outcome, apply_forfeit, decide_close

from .sale import ENDS, OPENS, Sale, refusal


def test_one_bid_at_the_start_price_is_a_valid_sale_without_backup():
    sale = Sale()
    sale.bid("A", 100_000)
    outcome = sale.close()
    assert isinstance(outcome, Outcome)
    assert (outcome.outcome, outcome.price_minor, outcome.backup) == ("sold", 100_000, None)
    assert outcome.winner.code == "A"
    assert sale.state.state == "closed"


def test_no_bid_is_unsold():
    outcome = Sale().close()
    assert (outcome.outcome, outcome.winner, outcome.price_minor) == ("unsold", None, None)


def test_backup_is_the_best_bid_of_another_bidder():
    sale = Sale()
    for code, amount in (("A", 100_000), ("C", 101_000), ("B", 102_000), ("A", 103_000), ("B", 104_000)):
        sale.bid(code, amount)
    outcome = sale.close()
    assert (outcome.winner.code, outcome.backup.code, outcome.backup.amount_minor) == ("B", "A", 103_000)


def test_backup_at_equal_price_is_the_one_that_outranked_the_other():
    sale = Sale()
    sale.bid("A", 100_000)
    sale.bid("P2", 100_000, rank=2)
    sale.bid("P1", 100_000, rank=1)
    outcome = sale.close()
    assert (outcome.winner.code, outcome.backup.code) == ("P1", "P2")


def test_close_waits_for_the_end_and_happens_once():
    sale = Sale()
    sale.bid("A", 100_000, ENDS - timedelta(minutes=1))
    early = sale.close(ENDS)
    assert early == NotYet(ENDS + timedelta(minutes=4))
    assert sale.close(ENDS + timedelta(minutes=4)).outcome == "sold"
    assert refusal(sale.close()) == "already_closed"


def test_a_suspended_or_withdrawn_lot_does_not_close():
    sale = Sale()
    sale.take(events.suspend(sale.state, OPENS, "异议"))
    assert sale.close(ENDS) == NotYet(ENDS, "suspended")
    sale.take(events.withdraw(sale.state, ENDS, "撤回"))
    assert refusal(sale.close(ENDS)) == "withdrawn"


def test_nobody_wins_by_a_broken_record():
    sale = Sale()
    sale.bid("A", 100_000)
    sale.bid("B", 101_000)
    bids = sale.bids()
    for wrong in ([], bids[:1], [bids[0], replace(bids[1], code="C")], bids[1:]):
        with pytest.raises(ValueError, match="leader"):
            decide_close(sale.state, wrong, ENDS)


VECTOR_6 = {
    "deposit_minor": 100_000,
    "costs_minor": 10_000,
    "original_price_minor": 800_000,
    "resale_price_minor": 750_000,
    "case_debt_minor": 2_000_000,
}


@pytest.mark.parametrize("profile", [JUDICIAL_ONLINE, PLEDGEE_AGREED])
def test_vector_6_judicial_forfeit_pays_costs_then_shortfall_then_debts_and_refunds_nothing(profile):
    split = apply_forfeit(profile, **VECTOR_6)
    assert split.lines == (
        ("costs", 10_000),
        ("shortfall", 50_000),
        ("case_debt", 40_000),
        ("related_debt", 0),
    )
    assert split.refund == 0 and split.owed == ()


def test_judicial_surplus_over_all_debts_is_held_and_not_refunded():
    split = apply_forfeit(JUDICIAL_ONLINE, **{**VECTOR_6, "case_debt_minor": 30_000, "related_debt_minor": 4_000})
    assert (split.amount("related_debt"), split.amount("held"), split.refund) == (4_000, 6_000, 0)


def test_commercial_forfeit_pays_commissions_and_shortfall_and_refunds_the_rest():
    split = apply_forfeit(COMMERCIAL, **{**VECTOR_6, "costs_minor": 0, "commissions_minor": 20_000})
    assert split.lines == (("commissions", 20_000), ("shortfall", 50_000))
    assert split.refund == 30_000


def test_what_the_deposit_does_not_cover_is_still_owed():
    split = apply_forfeit(JUDICIAL_ONLINE, **{**VECTOR_6, "resale_price_minor": 600_000})
    assert split.amount("shortfall") == 90_000
    assert split.owed == (("shortfall", 110_000),)


def test_before_the_reauction_everything_behind_the_costs_is_held():
    split = apply_forfeit(JUDICIAL_ONLINE, **{**VECTOR_6, "resale_price_minor": None})
    assert split.lines == (("costs", 10_000), ("held", 90_000))
    commercial = apply_forfeit(COMMERCIAL, **{**VECTOR_6, "resale_price_minor": None, "costs_minor": 0})
    assert commercial.refund == 0 and commercial.amount("held") == 100_000


def test_a_higher_reauction_price_leaves_no_shortfall():
    assert apply_forfeit(JUDICIAL_ONLINE, **{**VECTOR_6, "resale_price_minor": 900_000}).amount("shortfall") == 0


money = st.integers(min_value=0, max_value=10**12)


@given(
    st.sampled_from([JUDICIAL_ONLINE, PLEDGEE_AGREED, COMMERCIAL]),
    money,
    money,
    st.none() | money,
    money,
    money,
    money,
)
def test_a_forfeit_always_sums_to_the_deposit(profile, deposit, original, resale, costs, commissions, debt):
    split = apply_forfeit(
        profile,
        deposit_minor=deposit,
        original_price_minor=original,
        resale_price_minor=resale,
        costs_minor=costs,
        commissions_minor=commissions,
        case_debt_minor=debt,
    )
    assert sum(amount for _, amount in split.lines) + split.refund == deposit
    assert all(amount >= 0 for _, amount in (*split.lines, *split.owed))


def test_a_negative_amount_is_a_programming_error():
    with pytest.raises(ValueError, match="negative"):
        apply_forfeit(JUDICIAL_ONLINE, **{**VECTOR_6, "costs_minor": -1})
