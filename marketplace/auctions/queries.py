"""Reads of the auctions room. What is public is built by allow-list: codes only, never a name before its time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Exists, exists, select

from marketplace.auctions.eligibility import (
    Check,
    Eligibility,
    deposit_for,
    eligibility,
    qualification_of,
    registration_of,
)
from marketplace.auctions.models import (
    Award,
    BidRefusal,
    CourseEntry,
    Lot,
    LotResult,
    LotState,
    PreemptionClaim,
    Qualification,
    Registration,
)
from marketplace.auctions.rules import course as rule
from marketplace.auctions.rules.deadlines import Deadline, deadlines_for
from marketplace.auctions.rules.english import minimum_bid
from marketplace.auctions.sale import ENDED, entries_of, public_entries, rules_state, sale_of
from marketplace.auctions.seals import sign_course
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.i18n import _l, title_of
from marketplace.core.models import Document
from marketplace.parties import service as parties


def lot_by_code(code: str) -> Lot:
    """The lot that the public knows by this code (``ZL-2026-000123-1``); ``lot_unknown``."""
    lot = db.session.scalar(select(Lot).where(Lot.code == code))
    if lot is None:
        raise NotFound("lot_unknown", _l("没有这个标的"))
    return lot


def state_of(lot_id: int) -> LotState:
    """The moving part of a lot, as of now and without its lock: for display, never for a decision."""
    row = db.session.get(LotState, lot_id, populate_existing=True)
    if row is None:
        raise NotFound("lot_unknown", _l("没有这个标的"))
    return row


def labels(ids: Iterable[int]) -> dict[int, str]:
    """What people call these lots: their titles in the reader's language. One query."""
    rows = db.session.execute(select(Lot.id, Lot.title, Lot.facts).where(Lot.id.in_(list(ids))))
    return {row.id: title_of(row) for row in rows}


def to_complete(org_id: int | None = None) -> list[Lot]:
    """Sold and paid lots whose papers are not complete yet; with ``org_id`` those it sells or buys. Oldest first."""
    query = (
        select(Lot)
        .join(LotState, LotState.lot_id == Lot.id)
        .where(LotState.after_sale.in_(("paid", "title_transfer")))
        .order_by(LotState.ends_at)
        .limit(20)
    )
    if org_id is not None:
        buying = select(Award.lot_id).where(Award.org_id == org_id, Award.state == "paid")
        query = query.where((Lot.org_id == org_id) | Lot.id.in_(buying))
    return list(db.session.scalars(query))


def lots_of_listings(listing_ids: Iterable[int]) -> dict[int, list[tuple[Lot, LotState]]]:
    """The rounds of each listing with their state, oldest first: one query however many there are."""
    rows = db.session.execute(
        select(Lot, LotState)
        .join(LotState, LotState.lot_id == Lot.id)
        .where(Lot.listing_id.in_(list(listing_ids)))
        .order_by(Lot.listing_id, Lot.round_no)
    )
    found: dict[int, list[tuple[Lot, LotState]]] = {}
    for lot, state in rows:
        found.setdefault(lot.listing_id, []).append((lot, state))
    return found


def course(lot_id: int) -> list[dict[str, Any]]:
    """The whole course: entries as exported, moments as datetimes, bidders by code only."""
    return public_entries(entries_of(lot_id))


def course_document(lot_id: int) -> dict[str, Any]:
    """The course as ``tools/verify_sale.py`` reads it, signed by the platform, at any time of the sale; write it
    out with ``rules.course.course_bytes``."""
    sale = sale_of(lot_id)
    entries = course(lot_id)
    ended = bool(entries) and entries[-1]["kind"] in ("closed", "withdrawn")
    result = rule.result_of(entries, protocol_sha256(lot_id)) if ended else None
    return sign_course(rule.course_document(sale.lot_facts(), entries, result))


def protocol_sha256(lot_id: int) -> str | None:
    """The hash of the published protocol (PDF), once it was made."""
    return db.session.scalar(
        select(Document.sha256)
        .join(LotResult, LotResult.protocol_pdf_id == Document.id)
        .where(LotResult.lot_id == lot_id)
    )


