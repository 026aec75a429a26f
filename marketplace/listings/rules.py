"""May this offer go on: the gates of submission, review and publication, as pure functions.

A gate yields findings; one of severity ``refuse`` keeps the offer where it is. The figures of price and time are
checked by ``auctions.rules.pricing``; here stands what belongs to the offer itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from marketplace.auctions.rules.findings import Finding
from marketplace.auctions.rules.pricing import check_organizer, check_terms
from marketplace.auctions.rules.profiles import Profile
from marketplace.auctions.rules.texts import check_checklists
from marketplace.core.calendar import IsWorkday, monday_to_friday

SANDBOX = "sandbox"
PROFILE_OF_PATH = {
    "judicial": "judicial_online",
    "security_enforcement": "judicial_online",
    "agreed_sale": "pledgee_agreed",
    "agreed_discount": "pledgee_agreed",
    "bankruptcy": "bankruptcy",
    "state_owned": "state_owned",
    "commercial": "commercial",
}
TEXTS = ("title", "summary", "known_defects", "taxes_and_fees", "inspection", "handover", "contact")
PRICE_DOCUMENTS = ("valuation_report", "price_basis")
OBJECTION_CAPACITIES = ("bidder", "co_owner", "creditor", "debtor", "third_party")
OBJECTION_GROUNDS = ("ownership", "burden", "description", "price", "procedure", "priority", "other")
LIVE_STATES = ("draft", "submitted", "reviewed", "published", "suspended")
PUBLIC_STATES = ("published", "suspended", "withdrawn", "closed")


def default_profile(legal_path: str) -> str:
    """The rule profile of a case's legal path (domain 1.0)."""
    return PROFILE_OF_PATH[legal_path]


def profile_choices(legal_path: str, demo_org: bool) -> tuple[str, ...]:
    """What a bank may choose: the profile of the path; a demo organisation also the sandbox."""
    own = default_profile(legal_path)
    return (own, SANDBOX) if demo_org else (own,)


@dataclass(frozen=True)
class RightFacts:
    """One right as the gates see it. ``blocked``: (code, text, source) of each barring reason of its health."""

    right_id: int
    label: str
    blocked: tuple[tuple[str, str, str], ...] = ()
    offered_elsewhere: tuple[str, ...] = ()  # titles or numbers of other live offers


@dataclass(frozen=True)
class OfferFacts:
    """All that the gates look at. Amounts in minor units, moments aware; ``at`` is when it would be published."""

    profile: Profile
    at: datetime
    org_verified: bool
    case_approved: bool
    rights: tuple[RightFacts, ...]
    texts: dict[str, str]
    documents: frozenset[str]  # kinds attached to the listing or its case
    path_basis: str
    bidder_conditions: str = ""
    priority_holders: str = ""
    warned: frozenset[str] = frozenset()
    start_minor: int | None = None
    increment_minor: int | None = None
    deposit_minor: int | None = None
    balance_days: int | None = None
    opens_at: datetime | None = None
    ends_at: datetime | None = None
    appraisal_minor: int | None = None
    appraisal_date: date | None = None
    valuation_basis: str | None = None
    loan_principal_minor: int | None = None
    parties_notified_at: datetime | None = None
    licence_no: str | None = None
    auctioneer: str | None = None
    labelled_auction: bool = False
    is_workday: IsWorkday = field(default=monday_to_friday)
    holidays_until: date | None = None


def noticed(facts: OfferFacts) -> frozenset[str]:
    """Codes of the notice items (网拍规定 arts. 12, 13) that the data at hand fill."""
    texts = {name: bool(text.strip()) for name, text in facts.texts.items()}
    has = {
        "property": bool(facts.rights),
        "price": facts.start_minor is not None and facts.increment_minor is not None,
        "deposit": facts.deposit_minor is not None,
        "bidder_conditions": bool(facts.bidder_conditions.strip()),
        "known_defects": texts.get("known_defects", False),
        "related_rights": bool(facts.rights) and texts.get("handover", False),
        "liability": "deposit_forfeit" in facts.warned,
        "time": facts.opens_at is not None and facts.ends_at is not None,
        "platform": True,
        "seller": True,
        "basis_document": bool(facts.path_basis.strip()),
        "price_basis": bool(facts.valuation_basis),
        "bidding_rules": facts.increment_minor is not None,
        "title_media": texts.get("summary", False),
        "priority_holders": bool(facts.priority_holders.strip()),
        "notification_status": facts.parties_notified_at is not None or facts.profile.parties_notified_days is None,
        "balance": facts.balance_days is not None,
        "taxes": texts.get("taxes_and_fees", False),
        "contact": texts.get("contact", False) and texts.get("inspection", False),
    }
    return frozenset(code for code, filled in has.items() if filled)


