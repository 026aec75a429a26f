"""Every deadline is a row (law 3): schedule it, move it, cancel it; the tick runs its handler.

A handler locks its aggregate first, re-checks state and time there, acts, and returns nothing; if it finds
that the thing is not due yet it returns the new instant and the row waits until then. Handlers may run
twice; their effect happens once because the aggregate's state says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Deadline

Handler = Callable[[int], datetime | None]
_handlers: dict[str, Handler] = {}
_periodic: set[str] = set()
LEASE = timedelta(seconds=30)
MAX_BACKOFF = timedelta(minutes=10)


def on_due(kind: str) -> Callable[[Handler], Handler]:
    """Register the handler of a kind: it receives ``subject_id``."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


def periodic(kind: str) -> Callable[[Handler], Handler]:
    """Register the handler of a kind that falls due again and again, at the instants it returns: one row for the
    house (subject ``house`` 0), made by the tick when it starts."""
    _periodic.add(kind)
    return on_due(kind)


def begin_periodic() -> None:
    """See to it that each periodic kind has its row."""
    at = now()
    for kind in sorted(_periodic):
        row = insert(Deadline).values(kind=kind, subject="house", subject_id=0, due_at=at)
        db.session.execute(row.on_conflict_do_nothing())


def kinds() -> list[str]:
    return sorted(_handlers)


def schedule(kind: str, subject: str, subject_id: int, due_at: datetime, org_id: int | None = None) -> None:
    """Make or move the one open deadline of this kind for this subject. ``due_at`` must be aware."""
    if due_at.tzinfo is None:
        raise ValueError("due_at must be aware")
    row = insert(Deadline).values(kind=kind, subject=subject, subject_id=subject_id, due_at=due_at, org_id=org_id)
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=["kind", "subject", "subject_id"],
            index_where=text("state = 'pending'"),
            set_={"due_at": due_at, "claimed_until": None, "attempts": 0, "last_error": None},
        )
    )


def cancel(kind: str, subject: str, subject_id: int) -> None:
    """The thing no longer falls due."""
    db.session.execute(
        update(Deadline)
        .where(
            Deadline.kind == kind,
            Deadline.subject == subject,
            Deadline.subject_id == subject_id,
            Deadline.state == "pending",
        )
        .values(state="cancelled", done_at=func.clock_timestamp())
    )


def open_for(subject: str, subject_id: int) -> list[Deadline]:
    """What falls due for this subject, soonest first."""
    return list(
        db.session.scalars(
            select(Deadline)
            .where(Deadline.subject == subject, Deadline.subject_id == subject_id, Deadline.state == "pending")
            .order_by(Deadline.due_at)
        )
    )


def claim_due(limit: int = 200, lease: timedelta = LEASE) -> list[int]:
    """Lease what is due now and return its ids, oldest first. Two ticks never get the same row while a lease
    runs; a crashed worker's rows come back when it ends."""
    at = now()
    rows = (
        select(Deadline.id)
        .where(
            Deadline.state == "pending",
            Deadline.due_at <= at,
            (Deadline.claimed_until.is_(None)) | (Deadline.claimed_until <= at),
        )
        .order_by(Deadline.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(db.session.scalars(rows))
    if ids:
        db.session.execute(
            update(Deadline)
            .where(Deadline.id.in_(ids))
            .values(claimed_until=at + lease, attempts=Deadline.attempts + 1)
        )
    return ids


def run(deadline_id: int) -> bool:
    """Run one deadline's handler in the caller's unit of work. False when there was nothing (left) to do."""
    row = db.session.get(Deadline, deadline_id)
    if row is None or row.state != "pending" or row.due_at > now():
        return False
    handler = _handlers.get(row.kind)
    if handler is None:
        raise LookupError(f"no handler for deadline kind {row.kind}")
    due_before = row.due_at
    again_at = handler(row.subject_id)
    values: dict[str, Any]
    if again_at is not None:
        values = {"due_at": again_at, "claimed_until": None, "attempts": 0}
    else:
        values = {
            "state": "done",
            "done_at": func.clock_timestamp(),
            "claimed_until": None,
            "last_error": None,
        }
    # only if nobody moved the row meanwhile: a suspended or re-planned sale keeps its new time
    db.session.execute(
        update(Deadline)
        .where(Deadline.id == deadline_id, Deadline.state == "pending", Deadline.due_at == due_before)
        .values(**values)
    )
    return True


def failed(deadline_id: int, error: str) -> None:
    """Note the failure and try again later, waiting longer each time (1 s, 2 s, 4 s … 10 min)."""
    row = db.session.get(Deadline, deadline_id)
    if row is None or row.state != "pending":
        return
    wait = min(timedelta(seconds=2 ** min(row.attempts, 12)), MAX_BACKOFF)
    db.session.execute(
        update(Deadline).where(Deadline.id == deadline_id).values(last_error=error[:2000], claimed_until=now() + wait)
    )


def oldest_overdue_seconds() -> float:
    """Health metric: age of the oldest due row that nobody has finished; 0 when none."""
    age = db.session.scalar(
        select(func.extract("epoch", func.clock_timestamp() - func.min(Deadline.due_at))).where(
            Deadline.state == "pending", Deadline.due_at <= func.clock_timestamp()
        )
    )
    return float(age or 0.0)
