"""Tells watchers that a lot has a new version, through Redis. Best effort: whoever misses it polls.

Channel ``lot:<id>``, message = the version. Never inside the transaction: call it through ``announce_later``, which
hands it to the one thread of this process that speaks to Redis, so that no bid waits for that.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from marketplace.core.db import after_commit

if TYPE_CHECKING:
    from marketplace import Zhiliu

REST_SECONDS = 5.0  # with Redis away, nobody waits for it again and again
PAUSE_SECONDS = 0.05  # between one round of news and the next: pages show five a second at most
MOST_WAITING = 2_000  # more than these are dropped: watchers poll


def channel(lot_id: int) -> str:
    return f"lot:{lot_id}"


class Announcer:
    """``speak`` publishes now; ``hand_over`` leaves it to the thread, which a forked process starts anew."""

    def __init__(self, redis_url: str) -> None:
        self.redis_url = redis_url
        self.rest_until = 0.0
        self.redis: Redis | None = None
        self.waiting: queue.Queue[tuple[int, int]] = queue.Queue(MOST_WAITING)
        self.runs_in = 0
        self.starting = threading.Lock()

    def speak(self, lot_id: int, version: int) -> bool:
        if time.monotonic() < self.rest_until:
            return False
        try:
            if self.redis is None:
                self.redis = Redis.from_url(self.redis_url, socket_connect_timeout=0.3, socket_timeout=0.3)
            self.redis.publish(channel(lot_id), str(version))
        except RedisError:
            self.rest_until = time.monotonic() + REST_SECONDS
            return False
        return True

    def hand_over(self, lot_id: int, version: int) -> None:
        if self.runs_in != os.getpid():
            with self.starting:
                if self.runs_in != os.getpid():
                    threading.Thread(target=self.run, name="announcer", daemon=True).start()
                    self.runs_in = os.getpid()
        try:
            self.waiting.put_nowait((lot_id, version))
        except queue.Full:
            return

    def run(self) -> None:
        """The newest version of each lot that has one waiting, again and again."""
        while True:
            lot_id, version = self.waiting.get()
            newest = {lot_id: version}
            try:
                while len(newest) < 100:
                    lot_id, version = self.waiting.get_nowait()
                    newest[lot_id] = max(version, newest.get(lot_id, 0))
            except queue.Empty:
                pass
            for lot_id, version in newest.items():
                self.speak(lot_id, version)
            time.sleep(PAUSE_SECONDS)  # meanwhile the bids of a storm add up to one piece of news


def announcer(app: Zhiliu) -> Announcer:
    found: Announcer | None = app.extensions.get("live_announcer")
    return found or app.extensions.setdefault("live_announcer", Announcer(app.settings.redis_url))


def _app() -> Zhiliu:
    app: Any = current_app
    found: Zhiliu = app._get_current_object()
    return found


def announce(lot_id: int, version: int) -> bool:
    """Publish the version now. False when Redis is away; nothing is lost, watchers poll."""
    return announcer(_app()).speak(lot_id, version)


def announce_later(lot_id: int, version: int) -> None:
    """Publish after this unit of work has committed."""
    speaker = announcer(_app())
    after_commit(lambda: speaker.hand_over(lot_id, version))
