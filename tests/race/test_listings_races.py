"""Two managers at once: one publication, and suspension against publication."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.auctions.models import Lot, LotState
from marketplace.core.actor import Actor
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError
from marketplace.listings import service
from marketplace.listings.models import Listing, ListingCounter
from tests.factories.listings import make_listing
from tests.factories.parties import make_actor, make_org


def together(app: Zhiliu, *acts: Callable[[], object]) -> list[str]:
    """Run the acts at the same moment, each in its own unit of work; their codes, ``done`` for success."""
    barrier = threading.Barrier(len(acts))
    answers = [""] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        with app.app_context():
            barrier.wait()
            try:
                with unit_of_work():
                    act()
                answers[place] = "done"
            except DomainError as refused:
                answers[place] = refused.code

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return answers


def publisher(actor: Actor, listing_id: int) -> Callable[[], object]:
    return lambda: service.publish(actor, listing_id)


def test_two_publications_at_once_make_one_lot_and_one_number(app: Zhiliu) -> None:
    for _round in range(3):
        platform = make_org("platform")
        made = make_listing("reviewed", manager_org=platform)
        third = make_actor("platform", org=platform)
        answers = together(app, publisher(made.other_manager, made.id), publisher(third, made.id))
        assert answers.count("done") == 1, answers
        assert set(answers) <= {"done", "listing_not_reviewed", "approval_decided"}
        db.session.expire_all()
        assert db.session.scalar(select(func.count()).select_from(Lot).where(Lot.listing_id == made.id)) == 1
    assert db.session.scalar(select(ListingCounter.last)) == 3


def test_many_offers_published_at_once_are_numbered_without_a_gap(app: Zhiliu) -> None:
    platform = make_org("platform")
    made = [make_listing("reviewed", manager_org=platform) for _n in range(4)]
    actors = [make_actor("platform", org=platform) for _n in made]
    acts = [publisher(actor, row.id) for actor, row in zip(actors, made, strict=True)]
    assert together(app, *acts) == ["done"] * 4
    numbers = sorted(db.session.scalars(select(Listing.number)))
    assert [number[-6:] for number in numbers] == ["000001", "000002", "000003", "000004"]


def test_suspension_against_publication_leaves_listing_and_lot_in_step(app: Zhiliu) -> None:
    for _round in range(3):
        made = make_listing("reviewed")
        answers = together(
            app,
            publisher(made.other_manager, made.id),
            lambda made=made: service.suspend(made.manager, made.id, "系统故障"),
        )
        assert answers[0] == "done" and answers[1] in ("done", "listing_not_published")
        db.session.expire_all()
        state = db.session.scalar(
            select(LotState.state).join(Lot, Lot.id == LotState.lot_id).where(Lot.listing_id == made.id)
        )
        expected = ("suspended", "suspended") if answers[1] == "done" else ("published", "scheduled")
        assert (db.session.get_one(Listing, made.id).state, state) == expected
