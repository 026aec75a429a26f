"""May this right be offered, and if not, why not: the verdict that gates publication.

Collects every reason at once. One reason of severity block makes the verdict BLOCKED, one of warn WARN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from marketplace.rights.rules.annuities import AnnuityState, FeeStanding
from marketplace.rights.rules.encumbrances import Encumbrance, Licence, LicenceType, Pledge, Preservation
from marketplace.rights.rules.kinds import KINDS, Kind, NumberFamily
from marketplace.rights.rules.number_types import WARNINGS
from marketplace.rights.rules.reasons import ORDER, Reason, Severity, reason
from marketplace.rights.rules.terms import Term


class Verdict(StrEnum):
    """OK and WARN may be published, BLOCKED may not."""

    OK = "ok"
    WARN = "warn"
    BLOCKED = "blocked"


class Status(StrEnum):
    """What the register says of the right."""

    GRANTED = "granted"  # granted or registered
    PENDING = "pending"
    TERMINATED = "terminated"
    INVALIDATED = "invalidated"
    UNREGISTERED = "unregistered"  # exists without a register: works, secrets


class Purpose(StrEnum):
    """What is to be done with the right."""

    TRANSFER = "transfer"
    PLEDGE = "pledge"
    EXCLUSIVE_LICENCE = "exclusive_licence"
    SOLE_LICENCE = "sole_licence"
    ORDINARY_LICENCE = "ordinary_licence"


_LICENSING = (Purpose.EXCLUSIVE_LICENCE, Purpose.SOLE_LICENCE, Purpose.ORDINARY_LICENCE)


@dataclass(frozen=True, slots=True)
class RightFacts:
    """What is known of a right.

    `number`: display form, empty when there is none; `number_warnings`: codes from parse_number.
    `term` None: it could not be computed. `co_owners`: every owner beside the one who offers.
    `ownership_suspended_until`: last day of a suspension for an ownership dispute.
    """

    kind: Kind
    status: Status = Status.GRANTED
    number: str = ""
    number_warnings: tuple[str, ...] = ()
    term: Term | None = None
    co_owners: tuple[str, ...] = ()
    ownership_suspended_until: date | None = None
    invalidation_pending: bool = False


@dataclass(frozen=True, slots=True)
class Consents:
    """Consents on file, by the ids or names used in pledges and `co_owners`.

    A pledgee that itself offers the right counts as consenting: put it in `pledgees`.
    `bidders_qualified`: the listing admits only transferees with the status that the kind needs.
    """

    pledgees: frozenset[str] = frozenset()
    co_owners: frozenset[str] = frozenset()
    bidders_qualified: bool = False


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """Settings: how many days before its end a term "expires soon"."""

    expires_soon_days: int = 365


@dataclass(frozen=True, slots=True)
class Health:
    """Verdict and every reason for it, the barring ones first."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = field(default=())

    @property
    def publishable(self) -> bool:
        """Whether a listing of this right may be published."""
        return self.verdict != Verdict.BLOCKED

    def has(self, code: str) -> bool:
        """Whether a reason with this code is among them."""
        return any(item.code == code for item in self.reasons)


def health(
    right: RightFacts,
    annuities: AnnuityState | None = None,
    encumbrances: Sequence[Encumbrance] = (),
    consents: Consents | None = None,
    today: date | None = None,
    *,
    purpose: Purpose = Purpose.TRANSFER,
    selling_court: str | None = None,
    policy: HealthPolicy | None = None,
) -> Health:
    """The health of a right on `today` (required) for `purpose`.

    `annuities`: state of the yearly fees, None when unknown. `selling_court`: the court that sells; its own
    preservation does not bar its own sale, only warns.
    """
    if today is None:
        raise ValueError("health needs a day")
    found = [
        *_standing(right, purpose),
        *_term(right, today, policy or HealthPolicy()),
        *_fees(right, annuities),
        *_procedures(right, today),
        *_burdens(right, encumbrances, consents or Consents(), today, purpose, selling_court),
        *_owners(right, consents or Consents(), purpose),
        *_number(right),
    ]
    found.sort(key=lambda item: (item.severity != Severity.BLOCK, ORDER[item.code]))
    if not found:
        return Health(Verdict.OK)
    blocked = any(item.severity == Severity.BLOCK for item in found)
    return Health(Verdict.BLOCKED if blocked else Verdict.WARN, tuple(found))


def _standing(right: RightFacts, purpose: Purpose) -> Iterator[Reason]:
    if right.status == Status.INVALIDATED:
        yield reason("invalidated")
    if right.status == Status.TERMINATED:
        yield reason("terminated")
    if right.kind == Kind.PATENT_APPLICATION:
        pledging = purpose == Purpose.PLEDGE
        yield reason("application_not_pledgeable" if pledging else "application_only")
    elif right.status == Status.PENDING:
        yield reason("not_granted")


