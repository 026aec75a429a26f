"""Mail about what a saved search found: at once, or gathered every morning. Queued with the finding (law 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from flask_babel.speaklater import LazyString
from sqlalchemy import select, update

from marketplace.core import deadlines
from marketplace.core.clock import SHANGHAI, now
from marketplace.core.db import db
from marketplace.core.i18n import _, _l, get_locale
from marketplace.core.money import format_minor
from marketplace.interest.letters import stop_link
from marketplace.interest.models import SavedSearch, SavedSearchHit, SavedSearchMute
from marketplace.listings import public
from marketplace.listings.queries import Offer
from marketplace.parties import notices
from marketplace.parties.mail import absolute

DIGEST, DIGEST_ORG = "interest.digest", "interest.digest_org"
MORNING = time(8, 0)  # Asia/Shanghai
MOST_LISTED = 20
_Key = tuple[str, int]


@dataclass(frozen=True)
class Found:
    """A saved search and the offers it found, for one mail."""

    search: SavedSearch
    offers: tuple[Offer, ...]


def tell(hits: Sequence[Any]) -> None:
    """Queue the mails of hits just written (id, search_id, listing_id), in their transaction."""
    if not hits:
        return
    rows = db.session.scalars(select(SavedSearch).where(SavedSearch.id.in_({hit.search_id for hit in hits})))
    searches = {row.id: row for row in rows}
    at_once = [hit for hit in hits if _often(searches.get(hit.search_id)) == "at_once"]
    _send(at_once, searches)
    daily = {_owner(row) for hit in hits if _often(row := searches.get(hit.search_id)) == "daily" and row is not None}
    for subject, subject_id in sorted(daily):
        kind = DIGEST_ORG if subject == "organisation" else DIGEST
        deadlines.schedule(kind, subject, subject_id, next_morning(now()))


def _often(search: SavedSearch | None) -> str:
    return "never" if search is None or search.paused else search.often


def _owner(search: SavedSearch) -> _Key:
    return ("organisation", search.org_id or 0) if search.shared else ("user", search.user_id)


def next_morning(at: datetime) -> datetime:
    """The next 08:00 in Asia/Shanghai."""
    local = at.astimezone(SHANGHAI)
    morning = datetime.combine(local.date(), MORNING, SHANGHAI)
    return morning if local < morning else morning + timedelta(days=1)


def send_digest(subject: str, subject_id: int) -> None:
    """One mail to each reader with what all daily searches of this user, or of this organisation, found since the last
    one. Running it twice sends it once: what was told is marked."""
    whose = (
        (SavedSearch.org_id == subject_id) & SavedSearch.shared
        if subject == "organisation"
        else (SavedSearch.user_id == subject_id) & ~SavedSearch.shared
    )
    searches = {
        row.id: row
        for row in db.session.scalars(
            select(SavedSearch)
            .where(whose, SavedSearch.often == "daily", ~SavedSearch.paused)
            .order_by(SavedSearch.id)
            .with_for_update()
        )
    }
    hits = db.session.execute(
        select(SavedSearchHit.id, SavedSearchHit.search_id, SavedSearchHit.listing_id)
        .where(SavedSearchHit.search_id.in_(list(searches)), ~SavedSearchHit.known, SavedSearchHit.told_at.is_(None))
        .order_by(SavedSearchHit.id)
    ).all()
    _send(hits, searches, together=True)


def _send(hits: Sequence[Any], searches: dict[int, SavedSearch], together: bool = False) -> None:
    """Mails about these hits: one a search and reader, or all of a reader's in one."""
    if not hits:
        return
    offers = public.offers({hit.listing_id for hit in hits})
    found: dict[int, list[Any]] = {}
    for hit in hits:
        if hit.listing_id in offers:
            found.setdefault(hit.search_id, []).append(hit)
    muted = {
        (row.search_id, row.user_id)
        for row in db.session.scalars(select(SavedSearchMute).where(SavedSearchMute.search_id.in_(list(found))))
    }
    for search_ids in [list(found)] if together else [[search_id] for search_id in found]:
        for reader in _readers(searches[search_id] for search_id in search_ids):
            wanted = [i for i in search_ids if (i, reader.user_id) not in muted and _reads(reader, searches[i])]
            parts = [Found(searches[i], tuple(offers[hit.listing_id] for hit in found[i])) for i in wanted]
            if parts:
                first = min(hit.id for i in wanted for hit in found[i])
                _mail(reader, parts, first, together)
    ids = [hit.id for hit in hits]
    db.session.execute(update(SavedSearchHit).where(SavedSearchHit.id.in_(ids)).values(told_at=now()))


def _readers(searches: Iterable[SavedSearch]) -> list[notices.Reader]:
    rows = list(searches)
    people = {row.user_id for row in rows if not row.shared}
    orgs = {row.org_id for row in rows if row.shared and row.org_id is not None}
    return notices.readers(people, orgs)


def _reads(reader: notices.Reader, search: SavedSearch) -> bool:
    return reader.org_id == search.org_id if search.shared else reader.user_id == search.user_id


def _mail(reader: notices.Reader, parts: Sequence[Found], first_hit: int, together: bool) -> None:
    count = sum(len(part.offers) for part in parts)
    names = parts[0].search.name
    subject = (
        _l("今日新增 %(n)s 项符合您的订阅", n=count) if together else _l("“%(name)s”新增 %(n)s 项", name=names, n=count)
    )
    kind = "digest" if together else "alert"
    notices.notify_address(
        reader.email,
        reader.language,
        subject,
        LazyString(_body, parts, reader.user_id),
        link="/saved-searches",
        dedupe_key=f"interest.{kind}:{first_hit}:{reader.user_id}",
    )


def _body(parts: Sequence[Found], user_id: int) -> str:
    """The text in the reader's language: each search with its offers, and how to end it."""
    lines: list[str] = []
    for part in parts:
        lines.append(_("订阅“%(name)s”：", name=part.search.name))
        lines += [_line(offer) for offer in part.offers[:MOST_LISTED]]
        if len(part.offers) > MOST_LISTED:
            lines.append(_("……另有 %(n)s 项", n=len(part.offers) - MOST_LISTED))
        lines.append(_("不再接收此订阅：%(link)s", link=absolute(stop_link(part.search.id, user_id))))
        lines.append("")
    return "\n".join(lines).strip()


def _line(offer: Offer) -> str:
    english = str(get_locale() or "zh") == "en"
    title = offer.title_en if english and offer.title_en else offer.title
    price = format_minor(offer.price_minor if offer.price_minor is not None else offer.start_minor, offer.currency)
    return f"- {offer.number} {title}  {price}\n  {absolute(offer.href)}"
