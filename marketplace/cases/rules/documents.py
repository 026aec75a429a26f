"""Types of case documents (domain 2.9) and which of them a case needs, as a table.

A row says on which legal paths the document is needed. ``must`` bars submission, ``should`` only warns. What no
source demands stays optional: a bank may always add more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.cases.rules.paths import Path

ALL = frozenset(Path)


@dataclass(frozen=True, slots=True)
class DocumentType:
    """``code`` is stored with the file. ``must`` and ``should`` are the legal paths on which it is needed."""

    code: str
    stage: str  # loan, default, valuation, other
    must: frozenset[Path] = frozenset()
    should: frozenset[Path] = frozenset()
    source: str = ""


def _on(*paths: Path) -> frozenset[Path]:
    return frozenset(paths)


_ROWS = (
    DocumentType("loan_contract", "loan", must=ALL, source="民诉解释 art. 365"),
    DocumentType("pledge_contract", "loan", must=ALL, source="民法典 art. 427"),
    DocumentType("pledge_notice", "loan", must=ALL, source="民法典 art. 444"),
    DocumentType("pledge_application", "loan", source="专利权质押登记办法 art. 7"),
    DocumentType("identity_proof", "loan", source="专利权质押登记办法 art. 7"),
    DocumentType("power_of_attorney", "loan", source="专利权质押登记办法 art. 7"),
    DocumentType("co_owner_consent", "loan", source="专利权质押登记办法 art. 4"),
    DocumentType("register_extract", "loan", should=ALL, source="细则 art. 145"),
    DocumentType("certificate", "loan"),
    DocumentType("fee_receipt", "loan"),
    DocumentType("patent_evaluation", "loan", source="专利法 art. 66"),
    DocumentType("claim_statement", "default", should=ALL),
    DocumentType("default_notice", "default", should=_on(Path.AGREED_SALE, Path.AGREED_DISCOUNT, Path.COMMERCIAL)),
    DocumentType(
        "realisation_agreement",
        "default",
        must=_on(Path.AGREED_SALE, Path.AGREED_DISCOUNT),
        source="担保解释 art. 45；民法典 art. 436",
    ),
    DocumentType("security_application", "default", must=_on(Path.SECURITY_ENFORCEMENT), source="民诉解释 art. 365"),
    DocumentType("condition_proof", "default", should=_on(Path.SECURITY_ENFORCEMENT), source="民诉解释 art. 365"),
    DocumentType("property_statement", "default", should=_on(Path.SECURITY_ENFORCEMENT), source="民诉解释 art. 365"),
    DocumentType("sale_ruling", "default", must=_on(Path.SECURITY_ENFORCEMENT), source="民诉解释 art. 370"),
    DocumentType("enforcement_ruling", "default", must=_on(Path.JUDICIAL), source="网拍规定 art. 13"),
    DocumentType("assistance_notice", "default", should=_on(Path.JUDICIAL)),
    DocumentType("consignment_contract", "default", must=_on(Path.COMMERCIAL), source="拍卖法 art. 44"),
    DocumentType("valuation_report", "valuation"),
    DocumentType("price_basis", "valuation"),
    DocumentType("guarantee_payment", "other"),
    DocumentType("insurance_settlement", "other"),
    DocumentType("recovery_record", "other"),
    DocumentType("other", "other"),
)

#: Every type by its code, in the order a form shows them.
DOCUMENTS: dict[str, DocumentType] = {row.code: row for row in _ROWS}

#: The valuation bases and the document that shows each (policy item 2; 参考价规定).
BASIS_DOCUMENT = {
    "external_report": "valuation_report",
    "bank_internal": "price_basis",
    "bank_enterprise_agreed": "price_basis",
    "portfolio_overall": "price_basis",
}


@dataclass(frozen=True, slots=True)
class Needed:
    """One line of the checklist: is this document there, and does its absence bar submission?"""

    code: str
    must: bool
    present: bool
    source: str = ""


def checklist(
    path: str, present: Iterable[str], *, valuation_basis: str | None = None, co_owned: bool = False
) -> list[Needed]:
    """The documents this case needs, needed ones first, each marked present or not.

    ``present``: codes of the uploaded documents. An external report must be there when the value rests on it; a
    co-owned right needs the consent of the other owners (专利权质押登记办法 art. 4).
    """
    have, way = set(present), Path(path)
    lines = []
    for row in DOCUMENTS.values():
        must, should = way in row.must, way in row.should
        if row.code == BASIS_DOCUMENT.get(valuation_basis or ""):
            must, should = valuation_basis == "external_report", True
        if row.code == "co_owner_consent" and co_owned:
            must = True
        if must or should:
            lines.append(Needed(row.code, must, row.code in have, row.source))
    return sorted(lines, key=lambda line: not line.must)
