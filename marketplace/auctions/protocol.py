"""The published papers of a sale: protocol (PDF), course (JSON), confirmation (成交确认书), and their hashes.

Made by a worker after the close. The course names the protocol's hash, so the PDF comes first. Safe to run twice:
the same result gives the same bytes, and the result row takes each document once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import func, select, update

from marketplace.auctions import queries
from marketplace.auctions.models import LotResult, Registration
from marketplace.auctions.rules import course as rule
from marketplace.auctions.sale import Sale, sale_of
from marketplace.auctions.seals import sign_course
from marketplace.auctions.wording import moment
from marketplace.core import files
from marketplace.core.db import db, unit_of_work
from marketplace.core.events import record
from marketplace.core.money import format_minor
from marketplace.core.pdf import Paper
from marketplace.parties import service as parties

# the papers are official documents: Chinese with a short English beside it, whatever the language of a page
KINDS = {
    "bid": "出价",
    "suspended": "暂停",
    "resumed": "恢复",
    "prolonged": "顺延",
    "barred": "限制参加",
    "withdrawn": "撤回",
    "closed": "结束",
}


@dataclass(frozen=True)
class Papers:
    """The three files of an ended round; an unsold one has no confirmation."""

    protocol: bytes
    course: bytes
    confirmation: bytes | None


def make_protocol(lot_id: int) -> None:
    """Make and publish the papers of a closed round, once."""
    with unit_of_work():
        done = db.session.scalar(select(LotResult.published_at).where(LotResult.lot_id == lot_id))
    if done is not None:
        return
    with unit_of_work():
        papers = build(lot_id)
    with unit_of_work():
        result = db.session.scalar(select(LotResult).where(LotResult.lot_id == lot_id).with_for_update())
        if result is None or result.published_at is not None:
            return
        values: dict[str, Any] = {"published_at": func.clock_timestamp()}
        sale = sale_of(lot_id)
        for column, kind, suffix, media_type, content in (
            ("protocol_pdf_id", "bidding_record", "protocol.pdf", "application/pdf", papers.protocol),
            ("protocol_json_id", "course", "course.json", "application/json", papers.course),
            ("confirmation_pdf_id", "sale_confirmation", "confirmation.pdf", "application/pdf", papers.confirmation),
        ):
            if content is None:
                continue
            document = files.keep_generated(
                content,
                filename=f"{sale.code}-{suffix}",
                media_type=media_type,
                kind=kind,
                subject="lot",
                subject_id=lot_id,
                org_id=None,
                visibility="public",
            )
            values[column] = document.id
        db.session.execute(update(LotResult).where(LotResult.lot_id == lot_id).values(**values))
        record("lot.protocol_published", "lot", lot_id, public=True, listing_id=sale.listing_id)


def build(lot_id: int) -> Papers:
    """The papers from the rows as they stand; pure reading."""
    sale = sale_of(lot_id)
    result = db.session.get_one(LotResult, lot_id)
    entries = queries.course(lot_id)
    protocol = _protocol(sale, result, entries)
    block = rule.result_of(entries, hashlib.sha256(protocol).hexdigest())
    course = rule.course_bytes(sign_course(rule.course_document(sale.lot_facts(), entries, block)))
    confirmation = _confirmation(sale, result) if result.outcome == "sold" else None
    return Papers(protocol, course, confirmation)


def _page(sale: Sale) -> str:
    return f"{current_app.settings.base_url}/lots/{sale.lot_id}"  # type: ignore[attr-defined]


def _facts_of_the_lot(sale: Sale) -> list[tuple[str, str, str]]:
    rung = sale.profile.round(sale.round_no)
    seller = parties.get_org(sale.seller_id).name
    return [
        ("标的编号", "Lot", sale.code),
        ("标的名称", "Title", sale.title),
        ("处置方", "Seller", seller),
        ("规则", "Rules", f"{sale.profile.name_zh} · {rung.name_zh if rung else sale.round_no}"),
        ("起拍价", "Start price", format_minor(sale.start_minor, sale.currency)),
        ("加价幅度", "Increment", format_minor(sale.increment_minor, sale.currency)),
        ("保证金", "Deposit", format_minor(sale.deposit_minor, sale.currency)),
    ]


def _protocol(sale: Sale, result: LotResult, entries: list[dict[str, Any]]) -> bytes:
    sold = result.outcome == "sold"
    paper = Paper("网络竞价记录", "Record of an online sale", result.closed_at, f"知流 Zhiliu · {sale.code}")
    if sale.profile.sandbox:
        paper.paragraph("沙盒演练，加速时钟，非真实处置。 Rehearsal on an accelerated clock; not a real sale.")
    paper.section("标的", "The lot")
    paper.facts(_facts_of_the_lot(sale))
    closed = entries[-1]
    paper.section("结果", "The result")
    rows = [
        ("结果", "Outcome", "成交 Sold" if sold else "流拍 Unsold"),
        ("竞价时间", "Bidding", f"{moment(sale.opens_at)} 至 {moment(result.final_ends_at)}（北京时间）"),
        ("出价与延时", "Bids, extensions", f"{result.bids} 次出价，{closed['extensions']} 次延时"),
    ]
    if sold:
        rows.append(("成交价", "Price", format_minor(result.price_minor or 0, sale.currency)))
        rows.append(("竞得人代码", "Winner's code", closed["winner_code"]))
        if closed["backup_code"]:
            second = format_minor(closed["backup_price_minor"], sale.currency)
            rows.append(("候补买受人代码", "Backup's code", f"{closed['backup_code']}（{second}）"))
    paper.facts(rows)
    paper.section("竞价过程", "The course, bidders by code")
    paper.ledger(
        ("序号 No.", "时间 Time", "事项 Entry", "代码 Code", "金额 Amount", "结束时间 End after it"),
        [_line(sale, entry) for entry in entries],
        widths=(8, 23, 25, 10, 17, 20),
        align=("LEFT", "LEFT", "LEFT", "LEFT", "RIGHT", "RIGHT"),
    )
    paper.section("核验", "Verify", keep=62)
    paper.paragraph(
        "过程文件（JSON）由平台签名，逐条相接。任何人可在标的页下载过程文件和核验程序自行核验。"
        " The signed course and the program that checks it are on the lot's page.",
        small=True,
    )
    paper.hashes([("起始 genesis", sale.genesis_hash), ("末端 head", result.head_hash)], _page(sale))
    return paper.content()


def _line(sale: Sale, entry: dict[str, Any]) -> tuple[str, ...]:
    what = KINDS.get(entry["kind"], entry["kind"])
    if entry["kind"] == "bid":
        marks = []
        if entry["rank"] is not None:
            marks.append(f"优先{entry['rank']}")
        if entry["extended"]:
            marks.append("延时")
        what += f"（{'，'.join(marks)}）" if marks else ""
    elif entry.get("reason"):
        what += f"：{entry['reason']}"
    amount = format_minor(entry["amount_minor"], sale.currency) if entry["kind"] == "bid" else ""
    at = moment(entry["at"]) + entry["at"].strftime(".%f")[:4]
    return (str(entry["seq"]), at, what, entry.get("code") or "", amount, moment(entry["ends_at"]))


def _confirmation(sale: Sale, result: LotResult) -> bytes:
    """成交确认书: with the buyer's true name where the profile publishes it (网拍规定 art. 22), else by code."""
    winner = db.session.get_one(Registration, result.winner_registration_id)
    award = next(a for a in queries.awards_of(sale.lot_id) if a.position == 1)
    paper = Paper("网络竞价成交确认书", "Confirmation of sale", result.closed_at, f"知流 Zhiliu · {sale.code}")
    if sale.profile.sandbox:
        paper.paragraph("沙盒演练，加速时钟，非真实处置。 Rehearsal on an accelerated clock; not a real sale.")
    if sale.profile.identity_published.value:
        org = parties.get_org(winner.org_id)
        buyer = f"{org.name}（{org.uscc}）" if org.uscc else org.name
    else:
        buyer = f"竞买代码 {winner.code}（买受人要求保密）"
    price = format_minor(result.price_minor or 0, sale.currency)
    paper.paragraph(
        f"竞买代码 {winner.code} 于 {moment(result.closed_at)}（北京时间）以最高应价竞得下列标的，成交价 {price}。"
    )
    paper.section("标的", "The lot")
    paper.facts(_facts_of_the_lot(sale))
    paper.section("成交", "The sale")
    paper.facts(
        [
            ("买受人", "Buyer", buyer),
            ("竞买代码", "Code", winner.code),
            ("成交价", "Price", price),
            ("成交时间", "Closed", f"{moment(result.closed_at)}（北京时间）"),
            ("余款期限", "Balance due", f"{moment(award.balance_due_at)} 前" if award.balance_due_at else "—"),
            ("依据", "Basis", sale.profile.identity_published.source),
        ]
    )
    paper.paragraph("保证金抵作价款。余款未按期付清的，按公告和规则载明的悔拍后果处理。")
    paper.section("核验", "Verify", keep=62)
    paper.hashes([("末端 head", result.head_hash)], _page(sale))
    return paper.content()


__all__ = ["Papers", "build", "make_protocol"]
