"""Bars: an organisation that may not take part, in one listing or anywhere on the platform."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import NotFound, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.parties.models import Bar, Organisation

#: Listings stand above this room. They say which listing a public number (``ZL-2026-000123``) names, and which public
#: numbers listings have; ``listings/handlers.py`` sets both at start.
_by_number: list[Callable[[str], int | None]] = []
_numbers: list[Callable[[Iterable[int]], dict[int, str]]] = []


def listings_are(by_number: Callable[[str], int | None], numbers: Callable[[Iterable[int]], dict[int, str]]) -> None:
    """How listings are found by their public number, and named by it."""
    _by_number[:], _numbers[:] = [by_number], [numbers]


def listing_numbered(typed: str) -> int | None:
    """The listing of a public number in any writing, None where there is none."""
    number = unicodedata.normalize("NFKC", typed).strip().upper()
    return next((found for look in _by_number if (found := look(number)) is not None), None)


def listing_numbers(ids: Iterable[int]) -> dict[int, str]:
    """The public numbers of these listings, by id; those without one are left out."""
    wanted = list(ids)
    return _numbers[0](wanted) if _numbers and wanted else {}


def barred(org_id: int, listing_id: int | None) -> Bar | None:
    """The bar that keeps the organisation out of this listing (one for the platform comes first), else None."""
    return db.session.scalar(
        select(Bar)
        .where(
            Bar.org_id == org_id,
            Bar.lifted_at.is_(None),
            (Bar.listing_id.is_(None)) | (Bar.listing_id == listing_id),
        )
        .order_by(Bar.listing_id.asc().nulls_first())
        .limit(1)
    )


def bar_org(org_id: int, listing_id: int | None, reason: str, source: str | None, actor: Actor, **data: object) -> Bar:
    """Bar the organisation from one listing, or from all (``listing_id`` None). Barring twice keeps the first
    bar. Takes no lock on the organisation, so it may be called under a lot's lock. ``reason_needed``."""
    if not reason.strip():
        raise Refused("reason_needed", _l("请填写理由"))
    if db.session.get(Organisation, org_id) is None:
        raise NotFound("organisation_unknown", _l("没有这个机构"))
    new = insert(Bar).values(
        org_id=org_id,
        listing_id=listing_id,
        reason=reason.strip(),
        source=source,
        created_by=actor.user_id,
        data=data,
    )
    bar_id = db.session.scalar(new.on_conflict_do_nothing().returning(Bar.id))
    if bar_id is not None:
        record("organisation.barred", "organisation", org_id, actor, bar_id=bar_id, listing_id=listing_id)
    return db.session.scalars(
        select(Bar).where(
            Bar.org_id == org_id, Bar.listing_id.is_not_distinct_from(listing_id), Bar.lifted_at.is_(None)
        )
    ).one()


def lift_bar(bar_id: int, reason: str, actor: Actor) -> Bar:
    """End a bar, with a reason. ``reason_needed``, ``bar_lifted`` when it has ended already."""
    if not reason.strip():
        raise Refused("reason_needed", _l("请填写理由"))
    bar = db.session.scalar(select(Bar).where(Bar.id == bar_id).with_for_update(key_share=True))
    if bar is None:
        raise NotFound("bar_unknown", _l("没有这项限制"))
    if bar.lifted_at is not None:
        raise Refused("bar_lifted", _l("这项限制已经解除"))
    db.session.execute(
        update(Bar).where(Bar.id == bar_id).values(lifted_at=func.clock_timestamp()),
        execution_options={"synchronize_session": False},
    )
    db.session.refresh(bar)
    record("organisation.bar_lifted", "organisation", bar.org_id, actor, bar_id=bar_id, reason=reason.strip())
    return bar


def bars_of(org_id: int) -> list[Bar]:
    """Every bar of the organisation, the newest first, lifted ones too."""
    return list(db.session.scalars(select(Bar).where(Bar.org_id == org_id).order_by(Bar.id.desc())))
