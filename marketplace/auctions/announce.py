"""Tells watchers that a lot has a new version, through Redis. Best effort: whoever misses it polls.

Channel ``lot:<id>``, message = the version. Never inside the transaction: call it through ``announce_later``.
"""

from __future__ import annotations

import time
from typing import Any

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from marketplace.core.db import after_commit

REST_SECONDS = 5.0  # with Redis away, bids do not wait for it again and again


def channel(lot_id: int) -> str:
    return f"lot:{lot_id}"


def announce(lot_id: int, version: int) -> bool:
    """Publish the version now. False when Redis is away; nothing is lost, watchers poll."""
    state: dict[str, Any] = current_app.extensions.setdefault("live_announcer", {"rest_until": 0.0})
    if time.monotonic() < state["rest_until"]:
        return False
    try:
        if "redis" not in state:
            state["redis"] = Redis.from_url(
                current_app.settings.redis_url,  # type: ignore[attr-defined]
                socket_connect_timeout=0.3,
                socket_timeout=0.3,
            )
        state["redis"].publish(channel(lot_id), str(version))
    except RedisError:
        state["rest_until"] = time.monotonic() + REST_SECONDS
        return False
    return True


def announce_later(lot_id: int, version: int) -> None:
    """Publish after this unit of work has committed."""

    def call() -> None:
        announce(lot_id, version)

    after_commit(call)