def gates(facts: OfferFacts) -> list[Finding]:
    """Everything that stands between this offer and its publication at ``facts.at``, all at once."""
    found: list[Finding] = []
    if not facts.org_verified:
        found.append(_own("organisation_not_verified", "org"))
    if not facts.case_approved:
        found.append(_own("case_not_approved", "case"))
    found += right_findings(facts.rights)
    found += [_own("text_missing", name, field=name) for name in TEXTS if not facts.texts.get(name, "").strip()]
    found += _terms(facts)
    found += check_organizer(
        facts.profile,
        labelled_auction=facts.labelled_auction,
        licence_no=facts.licence_no,
        auctioneer=facts.auctioneer,
    )
    found += check_checklists(facts.profile, set(facts.warned), set(noticed(facts)))
    if not facts.documents.intersection(PRICE_DOCUMENTS):
        finding = _own("price_document_missing", "documents")
        found.append(replace(finding, severity="warn") if facts.profile.sandbox else finding)
    return found


#: What else already says that a notice item is missing: the fields of the findings, for a warning its code.
ECHO_OF = {
    "property": {"rights"},
    "price": {"start_minor", "increment_minor"},
    "deposit": {"deposit_minor"},
    "known_defects": {"known_defects"},
    "related_rights": {"rights", "handover"},
    "liability": {"deposit_forfeit"},
    "time": {"opens_at", "ends_at"},
    "price_basis": {"valuation_basis"},
    "bidding_rules": {"increment_minor"},
    "title_media": {"summary"},
    "balance": {"balance_days"},
    "taxes": {"taxes_and_fees"},
    "contact": {"contact", "inspection"},
}
LACKS = frozenset({"rights_missing", "text_missing", "term_missing", "valuation_basis_missing", "warning_missing"})


def said_once(found: list[Finding]) -> list[Finding]:
    """The findings for a page, each lack once: a notice item is filled from the fields, so where a field is refused as
    empty, the item missing for it goes unsaid. The gate itself keeps both."""
    empty = {
        finding.params["item"] if finding.code == "warning_missing" else finding.params.get("field", finding.field)
        for finding in found
        if finding.code in LACKS and finding.severity == "refuse"
    }
    return [
        finding
        for finding in found
        if finding.code != "notice_item_missing" or not empty & ECHO_OF.get(str(finding.params["item"]), set())
    ]


def right_findings(rights: Iterable[RightFacts]) -> list[Finding]:
    """What keeps these rights from being offered: none chosen, health, another live offer."""
    return list(_rights(list(rights)))


def _rights(listed: list[RightFacts]) -> Iterable[Finding]:
    if not listed:
        yield _own("rights_missing", "rights")
    for item in listed:
        for code, text, source in item.blocked:
            yield Finding(
                "right_blocked", "refuse", "rights", {"right": item.label, "reason": code, "text": text}, source
            )
        if item.offered_elsewhere:
            yield _own("right_offered_elsewhere", "rights", right=item.label, offers="、".join(item.offered_elsewhere))


def _terms(facts: OfferFacts) -> Iterable[Finding]:
    needed = ("start_minor", "increment_minor", "deposit_minor", "balance_days", "opens_at", "ends_at")
    missing = [name for name in needed if getattr(facts, name) is None]
    yield from (_own("term_missing", name.removesuffix("_minor"), field=name) for name in missing)
    if facts.valuation_basis is None:
        yield _own("valuation_basis_missing", "valuation_basis")
    if facts.balance_days is not None and not 0 < facts.balance_days <= 365:
        yield _own("balance_days_range", "balance_days")
    yield from check_terms(
        facts.profile,
        round_no=1,
        appraisal_minor=facts.appraisal_minor,
        previous_start_minor=None,
        start_minor=facts.start_minor,
        increment_minor=facts.increment_minor,
        deposit_minor=facts.deposit_minor,
        published_at=facts.at,
        opens_at=facts.opens_at,
        ends_at=facts.ends_at,
        parties_notified_at=facts.parties_notified_at,
        valuation_basis=facts.valuation_basis,
        valuation_date=facts.appraisal_date,
        loan_principal_minor=facts.loan_principal_minor,
        is_workday=facts.is_workday,
        holidays_until=facts.holidays_until,
    )


def rehearsal_times(profile: Profile, at: datetime, opens_at: datetime, ends_at: datetime) -> tuple[datetime, datetime]:
    """Opening and end as published. A sandbox whose planned opening has passed while it was reviewed opens a
    moment later with its length kept; a real sale is never moved."""
    soonest = at + timedelta(seconds=profile.clock_floor_seconds)
    if not profile.sandbox or opens_at >= soonest:
        return opens_at, ends_at
    return soonest, soonest + (ends_at - opens_at)


def inseparable_hint(chosen: int, in_case: int) -> bool:
    """Rights that lose much of their value apart are sold together (拍变规定 art. 14): say so when a part is left."""
    return 0 < chosen < in_case


def _own(code: str, where: str, **params: Any) -> Finding:
    return Finding(code, "refuse", where, params, "平台规则", "contract")
