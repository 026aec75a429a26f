"""What a case needs on each legal path, and what bars its submission."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from marketplace.cases import texts
from marketplace.cases.imports.guess import guess
from marketplace.cases.models import LEGAL_PATHS, VALUATION_BASES
from marketplace.cases.rules.check import Finding, PledgeFacts, check_complete, check_fields
from marketplace.cases.rules.documents import BASIS_DOCUMENT, DOCUMENTS, checklist
from marketplace.cases.rules.paths import PATHS, Path

TODAY = date(2026, 11, 22)
SOUND: dict[str, Any] = {
    "debtor_uscc": "91420100MA4K00010X",
    "loan_contract_no": "1",
    "loan_principal_minor": 5_000_000_00,
    "loan_start": date(2023, 1, 10),
    "loan_due": date(2026, 1, 9),
    "default_date": date(2026, 1, 10),
    "claim_date": date(2026, 6, 30),
    "claim_principal_minor": 1,
    "legal_path": "agreed_sale",
    "path_basis": "第 12 条",
    "valuation_basis": "bank_internal",
    "valuation_minor": 1,
    "valuation_date": date(2026, 3, 31),
}
PLEDGE = PledgeFacts("ZL1", "invention_patent", "Y2022420000123", date(2023, 1, 12))
NEEDED = ("loan_contract", "pledge_contract", "pledge_notice", "realisation_agreement")


def codes(found: list[Finding], *severities: str) -> set[str]:
    return {f.code for f in found if not severities or f.severity in severities}


def test_a_sound_case_may_be_submitted() -> None:
    assert codes(check_complete(SOUND, [PLEDGE], NEEDED, TODAY), "error", "submit") == set()


@pytest.mark.parametrize(
    ("principal", "basis", "refused"),
    [
        (1_000_000_000, "bank_internal", False),
        (1_000_000_001, "bank_internal", True),
        (1_000_000_001, "bank_enterprise_agreed", True),
        (1_000_000_001, "external_report", False),
        (1_000_000_001, "portfolio_overall", False),
    ],
)
def test_own_valuation_only_up_to_ten_million(principal: int, basis: str, refused: bool) -> None:
    found = check_fields({"loan_principal_minor": principal, "valuation_basis": basis}, TODAY)
    assert ("own_valuation_limit" in codes(found, "error")) is refused


@pytest.mark.parametrize(
    ("change", "code", "severity"),
    [
        ({"loan_due": date(2022, 1, 1)}, "case_dates", "error"),
        ({"default_date": date(2027, 1, 1)}, "date_in_future", "error"),
        ({"claim_date": date(2026, 1, 1)}, "case_dates", "warn"),
        ({"claim_principal_minor": 6_000_000_00}, "claim_above_loan", "warn"),
        ({"claim_principal_minor": 0}, "claim_zero", "submit"),
        ({"valuation_date": date(2025, 11, 21)}, "valuation_old", "warn"),
        ({"path_basis": None}, "path_basis_missing", "submit"),
        ({"debtor_uscc": None}, "required", "submit"),
        ({"valuation_basis": "external_report"}, "document_missing", "submit"),
    ],
)
def test_each_gap_is_found(change: dict[str, Any], code: str, severity: str) -> None:
    assert code not in codes(check_complete(SOUND, [PLEDGE], NEEDED, TODAY), severity)
    assert code in codes(check_complete(SOUND | change, [PLEDGE], NEEDED, TODAY), severity)


@pytest.mark.parametrize(
    ("pledge", "code", "severity"),
    [
        (PledgeFacts("A", "patent_application", "Y1", date(2023, 1, 12)), "right_not_pledgeable", "submit"),
        (PledgeFacts("A", "invention_patent", "Y1", None), "pledge_date_missing", "submit"),
        (PledgeFacts("A", "trade_secret", "Y1", None), "pledge_date_missing", "warn"),
        (PledgeFacts("A", "invention_patent", None, date(2023, 1, 12)), "pledge_no_missing", "warn"),
        (PledgeFacts("A", "invention_patent", "Y1", date(2026, 2, 1)), "pledge_after_default", "warn"),
        (PledgeFacts("A", "invention_patent", "Y1", date(2023, 1, 12), date(2025, 1, 1)), "loan_beyond_term", "warn"),
        (
            PledgeFacts("A", "invention_patent", "Y1", date(2023, 1, 12), elsewhere=("B-1",)),
            "right_in_other_case",
            "submit",
        ),
        (PledgeFacts("A", "invention_patent", "Y1", date(2023, 1, 12), co_owned=True), "document_missing", "submit"),
    ],
)
def test_each_pledge_is_looked_at(pledge: PledgeFacts, code: str, severity: str) -> None:
    assert code in codes(check_complete(SOUND, [pledge], NEEDED, TODAY), severity)


def test_a_case_without_rights_cannot_be_submitted() -> None:
    assert "rights_missing" in codes(check_complete(SOUND, [], NEEDED, TODAY), "submit")


@pytest.mark.parametrize("path", LEGAL_PATHS)
def test_every_path_has_its_words_its_rule_and_its_documents(path: str) -> None:
    assert Path(path) in PATHS and path in texts.PATHS and path in texts.PATH_EXPLAINED
    must = {line.code for line in checklist(path, ()) if line.must}
    assert {"loan_contract", "pledge_contract", "pledge_notice"} <= must
    assert all(line.present for line in checklist(path, DOCUMENTS))


def test_every_code_has_a_text() -> None:
    assert set(DOCUMENTS) == set(texts.DOCUMENTS)
    assert set(VALUATION_BASES) == set(BASIS_DOCUMENT) == set(texts.VALUATION_BASES)
    assert {row.stage for row in DOCUMENTS.values()} == set(texts.STAGES)


@pytest.mark.parametrize(
    ("target", "header", "expected"),
    [
        ("rights", "序号 专利号 专利名称 申请日 授权公告日 专利权人", {"number": "专利号", "title": "专利名称",
         "filing_date": "申请日", "grant_date": "授权公告日", "holder_name": "专利权人"}),
        ("rights", "Patent_No Title Filing-Date Assignee", {"number": "Patent_No", "title": "Title",
         "filing_date": "Filing-Date", "holder_name": "Assignee"}),
        ("rights", "公开号 标题", {"number": "公开号", "publication_no": "公开号", "title": "标题"}),
        ("cases", "案件编号 借款人名称 贷款本金（万元） 剩余本金(元) 到期日", {"reference": "案件编号",
         "debtor_name": "借款人名称", "loan_principal": "贷款本金（万元）",
         "claim_principal": "剩余本金(元)", "loan_due": "到期日"}),
    ],
)  # fmt: skip
def test_columns_are_guessed_by_their_words(app: Any, target: str, header: str, expected: dict[str, str]) -> None:
    mapping, _ = guess(target, header.split(), [])
    assert mapping == expected


def test_a_column_without_telling_words_is_guessed_by_its_cells(app: Any) -> None:
    samples = [["甲", "CN111504366B"], ["乙", "CN215792497U"], ["丙", "CN114081026A"]]
    mapping, defaults = guess("rights", ["A列", "B列"], samples)
    assert mapping == {"number": "B列"} and defaults == {"kind": "auto"}
