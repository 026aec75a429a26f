"""The tick: claims what is due and hands it to workers. Any number may run at once, on any machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from jobs import queues, tasks
from marketplace.core import deadlines, outbox
from marketplace.core.db import db, unit_of_work

if TYPE_CHECKING:
    from marketplace import Zhiliu

log = structlog.get_logger("tick")
EVERY_SECONDS = 0.5
CHUNK = 25
# a silence of more than 10 seconds is kept (the last 20): a sale whose end fell into one is prolonged
BEAT = text("""
INSERT INTO heartbeat AS h (name) VALUES (:name) ON CONFLICT (name) DO UPDATE SET at = clock_timestamp(), data =
  CASE WHEN clock_timestamp() - h.at <= interval '10 seconds' THEN h.data
  ELSE jsonb_build_object('gaps', (CASE WHEN jsonb_array_length(coalesce(h.data -> 'gaps', '[]')) >= 20
                                   THEN (h.data -> 'gaps') - 0 ELSE coalesce(h.data -> 'gaps', '[]') END)
                                  || jsonb_build_array(jsonb_build_array(h.at, clock_timestamp()))) END
""")


def hand_out(app: Zhiliu, ids: list[int], queue: str, task: Callable[[list[int]], int]) -> None:
    """To the queue in chunks; with Redis away the tick does the work itself, so nothing waits for Redis. Long
    work is left for when Redis is back: a close must not wait behind it."""
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        if not queues.enqueue(app, queue, f"jobs.worker.{task.__name__}", chunk) and queue not in queues.PATIENT:
            task(chunk)


def tick(app: Zhiliu) -> int:
    """One round: due deadlines and waiting messages. Returns how many were claimed."""
    with unit_of_work():
        due = deadlines.claim_due()
    hand_out(app, due, queues.DEADLINES, tasks.run_deadlines)
    with unit_of_work():
        messages = outbox.claim_due()
        db.session.execute(BEAT, {"name": "tick"})
    for queue in (queues.OUTBOX, queues.IMPORTS, queues.SEARCH):
        ids = [message_id for message_id, topic in messages if queues.TOPICS.get(topic, queues.OUTBOX) == queue]
        hand_out(app, ids, queue, tasks.deliver)
    db.session.remove()
    return len(due) + len(messages)


def run_for_ever(app: Zhiliu, stop: Callable[[], bool] = lambda: False) -> None:
    """Tick until told to stop; survives the database being away."""
    with app.app_context():
        begun = False
        while not stop():
            try:
                if not begun:
                    with unit_of_work():
                        deadlines.begin_periodic()
                    begun = True
                claimed = tick(app)
            except SQLAlchemyError as error:
                log.error("tick failed", exc_info=error)
                db.session.remove()
                claimed = 0
            if not claimed:
                time.sleep(EVERY_SECONDS)
