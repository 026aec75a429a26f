"""Is the site alive, and is it ready: database, Redis and the tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from marketplace.core.db import db
from marketplace.discovery import queries as discovery
from marketplace.web import desk

if TYPE_CHECKING:
    from marketplace import Zhiliu

TICK_LATE_SECONDS = 30


SEARCH_LATE_SECONDS = 120


def search_state() -> str:
    """Whether the index follows; it is advisory, so a site whose index lags is ready all the same."""
    try:
        age = discovery.oldest_unsynced_seconds()
    except (SQLAlchemyError, PoolTimeout):
        db.session.rollback()
        return "unknown"
    return "ok" if age <= SEARCH_LATE_SECONDS else f"oldest unsynced change {int(age)} s"


def checks(app: Zhiliu) -> dict[str, str]:
    """``ok`` or what is wrong, for each part; no addresses, no versions."""
    from jobs.queues import connect

    found = {"database": "ok", "redis": "ok", "tick": "ok"}
    try:
        db.session.execute(text("SELECT 1"))
        age = desk.heartbeat_age()
        if age is None:
            found["tick"] = "never ran"
        elif age > TICK_LATE_SECONDS:
            found["tick"] = f"last ran {int(age)} s ago"
    except (SQLAlchemyError, PoolTimeout):
        db.session.rollback()
        found["database"], found["tick"] = "away", "unknown"
    try:
        connect(app).ping()
    except RedisError:
        found["redis"] = "away"
    return found
