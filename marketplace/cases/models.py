"""A defaulted loan, the claim, the rights pledged for it, and the imports that bring them in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import relationship

from marketplace.core.db import Base, Created, Key, Mapped, mapped_column, one_of
from marketplace.rights.models import Right

CASE_STATES = ("draft", "submitted", "approved", "listed", "closed", "withdrawn")
# domain §1.0: A judicial, B 实现担保物权, C agreed sale, D agreed 折价, E bankruptcy, F state-owned, G commercial
LEGAL_PATHS = (
    "judicial",
    "security_enforcement",
    "agreed_sale",
    "agreed_discount",
    "bankruptcy",
    "state_owned",
    "commercial",
)
VALUATION_BASES = ("external_report", "bank_internal", "bank_enterprise_agreed", "portfolio_overall")


class Case(Base):
    __tablename__ = "case"
    id: Mapped[Key]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    reference: Mapped[str]  # the bank's own number, unique in the bank
    debtor_name: Mapped[str]
    debtor_uscc: Mapped[str | None]
    debtor_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    region_code: Mapped[str | None]
    industry: Mapped[str | None]
    currency: Mapped[str] = mapped_column(server_default="CNY")
    loan_contract_no: Mapped[str | None]
    loan_principal_minor: Mapped[int]
    loan_start: Mapped[date | None]
    loan_due: Mapped[date | None]
    default_date: Mapped[date | None]
    claim_date: Mapped[date | None]  # the claim's figures are as of this day
    claim_principal_minor: Mapped[int] = mapped_column(server_default=text("0"))
    claim_interest_minor: Mapped[int] = mapped_column(server_default=text("0"))
    claim_penalty_minor: Mapped[int] = mapped_column(server_default=text("0"))
    legal_path: Mapped[str]
    path_basis: Mapped[str | None]  # contract clause, ruling number …
    valuation_basis: Mapped[str | None]
    valuation_minor: Mapped[int | None]
    valuation_date: Mapped[date | None]
    valuer: Mapped[str | None]
    notes: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="draft")
    state_reason: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_at: Mapped[datetime | None]
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    pledges: Mapped[list[CaseRight]] = relationship(back_populates="case", order_by="CaseRight.id")
    __table_args__ = (
        UniqueConstraint("org_id", "reference"),
        Index("ix_case_org_state", "org_id", "state"),
        one_of("state", CASE_STATES),
        one_of("legal_path", LEGAL_PATHS),
        one_of("valuation_basis", VALUATION_BASES),
        CheckConstraint("approved_by IS NULL OR approved_by <> submitted_by", name="second_person"),
        CheckConstraint(
            "loan_principal_minor >= 0 AND claim_principal_minor >= 0 AND claim_interest_minor >= 0"
            " AND claim_penalty_minor >= 0",
            name="amounts",
        ),
    )


class CaseRight(Base):
    """A right pledged for the loan, with its pledge registration."""

    __tablename__ = "case_right"
    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    right_id: Mapped[int] = mapped_column(ForeignKey("right.id"), index=True)
    pledge_no: Mapped[str | None]
    pledge_date: Mapped[date | None]
    rank: Mapped[int] = mapped_column(server_default=text("1"))
    case: Mapped[Case] = relationship(back_populates="pledges")
    right: Mapped[Right] = relationship()
    __table_args__ = (
        UniqueConstraint("case_id", "right_id"),
        CheckConstraint("rank BETWEEN 1 AND 99", name="rank"),
    )


class ImportRun(Base):
    """One uploaded file of rights or cases: mapped, dry-run, run. The same file twice changes nothing."""

    __tablename__ = "import_run"
    id: Mapped[Key]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    target: Mapped[str]
    filename: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    encoding: Mapped[str | None]
    delimiter: Mapped[str | None]
    sheet: Mapped[str | None]
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    columns: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    samples: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))  # first rows, for the mapping screen
    mapping: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # field → column
    defaults: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    state: Mapped[str] = mapped_column(server_default="uploaded")
    cursor: Mapped[int] = mapped_column(server_default=text("0"))  # the last row worked: where a killed run goes on
    rows_total: Mapped[int] = mapped_column(server_default=text("0"))
    rows_read: Mapped[int] = mapped_column(server_default=text("0"))
    rows_new: Mapped[int] = mapped_column(server_default=text("0"))
    rows_changed: Mapped[int] = mapped_column(server_default=text("0"))
    rows_same: Mapped[int] = mapped_column(server_default=text("0"))
    rows_bad: Mapped[int] = mapped_column(server_default=text("0"))
    rows_warned: Mapped[int] = mapped_column(server_default=text("0"))
    failures: Mapped[int] = mapped_column(server_default=text("0"))  # times a chunk broke off; too many end the run
    failure: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("target", ("rights", "cases")),
        one_of("state", ("uploaded", "mapped", "checking", "checked", "running", "done", "failed")),
        Index("ix_import_run_org", "org_id", "id"),
    )


class ImportFault(Base):
    """A row that was not taken, or was taken with a warning: where and why."""

    __tablename__ = "import_fault"
    id: Mapped[Key]
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"))
    row_no: Mapped[int]
    column: Mapped[str | None]
    field: Mapped[str | None]
    value: Mapped[str | None]
    code: Mapped[str]
    message: Mapped[str | None]  # Chinese template of another room's refusal; own codes are in cases.faults
    severity: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    __table_args__ = (one_of("severity", ("error", "warning")), Index("ix_import_fault_run", "run_id", "row_no"))


class ImportRow(Base):
    """A row of an uploaded file as text, kept until its run is done (bad ones longer, for the download)."""

    __tablename__ = "import_row"
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)  # as the spreadsheet counts it, the header included
    cells: Mapped[list[str]]
    problem: Mapped[str | None]  # what the reader found: too many cells, a cell too long


class ImportKey(Base):
    """Keys already taken in this run, so that a row repeated in one file is found wherever it stands."""

    __tablename__ = "import_key"
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    row_no: Mapped[int]


class SavedMapping(Base):
    """A bank's own columns, remembered by its header row."""

    __tablename__ = "saved_mapping"
    id: Mapped[Key]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    target: Mapped[str]
    header_sha256: Mapped[str]
    mapping: Mapped[dict[str, Any]]
    defaults: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    updated_at: Mapped[Created]
    __table_args__ = (UniqueConstraint("org_id", "target", "header_sha256"),)
