"""Needs and offers, both ways: candidates come from the index, the reasons from ``rules.judge`` over their facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.core.clock import now
from marketplace.core.db import db, unit_of_work
from marketplace.interest import asking
from marketplace.interest.models import Need, NeedMatch
from marketplace.interest.rules import Offer, Verdict, Wish, judge
from search.document import Document
from search.query import LONGEST_TEXT, Query

MOST_KEPT = 30  # of one need
CANDIDATES = 60
OPEN = ("scheduled", "running", "suspended")
TEXTS = ("title", "title_en", "abstract", "abstract_en", "claims")  # not who holds it
OPEN_FILTER = {"status": OPEN}


@dataclass(frozen=True)
class Wanted:
    """A published need with its question, apart from the session."""

    id: int
    wish: Wish
    query: Query


def wish_of(need: Need) -> Wish:
    return Wish(
        texts=tuple(t for t in (need.title, need.title_en, need.details, need.details_en) if t),
        ipc=tuple(need.ipc),
        industry=need.industry or "",
        region=need.region_code or "",
        wanted=need.wanted,
        low_minor=need.budget_low_minor,
        high_minor=need.budget_high_minor,
        currency=need.currency,
    )


def offer_of(document: Document) -> Offer:
    """An offer from its document: the public facts that were built by allow-list."""
    keywords = document.keywords
    return Offer(
        texts=tuple(
            document.texts.get(name, "") for name in ("title", "title_en", "abstract", "abstract_en", "claims")
        ),
        ipc=tuple(keywords.get("ipc", ())),
        industry=tuple(keywords.get("industry", ())),
        region=tuple(keywords.get("region", ())),
        channel=next(iter(keywords.get("channel", ())), "auction"),
        price_minor=document.numbers.get("price_minor"),
        currency=next(iter(keywords.get("currency", ())), "CNY"),
    )


def wanted(need: Need) -> Wanted:
    """Title first: the engine reads the beginning of a long text."""
    words = " ".join(t for t in (need.title, need.title_en, need.details) if t)[:LONGEST_TEXT]
    # a person's text is words to look for, not a question in the search language
    plain = "".join(" " if c in '"“”-:：()' else c for c in words)
    return Wanted(need.id, wish_of(need), Query(text=plain, filters=OPEN_FILTER, size=CANDIDATES))


def published_needs() -> list[Wanted]:
    return [
        wanted(need) for need in db.session.scalars(select(Need).where(Need.state == "published").order_by(Need.id))
    ]


def judge_documents(documents: Sequence[Document]) -> list[tuple[int, int, Verdict]]:
    """(need, offer, verdict) of every published need that these documents may serve. Raises ``EngineDown``."""
    live = {document.id: document for document in documents if set(document.keywords.get("status", ())) & set(OPEN)}
    if not live:
        return []
    with unit_of_work():
        needs = published_needs()
    found = []
    for need in needs:
        for document_id in _candidates(need, live):
            verdict = judge(need.wish, offer_of(live[document_id]))
            if verdict is not None:
                found.append((need.id, int(document_id), verdict))
    return found


def _candidates(need: Wanted, live: dict[str, Document]) -> set[str]:
    """By words, and by field of technology."""
    same_field = {i for i, document in live.items() if _shares_field(need.wish.ipc, document)}
    rest = [i for i in live if i not in same_field]
    return same_field | (asking.among(need.query, rest) if rest and need.query.text.strip() else set())


def _shares_field(ipc: Iterable[str], document: Document) -> bool:
    return bool({code[:4] for code in ipc} & set(document.keywords.get("ipc", ())))


def judge_need(need: Wanted) -> list[tuple[int, int, Verdict]]:
    """The same for one need against all that is offered. Raises ``EngineDown``."""
    from marketplace.discovery import sync

    ids: dict[str, None] = {}
    if need.query.text.strip():
        ids |= dict.fromkeys(hit.id for hit in asking.ask(need.query).hits)
    if codes := tuple(sorted({code[:4] for code in need.wish.ipc})):
        by_field = replace(need.query, text="", filters={**OPEN_FILTER, "ipc": codes}, sort="newest")
        ids |= dict.fromkeys(hit.id for hit in asking.ask(by_field).hits)
    found = []
    for built in sync.read([int(i) for i in ids]):
        verdict = judge(need.wish, offer_of(built.document))
        if verdict is not None:
            found.append((need.id, built.listing_id, verdict))
    return sorted(found, key=lambda row: -row[2].score)[:MOST_KEPT]


def to_judge(limit: int = 100) -> list[Wanted]:
    return [
        wanted(need)
        for need in db.session.scalars(
            select(Need).where(Need.state == "published", Need.judged_at.is_(None)).order_by(Need.id).limit(limit)
        )
    ]


def keep(judged: Sequence[tuple[int, int, Verdict]], listing_ids: Sequence[int]) -> None:
    """These offers serve these needs and no others, in the caller's transaction."""
    db.session.execute(delete(NeedMatch).where(NeedMatch.listing_id.in_(list(listing_ids))))
    _insert(judged)
    # of a need that found too many, the weakest go
    for need_id in sorted({row[0] for row in judged}):
        db.session.execute(TRIM, {"need": need_id, "most": MOST_KEPT})


def keep_need(need: Wanted, judged: Sequence[tuple[int, int, Verdict]]) -> None:
    """This need is served by these offers, in the caller's transaction."""
    _insert(judged)
    db.session.execute(update(Need).where(Need.id == need.id).values(judged_at=now()))


def _insert(judged: Sequence[tuple[int, int, Verdict]]) -> None:
    if not judged:
        return
    rows = [
        {"need_id": need, "listing_id": listing, "score": v.score, "reasons": [asdict(r) for r in v.reasons]}
        for need, listing, v in sorted(judged, key=lambda row: row[:2])
    ]
    made = insert(NeedMatch).values(rows)
    changed = {"score": made.excluded.score, "reasons": made.excluded.reasons, "judged_at": now()}
    db.session.execute(made.on_conflict_do_update(index_elements=["need_id", "listing_id"], set_=changed))


TRIM = text("""
DELETE FROM need_match WHERE need_id = :need AND listing_id IN (
  SELECT listing_id FROM need_match WHERE need_id = :need ORDER BY score DESC, listing_id DESC OFFSET :most)
""")
