"""Live push of a sale: server-sent events with replay, a bounded queue for each watcher, polling as the fallback.

One thread a process listens to Redis (``lot:<id>``, see ``announce``) and hands each new version to the watchers
of that lot. Messages may be lost: every ``POLL_SECONDS`` the thread also asks the database for newer versions, so
a flushed or absent Redis only makes the page slower. What is sent is public: codes and amounts, never a name.
A watcher holds no database connection while it waits.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import structlog
from flask import current_app
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from marketplace.auctions.models import LotState
from marketplace.auctions.queries import public_lot
from marketplace.auctions.sale import ENDED
from marketplace.core.db import db, unit_of_work

if TYPE_CHECKING:
    from marketplace import Zhiliu

HEARTBEAT_SECONDS = 15.0
PACE_SECONDS = 0.2  # a storm of bids is five pictures a second: nobody reads faster, and bids need the processor
POLL_SECONDS = 2.0
STREAM_SECONDS = 600.0  # then the browser connects again, with the last event it saw
QUEUE_LENGTH = 8
MOST_ENTRIES = 200  # in one message; whoever missed more asks for the state again


class TooManyWatchers(Exception):
    """This process streams to as many watchers as it may; the page polls instead."""


def version_of(lot_id: int) -> int | None:
    """The lot's version, or None when there is no such lot."""
    return db.session.scalar(select(LotState.version).where(LotState.lot_id == lot_id))


