"""What banks and managers read of offers: drafts and what waits, and the figures of the platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import selectinload

from marketplace.auctions.models import Lot, LotState
from marketplace.cases import queries as cases
from marketplace.cases.models import Case
from marketplace.core.actor import BANK, Actor
from marketplace.core.db import db
from marketplace.core.i18n import _
from marketplace.core.models import Approval, Event
from marketplace.listings.models import (
    ROUNDS_ON_THEIR_WAY,
    Listing,
    ListingRight,
    NextRound,
    Objection,
    Question,
)
from marketplace.listings.queries import PAGE, holding, sale_state, unknown


@dataclass(frozen=True)
class Waiting:
    """A line of a desk: the listing, its sale's state, whether a second person is asked."""

    listing: Listing
    state: str
    approval: Approval | None = None
    questions: int = 0
    objections: int = 0
    rights: int = field(default=0)
    lot: Lot | None = None  # the latest round
    after_sale: str | None = None
    next_round: NextRound | None = None  # on its way to publication

    @property
    def start_minor(self) -> int | None:
        return self.lot.start_minor if self.lot is not None else self.listing.start_minor

    @property
    def failed(self) -> bool:
        """The last round ended without a sale that stands, and the offer was not given up."""
        return self.listing.state == "closed" and (self.state == "unsold" or self.after_sale == "defaulted")


def listing_for(actor: Actor, listing_id: int) -> Listing:
    """An offer in any state for its bank and the managers; else 404 ``listing_unknown``."""
    listing = db.session.scalar(
        select(Listing)
        .where(Listing.id == listing_id)
        .options(selectinload(Listing.items).selectinload(ListingRight.right))
    )
    own = listing is not None and actor.org_kind == BANK and listing.org_id == actor.org_id
    if listing is None or not (own or actor.is_manager or actor.is_system):
        raise unknown()
    return listing


def failure_text(lot_id: int) -> Any:
    """How the round failed, for a page."""
    from marketplace.auctions import service as auctions

    failure = auctions.failure_of(lot_id)
    if failure is None:
        return ""
    return _("无人出价，流拍") if failure.how == "unsold" else _("买受人未付清余款，认定悔拍")


def history(listing_id: int, public_only: bool = True) -> list[Event]:
    """What happened to an offer, oldest first."""
    query = select(Event).where(Event.subject == "listing", Event.subject_id == listing_id)
    if public_only:
        query = query.where(Event.public)
    return list(db.session.scalars(query.order_by(Event.id)))


