"""Standing interest, asked whenever the index has something new: saved searches alert, needs find offers.

What waits is rows (``match_todo``, searches not yet noted, needs not yet judged), so that an engine that is away
delays and loses nothing. An answer is written with its mails in one transaction, once, however often it is worked
out. No transaction is open while an engine is asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import text

from marketplace.core import deadlines
from marketplace.core.clock import now
from marketplace.core.db import db, unit_of_work
from marketplace.interest import asking
from search.document import Document
from search.engine import EngineDown
from search.query import Query

log = structlog.get_logger("interest")
TOPIC = "interest.match"
BATCH = 100
BOX_SECONDS = 60.0  # then others' work on this queue has its turn
AGAIN = timedelta(seconds=30)

NOTE = text("""
INSERT INTO match_todo AS t (listing_id) SELECT id FROM unnest(CAST(:ids AS bigint[])) AS id ORDER BY id
ON CONFLICT (listing_id) DO UPDATE SET turn = t.turn + 1
""")
# one message waits at most; one that a worker already holds may have looked before this change
POST = text("""
INSERT INTO outbox (topic, payload) SELECT :topic, '{}'
WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE topic = :topic AND state = 'pending' AND attempts = 0)
""")
TODO = text("SELECT listing_id, turn FROM match_todo ORDER BY since, listing_id LIMIT :limit")
TOLD = text("SELECT listing_id, search_id FROM saved_search_hit WHERE listing_id = ANY(:ids)")
DONE = text("""
DELETE FROM match_todo t USING unnest(CAST(:ids AS bigint[]), CAST(:turns AS bigint[])) AS d (id, turn)
WHERE t.listing_id = d.id AND t.turn = d.turn
""")
# of an offer that was there before the search, a search that is not noted yet (or cannot be) tells nothing new
FOUND = text("""
INSERT INTO saved_search_hit (search_id, listing_id, known)
SELECT s.id, l.id, (s.noted_at IS NULL OR s.broad) AND l.published_at <= s.created_at
FROM unnest(CAST(:searches AS bigint[]), CAST(:listings AS bigint[])) AS f (search_id, listing_id)
JOIN saved_search s ON s.id = f.search_id JOIN listing l ON l.id = f.listing_id AND l.published_at IS NOT NULL
ORDER BY s.id, l.id
ON CONFLICT (search_id, listing_id) DO NOTHING RETURNING id, search_id, listing_id, known
""")


def wake() -> None:
    """Something waits; a worker looks after this commit."""
    db.session.execute(POST, {"topic": TOPIC})


def note(listing_ids: Iterable[int]) -> None:
    """The index has something new of these offers."""
    ids = sorted(set(listing_ids))
    if ids:
        db.session.execute(NOTE, {"ids": ids})
        wake()


def run(box_seconds: float = BOX_SECONDS) -> int:
    """Ask what waits until nothing is left or the time is up; how many offers were asked of. With the engine away
    all of it waits for ``interest.again``."""
    until, done = time.monotonic() + box_seconds, 0
    try:
        while count := _one_batch():
            done += count
            if time.monotonic() > until:
                break
        _start_searches()
        _judge_needs()
    except EngineDown as error:
        log.warning("standing interest waits for the engine", error=str(error))
        with unit_of_work():
            deadlines.schedule("interest.again", "market", 0, now() + AGAIN)
        return done
    with unit_of_work():
        if _waits():
            wake()
    return done


def again() -> datetime | None:
    """The engine was away: look once more (deadline ``interest.again``)."""
    wake()
    return None


def _waits() -> bool:
    return bool(
        db.session.scalar(
            text(
                "SELECT EXISTS (SELECT 1 FROM match_todo) OR EXISTS (SELECT 1 FROM saved_search WHERE noted_at IS NULL)"
                " OR EXISTS (SELECT 1 FROM need WHERE state = 'published' AND judged_at IS NULL)"
            )
        )
    )


@lru_cache(maxsize=20_000)
def question(query: str, synonyms: tuple[tuple[str, ...], ...] = ()) -> Query:
    """A stored question; the same text is read once."""
    return asking.stored(query, synonyms)


def _one_batch() -> int:
    """The oldest offers that wait, against every saved search and need."""
    from marketplace.discovery import sync
    from marketplace.interest import matching

    with unit_of_work():
        todo = [(row.listing_id, row.turn) for row in db.session.execute(TODO, {"limit": BATCH})]
    if not todo:
        return 0
    documents = [built.document for built in sync.read([listing_id for listing_id, _turn in todo])]
    with unit_of_work():
        searches = saved_searches()
        told = told_of([listing_id for listing_id, _turn in todo])
    pairs = find(searches, documents, told)
    judged = matching.judge_documents(documents)
    with unit_of_work():
        keep(pairs)
        matching.keep(judged, [int(document.id) for document in documents])
        db.session.execute(DONE, {"ids": [row[0] for row in todo], "turns": [row[1] for row in todo]})
    return len(todo)


def saved_searches() -> dict[str, list[int]]:
    """Every saved search by its question: the same question is asked once."""
    found: dict[str, list[int]] = {}
    for row in db.session.execute(text("SELECT id, query FROM saved_search ORDER BY id")):
        found.setdefault(row.query, []).append(row.id)
    return found


def told_of(listing_ids: Sequence[int]) -> dict[int, set[int]]:
    """For each of these offers, the searches that know it: an offer is told of once for ever."""
    found: dict[int, set[int]] = {}
    for row in db.session.execute(TOLD, {"ids": list(listing_ids)}):
        found.setdefault(row.listing_id, set()).add(row.search_id)
    return found


def find(
    searches: dict[str, list[int]], documents: Sequence[Document], told: dict[int, set[int]] | None = None
) -> list[tuple[int, int]]:
    """(search, offer) of every match among these documents that is not known yet. Raises ``EngineDown``."""
    synonyms = known_synonyms()
    questions = {query: question(query, synonyms) for query in searches}
    known: dict[str, frozenset[str]] = {}
    if told:
        whose = {search_id: query for query, ids in searches.items() for search_id in ids}
        for query in {whose[search_id] for ids in told.values() for search_id in ids if search_id in whose}:
            everyone = set(searches[query])
            known[query] = frozenset(str(listing_id) for listing_id, ids in told.items() if everyone <= ids)
    return [
        (search_id, int(listing_id))
        for query, found in asking.matches(questions, documents, known)
        for search_id in searches[query]
        for listing_id in sorted(found)
    ]


def known_synonyms() -> tuple[tuple[str, ...], ...]:
    """The words that managers keep count for stored questions as for those on the page."""
    from marketplace.discovery import queries

    with unit_of_work():
        return queries.synonyms()


def keep(pairs: Sequence[tuple[int, int]]) -> None:
    """Note what is new and queue its mails, in the caller's transaction."""
    from marketplace.interest import alerts

    if not pairs:
        return
    fresh = db.session.execute(FOUND, {"searches": [s for s, _l in pairs], "listings": [n for _s, n in pairs]}).all()
    alerts.tell([row for row in fresh if not row.known])


def _start_searches() -> None:
    """Note what matched when a search was saved, so that it does not come as news."""
    with unit_of_work():
        rows: list[Any] = list(
            db.session.execute(text("SELECT id, query FROM saved_search WHERE noted_at IS NULL ORDER BY id LIMIT 200"))
        )
    synonyms = known_synonyms() if rows else ()
    for row in rows:
        ids, more = asking.everything(question(row.query, synonyms))
        with unit_of_work():
            keep([(row.id, int(listing_id)) for listing_id in ids])
            db.session.execute(
                text("UPDATE saved_search SET noted_at = clock_timestamp(), broad = :more WHERE id = :id"),
                {"id": row.id, "more": more},
            )


def _judge_needs() -> None:
    """Compare a need just published with what is offered."""
    from marketplace.interest import matching

    with unit_of_work():
        needs = matching.to_judge()
    for need in needs:
        judged = matching.judge_need(need)
        with unit_of_work():
            matching.keep_need(need, judged)
