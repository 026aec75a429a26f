"""Registering, eligibility shown before paying, priority claims (网拍规定 art. 17-19; domain vectors 5 and 16)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace import Zhiliu
from marketplace.auctions import queries, service
from marketplace.auctions.rules.catalogue import JUDICIAL_ONLINE
from marketplace.core.actor import PUBLIC
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, Refused
from marketplace.money import queries as money
from marketplace.parties.models import Affiliation
from tests.factories.auctions import NOTICE, hold_deposit, make_lot, set_times
from tests.factories.parties import make_actor, make_org

START, DEPOSIT = 1_000_000_00, 50_000_00


def failed(lot_id: int, actor: object) -> set[str]:
    found = queries.eligibility(lot_id, actor)  # type: ignore[arg-type]
    assert all(check.next_step for check in found.checks if not check.ok)
    return {check.code for check in found.checks if not check.ok}


def test_eligibility_says_what_is_missing_before_anyone_pays(app: Zhiliu) -> None:
    lot = make_lot(0)
    assert failed(lot.id, PUBLIC) == {"signed_in"}
    fresh = make_actor("operator", org=make_org(state="submitted"))
    assert failed(lot.id, fresh) == {"organisation_verified", "registered", "terms", "deposit"}
    actor = make_actor("operator")
    assert failed(lot.id, actor) == {"registered", "terms", "deposit"}
    assert queries.eligibility(lot.id, actor).may_register
    registration = service.register(actor, lot.id, NOTICE, "张三")
    db.session.commit()
    assert failed(lot.id, actor) == {"deposit"} and not queries.eligibility(lot.id, actor).may_bid
    hold_deposit(registration)
    assert failed(lot.id, actor) == set() and queries.eligibility(lot.id, actor).may_bid


def test_registering_keeps_what_was_accepted_and_opens_the_deposit(app: Zhiliu) -> None:
    lot = make_lot(0)
    actor = make_actor("operator")
    with pytest.raises(Invalid) as stale:
        service.register(actor, lot.id, "1" * 64)
    assert stale.value.code == "terms_not_accepted"
    db.session.rollback()
    row = service.register(actor, lot.id, NOTICE, " 张三 ")
    db.session.commit()
    assert row.agent_name == "张三" and row.terms_accepted_at is not None and row.terms_sha256 == NOTICE
    assert len(row.code) == 4 and row.code.isdigit() and row.state == "applied"
    deposit = money.deposit_of(lot.id, row.org_id)
    assert deposit is not None and deposit.state == "due" and deposit.amount_minor == 10_000_00
    assert service.register(actor, lot.id, NOTICE).id == row.id


def test_late_joiners_may_register_until_the_end(app: Zhiliu) -> None:
    lot = make_lot(0)
    set_times(lot.id, ends_at=now() + timedelta(minutes=1))
    service.register(make_actor("operator"), lot.id, NOTICE)
    lot.end()
    with pytest.raises(Refused) as late:
        service.register(make_actor("operator"), lot.id, NOTICE)
    assert late.value.code == "lot_accepts"


def test_the_sellers_side_may_not_take_part_in_an_agreed_sale(app: Zhiliu) -> None:
    lot = make_lot(0)
    affiliate = make_actor("operator")
    db.session.add(Affiliation(org_id=affiliate.org_id, affiliate_id=lot.seller.id, basis="控股"))
    db.session.commit()
    for actor in (make_actor("bank", org=lot.seller), affiliate):
        with pytest.raises(Refused) as refused:
            service.register(actor, lot.id, NOTICE)
        assert refused.value.code == "seller_side" and refused.value.source
        db.session.rollback()


@pytest.mark.parametrize(("claim", "owed"), [(5_000_000_00, 0), (30_000_00, 20_000_00)])
def test_the_applicant_creditor_pays_no_deposit_or_the_difference(app: Zhiliu, claim: int, owed: int) -> None:
    lot = make_lot(0, profile=JUDICIAL_ONLINE, start_minor=START, deposit_minor=DEPOSIT, claim_minor=claim)
    bank = make_actor("bank", org=lot.seller)
    shown = queries.eligibility(lot.id, bank)
    assert (shown.deposit_minor, shown.waived_minor) == (owed, DEPOSIT - owed)
    row = service.register(bank, lot.id, NOTICE)
    db.session.commit()
    deposit = money.deposit_of(lot.id, row.org_id)
    assert deposit is not None and deposit.amount_minor == owed
    assert row.state == ("qualified" if owed == 0 else "applied")
    other = service.register(make_actor("operator"), lot.id, NOTICE)
    assert money.deposit_of(lot.id, other.org_id).amount_minor == DEPOSIT  # type: ignore[union-attr]


def test_a_waived_creditor_wins_and_owes_the_whole_price(app: Zhiliu) -> None:
    lot = make_lot(0, profile=JUDICIAL_ONLINE, start_minor=START, deposit_minor=DEPOSIT, claim_minor=5_000_000_00)
    bank = make_actor("bank", org=lot.seller)
    service.register(bank, lot.id, NOTICE)
    db.session.commit()
    assert service.place_bid(bank, lot.id, START, "k").accepted
    db.session.commit()
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    balance = money.balance_of(lot.id, lot.seller.id)
    assert balance is not None and balance.amount_minor == START


def test_a_priority_claim_is_decided_before_the_start_and_gives_the_rank(app: Zhiliu) -> None:
    lot = make_lot(0, opens_in=timedelta(hours=1))
    holder, manager = make_actor("enterprise"), make_actor("platform")
    with pytest.raises(Invalid) as faults:
        service.file_preemption(holder, lot.id, "", " ", 0)
    assert {p.field for p in faults.value.problems} == {"basis", "evidence", "rank"}
    claim = service.file_preemption(holder, lot.id, "co_owner", "专利登记簿副本")
    early = service.register(holder, lot.id, NOTICE)
    db.session.commit()
    assert early.rank is None and "priority" in failed(lot.id, holder)
    with pytest.raises(Forbidden):
        service.decide_preemption(holder, claim.id, True)
    service.decide_preemption(manager, claim.id, True, rank=2)
    db.session.commit()
    db.session.refresh(early)
    assert early.rank == 2 and "priority" not in failed(lot.id, holder)
    with pytest.raises(Refused) as again:
        service.decide_preemption(manager, claim.id, False, reason="证据不足")
    assert again.value.code == "claim_decided"
    db.session.rollback()
    set_times(lot.id, opens_at=now() - timedelta(seconds=1))
    with pytest.raises(Refused) as late:
        service.file_preemption(make_actor("enterprise"), lot.id, "co_owner", "登记簿")
    assert late.value.code == "sale_started"


def test_a_refused_claim_leaves_an_ordinary_bidder(app: Zhiliu) -> None:
    lot = make_lot(0, opens_in=timedelta(hours=1))
    holder, manager = make_actor("enterprise"), make_actor("platform")
    claim = service.file_preemption(holder, lot.id, "service_inventor", "发明人证明")
    with pytest.raises(Refused) as silent:
        service.decide_preemption(manager, claim.id, False)
    assert silent.value.code == "reason_needed"
    service.decide_preemption(manager, claim.id, False, reason="证据不足")
    row = service.register(holder, lot.id, NOTICE)
    assert row.rank is None
    assert not queries.eligibility(lot.id, holder).check("priority").needed
