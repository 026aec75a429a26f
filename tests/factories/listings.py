"""Listings at any state, made through the services by two bankers and two managers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from marketplace.core import approvals
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Document
from marketplace.listings import rules, service
from marketplace.listings.facts import profile_of
from marketplace.listings.models import Listing
from marketplace.listings.texts import REVIEW_ITEMS
from marketplace.parties.models import Organisation
from tests.factories.cases import make_case
from tests.factories.parties import make_actor, make_org

TEXTS = {
    "summary": "发明专利一件，已用于输电线路，权属清楚。",
    "known_defects": "未发现。",
    "taxes_and_fees": "依法由双方各自承担。",
    "inspection": "工作日 9:00–17:00 可以查看资料。",
    "handover": "付清价款后 15 日内移交资料并办理变更登记。",
    "contact": "王经理 027-0000000；监督 027-1111111",
    "bidder_conditions": "依法设立的法人或者其他组织。",
    "priority_holders": "未发现。",
    "notification_note": "书面送达。",
}


@dataclass(frozen=True)
class Made:
    """A listing and who made it."""

    listing: Listing
    maker: Actor
    second: Actor
    manager: Actor
    other_manager: Actor

    @property
    def id(self) -> int:
        return self.listing.id


def good_terms(**changes: Any) -> dict[str, Any]:
    """Terms no rule objects to: valued RMB 6 m, start 5 m, 40 days of notice, two days of bidding."""
    opens = now() + timedelta(days=40)
    return {
        "valuation_basis": "bank_internal",
        "appraisal_minor": 6_000_000_00,
        "start_minor": 5_000_000_00,
        "increment_minor": 20_000_00,
        "deposit_minor": 500_000_00,
        "balance_days": 15,
        "planned_opens_at": opens,
        "planned_ends_at": opens + timedelta(days=2),
    } | changes


def fill(maker: Actor, listing: Listing, texts: dict[str, Any] | None = None, **terms: Any) -> None:
    """Complete a draft so that it may be submitted."""
    told = {"parties_notified_at": now() - timedelta(days=5)}
    service.edit_text(maker, listing.id, {"title": listing.title} | TEXTS | told | (texts or {}))
    service.edit_terms(maker, listing.id, good_terms(**terms))
    service.tick_warnings(maker, listing.id, [item.code for item in profile_of(listing).warnings])
    document = Document(
        kind="price_basis",
        subject="listing",
        subject_id=listing.id,
        org_id=listing.org_id,
        filename="basis.pdf",
        media_type="application/pdf",
        size=1,
        sha256="0" * 64,
    )
    db.session.add(document)
    db.session.flush()
    listing.shown_documents = {str(document.id): "public"}


def make_listing(
    state: str = "published",
    *,
    org: Organisation | None = None,
    rights: int = 1,
    manager_org: Organisation | None = None,
    profile_code: str | None = None,
    texts: dict[str, Any] | None = None,
    filled: bool = True,
    case: Sequence[tuple[str, Any]] = (),
    **terms: Any,
) -> Made:
    """A listing in ``draft``, ``waiting`` (for the second banker), ``submitted``, ``reviewed``, ``published``,
    ``suspended`` or ``withdrawn``. ``terms``: TERM_FIELDS of the draft service. Committed."""
    org = org or make_org("bank", demo=profile_code == rules.SANDBOX)
    maker, second = make_actor("bank", ("maker",), org=org), make_actor("bank", ("approver",), org=org)
    platform = manager_org or make_org("platform")
    manager, other = make_actor("platform", org=platform), make_actor("platform", org=platform)
    made_case = make_case(maker, rights=rights, approved=True, approver=second, **dict(case))
    listing = service.create_listing(maker, made_case.id, [link.right_id for link in made_case.pledges], profile_code)
    made = Made(listing, maker, second, manager, other)
    if filled:
        fill(maker, listing, texts, **terms)
    db.session.commit()
    if state != "draft":
        advance(made, state)
    return made


ORDER = ("draft", "waiting", "submitted", "reviewed", "published")


def advance(made: Made, state: str) -> None:
    """Take a complete draft further."""
    goal = ORDER.index(state) if state in ORDER else len(ORDER) - 1
    approval = service.submit(made.maker, made.id)
    if goal >= 2:
        approvals.decide(approval.id, made.second, approve=True)
    if goal >= 3:
        service.review(made.manager, made.id, list(REVIEW_ITEMS))
    if goal >= 4:
        service.publish(made.other_manager, made.id)
    db.session.commit()
    if state == "suspended":
        service.suspend(made.manager, made.id, "系统故障")
    if state == "withdrawn":
        asked = service.withdraw(made.manager, made.id, "债务已清偿")
        approvals.decide(asked.id, made.other_manager, approve=True)
    db.session.commit()
