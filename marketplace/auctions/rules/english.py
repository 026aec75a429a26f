"""English auction with priority right (网拍规定 art. 20, 21): one pure decision per bid."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from .profiles import Profile, span
from .state import (
    MAX_MINOR,
    Accepted,
    BidIntent,
    LotState,
    Refused,
    bid_body,
    lot_time,
    make_entry,
    why_not_open,
)

_PRICE_RISES = "网拍规定 art. 20, 27"
_EQUAL_PRICE = "网拍规定 art. 21"


def decide(state: LotState, bid: BidIntent, now: datetime, profile: Profile) -> Accepted | Refused:
    """Accept `bid` at `now` (database clock, read under the lot's lock) or say why not.

    Refusal codes: ``not_open``, ``closed``, ``suspended``, ``withdrawn``, ``bad_amount``,
    ``priority_not_allowed``, ``priority_not_confirmed``, ``own_lead``, ``below_start``, ``below_minimum``,
    ``priority_outranked``, ``not_multiple``, ``confirm_high``.
    """
    now = lot_time(state, now)
    refusal = why_not_open(state, now) or _bidder(state, bid, profile) or _amount(state, bid, profile)
    if refusal:
        return refusal
    ends_at = extended_end(state, now, profile)
    extended = ends_at > state.ends_at
    record = make_entry(
        state.last_hash,
        state.seq + 1,
        "bid",
        now,
        ends_at,
        bid_body(
            code=bid.code,
            rank=bid.rank,
            bid_kind=bid.kind,
            amount_minor=bid.amount_minor,
            confirmed_high=bid.confirmed_high,
            extended=extended,
            received_at=bid.received_at,
        ),
    )
    after = replace(
        state,
        state="running",
        price_minor=bid.amount_minor,
        leader_code=bid.code,
        leader_rank=bid.rank,
        leader_seq=record.seq,
        seq=record.seq,
        bid_count=state.bid_count + 1,
        ends_at=ends_at,
        extensions=state.extensions + extended,
        last_hash=record.hash,
        last_at=now,
    )
    return Accepted(after, record)


def minimum_bid(state: LotState) -> int:
    """The least an ordinary bidder may bid now, minor units: the start price, then price + increment."""
    if state.price_minor is None:
        return state.start_minor
    return state.price_minor + state.increment_minor


def may_match(state: LotState, rank: int | None, profile: Profile) -> bool:
    """Whether a bidder of that rank may take the lead at the current price (网拍规定 art. 21).

    Yes over an ordinary leader or a lower rank (a larger number); not over a higher or the same rank.
    """
    if rank is None or state.price_minor is None or not profile.priority_right.value:
        return False
    return state.leader_rank is None or rank < state.leader_rank


def extended_end(state: LotState, at: datetime, profile: Profile) -> datetime:
    """The end after a bid at `at`: within the last five minutes it becomes bid time + five minutes.

    ``max(end, bid + length)``, to the microsecond, never earlier. 五分钟内 includes a bid exactly five
    minutes before the end; its new end equals the old one, so nothing moves. A cap, where the profile
    has one, bounds the sum of extensions after the scheduled end.
    """
    if state.ends_at - at > span(profile.extension_window, profile):
        return state.ends_at
    end = at + span(profile.extension_length, profile)
    if profile.extension_cap is not None:
        end = min(end, state.scheduled_ends_at + span(profile.extension_cap, profile))
    return max(state.ends_at, end)


def closing_window_opens(state: LotState, profile: Profile) -> datetime:
    """From this moment on (inclusive) a bid counts as made in the last five minutes."""
    return state.ends_at - max(timedelta(0), span(profile.extension_window, profile))


def _bidder(state: LotState, bid: BidIntent, profile: Profile) -> Refused | None:
    if bid.kind == "priority" and not profile.priority_right.value:
        return Refused("priority_not_allowed", {}, profile.priority_right.source)
    if bid.rank is not None and (type(bid.rank) is not int or bid.rank < 1):
        raise ValueError("a priority rank is 1, 2, 3…")
    if bid.kind == "priority" and bid.rank is None:
        return Refused("priority_not_confirmed", {}, "网拍规定 art. 19")
    if state.leader_code == bid.code:
        return Refused("own_lead", {"price_minor": state.price_minor}, "平台规则（领先者无需再次出价）")
    return None


def _amount(state: LotState, bid: BidIntent, profile: Profile) -> Refused | None:
    amount = bid.amount_minor
    if type(amount) is not int or not 0 < amount <= MAX_MINOR:
        return Refused("bad_amount", {"maximum_minor": MAX_MINOR})
    least = minimum_bid(state)
    price, step = state.price_minor, state.increment_minor
    if price is None:
        if amount < least:
            return Refused("below_start", {"minimum_minor": least}, "网拍规定 art. 20")
    elif amount == price and bid.kind == "priority":
        if may_match(state, bid.rank, profile):
            return None
        return Refused(
            "priority_outranked",
            {"minimum_minor": least, "leader_rank": state.leader_rank, "rank": bid.rank},
            _EQUAL_PRICE,
        )
    elif amount < least:
        return Refused("below_minimum", {"minimum_minor": least, "price_minor": price}, _PRICE_RISES)
    base = state.start_minor if price is None else price
    if profile.increment_multiple.value and (amount - base) % step:
        lower = base + (amount - base) // step * step
        return Refused(
            "not_multiple",
            {"increment_minor": step, "base_minor": base, "lower_minor": lower, "upper_minor": lower + step},
            profile.increment_multiple.source,
        )
    if amount > base * profile.jump_factor.value and not bid.confirmed_high:
        params = {"amount_minor": amount, "price_minor": base, "times": profile.jump_factor.value}
        return Refused("confirm_high", params, profile.jump_factor.source)
    return None
