"""A further round against itself, against the withdrawal of its listing, and against the backup; bars and proofs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from marketplace import Zhiliu
from marketplace.auctions import service as auctions
from marketplace.auctions.models import Award, CourseEntry, Lot, Qualification, Registration
from marketplace.core import approvals
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import DomainError
from marketplace.listings import service
from marketplace.listings.models import Listing, NextRound
from marketplace.listings.service_course import follow
from marketplace.money.models import Deposit
from marketplace.parties.models import Organisation
from tests.db.test_listings_rounds import good_round, latest, take_to, unsold
from tests.factories.auctions import hold_deposit, make_lot, set_times
from tests.factories.listings import Made, make_listing
from tests.factories.parties import make_actor, make_org
from tests.race.auctions import holds, race


def code(answer: Any) -> str:
    return answer.code if isinstance(answer, DomainError) else "done"


def lots_of(made: Made) -> int:
    return db.session.scalar(select(func.count()).select_from(Lot).where(Lot.listing_id == made.id)) or 0


def test_a_round_published_twice_at_once_is_one_lot(app: Zhiliu) -> None:
    platform = make_org("platform")
    made = unsold(manager_org=platform)
    take_to(made, "reviewed")
    third = make_actor("platform", org=platform)
    answers = race(
        app,
        lambda: service.publish_round(made.other_manager, made.id).id,
        lambda: service.publish_round(third, made.id).id,
    )
    found = sorted(code(answer) for answer in answers)
    assert found.count("done") == 1 and set(found) <= {"done", "approval_decided", "round_not_reviewed"}, found
    db.session.expire_all()
    assert lots_of(made) == 2
    assert db.session.scalars(select(NextRound.state)).one() == "published"
    assert db.session.get_one(Listing, made.id).state == "published"


@pytest.mark.parametrize("turn", range(3))
def test_publication_of_a_round_against_its_return(app: Zhiliu, turn: int) -> None:
    made = unsold()
    take_to(made, "reviewed")
    answers = race(
        app,
        lambda: service.publish_round(made.other_manager, made.id).id,
        lambda: service.send_back_round(made.manager, made.id, "时间冲突").id,
    )
    done = [code(answer) for answer in answers]
    assert done.count("done") == 1, done
    db.session.expire_all()
    state = db.session.scalars(select(NextRound.state)).one()
    assert (state, lots_of(made)) == (("published", 2) if done[0] == "done" else ("draft", 1))


@pytest.mark.parametrize("turn", range(3))
def test_submission_of_a_round_against_the_withdrawal_of_its_listing(app: Zhiliu, turn: int) -> None:
    made = unsold()
    take_to(made, "draft")
    asked = service.withdraw(made.manager, made.id, "债务已清偿")
    db.session.commit()
    answers = race(
        app,
        lambda: service.submit_round(made.maker, made.id).id,
        lambda: approvals.decide(asked.id, made.other_manager, approve=True).id,
    )
    done = [code(answer) for answer in answers]
    assert done.count("done") == 1, done
    db.session.expire_all()
    listing = db.session.get_one(Listing, made.id)
    state = db.session.scalars(select(NextRound.state)).one()
    assert (listing.state, state) == (("closed", "draft") if done[0] == "done" else ("withdrawn", "dropped"))


def defaulted() -> Made:
    """Bidder 1 bought and did not pay; bidder 0 could step in."""
    made = make_listing("published")
    lot, _state = latest(made)
    notice = lot.facts["notice_sha256"]
    set_times(lot.id, opens_at=now() - timedelta(minutes=1), ends_at=now() + timedelta(hours=2))
    for n in range(2):
        bidder = make_actor("operator")
        registration = auctions.register(bidder, lot.id, notice)
        db.session.commit()
        hold_deposit(registration)
        assert auctions.place_bid(bidder, lot.id, lot.start_minor + n * lot.increment_minor, f"k{n}").accepted
        db.session.commit()
    set_times(lot.id, ends_at=now() - timedelta(milliseconds=1))
    auctions.close_lot(lot.id)
    db.session.commit()
    follow(made.id)
    db.session.execute(text("UPDATE award SET balance_due_at = clock_timestamp()"))
    db.session.commit()
    asked = auctions.request_default(made.manager, lot.id, "未付余款")
    approvals.decide(asked.id, made.other_manager, approve=True)
    db.session.commit()
    return made


@pytest.mark.parametrize("turn", range(3))
def test_a_re_auction_against_the_promotion_of_the_backup(app: Zhiliu, turn: int) -> None:
    made = defaulted()
    lot, _state = latest(made)
    lot_id = lot.id
    take_to(made, "reviewed")
    answers = race(
        app,
        lambda: service.publish_round(made.other_manager, made.id).id,
        lambda: auctions.promote_backup(made.manager, lot_id).id,
    )
    done = [code(answer) for answer in answers]
    assert done.count("done") == 1, done
    db.session.expire_all()
    offered = db.session.scalar(select(func.count()).select_from(Award).where(Award.state == "offered"))
    assert (lots_of(made), offered) == ((2, 0) if done[0] == "done" else (1, 1))


def test_two_makers_who_propose_at_once_make_one_round(app: Zhiliu) -> None:
    made = unsold()
    other = make_actor("bank", ("maker",), org=db.session.get_one(Organisation, made.maker.org_id))
    terms = good_round(made)
    acts: list[Callable[[], Any]] = [
        lambda: service.propose_round(made.maker, made.id, terms).id,
        lambda: service.propose_round(other, made.id, terms).id,
    ]
    assert [code(answer) for answer in race(app, *acts)] == ["done", "done"]
    db.session.expire_all()
    assert db.session.scalar(select(func.count()).select_from(NextRound)) == 1


@pytest.mark.parametrize("turn", range(4))
def test_the_second_managers_bar_against_a_bid_of_the_barred(app: Zhiliu, turn: int) -> None:
    lot = make_lot(2)
    lot.bid(0, 100_000_00)
    lot.bid(1, 101_000_00)
    one = make_actor("platform")
    other = make_actor("platform", org=db.session.get_one(Organisation, one.org_id))
    registration_id, actor = lot.bidders[0].registration.id, lot.bidders[0].actor
    asked = auctions.request_bar(one, registration_id, "串通")
    db.session.commit()
    bid, bar = race(
        app,
        lambda: auctions.place_bid(actor, lot.id, 102_000_00, "late"),
        lambda: approvals.decide(asked.id, other, approve=True).id,
    )
    db.session.expire_all()
    state = db.session.get_one(Registration, registration_id).state
    kinds = list(
        db.session.scalars(select(CourseEntry.kind).where(CourseEntry.lot_id == lot.id).order_by(CourseEntry.seq))
    )
    if code(bar) == "leader":  # the bid came first: it leads, so the bar is refused and still waits
        assert bid.accepted and state == "qualified" and kinds == ["bid"] * 3
        assert approvals.open_approval("registration.bar", "registration", registration_id)
    else:
        assert (code(bar), bid.code, state, kinds) == ("done", "barred", "barred", ["bid", "bid", "barred"])
    holds(lot.id)


def test_a_proof_decided_twice_at_once_is_decided_once_and_no_deposit_comes_before(app: Zhiliu) -> None:
    lot = make_lot(0, facts={"qualification": "须为行业协会。"})
    actor, one, other = make_actor("operator"), make_actor("platform"), make_actor("platform")
    db.session.add(Qualification(lot_id=lot.id, org_id=actor.org_id or 0, statement="协会"))
    db.session.commit()
    row_id = db.session.scalars(select(Qualification.id)).one()
    notice = lot.lot.facts["notice_sha256"]
    confirmed, refused, registered = race(
        app,
        lambda: auctions.decide_qualification(one, row_id, True, "属实").state,
        lambda: auctions.decide_qualification(other, row_id, False, "不符").state,
        lambda: auctions.register(actor, lot.id, notice).state,
    )
    assert sorted([code(confirmed), code(refused)]) == ["done", "qualification_decided"]
    db.session.expire_all()
    state = db.session.get_one(Qualification, row_id).state
    assert state == ("confirmed" if code(confirmed) == "done" else "refused")
    deposits = db.session.scalar(select(func.count()).select_from(Deposit))
    assert (deposits, code(registered)) in ((0, "qualification"), (1, "done"))
    assert state == "confirmed" or deposits == 0
