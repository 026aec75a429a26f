"""What the public reads of offers, built by allow-list. The reads of banks and managers stand in ``desk``.

The list joins the state of the latest round read-only, so that it can be filtered and sorted by price and end in
one statement however many lots there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import selectinload

from marketplace.auctions.models import Lot, LotResult, LotState, Registration
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.i18n import _l, title_of
from marketplace.listings import rules
from marketplace.listings.filters import Filters
from marketplace.listings.models import (
    ROUNDS_ON_THEIR_WAY,
    Correction,
    Listing,
    ListingRight,
    NextRound,
    Objection,
    Question,
)
from marketplace.parties.models import Organisation
from marketplace.rights.models import Right

PAGE = 20
_latest = (
    select(Lot.listing_id, func.max(Lot.round_no).label("round_no")).group_by(Lot.listing_id).subquery("latest_round")
)


@dataclass(frozen=True)
class Offer:
    """A line of a public list: allow-listed, amounts in minor units, moments aware."""

    listing_id: int
    number: str
    title: str
    title_en: str | None
    kinds: tuple[str, ...]
    rights: int
    channel: str
    region_code: str | None
    state: str  # of the latest round, or of the listing
    sandbox: bool
    currency: str
    start_minor: int
    price_minor: int | None
    bids: int
    opens_at: datetime
    ends_at: datetime
    published_at: datetime
    lot_id: int
    round_no: int

    @property
    def href(self) -> str:
        return f"/listings/{self.number}"


@dataclass(frozen=True)
class OfferPage:
    offers: list[Offer]
    total: int
    by_state: dict[str, int]
    page: int
    pages: int
    now: datetime


@dataclass(frozen=True)
class Result:
    """How a round ended: allow-listed. ``winner_name`` only where the round's profile publishes identities."""

    number: str
    title: str
    title_en: str | None
    round_no: int
    lot_id: int
    outcome: str
    closed_at: datetime
    price_minor: int | None
    start_minor: int
    appraisal_minor: int | None
    currency: str
    bids: int
    winner_code: str | None
    winner_name: str | None
    sandbox: bool
    protocol_pdf_id: int | None
    after_sale: str | None

    @property
    def href(self) -> str:
        return f"/listings/{self.number}"


def _public_rows() -> Any:
    return (
        select(Listing, Lot, LotState)
        .join(_latest, _latest.c.listing_id == Listing.id)
        .join(Lot, (Lot.listing_id == Listing.id) & (Lot.round_no == _latest.c.round_no))
        .join(LotState, LotState.lot_id == Lot.id)
        .where(Listing.state.in_(rules.PUBLIC_STATES), Listing.published_at.is_not(None))
    )


def like(text: str) -> str:
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _filtered(filters: Filters, at: datetime) -> Any:
    query = _public_rows()
    price = func.coalesce(LotState.price_minor, Lot.start_minor)
    if filters.q:
        wanted = like(filters.q)
        of_right = (
            select(ListingRight.id)
            .join(Right, Right.id == ListingRight.right_id)
            .where(
                ListingRight.listing_id == Listing.id,
                or_(Right.title.ilike(wanted), Right.number.ilike(wanted), Right.number_display.ilike(wanted)),
            )
        )
        query = query.where(
            or_(
                Listing.title.ilike(wanted),
                Listing.title_en.ilike(wanted),
                Listing.number.ilike(wanted),
                of_right.exists(),
            )
        )
    if filters.kind:
        of_kind = (
            select(ListingRight.id)
            .join(Right, Right.id == ListingRight.right_id)
            .where(ListingRight.listing_id == Listing.id, Right.kind == filters.kind)
        )
        query = query.where(of_kind.exists())
    if filters.channel:
        query = query.where(Listing.channel == filters.channel)
    if filters.region:
        query = query.where(Listing.region_code.startswith(filters.region.rstrip("0") or "0", autoescape=True))
    if filters.low_minor is not None:
        query = query.where(price >= filters.low_minor)
    if filters.high_minor is not None:
        query = query.where(price <= filters.high_minor)
    if filters.closing_span is not None:
        query = query.where(LotState.ends_at >= at, LotState.ends_at <= at + filters.closing_span)
    elif filters.closing_day is not None:
        query = query.where(func.timezone("Asia/Shanghai", LotState.ends_at) < filters.closing_day + timedelta(days=1))
    return query


