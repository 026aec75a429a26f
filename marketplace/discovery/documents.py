"""An offer as a document for the index, by allow-list from what its public page tells (law 9).

Texts, numbers and trees come from the facts frozen at publication, as the page shows them; price, end and state from
the latest round; health from the rights as they are today. No bidder, no debtor, no claim, no draft ever gets in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import defer, selectinload

from marketplace.auctions.models import Lot, LotState
from marketplace.core.clock import SHANGHAI, now
from marketplace.core.db import db
from marketplace.discovery import bands, trees
from marketplace.discovery.models import SearchDocument, SearchTaxon
from marketplace.listings import rules
from marketplace.listings.models import Listing, ListingRight
from marketplace.rights.facts import health_of
from marketplace.rights.models import Right
from marketplace.rights.rules.health import Verdict
from search.document import Document, gone

OPEN = ("scheduled", "running", "suspended")
HEALTH = {Verdict.OK: 2, Verdict.WARN: 1, Verdict.BLOCKED: 0}
#: The pledge that the sale itself ends stands on nearly every right here and tells none from another.
EVERYWHERE = {"pledged"}
LICENCES = ("exclusive", "sole", "ordinary")
#: What may still be granted beside a licence in force (compatibility of licences, domain 4.2).
BESIDE = {"licence_exclusive": frozenset[str](), "licence_sole": frozenset[str](), "licence_ordinary": {"ordinary"}}
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Built:
    """``recheck_at``: when time alone will change the document. ``digest`` tells one content from another."""

    listing_id: int
    document: Document
    recheck_at: datetime | None
    digest: str

    @property
    def version(self) -> int:
        return self.document.version


def _health(right: Right, today: date) -> int:
    """0 to 2 for the ranking."""
    verdict = health_of(right, today)
    if verdict.verdict == Verdict.WARN and {reason.code for reason in verdict.reasons} <= EVERYWHERE:
        return HEALTH[Verdict.OK]
    return HEALTH[verdict.verdict]


def read(listing_ids: Iterable[int]) -> list[Built]:
    """The documents of these offers with their versions. Content and version belong together only when all is read
    in one snapshot: call it in a transaction that is REPEATABLE READ (``sync.snapshot``)."""
    ids = sorted(set(listing_ids))
    versions = dict(
        db.session.execute(
            select(SearchDocument.listing_id, SearchDocument.version).where(SearchDocument.listing_id.in_(ids))
        ).all()
    )
    listings = db.session.scalars(
        select(Listing)
        .where(Listing.id.in_(list(versions)))
        .options(
            defer(Listing.notice_text),
            selectinload(Listing.items).selectinload(ListingRight.right).selectinload(Right.encumbrances),
            selectinload(Listing.items).selectinload(ListingRight.right).selectinload(Right.annuity_payments),
        )
        .order_by(Listing.id)
    ).all()
    rounds = latest_rounds(versions)
    at = now()
    names = region_names([code for listing in listings for code in _regions(listing)])
    return [build(listing, rounds.get(listing.id), versions[listing.id], at, names) for listing in listings]


@dataclass(frozen=True)
class Round:
    """What of an offer's latest round is public and moves."""

    state: str
    ends_at: datetime
    price_minor: int
    currency: str


def latest_rounds(listing_ids: Iterable[int]) -> dict[int, Round]:
    """The latest round of each offer; of a lot only these few columns, since its frozen facts are long."""
    rows = db.session.execute(
        select(
            Lot.listing_id,
            LotState.state,
            LotState.ends_at,
            func.coalesce(LotState.price_minor, Lot.start_minor),
            Lot.currency,
        )
        .join(LotState, LotState.lot_id == Lot.id)
        .where(Lot.listing_id.in_(list(listing_ids)))
        .order_by(Lot.listing_id, Lot.round_no)
    )
    return {row[0]: Round(*row[1:]) for row in rows}  # the last of each stays


def region_names(codes: Sequence[str]) -> dict[str, str]:
    """Chinese names of these divisions and of all above them."""
    wanted = {step for code in codes for step in trees.region_path(code)}
    if not wanted:
        return {}
    rows = db.session.execute(
        select(SearchTaxon.code, SearchTaxon.name_zh).where(
            SearchTaxon.scheme == "region", SearchTaxon.code.in_(wanted)
        )
    )
    return {code: name[0] for code, name in trees.REGION.items() if code in wanted} | dict(rows.all())


def _regions(listing: Listing) -> list[str]:
    """Where it is offered from; else where its rights are."""
    if listing.region_code:
        return [listing.region_code]
    return [code for item in listing.items if (code := item.snapshot.get("region_code"))]


