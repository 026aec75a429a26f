"""From rows to the rules and back: the frozen terms of a lot, the state that a decision reads, the entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from marketplace.auctions.models import CourseEntry, Lot
from marketplace.auctions.rules.course import lot_facts
from marketplace.auctions.rules.profiles import Profile
from marketplace.auctions.rules.state import Entry, LotPhase, LotState, bid_body
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.i18n import _l

ENDED = ("sold", "unsold", "withdrawn")


@dataclass(frozen=True)
class Sale:
    """What is frozen at publication, with the profile parsed; amounts in minor units."""

    lot_id: int
    listing_id: int
    seller_id: int
    code: str
    round_no: int
    title: str
    format: str
    currency: str
    start_minor: int
    increment_minor: int
    deposit_minor: int
    claim_minor: int | None
    balance_days: int
    published_at: datetime
    opens_at: datetime
    planned_ends_at: datetime
    genesis_hash: str
    facts: dict[str, Any]
    profile: Profile

    def lot_facts(self) -> dict[str, Any]:
        """The facts that the genesis hash covers."""
        return lot_facts(
            self.profile,
            lot_code=self.code,
            round_no=self.round_no,
            title=self.title,
            format=self.format,
            currency=self.currency,
            start_minor=self.start_minor,
            increment_minor=self.increment_minor,
            deposit_minor=self.deposit_minor,
            published_at=self.published_at,
            opens_at=self.opens_at,
            ends_at=self.planned_ends_at,
            notice_sha256=self.facts.get("notice_sha256"),
        )


_kept: dict[int, Sale] = {}
_KEEP = 2_000


def know_sale(lot_id: int) -> None:
    """Read the frozen terms now, so that ``sale_of`` need not ask while the lot is locked; ``lot_unknown``."""
    if lot_id not in _kept:
        sale_of(lot_id)


def sale_of(lot_id: int, genesis_hash: str | None = None) -> Sale:
    """The frozen terms of a lot, parsed once a process; ``lot_unknown``. With the genesis hash that the
    caller read from the row, no query is needed after the first time."""
    if genesis_hash is not None and (found := _kept.get(lot_id)) and found.genesis_hash == genesis_hash:
        return found
    lot = db.session.get(Lot, lot_id)
    if lot is None:
        raise NotFound("lot_unknown", _l("没有这个标的"))
    sale = Sale(
        lot_id=lot.id,
        listing_id=lot.listing_id,
        seller_id=lot.org_id,
        code=lot.code,
        round_no=lot.round_no,
        title=lot.title,
        format=lot.format,
        currency=lot.currency,
        start_minor=lot.start_minor,
        increment_minor=lot.increment_minor,
        deposit_minor=lot.deposit_minor,
        claim_minor=lot.claim_minor,
        balance_days=lot.balance_days,
        published_at=lot.published_at,
        opens_at=lot.opens_at,
        planned_ends_at=lot.planned_ends_at,
        genesis_hash=lot.genesis_hash,
        facts=lot.facts,
        profile=Profile.from_json(lot.profile),
    )
    if len(_kept) >= _KEEP:
        _kept.clear()
    _kept[lot_id] = sale
    return sale


def rules_state(sale: Sale, row: Any) -> LotState:
    """The state as the rules read it, from a ``lot_state`` row (of the ORM, or of ``lock_lot_for_bids``)."""
    phase: LotPhase = "closed" if row.state in ("sold", "unsold") else row.state
    return LotState(
        lot_code=sale.code,
        round_no=sale.round_no,
        state=phase,
        start_minor=sale.start_minor,
        increment_minor=sale.increment_minor,
        opens_at=row.opens_at,
        ends_at=row.ends_at,
        scheduled_ends_at=row.scheduled_ends_at,
        last_hash=row.last_hash,
        price_minor=row.price_minor,
        leader_code=row.leader_code,
        leader_rank=row.leader_rank,
        leader_seq=row.leader_seq,
        seq=row.seq,
        bid_count=row.bids,
        extensions=row.extensions,
        last_at=row.last_at,
        suspended_at=row.suspended_at,
    )


def entry_of(row: CourseEntry) -> Entry:
    """The entry as it was hashed, rebuilt from its row."""
    body = dict(row.data)
    if row.kind == "bid":
        body = bid_body(
            code=row.code or "",
            rank=row.rank,
            bid_kind=row.data["bid_kind"],
            amount_minor=row.amount_minor or 0,
            confirmed_high=row.data["confirmed_high"],
            extended=row.data["extended"],
            received_at=row.received_at,
        )
    return Entry(row.seq, row.kind, row.decided_at, row.ends_at, body, row.prev_hash, row.hash)


def entries_of(lot_id: int) -> list[CourseEntry]:
    """The whole course of a lot, in order."""
    return list(db.session.scalars(select(CourseEntry).where(CourseEntry.lot_id == lot_id).order_by(CourseEntry.seq)))


def append_event(lot_id: int, record: Entry, user_id: int | None = None) -> None:
    """Write an entry other than a bid: suspended, resumed, prolonged, withdrawn, closed."""
    db.session.execute(
        insert(CourseEntry).values(
            lot_id=lot_id,
            seq=record.seq,
            kind=record.kind,
            received_at=record.at,
            decided_at=record.at,
            ends_at=record.ends_at,
            data=dict(record.body),
            prev_hash=record.prev_hash,
            hash=record.hash,
            user_id=user_id,
        )
    )


def public_entries(rows: Iterable[CourseEntry]) -> list[dict[str, Any]]:
    """Entries as the exported course carries them (moments still datetimes): codes only, never a name."""
    return [entry_of(row).as_dict() for row in rows]
