"""Messages to the outside world, written in the transaction of their cause (law 7).

``post`` in a service; ``jobs`` delivers through the handler registered for the topic. A handler may run
twice for one row, so each uses the row's id as its idempotency key.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Outbox

Handler = Callable[[int, dict[str, Any]], None]
_handlers: dict[str, Handler] = {}


def post(topic: str, payload: dict[str, Any], *, dedupe_key: str | None = None) -> None:
    """Queue ``payload`` for ``topic``; with ``dedupe_key`` the same message is queued once for ever."""
    row = insert(Outbox).values(topic=topic, payload=payload, dedupe_key=dedupe_key)
    db.session.execute(row.on_conflict_do_nothing(index_elements=["topic", "dedupe_key"]))


def on(topic: str) -> Callable[[Handler], Handler]:
    """Register the handler of a topic: ``@on("mail")``."""

    def register(handler: Handler) -> Handler:
        _handlers[topic] = handler
        return handler

    return register


def handler_of(topic: str) -> Handler:
    return _handlers[topic]


def topics() -> list[str]:
    return sorted(_handlers)


LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 12


def claim_due(limit: int = 200) -> list[tuple[int, str]]:
    """Lease waiting messages, oldest first, as (id, topic); a crashed sender's messages come back when the lease
    ends."""
    at = now()
    rows = db.session.execute(
        select(Outbox.id, Outbox.topic)
        .where(Outbox.state == "pending", Outbox.available_at <= at)
        .order_by(Outbox.available_at, Outbox.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    claimed = [(row.id, row.topic) for row in rows]
    if claimed:
        ids = [message_id for message_id, _topic in claimed]
        db.session.execute(
            update(Outbox).where(Outbox.id.in_(ids)).values(available_at=at + LEASE, attempts=Outbox.attempts + 1)
        )
    return claimed


def read(message_id: int) -> tuple[str, dict[str, Any]] | None:
    """Topic and payload of a message that still waits."""
    row = db.session.get(Outbox, message_id)
    return None if row is None or row.state != "pending" else (row.topic, row.payload)


def sent(message_id: int) -> None:
    db.session.execute(
        update(Outbox)
        .where(Outbox.id == message_id, Outbox.state == "pending")
        .values(state="done", done_at=func.clock_timestamp(), last_error=None)
    )


def failed(message_id: int, error: str) -> None:
    """Try again later, waiting longer each time; after ``MAX_ATTEMPTS`` the message is dead and a manager
    sees it in the desk."""
    row = db.session.get(Outbox, message_id)
    if row is None or row.state != "pending":
        return
    row.last_error = error[:2000]
    if row.attempts >= MAX_ATTEMPTS:
        row.state = "dead"
    else:
        row.available_at = now() + timedelta(seconds=min(2**row.attempts, 900))
