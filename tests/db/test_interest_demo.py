"""The demo's needs and saved searches: marked as demo, made once."""

from __future__ import annotations

from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.core.db import db
from marketplace.demo import interest, people
from marketplace.interest.models import Need, SavedSearch


def test_the_demos_needs_are_marked_and_made_once(app: Zhiliu) -> None:
    people.settle("a password of the demo")
    db.session.commit()
    for _twice in range(2):
        interest.settle()
        db.session.commit()
    states = list(db.session.scalars(select(Need.state).where(Need.demo).order_by(Need.id)))
    assert states == ["published", "published", "submitted"]
    assert db.session.scalar(select(func.count()).select_from(SavedSearch).where(SavedSearch.demo)) == 3
    assert db.session.scalar(select(func.count()).select_from(Need).where(~Need.demo)) == 0
