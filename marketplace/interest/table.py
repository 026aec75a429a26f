"""A result list as CSV: the filters of the search page, at most ``MOST_ROWS`` lines, no cell that a spreadsheet takes
for a formula. Written page by page, so that a long list is never held whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from flask import current_app

from marketplace.core.clock import SHANGHAI
from marketplace.core.db import db, unit_of_work
from marketplace.discovery import find
from marketplace.interest import stored
from marketplace.listings import public
from marketplace.listings.queries import Offer
from search.query import DEEPEST

MOST_ROWS = DEEPEST
HEADER = (
    "number", "title", "title_en", "kinds", "rights", "numbers", "ipc", "channel", "state", "region_code", "currency",
    "start", "price", "bids", "opens_at", "ends_at", "published_at", "sandbox", "url",
)  # fmt: skip


def safe(value: object) -> str:
    """One line of text; a leading sign of a formula gets an apostrophe (OWASP: CSV injection)."""
    text = " ".join(str(value if value is not None else "").split())
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠") else text


def rows(query: str, base_url: str) -> Iterator[tuple[str, ...]]:
    """The lines of a result list, in its order; each page in a unit of work of its own."""
    wanted = replace(stored.read(query), cursor="")
    seen: set[int] = set()
    while len(seen) < MOST_ROWS:
        with _own_transaction():
            found = find.find(wanted)
            offers = [offer for offer in found.offers if offer.listing_id not in seen][: MOST_ROWS - len(seen)]
            facts = public.open_facts([offer.listing_id for offer in offers])
            made = [line(offer, facts.get(offer.listing_id, {}), base_url) for offer in offers]
        yield from made
        seen |= {offer.listing_id for offer in offers}
        if not found.cursor or not found.offers or found.cursor_refused:
            return
        wanted = replace(wanted, cursor=found.cursor)


@contextmanager
def _own_transaction() -> Iterator[None]:
    """The answer has begun when its lines are made: the request's own unit of work is over."""
    with current_app.app_context():
        try:
            with unit_of_work():
                yield
        finally:
            db.session.remove()


def line(offer: Offer, facts: dict[str, object], base_url: str) -> tuple[str, ...]:
    """One offer by allow-list. Amounts in whole units with two decimals, moments in Asia/Shanghai."""
    rights = facts.get("rights") or []
    assert isinstance(rights, list)
    ipc = dict.fromkeys(code for right in rights for code in right.get("ipc") or ())
    values = (
        offer.number,
        offer.title,
        offer.title_en,
        ";".join(offer.kinds),
        offer.rights,
        ";".join(str(right["number"]) for right in rights if right.get("number")),
        ";".join(ipc),
        offer.channel,
        offer.state,
        offer.region_code,
        offer.currency,
        _amount(offer.start_minor),
        _amount(offer.price_minor),
        offer.bids,
        _moment(offer.opens_at),
        _moment(offer.ends_at),
        _moment(offer.published_at),
        "yes" if offer.sandbox else "no",
        f"{base_url}{offer.href}",
    )
    return tuple(safe(value) for value in values)


def _amount(minor: int | None) -> str:
    return "" if minor is None else f"{minor // 100}.{minor % 100:02d}"


def _moment(at: datetime) -> str:
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")


def as_csv(lines: Iterator[tuple[str, ...]], *, bom: bool = False) -> Iterator[bytes]:
    """UTF-8, RFC 4180; ``bom`` for spreadsheets that take UTF-8 for something else without it."""
    if bom:
        yield b"\xef\xbb\xbf"
    yield _written(HEADER)
    for cells in lines:
        yield _written(cells)


def _written(cells: tuple[str, ...]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()
