"""The state of a lot in a round, what a bidder wants, and the answers: accepted with a record, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from .chain import link

LotPhase = Literal["scheduled", "running", "suspended", "withdrawn", "closed"]
BidKind = Literal["ordinary", "priority"]

MAX_MINOR = 2**63 - 1


@dataclass(frozen=True)
class LotState:
    """A lot in one round, as it stands under the lot's lock.

    Amounts in minor units, moments aware (UTC). ``leader_rank`` is None for an ordinary bidder, 1 for the
    first rank of priority purchasers, 2 for the second… ``seq`` counts entries of the course (bids and
    events), without gaps; ``last_hash`` is the genesis hash until the first entry. ``scheduled_ends_at`` is
    the end before extensions by bids. ``last_at``: time of the last entry; a lot's time never runs backwards.
    """

    lot_code: str
    round_no: int
    state: LotPhase
    start_minor: int
    increment_minor: int
    opens_at: datetime
    ends_at: datetime
    scheduled_ends_at: datetime
    last_hash: str
    price_minor: int | None = None
    leader_code: str | None = None
    leader_rank: int | None = None
    leader_seq: int | None = None
    seq: int = 0
    bid_count: int = 0
    extensions: int = 0
    last_at: datetime | None = None
    suspended_at: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.opens_at, self.ends_at, self.scheduled_ends_at):
            if moment.tzinfo is None:
                raise ValueError("a lot's times carry a time zone")
        if (self.price_minor is None) != (self.leader_code is None):
            raise ValueError("a price needs a leader and a leader a price")


@dataclass(frozen=True)
class BidIntent:
    """What a bidder asks for. ``rank`` is the confirmed priority rank of the code (None = ordinary bidder).

    ``kind`` ``priority`` claims the right to bid the current price; it needs a rank. A ranked bidder keeps
    the rank on ordinary bids too. ``confirmed_high``: the bidder confirmed an amount far above the price.
    """

    code: str
    amount_minor: int
    kind: BidKind = "ordinary"
    rank: int | None = None
    confirmed_high: bool = False
    received_at: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the course: ``body`` is hashed together with ``seq``, ``kind``, ``at``, ``ends_at``."""

    seq: int
    kind: str
    at: datetime
    ends_at: datetime
    body: Mapping[str, Any]
    prev_hash: str
    hash: str

    def payload(self) -> dict[str, Any]:
        """The hashed part, as plain values (moments still datetimes)."""
        own = {"seq": self.seq, "kind": self.kind, "at": self.at, "ends_at": self.ends_at}
        return {**self.body, **own}

    def as_dict(self) -> dict[str, Any]:
        """The entry as it stands in the exported course."""
        return {**self.payload(), "prev_hash": self.prev_hash, "hash": self.hash}


@dataclass(frozen=True)
class Accepted:
    """The new state and the entry to append; both belong to one transaction."""

    state: LotState
    record: Entry


@dataclass(frozen=True)
class Refused:
    """Why not: stable code, values for the message, source of the rule."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)
    source: str = "平台规则"


def make_entry(prev_hash: str, seq: int, kind: str, at: datetime, ends_at: datetime, body: Mapping[str, Any]) -> Entry:
    """The entry that follows `prev_hash`, with its hash."""
    payload = {**body, "seq": seq, "kind": kind, "at": at, "ends_at": ends_at}
    return Entry(seq, kind, at, ends_at, body, prev_hash, link(prev_hash, payload))


def bid_body(
    *,
    code: str,
    rank: int | None,
    bid_kind: str,
    amount_minor: int,
    confirmed_high: bool,
    extended: bool,
    received_at: datetime | None,
) -> dict[str, Any]:
    """The body of a ``bid`` entry; storage that keeps these columns can rebuild the entry exactly."""
    return {
        "code": code,
        "rank": rank,
        "bid_kind": bid_kind,
        "amount_minor": amount_minor,
        "confirmed_high": confirmed_high,
        "extended": extended,
        "received_at": received_at,
    }


def lot_time(state: LotState, now: datetime) -> datetime:
    """`now`, but never before the lot's last entry (a stepped-back server clock reorders nothing)."""
    if now.tzinfo is None:
        raise ValueError("a decision needs a moment with a time zone")
    return now if state.last_at is None or now >= state.last_at else state.last_at


def why_not_open(state: LotState, now: datetime) -> Refused | None:
    """The refusal for a lot that takes no bids now, or None.

    Codes ``withdrawn``, ``suspended``, ``closed``, ``not_open``. The end is exclusive: a bid at exactly
    ``ends_at`` is too late. A scheduled lot is open from ``opens_at`` on, whether or not the tick has run.
    """
    if state.state == "withdrawn":
        return Refused("withdrawn", {}, "网拍规定 art. 28；拍变规定 art. 17")
    if state.state == "suspended":
        return Refused("suspended", {}, "网拍规定 art. 28")
    if state.state == "closed" or now >= state.ends_at:
        return Refused("closed", {"ends_at": state.ends_at}, "网拍规定 art. 20")
    if now < state.opens_at:
        return Refused("not_open", {"opens_at": state.opens_at}, "网拍规定 art. 20")
    return None