def build(
    listing: Listing,
    latest: Round | None,
    version: int,
    at: datetime,
    names: dict[str, str] | None = None,
) -> Built:
    """The document of one offer at this moment; a tombstone for what is not before the public."""
    if listing.state not in rules.PUBLIC_STATES or listing.published_at is None or latest is None:
        return Built(listing.id, gone(str(listing.id), version), None, "gone")
    shots = [item.snapshot for item in listing.items]
    ends_at = latest.ends_at if latest.state in OPEN else None
    term_end = min((end for shot in shots if (end := _day(shot.get("term_end")))), default=None)
    today = at.astimezone(SHANGHAI).date()
    keywords = {
        "kind": _once(shot.get("kind", "") for shot in shots),
        "channel": (listing.channel,),
        "status": (latest.state,),
        "ipc": _steps("ipc", (code for shot in shots for code in shot.get("ipc") or ())),
        "industry": _steps("industry", [listing.industry or "", *(shot.get("industry") or "" for shot in shots)]),
        "region": _steps("region", _regions(listing)),
        "licence": licences(shots) if latest.state in OPEN else (),
        "bank": (str(listing.org_id),),
        "number": numbers(listing.number or "", shots),
        "currency": (latest.currency,),
        "price_band": _once([bands.price_band(latest.price_minor, latest.currency)]),
        "term_band": _once([bands.term_band(term_end, today)]),
        "closing_band": bands.closing_bands(ends_at, at),
    }
    figures = {
        "price_minor": latest.price_minor,
        "published_at": int(listing.published_at.timestamp()),
        "urgency": bands.urgency(ends_at, at),
        "health": min((_health(item.right, today) for item in listing.items), default=1),
    }
    if term_end is not None:
        figures["term_end_day"] = (term_end - EPOCH).days
    if ends_at is not None:
        figures["closes_at"] = int(ends_at.timestamp())
    document = Document(
        id=str(listing.id),
        version=version,
        texts={name: text for name, text in texts(listing, shots, names or {}).items() if text},
        keywords={name: values for name, values in keywords.items() if values},
        numbers=figures,
    )
    return Built(listing.id, document, _recheck(ends_at, term_end, at), digest(document))


def texts(listing: Listing, shots: Sequence[dict[str, Any]], regions: dict[str, str]) -> dict[str, str]:
    """What is read and ranked: titles, abstracts, claims, holders, and words that describe the offer."""

    def joined(*parts: str | None) -> str:
        return "\n".join(_once(part.strip() for part in parts if part))

    kinds = [shot.get(name) for shot in shots for name in ("kind_zh", "kind_en")]
    return {
        "title": joined(listing.title, *(shot.get("title") for shot in shots)),
        "title_en": joined(listing.title_en, *(shot.get("title_en") for shot in shots)),
        "abstract": joined(*(shot.get("abstract") for shot in shots), listing.summary),
        "abstract_en": joined(*(shot.get("abstract_en") for shot in shots)),
        "claims": joined(*(shot.get("claims") for shot in shots)),
        "applicant": joined(
            *(shot.get("holder") for shot in shots), *(o for s in shots for o in s.get("co_owners") or ())
        ),
        "tags": joined(listing.number, *kinds, *regions_of(listing, regions)),
    }


def regions_of(listing: Listing, names: dict[str, str]) -> list[str]:
    return [names[step] for code in _regions(listing) for step in trees.region_path(code) if step in names]


def licences(shots: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """The kinds of licence that could still be granted under every right of the offer as its notice tells them."""
    left = set(LICENCES)
    for shot in shots:
        for burden in shot.get("encumbrances") or ():
            left &= BESIDE.get(burden.get("kind", ""), left)
    return tuple(kind for kind in LICENCES if kind in left) if shots else ()


def numbers(listing_number: str, shots: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Each number in every way it is written."""
    from search.numbers import forms

    written = [listing_number, *(shot.get(name) or "" for shot in shots for name in ("number", "publication_no"))]
    return _once(form for text in written if text for form in forms(text))


def digest(document: Document) -> str:
    content = {
        "t": dict(document.texts),
        "k": {k: list(v) for k, v in document.keywords.items()},
        "n": dict(document.numbers),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def _recheck(ends_at: datetime | None, term_end: date | None, at: datetime) -> datetime | None:
    days = [datetime.combine(day, time(), SHANGHAI).astimezone(UTC) for day in bands.term_turns(term_end)]
    return min((turn for turn in (*bands.closing_turns(ends_at), *days) if turn > at), default=None)


def _steps(scheme: str, codes: Iterable[str]) -> tuple[str, ...]:
    return _once(step for code in codes if code for step in trees.path(scheme, code))


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
