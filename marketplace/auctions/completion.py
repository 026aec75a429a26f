"""The documents that the last stage of a sale needs, by the profile's list (domain vocabulary, Chinese names)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from marketplace.auctions.models import Award, LotResult
from marketplace.auctions.sale import sale_of
from marketplace.core.db import db
from marketplace.core.models import Document

# a document's kind, as it is stored, for each name of the profiles' completion stage
CODES = {
    "成交确认书": "sale_confirmation",
    "价款缴纳凭证": "payment_proof",
    "转让合同": "transfer_contract",
    "质押登记注销材料": "pledge_release",
    "成交裁定书": "sale_ruling",
    "协助执行通知书": "assistance_notice",
    "竞价记录": "bidding_record",
    "拍卖笔录": "auction_record",
}
OURS = ("sale_confirmation", "bidding_record", "auction_record", "payment_proof")  # made or known by the platform


@dataclass(frozen=True)
class Item:
    """One line of the checklist. ``ours``: nobody has to upload it."""

    code: str
    name_zh: str
    done: bool
    ours: bool
    document_ids: tuple[int, ...]


def checklist(lot_id: int) -> list[Item]:
    """What completion needs, and what is there: uploaded documents of the lot, and what the platform made."""
    sale = sale_of(lot_id)
    stage = next((s for s in sale.profile.documents if s.stage == "completion"), None)
    uploaded: dict[str, list[int]] = {}
    rows = db.session.execute(
        select(Document.kind, Document.id).where(
            Document.subject == "lot", Document.subject_id == lot_id, Document.removed_at.is_(None)
        )
    )
    for kind, document_id in rows:
        uploaded.setdefault(kind, []).append(document_id)
    result = db.session.get(LotResult, lot_id, populate_existing=True)
    paid = db.session.scalar(select(Award.id).where(Award.lot_id == lot_id, Award.state == "paid"))
    known = {
        "sale_confirmation": result is not None and result.confirmation_pdf_id is not None,
        "bidding_record": result is not None and result.protocol_pdf_id is not None,
        "auction_record": result is not None and result.protocol_pdf_id is not None,
        "payment_proof": paid is not None,
    }
    items = []
    for name in stage.names_zh if stage else ():
        code = CODES.get(name, name)
        documents = tuple(sorted(uploaded.get(code, ())))
        items.append(Item(code, name, bool(documents) or known.get(code, False), code in OURS, documents))
    return items


def missing_documents(lot_id: int) -> list[Item]:
    return [item for item in checklist(lot_id) if not item.done]