def offers(actor: Actor, *, state: str = "", page: int = 1) -> tuple[list[Waiting], dict[str, int], int]:
    """Offers of a bank, or all for managers: what waits first, then the newest; counts by state; number of pages."""
    query = select(Listing)
    if not actor.is_manager:
        query = query.where(Listing.org_id == actor.org_id)
    else:
        query = query.where(Listing.state != "draft")
    every = query.subquery()
    counted = db.session.execute(select(every.c.state, func.count()).group_by(every.c.state))
    counts = {row[0]: row[1] for row in counted}
    if state:
        query = query.where(Listing.state == state)
    total = counts.get(state, 0) if state else sum(counts.values())
    pages = max(1, -(-total // PAGE))
    page = min(max(page, 1), pages)
    waiting = ("submitted", "reviewed") if actor.is_manager else ("draft",)
    on_its_way = select(NextRound.id).where(NextRound.listing_id == Listing.id, NextRound.state.in_(waiting))
    first = Listing.state.in_(waiting) | on_its_way.exists()
    listings = list(
        db.session.scalars(
            query.order_by(first.desc(), Listing.updated_at.desc(), Listing.id.desc())
            .limit(PAGE)
            .offset((page - 1) * PAGE)
        )
    )
    return _waiting(listings), counts, pages


def _waiting(listings: list[Listing]) -> list[Waiting]:
    from marketplace.auctions import queries

    ids = [listing.id for listing in listings]
    if not ids:
        return []
    lots = queries.lots_of_listings(ids)
    asked = {
        row.subject_id: row
        for row in db.session.scalars(
            select(Approval).where(
                Approval.subject == "listing", Approval.subject_id.in_(ids), Approval.state == "waiting"
            )
        )
    }

    def count(query: Any) -> dict[int, int]:
        return {row[0]: row[1] for row in db.session.execute(query)}

    questions = count(
        select(Question.listing_id, func.count())
        .where(Question.listing_id.in_(ids), Question.answer.is_(None), Question.hidden_reason.is_(None))
        .group_by(Question.listing_id)
    )
    objections = count(
        select(Objection.listing_id, func.count())
        .where(Objection.listing_id.in_(ids), Objection.state.in_(("filed", "under_review")))
        .group_by(Objection.listing_id)
    )
    rights = count(
        select(ListingRight.listing_id, func.count())
        .where(ListingRight.listing_id.in_(ids))
        .group_by(ListingRight.listing_id)
    )
    rounds = {
        row.listing_id: row
        for row in db.session.scalars(
            select(NextRound).where(NextRound.listing_id.in_(ids), NextRound.state.in_(ROUNDS_ON_THEIR_WAY))
        )
    }

    def line(item: Listing) -> Waiting:
        own = lots.get(item.id, [])
        lot, state = own[-1] if own else (None, None)
        return Waiting(
            item,
            sale_state(item, own),
            asked.get(item.id),
            questions.get(item.id, 0),
            objections.get(item.id, 0),
            rights.get(item.id, 0),
            lot,
            state.after_sale if state else None,
            rounds.get(item.id),
        )

    return [line(item) for item in listings]


def offers_with(right_ids: list[int]) -> dict[int, Listing]:
    """The offer that holds each of these rights; free ones are left out."""
    rows = db.session.execute(
        select(ListingRight.right_id, Listing)
        .join(Listing, Listing.id == ListingRight.listing_id)
        .where(ListingRight.right_id.in_(right_ids), holding())
        .order_by(Listing.id)
    )
    return {row[0]: row[1] for row in rows}


def listable(org_id: int, limit: int = 20) -> list[tuple[Case, int]]:
    """The bank's approved cases with rights that no offer holds, and how many; latest approval first."""
    held = (
        select(ListingRight.right_id)
        .join(Listing, Listing.id == ListingRight.listing_id)
        .where(Listing.org_id == org_id, holding())
    )
    return cases.with_rights_outside(org_id, held, limit)


def waiting() -> dict[str, ScalarSelect[int]]:
    """Counts for a manager's desk: offers and further rounds that wait (to review or to publish), objections not yet
    decided."""
    at_the_platform = ("submitted", "reviewed")
    offers = select(func.count()).where(Listing.state.in_(at_the_platform)).scalar_subquery()
    rounds = select(func.count()).where(NextRound.state.in_(at_the_platform)).scalar_subquery()
    return {
        "offers": select(offers + rounds).scalar_subquery(),
        "objections": select(func.count()).where(Objection.state.in_(("filed", "under_review"))).scalar_subquery(),
    }


@dataclass(frozen=True)
class Figures:
    """Rounds of one kind (real or sandbox) by how they stand; amounts in minor units of CNY."""

    sandbox: bool
    scheduled: int
    running: int
    suspended: int
    sold: int
    unsold: int
    start_minor: int  # of the rounds sold
    price_minor: int


def figures() -> list[Figures]:
    """How the rounds stand, real ones and sandbox ones apart, in one statement; an empty kind is left out."""

    def count(state: str) -> Any:
        return func.count().filter(LotState.state == state)

    def total(column: Any) -> Any:
        return func.coalesce(func.sum(column).filter(LotState.state == "sold", Lot.currency == "CNY"), 0)

    rows = db.session.execute(
        select(
            Lot.sandbox,
            *(count(state) for state in ("scheduled", "running", "suspended", "sold", "unsold")),
            total(Lot.start_minor),
            total(LotState.price_minor),
        )
        .join(LotState, LotState.lot_id == Lot.id)
        .group_by(Lot.sandbox)
        .order_by(Lot.sandbox)
    )
    return [Figures(row[0], *(int(value) for value in row[1:])) for row in rows]
