"""Which documents changed: the version of an offer's row grows in the very transaction that changes the offer.

Rooms below tell of a change by their events; the offers concerned are noted in the session and marked by its last
statement before the commit. So a mark is the last lock a transaction takes, in the order of ids, and waits for nobody
who waits for it. Bids do not mark: ``sweep`` compares what running lots say with what was noticed, a few seconds later.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from marketplace.core.db import db

TOPIC = "search.sync"
_NOTED = "search_noted"

_CHANGED = """
  version = d.version + 1, attempts = 0, next_try_at = NULL, dead = false,
  changed_at = CASE WHEN d.indexed_version < d.version THEN d.changed_at ELSE clock_timestamp() END
"""
MARK = text(
    """
INSERT INTO search_document AS d (listing_id)
SELECT id FROM listing WHERE published_at IS NOT NULL AND (id = ANY(:listings) OR id IN
  (SELECT listing_id FROM listing_right WHERE right_id = ANY(:rights))) ORDER BY id
ON CONFLICT (listing_id) DO UPDATE SET {changed}
""".replace("{changed}", _CHANGED)
)
# one message waits at most; one that a worker already holds may have read the rows before this change
POST = text("""
INSERT INTO outbox (topic, payload) SELECT :topic, '{}'
WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE topic = :topic AND state = 'pending' AND attempts = 0)
""")
SWEEP = text(
    """
WITH moved AS (
  SELECT m.listing_id, m.lot_id, m.lot_version FROM (
    SELECT d.listing_id, s.lot_id, s.version AS lot_version
      FROM lot_state s JOIN lot l ON l.id = s.lot_id JOIN search_document d ON d.listing_id = l.listing_id
      WHERE s.state = 'running' AND (d.lot_id IS DISTINCT FROM s.lot_id OR d.lot_version IS DISTINCT FROM s.version)
    UNION ALL
    SELECT d.listing_id, d.lot_id, d.lot_version FROM search_document d WHERE d.recheck_at <= clock_timestamp()
  ) m ORDER BY m.listing_id
), held AS (
  SELECT listing_id FROM search_document WHERE listing_id IN (SELECT listing_id FROM moved)
  ORDER BY listing_id FOR UPDATE SKIP LOCKED
)
UPDATE search_document d SET {changed}, lot_id = m.lot_id, lot_version = m.lot_version, recheck_at = NULL
FROM (SELECT DISTINCT ON (listing_id) * FROM moved ORDER BY listing_id, lot_version DESC NULLS LAST) m
  JOIN held USING (listing_id)
WHERE d.listing_id = m.listing_id
""".replace("{changed}", _CHANGED)
)
WAITING = text("""
SELECT EXISTS (SELECT 1 FROM search_document
  WHERE NOT dead AND (next_try_at IS NULL OR next_try_at <= clock_timestamp())
  AND (indexed_version < version OR (:local AND local_version < version)))
""")


def note(listing_ids: Iterable[int] = (), right_ids: Iterable[int] = ()) -> None:
    """These offers, or the offers of these rights, change with this transaction."""
    noted = db.session().info.setdefault(_NOTED, (set(), set()))
    noted[0].update(listing_ids)
    noted[1].update(right_ids)


def mark(listing_ids: Iterable[int] = (), right_ids: Iterable[int] = ()) -> None:
    """Grow the versions now and see to it that somebody writes them. The caller commits."""
    db.session.execute(MARK, {"listings": sorted(listing_ids), "rights": sorted(right_ids)})
    ask_for_sync()


def ask_for_sync() -> None:
    """One message waits, however many changes there are."""
    db.session.execute(POST, {"topic": TOPIC})


def sweep(with_local: bool = False) -> int:
    """Notice what no event tells: the price and end of running lots, and what time alone changes. One statement;
    returns how many offers. Asks for a sync wherever something waits, so a lost message costs one round."""
    found: Any = db.session.execute(SWEEP)
    if db.session.scalar(WAITING, {"local": with_local}):
        ask_for_sync()
    return int(found.rowcount)


@event.listens_for(db.session, "before_commit")
def _mark_noted(session: Session) -> None:
    if session.in_nested_transaction():
        return
    listings, rights = session.info.pop(_NOTED, (set(), set()))
    if listings or rights:
        session.flush()
        mark(listings, rights)


@event.listens_for(db.session, "after_rollback")
def _forget_noted(session: Session) -> None:
    session.info.pop(_NOTED, None)
