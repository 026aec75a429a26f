"""Published offers and their results for the rooms above: many at once, by id, by allow-list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from marketplace.auctions.models import Lot, LotResult, LotState, Registration
from marketplace.core.db import db
from marketplace.listings.models import Listing, ListingRight
from marketplace.listings.queries import Offer, _offers, _public_rows
from marketplace.parties.models import Organisation

OPEN = ("scheduled", "running", "suspended")
#: What open data tells of a right: the register's facts, no holder, no burden's holder.
RIGHT_FACTS = (
    "kind", "number", "publication_no", "title", "title_en", "filing_date", "grant_date", "registration_date",
    "term_end", "term_confirmed", "ipc", "nice", "industry", "region_code",
)  # fmt: skip


def offers(listing_ids: Iterable[int]) -> dict[int, Offer]:
    """These offers as far as they are public, by id. Two statements."""
    ids = list(listing_ids)
    if not ids:
        return {}
    rows = db.session.execute(_public_rows().where(Listing.id.in_(ids))).all()
    return {offer.listing_id: offer for offer in _offers(rows)}


def offered_by(org_id: int, limit: int = 200) -> list[Offer]:
    """What an organisation offers now (announced, running or suspended), newest first. Two statements."""
    rows = db.session.execute(
        _public_rows()
        .where(Listing.org_id == org_id, LotState.state.in_(OPEN))
        .order_by(Listing.published_at.desc(), Listing.id.desc())
        .limit(limit)
    ).all()
    return _offers(rows)


def sellers(listing_ids: Iterable[int]) -> dict[int, int]:
    """The organisation that offers each of these. One statement."""
    rows = db.session.execute(select(Listing.id, Listing.org_id).where(Listing.id.in_(list(listing_ids))))
    return {row.id: row.org_id for row in rows}


def open_facts(listing_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The facts of these offers as open data, by id: nothing that names a person or a firm, no price of the running
    bidding, which the lot itself tells. Plain values; moments aware. Two statements."""
    ids = list(listing_ids)
    if not ids:
        return {}
    rights: dict[int, list[dict[str, Any]]] = {}
    for listing_id, shot in db.session.execute(
        select(ListingRight.listing_id, ListingRight.snapshot)
        .where(ListingRight.listing_id.in_(ids))
        .order_by(ListingRight.listing_id, ListingRight.position)
    ):
        rights.setdefault(listing_id, []).append({name: shot.get(name) for name in RIGHT_FACTS})
    rows = db.session.execute(_public_rows().where(Listing.id.in_(ids))).all()
    return {
        listing.id: {
            "number": listing.number,
            "title": listing.title,
            "title_en": listing.title_en,
            "channel": listing.channel,
            "state": state.state,
            "sandbox": lot.sandbox,
            "profile": listing.profile_code,
            "region_code": listing.region_code,
            "industry": listing.industry,
            "currency": lot.currency,
            "appraisal_minor": listing.appraisal_minor,
            "appraisal_date": listing.appraisal_date,
            "lot_id": lot.id,
            "round_no": lot.round_no,
            "start_minor": lot.start_minor,
            "deposit_minor": lot.deposit_minor,
            "opens_at": state.opens_at,
            "ends_at": state.ends_at,
            "published_at": listing.published_at,
            "notice_sha256": lot.facts.get("notice_sha256") or listing.notice_sha256,
            "rights": rights.get(listing.id, []),
        }
        for listing, lot, state in rows
    }


def open_results(lot_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """How these rounds ended as open data, by lot; the buyer's name only where the round's rule publishes it."""
    ids = list(lot_ids)
    if not ids:
        return {}
    rows = db.session.execute(
        select(LotResult, Lot, LotState, Listing.number, Registration.code, Organisation.name)
        .join(Lot, Lot.id == LotResult.lot_id)
        .join(LotState, LotState.lot_id == Lot.id)
        .join(Listing, Listing.id == Lot.listing_id)
        .outerjoin(Registration, Registration.id == LotResult.winner_registration_id)
        .outerjoin(Organisation, Organisation.id == Registration.org_id)
        .where(LotResult.lot_id.in_(ids))
    ).all()
    return {
        lot.id: {
            "number": number,
            "lot_id": lot.id,
            "round_no": lot.round_no,
            "sandbox": lot.sandbox,
            "outcome": result.outcome,
            "closed_at": result.closed_at,
            "currency": lot.currency,
            "start_minor": lot.start_minor,
            "appraisal_minor": lot.appraisal_minor,
            "price_minor": result.price_minor,
            "bids": result.bids,
            "winner_code": code,
            "winner_name": name if lot.profile.get("identity_published", {}).get("value") else None,
            "after_sale": state.after_sale,
        }
        for result, lot, state, number, code, name in rows
    }
