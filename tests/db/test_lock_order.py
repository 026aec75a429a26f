"""The order of locks of docs/house.md, watched at the database during whole sales.

Each statement that waits for rows (``FOR UPDATE`` without ``SKIP LOCKED``) is noted with its table. Within one
transaction no table may be locked after one that stands later in the order: two transactions that keep to one order
cannot wait for each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

import marketplace
from marketplace import Zhiliu
from marketplace.auctions import completion, service, service_after
from marketplace.core import approvals, deadlines, files
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.listings import service as listings
from marketplace.money import queries as money_queries
from tests.factories import auctions, money
from tests.factories.listings import advance, make_listing

HOUSE = Path(marketplace.__file__).parent.parent / "docs" / "house.md"
LOCKING = re.compile(r'^SELECT.*?\bFROM\s+"?(\w+)"?.*\bFOR (?:NO KEY )?UPDATE\s*$', re.S)


def written_order() -> list[str]:
    """The tables in the order that the house's page names them."""
    found = re.search(r"^Tables: (.+?)\.$", HOUSE.read_text(encoding="utf-8"), re.M | re.S)
    assert found, "docs/house.md names no order of tables"
    return [re.sub(r"[`\s]", "", name) for name in found[1].split("→")]


@pytest.fixture
def watched(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """The tables locked by each transaction, in order."""
    transactions: list[list[str]] = [[]]
    decide = approvals.decide

    def in_a_request_of_its_own(*args: Any, **named: Any) -> Any:
        db.session.commit()  # factories ask and decide at one go; in the house these are two people's requests
        return decide(*args, **named)

    monkeypatch.setattr(approvals, "decide", in_a_request_of_its_own)

    held: set[tuple[str, str]] = set()

    def note(conn: object, cursor: object, statement: str, parameters: object, *rest: object) -> None:
        found = LOCKING.search(statement.strip())
        same = (statement, str(parameters))
        table = found[1] if found else ""
        if found and same not in held and ("all of a lot", table) not in held:  # what is held waits for nobody
            transactions[-1].append(table)
            held.add(same)
        if table == "deposit" and re.search(r"deposit\.lot_id (=|IN)", statement) and "org_id =" not in statement:
            held.add(("all of a lot", table))

    def ended(conn: object) -> None:
        transactions.append([])
        held.clear()

    watching = (("before_cursor_execute", note), ("commit", ended), ("rollback", ended))
    for name, call in watching:
        event.listen(db.engine, name, call)
    yield transactions
    for name, call in watching:
        event.remove(db.engine, name, call)


def faults(transactions: list[list[str]]) -> list[str]:
    """Where a transaction went back in the order, or locked a table that has no place in it."""
    order = written_order()
    wrong = []
    for locked in transactions:
        wrong += [f"{table} has no place in the order" for table in locked if table not in order]
        known = [table for table in locked if table in order]
        for earlier, later in pairwise(known):
            if order.index(later) < order.index(earlier):
                wrong.append(f"{earlier} → {later} in {' → '.join(locked)}")
    return sorted(set(wrong))


def run_due(kind: str, lot_id: int) -> None:
    deadlines._handlers[kind](lot_id)
    db.session.commit()


def a_sale(watched: list[list[str]]) -> auctions.MadeLot:
    """From a case to a running lot with bidders whose deposits came by bank, watched from the finished draft on."""
    from marketplace.auctions.models import Lot

    before = len(watched)
    made = make_listing("draft")  # the factory makes and edits it in one transaction, which no request does
    del watched[before:]
    watched.append([])
    advance(made, "published")
    lot = db.session.query(Lot).filter_by(listing_id=made.id).one()
    managers = money.Managers(made.manager, made.other_manager)
    sale = auctions.MadeLot(lot, made.listing and db.session.get_one(auctions.Organisation, lot.org_id))
    auctions.NOTICE, kept = made.listing.notice_sha256 or "", auctions.NOTICE
    try:
        sale.bidders = [auctions.make_bidder(lot, qualified=False) for _ in range(3)]
    finally:
        auctions.NOTICE = kept
    for bidder in sale.bidders:
        money.pay_deposit(managers, lot.id, bidder.org.id)
    auctions.set_times(lot.id, opens_at=now() - timedelta(minutes=1), ends_at=now() + timedelta(hours=2))
    run_due("lot.open", lot.id)
    return sale


def managers_of(sale: auctions.MadeLot) -> money.Managers:
    return money.make_managers()


def test_a_whole_sale_locks_in_order(app: Zhiliu, watched: list[list[str]]) -> None:
    sale = a_sale(watched)
    two = managers_of(sale)
    listings.suspend(two.maker, sale.lot.listing_id, "系统故障")
    db.session.commit()
    listings.resume(two.maker, sale.lot.listing_id, "故障已排除")
    db.session.commit()
    for number in (0, 1):
        assert sale.bid(number, sale.lot.start_minor + number * sale.lot.increment_minor).accepted
    sale.end()
    run_due("lot.close", sale.id)
    run_due("listing.follow", sale.lot.listing_id)
    balance = money_queries.balance_of(sale.id, sale.bidders[1].org.id)
    assert balance is not None
    money.pay(two, balance)
    assert sale.state.after_sale == "paid"
    money.pay_out(two, money.due_payouts(), failures={})
    from marketplace.auctions.protocol import make_protocol

    make_protocol(sale.id)
    for item in completion.missing_documents(sale.id):
        files.keep_generated(
            item.code.encode(), filename=f"{item.code}.pdf", media_type="application/pdf", kind=item.code,
            subject="lot", subject_id=sale.id, org_id=None, visibility="manager",
        )  # fmt: skip
    db.session.commit()
    money.decide(service.request_completion(two.maker, sale.id), two.approver)
    run_due("listing.follow", sale.lot.listing_id)
    money.pay_out(two, money.due_payouts())
    seen = {table for locked in watched for table in locked}
    assert {"approval", "listing", "listing_counter", "case", "lot_state", "statement_line", "deposit", "receivable",
            "release_order", "payout"} <= seen  # fmt: skip
    assert "\n".join(faults(watched)) == ""


def test_default_backup_and_withdrawal_lock_in_order(app: Zhiliu, watched: list[list[str]]) -> None:
    sale = a_sale(watched)
    two = managers_of(sale)
    for number in (0, 1):
        assert sale.bid(number, sale.lot.start_minor + number * sale.lot.increment_minor).accepted
    sale.end()
    run_due("lot.close", sale.id)
    db.session.execute(text("UPDATE award SET balance_due_at = :at"), {"at": now() - timedelta(seconds=1)})
    db.session.commit()
    run_due("balance.due", sale.id)
    money.decide(service.request_default(two.maker, sale.id, "逾期未付"), two.approver)
    service.promote_backup(two.maker, sale.id)
    db.session.commit()
    service_after.decline_award(sale.bidders[0].actor, sale.id, "预算变化")
    db.session.commit()
    other = a_sale(watched)
    money.decide(listings.withdraw(two.maker, other.lot.listing_id, "债务已清偿"), two.approver)
    assert other.state.state == "withdrawn"
    assert "\n".join(faults(watched)) == ""


def test_a_further_round_and_giving_it_up_lock_in_order(app: Zhiliu, watched: list[list[str]]) -> None:
    from tests.db.test_listings_rounds import take_to, unsold

    before = len(watched)
    published, given_up = unsold(), unsold()
    del watched[before:]  # the factory makes and edits in one transaction, which no request does
    watched.append([])
    take_to(published, "published")
    take_to(given_up, "draft")
    approvals.decide(
        listings.withdraw(given_up.manager, given_up.id, "不再处置").id, given_up.other_manager, approve=True
    )
    db.session.commit()
    seen = {table for locked in watched for table in locked}
    assert {"approval", "listing", "listing_round", "lot_state", "case"} <= seen
    assert "\n".join(faults(watched)) == ""


def test_the_watch_sees_a_wrong_order() -> None:
    assert faults([["lot_state", "listing"]]) == ["lot_state → listing in lot_state → listing"]
    assert faults([["deposit"], ["lot_state", "deposit"]]) == []
    assert faults([["nothing"]]) == ["nothing has no place in the order"]
    assert LOCKING.search('SELECT x FROM "case" WHERE id = 1 FOR NO KEY UPDATE')
    assert LOCKING.search("SELECT x FROM deadline FOR UPDATE SKIP LOCKED") is None
