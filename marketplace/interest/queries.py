"""Reads of the interest room. The board shows by allow-list what is public; names and contacts have their own rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ScalarSelect, func, or_, select
from sqlalchemy.orm import selectinload

from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.i18n import title_of
from marketplace.interest.filters import BoardFilters
from marketplace.interest.models import (
    Need,
    NeedMatch,
    NeedResponse,
    SavedSearch,
    SavedSearchHit,
    SavedSearchMute,
)
from marketplace.interest.service_needs import unknown
from marketplace.listings import public
from marketplace.listings.queries import Offer, like
from marketplace.parties.models import Organisation

PAGE = 20
PUBLIC_STATES = ("published", "matched", "closed", "expired")
OPEN_OFFER = ("scheduled", "running", "suspended")


@dataclass(frozen=True)
class Posted:
    """A need as the public sees it: allow-listed. ``poster``: the name, where the poster shows it."""

    id: int
    title: str
    title_en: str | None
    details: str
    details_en: str | None
    ipc: tuple[str, ...]
    industry: str | None
    region_code: str | None
    wanted: str
    budget_low_minor: int | None
    budget_high_minor: int | None
    currency: str
    valid_until: date | None
    state: str
    state_reason: str | None
    published_at: datetime | None
    poster: str | None
    demo: bool


@dataclass(frozen=True)
class Board:
    needs: list[Posted]
    total: int
    page: int
    pages: int
    now: datetime


@dataclass(frozen=True)
class Matched:
    """An offer and a need that may suit each other; ``reasons`` as kept."""

    need: Posted
    offer: Offer
    score: int
    reasons: list[Mapping[str, Any]]
    response: str | None = None  # the state of this owner's answer


@dataclass(frozen=True)
class Answer:
    """A response as one side may see it: name and contact of the other side only once both agreed."""

    id: int
    state: str
    state_reason: str | None
    message: str
    created_at: datetime
    decided_at: datetime | None
    offer: Offer | None
    name: str | None
    contact: str | None
    reasons: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Saved:
    """A saved search in its owner's list; ``fresh`` counts what was found since the last look."""

    search: SavedSearch
    fresh: int
    found: int
    muted: bool
    may_change: bool


def _posted(need: Need, name: str | None) -> Posted:
    return Posted(
        id=need.id,
        title=need.title,
        title_en=need.title_en,
        details=need.details,
        details_en=need.details_en,
        ipc=tuple(need.ipc),
        industry=need.industry,
        region_code=need.region_code,
        wanted=need.wanted,
        budget_low_minor=need.budget_low_minor,
        budget_high_minor=need.budget_high_minor,
        currency=need.currency,
        valid_until=need.valid_until,
        state=need.state,
        state_reason=need.state_reason if need.state in ("closed",) else None,
        published_at=need.published_at,
        poster=None if need.anonymous else name,
        demo=need.demo,
    )


