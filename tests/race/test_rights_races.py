"""Two people at once: one right edited twice, one number entered twice, one file kept twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.core import files
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError
from marketplace.core.models import Document
from marketplace.rights import service
from marketplace.rights.models import Right, RightChange
from tests.factories.parties import make_actor
from tests.factories.rights import PDF, fresh_number, right_data


def at_once(app: Zhiliu, *acts: Callable[[], object]) -> list[str]:
    """Run each act in its own thread, connection and transaction, all starting together; what became of each."""
    barrier = threading.Barrier(len(acts))
    told = [""] * len(acts)

    def run(place: int) -> None:
        with app.app_context():
            barrier.wait(10)
            try:
                with unit_of_work():
                    acts[place]()
                told[place] = "done"
            except DomainError as refusal:
                told[place] = refusal.code
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(told)


def test_two_edits_from_the_same_page_let_one_through(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data())
    db.session.commit()
    for _ in range(5):
        db.session.expire_all()
        seen, right_id = service.version_of(right), right.id
        db.session.commit()
        before = db.session.scalar(select(func.count()).select_from(RightChange))
        db.session.commit()
        told = at_once(
            app,
            *(
                partial(service.update_right, actor, right_id, {"title": name + seen}, seen)
                for name in ("甲", "乙", "丙")
            ),
        )
        assert told == ["done", "stale_form", "stale_form"]
        assert db.session.scalar(select(func.count()).select_from(RightChange)) == before + 1


def test_one_number_entered_twice_at_once_is_one_right(app: Zhiliu) -> None:
    actor = make_actor("bank")
    for _ in range(5):
        data = right_data(number=fresh_number())
        told = at_once(app, *[partial(service.create_right, actor, data)] * 3)
        assert told == ["done", "number_taken", "number_taken"]
        db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Right)) == 5


def test_one_file_kept_twice_at_once_is_one_document(app: Zhiliu) -> None:
    def keep() -> None:
        files.keep_generated(
            PDF,
            filename="a.pdf",
            media_type="application/pdf",
            kind="protocol",
            subject="lot",
            subject_id=1,
            org_id=None,
            visibility="public",
        )

    assert at_once(app, keep, keep, keep) == ["done"] * 3
    assert db.session.scalar(select(func.count()).select_from(Document)) == 1
