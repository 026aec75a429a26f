"""Double-entry ledger, deposits and balances, bank statements, release orders. Amounts are minor units."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, text

from marketplace.core.db import Base, Created, Key, Mapped, mapped_column, one_of


class LedgerAccount(Base):
    """``code`` names it: ``bank:platform``, ``deposits:held``, ``payable:org:12``, ``suspense`` …"""

    __tablename__ = "ledger_account"
    id: Mapped[Key]
    code: Mapped[str]
    currency: Mapped[str] = mapped_column(server_default="CNY")
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    created_at: Mapped[Created]
    __table_args__ = (UniqueConstraint("code", "currency"),)


class LedgerTransfer(Base):
    """Immutable. A ``pending`` transfer is followed by at most one ``post`` or ``void`` row that names it."""

    __tablename__ = "ledger_transfer"
    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)  # made by the caller before sending
    phase: Mapped[str]
    pending_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("ledger_transfer.id"), unique=True)
    purpose: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[int]
    at: Mapped[Created]
    user_id: Mapped[int | None]
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    __table_args__ = (
        one_of("phase", ("single", "pending", "post", "void")),
        CheckConstraint("(phase IN ('post','void')) = (pending_id IS NOT NULL)", name="follows"),
        Index("ix_ledger_transfer_subject", "subject", "subject_id"),
    )


class LedgerEntry(Base):
    """Signed minor units; the entries of a transfer sum to zero (deferred trigger)."""

    __tablename__ = "ledger_entry"
    id: Mapped[Key]
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ledger_transfer.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"), index=True)
    amount_minor: Mapped[int]
    __table_args__ = (CheckConstraint("amount_minor <> 0", name="amount"),)


class Receivable(Base):
    """Money we expect from an organisation, recognised by its ``reference`` on the transfer slip."""

    __tablename__ = "receivable"
    id: Mapped[Key]
    purpose: Mapped[str]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    reference: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str] = mapped_column(server_default="CNY")
    amount_minor: Mapped[int]
    received_minor: Mapped[int] = mapped_column(server_default=text("0"))
    due_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(server_default="open")
    created_at: Mapped[Created]
    __table_args__ = (
        UniqueConstraint("purpose", "lot_id", "org_id"),
        one_of("purpose", ("deposit", "balance")),
        one_of("state", ("open", "paid", "cancelled")),
        CheckConstraint("amount_minor > 0 AND received_minor >= 0", name="amounts"),
    )


class Deposit(Base):
    """Keyed by round and organisation; consumed once: applied, released or forfeited."""

    __tablename__ = "deposit"
    id: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), unique=True)
    receivable_id: Mapped[int | None] = mapped_column(ForeignKey("receivable.id"), unique=True)
    amount_minor: Mapped[int]  # what must be held (0 when waived for a creditor)
    held_minor: Mapped[int] = mapped_column(server_default=text("0"))
    applied_minor: Mapped[int] = mapped_column(server_default=text("0"))
    released_minor: Mapped[int] = mapped_column(server_default=text("0"))
    forfeited_minor: Mapped[int] = mapped_column(server_default=text("0"))
    state: Mapped[str] = mapped_column(server_default="due")
    waiver: Mapped[str | None]
    held_at: Mapped[datetime | None]
    release_due_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    __table_args__ = (
        UniqueConstraint("lot_id", "org_id"),
        one_of(
            "state",
            ("due", "held", "waived", "release_due", "ordered", "released", "applied", "forfeited", "cancelled"),
        ),
        CheckConstraint(
            "applied_minor >= 0 AND released_minor >= 0 AND forfeited_minor >= 0 AND held_minor >="
            " applied_minor + released_minor + forfeited_minor",
            name="consumed_once",
        ),
    )


class StatementImport(Base):
    __tablename__ = "statement_import"
    id: Mapped[Key]
    filename: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    rows_total: Mapped[int] = mapped_column(server_default=text("0"))
    rows_new: Mapped[int] = mapped_column(server_default=text("0"))
    rows_bad: Mapped[int] = mapped_column(server_default=text("0"))
    faults: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    imported_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]


class StatementLine(Base):
    """One credit on the platform's account. ``bank_ref`` is the bank's own unique number of the movement."""

    __tablename__ = "statement_line"
    id: Mapped[Key]
    import_id: Mapped[int] = mapped_column(ForeignKey("statement_import.id"))
    row_no: Mapped[int]
    bank_ref: Mapped[str] = mapped_column(unique=True)
    booked_on: Mapped[date]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(server_default="CNY")
    payer_name: Mapped[str] = mapped_column(server_default="")
    payer_account: Mapped[str] = mapped_column(server_default="")
    memo: Mapped[str] = mapped_column(server_default="")
    receivable_id: Mapped[int | None] = mapped_column(ForeignKey("receivable.id"))
    match: Mapped[str] = mapped_column(server_default="none")  # exact, doubtful, none
    match_note: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="open")
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("state", ("open", "waiting", "confirmed", "returned")),
        one_of("match", ("exact", "doubtful", "none")),
        CheckConstraint("amount_minor > 0", name="amount"),
    )


class ReleaseOrder(Base):
    """A batch of refunds that a manager exports to the bank and later confirms as paid."""

    __tablename__ = "release_order"
    id: Mapped[Key]
    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default="draft")
    created_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    exported_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    total_minor: Mapped[int]
    __table_args__ = (
        one_of("state", ("draft", "approved", "exported", "confirmed", "cancelled")),
        CheckConstraint("approved_by <> created_by", name="second_person"),
    )


class ReleaseItem(Base):
    """``deposit_id`` may stand in one live order only."""

    __tablename__ = "release_item"
    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(ForeignKey("release_order.id"), index=True)
    deposit_id: Mapped[int] = mapped_column(ForeignKey("deposit.id"))
    amount_minor: Mapped[int]
    payee_name: Mapped[str]
    payee_account: Mapped[str]
    payee_bank: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="open")
    failure: Mapped[str | None]
    __table_args__ = (
        one_of("state", ("open", "paid", "failed", "cancelled")),
        Index("uq_release_item_live", "deposit_id", unique=True, postgresql_where=text("state IN ('open','paid')")),
        CheckConstraint("amount_minor > 0", name="amount"),
    )
