"""The end of a round: who won, who stands second, and what becomes of the deposit of a defaulting buyer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from .profiles import Profile
from .state import Entry, LotState, Refused, lot_time, make_entry


@dataclass(frozen=True)
class Standing:
    """A bidder's best accepted bid: code, priority rank, amount in minor units, entry number."""

    code: str
    rank: int | None
    amount_minor: int
    seq: int


@dataclass(frozen=True)
class NotYet:
    """The round may not close: its end is still to come, or it is suspended."""

    ends_at: datetime
    reason: Literal["running", "suspended"] = "running"


@dataclass(frozen=True)
class Outcome:
    """The one result of a round, with the closed state and the last entry of its course."""

    outcome: Literal["sold", "unsold"]
    winner: Standing | None
    backup: Standing | None
    price_minor: int | None
    closed_at: datetime
    ends_at: datetime
    bid_count: int
    extensions: int
    state: LotState
    record: Entry


def standing_of(entry: Entry) -> Standing:
    """The standing that a ``bid`` entry gives."""
    return Standing(entry.body["code"], entry.body["rank"], entry.body["amount_minor"], entry.seq)


def backup_of(bids: Iterable[Standing], winner_code: str) -> Standing | None:
    """The best bid of another bidder: highest amount; at equal price the later, which outranked it."""
    others = (bid for bid in bids if bid.code != winner_code)
    return max(others, key=lambda bid: (bid.amount_minor, bid.seq), default=None)


def decide_close(state: LotState, bids: Iterable[Standing], now: datetime) -> Outcome | NotYet | Refused:
    """Close the round at `now`, or say when. One bid at the start price is a valid sale (网拍规定 art. 11).

    `bids` are all accepted bids of the round. Refuses ``already_closed`` and ``withdrawn``; raises ValueError
    when the state's leader is not the last of the bids (the record is broken: nobody may win by it).
    """
    now = lot_time(state, now)
    if state.state == "closed":
        return Refused("already_closed", {}, "网拍规定 art. 22")
    if state.state == "withdrawn":
        return Refused("withdrawn", {}, "拍变规定 art. 17")
    if state.state == "suspended":
        return NotYet(state.ends_at, "suspended")
    if now < state.ends_at:
        return NotYet(state.ends_at)
    in_order = sorted(bids, key=lambda bid: bid.seq)
    last = in_order[-1] if in_order else None
    if last is None:
        if state.leader_code is not None or state.bid_count:
            raise ValueError("the lot has a leader but no bids")
    elif (last.code, last.rank, last.amount_minor, last.seq) != (
        state.leader_code,
        state.leader_rank,
        state.price_minor,
        state.leader_seq,
    ) or len(in_order) != state.bid_count:
        raise ValueError("the lot's leader is not its last bid")
    backup = backup_of(in_order, last.code) if last else None
    body = close_body(last, backup, state)
    record = make_entry(state.last_hash, state.seq + 1, "closed", now, state.ends_at, body)
    after = replace(state, state="closed", seq=record.seq, last_hash=record.hash, last_at=now)
    return Outcome(
        "sold" if last else "unsold",
        last,
        backup,
        last.amount_minor if last else None,
        now,
        state.ends_at,
        state.bid_count,
        state.extensions,
        after,
        record,
    )


def close_body(winner: Standing | None, backup: Standing | None, state: LotState) -> dict[str, Any]:
    """The body of the ``closed`` entry, which is also the result in the exported course."""
    return {
        "outcome": "sold" if winner else "unsold",
        "price_minor": winner.amount_minor if winner else None,
        "winner_code": winner.code if winner else None,
        "winner_rank": winner.rank if winner else None,
        "winner_seq": winner.seq if winner else None,
        "backup_code": backup.code if backup else None,
        "backup_price_minor": backup.amount_minor if backup else None,
        "backup_seq": backup.seq if backup else None,
        "bid_count": state.bid_count,
        "extensions": state.extensions,
    }


@dataclass(frozen=True)
class Forfeit:
    """How a forfeited deposit goes: lines in the profile's order (minor units), refund, what is still owed.

    ``lines`` plus ``refund`` sum to the deposit. ``held`` is what no rule gives out yet (kept, not refunded).
    ``owed`` names claims against the buyer that the deposit did not cover.
    """

    lines: tuple[tuple[str, int], ...]
    refund: int
    owed: tuple[tuple[str, int], ...]

    def amount(self, code: str) -> int:
        """The part of the deposit that goes to `code`."""
        return dict(self.lines).get(code, 0)


def apply_forfeit(
    profile: Profile,
    *,
    deposit_minor: int,
    original_price_minor: int,
    resale_price_minor: int | None,
    costs_minor: int = 0,
    commissions_minor: int = 0,
    case_debt_minor: int = 0,
    related_debt_minor: int = 0,
) -> Forfeit:
    """Split the deposit of a buyer in default in the order of the profile (网拍规定 art. 24; 拍卖法 art. 39).

    Judicial: costs → shortfall of the re-auction price → debt of the case → related debts → held; no refund.
    Commercial: commissions → shortfall → refund of the surplus (costs are not part of that order).
    While there is no re-auction price the shortfall is unknown, so everything behind it is held.
    """
    claims = {
        "costs": costs_minor,
        "commissions": commissions_minor,
        "shortfall": None if resale_price_minor is None else max(0, original_price_minor - resale_price_minor),
        "case_debt": case_debt_minor,
        "related_debt": related_debt_minor,
    }
    amounts = [deposit_minor, original_price_minor, resale_price_minor or 0]
    if any(amount < 0 for amount in [*amounts, *(claim or 0 for claim in claims.values())]):
        raise ValueError("amounts of a forfeit are not negative")
    left, refund = deposit_minor, 0
    lines: list[tuple[str, int]] = []
    owed: list[tuple[str, int]] = []
    for code in profile.default_order.value:
        if code == "refund":
            refund, left = left, 0
            continue
        if code == "held":
            continue
        claim = claims[code]
        if claim is None:
            break
        taken = min(left, claim)
        left -= taken
        lines.append((code, taken))
        if claim > taken and code in ("costs", "commissions", "shortfall"):
            owed.append((code, claim - taken))
    if left:
        lines.append(("held", left))
    return Forfeit(tuple(lines), refund, tuple(owed))
