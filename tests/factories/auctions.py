"""Lots with bidders. ``make_lot`` builds a running lot through the real services wherever that is quick."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from marketplace.auctions import service
from marketplace.auctions.models import Lot, LotState, Registration
from marketplace.auctions.rules.catalogue import PLEDGEE_AGREED, sandbox
from marketplace.auctions.rules.chain import genesis
from marketplace.auctions.rules.profiles import Profile
from marketplace.auctions.sale import sale_of
from marketplace.cases.models import Case
from marketplace.core import deadlines
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.listings.models import Listing
from marketplace.money.models import Deposit
from marketplace.parties.models import Organisation
from tests.factories.parties import make_actor, make_org

NOTICE = "0" * 64


@dataclass
class Bidder:
    """A member of an organisation that registered for the lot."""

    actor: Actor
    org: Organisation
    registration: Registration

    @property
    def code(self) -> str:
        return self.registration.code


@dataclass
class MadeLot:
    """``bid(n, amount)`` lets the n-th bidder bid; every call commits."""

    lot: Lot
    seller: Organisation
    bidders: list[Bidder] = field(default_factory=list)
    id: int = 0

    def __post_init__(self) -> None:
        self.id = self.lot.id  # kept: a session that ends takes the row's attributes with it

    @property
    def state(self) -> LotState:
        return db.session.get_one(LotState, self.id, populate_existing=True)

    def bid(self, number: int, amount_minor: int, key: str | None = None, **more: Any) -> service.BidAnswer:
        answer = service.place_bid(self.bidders[number].actor, self.id, amount_minor, key or uuid.uuid4().hex, **more)
        db.session.commit()
        return answer

    def end(self, ago: timedelta = timedelta(milliseconds=1)) -> None:
        """Let the end have come ``ago``: test time travel, against the trigger that keeps an end from moving back."""
        set_times(self.id, ends_at=now() - ago)

    def wait_for_end(self) -> None:
        """Until the database clock has passed the end as it stands now."""
        while (left := (self.state.ends_at - now()).total_seconds()) > 0:
            db.session.rollback()
            time.sleep(min(left, 0.2))


def make_short_lot(bidders: int = 2, seconds: float = 2.0, **more: Any) -> MadeLot:
    """A running sandbox lot that ends these seconds after its bidders are ready; a late bid extends it by a fifth of
    a second. Its end is frozen again once they are, so that its course verifies however slow the machine was."""
    profile = replace(sandbox(1440), clock_floor_seconds=0)
    made = make_lot(bidders, profile=profile, **more)
    lot = made.lot
    lot.planned_ends_at = now() + timedelta(seconds=seconds)
    db.session.flush()
    lot.genesis_hash = genesis(sale_of(lot.id).lot_facts())
    ends_at, first, lot_id = lot.planned_ends_at, lot.genesis_hash, lot.id
    deadlines.schedule("lot.close", "lot", lot_id, ends_at)
    db.session.commit()
    set_times(lot_id, ends_at=ends_at, scheduled_ends_at=ends_at)
    db.session.execute(text("UPDATE lot_state SET last_hash = :h WHERE lot_id = :id"), {"h": first, "id": lot_id})
    db.session.commit()
    return made


def set_times(lot_id: int, **times: datetime) -> None:
    """Move a lot's moments in its state row, past the guards; the frozen facts of the lot stay."""
    db.session.commit()
    columns = ", ".join(f"{name} = :{name}" for name in times)
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text(f"UPDATE lot_state SET {columns} WHERE lot_id = :lot_id"), {"lot_id": lot_id, **times})
    db.session.commit()


def make_lot_listing(seller: Organisation, profile: Profile = PLEDGEE_AGREED) -> Listing:
    """The bare rows above which a lot stands."""
    case = Case(org_id=seller.id, **_bare_case())
    db.session.add(case)
    db.session.flush()
    listing = Listing(
        org_id=seller.id,
        case_id=case.id,
        number=f"ZL-2026-{case.id:06d}",
        title="一种发明专利",
        profile_code=profile.code,
        profile_version=profile.version,
        state="published",
        published_at=now(),
        notice_text="竞买公告",
        notice_sha256=NOTICE,
    )
    db.session.add(listing)
    db.session.flush()
    return listing


