"""From an approved demo case to a published offer, by four different people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marketplace.auctions.rules.catalogue import get_profile
from marketplace.cases.models import Case
from marketplace.core import approvals
from marketplace.core.clock import today
from marketplace.demo.collateral import paper
from marketplace.demo.people import actor
from marketplace.listings import service as listings
from marketplace.listings import service_draft as drafts
from marketplace.listings.models import Listing
from marketplace.listings.texts import REVIEW_ITEMS

TEXTS = {
    "summary": "演示挂牌：标的为下列知识产权的全部权利，按现状整体处置。本页内容为演示，不是真实处置。",
    "known_defects": "演示：除下列质押外未发现其他负担；以登记簿记载为准。",
    "taxes_and_fees": "演示：因转让产生的税费由买卖双方依法各自承担，登记费由买受人承担。",
    "inspection": "演示：公告期内可预约查阅权利证书与登记簿副本。",
    "handover": "演示：价款付清后，处置方配合办理质押注销和转让登记。",
    "contact": "演示联系人：王经办，电话 000-0000-0000",
    "bidder_conditions": "演示：依法设立并通过核验的机构均可报名。",
    "priority_holders": "演示：未发现优先购买权人。",
}


def draft(case: Case, profile_code: str, opens_at: datetime, ends_at: datetime, start_yuan: int) -> Listing:
    """The first banker writes the offer."""
    maker = actor("bank")
    offer = drafts.create_listing(maker, case.id, [link.right_id for link in case.pledges], profile_code)
    texts: dict[str, Any] = {"title": offer.title, **TEXTS, "parties_notified_at": None}
    drafts.edit_text(maker, offer.id, texts)
    start = start_yuan * 100
    drafts.edit_terms(maker, offer.id, {
        "valuation_basis": case.valuation_basis, "appraisal_minor": case.valuation_minor,
        "appraisal_date": case.valuation_date, "start_minor": start, "increment_minor": max(start // 200, 100_00),
        "deposit_minor": start // 10, "balance_days": 15, "planned_opens_at": opens_at, "planned_ends_at": ends_at,
    })  # fmt: skip
    drafts.tick_warnings(maker, offer.id, [item.code for item in get_profile(profile_code).warnings])
    drafts.add_document(maker, offer.id, paper("price_basis"), "price_basis", "public")
    return offer


def tell_parties(offer: Listing, at: datetime) -> None:
    """The parties were told before the notice is published (网拍规定 art. 16)."""
    drafts.edit_text(actor("bank"), offer.id, {"parties_notified_at": at, "notification_note": f"演示，{today()}"})


def send(offer: Listing) -> None:
    """The second banker agrees; the platform sees it."""
    approvals.decide(drafts.submit(actor("bank"), offer.id).id, actor("bank2"), approve=True)


def review(offer: Listing) -> None:
    listings.review(actor("manager"), offer.id, list(REVIEW_ITEMS))


def publish(offer: Listing) -> Listing:
    return listings.publish(actor("manager2"), offer.id)