def _term(right: RightFacts, today: date, policy: HealthPolicy) -> Iterator[Reason]:
    if right.term is None:
        yield reason("term_unknown")
        return
    if not right.term.confirmed:
        yield reason("term_unconfirmed")
    left = right.term.remaining(today)
    if right.term.end is None or left is None:
        return
    end = right.term.end.isoformat()
    if right.term.expired_on(today):
        yield reason("expired", end=end)
    elif left.total_days <= policy.expires_soon_days:
        yield reason("expires_soon", end=end, days=left.total_days)


def _fees(right: RightFacts, state: AnnuityState | None) -> Iterator[Reason]:
    if not KINDS[right.kind].has_annuities:
        return
    if state is None or state.standing in (FeeStanding.UNKNOWN, FeeStanding.NONE_DUE):
        yield reason("fee_unknown")
        return
    if state.annuity is None or state.standing == FeeStanding.PAID:
        return
    fee = state.annuity
    params: dict[str, Any] = {"year": fee.year, "due": fee.due.isoformat()}
    if state.standing == FeeStanding.DUE_SOON:
        yield reason("fee_due_soon", **params)
        return
    params["grace_end"] = fee.grace_end.isoformat()
    if state.standing == FeeStanding.GRACE:
        yield reason("fee_in_grace", **params)
    else:
        yield reason("fee_lapsed", **params, lapsed_from=fee.due.isoformat())


def _procedures(right: RightFacts, today: date) -> Iterator[Reason]:
    until = right.ownership_suspended_until
    if until and today <= until:
        yield reason("ownership_suspended", until=until.isoformat())
    if right.invalidation_pending:
        yield reason("invalidation_pending")


def _burdens(
    right: RightFacts,
    encumbrances: Sequence[Encumbrance],
    consents: Consents,
    today: date,
    purpose: Purpose,
    selling_court: str | None,
) -> Iterator[Reason]:
    for item in encumbrances:
        if not item.active_on(today):
            continue
        if isinstance(item, Preservation):
            own = selling_court is not None and item.court == selling_court
            code = "preserved_by_selling_court" if own else "preserved"
            yield reason(code, court=item.court, case_no=item.case_no, until=_day(item.until))
        elif isinstance(item, Pledge):
            yield _pledge(right, item, consents, purpose)
        else:
            yield _licence(item, purpose)


def _pledge(right: RightFacts, pledge: Pledge, consents: Consents, purpose: Purpose) -> Reason:
    if purpose == Purpose.PLEDGE and KINDS[right.kind].is_patent:
        return reason("not_pledgeable_again", pledgee=pledge.pledgee)
    consented = pledge.pledgee in consents.pledgees
    return reason("pledged" if consented else "pledgee_consent_missing", pledgee=pledge.pledgee)


def _licence(licence: Licence, purpose: Purpose) -> Reason:
    params: dict[str, Any] = {"licensee": licence.licensee, "until": _day(licence.until)}
    strong = licence.type in (LicenceType.EXCLUSIVE, LicenceType.SOLE)
    if strong and purpose in _LICENSING:
        return reason("licence_conflict", **params)
    code = {LicenceType.EXCLUSIVE: "exclusive_licence", LicenceType.SOLE: "sole_licence"}
    return reason(code.get(licence.type, "ordinary_licence"), **params)


def _owners(right: RightFacts, consents: Consents, purpose: Purpose) -> Iterator[Reason]:
    if purpose != Purpose.ORDINARY_LICENCE:  # each co-owner may grant ordinary licences alone
        for owner in right.co_owners:
            if owner not in consents.co_owners:
                yield reason("co_owner_consent_missing", owner=owner)
    info = KINDS[right.kind]
    if purpose == Purpose.TRANSFER and not info.any_bidder:
        met = consents.bidders_qualified
        yield reason(
            "qualified_transferee_only" if met else "qualified_transferee_needed",
            kind=info.zh,
            kind_code=info.code,
        )


def _number(right: RightFacts) -> Iterator[Reason]:
    if not right.number:
        if KINDS[right.kind].family != NumberFamily.FREE:
            yield reason("number_missing")
        return
    if right.number_warnings:
        texts = "；".join(WARNINGS[code] for code in right.number_warnings)
        yield reason("number_unconfirmed", number=right.number, warnings=texts, codes=right.number_warnings)


def _day(day: date | None) -> str:
    return day.isoformat() if day else "未定"
