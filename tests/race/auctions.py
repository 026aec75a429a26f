"""Real threads on real PostgreSQL, let go at one barrier."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from marketplace import Zhiliu
from marketplace.auctions.invariants import broken
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError


def race(app: Zhiliu, *acts: Callable[[], Any]) -> list[Any]:
    """Run the acts at once, each in its own thread, connection and unit of work; the answer or the refusal of each,
    in order. Anything but a refusal fails the test."""
    db.session.commit()
    barrier = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def run(number: int, act: Callable[[], Any]) -> None:
        with app.app_context():
            barrier.wait(10)
            try:
                with unit_of_work():
                    answers[number] = act()
            except DomainError as refused:
                answers[number] = refused
            except BaseException as error:  # shown by the test, not lost in the thread
                answers[number] = AssertionError(repr(error))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    crashed = [answer for answer in answers if isinstance(answer, AssertionError)]
    assert not crashed, crashed
    db.session.rollback()
    return answers


def holds(*lot_ids: int, accepted: dict[int, int] | None = None) -> None:
    """Every invariant of these sales."""
    assert broken(lot_ids, accepted) == []