def board(filters: BoardFilters) -> Board:
    """Published needs, newest first; three statements."""
    query = select(Need).where(Need.state.in_(("matched", "closed", "expired") if filters.ended else ("published",)))
    if filters.q:
        wanted = like(filters.q)
        query = query.where(or_(*(c.ilike(wanted) for c in (Need.title, Need.title_en, Need.details, Need.details_en))))
    if filters.ipc:
        query = query.where(func.array_to_string(Need.ipc, " ").regexp_match(rf"\m{filters.ipc}"))
    if filters.industry:
        query = query.where(or_(*(Need.industry.startswith(code, autoescape=True) for code in filters.industries)))
    if filters.region:
        query = query.where(Need.region_code.startswith(filters.region.rstrip("0") or "0", autoescape=True))
    if filters.wanted:
        query = query.where(Need.wanted.in_((filters.wanted, "either")))
    if filters.budget_minor is not None:
        query = query.where(or_(Need.budget_high_minor >= filters.budget_minor, Need.budget_high_minor.is_(None)))
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    pages = max(1, -(-total // PAGE))
    page = min(filters.page, pages)
    rows = db.session.execute(
        query.add_columns(Organisation.name)
        .join(Organisation, Organisation.id == Need.org_id)
        .order_by(Need.published_at.desc(), Need.id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    return Board([_posted(need, name) for need, name in rows], total, page, pages, now())


def public_need(need_id: int) -> tuple[Need, Posted]:
    """A need that was published, with what is public of it; 404 ``need_unknown``."""
    row = db.session.execute(
        select(Need, Organisation.name)
        .join(Organisation, Organisation.id == Need.org_id)
        .where(Need.id == need_id, Need.state.in_(PUBLIC_STATES))
    ).first()
    if row is None:
        raise unknown()
    return row[0], _posted(row[0], row[1])


def own_need(actor: Actor, need_id: int) -> Need:
    """A need in any state, for its poster's house; 404 ``need_unknown``."""
    need = db.session.get(Need, need_id)
    if need is None or actor.org_id is None or need.org_id != actor.org_id:
        raise unknown()
    return need


def managed_need(need_id: int) -> tuple[Need, str]:
    """A need that was sent to the platform, with its poster's name, for managers; 404 ``need_unknown``."""
    row = db.session.execute(
        select(Need, Organisation.name)
        .join(Organisation, Organisation.id == Need.org_id)
        .where(Need.id == need_id, Need.state != "draft")
    ).first()
    if row is None:
        raise unknown()
    return row[0], row[1]


def own_needs(org_id: int, limit: int = 100) -> list[tuple[Need, int, int]]:
    """The organisation's needs, newest first, with how many offers match and how many responses wait."""
    matches = (
        select(func.count())
        .select_from(NeedMatch)
        .where(NeedMatch.need_id == Need.id)
        .correlate(Need)
        .scalar_subquery()
    )
    waiting = (
        select(func.count())
        .select_from(NeedResponse)
        .where(NeedResponse.need_id == Need.id, NeedResponse.state == "offered")
        .correlate(Need)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Need, matches, waiting).where(Need.org_id == org_id).order_by(Need.id.desc()).limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def to_review(state: str = "", page: int = 1) -> tuple[list[tuple[Need, str]], dict[str, int], int]:
    """For managers: what waits first, then the newest; counts by state; number of pages."""
    counted = db.session.execute(select(Need.state, func.count()).where(Need.state != "draft").group_by(Need.state))
    counts = {row[0]: row[1] for row in counted}
    query = select(Need, Organisation.name).join(Organisation, Organisation.id == Need.org_id)
    query = query.where(Need.state == state) if state else query.where(Need.state != "draft")
    pages = max(1, -(-(counts.get(state, 0) if state else sum(counts.values())) // PAGE))
    page = min(max(page, 1), pages)
    rows = db.session.execute(
        query.order_by((Need.state == "submitted").desc(), Need.updated_at.desc(), Need.id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    return [(row[0], row[1]) for row in rows], counts, pages


def waiting() -> dict[str, ScalarSelect[int]]:
    """The count for a manager's desk: needs that wait for their check."""
    return {"needs": select(func.count()).where(Need.state == "submitted").scalar_subquery()}


def matches_of(need: Need, limit: int = 30) -> list[Matched]:
    """Offers that may serve a need, best first; what is no longer offered is left out."""
    rows = db.session.scalars(
        select(NeedMatch)
        .where(NeedMatch.need_id == need.id)
        .order_by(NeedMatch.score.desc(), NeedMatch.listing_id.desc())
    ).all()
    offers = public.offers([row.listing_id for row in rows])
    shown = _posted(need, None)
    return [
        Matched(shown, offers[row.listing_id], row.score, row.reasons)
        for row in rows
        if row.listing_id in offers and offers[row.listing_id].state in OPEN_OFFER
    ][:limit]


def needs_for(org_id: int, listing_id: int | None = None, limit: int = 100) -> list[Matched]:
    """Published needs that the organisation's offers (or one of them) may serve, best first."""
    offers = {offer.listing_id: offer for offer in public.offered_by(org_id)}
    ids = [listing_id] if listing_id in offers else [] if listing_id is not None else list(offers)
    rows = db.session.execute(
        select(NeedMatch, Need, Organisation.name, NeedResponse.state)
        .join(Need, Need.id == NeedMatch.need_id)
        .join(Organisation, Organisation.id == Need.org_id)
        .outerjoin(
            NeedResponse,
            (NeedResponse.need_id == NeedMatch.need_id)
            & (NeedResponse.listing_id == NeedMatch.listing_id)
            & (NeedResponse.state != "withdrawn"),
        )
        .where(NeedMatch.listing_id.in_(ids), Need.state == "published", Need.org_id != org_id)
        .order_by(NeedMatch.score.desc(), NeedMatch.need_id.desc(), NeedMatch.listing_id)
        .limit(limit)
    ).all()
    return [
        Matched(_posted(need, name), offers[match.listing_id], match.score, match.reasons, state)
        for match, need, name, state in rows
    ]


def answers_to(need: Need) -> list[Answer]:
    """The responses to a need as its poster sees them: who answered, once accepted."""
    rows = db.session.execute(
        select(NeedResponse, Organisation.name, NeedMatch.reasons)
        .join(Organisation, Organisation.id == NeedResponse.org_id)
        .outerjoin(
            NeedMatch,
            (NeedMatch.need_id == NeedResponse.need_id) & (NeedMatch.listing_id == NeedResponse.listing_id),
        )
        .where(NeedResponse.need_id == need.id, NeedResponse.state != "withdrawn")
        .order_by((NeedResponse.state == "offered").desc(), NeedResponse.id.desc())
    ).all()
    offers = public.offers([row.listing_id for row, _name, _reasons in rows])
    return [_answer(row, offers.get(row.listing_id), name, row.contact, reasons or []) for row, name, reasons in rows]


def own_answers(org_id: int, need_id: int | None = None, limit: int = 100) -> list[tuple[Posted, Answer]]:
    """The organisation's own responses, newest first: who posted, once accepted."""
    query = (
        select(NeedResponse, Organisation.name)
        .join(Need, Need.id == NeedResponse.need_id)
        .join(Organisation, Organisation.id == Need.org_id)
        .options(selectinload(NeedResponse.need))
        .where(NeedResponse.org_id == org_id)
    )
    if need_id is not None:
        query = query.where(NeedResponse.need_id == need_id)
    rows = db.session.execute(query.order_by(NeedResponse.id.desc()).limit(limit)).all()
    offers = public.offers([row.listing_id for row, _name in rows])
    return [
        (_posted(row.need, name), _answer(row, offers.get(row.listing_id), name, row.need.contact, []))
        for row, name in rows
    ]


def _answer(
    row: NeedResponse, offer: Offer | None, name: str, contact: str, reasons: list[Mapping[str, Any]]
) -> Answer:
    """``name`` and ``contact`` are the other side's; shown once both agreed."""
    agreed = row.state == "accepted"
    return Answer(
        id=row.id,
        state=row.state,
        state_reason=row.state_reason,
        message=row.message,
        created_at=row.created_at,
        decided_at=row.decided_at,
        offer=offer,
        name=name if agreed else None,
        contact=contact if agreed else None,
        reasons=reasons,
    )


def saved_for(actor: Actor) -> list[Saved]:
    """One's own saved searches and the shared ones of one's house, with what is new; three statements."""
    from marketplace.interest.service_saved import may_change

    whose: Any = (SavedSearch.user_id == actor.user_id) & ~SavedSearch.shared
    if actor.org_id is not None:
        whose = or_(whose, (SavedSearch.org_id == actor.org_id) & SavedSearch.shared)
    rows = list(db.session.scalars(select(SavedSearch).where(whose).order_by(SavedSearch.id)))
    ids = [row.id for row in rows]
    counted = db.session.execute(
        select(
            SavedSearchHit.search_id,
            func.count().filter(SavedSearchHit.found_at > SavedSearch.looked_at),
            func.count(),
        )
        .join(SavedSearch, SavedSearch.id == SavedSearchHit.search_id)
        .where(SavedSearchHit.search_id.in_(ids), ~SavedSearchHit.known)
        .group_by(SavedSearchHit.search_id)
    )
    counts = {row[0]: (row[1], row[2]) for row in counted}
    muted = set(
        db.session.scalars(
            select(SavedSearchMute.search_id).where(
                SavedSearchMute.user_id == actor.user_id, SavedSearchMute.search_id.in_(ids)
            )
        )
    )
    return [Saved(row, *counts.get(row.id, (0, 0)), row.id in muted, may_change(actor, row)) for row in rows]


def found_by(search: SavedSearch, limit: int = 100) -> list[tuple[Offer, datetime]]:
    """What a saved search found after it was saved, newest first, with when."""
    rows = db.session.execute(
        select(SavedSearchHit.listing_id, SavedSearchHit.found_at)
        .where(SavedSearchHit.search_id == search.id, ~SavedSearchHit.known)
        .order_by(SavedSearchHit.found_at.desc(), SavedSearchHit.id.desc())
        .limit(limit)
    ).all()
    offers = public.offers([row.listing_id for row in rows])
    return [(offers[row.listing_id], row.found_at) for row in rows if row.listing_id in offers]


def labels(ids: Iterable[int]) -> dict[int, str]:
    """What people call these needs, in the reader's language. One query."""
    rows = db.session.execute(select(Need.id, Need.title, Need.title_en).where(Need.id.in_(list(ids))))
    return {row.id: title_of(row) for row in rows}


def search_labels(ids: Iterable[int]) -> dict[int, str]:
    return dict(db.session.execute(select(SavedSearch.id, SavedSearch.name).where(SavedSearch.id.in_(list(ids)))).all())
