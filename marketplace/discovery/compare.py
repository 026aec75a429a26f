"""The nightly comparison of the database and the index, and the repair of what differs.

Three kinds of drift: an offer without a row or a row whose content changed without anybody telling (a right's health
by the calendar, an import); a document that the index lacks or holds in an older version; a document that the
database does not know, or knows in an older version (after a restore from a backup).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select, text

from marketplace.core.db import db
from marketplace.discovery import sync, truth
from marketplace.discovery.engines import LOCAL, MAIN, searching
from marketplace.discovery.models import SearchDocument
from search.document import gone
from search.engine import Engine
from search.query import LARGEST_PAGE, Query

CHUNK = 1000

MISSING_ROWS = text("""
SELECT id FROM listing l WHERE published_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM search_document d WHERE d.listing_id = l.id) ORDER BY id
""")
COLUMN = {MAIN: "indexed_version", LOCAL: "local_version"}


@dataclass
class Differences:
    """How many of each kind were found (and repaired, unless only looked for)."""

    engine: str = MAIN
    documents: int = 0
    unknown_offers: int = 0  # published, without a row
    changed: int = 0  # content differs from what was written
    missing: int = 0  # not in the index
    older: int = 0  # in the index in an older version
    newer: int = 0  # in the index in a version the database does not know yet
    strangers: int = 0  # in the index, unknown to the database

    @property
    def total(self) -> int:
        return self.unknown_offers + self.changed + self.missing + self.older + self.newer + self.strangers


def compare(name: str = MAIN, *, repair: bool = True, content: bool = True) -> Differences:
    """Compare, and mark for writing whatever differs. An edge, in short transactions; ``EngineDown``."""
    found = Differences(name)
    engine = searching().named(name)
    with sync.own_transaction():
        fresh = list(db.session.scalars(MISSING_ROWS))
        if fresh and repair:
            truth.mark(fresh)
    found.unknown_offers = len(fresh)
    if content:
        found.changed = _content(repair)
    seen = _versions(engine, found, repair, set(fresh))
    _missing(seen, found, repair)
    if repair and found.total:
        with sync.own_transaction():
            truth.ask_for_sync()
    return found


def _content(repair: bool) -> int:
    """Documents whose content is no longer what was written, though nobody told of a change."""
    last, count = 0, 0
    while True:
        with sync.own_transaction():
            rows = db.session.execute(
                select(SearchDocument.listing_id, SearchDocument.digest)
                .where(SearchDocument.listing_id > last, SearchDocument.indexed_version == SearchDocument.version)
                .order_by(SearchDocument.listing_id)
                .limit(CHUNK)
            ).all()
        if not rows:
            return count
        last = rows[-1].listing_id
        kept = {row.listing_id: row.digest for row in rows}
        drifted = [item.listing_id for item in sync.read(list(kept)) if item.digest != kept[item.listing_id]]
        count += len(drifted)
        if drifted and repair:
            with sync.own_transaction():
                truth.mark(drifted)


def _chunks(pairs: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    rows = iter(pairs)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _versions(engine: Engine, found: Differences, repair: bool, fresh: set[int]) -> set[int]:
    """Go through the index; returns the ids it holds. A row just made must outgrow whatever the index has of it."""
    seen: set[int] = set()
    for chunk in _chunks(engine.versions()):
        held = {int(key): version for key, version in chunk if key.isdigit()}
        seen.update(held)
        with sync.own_transaction():
            column = getattr(SearchDocument, COLUMN[found.engine])
            known = {
                row[0]: (row[1], row[2])
                for row in db.session.execute(
                    select(SearchDocument.listing_id, SearchDocument.version, column).where(
                        SearchDocument.listing_id.in_(list(held))
                    )
                )
            }
            newer = {key: v for key, v in held.items() if key in known and (v > known[key][0] or key in fresh)}
            older = {key: version for key, version in held.items() if key in known and version < known[key][1]}
            if repair and newer:
                _outgrow(newer)
            if repair and older:
                _lower(found.engine, older)
        strangers = _found(
            [(key, version) for key, version in chunk if not key.isdigit() or int(key) not in known], engine
        )
        found.newer += len(newer)
        found.older += len(older)
        found.strangers += len(strangers)
        if repair and strangers:
            searching().write(found.engine, [gone(key, version + 1) for key, version in strangers])
    found.documents = len(seen)
    return seen


def _found(pairs: list[tuple[str, int]], engine: Engine) -> list[tuple[str, int]]:
    """Those that a reader could find; the others are tombstones already."""
    live: set[str] = set()
    for start in range(0, len(pairs), LARGEST_PAGE):
        ids = tuple(key for key, _version in pairs[start : start + LARGEST_PAGE])
        live.update(hit.id for hit in engine.search(Query(ids=ids, size=LARGEST_PAGE)).hits)
    return [(key, version) for key, version in pairs if key in live]


def _missing(seen: set[int], found: Differences, repair: bool) -> None:
    column = getattr(SearchDocument, COLUMN[found.engine])
    last = 0
    while True:
        with sync.own_transaction():
            ids = list(
                db.session.scalars(
                    select(SearchDocument.listing_id)
                    .where(SearchDocument.listing_id > last, column > 0)
                    .order_by(SearchDocument.listing_id)
                    .limit(CHUNK)
                )
            )
            lost = [key for key in ids if key not in seen]
            if lost and repair:
                _lower(found.engine, dict.fromkeys(lost, 0))
        found.missing += len(lost)
        if len(ids) < CHUNK:
            return
        last = ids[-1]


def _outgrow(newer: dict[int, int]) -> None:
    """The index knows a version that the database never gave: only a higher one can replace it."""
    db.session.execute(
        text(
            "UPDATE search_document d SET version = greatest(d.version, n.version) + 1, dead = false, attempts = 0,"
            " next_try_at = NULL, changed_at = clock_timestamp()"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS bigint[])) AS n (id, version)"
            " WHERE d.listing_id = n.id"
        ),
        _pairs(newer),
    )


def _lower(engine: str, older: dict[int, int]) -> None:
    """The row says more than the index holds."""
    column = COLUMN[engine]
    statement = (
        "UPDATE search_document d SET {column} = least(d.{column}, o.version), changed_at = clock_timestamp()"
        " FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS bigint[])) AS o (id, version) WHERE d.listing_id = o.id"
    )
    db.session.execute(text(statement.replace("{column}", column)), _pairs(older))


def _pairs(found: dict[int, int]) -> dict[str, Any]:
    return {"ids": list(found), "versions": list(found.values())}
