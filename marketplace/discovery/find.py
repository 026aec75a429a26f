"""Ask the index and read the rows again (law 9): the engine gives the order, the database all that is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select

from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.discovery import queries
from marketplace.discovery.engines import searching
from marketplace.discovery.wanted import CHOICES, PAGE, Wanted, minor, question
from marketplace.listings import filters, public
from marketplace.listings import queries as listings
from marketplace.listings.models import ListingRight
from marketplace.listings.queries import Offer
from search.engine import CursorRefused, EngineDown
from search.query import DEEPEST, LONGEST_TEXT, Query
from search.result import Bucket, Result

log = structlog.get_logger("search")
FACETS = tuple(CHOICES.values())
ALIKE = 4
#: What the plain list in the database cannot filter by.
INDEX_ONLY = ("ipc", "industry", "term", "licence", "bank")


@dataclass(frozen=True)
class Found:
    """``narrowed``: the local engine answered. ``plain``: the database answered, without ranking and counts;
    ``left_out`` names the filters it could not apply. ``deep``: there is more than can be paged through."""

    offers: Sequence[Offer]
    shots: Mapping[int, Sequence[dict[str, Any]]]
    total: int
    now: datetime
    facets: Mapping[str, tuple[Bucket, ...]] = field(default_factory=dict)
    cursor: str = ""
    corrected: str = ""
    exact: bool = False
    cut: bool = False
    narrowed: bool = False
    plain: bool = False
    deep: bool = False
    cursor_refused: bool = False
    left_out: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, ...], ...] = ()


def search(query: Query) -> tuple[Result, bool]:
    """Ids in order from the engine, and whether they may be fewer than usual. ``EngineDown``, ``CursorRefused``."""
    return searching().search(query)


def find(wanted: Wanted) -> Found:
    """A page of what is wanted. Never fails for what a reader typed; while no engine answers the database does."""
    synonyms = queries.synonyms()
    query = question(wanted, synonyms, FACETS)
    refused = False
    try:
        try:
            result, narrowed = search(query)
        except CursorRefused:
            refused = True
            wanted = replace(wanted, cursor="")
            result, narrowed = search(replace(query, cursor=""))
    except EngineDown:
        return plain(wanted)
    ids = [int(hit.id) for hit in result.hits if hit.id.isdigit()]
    offers = public.offers(ids)
    return Found(
        offers=[offers[one] for one in ids if one in offers],
        shots=snapshots(ids),
        total=result.total,
        now=now(),
        facets=result.facets,
        cursor=result.cursor,
        corrected=result.corrected,
        exact=result.exact,
        cut=result.cut or len(wanted.q) > LONGEST_TEXT,
        narrowed=narrowed,
        deep=bool(wanted.cursor) and not result.cursor and result.total > DEEPEST,
        cursor_refused=refused,
        synonyms=synonyms,
    )


def plain(wanted: Wanted) -> Found:
    """The same from the database alone: the title or number contains the words, simple filters, no counts."""
    page = int(wanted.cursor[1:]) if wanted.cursor[:1] == "p" and wanted.cursor[1:].isdigit() else 1
    asked = {
        "q": wanted.q[: filters.LONGEST_TEXT],
        "sort": {"closing": "ending", "price_up": "price_up", "price_down": "price_down"}.get(wanted.order, "new"),
        "low": wanted.low,
        "high": wanted.high,
        "closing": wanted.until or next(iter(wanted.closing), ""),
        "page": str(page),
    }
    asked |= {name: next(iter(getattr(wanted, name)), "") for name in ("state", "kind", "channel", "region")}
    if wanted.price and not (wanted.low or wanted.high):
        low, _dash, high = wanted.price[0].partition("-")
        asked |= {"low": f"{low}万", "high": f"{high}万" if high else ""}
    found = listings.public_list(filters.read_filters(asked))
    ids = [offer.listing_id for offer in found.offers]
    left_out = tuple(name for name in INDEX_ONLY if getattr(wanted, name))
    single = ("state", "kind", "channel", "region", "price")
    left_out += tuple(name for name in single if len(getattr(wanted, name)) > 1)
    return Found(
        offers=found.offers,
        shots=snapshots(ids),
        total=found.total,
        now=found.now,
        facets={"status": tuple(Bucket(value, count) for value, count in found.by_state.items())},
        cursor=f"p{found.page + 1}" if found.page < found.pages else "",
        cut=len(wanted.q) > filters.LONGEST_TEXT,
        plain=True,
        left_out=left_out,
    )


def snapshots(listing_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The facts of the rights of these offers as published. One statement."""
    if not listing_ids:
        return {}
    rows = db.session.execute(
        select(ListingRight.listing_id, ListingRight.snapshot)
        .where(ListingRight.listing_id.in_(listing_ids))
        .order_by(ListingRight.listing_id, ListingRight.position)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for listing_id, shot in rows:
        found.setdefault(listing_id, []).append(shot)
    return found


def alike(listing_id: int) -> list[Offer]:
    """Offers like this one that are still open; none when the index does not answer."""
    try:
        result, _narrowed = search(
            Query(like=str(listing_id), size=ALIKE, filters={"status": ("scheduled", "running", "suspended")})
        )
    except (EngineDown, CursorRefused):
        return []
    ids = [int(hit.id) for hit in result.hits if hit.id.isdigit()]
    offers = public.offers(ids)
    return [offers[one] for one in ids if one in offers and one != listing_id]


__all__ = ["ALIKE", "FACETS", "PAGE", "Found", "alike", "find", "minor", "plain", "search", "snapshots"]
