"""The demo's defaulted loans and their rights. Everything here is made up and marked as demo."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fpdf import FPDF
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from marketplace.cases import service as cases
from marketplace.cases.models import Case
from marketplace.cases.rules.documents import checklist
from marketplace.core import approvals
from marketplace.core.calendar import add_years
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.demo.people import actor, made_up_code
from marketplace.rights import burdens
from marketplace.rights import service as rights
from marketplace.rights.models import Right
from marketplace.rights.rules.annuities import patent_year
from marketplace.rights.rules.number_patents import check_digit


@dataclass(frozen=True)
class Thing:
    """One right: patents get a made-up number with a right check digit, filed ``age`` years ago."""

    kind: str
    title: str
    title_en: str
    serial: str
    age: int = 5
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Loan:
    reference: str
    debtor: str
    principal: int  # yuan
    value: int  # yuan
    things: tuple[Thing, ...]


LOANS = (
    Loan("演示-001", "江夏智感科技有限公司（演示）", 4_000_000, 5_200_000, (
        Thing("invention_patent", "一种桥梁振动的光纤监测方法",
              "Method for monitoring bridge vibration by optical fibre", "9900101", 6, {"ipc": ["G01H9/00"]}),
        Thing("utility_model", "光纤传感器的防水接头", "Waterproof joint for an optical fibre sensor", "9900102", 4,
              {"ipc": ["G02B6/38"]}),
    )),
    Loan("演示-002", "宜昌绿源水务有限公司（演示）", 2_600_000, 3_000_000, (
        Thing("invention_patent", "一种低能耗污泥干化装置", "Low-energy sludge drying apparatus", "9900103", 7,
              {"ipc": ["C02F11/12"]}),
    )),
    Loan("演示-003", "黄石云图软件有限公司（演示）", 1_500_000, 1_800_000, (
        Thing("software_copyright", "矿山安全巡检平台软件 V2.0", "Mine safety inspection platform V2.0", "9900104", 3),
    )),
    Loan("演示-004", "孝感禾丰种业有限公司（演示）", 3_200_000, 4_100_000, (
        Thing("plant_variety", "禾丰优 8 号", "Hefengyou 8", "9900105", 2),
        Thing("trademark", "禾丰", "HEFENG", "99900106", 4, {"nice": ["31"]}),
    )),
)  # fmt: skip


def paper(title: str) -> FileStorage:
    """A one-page PDF that says what it stands for."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=20)
    pdf.cell(text=f"DEMO - {title}")
    return FileStorage(io.BytesIO(bytes(pdf.output())), filename=f"demo-{title}.pdf", content_type="application/pdf")


def facts(thing: Thing, day: date, holder: str) -> dict[str, Any]:
    """What the bank's maker types for this right."""
    filed = add_years(day, -thing.age).replace(day=1)
    data: dict[str, Any] = {
        "kind": thing.kind, "title": thing.title, "title_en": thing.title_en, "holder_name": holder,
        "filing_date": filed, "registration_date": add_years(filed, 1),
    } | thing.fields  # fmt: skip
    match thing.kind:
        case "invention_patent" | "utility_model":
            digits = f"{filed.year}{'1' if thing.kind == 'invention_patent' else '2'}{thing.serial}"
            data["number"] = f"ZL{digits}.{check_digit(digits)}"
            data |= {"grant_date": add_years(filed, 1), "fees_paid_through": patent_year(filed, day) + 1}
        case "software_copyright":
            data |= {"number": f"{filed.year}SR{thing.serial}", "first_publication": filed, "completion_date": filed}
        case "plant_variety":
            data |= {"number": f"CNA{filed.year}{thing.serial}", "grant_date": add_years(filed, 1)}
        case _:
            data["number"] = thing.serial
    return data


def enter(loan: Loan, *, approve: bool = True) -> Case:
    """One loan with its rights, pledges and documents, by one banker; approved by the second."""
    maker, day = actor("bank"), today()
    found = db.session.scalar(select(Case).where(Case.reference == loan.reference))
    if found is not None:
        return found
    owed: list[Right] = []
    for thing in loan.things:
        right = rights.create_right(maker, facts(thing, day, loan.debtor))
        right.demo = True
        burdens.add_encumbrance(maker, right.id, {
            "kind": "pledge", "holder": "江汉示范银行（演示）", "own": True, "recorded": True,
            "from_date": day - timedelta(days=700), "registration_no": f"Y{day.year - 2}420{thing.serial[-6:]:0>6}",
        })  # fmt: skip
        owed.append(right)
    return case_for(loan.reference, loan.debtor, loan.principal, loan.value, owed, approve=approve)


def case_for(
    reference: str, debtor: str, principal: int, value: int, owed: list[Right], *, approve: bool, notes: str = ""
) -> Case:
    """A case over these rights with every document its path needs. ``principal`` and ``value`` in yuan."""
    maker, second, day = actor("bank"), actor("bank2"), today()
    case = cases.create_case(maker, {
        "reference": reference, "debtor_name": debtor, "debtor_uscc": made_up_code(900),
        "loan_contract_no": f"借-{reference}",
        "loan_principal_minor": principal * 100, "loan_start": day - timedelta(days=720),
        "loan_due": day - timedelta(days=120), "default_date": day - timedelta(days=119),
        "claim_date": day - timedelta(days=5), "claim_principal_minor": principal * 90,
        "claim_interest_minor": principal * 6, "claim_penalty_minor": principal,
        "legal_path": "agreed_sale", "path_basis": "质押合同第 12 条（演示）", "valuation_basis": "bank_internal",
        "valuation_minor": value * 100, "valuation_date": day - timedelta(days=30), "region_code": "420115",
        "notes": notes,
    }, demo=True)  # fmt: skip
    for right in owed:
        cases.add_right(maker, case.id, right.id, pledge_no=f"Y{day.year - 2}420{right.id:06d}",
                        pledge_date=day - timedelta(days=700))  # fmt: skip
    for line in checklist("agreed_sale", (), valuation_basis="bank_internal"):
        cases.add_document(maker, case.id, line.code, paper(line.code))
    if approve:
        approvals.decide(cases.submit_case(maker, case.id).id, second, approve=True)
    return case
