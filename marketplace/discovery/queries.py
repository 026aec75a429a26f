"""Reads of the discovery room: synonyms, names of the trees, the state of the index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, tuple_

from marketplace.core.db import db
from marketplace.discovery import trees
from marketplace.discovery.models import SearchDocument, SearchRebuild, SearchSynonym, SearchTaxon

MOST_DEAD = 200


def synonyms() -> tuple[tuple[str, ...], ...]:
    """The groups that managers keep, read at each question so that a change counts at once."""
    rows = db.session.scalars(select(SearchSynonym.words).order_by(SearchSynonym.id))
    return tuple(tuple(words) for words in rows)


def names(wanted: Iterable[tuple[str, str]], english: bool) -> dict[tuple[str, str], str]:
    """Names of these nodes (scheme, code) in the reader's language, as far as they are known. One statement."""
    codes = set(wanted)
    found: dict[tuple[str, str], str] = {}
    if not codes:
        return found
    rows = db.session.execute(
        select(SearchTaxon.scheme, SearchTaxon.code, SearchTaxon.name_zh, SearchTaxon.name_en).where(
            tuple_(SearchTaxon.scheme, SearchTaxon.code).in_(sorted(codes))
        )
    )
    for scheme, code, zh, en in rows:
        found[scheme, code] = en if english and en else zh
    for scheme, code in codes:
        if code in trees.TOP[scheme]:
            zh, en = trees.TOP[scheme][code]
            found[scheme, code] = en if english else zh
    return found


@dataclass(frozen=True)
class State:
    """How the index stands: documents that should be in it, those that wait, the oldest of these in seconds."""

    documents: int
    waiting: int
    retrying: int
    dead: int
    oldest_seconds: float
    indexed_at: datetime | None


def state() -> State:
    """One statement."""
    dirty = SearchDocument.indexed_version < SearchDocument.version
    row = db.session.execute(
        select(
            func.count(),
            func.count().filter(dirty, ~SearchDocument.dead),
            func.count().filter(dirty, ~SearchDocument.dead, SearchDocument.attempts > 0),
            func.count().filter(SearchDocument.dead),
            func.extract(
                "epoch",
                func.clock_timestamp() - func.min(SearchDocument.changed_at).filter(dirty, ~SearchDocument.dead),
            ),
            func.max(SearchDocument.indexed_at),
        )
    ).one()
    return State(row[0], row[1], row[2], row[3], max(0.0, float(row[4] or 0)), row[5])


def oldest_unsynced_seconds() -> float:
    """Health metric: for how long the oldest change has not reached the index; dead documents are counted apart."""
    age: Any = db.session.scalar(
        select(func.extract("epoch", func.clock_timestamp() - func.min(SearchDocument.changed_at))).where(
            SearchDocument.indexed_version < SearchDocument.version, ~SearchDocument.dead
        )
    )
    return max(0.0, float(age or 0))


def dead_documents() -> list[SearchDocument]:
    """Documents given up or failing, the longest waiting first."""
    return list(
        db.session.scalars(
            select(SearchDocument)
            .where(or_(SearchDocument.dead, SearchDocument.attempts > 0))
            .order_by(SearchDocument.dead.desc(), SearchDocument.changed_at)
            .limit(MOST_DEAD)
        )
    )


def synonym_groups() -> list[SearchSynonym]:
    return list(db.session.scalars(select(SearchSynonym).order_by(SearchSynonym.id.desc())))


def rebuilds(limit: int = 5) -> list[SearchRebuild]:
    """The latest rebuilds, newest first."""
    return list(db.session.scalars(select(SearchRebuild).order_by(SearchRebuild.id.desc()).limit(limit)))


def taxonomy_counts() -> dict[str, int]:
    """How many names of each tree are loaded."""
    rows = db.session.execute(select(SearchTaxon.scheme, func.count()).group_by(SearchTaxon.scheme))
    return {row[0]: row[1] for row in rows}
