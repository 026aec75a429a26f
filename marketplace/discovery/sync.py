"""Bring the index in step: read what waits in one snapshot, write it in bulk, note what became of each document.

Runs on a queue of its own, outside any transaction of the caller: the engine is never waited for with a lock held.
Twice at once does no harm: of two writes of a document the higher version stays.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from flask import current_app
from sqlalchemy import text

from marketplace.core import outbox
from marketplace.core.db import db, unit_of_work
from marketplace.discovery import documents
from marketplace.discovery.documents import Built
from marketplace.discovery.engines import LOCAL, MAIN, Searching, searching
from search.engine import EngineDown
from search.result import Fault

log = structlog.get_logger("search")
BATCH = 500
BOX_SECONDS = 8.0  # then others' work has its turn
MAX_ATTEMPTS = 10
INDEXED = "search.indexed"

DUE = text("""
SELECT listing_id, version, indexed_version, local_version FROM search_document
WHERE NOT dead AND (next_try_at IS NULL OR next_try_at <= clock_timestamp())
  AND ((:main AND indexed_version < version) OR (:local AND local_version < version))
ORDER BY changed_at, listing_id LIMIT :limit
""")
WRITTEN = {
    MAIN: text("""
UPDATE search_document d SET indexed_version = greatest(d.indexed_version, w.version), indexed_at = clock_timestamp(),
  changed_at = CASE WHEN d.version > w.version THEN clock_timestamp() ELSE d.changed_at END,
  attempts = 0, next_try_at = NULL, last_error = NULL, recheck_at = w.recheck_at, digest = w.digest
FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS bigint[]), CAST(:rechecks AS timestamptz[]),
            CAST(:digests AS text[])) AS w (id, version, recheck_at, digest) WHERE d.listing_id = w.id
"""),
    LOCAL: text("""
UPDATE search_document d SET local_version = greatest(d.local_version, w.version)
FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS bigint[]), CAST(:rechecks AS timestamptz[]),
            CAST(:digests AS text[])) AS w (id, version, recheck_at, digest) WHERE d.listing_id = w.id
"""),
}
REFILL = {
    MAIN: text(
        "UPDATE search_document SET indexed_version = 0, changed_at = clock_timestamp() WHERE indexed_version > 0"
    ),
    LOCAL: text("UPDATE search_document SET local_version = 0 WHERE local_version > 0"),
}
# 2, 4, 8 … seconds, at most 15 minutes; then it is dead until a manager or a change of the offer revives it
FAULTY = text("""
UPDATE search_document d SET attempts = d.attempts + 1, last_error = left(f.reason, 1000),
  dead = f.permanent OR d.attempts + 1 >= :most,
  next_try_at = clock_timestamp() + make_interval(secs => least(power(2, least(d.attempts + 1, 12)), 900))
FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS bigint[]), CAST(:reasons AS text[]),
            CAST(:permanents AS boolean[])) AS f (id, version, reason, permanent)
WHERE d.listing_id = f.id AND d.version = f.version
""")


@contextmanager
def own_transaction(snapshot: bool = False) -> Iterator[None]:
    """A session and transaction apart from the caller's; ``snapshot``: all it reads is of one moment."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    with app.app_context(), unit_of_work():
        if snapshot:
            db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield


def read(listing_ids: Sequence[int]) -> list[Built]:
    """Documents and versions of one snapshot: a higher version never carries older content."""
    with own_transaction(snapshot=True):
        return documents.read(listing_ids)


def run(box_seconds: float = BOX_SECONDS, batch: int = BATCH) -> int:
    """Write what waits until nothing is due or the time is up; returns how many documents were written."""
    until = time.monotonic() + box_seconds
    engines, done = searching(), 0
    if not engines.looked:
        _refill_empty(engines)
    while True:
        written, more = _one_batch(engines, batch)
        done += written
        if not more or time.monotonic() > until:
            return done


def _refill_empty(engines: Searching) -> None:
    """An index that was lost, or is new, or of another layout, fills itself: once a process, before the first write."""
    for name, engine in engines.targets():
        try:
            empty = engine.count() == 0
        except EngineDown:
            return
        if empty:
            with own_transaction():
                found = db.session.execute(REFILL[name]).rowcount  # type: ignore[attr-defined]
            if found:
                log.warning("the index is empty and is filled again", engine=name, documents=found)
    engines.looked = True


def _one_batch(engines: Searching, size: int) -> tuple[int, bool]:
    targets = [name for name, _engine in engines.targets()]
    with own_transaction():
        found = db.session.execute(DUE, {"main": MAIN in targets, "local": LOCAL in targets, "limit": size}).all()
    if not found:
        return 0, False
    kept = {row.listing_id: {MAIN: row.indexed_version, LOCAL: row.local_version} for row in found}
    built = read(list(kept))
    done, down = 0, 0
    for name in targets:
        waiting = [item for item in built if kept[item.listing_id][name] < item.version]
        if not waiting:
            continue
        try:
            faults = engines.write(name, [item.document for item in waiting])
        except EngineDown:
            down += 1
            continue
        done += note(name, waiting, faults)
    # an engine that is away is not asked again in this run; a batch that could not move is no reason to go on
    return done, len(found) == size and not down


def note(name: str, built: Sequence[Built], faults: Sequence[Fault]) -> int:
    """What became of these documents; returns how many were written."""
    if name == LOCAL and faults:  # the stand-in does without them; the nightly comparison tries again
        log.warning("documents refused by the local engine", count=len(faults), reason=faults[0].reason)
    bad = {int(fault.id): fault for fault in faults if name == MAIN}
    good = [item for item in built if item.listing_id not in bad]
    wrong = [item for item in built if item.listing_id in bad]
    with own_transaction():
        if good:
            db.session.execute(
                WRITTEN[name],
                {
                    "ids": [item.listing_id for item in good],
                    "versions": [item.version for item in good],
                    "rechecks": [item.recheck_at for item in good],
                    "digests": [item.digest for item in good],
                },
            )
            if name == MAIN and INDEXED in outbox.topics():
                outbox.post(INDEXED, {"ids": [item.listing_id for item in good]})
        if wrong:
            db.session.execute(
                FAULTY,
                {
                    "most": MAX_ATTEMPTS,
                    "ids": [item.listing_id for item in wrong],
                    "versions": [item.version for item in wrong],
                    "reasons": [bad[item.listing_id].reason for item in wrong],
                    "permanents": [bad[item.listing_id].permanent for item in wrong],
                },
            )
    return len(good)


__all__ = ["BATCH", "note", "own_transaction", "read", "run"]
