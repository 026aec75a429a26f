"""A worker process: one queue, one application, jobs in process (no fork a job, so a close is quick)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from rq import Queue, SimpleWorker

from jobs import queues, tasks

if TYPE_CHECKING:
    from marketplace import Zhiliu

_given: list[Zhiliu] = []


@cache
def application() -> Zhiliu:
    if _given:
        return _given[0]
    from marketplace import create_app

    return create_app()


def run_deadlines(ids: Sequence[int]) -> int:
    with application().app_context():
        return tasks.run_deadlines(ids)


def deliver(ids: Sequence[int]) -> int:
    with application().app_context():
        return tasks.deliver(ids)


def work(app: Zhiliu, queue: str, burst: bool = False) -> None:
    """Work this queue until stopped. A stuck job ends by its time-out; its row's lease brings it back."""
    _given[:] = [app]
    application.cache_clear()
    connection = queues.connect(app)
    worker = SimpleWorker(
        [Queue(queue, connection=connection)],
        connection=connection,
        name=f"{queue}-{os.uname().nodename}-{os.getpid()}",
    )
    worker.work(burst=burst, logging_level="WARNING")
