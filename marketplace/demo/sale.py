"""A whole sandbox sale in front of you: from an approved case to a verified protocol and the losers' refund.

Bids go over HTTP to the running site like anybody's; the tick and the workers open and close the sale.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from sqlalchemy import select

from marketplace import Zhiliu
from marketplace.auctions import queries as auctions
from marketplace.cases.models import Case
from marketplace.core import approvals, files
from marketplace.core.actor import SYSTEM
from marketplace.core.clock import SHANGHAI, now, today
from marketplace.core.db import db, unit_of_work
from marketplace.core.money import format_minor
from marketplace.demo import offers
from marketplace.demo.people import HOUSES, actor
from marketplace.demo.processes import ROOT
from marketplace.money import confirmations, orders, statements
from marketplace.money.models import Payout, Receivable, StatementLine
from marketplace.parties.models import Organisation
from marketplace.parties.tokens import create_token

Say = Callable[[str], None]
OPENS_IN, LASTS = timedelta(seconds=20), timedelta(seconds=60)


class SaleFailed(RuntimeError):
    """The demo sale did not go as it must; the text says where."""


@dataclass
class Site:
    """The running site as an API client of one organisation sees it."""

    base: str
    token: str = ""

    def call(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")


@dataclass
class Bidder:
    name: str
    login: str
    site: Site
    code: str = ""

    def register(self, lot_id: int, terms: str) -> str:
        """Registers and returns the deposit's reference."""
        status, answer = self.site.call("POST", f"/api/v1/lots/{lot_id}/registration", {"terms_sha256": terms})
        if status != 201:
            raise SaleFailed(f"{self.name} could not register: {answer}")
        self.code = answer["code"]
        return str(answer["deposit_reference"])

    def bid(self, lot_id: int, amount: int) -> tuple[int, Any]:
        body = {"amount_minor": amount}
        return self.site.call("POST", f"/api/v1/lots/{lot_id}/bids", body, key=uuid.uuid4().hex)


def clock(text: str) -> str:
    """The seconds of an RFC 3339 moment, in Shanghai, with its zone."""
    from datetime import datetime

    return datetime.fromisoformat(text).astimezone(SHANGHAI).strftime("%H:%M:%S (UTC+8)")


def run(app: Zhiliu, base: str, case_id: int, folder: Path, say: Say) -> Path:
    """Run the sale of this case to its end; returns the path of the protocol. SaleFailed when it goes wrong."""
    with app.app_context():
        with unit_of_work():
            bidders = [_bidder(base, "bidder"), _bidder(base, "rival")]
        lot_id, terms = _publish(case_id, say)
        _deposits(bidders, lot_id, terms, say)
        _bid(bidders, lot_id, say)
        result = _wait_for_result(bidders[0].site, lot_id, say)
        path = _papers(lot_id, folder, say)
        _settle(lot_id, result, folder, say)
        db.session.remove()
    return path


def _bidder(base: str, login: str) -> Bidder:
    person = actor(login)
    org = db.session.get_one(Organisation, person.org_id)
    secret = create_token("demo", ["auctions:read", "auctions:register", "bids:write"], 30, person)[1]
    return Bidder(org.name, login, Site(base, secret))


