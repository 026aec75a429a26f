"""Cases with their rights, documents and approval, made through the services."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from marketplace.cases import service
from marketplace.cases.models import Case
from marketplace.cases.rules.documents import checklist
from marketplace.core import approvals
from marketplace.core.actor import Actor
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.core.models import Document
from marketplace.parties.models import Organisation
from marketplace.rights import bulk
from marketplace.rights.models import Right
from marketplace.rights.rules.number_patents import check_digit
from tests.factories.parties import make_actor, make_org, make_uscc

_numbers = itertools.count(1)


def case_data(**changes: Any) -> dict[str, Any]:
    """A complete, sound case on the agreed-sale path: RMB 5 m lent, RMB 4.4 m owed."""
    day = today()
    data = {
        "reference": f"BL-{next(_numbers):05d}",
        "debtor_name": "武汉江夏测试科技有限公司",
        "debtor_uscc": make_uscc(),
        "loan_contract_no": "借字2023第001号",
        "loan_principal_minor": 5_000_000_00,
        "loan_start": day - timedelta(days=1000),
        "loan_due": day - timedelta(days=200),
        "default_date": day - timedelta(days=199),
        "claim_date": day - timedelta(days=10),
        "claim_principal_minor": 4_200_000_00,
        "claim_interest_minor": 180_000_00,
        "claim_penalty_minor": 20_000_00,
        "legal_path": "agreed_sale",
        "path_basis": "质押合同第 12 条",
        "valuation_basis": "bank_internal",
        "valuation_minor": 6_000_000_00,
        "valuation_date": day - timedelta(days=60),
    }
    return data | changes


def make_patent_number(year: int = 2020, type_digit: int = 1) -> str:
    """A fresh Chinese patent number with a right check digit."""
    digits = f"{year}{type_digit}{next(_numbers):07d}"
    return f"ZL{digits}.{check_digit(digits)}"


def make_collateral(org_id: int, count: int = 1, **fields: Any) -> list[Right]:
    """Invention patents of this bank, filed in 2020, fees paid."""
    rows = [
        bulk.prepare(
            "invention_patent",
            {
                "number": make_patent_number(),
                "title": "一种水电站高压输电线路驱鸟保护装置",
                "holder_name": "武汉江夏测试科技有限公司",
                "filing_date": date(2020, 3, 27),
                "grant_date": date(2022, 4, 1),
                "fees_paid_through": 8,
            }
            | fields,
        )
        for _ in range(count)
    ]
    bulk.upsert(org_id, rows, Actor(org_id=org_id, via="job"))
    db.session.commit()
    numbers = [row.values["number"] for row in rows]
    return list(db.session.scalars(db.select(Right).where(Right.org_id == org_id, Right.number.in_(numbers))))


def add_needed_documents(case: Case, codes: Sequence[str] | None = None) -> None:
    """A row for each document whose absence would bar submission (no bytes behind it)."""
    needed = [line.code for line in checklist(case.legal_path, (), valuation_basis=case.valuation_basis) if line.must]
    for code in needed if codes is None else codes:
        db.session.add(
            Document(
                kind=code,
                subject="case",
                subject_id=case.id,
                org_id=case.org_id,
                filename=f"{code}.pdf",
                media_type="application/pdf",
                size=1,
                sha256="0" * 64,
            )
        )
    db.session.flush()


def make_case(
    actor: Actor | None = None,
    *,
    org: Organisation | None = None,
    rights: Sequence[Right] | int = 1,
    documents: bool = True,
    approved: bool = False,
    approver: Actor | None = None,
    **changes: Any,
) -> Case:
    """A draft case of ``actor``'s bank (a fresh bank when none is given) with its rights and needed documents;
    with ``approved`` submitted and approved by a second member. Committed."""
    if actor is None:
        actor = make_actor("bank", org=org or make_org("bank"))
    assert actor.org_id is not None
    case = service.create_case(actor, case_data(**changes))
    if isinstance(rights, int):
        rights = make_collateral(actor.org_id, rights) if rights else []
        case = db.session.get_one(Case, case.id)
    for number, right in enumerate(rights, start=1):
        service.add_right(
            actor,
            case.id,
            right.id,
            pledge_no=f"Y20234200{next(_numbers):05d}",
            pledge_date=case.loan_start,
            rank=number if number < 99 else 99,
        )
    if documents:
        add_needed_documents(case)
    if approved:
        approve_case(actor, case, approver)
    db.session.commit()
    return case


def approve_case(actor: Actor, case: Case, approver: Actor | None = None) -> Case:
    """Submit and approve by another member of the same bank."""
    second = approver or make_actor("bank", ("approver",), org=db.session.get(Organisation, case.org_id))
    approval = service.submit_case(actor, case.id)
    approvals.decide(approval.id, second, approve=True)
    db.session.commit()
    return case
