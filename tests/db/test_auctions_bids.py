"""Bids on real PostgreSQL: accepted, refused, replayed, extended; decided by the clock after the lock."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text

from marketplace import Zhiliu
from marketplace.auctions import queries, service
from marketplace.auctions.api import BidAnswerSchema, bid_body
from marketplace.auctions.models import BidRefusal, CourseEntry
from marketplace.auctions.rules.chain import canonical
from marketplace.auctions.rules.course import course_bytes
from marketplace.auctions.seals import public_key
from marketplace.core.clock import now
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import Forbidden, Invalid, NotFound
from marketplace.parties.service import bar_org
from tests.factories.auctions import make_lot, set_times
from tests.factories.parties import make_actor, make_org
from tests.unit.auctions.sale import verify_sale

START, STEP = 100_000_00, 1_000_00


def test_a_bid_is_kept_with_its_receipt_and_the_course_verifies(app: Zhiliu) -> None:
    lot = make_lot()
    answer = lot.bid(0, START)
    assert answer.accepted and answer.seq == 1 and answer.bidder_code == lot.bidders[0].code
    assert lot.bid(1, START + STEP).accepted
    state = lot.state
    assert (state.price_minor, state.leader_code, state.bids) == (START + STEP, lot.bidders[1].code, 2)
    assert state.version == 3  # opened, two bids
    data = course_bytes(queries.course_document(lot.id))
    receipt = json.loads(canonical(answer.receipt))
    code, lines = verify_sale.verify(data, public_key(), [receipt])
    assert code == 0, lines


def test_the_first_bid_may_come_before_the_tick_has_opened_the_lot(app: Zhiliu) -> None:
    lot = make_lot(opens_in=timedelta(hours=1))
    assert lot.bid(0, START).code == "not_open"
    set_times(lot.id, opens_at=now() - timedelta(seconds=1))
    assert lot.bid(0, START).accepted and lot.state.state == "running"
    service.open_lot(lot.id)
    assert lot.state.version == 1


@pytest.mark.parametrize(
    ("amount", "code"),
    [(START - 1, "below_start"), (START + 1, "not_multiple"), (START * 11, "confirm_high"), (0, "bad_amount")],
)
def test_a_refused_bid_is_answered_and_kept(app: Zhiliu, amount: int, code: str) -> None:
    lot = make_lot()
    answer = lot.bid(0, amount)
    assert not answer.accepted and answer.code == code and answer.message
    kept = db.session.scalars(select(BidRefusal)).one()
    assert (kept.code, kept.amount_minor, kept.registration_id) == (code, amount, lot.bidders[0].registration.id)
    assert lot.state.version == 1 and db.session.scalar(select(func.count(CourseEntry.id))) == 0


def test_an_amount_no_column_can_hold_is_refused_all_the_same(app: Zhiliu) -> None:
    assert make_lot().bid(0, 10**30).code == "bad_amount"


def test_a_high_bid_passes_once_confirmed(app: Zhiliu) -> None:
    assert make_lot().bid(0, START * 11, confirmed_high=True).accepted


def test_the_same_key_gets_the_same_answer_and_another_amount_is_refused(app: Zhiliu) -> None:
    lot = make_lot()
    first, refused = lot.bid(0, START, "k1"), lot.bid(0, START + STEP, "k2")
    assert refused.code == "own_lead"
    lot.bid(1, START + STEP)
    for before, amount, key in ((first, START, "k1"), (refused, START + STEP, "k2")):
        again = lot.bid(0, amount, key)
        assert again == before and again.replayed and not before.replayed
    assert lot.bid(0, START + 2 * STEP, "k1").code == "key_reused"
    assert lot.bid(0, START + 2 * STEP, "k2").code == "key_reused"
    assert lot.state.bids == 2
    assert lot.bid(1, START + 2 * STEP, "k1").code == "own_lead"  # another bidder's key is another key


def test_bad_keys_kinds_people_and_lots(app: Zhiliu) -> None:
    lot = make_lot()
    for key in ("", "  ", "x" * 101):
        with pytest.raises(Invalid) as caught:
            service.place_bid(lot.bidders[0].actor, lot.id, START, key)
        assert caught.value.code == "key_malformed"
    with pytest.raises(Invalid):
        service.place_bid(lot.bidders[0].actor, lot.id, START, "k", kind="proxy")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        service.place_bid(lot.bidders[0].actor, 0, START, "k")
    viewer = make_actor("operator", ("viewer",), lot.bidders[0].org)
    with pytest.raises(Forbidden) as refused:
        service.place_bid(viewer, lot.id, START, "k")
    assert refused.value.code == "role_needed"


def test_eligibility_is_checked_again_in_the_bid(app: Zhiliu) -> None:
    lot = make_lot()
    stranger = make_actor("operator")
    assert service.place_bid(stranger, lot.id, START, "k").code == "not_registered"
    waiting = make_actor("operator")
    service.register(waiting, lot.id, "0" * 64)
    assert service.place_bid(waiting, lot.id, START, "k").code == "not_qualified"
    banker = make_actor("bank", org=lot.seller)
    assert service.place_bid(banker, lot.id, START, "k").code == "seller_side"
    db.session.commit()
    bar_org(lot.bidders[0].org.id, None, "测试", None, make_actor("platform"))
    assert lot.bid(0, START).code == "barred"
    lot.bidders[1].org.state = "suspended"
    assert lot.bid(1, START).code == "organisation_not_verified"


def test_a_bid_in_the_last_five_minutes_moves_the_end_to_five_minutes_after_it(app: Zhiliu) -> None:
    lot = make_lot()
    set_times(lot.id, ends_at=now() + timedelta(minutes=4))
    answer = lot.bid(0, START)
    assert answer.extended and answer.ends_at == answer.decided_at + timedelta(minutes=5)
    state = lot.state
    assert state.ends_at == answer.ends_at and state.extensions == 1


def test_a_priority_bid_at_the_same_price_takes_the_lead(app: Zhiliu) -> None:
    lot = make_lot(3, ranks=(None, 2, 1))
    assert lot.bid(0, START).accepted
    assert lot.bid(1, START, kind="priority").accepted
    assert lot.bid(2, START, kind="priority").accepted
    assert lot.bid(1, START, kind="priority").code == "priority_outranked"
    assert lot.bid(0, START, kind="priority").code == "priority_not_confirmed"
    assert verify_sale.verify(course_bytes(queries.course_document(lot.id)), public_key())[0] == 0


def test_a_bid_takes_two_statements_of_ours(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    lot = make_lot()
    lot.bid(0, START)
    lot_id, actor = lot.id, lot.bidders[1].actor
    db.session.commit()
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def noted(cursor: Any, query: Any, *args: Any, **options: Any) -> Any:
        statements.append(query)
        return execute(cursor, query, *args, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    with unit_of_work():
        assert service.place_bid(actor, lot_id, START + STEP, "k").accepted
    assert len(statements) == 2, statements


def test_the_api_writes_what_its_description_says(app: Zhiliu) -> None:
    lot = make_lot()
    answers = [lot.bid(0, START), lot.bid(0, START + STEP), lot.bid(1, START)]
    assert [a.accepted for a in answers] == [True, False, False]
    with app.test_request_context():
        for answer in answers:
            described = json.loads(json.dumps(BidAnswerSchema().dump(answer)))
            assert json.loads(json.dumps(bid_body(answer))) == described


def test_the_clock_is_read_after_the_wait_for_the_lock(app: Zhiliu) -> None:
    """A bid that waited behind another until after the end is too late, though it was sent before the end."""
    lot = make_lot()
    set_times(lot.id, ends_at=now() + timedelta(milliseconds=700))
    answers: list[service.BidAnswer] = []

    def bid() -> None:
        with app.app_context(), unit_of_work():
            answers.append(service.place_bid(lot.bidders[0].actor, lot.id, START, "late"))

    with db.engine.begin() as holder:
        holder.execute(text("SELECT 1 FROM lot_state WHERE lot_id = :id FOR UPDATE"), {"id": lot.id})
        thread = threading.Thread(target=bid)
        thread.start()
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        with db.engine.connect() as watcher:
            while not watcher.scalar(waiting):
                watcher.rollback()
                time.sleep(0.01)
            assert watcher.scalar(select(func.clock_timestamp())) < lot.state.ends_at
        holder.execute(text("SELECT pg_sleep(1)"))
    thread.join()
    assert answers[0].code == "closed"
    assert answers[0].decided_at > lot.state.ends_at


def test_the_row_that_a_waiting_bid_sees_is_the_one_after_the_wait(app: Zhiliu) -> None:
    """A bar that commits while the bid waits for the lot counts: the joined rows are read after the lock."""
    lot = make_lot()
    manager = make_actor("platform")
    answers: list[service.BidAnswer] = []

    def bid() -> None:
        with app.app_context(), unit_of_work():
            answers.append(service.place_bid(lot.bidders[0].actor, lot.id, START, "k"))

    service.bar_bidder(manager, lot.bidders[0].registration.id, "串通")
    thread = threading.Thread(target=bid)
    thread.start()
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with db.engine.connect() as watcher:
        while not watcher.scalar(waiting):
            watcher.rollback()
            time.sleep(0.01)
    db.session.commit()
    thread.join()
    assert answers[0].code == "barred"


def test_nobody_changes_the_course_and_the_end_never_moves_back(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, START)
    for statement in (
        "UPDATE course_entry SET amount_minor = 1",
        "DELETE FROM course_entry",
        "UPDATE lot_state SET ends_at = ends_at - interval '1 second'",
        "UPDATE lot_state SET version = version - 1",
    ):
        with pytest.raises(Exception, match=r"append-only|may not"):
            db.session.execute(text(statement))
        db.session.rollback()


def test_nothing_public_names_a_bidder_while_the_sale_runs(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, START)
    shown = repr(queries.public_lot(lot.id)) + repr(queries.course(lot.id)) + repr(queries.course_document(lot.id))
    for bidder in lot.bidders:
        assert bidder.org.name not in shown and (bidder.org.uscc or "") not in shown
    assert lot.bidders[0].code in shown


def test_the_leader_may_not_be_barred_alone(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, START)
    with pytest.raises(Exception, match="leader"):
        service.bar_bidder(make_actor("platform"), lot.bidders[0].registration.id, "串通")
    assert make_org("operator").id
