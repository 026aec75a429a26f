"""From rows to the rules' facts: the term, the fees, the burdens and the health of one right on one day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from marketplace.rights.models import Encumbrance, Right
from marketplace.rights.rules import annuities as fees
from marketplace.rights.rules import encumbrances as burdens
from marketplace.rights.rules.health import Consents, Health, RightFacts, Status, health
from marketplace.rights.rules.kinds import KINDS, Kind
from marketplace.rights.rules.terms import RenewalWindow, Term, TermRefused, legal_term, renewal_window

DATES = ("filing_date", "grant_date", "registration_date", "first_publication", "completion_date")
#: Traits kept in ``right.extra``: ISO dates and yes/no.
EXTRA_DATES = (
    "author_death",
    "first_commercial_use",
    "compensated_until",
    "ownership_suspended_until",
    "invalidated_on",
)
EXTRA_TRAITS = ("natural_person", "woody")
UNREGISTERED = (Kind.COPYRIGHT_WORK, Kind.TRADE_SECRET)
_LICENCES = {
    "licence_exclusive": burdens.LicenceType.EXCLUSIVE,
    "licence_sole": burdens.LicenceType.SOLE,
    "licence_ordinary": burdens.LicenceType.ORDINARY,
}
#: Reductions known to the rules, by the percent a bank enters.
REDUCTIONS = {85: fees.SINGLE_APPLICANT, 70: fees.JOINT_APPLICANTS}


def extra_date(right: Right, name: str) -> date | None:
    value = (right.extra or {}).get(name)
    return date.fromisoformat(value) if value else None


def term_of(right: Right) -> Term | None:
    """The legal term; None when it cannot be computed (a date is missing, dates contradict each other). A mark's
    recorded renewal moves its end."""
    extra = right.extra or {}
    dates: dict[str, Any] = {name: getattr(right, name) for name in DATES}
    dates |= {name: extra_date(right, name) for name in EXTRA_DATES[:3]}
    traits: dict[str, Any] = {name: bool(extra.get(name)) for name in EXTRA_TRAITS}
    try:
        term = legal_term(right.kind, **dates, **traits)
    except TermRefused:
        return None
    if right.renewed_until and term.end and right.renewed_until > term.end:
        term = replace(term, end=right.renewed_until)
    return term


def renewal_of(right: Right) -> RenewalWindow | None:
    """When a mark's next renewal may be filed (商标法 art. 40); None for other kinds and unknown terms."""
    term = term_of(right) if KINDS[Kind(right.kind)].is_mark else None
    return renewal_window(term) if term and term.end else None


def schedule_of(right: Right) -> list[fees.Annuity]:
    """Every yearly fee of the right; empty without a filing date or for kinds without fees."""
    if not KINDS[Kind(right.kind)].has_annuities or right.filing_date is None:
        return []
    if right.grant_date and right.grant_date < right.filing_date:
        return []
    reduction = REDUCTIONS.get(right.fee_reduction)
    if reduction is None and right.fee_reduction:
        reduction = fees.Reduction("other", right.fee_reduction, confirmed=False)
    return fees.schedule(right.kind, right.filing_date, right.grant_date, None, reduction)


def paid_years(right: Right) -> set[int] | None:
    """Patent years whose fee is paid; None when nobody has said."""
    recorded = {payment.year for payment in right.annuity_payments}
    if right.fees_paid_through is None:
        return recorded or None
    return recorded | set(range(1, right.fees_paid_through + 1))


def annuity_state_of(right: Right, today: date) -> fees.AnnuityState | None:
    """How the fees stand; None when it cannot be said."""
    annuities = schedule_of(right)
    return fees.annuity_state(annuities, paid_years(right), today) if annuities else None


def burden_of(row: Encumbrance) -> burdens.Encumbrance:
    """The rules' view of a burden. A pledgee is named by its organisation where it is one of ours."""
    if row.kind == "pledge":
        return burdens.Pledge(row.holder, row.from_date, row.released_on, row.registration_no or "")
    if row.kind == "preservation":
        return burdens.Preservation(
            row.court or row.holder, row.case_no or "", row.from_date, row.until_date, row.released_on
        )
    recorded = row.from_date if row.recorded else None
    return burdens.Licence(row.holder, _LICENCES[row.kind], row.from_date, row.until_date, recorded, row.released_on)


def status_of(right: Right, today: date) -> Status:
    if extra_date(right, "invalidated_on"):
        return Status.INVALIDATED
    if right.terminated_on and right.terminated_on <= today:
        return Status.TERMINATED
    kind = Kind(right.kind)
    if kind == Kind.PATENT_APPLICATION:
        return Status.PENDING
    return Status.UNREGISTERED if kind in UNREGISTERED else Status.GRANTED


def suspended_until(right: Right, today: date) -> date | None:
    """Last day of a suspension; one without a known end lasts at least today."""
    if not right.ownership_suspended:
        return None
    return extra_date(right, "ownership_suspended_until") or today


def health_of(right: Right, today: date, consent_needed: bool = True, *, bidders_qualified: bool = False) -> Health:
    """May this right be offered on ``today``: verdict and every reason.

    A pledgee consents by a recorded consent or by being the bank that holds the right here. With
    ``consent_needed`` False the consents of pledgees and co-owners are taken as given (a court sells);
    ``bidders_qualified``: the offer admits only buyers with the status that the kind needs.
    """
    pledges = [row for row in right.encumbrances if row.kind == "pledge" and burden_of(row).active_on(today)]
    refusing = {
        row.holder for row in pledges if consent_needed and not row.consent and row.holder_org_id != right.org_id
    }
    agreed = {row.holder for row in pledges} - refusing
    owners = frozenset(right.co_owners) if right.co_owners_consent or not consent_needed else frozenset()
    facts = RightFacts(
        kind=Kind(right.kind),
        status=status_of(right, today),
        number=right.number_display,
        number_warnings=tuple(right.number_warnings),
        term=term_of(right),
        co_owners=tuple(right.co_owners),
        ownership_suspended_until=suspended_until(right, today),
        invalidation_pending=right.invalidation_pending,
    )
    consents = Consents(pledgees=frozenset(agreed), co_owners=owners, bidders_qualified=bidders_qualified)
    return health(
        facts, annuity_state_of(right, today), [burden_of(row) for row in right.encumbrances], consents, today
    )