def public_lot(lot_id: int, after_seq: int = 0, limit: int = 50, state: LotState | None = None) -> dict[str, Any]:
    """What anyone may see of a lot now, for the live page and the API. Amounts in minor units, moments aware.

    ``entries`` are the newest ``limit`` with ``seq`` > ``after_seq``, oldest first. Names appear only in
    ``result`` after the end, where the profile's identity rule publishes them. ``state``: as read a moment ago.
    """
    sale = sale_of(lot_id)
    state = state or state_of(lot_id)
    rows = db.session.scalars(
        select(CourseEntry)
        .where(CourseEntry.lot_id == lot_id, CourseEntry.seq > after_seq)
        .order_by(CourseEntry.seq.desc())
        .limit(limit)
    ).all()
    ruled = rules_state(sale, state)
    return {
        "lot_id": lot_id,
        "code": sale.code,
        "listing_id": sale.listing_id,
        "round_no": sale.round_no,
        "title": sale.title,
        "title_en": sale.facts.get("title_en"),
        "sandbox": sale.profile.sandbox,
        "clock_rate": sale.profile.clock_rate,
        "currency": sale.currency,
        "start_minor": sale.start_minor,
        "increment_minor": sale.increment_minor,
        "deposit_minor": sale.deposit_minor,
        "state": state.state,
        "after_sale": state.after_sale,
        "state_reason": state.state_reason,
        "state_source": state.state_source,
        "opens_at": state.opens_at,
        "ends_at": state.ends_at,
        "planned_ends_at": sale.planned_ends_at,
        "now": now(),
        "price_minor": state.price_minor,
        "minimum_minor": minimum_bid(ruled),
        "leader_code": state.leader_code,
        "leader_rank": state.leader_rank,
        "bids": state.bids,
        "extensions": state.extensions,
        "seq": state.seq,
        "version": state.version,
        "entries": [public_entry(row) for row in reversed(rows)],
        "result": public_result(lot_id) if state.state in ENDED else None,
    }


def public_entry(row: CourseEntry) -> dict[str, Any]:
    """One line of the course for the page: allow-listed, codes only."""
    return {
        "seq": row.seq,
        "kind": row.kind,
        "bid_kind": row.data.get("bid_kind"),
        "code": row.code or row.data.get("code"),  # of a bid; of whom a bar keeps out
        "rank": row.rank,
        "amount_minor": row.amount_minor,
        "at": row.decided_at,
        "ends_at": row.ends_at,
        "extended": bool(row.data.get("extended")),
        "reason": row.data.get("reason"),
        "outcome": row.data.get("outcome"),
        "hash": row.hash,
    }


def public_result(lot_id: int) -> dict[str, Any] | None:
    """The result, once there is one. The winner's name only where the profile publishes it (网拍规定 art. 22;
    otherwise 拍卖法 art. 21)."""
    found = db.session.get(LotResult, lot_id)
    if found is None:
        return None
    sale = sale_of(lot_id)
    codes = dict(
        db.session.execute(
            select(Registration.id, Registration.code).where(
                Registration.id.in_([found.winner_registration_id or 0, found.backup_registration_id or 0])
            )
        ).all()
    )
    named = sale.profile.identity_published.value and found.winner_registration_id is not None
    return {
        "outcome": found.outcome,
        "closed_at": found.closed_at,
        "ends_at": found.final_ends_at,
        "price_minor": found.price_minor,
        "winner_code": codes.get(found.winner_registration_id or 0),
        "winner_name": _name_of(found.winner_registration_id) if named else None,
        "backup_code": codes.get(found.backup_registration_id or 0),
        "backup_price_minor": found.backup_price_minor,
        "bids": found.bids,
        "head_hash": found.head_hash,
        "protocol_pdf_id": found.protocol_pdf_id,
        "protocol_json_id": found.protocol_json_id,
        "confirmation_pdf_id": found.confirmation_pdf_id,
        "published_at": found.published_at,
    }


def _name_of(registration_id: int | None) -> str:
    org_id = db.session.scalar(select(Registration.org_id).where(Registration.id == registration_id))
    return parties.get_org(org_id or 0).name


def deadlines(lot_id: int) -> list[Deadline]:
    """The named moments of this round by its profile, for display; those after the end move with it."""
    sale, state = sale_of(lot_id), state_of(lot_id)
    return deadlines_for(
        sale.profile,
        round_no=sale.round_no,
        start_minor=sale.start_minor,
        published_at=sale.published_at,
        opens_at=state.opens_at,
        ends_at=state.ends_at,
    )


