"""What a case lacks or has wrong: one pass gives all findings, each at its field, with the rule's source.

``error`` bars saving, ``submit`` bars submission, ``warn`` is shown and stays the bank's own decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from marketplace.cases.rules.documents import checklist
from marketplace.cases.rules.paths import PATHS, Path
from marketplace.core.calendar import add_years
from marketplace.rights.rules.kinds import KINDS, Kind

#: 鄂知发〔2025〕17号 item 2: the bank's own or the agreed value may stand for one loan up to RMB 10 million.
OWN_VALUATION_LIMIT_MINOR = 10_000_000_00
OWN_VALUATIONS = ("bank_internal", "bank_enterprise_agreed")
POLICY = "鄂知发〔2025〕17号"
PRICE_VALIDITY_YEARS = 1  # 参考价规定 art. 27


@dataclass(frozen=True, slots=True)
class Finding:
    """``severity``: error, submit or warn. ``at`` is the form field, None for the case as a whole."""

    code: str
    severity: str
    at: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class PledgeFacts:
    """A pledged right as the check sees it; ``elsewhere``: references of the bank's other open cases with it."""

    right: str
    kind: str
    pledge_no: str | None = None
    pledge_date: date | None = None
    term_end: date | None = None
    co_owned: bool = False
    elsewhere: tuple[str, ...] = ()


def check_fields(case: Mapping[str, Any], today: date) -> list[Finding]:
    """Faults in what was typed: dates out of order, claim, the RMB 10 million guard. ``case``: column → value."""
    found: list[Finding] = []

    def order(earlier: str, later: str, severity: str) -> None:
        first, second = case.get(earlier), case.get(later)
        if first and second and second < first:
            found.append(Finding("case_dates", severity, later, {"earlier": earlier, "later": later}))

    order("loan_start", "loan_due", "error")
    order("loan_start", "default_date", "error")
    order("loan_start", "claim_date", "error")
    order("default_date", "claim_date", "warn")
    for name in ("loan_start", "default_date", "claim_date", "valuation_date"):
        if case.get(name) and case[name] > today:
            found.append(Finding("date_in_future", "error", name))
    principal, claimed = case.get("loan_principal_minor"), case.get("claim_principal_minor")
    if principal == 0:
        found.append(Finding("loan_zero", "error", "loan_principal"))
    if principal and claimed and claimed > principal:
        found.append(Finding("claim_above_loan", "warn", "claim_principal"))
    basis = case.get("valuation_basis")
    if basis in OWN_VALUATIONS and principal is not None and principal > OWN_VALUATION_LIMIT_MINOR:
        limit = {"limit_minor": OWN_VALUATION_LIMIT_MINOR}
        found.append(Finding("own_valuation_limit", "error", "valuation_basis", limit, POLICY))
    valued = case.get("valuation_date")
    if valued and add_years(valued, PRICE_VALIDITY_YEARS) < today:
        found.append(Finding("valuation_old", "warn", "valuation_date", {}, "参考价规定 art. 27"))
    return found


def check_pledges(pledges: Iterable[PledgeFacts], default_date: date | None, loan_due: date | None) -> list[Finding]:
    """What is wrong with the pledged rights. A right in another submitted, approved or listed case bars
    submission: it cannot be sold twice."""
    found: list[Finding] = []
    empty = True
    for pledge in pledges:
        empty = False
        info, name = KINDS[Kind(pledge.kind)], {"right": pledge.right}
        if not info.pledgeable:
            found.append(Finding("right_not_pledgeable", "submit", "rights", name, "专利权质押登记办法"))
        elif pledge.pledge_date is None:
            # a pledge of a registered right arises with its registration; other kinds: see their register
            severity = "submit" if info.is_patent or info.is_mark else "warn"
            found.append(Finding("pledge_date_missing", severity, "rights", name, "民法典 art. 444"))
        if info.pledgeable and not pledge.pledge_no:
            found.append(Finding("pledge_no_missing", "warn", "rights", name))
        if pledge.pledge_date and default_date and pledge.pledge_date > default_date:
            found.append(Finding("pledge_after_default", "warn", "rights", name))
        if pledge.term_end and loan_due and loan_due > pledge.term_end:
            found.append(Finding("loan_beyond_term", "warn", "rights", name, "专利权质押登记办法"))
        if pledge.elsewhere:
            others = name | {"cases": "、".join(pledge.elsewhere)}
            found.append(Finding("right_in_other_case", "submit", "rights", others))
    if empty:
        found.append(Finding("rights_missing", "submit", "rights"))
    return found


#: What a submitted case must say.
REQUIRED = (
    "debtor_uscc",
    "loan_contract_no",
    "default_date",
    "claim_date",
    "valuation_basis",
    "valuation_minor",
    "valuation_date",
)


def check_complete(
    case: Mapping[str, Any], pledges: Iterable[PledgeFacts], documents: Iterable[str], today: date
) -> list[Finding]:
    """Everything between this case and its submission, in the order of the form; faults of ``check_fields`` too."""
    found = check_fields(case, today)
    for name in REQUIRED:
        if case.get(name) in (None, ""):
            found.append(Finding("required", "submit", name.removesuffix("_minor")))
    parts = ("claim_principal_minor", "claim_interest_minor", "claim_penalty_minor")
    if not any(case.get(name) for name in parts):
        found.append(Finding("claim_zero", "submit", "claim_principal"))
    path = Path(case["legal_path"])
    if PATHS[path].basis and not case.get("path_basis"):
        found.append(Finding("path_basis_missing", "submit", "path_basis", {}, PATHS[path].source))
    if case.get("valuation_basis") == "external_report" and not case.get("valuer"):
        found.append(Finding("required", "submit", "valuer"))
    pledges = list(pledges)
    found += check_pledges(pledges, case.get("default_date"), case.get("loan_due"))
    co_owned = any(p.co_owned for p in pledges)
    for line in checklist(path, documents, valuation_basis=case.get("valuation_basis"), co_owned=co_owned):
        if not line.present:
            severity = "submit" if line.must else "warn"
            found.append(Finding("document_missing", severity, "documents", {"document": line.code}, line.source))
    return found