def plain(value: Any) -> Any:
    """Moments as RFC 3339 texts, all the way down."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def public_state(lot_id: int, after_seq: int = 0) -> dict[str, Any]:
    """What the stream sends: ``queries.public_lot`` with the course past ``after_seq``, without the result (it may
    carry the buyer's published name, and belongs to the page). ``lot_unknown`` as there.

    The state is read before the course, so a course line may be newer than the state, never older.
    """
    lot = public_lot(lot_id, after_seq, MOST_ENTRIES)
    lot.pop("result")
    entries = lot["entries"]
    return {
        **plain(lot),
        "ended": lot["state"] in ENDED,
        "after_seq": entries[0]["seq"] - 1 if entries else after_seq,  # the lines given follow this one
    }


@dataclass
class Watcher:
    """One open page. ``put`` never waits: a queue that is full is emptied and the page told to read all again."""

    lot_id: int
    waiting: queue.Queue[dict[str, Any] | None] = field(default_factory=lambda: queue.Queue(QUEUE_LENGTH))

    def put(self, event: dict[str, Any]) -> None:
        try:
            self.waiting.put_nowait(event)
            return
        except queue.Full:
            pass
        while True:
            try:
                self.waiting.get_nowait()
            except queue.Empty:
                break
        self.waiting.put_nowait(None)
        if event["ended"]:
            self.waiting.put_nowait(event)


@dataclass
class Topic:
    """A watched lot: its watchers and what was last handed to them."""

    watchers: list[Watcher] = field(default_factory=list)
    version: int = -1
    seq: int | None = None


class Hub:
    """All watchers of this process and the one thread that feeds them."""

    def __init__(self, app: Zhiliu) -> None:
        self.app = app
        self.guard = threading.Lock()
        self.topics: dict[int, Topic] = {}
        self.thread: threading.Thread | None = None
        self.thread_pid: int | None = None
        self.stopping = threading.Event()
        self.log = structlog.get_logger("live")

    # --- watchers ------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        with self.guard:
            return sum(len(topic.watchers) for topic in self.topics.values())

    def join(self, lot_id: int) -> Watcher:
        """A place for one more page; ``TooManyWatchers`` past the setting ``live_watchers``."""
        watcher = Watcher(lot_id)
        with self.guard:
            if sum(len(topic.watchers) for topic in self.topics.values()) >= self.app.settings.live_watchers:
                raise TooManyWatchers
            self.topics.setdefault(lot_id, Topic()).watchers.append(watcher)
        self._start()
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """May be called twice."""
        with self.guard:
            topic = self.topics.get(watcher.lot_id)
            if topic is None or watcher not in topic.watchers:
                return
            topic.watchers = [other for other in topic.watchers if other is not watcher]
            if not topic.watchers:
                del self.topics[watcher.lot_id]

    def watched(self) -> dict[int, int]:
        """Watched lots with the version last handed out."""
        with self.guard:
            return {lot_id: topic.version for lot_id, topic in self.topics.items()}

    def seen(self, state: dict[str, Any]) -> None:
        """A page read this state itself; the next event may begin after it."""
        with self.guard:
            topic = self.topics.get(state["lot_id"])
            if topic is not None and topic.seq is None:
                topic.seq, topic.version = state["seq"], state["version"]

    def hand_out(self, state: dict[str, Any]) -> bool:
        """Give a state to its lot's watchers unless they have that version or a later one."""
        with self.guard:
            topic = self.topics.get(state["lot_id"])
            if topic is None or state["version"] <= topic.version:
                return False
            topic.version, topic.seq = state["version"], state["seq"]
            watchers = list(topic.watchers)
        for watcher in watchers:
            watcher.put(state)
        return True

    # --- feeding -------------------------------------------------------------------------------------------

    def refresh(self, lot_ids: list[int]) -> None:
        """Read these lots once for all their watchers and hand out what is new."""
        for lot_id in lot_ids:
            with self.guard:
                topic = self.topics.get(lot_id)
                after = 0 if topic is None or topic.seq is None else topic.seq
            if topic is not None:
                with self.app.app_context(), unit_of_work():
                    state = public_state(lot_id, after)
                self.hand_out(state)

    def poll(self) -> None:
        """Ask the database which watched lots have moved on: the backup when a message was lost."""
        known = self.watched()
        if not known:
            return
        with self.app.app_context(), unit_of_work():
            rows = db.session.execute(select(LotState.lot_id, LotState.version).where(LotState.lot_id.in_(known))).all()
        self.refresh([lot_id for lot_id, version in rows if version > known[lot_id]])

    def stop(self) -> None:
        """End the thread (tests, shutdown); a later watcher starts it again."""
        self.stopping.set()
        if self.thread is not None and self.thread_pid == os.getpid():
            self.thread.join(10)
        self.thread = None

    def _start(self) -> None:
        with self.guard:
            if self.thread is not None and self.thread.is_alive() and self.thread_pid == os.getpid():
                return
            self.stopping.clear()
            self.thread_pid = os.getpid()  # a forked worker needs a thread of its own
            self.thread = threading.Thread(target=self._run, name="live-hub", daemon=True)
            self.thread.start()

    def _run(self) -> None:
        ear = _Ear(self.app.settings.redis_url)
        polled = time.monotonic()
        while not self.stopping.is_set():
            try:
                heard = ear.listen(0.5) if self.watched() else ear.rest(0.5)
                if heard is None:
                    self.stopping.wait(0.5)  # Redis is away
                known = self.watched()
                moved = [lot_id for lot_id, version in (heard or {}).items() if version > known.get(lot_id, version)]
                self.refresh(moved)
                if moved:
                    self.stopping.wait(PACE_SECONDS)
                if time.monotonic() - polled >= POLL_SECONDS:
                    polled = time.monotonic()
                    self.poll()
            except SQLAlchemyError as error:
                self.log.warning("live push waits for the database", error=type(error).__name__)
                self.stopping.wait(1.0)
            except Exception as error:  # the thread must outlive one bad message
                self.log.error("live push", exc_info=error)
                self.stopping.wait(1.0)
        ear.close()


class _Ear:
    """One Redis subscription, made again when it breaks."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.subscription: Any = None
        self.again_at = 0.0

    def listen(self, seconds: float) -> dict[int, int] | None:
        """Newest version of each lot heard of in this time; None while Redis is away."""
        heard: dict[int, int] = {}
        try:
            if self.subscription is None:
                if time.monotonic() < self.again_at:
                    return None
                client = Redis.from_url(self.url, socket_connect_timeout=0.5, socket_timeout=5)
                self.subscription = client.pubsub(ignore_subscribe_messages=True)
                self.subscription.psubscribe("lot:*")
            message = self.subscription.get_message(timeout=seconds)
            while message is not None:  # many bids at once become one read of the lot
                lot_id, version = _message(message)
                if lot_id is not None:
                    heard[lot_id] = max(version, heard.get(lot_id, 0))
                message = self.subscription.get_message(timeout=0)
        except (RedisError, OSError):
            self.close()
            self.again_at = time.monotonic() + 3
            return heard or None
        return heard

    def rest(self, seconds: float) -> dict[int, int]:
        """Nobody watches: no need to be subscribed."""
        self.close()
        time.sleep(seconds)
        return {}

    def close(self) -> None:
        if self.subscription is not None:
            client = self.subscription.connection_pool
            try:
                self.subscription.close()
                client.disconnect()
            except (RedisError, OSError):
                pass
            self.subscription = None


def _message(message: dict[str, Any]) -> tuple[int | None, int]:
    try:
        channel, data = message["channel"], message["data"]
        name = channel.decode() if isinstance(channel, bytes) else channel
        return int(name.partition(":")[2]), int(data)
    except (KeyError, ValueError, AttributeError):
        return None, 0


_hub_guard = threading.Lock()


def hub() -> Hub:
    """The hub of this application and process."""
    app = cast("Zhiliu", current_app._get_current_object())  # type: ignore[attr-defined]
    with _hub_guard:
        if "live_hub" not in app.extensions:
            app.extensions["live_hub"] = Hub(app)
    found: Hub = app.extensions["live_hub"]
    return found


# --- the stream ------------------------------------------------------------------------------------------------


def event_text(name: str, state: dict[str, Any]) -> str:
    """One server-sent event; its id is ``version.seq``, which comes back as ``Last-Event-ID``."""
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
    return f"id: {state['version']}.{state['seq']}\nevent: {name}\ndata: {text}\n\n"


def read_last_id(text: str | None) -> tuple[int, int] | None:
    """``(version, seq)`` of a ``Last-Event-ID``; None when there is none or it is not ours."""
    version, dot, seq = (text or "").partition(".")
    if not dot or not (version.isascii() and version.isdigit() and seq.isascii() and seq.isdigit()):
        return None
    if len(version) > 18 or len(seq) > 18:
        return None
    return int(version), int(seq)


def stream(
    watcher: Watcher, first: dict[str, Any] | None, version: int, heartbeat: float = HEARTBEAT_SECONDS
) -> Iterator[str]:
    """The body: the state now (unless the page has it), then each later version once, in rising order.

    Knows neither Flask nor the database. ``resync`` asks the page to read ``state.json``; ``end`` is the last.
    """
    ends_at = time.monotonic() + STREAM_SECONDS
    yield "retry: 3000\n\n"
    if first is not None:
        yield event_text("lot", first)
        if first["ended"]:
            yield event_text("end", first | {"entries": []})
            return
    while time.monotonic() < ends_at:
        try:
            event = watcher.waiting.get(timeout=heartbeat)
        except queue.Empty:
            yield ": still here\nevent: beat\ndata: {}\n\n"
            continue
        if event is None:
            yield "event: resync\ndata: {}\n\n"
            continue
        if event["version"] <= version:
            continue
        version = event["version"]
        yield event_text("lot", event)
        if event["ended"]:
            yield event_text("end", event | {"entries": []})
            return