def registrations_of(lot_id: int) -> list[Registration]:
    """Everyone who registered: for the manager only."""
    return list(db.session.scalars(select(Registration).where(Registration.lot_id == lot_id).order_by(Registration.id)))


def registrations_by(org_id: int) -> list[tuple[Registration, Lot, LotState]]:
    """The lots an organisation takes part in, the soonest end first among those still open, then the ended."""
    rows = db.session.execute(
        select(Registration, Lot, LotState)
        .join(Lot, Lot.id == Registration.lot_id)
        .join(LotState, LotState.lot_id == Lot.id)
        .where(Registration.org_id == org_id)
        .order_by(LotState.state.in_(ENDED), LotState.ends_at)
    )
    return [(registration, lot, state) for registration, lot, state in rows]


def claims_of(lot_id: int) -> list[PreemptionClaim]:
    """The priority claims on a lot: for the manager, and each claimant's own."""
    return list(
        db.session.scalars(
            select(PreemptionClaim).where(PreemptionClaim.lot_id == lot_id).order_by(PreemptionClaim.rank)
        )
    )


def qualifications_of(lot_id: int) -> list[Qualification]:
    """The proofs of qualification for a lot, what waits first: for the manager."""
    return list(
        db.session.scalars(
            select(Qualification)
            .where(Qualification.lot_id == lot_id)
            .order_by(Qualification.state != "filed", Qualification.id)
        )
    )


def refusals_of(lot_id: int, org_id: int | None = None, limit: int = 50) -> list[BidRefusal]:
    """Refused bids, newest first: an organisation sees its own, the manager all."""
    query = select(BidRefusal).where(BidRefusal.lot_id == lot_id).order_by(BidRefusal.id.desc()).limit(limit)
    return list(db.session.scalars(query if org_id is None else query.where(BidRefusal.org_id == org_id)))


def award_of(lot_id: int) -> Award | None:
    """Who is to buy now: the newest award that neither lapsed nor was declined."""
    return db.session.scalar(
        select(Award).where(Award.lot_id == lot_id, Award.state.in_(("offered", "awaiting_balance", "paid")))
    )


def awards_of(lot_id: int) -> list[Award]:
    return list(db.session.scalars(select(Award).where(Award.lot_id == lot_id).order_by(Award.position)))


def lots_ending_between(since: datetime, until: datetime) -> list[tuple[Lot, LotState]]:
    """Lots whose end lies in the span, soonest first: for the manager's desk."""
    rows = db.session.execute(
        select(Lot, LotState)
        .join(LotState, LotState.lot_id == Lot.id)
        .where(LotState.ends_at >= since, LotState.ends_at < until)
        .order_by(LotState.ends_at)
    )
    return [(lot, state) for lot, state in rows]


def taking_part(org_id: int, limit: int = 10) -> list[tuple[Registration, Lot, LotState]]:
    """The sales that run or are scheduled and in which the organisation is registered, not refused or barred: what runs
    first, then what ends soonest. One query."""
    rows = db.session.execute(
        select(Registration, Lot, LotState)
        .join(Lot, Lot.id == Registration.lot_id)
        .join(LotState, LotState.lot_id == Lot.id)
        .where(
            Registration.org_id == org_id,
            Registration.state.in_(("applied", "qualified")),
            LotState.state.in_(("running", "suspended", "scheduled")),
        )
        .order_by(LotState.state == "scheduled", LotState.ends_at)
        .limit(limit)
    )
    return [(registration, lot, state) for registration, lot, state in rows]


def sale_won(org_id: int) -> Exists:
    """Condition: the organisation was ever to buy, as winner or as the backup who was asked. To be asked with others
    in one statement."""
    return exists().where(Award.org_id == org_id)


__all__ = [
    "Check",
    "Eligibility",
    "award_of",
    "awards_of",
    "claims_of",
    "course",
    "course_document",
    "deadlines",
    "deposit_for",
    "eligibility",
    "labels",
    "lot_by_code",
    "lots_ending_between",
    "lots_of_listings",
    "protocol_sha256",
    "public_entry",
    "public_lot",
    "public_result",
    "qualification_of",
    "qualifications_of",
    "refusals_of",
    "registration_of",
    "registrations_by",
    "registrations_of",
    "sale_won",
    "state_of",
    "taking_part",
    "to_complete",
]
