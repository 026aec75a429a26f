"""The end of a round: one result, deposits and balance, events; suspension, withdrawal, outage across the end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from jobs import tick
from marketplace import Zhiliu
from marketplace.auctions import queries, service
from marketplace.auctions.models import Award, CourseEntry, LotResult
from marketplace.auctions.rules.catalogue import JUDICIAL_ONLINE
from marketplace.auctions.rules.course import course_bytes
from marketplace.auctions.seals import public_key
from marketplace.core import approvals, deadlines
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Refused
from marketplace.core.models import Deadline, Event, Outbox
from marketplace.money import queries as money
from tests.factories.auctions import make_lot, make_short_lot, set_times
from tests.factories.parties import make_actor
from tests.unit.auctions.sale import verify_sale

START, STEP, DEPOSIT = 100_000_00, 1_000_00, 10_000_00


def kinds(lot_id: int) -> list[str]:
    return list(
        db.session.scalars(select(CourseEntry.kind).where(CourseEntry.lot_id == lot_id).order_by(CourseEntry.seq))
    )


def events(lot_id: int) -> set[str]:
    return set(db.session.scalars(select(Event.kind).where(Event.subject == "lot", Event.subject_id == lot_id)))


def verifies(lot_id: int) -> bool:
    return verify_sale.verify(course_bytes(queries.course_document(lot_id)), public_key())[0] == 0


def test_a_sold_lot_has_winner_backup_balance_and_one_result(app: Zhiliu) -> None:
    lot = make_lot(3)
    lot.bid(0, START)
    lot.bid(1, START + STEP)
    lot.bid(0, START + 2 * STEP)
    lot.end()
    assert service.close_lot(lot.id) is None
    db.session.commit()
    winner, backup, loser = (b.registration for b in lot.bidders)
    result = db.session.scalars(select(LotResult)).one()
    assert (result.outcome, result.price_minor) == ("sold", START + 2 * STEP)
    assert (result.winner_registration_id, result.backup_registration_id) == (winner.id, backup.id)
    assert result.backup_price_minor == START + STEP and result.head_hash == lot.state.last_hash
    assert (lot.state.state, lot.state.after_sale) == ("sold", "awaiting_balance")
    award = db.session.scalars(select(Award)).one()
    assert (award.org_id, award.state) == (winner.org_id, "awaiting_balance")
    balance = money.balance_of(lot.id, winner.org_id)
    assert balance is not None and balance.amount_minor == START + 2 * STEP - DEPOSIT
    assert balance.due_at == award.balance_due_at and award.balance_due_at > now() + timedelta(days=14)
    states = [money.deposit_of(lot.id, r.org_id).state for r in (winner, backup, loser)]  # type: ignore[union-attr]
    assert states == ["applied", "held", "release_due"]  # the agreed sale keeps the backup's until the balance is paid
    lost = money.deposit_of(lot.id, loser.org_id)
    assert lost is not None and lost.release_due_at == result.closed_at + timedelta(hours=24)
    assert {"lot.sold"} <= events(lot.id) and "lot.unsold" not in events(lot.id)
    assert db.session.scalar(select(Outbox.topic).where(Outbox.topic == "protocol.make"))
    assert kinds(lot.id) == ["bid", "bid", "bid", "closed"]


def test_a_judicial_sale_keeps_only_the_winners_deposit(app: Zhiliu) -> None:
    lot = make_lot(2, profile=JUDICIAL_ONLINE)
    lot.bid(0, START)
    lot.bid(1, START + STEP)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    backup = money.deposit_of(lot.id, lot.bidders[0].org.id)
    assert backup is not None and backup.state == "release_due"


def test_an_unsold_lot_releases_every_deposit_and_names_the_last_day_of_the_next_round(app: Zhiliu) -> None:
    lot = make_lot(2)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    assert lot.state.state == "unsold" and db.session.scalars(select(LotResult)).one().outcome == "unsold"
    assert {money.deposit_of(lot.id, b.org.id).state for b in lot.bidders} == {"release_due"}  # type: ignore[union-attr]
    assert "lot.unsold" in events(lot.id) and db.session.scalar(select(func.count(Award.id))) == 0
    assert [d.kind for d in deadlines.open_for("lot", lot.id) if d.kind == "lot.next_round_due"]


@pytest.mark.parametrize("bids", [0, 2])
def test_the_course_of_an_ended_sale_verifies(app: Zhiliu, bids: int) -> None:
    lot = make_short_lot()
    for number in range(bids):
        assert lot.bid(number, START + number * STEP).accepted
    lot.wait_for_end()
    assert service.close_lot(lot.id) is None
    db.session.commit()
    assert lot.state.state == ("sold" if bids else "unsold") and verifies(lot.id)


def test_closing_twice_changes_nothing(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, START)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    before = lot.state.version
    assert service.close_lot(lot.id) is None
    db.session.commit()
    assert lot.state.version == before and kinds(lot.id).count("closed") == 1
    with pytest.raises(Exception, match="the result of lot"):
        db.session.execute(text("UPDATE lot_result SET price_minor = 1"))
    db.session.rollback()


def test_a_close_that_finds_a_later_end_comes_back_then(app: Zhiliu) -> None:
    lot = make_lot()
    assert service.close_lot(lot.id) == lot.state.ends_at
    set_times(lot.id, ends_at=now() + timedelta(seconds=30))
    answer = lot.bid(0, START)
    assert service.close_lot(lot.id) == answer.ends_at and lot.state.state == "running"


def test_a_bid_after_the_end_but_before_the_close_is_too_late(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, START)
    lot.end()
    assert lot.bid(1, START + STEP).code == "closed"
    service.close_lot(lot.id)
    db.session.commit()
    assert lot.bid(1, START + STEP).code == "closed"
    assert db.session.scalars(select(LotResult)).one().winner_registration_id == lot.bidders[0].registration.id


def test_a_suspended_lot_keeps_the_time_that_was_left(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, START)
    manager = make_actor("platform")
    left = lot.state.ends_at - now()
    service.suspend_lot(manager, lot.id, "系统检修")
    db.session.commit()
    assert lot.bid(1, START + STEP).code == "suspended"
    assert service.close_lot(lot.id) is None
    assert not [d for d in deadlines.open_for("lot", lot.id) if d.kind == "lot.close"]
    set_times(lot.id, suspended_at=lot.state.suspended_at)
    with pytest.raises(Refused) as early:
        service.resume_lot(manager, lot.id, "检修完成", now() + timedelta(minutes=1))
    assert early.value.code == "end_too_early"
    db.session.rollback()
    service.resume_lot(manager, lot.id, "检修完成")
    db.session.commit()
    state = lot.state
    assert state.state == "running" and abs((state.ends_at - now()) - left) < timedelta(seconds=2)
    close = [d for d in deadlines.open_for("lot", lot.id) if d.kind == "lot.close"]
    assert [d.due_at for d in close] == [state.ends_at]
    assert lot.bid(1, START + STEP).accepted and verifies(lot.id)
    assert queries.public_lot(lot.id)["entries"][1]["reason"] == "系统检修"


def test_suspension_needs_a_reason_and_a_manager_and_comes_before_the_end(app: Zhiliu) -> None:
    lot = make_lot()
    with pytest.raises(Forbidden):
        service.suspend_lot(lot.bidders[0].actor, lot.id, "不想卖")
    manager = make_actor("platform")
    with pytest.raises(Refused) as refused:
        service.suspend_lot(manager, lot.id, " ")
    assert refused.value.code == "reason_missing"
    lot.end()
    with pytest.raises(Refused) as late:
        service.suspend_lot(manager, lot.id, "晚了")
    assert late.value.code == "closed"


def test_withdrawal_needs_a_second_manager_and_releases_the_deposits(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, START)
    manager = make_actor("platform")
    from marketplace.parties.models import Organisation

    other = make_actor("platform", org=db.session.get(Organisation, manager.org_id))
    approval = service.request_withdrawal(manager, lot.id, "债务人已清偿全部债务")
    db.session.commit()
    with pytest.raises(Forbidden):
        approvals.decide(approval.id, manager, approve=True)
    db.session.rollback()
    approvals.decide(approval.id, other, approve=True)
    db.session.commit()
    assert lot.state.state == "withdrawn" and lot.state.state_reason == "债务人已清偿全部债务"
    assert {money.deposit_of(lot.id, b.org.id).state for b in lot.bidders} == {"release_due"}  # type: ignore[union-attr]
    assert lot.bid(1, START + STEP).code == "withdrawn"
    assert service.close_lot(lot.id) is None and verifies(lot.id)
    assert db.session.scalar(select(func.count(LotResult.lot_id))) == 0


def test_a_lot_that_is_sold_by_time_may_no_longer_be_withdrawn(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, START)
    lot.end()
    with pytest.raises(Refused) as late:
        service.withdraw_lot(make_actor("platform"), lot.id, "反悔")
    assert late.value.code == "closed"


def test_facts_may_not_change_after_a_bid(app: Zhiliu) -> None:
    lot = make_lot()
    service.require_no_bids(lot.id)
    lot.bid(0, START)
    with pytest.raises(Refused) as refused:
        service.require_no_bids(lot.id)
    assert refused.value.code == "bids_exist"


def beat(at_offset: timedelta) -> None:
    """The tick beat last at that moment."""
    db.session.execute(text("DELETE FROM heartbeat"))
    db.session.execute(text("INSERT INTO heartbeat (name, at) VALUES ('tick', :at)"), {"at": now() + at_offset})
    db.session.commit()


def test_an_outage_across_the_end_prolongs_the_sale_and_says_so(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, START)
    lot.end(timedelta(minutes=10))
    beat(-timedelta(minutes=12))  # nothing ran from two minutes before the end until now
    again = service.close_lot(lot.id)
    db.session.commit()
    assert again is not None and again - now() > timedelta(minutes=59)
    assert lot.state.state == "running" and kinds(lot.id) == ["bid", "prolonged"]
    assert "lot.prolonged" in events(lot.id) and lot.bid(1, START + STEP).accepted
    lot.end()
    beat(timedelta(seconds=0))
    assert service.close_lot(lot.id) is None
    db.session.commit()
    assert lot.state.state == "sold"


def test_the_outage_is_seen_also_after_the_tick_beats_again(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, START)
    beat(-timedelta(minutes=12))
    with db.engine.begin() as connection:
        connection.execute(tick.BEAT, {"name": "tick"})
    lot.end(timedelta(minutes=10))
    assert service.close_lot(lot.id) is not None


@pytest.mark.parametrize("offset", [timedelta(seconds=-20), timedelta(seconds=0)])
def test_a_close_that_is_only_a_little_late_closes(app: Zhiliu, offset: timedelta) -> None:
    lot = make_lot()
    lot.bid(0, START)
    lot.end(timedelta(seconds=5))
    beat(offset)
    assert service.close_lot(lot.id) is None
    db.session.commit()
    assert lot.state.state == "sold"


def test_a_lot_whose_end_came_before_the_silence_closes(app: Zhiliu) -> None:
    """The tick lived at the end, then died before it could close: nobody was kept from bidding."""
    lot = make_lot()
    lot.bid(0, START)
    lot.end(timedelta(minutes=10))
    beat(-timedelta(minutes=9))
    assert service.close_lot(lot.id) is None


def test_the_tick_opens_and_closes(app: Zhiliu) -> None:
    lot = make_lot(1, opens_in=timedelta(hours=1))
    set_times(lot.id, opens_at=now() - timedelta(seconds=2))
    db.session.execute(db.update(Deadline).where(Deadline.kind == "lot.open").values(due_at=now()))
    db.session.commit()
    for row in db.session.scalars(select(Deadline).where(Deadline.kind == "lot.open")).all():
        assert deadlines.run(row.id)
    db.session.commit()
    assert lot.state.state == "running" and "lot.opened" in events(lot.id)