def public_list(filters: Filters) -> OfferPage:
    """Published offers that match, with totals by state: four statements however many there are."""
    at = now()
    query = _filtered(filters, at)
    counted = query.with_only_columns(LotState.state, func.count()).group_by(LotState.state)
    by_state = {row[0]: row[1] for row in db.session.execute(counted)}
    if filters.state:
        query = query.where(LotState.state == filters.state)
    total = by_state.get(filters.state, 0) if filters.state else sum(by_state.values())
    price = func.coalesce(LotState.price_minor, Lot.start_minor)
    ended = LotState.state.in_(("sold", "unsold", "withdrawn"))
    order: dict[str, tuple[Any, ...]] = {
        "new": (Lot.published_at.desc(),),
        "ending": (ended, LotState.ends_at),
        "price_up": (price,),
        "price_down": (price.desc(),),
    }
    pages = max(1, -(-total // PAGE))
    page = min(filters.page, pages)
    rows = db.session.execute(
        query.order_by(*order[filters.sort], Listing.id.desc()).limit(PAGE).offset((page - 1) * PAGE)
    ).all()
    return OfferPage(_offers(rows), total, by_state, page, pages, at)


def _offers(rows: Any) -> list[Offer]:
    kinds: dict[int, list[str]] = {}
    ids = [listing.id for listing, _lot, _state in rows]
    if ids:
        for listing_id, kind in db.session.execute(
            select(ListingRight.listing_id, Right.kind)
            .join(Right, Right.id == ListingRight.right_id)
            .where(ListingRight.listing_id.in_(ids))
            .order_by(ListingRight.position)
        ):
            kinds.setdefault(listing_id, []).append(kind)
    return [_offer(listing, lot, state, kinds.get(listing.id, [])) for listing, lot, state in rows]


def _offer(listing: Listing, lot: Lot, state: LotState, kinds: list[str]) -> Offer:
    assert listing.number is not None and listing.published_at is not None
    return Offer(
        listing_id=listing.id,
        number=listing.number,
        title=listing.title,
        title_en=listing.title_en,
        kinds=tuple(dict.fromkeys(kinds)),
        rights=len(kinds),
        channel=listing.channel,
        region_code=listing.region_code,
        state=state.state,
        sandbox=lot.sandbox,
        currency=lot.currency,
        start_minor=lot.start_minor,
        price_minor=state.price_minor,
        bids=state.bids,
        opens_at=state.opens_at,
        ends_at=state.ends_at,
        published_at=lot.published_at,  # of this round: its notice is the news
        lot_id=lot.id,
        round_no=lot.round_no,
    )


def latest_public(limit: int = 6) -> list[Offer]:
    """Offers announced or running now, newest first."""
    rows = db.session.execute(
        _public_rows()
        .where(LotState.state.in_(("scheduled", "running")))
        .order_by(Lot.published_at.desc(), Listing.id.desc())
        .limit(limit)
    ).all()
    return _offers(rows)


def results_page(page: int = 1, size: int = PAGE) -> tuple[list[Result], int]:
    """Ended rounds, newest first, and how many there are."""
    total = db.session.scalar(select(func.count()).select_from(LotResult)) or 0
    rows = db.session.execute(
        select(LotResult, Lot, LotState, Listing, Registration.code, Organisation.name)
        .join(Lot, Lot.id == LotResult.lot_id)
        .join(LotState, LotState.lot_id == Lot.id)
        .join(Listing, Listing.id == Lot.listing_id)
        .outerjoin(Registration, Registration.id == LotResult.winner_registration_id)
        .outerjoin(Organisation, Organisation.id == Registration.org_id)
        .order_by(LotResult.closed_at.desc(), LotResult.lot_id.desc())
        .limit(size)
        .offset((page - 1) * size)
    )
    found = []
    for result, lot, state, listing, code, name in rows:
        named = bool(lot.profile.get("identity_published", {}).get("value"))
        found.append(
            Result(
                number=listing.number or "",
                title=listing.title,
                title_en=listing.title_en,
                round_no=lot.round_no,
                lot_id=lot.id,
                outcome=result.outcome,
                closed_at=result.closed_at,
                price_minor=result.price_minor,
                start_minor=lot.start_minor,
                appraisal_minor=lot.appraisal_minor,
                currency=lot.currency,
                bids=result.bids,
                winner_code=code,
                winner_name=name if named else None,
                sandbox=lot.sandbox,
                protocol_pdf_id=result.protocol_pdf_id,
                after_sale=state.after_sale,
            )
        )
    return found, total


def latest_results(limit: int = 5) -> list[Result]:
    """How the latest rounds ended."""
    return results_page(1, limit)[0]


def labels(ids: Iterable[int]) -> dict[int, str]:
    """What people call these offers: their titles in the reader's language. One query."""
    rows = db.session.execute(select(Listing.id, Listing.title, Listing.title_en).where(Listing.id.in_(list(ids))))
    return {row.id: title_of(row) for row in rows}


def id_numbered(number: str) -> int | None:
    """The listing that the public knows by this number."""
    return db.session.scalar(select(Listing.id).where(Listing.number == number))


def numbers(ids: Iterable[int]) -> dict[int, str]:
    """The public numbers of these listings, of those that have one. One query."""
    rows = db.session.execute(
        select(Listing.id, Listing.number).where(Listing.id.in_(list(ids)), Listing.number.is_not(None))
    )
    return {row.id: row.number for row in rows}


def holding() -> Any:
    """Which listings hold their rights: those alive, those whose sale stands even before it is complete, and those
    whose next round is on its way."""
    sold = (
        select(Lot.id)
        .join(LotState, LotState.lot_id == Lot.id)
        .where(
            Lot.listing_id == Listing.id,
            LotState.state == "sold",
            func.coalesce(LotState.after_sale, "").not_in(("defaulted", "annulled")),
        )
    )
    again = select(NextRound.id).where(NextRound.listing_id == Listing.id, NextRound.state.in_(ROUNDS_ON_THEIR_WAY))
    return or_(Listing.state.in_(rules.LIVE_STATES), (Listing.state == "closed") & (sold.exists() | again.exists()))


def public_listing(number: str) -> Listing:
    """The published offer with this number, with its rights; 404 ``listing_unknown`` for anything else."""
    listing = db.session.scalar(
        select(Listing)
        .where(Listing.number == number, Listing.published_at.is_not(None), Listing.state.in_(rules.PUBLIC_STATES))
        .options(selectinload(Listing.items).selectinload(ListingRight.right))
    )
    if listing is None:
        raise unknown()
    return listing


def rounds_of(listing_id: int) -> list[tuple[Lot, LotState]]:
    """The rounds of an offer with their state, oldest first."""
    from marketplace.auctions import queries

    return queries.lots_of_listings([listing_id]).get(listing_id, [])


def questions_of(listing_id: int) -> list[Question]:
    return list(db.session.scalars(select(Question).where(Question.listing_id == listing_id).order_by(Question.id)))


def objections_of(listing_id: int) -> list[Objection]:
    return list(db.session.scalars(select(Objection).where(Objection.listing_id == listing_id).order_by(Objection.id)))


def published_rounds(listing_id: int) -> list[NextRound]:
    """The further rounds of an offer that were published, with their frozen notices, in order."""
    return list(
        db.session.scalars(
            select(NextRound)
            .where(NextRound.listing_id == listing_id, NextRound.state == "published")
            .order_by(NextRound.round_no)
        )
    )


def corrections_of(listing_id: int) -> list[Correction]:
    return list(
        db.session.scalars(select(Correction).where(Correction.listing_id == listing_id).order_by(Correction.id))
    )


def sale_state(listing: Listing, lots: list[tuple[Lot, LotState]]) -> str:
    """What a reader is shown: the latest round's state once published, else the listing's."""
    return lots[-1][1].state if lots and listing.published_at else listing.state


def public_dict(listing: Listing, rounds: list[tuple[Lot, LotState]] | None = None) -> dict[str, Any]:
    """A published offer as JSON values, by allow-list: for the API. Amounts in minor units, moments aware."""
    lots = rounds_of(listing.id) if rounds is None else rounds
    return {
        "number": listing.number,
        "title": listing.title,
        "title_en": listing.title_en,
        "channel": listing.channel,
        "state": sale_state(listing, lots),
        "state_reason": listing.state_reason if listing.state in ("suspended", "withdrawn") else None,
        "profile": listing.profile_code,
        "profile_version": listing.profile_version,
        "sandbox": listing.profile_code == rules.SANDBOX,
        "summary": listing.summary,
        "known_defects": listing.known_defects,
        "taxes_and_fees": listing.taxes_and_fees,
        "inspection": listing.inspection,
        "handover": listing.handover,
        "contact": listing.contact,
        "bidder_conditions": listing.bidder_conditions,
        "priority_holders": listing.priority_holders,
        "region_code": listing.region_code,
        "industry": listing.industry,
        "currency": listing.currency,
        "valuation_basis": listing.valuation_basis,
        "appraisal_minor": listing.appraisal_minor,
        "appraisal_date": listing.appraisal_date,
        "published_at": listing.published_at,
        "qualification": listing.qualification,
        "notice_sha256": lots[-1][0].facts.get("notice_sha256") if lots else listing.notice_sha256,
        "rights": [item.snapshot for item in listing.items],
        "rounds": [
            {
                "lot_id": lot.id,
                "code": lot.code,
                "round_no": lot.round_no,
                "state": state.state,
                "after_sale": state.after_sale,
                "published_at": lot.published_at,
                "notice_sha256": lot.facts.get("notice_sha256"),
                "start_minor": lot.start_minor,
                "increment_minor": lot.increment_minor,
                "deposit_minor": lot.deposit_minor,
                "price_minor": state.price_minor,
                "bids": state.bids,
                "opens_at": state.opens_at,
                "ends_at": state.ends_at,
            }
            for lot, state in lots
        ],
    }


def unknown() -> NotFound:
    return NotFound("listing_unknown", _l("没有这个挂牌"))
