"""Handlers of deadlines, outbox topics and approvals of this room; imported once at start."""

from __future__ import annotations

import time
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError

from marketplace.cases import service
from marketplace.cases.imports import running
from marketplace.core import outbox
from marketplace.core.approvals import act_of
from marketplace.core.db import db, unit_of_work

act_of("case.approve", on_refuse=service.refused)(service.approved)

log = structlog.get_logger("imports")
BOX_SECONDS = 8.0  # then others' messages have their turn; well inside a message's lease


@outbox.on(running.TOPIC)
def run_import(message_id: int, payload: dict[str, Any]) -> None:
    """Work an import for a few seconds, chunk by chunk; what is left goes into a new message.

    Messages are delivered outside any transaction, so this handler is an edge: each chunk commits by itself.
    Killed in the middle, the message comes back when its lease ends and the run goes on at its cursor.
    """
    run_id, until = int(payload["run_id"]), time.monotonic() + BOX_SECONDS
    try:
        more = True
        while more:
            with unit_of_work():
                more = running.run_chunk(run_id)
                if more and time.monotonic() > until:
                    outbox.post(running.TOPIC, {"run_id": run_id})
                    more = False
    except OperationalError:
        raise  # the database was away: the message is tried again
    except Exception as error:
        db.session.rollback()
        log.error("import chunk failed", run_id=run_id, exc_info=error)
        with unit_of_work():
            given_up = running.broke_off(run_id, type(error).__name__)
        if not given_up:
            raise