def _bare_case() -> dict[str, Any]:
    return {
        "reference": uuid.uuid4().hex[:12],
        "debtor_name": "测试债务人有限公司",
        "loan_principal_minor": 5_000_000_00,
        "legal_path": "agreed_sale",
    }


def make_lot(
    bidders: int = 2,
    *,
    profile: Profile = PLEDGEE_AGREED,
    start_minor: int = 100_000_00,
    increment_minor: int = 1_000_00,
    deposit_minor: int = 10_000_00,
    opens_in: timedelta = timedelta(seconds=-60),
    lasts: timedelta = timedelta(days=1),
    ranks: tuple[int | None, ...] = (),
    real_money: bool = False,
    seller: Organisation | None = None,
    round_no: int = 1,
    claim_minor: int | None = None,
    **plan: Any,
) -> MadeLot:
    """A lot (running unless ``opens_in`` lies ahead) with that many qualified bidders; ``ranks`` gives the first
    ones a priority rank. Deposits are direct rows marked held, unless ``real_money`` leaves them to be paid."""
    seller = seller or make_org("bank")
    listing = make_lot_listing(seller, profile)
    opens_at = now() + opens_in
    lot = service.schedule_lot(
        service.LotPlan(
            listing_id=listing.id,
            org_id=seller.id,
            title=listing.title,
            profile=profile.to_json(),
            start_minor=start_minor,
            increment_minor=increment_minor,
            deposit_minor=deposit_minor,
            balance_days=15,
            published_at=opens_at - timedelta(days=31),
            opens_at=opens_at,
            ends_at=opens_at + lasts,
            round_no=round_no,
            claim_minor=claim_minor,
            facts={"number": listing.number, "notice_sha256": NOTICE, **plan.pop("facts", {})},
            **plan,
        )
    )
    db.session.commit()
    if opens_at <= now():
        service.open_lot(lot.id)
        db.session.commit()
    made = MadeLot(lot, seller)
    for number in range(bidders):
        rank = ranks[number] if number < len(ranks) else None
        made.bidders.append(make_bidder(lot, rank=rank, qualified=not real_money))
    return made


def make_bidder(lot: Lot, *, rank: int | None = None, qualified: bool = True, actor: Actor | None = None) -> Bidder:
    """Registers a fresh organisation through the service; its deposit is then held by direct rows."""
    actor = actor or make_actor("operator")
    assert actor.org_id is not None
    registration = service.register(actor, lot.id, NOTICE, "测试代理人")
    registration.rank = rank
    db.session.commit()
    if qualified:
        hold_deposit(registration)
    return Bidder(actor, db.session.get_one(Organisation, actor.org_id), registration)


def hold_deposit(registration: Registration) -> None:
    """The deposit is there, as the ledger would have it after a confirmed transfer."""
    from marketplace.auctions.service_registration import qualify
    from marketplace.core.actor import SYSTEM
    from marketplace.money import ledger
    from marketplace.money.models import Receivable

    deposit = db.session.query(Deposit).filter_by(registration_id=registration.id).one()
    if deposit.state == "due":
        ledger.transfer(
            uuid.uuid4(),
            "deposit.receive",
            "deposit",
            deposit.id,
            ledger.between(ledger.BANK, ledger.deposits_of(deposit.lot_id), deposit.amount_minor),
            SYSTEM,
            currency="CNY",
        )
        deposit.held_minor, deposit.state, deposit.held_at = deposit.amount_minor, "held", now()
        receivable = db.session.get_one(Receivable, deposit.receivable_id)
        receivable.received_minor, receivable.state = receivable.amount_minor, "paid"
    qualify(registration.id)
    db.session.commit()
    db.session.refresh(registration)


def quick(profile: Profile = PLEDGEE_AGREED, **changes: Any) -> Profile:
    """A profile with some terms replaced, for a test."""
    return replace(profile, **changes)
