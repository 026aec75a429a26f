"""What must hold of every sale in the database, whatever happened to it. Used by bench, tests, ``flask auctions
check``; reads only, one line a broken rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import func, select, text

from marketplace.auctions.models import BidRefusal, CourseEntry, Lot, LotResult, LotState
from marketplace.auctions.rules.chain import genesis, link
from marketplace.auctions.rules.closing import Standing, backup_of
from marketplace.auctions.sale import entries_of, entry_of, sale_of
from marketplace.core.db import db

_LEDGER = text("""
SELECT t.id FROM ledger_transfer t JOIN ledger_entry e ON e.transfer_id = t.id
 GROUP BY t.id HAVING sum(e.amount_minor) <> 0
""")


def broken(lot_ids: Iterable[int] | None = None, accepted: dict[int, int] | None = None) -> list[str]:
    """Every rule that does not hold, as ``lot 7: …``; empty when all is well.

    ``accepted``: how many bids callers saw accepted, by lot; there must be exactly as many entries.
    """
    found: list[str] = []
    ids = list(lot_ids) if lot_ids is not None else list(db.session.scalars(select(Lot.id).order_by(Lot.id)))
    for lot_id in ids:
        found += [f"lot {lot_id}: {text}" for text in _of_lot(lot_id, (accepted or {}).get(lot_id))]
        db.session.expunge_all()
    found += [f"ledger transfer {row}: its entries do not sum to zero" for row in db.session.scalars(_LEDGER)]
    total = db.session.scalar(text("SELECT coalesce(sum(amount_minor), 0) FROM ledger_entry"))
    if total:
        found.append(f"the ledger sums to {total}")
    return found


def _of_lot(lot_id: int, accepted: int | None) -> Iterator[str]:
    sale = sale_of(lot_id)
    state = db.session.get_one(LotState, lot_id)
    rows = entries_of(lot_id)
    yield from _chain(sale.lot_facts(), sale.genesis_hash, state, rows)
    bids = [row for row in rows if row.kind == "bid"]
    if state.bids != len(bids):
        yield f"{state.bids} bids are counted, {len(bids)} stand in the course"
    if accepted is not None and accepted != len(bids):
        yield f"{accepted} bids were answered as accepted, {len(bids)} stand in the course"
    last = bids[-1] if bids else None
    leader = (state.leader_registration_id, state.leader_code, state.price_minor, state.leader_seq)
    wanted = (last.registration_id, last.code, last.amount_minor, last.seq) if last else (None, None, None, None)
    if leader != wanted:
        yield f"the leader {leader} is not the last bid {wanted}"
    yield from _times(state, rows, sale)
    yield from _prices(rows)
    yield from _result(lot_id, state, bids, rows)
    keys = db.session.scalar(
        select(func.count())
        .select_from(BidRefusal)
        .join(
            CourseEntry,
            (CourseEntry.registration_id == BidRefusal.registration_id)
            & (CourseEntry.idempotency_key == BidRefusal.idempotency_key),
        )
        .where(BidRefusal.lot_id == lot_id)
    )
    if keys:
        yield f"{keys} keys were both accepted and refused"


def _chain(facts: dict[str, object], first: str, state: LotState, rows: list[CourseEntry]) -> Iterator[str]:
    head = genesis(facts)
    if head != first:
        yield "its frozen facts do not give its genesis hash"
    for number, row in enumerate(rows, 1):
        entry = entry_of(row)
        if row.seq != number:
            yield f"entry {number} has the number {row.seq}"
        if row.prev_hash != head or link(head, entry.payload()) != row.hash:
            yield f"entry {row.seq} does not follow by its hash"
        head = row.hash
    if (state.seq, state.last_hash) != (len(rows), head):
        yield "its state does not point at the head of the course"


def _times(state: LotState, rows: list[CourseEntry], sale: object) -> Iterator[str]:
    ends_at = rows[0].ends_at if rows else None
    before, suspended = None, False
    for row in rows:
        if ends_at is not None and row.ends_at < ends_at:
            yield f"entry {row.seq} moves the end back"
        if before is not None and row.decided_at < before:
            yield f"entry {row.seq} runs backwards in time"
        if row.kind == "bid":
            if row.decided_at >= (ends_at or row.ends_at):
                yield f"bid {row.seq} came at or after the end"
            if row.decided_at < state.opens_at or suspended:
                yield f"bid {row.seq} came while the lot was not open"
        suspended = row.kind == "suspended" or (suspended and row.kind != "resumed")
        ends_at, before = row.ends_at, row.decided_at
    if rows and state.ends_at != rows[-1].ends_at:
        yield "the end in its state is not the end of its course"


def _prices(rows: list[CourseEntry]) -> Iterator[str]:
    price, leader = 0, None
    barred: set[str | None] = set()
    for row in rows:
        if row.kind == "barred":
            barred.add(row.data["code"])
        if row.kind != "bid":
            continue
        if row.code in barred:
            yield f"bid {row.seq} is a barred bidder's"
        if (row.amount_minor or 0) < price or ((row.amount_minor or 0) == price and row.rank is None):
            yield f"bid {row.seq} does not rise above the price"
        if row.code == leader:
            yield f"bid {row.seq} outbids its own bidder"
        price, leader = row.amount_minor or 0, row.code


def _result(lot_id: int, state: LotState, bids: list[CourseEntry], rows: list[CourseEntry]) -> Iterator[str]:
    result = db.session.get(LotResult, lot_id)
    closed = [row for row in rows if row.kind == "closed"]
    ended = state.state in ("sold", "unsold")
    if ended != (result is not None) or len(closed) != (1 if ended else 0):
        yield f"it is {state.state} with {len(closed)} closed entries and {'a' if result else 'no'} result"
        return
    if result is None:
        return
    if rows[-1].kind != "closed" or result.head_hash != rows[-1].hash:
        yield "something follows its close"
    if result.closed_at < state.ends_at:
        yield "it was closed before its end"
    last = bids[-1] if bids else None
    if (result.outcome, result.winner_registration_id, result.price_minor) != (
        state.state,
        last.registration_id if last else None,
        last.amount_minor if last else None,
    ):
        yield "its result is not its last bid"
    others = (
        backup_of([Standing(b.code or "", b.rank, b.amount_minor or 0, b.seq) for b in bids], last.code or "")
        if last
        else None
    )
    backup = next((b.registration_id for b in bids if others and b.seq == others.seq), None)
    if result.backup_registration_id != backup:
        yield "its backup is not the best bid of another bidder"
