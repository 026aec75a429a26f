"""After the hammer: balance, default by two managers, backup, next round, completion."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from marketplace import Zhiliu
from marketplace.auctions import completion, queries, service, service_after, service_rounds
from marketplace.auctions.rules.catalogue import JUDICIAL_ONLINE, PLEDGEE_AGREED
from marketplace.auctions.rules.profiles import Profile
from marketplace.core import approvals, files
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Invalid, Refused
from marketplace.core.models import Event
from marketplace.money import queries as money
from marketplace.money.models import Deposit, Receivable
from marketplace.parties.models import Organisation
from marketplace.parties.service import barred
from tests.factories.auctions import NOTICE, MadeLot, make_lot
from tests.factories.parties import make_actor

START, STEP = 100_000_00, 1_000_00


def sold(profile: Profile = PLEDGEE_AGREED) -> MadeLot:
    """Bidder 1 wins, bidder 0 is the backup, bidder 2 never bid."""
    lot = make_lot(3, profile=profile)
    lot.bid(0, START)
    lot.bid(1, START + STEP)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    return lot


def two_managers() -> tuple[Actor, Actor]:
    one = make_actor("platform")
    return one, make_actor("platform", org=db.session.get(Organisation, one.org_id))


def pay(lot: MadeLot, org_id: int) -> None:
    """As the money room tells of a confirmed balance."""
    from marketplace.core.actor import SYSTEM
    from marketplace.money.balances import receive, tell_paid

    row = db.session.scalars(
        select(Receivable).where(Receivable.purpose == "balance", Receivable.org_id == org_id).with_for_update()
    ).one()
    assert row.lot_id == lot.id
    receive(row, row.amount_minor, SYSTEM)
    tell_paid(row, SYSTEM)
    db.session.commit()


def let_it_fall_due(lot: MadeLot) -> None:
    db.session.execute(text("UPDATE award SET balance_due_at = :at"), {"at": now() - timedelta(seconds=1)})
    db.session.commit()
    db.session.expire_all()


def default(lot: MadeLot) -> None:
    one, other = two_managers()
    let_it_fall_due(lot)
    approval = service.request_default(one, lot.id, "逾期未付余款")
    approvals.decide(approval.id, other, approve=True)
    db.session.commit()


def test_a_paid_balance_frees_the_backup(app: Zhiliu) -> None:
    lot = sold()
    backup, winner = lot.bidders[0].org.id, lot.bidders[1].org.id
    assert money.deposit_of(lot.id, backup).state == "held"  # type: ignore[union-attr]
    pay(lot, winner)
    assert lot.state.after_sale == "paid" and queries.award_of(lot.id).state == "paid"  # type: ignore[union-attr]
    assert money.deposit_of(lot.id, backup).state == "release_due"  # type: ignore[union-attr]
    assert service_after.balance_overdue(lot.id) is None
    with pytest.raises(Refused, match="not_overdue"):
        service.request_default(two_managers()[0], lot.id, "逾期")


def test_an_overdue_balance_is_told_and_forfeits_nothing_by_itself(app: Zhiliu) -> None:
    lot = sold()
    assert service_after.balance_overdue(lot.id) == queries.award_of(lot.id).balance_due_at  # type: ignore[union-attr]
    with pytest.raises(Refused, match="not_overdue"):
        service.request_default(two_managers()[0], lot.id, "逾期")
    db.session.rollback()
    let_it_fall_due(lot)
    assert service_after.balance_overdue(lot.id) is None
    db.session.commit()
    assert db.session.scalar(select(Event.id).where(Event.kind == "lot.balance_overdue"))
    assert money.deposit_of(lot.id, lot.bidders[1].org.id).state == "applied"  # type: ignore[union-attr]
    pay(lot, lot.bidders[1].org.id)  # late, but before anyone declared a default
    assert lot.state.after_sale == "paid"


def test_a_default_forfeits_bars_and_cancels(app: Zhiliu) -> None:
    lot = sold()
    default(lot)
    winner = lot.bidders[1].org.id
    deposit = money.deposit_of(lot.id, winner)
    assert deposit is not None and (deposit.state, deposit.forfeited_minor) == ("forfeited", 10_000_00)
    assert money.balance_of(lot.id, winner).state == "cancelled"  # type: ignore[union-attr]
    bar = barred(winner, lot.lot.listing_id)
    assert bar is not None and bar.source
    assert lot.state.after_sale == "defaulted" and queries.award_of(lot.id) is None
    assert db.session.scalar(select(Event.id).where(Event.kind == "lot.defaulted"))


def test_the_backup_may_take_the_lot_at_its_own_bid(app: Zhiliu) -> None:
    lot = sold()
    with pytest.raises(Refused, match="not_defaulted"):
        service.promote_backup(two_managers()[0], lot.id)
    db.session.rollback()
    default(lot)
    award = service.promote_backup(two_managers()[0], lot.id)
    db.session.commit()
    assert (award.position, award.price_minor, award.state) == (2, START, "offered")
    with pytest.raises(Refused, match="no_offer"):
        service.confirm_result(lot.bidders[2].actor, lot.id)
    db.session.rollback()
    service.confirm_result(lot.bidders[0].actor, lot.id)
    db.session.commit()
    assert lot.state.after_sale == "awaiting_balance"
    balance = money.balance_of(lot.id, lot.bidders[0].org.id)
    assert balance is not None and balance.amount_minor == START - 10_000_00
    pay(lot, lot.bidders[0].org.id)
    assert lot.state.after_sale == "paid"


@pytest.mark.parametrize("answered", [True, False])
def test_a_backup_that_declines_or_is_silent_gets_its_deposit_back(app: Zhiliu, answered: bool) -> None:
    lot = sold()
    default(lot)
    service.promote_backup(two_managers()[0], lot.id)
    db.session.commit()
    if answered:
        service.decline_award(lot.bidders[0].actor, lot.id, "预算变化")
    else:
        assert service_after.answer_overdue(lot.id) is not None
        db.session.execute(text("UPDATE award SET answer_due_at = clock_timestamp() WHERE position = 2"))
        assert service_after.answer_overdue(lot.id) is None
    db.session.commit()
    assert money.deposit_of(lot.id, lot.bidders[0].org.id).state == "release_due"  # type: ignore[union-attr]
    with pytest.raises(Refused, match="no_backup"):
        service.promote_backup(two_managers()[0], lot.id)


def test_a_judicial_sale_knows_no_promotion(app: Zhiliu) -> None:
    lot = sold(JUDICIAL_ONLINE)
    default(lot)
    with pytest.raises(Refused, match="promotion_not_allowed"):
        service.promote_backup(two_managers()[0], lot.id)


def terms(start_minor: int) -> service_rounds.RoundTerms:
    at = now()
    return service_rounds.RoundTerms(
        start_minor=start_minor,
        increment_minor=400_00,
        deposit_minor=start_minor // 10,
        published_at=at,
        opens_at=at + timedelta(days=20),
        ends_at=at + timedelta(days=21),
    )


def test_the_next_round_keeps_the_ladder_and_the_defaulter_out(app: Zhiliu) -> None:
    lot = sold()
    manager = two_managers()[0]
    with pytest.raises(Refused, match="not_failed"):
        service.schedule_next_round(manager, lot.id, terms(80_000_00))
    db.session.rollback()
    default(lot)
    with pytest.raises(Invalid) as low:
        service.schedule_next_round(manager, lot.id, terms(79_000_00))
    assert [p.code for p in low.value.problems] == ["reduction_too_large"]
    db.session.rollback()
    following = service.schedule_next_round(manager, lot.id, terms(80_000_00))
    db.session.commit()
    assert (following.round_no, following.previous_lot_id) == (2, lot.id)
    assert following.facts["number"] == lot.lot.facts["number"]
    assert set(db.session.scalars(select(Deposit.state))) == {"forfeited", "release_due"}
    with pytest.raises(Refused) as out:
        service.register(lot.bidders[1].actor, following.id, NOTICE)
    assert out.value.code == "not_barred"
    db.session.rollback()
    with pytest.raises(Refused, match="round_exists"):
        service.schedule_next_round(manager, lot.id, terms(80_000_00))


def test_completion_needs_its_documents_and_a_second_manager(app: Zhiliu) -> None:
    from marketplace.auctions.protocol import make_protocol

    lot = sold()
    one, other = two_managers()
    with pytest.raises(Refused, match="not_paid"):
        service.request_completion(one, lot.id)
    db.session.rollback()
    pay(lot, lot.bidders[1].org.id)
    make_protocol(lot.id)
    with pytest.raises(Refused, match="documents_missing"):
        service.request_completion(one, lot.id)
    missing = {item.code for item in completion.missing_documents(lot.id)}
    assert missing == {"transfer_contract", "pledge_release"}
    db.session.rollback()
    for kind in sorted(missing):
        files.keep_generated(
            kind.encode(),
            filename=f"{kind}.pdf",
            media_type="application/pdf",
            kind=kind,
            subject="lot",
            subject_id=lot.id,
            org_id=None,
            visibility="manager",
        )
    approval = service.request_completion(one, lot.id)
    db.session.commit()
    approvals.decide(approval.id, other, approve=True)
    db.session.commit()
    assert lot.state.after_sale == "completed"
    assert db.session.scalar(select(Event.id).where(Event.kind == "lot.completed"))