def _publish(case_id: int, say: Say) -> tuple[int, str]:
    with unit_of_work():
        case = db.session.get_one(Case, case_id)
        at = now()
        value = case.valuation_minor or 1_000_000_00
        offer = offers.draft(case, "sandbox", at + OPENS_IN, at + OPENS_IN + LASTS, value * 7 // 10 // 100)
        offers.tell_parties(offer, at)
        say(f"案件 Case {case.reference}  →  挂牌 Listing “{offer.title}”")
    with unit_of_work():
        offers.send(offer)
        say("  银行两人提交 submitted by two bankers")
    with unit_of_work():
        offers.review(offer)
        say("  平台审核 reviewed by a manager")
    with unit_of_work():
        published = offers.publish(offer)
        lot = auctions.lots_of_listings([published.id])[published.id][0][0]
        say(f"  另一名管理员发布 published by another: {published.number}")
        say(f"  起拍价 start {format_minor(lot.start_minor)}  保证金 deposit {format_minor(lot.deposit_minor)}")
        return lot.id, published.notice_sha256 or ""


def _deposits(bidders: list[Bidder], lot_id: int, terms: str, say: Say) -> None:
    for bidder in bidders:
        reference = bidder.register(lot_id, terms)
        say(f"报名 registered: {bidder.name}  →  竞买号 code {bidder.code}, 转账附言 reference {reference}")
    with unit_of_work():
        receivables = list(db.session.scalars(select(Receivable).where(Receivable.lot_id == lot_id)))
        _bank_statement(receivables, "保证金", say)


def _bank_statement(receivables: list[Receivable], what: str, say: Say) -> None:
    """The bank's statement arrives with these credits; one manager imports and proposes, another confirms."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["交易日期", "贷方金额", "对方户名", "对方账号", "摘要", "交易流水号"])
    for row in receivables:
        org = db.session.get_one(Organisation, row.org_id)
        amount = f"{row.amount_minor // 100}.{row.amount_minor % 100:02d}"
        table.writerow([today().isoformat(), amount, org.account_name, org.account_no, f"{what} {row.reference}",
                        f"DEMO{uuid.uuid4().hex[:12].upper()}"])  # fmt: skip
    manager = actor("manager")
    name = f"demo-statement-{now():%H%M%S}.csv"
    imported = statements.import_statement(out.getvalue().encode("gb18030"), name, manager)
    db.session.flush()
    lines = db.session.scalars(select(StatementLine).where(StatementLine.import_id == imported.id))
    choices = [confirmations.Choice(line.id, line.receivable_id or 0) for line in lines]
    approval = confirmations.propose(choices, manager)
    approvals.decide(approval.id, actor("manager2"), approve=True)
    say(f"银行流水导入，两人确认{what} statement imported, {len(choices)} credit(s) confirmed by two managers")


def _bid(bidders: list[Bidder], lot_id: int, say: Say) -> None:
    site = bidders[0].site
    state = _state(site, lot_id)
    say(f"等待开始 opens {clock(state['opens_at'])}, 结束 ends {clock(state['ends_at'])}")
    while state["state"] != "running":
        time.sleep(0.5)
        state = _state(site, lot_id)
    say("竞价开始 bidding is open")
    turn = 0
    for pause in (1.0, 2.0, 3.0):
        _one_bid(bidders[turn % 2], lot_id, say)
        turn += 1
        time.sleep(pause)
    while _seconds_left(_state(site, lot_id)) > 6:
        time.sleep(0.5)
    for _ in range(2):  # in the last moments: each moves the end
        _one_bid(bidders[turn % 2], lot_id, say)
        turn += 1
        time.sleep(4)


def _one_bid(bidder: Bidder, lot_id: int, say: Say) -> None:
    state = _state(bidder.site, lot_id)
    status, answer = bidder.bid(lot_id, state["minimum_minor"])
    if status != 201:
        raise SaleFailed(f"the bid of {bidder.code} was refused: {answer}")
    moved = f"  ⇒ 延时至 extended to {clock(answer['ends_at'])}" if answer["extended"] else ""
    say(f"  出价 bid #{answer['seq']}  {bidder.code}  {format_minor(answer['amount_minor'])}{moved}")


def _state(site: Site, lot_id: int) -> dict[str, Any]:
    status, state = site.call("GET", f"/api/v1/lots/{lot_id}?limit=1")
    if status != 200:
        raise SaleFailed(f"the lot cannot be read: {state}")
    return dict(state)


def _seconds_left(state: dict[str, Any]) -> float:
    from datetime import datetime

    return (datetime.fromisoformat(state["ends_at"]) - datetime.fromisoformat(state["now"])).total_seconds()


def _wait_for_result(site: Site, lot_id: int, say: Say) -> dict[str, Any]:
    state = _state(site, lot_id)
    say(f"等待结束 waiting for the end at {clock(state['ends_at'])} …")
    until = time.monotonic() + 90
    while time.monotonic() < until:
        status, result = site.call("GET", f"/api/v1/lots/{lot_id}/result")
        if status == 200:
            say(f"落槌 closed {clock(result['closed_at'])}: {result['outcome']}  {format_minor(result['price_minor'])}"
                f"  买受人 winner {result['winner_code']}, 候补 backup {result['backup_code']}")  # fmt: skip
            return dict(result)
        time.sleep(0.5)
    raise SaleFailed("the sale was not closed within 90 s of its end")


def _papers(lot_id: int, folder: Path, say: Say) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with unit_of_work():
            found = auctions.public_result(lot_id)
            if found and found["protocol_pdf_id"]:
                content = files.read(found["protocol_pdf_id"], SYSTEM)[1]
                course = auctions.course_document(lot_id)
                break
        time.sleep(0.5)
    else:
        raise SaleFailed("no protocol was made within 60 s")
    from marketplace.auctions.rules.course import course_bytes
    from marketplace.core.signing import public_key_pem

    protocol, exported, key = folder / "protocol.pdf", folder / "course.json", folder / "signing-public.pem"
    protocol.write_bytes(content)
    exported.write_bytes(course_bytes(course))
    key.write_text(public_key_pem())
    say(f"成交记录 protocol: {protocol}")
    command = [sys.executable, str(ROOT / "tools" / "verify_sale.py"), str(exported), "--public-key", str(key)]
    done = subprocess.run([*command, "--protocol", str(protocol)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SaleFailed(f"the course does not verify:\n{done.stdout}{done.stderr}")
    say("独立核验 verified by tools/verify_sale.py: " + done.stdout.strip().splitlines()[-1])
    return protocol


def _settle(lot_id: int, result: dict[str, Any], folder: Path, say: Say) -> None:
    with unit_of_work():
        balance = list(
            db.session.scalars(select(Receivable).where(Receivable.lot_id == lot_id, Receivable.purpose == "balance"))
        )
        if balance:
            _bank_statement(balance, "余款", say)
    with unit_of_work():
        due = list(
            db.session.scalars(
                select(Payout).where(
                    Payout.lot_id == lot_id, Payout.state == "due", Payout.purpose == "deposit_release"
                )
            )
        )
        if due:
            order = orders.make_order([payout.id for payout in due], actor("manager"))
            waiting = approvals.open_approval(orders.APPROVE, "release_order", order.id)
            assert waiting is not None
            approvals.decide(waiting.id, actor("manager2"), approve=True)
            say(
                f"退还保证金 release order {order.number}: {format_minor(order.total_minor)}，"
                "待导出给银行 ready for the bank"
            )


def sign_ins(base: str, password: str) -> list[str]:
    """One line a demo person."""
    lines = []
    for house in HOUSES:
        for member in house.members:
            lines.append(f"  {member.email:34} {password}   {member.role_zh} / {member.role_en}")
    return lines
