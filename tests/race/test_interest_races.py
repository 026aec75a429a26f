"""Two acts at once on one need, one saved search, one finding."""

from __future__ import annotations

from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.core.db import db
from marketplace.core.errors import DomainError
from marketplace.interest import service, standing
from marketplace.interest.models import Need, NeedResponse, SavedSearch, SavedSearchHit
from marketplace.interest.service_saved import MOST_SEARCHES
from tests.factories.interest import battery_listing, mails, make_need, make_search
from tests.factories.parties import make_actor
from tests.race.auctions import race


def codes(answers: list[object]) -> list[str]:
    return [answer.code if isinstance(answer, DomainError) else "done" for answer in answers]


def test_an_answer_against_the_end_is_told_or_refused(app: Zhiliu) -> None:
    for _round in range(4):
        need, made = make_need(), battery_listing()
        found = codes(
            race(
                app,
                lambda need=need, made=made: service.respond(made.maker, need.id, made.id, "a", "b"),
                lambda need=need: service.close(need.poster, need.id),
            )
        )
        assert found[1] == "done" and found[0] in ("done", "need_not_open")
        states = list(db.session.scalars(select(NeedResponse.state).where(NeedResponse.need_id == need.id)))
        assert states == (["lapsed"] if found[0] == "done" else [])  # never one that waits for ever


def test_the_same_answer_twice_is_one(app: Zhiliu) -> None:
    need, made = make_need(), battery_listing()

    def act() -> object:
        return service.respond(made.maker, need.id, made.id, "a", "b")

    assert sorted(codes(race(app, act, act, act))) == ["already_responded", "already_responded", "done"]


def test_accepting_against_withdrawing_has_one_outcome(app: Zhiliu) -> None:
    for _round in range(4):
        need, made = make_need(), battery_listing()
        row = service.respond(made.maker, need.id, made.id, "a", "b")
        db.session.commit()
        response_id = row.id
        found = codes(
            race(
                app,
                lambda need=need, i=response_id: service.decide(need.poster, i, accept=True),
                lambda made=made, i=response_id: service.withdraw(made.maker, i),
            )
        )
        assert sorted(found) == ["done", "response_decided"]
        state = db.session.get_one(NeedResponse, response_id, populate_existing=True).state
        assert state == ("accepted" if found[0] == "done" else "withdrawn")


def test_publishing_against_taking_back(app: Zhiliu) -> None:
    for _round in range(4):
        need = make_need("submitted")
        found = codes(
            race(
                app,
                lambda need=need: service.publish(need.manager, need.id),
                lambda need=need: service.close(need.poster, need.id),
            )
        )
        state = db.session.get_one(Need, need.id, populate_existing=True).state
        assert (found, state) in (
            (["done", "done"], "closed"),
            (["need_not_submitted", "done"], "draft"),
        )


def test_the_same_finding_twice_is_one_mail(app: Zhiliu) -> None:
    search, made = make_search(), battery_listing()
    db.session.execute(db.update(SavedSearch).values(noted_at=func.clock_timestamp()))
    db.session.commit()
    pairs = [(search.id, made.id)]
    race(app, *(lambda: standing.keep(pairs) for _n in range(4)))
    assert db.session.scalar(select(func.count()).select_from(SavedSearchHit)) == 1
    assert len(mails("新增")) == 1


def test_the_limit_of_saved_searches_holds_at_once(app: Zhiliu) -> None:
    actor = make_actor("operator")
    for n in range(MOST_SEARCHES - 1):
        service.save_search(actor, f"q=x{n}", "x", "never")
    db.session.commit()
    acts = [lambda n=n: service.save_search(actor, f"q=y{n}", "y", "never") for n in range(4)]
    assert sorted(codes(race(app, *acts))) == ["done", *["too_many_searches"] * 3]
