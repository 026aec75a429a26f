"""The sequence of public changes, and pages of it for whoever keeps a copy.

Each thing stands at its latest change: a change moves it to the end. A reader who always asks for what comes after
the last position seen gets everything, each change once (see ``FeedEntry``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from marketplace.core.db import db
from marketplace.interest.models import FeedEntry
from marketplace.listings import public

PAGE = 100
LOCK = 20250019
WAITING = text("SELECT EXISTS (SELECT 1 FROM feed_entry WHERE position IS NULL)")
# whoever does not get the lock reads what is numbered; the lock is held to the commit, so places appear in order
TRY = text("SELECT pg_try_advisory_xact_lock(:lock)")
NUMBER = text("""
UPDATE feed_entry f SET position = (SELECT coalesce(max(position), 0) FROM feed_entry) + n.place
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM feed_entry
      WHERE position IS NULL ORDER BY id LIMIT 5000) n
WHERE f.id = n.id
""")
READ = text("""
SELECT e.position, e.subject_id, e.at FROM feed_entry e
WHERE e.stream = :stream AND e.position > :after AND NOT EXISTS (
  SELECT 1 FROM feed_entry l WHERE l.stream = e.stream AND l.subject_id = e.subject_id AND l.position > e.position)
ORDER BY e.position LIMIT :limit
""")
LATEST = text("""
SELECT e.position, e.subject_id, e.at FROM feed_entry e
WHERE e.stream = :stream AND e.position IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM feed_entry l WHERE l.stream = e.stream AND l.subject_id = e.subject_id AND l.position > e.position)
ORDER BY e.position DESC LIMIT :limit
""")
FACTS = {"listings": public.open_facts, "results": public.open_results}


@dataclass(frozen=True)
class Entry:
    """``facts`` as they are now, by allow-list; moments aware."""

    position: int
    changed_at: datetime
    facts: dict[str, Any]


@dataclass(frozen=True)
class FeedPage:
    """``next`` asks for what comes afterwards, also when that is nothing yet; ``more``: there is something now."""

    entries: list[Entry]
    next: int
    more: bool

    @property
    def changed_at(self) -> datetime | None:
        return max((entry.changed_at for entry in self.entries), default=None)


def changed(*subjects: tuple[str, int]) -> None:
    """Public facts of these (stream, id) change with this transaction."""
    db.session.add_all(
        FeedEntry(stream=stream, subject_id=subject_id) for stream, subject_id in dict.fromkeys(subjects)
    )


def number() -> None:
    """Give places to what was committed since; one at a time, in the caller's transaction."""
    if db.session.scalar(WAITING) and db.session.scalar(TRY, {"lock": LOCK}):
        db.session.execute(NUMBER)


def page(stream: str, after: int = 0, limit: int = PAGE) -> FeedPage:
    """What comes after a position, oldest change first."""
    number()
    rows: Sequence[Any] = db.session.execute(READ, {"stream": stream, "after": after, "limit": limit + 1}).all()
    return _page(stream, rows[:limit], after, len(rows) > limit)


def latest(stream: str, limit: int = 50) -> FeedPage:
    """The latest changes, newest first, for readers that keep nothing."""
    number()
    rows = db.session.execute(LATEST, {"stream": stream, "limit": limit}).all()
    return _page(stream, rows, 0, False)


def _page(stream: str, rows: Sequence[Any], after: int, more: bool) -> FeedPage:
    facts = FACTS[stream]([row.subject_id for row in rows])
    entries = [Entry(row.position, row.at, facts[row.subject_id]) for row in rows if row.subject_id in facts]
    return FeedPage(entries, max((row.position for row in rows), default=after), more)
