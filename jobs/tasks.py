"""What workers run. Each task re-reads its rows; running one twice does no harm."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from marketplace.core import deadlines, outbox
from marketplace.core.db import db, unit_of_work

log = structlog.get_logger("jobs")


def run_deadlines(ids: Sequence[int]) -> int:
    """Run each due row in its own unit of work; a failing one is noted and tried again later."""
    done = 0
    for deadline_id in ids:
        try:
            with unit_of_work():
                done += deadlines.run(deadline_id)
        except Exception as error:
            log.error("deadline failed", deadline_id=deadline_id, exc_info=error)
            with unit_of_work():
                deadlines.failed(deadline_id, f"{type(error).__name__}: {error}")
        finally:
            db.session.remove()
    return done


def deliver(ids: Sequence[int]) -> int:
    """Send each waiting message. No transaction is open while the outside world answers."""
    done = 0
    for message_id in ids:
        try:
            with unit_of_work():
                found = outbox.read(message_id)
            if found is None:
                continue
            topic, payload = found
            outbox.handler_of(topic)(message_id, payload)
            with unit_of_work():
                outbox.sent(message_id)
            done += 1
        except Exception as error:
            db.session.rollback()
            log.error("message failed", message_id=message_id, exc_info=error)
            with unit_of_work():
                outbox.failed(message_id, f"{type(error).__name__}: {error}")
        finally:
            db.session.remove()
    return done
