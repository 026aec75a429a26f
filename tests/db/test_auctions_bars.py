"""A bidder kept out in mid-sale: by two managers, in the course, for later rounds, and never the leader."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from marketplace import Zhiliu
from marketplace.auctions import queries, service
from marketplace.auctions.invariants import broken
from marketplace.auctions.models import Registration
from marketplace.auctions.rules.course import course_bytes
from marketplace.auctions.service_registration import bar_effect
from marketplace.core import approvals
from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, NotFound, Refused
from marketplace.core.models import Outbox
from marketplace.money import queries as money
from marketplace.parties.models import Organisation
from marketplace.parties.service import barred
from tests.factories.auctions import MadeLot, make_lot
from tests.factories.parties import make_actor, make_user
from tests.unit.auctions.sale import verify_sale

START, STEP = 100_000_00, 1_000_00


def two_managers() -> tuple[Actor, Actor]:
    one = make_actor("platform")
    return one, make_actor("platform", org=db.session.get_one(Organisation, one.org_id))


def running() -> tuple[MadeLot, Registration, Registration]:
    """Bidder 0 was outbid, bidder 1 leads."""
    lot = make_lot(3)
    lot.bid(0, START)
    lot.bid(1, START + STEP)
    return lot, lot.bidders[0].registration, lot.bidders[1].registration


def test_what_a_bar_does_is_said_before_it_is_asked_for(app: Zhiliu) -> None:
    _lot, out, leader = running()
    effect = bar_effect(out.id)
    assert (effect.obstacle, effect.bids, effect.best_minor, effect.held_minor) == ("", 1, START, 10_000_00)
    assert bar_effect(leader.id).obstacle == "leader"
    with pytest.raises(NotFound):
        bar_effect(0)


def test_a_bar_needs_a_reason_a_manager_and_a_second_one(app: Zhiliu) -> None:
    _lot, out, _leader = running()
    one, other = two_managers()
    with pytest.raises(Forbidden):
        service.request_bar(make_actor("bank"), out.id, "串通")
    with pytest.raises(Refused, match="reason_missing"):
        service.request_bar(one, out.id, "  ")
    asked = service.request_bar(one, out.id, " 串通 ")
    db.session.commit()
    assert db.session.get_one(Registration, out.id).state == "qualified"  # nothing happens before the second
    with pytest.raises(Forbidden, match="second_person_needed"):
        approvals.decide(asked.id, one, approve=True)
    db.session.rollback()
    approvals.decide(asked.id, other, approve=True)
    db.session.commit()
    assert db.session.get_one(Registration, out.id).state_reason == "串通"


def test_a_bar_stands_in_the_course_and_the_sale_goes_on_and_verifies(app: Zhiliu) -> None:
    lot, out, _leader = running()
    one, _other = two_managers()
    make_user(lot.bidders[0].org, email="barred@example.cn")
    before = lot.state.version
    service.bar_bidder(one, out.id, "与他人串通", "网拍规定 art. 34")
    db.session.commit()
    assert lot.state.version == before + 1  # watchers hear of it
    late = lot.bid(0, START + 2 * STEP)
    assert (late.accepted, late.code) == (False, "barred")
    assert lot.bid(2, START + 2 * STEP).accepted
    kept = barred(lot.bidders[0].org.id, lot.lot.listing_id)
    assert kept is not None and (kept.reason, kept.source) == ("与他人串通", "网拍规定 art. 34")
    shown = queries.public_lot(lot.id)["entries"][2]
    assert (shown["kind"], shown["code"], shown["reason"]) == ("barred", out.code, "与他人串通")
    told = {row.payload["to"] for row in db.session.scalars(select(Outbox).where(Outbox.topic == "mail"))}
    assert "barred@example.cn" in told
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    deposit = money.deposit_of(lot.id, lot.bidders[0].org.id)
    assert deposit is not None and deposit.state == "release_due"
    result = queries.public_result(lot.id)
    assert result is not None and result["winner_code"] == lot.bidders[2].code
    assert not [line for line in broken([lot.id]) if "barred" in line or "hash" in line or "leader" in line]


def test_the_exported_course_with_a_bar_verifies(app: Zhiliu) -> None:
    lot, out, _leader = running()
    service.bar_bidder(two_managers()[0], out.id, "串通")
    db.session.commit()
    code, lines = verify_sale.verify(course_bytes(queries.course_document(lot.id)))
    assert code == 0, lines


def test_a_leader_is_not_barred_not_even_while_suspended(app: Zhiliu) -> None:
    lot, _out, leader = running()
    one, _other = two_managers()
    for _turn in range(2):
        with pytest.raises(Refused, match="leader"):
            service.request_bar(one, leader.id, "串通")
        db.session.rollback()
        with pytest.raises(Refused, match="leader"):
            service.bar_bidder(one, leader.id, "串通")
        db.session.rollback()
        if lot.state.state == "running":
            service.suspend_lot(one, lot.id, "查明事实")
            db.session.commit()


def test_a_bar_is_made_once_and_not_after_the_end(app: Zhiliu) -> None:
    lot, out, _leader = running()
    one, _other = two_managers()
    service.bar_bidder(one, out.id, "串通")
    db.session.commit()
    with pytest.raises(Refused, match="already_barred"):
        service.bar_bidder(one, out.id, "再次")
    db.session.rollback()
    third = lot.bidders[2].registration.id
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    with pytest.raises(Refused, match="already_closed"):
        service.bar_bidder(one, third, "串通")
    db.session.rollback()


def test_a_barred_bidder_is_told_why_and_not_asked_to_register_or_pay(app: Zhiliu) -> None:
    lot, out, _leader = running()
    service.bar_bidder(two_managers()[0], out.id, "串通")
    db.session.commit()
    found = queries.eligibility(lot.id, lot.bidders[0].actor)
    assert [check.code for check in found.checks if not check.ok] == ["not_barred"]
    assert "串通" in found.check("not_barred").next_step and not found.may_bid
