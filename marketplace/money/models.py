"""Double-entry ledger, deposits and balances, bank statements, release orders. Amounts are minor units."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, text

from marketplace.core.db import Base, Created, Key, Mapped, mapped_column, one_of

PAYOUT_PURPOSES = ("deposit_release", "line_return", "balance_return", "proceeds")


class LedgerAccount(Base):
    """``code`` names it: ``bank:platform``, ``suspense``, ``deposits:lot:7``, ``price:lot:7``, ``payable:org:12``."""

    __tablename__ = "ledger_account"
    id: Mapped[Key]
    code: Mapped[str]
    currency: Mapped[str] = mapped_column(server_default="CNY")
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    created_at: Mapped[Created]
    __table_args__ = (UniqueConstraint("code", "currency"),)


class LedgerTransfer(Base):
    """Immutable. A ``pending`` transfer is followed by at most one ``post`` or ``void`` row that names it.

    ``legs`` is how many entries it has, so that none can be added later (deferred trigger).
    """

    __tablename__ = "ledger_transfer"
    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)  # made by the caller before sending
    phase: Mapped[str]
    pending_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("ledger_transfer.id"), unique=True)
    legs: Mapped[int] = mapped_column(server_default=text("2"))
    purpose: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[int]
    at: Mapped[Created]
    user_id: Mapped[int | None]
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    __table_args__ = (
        one_of("phase", ("single", "pending", "post", "void")),
        CheckConstraint("(phase IN ('post','void')) = (pending_id IS NOT NULL)", name="follows"),
        CheckConstraint("(phase IN ('post','void')) = (legs = 0) AND legs >= 0", name="legs"),
        Index("ix_ledger_transfer_subject", "subject", "subject_id"),
    )


class LedgerEntry(Base):
    """Signed minor units, debit positive; the entries of a transfer sum to zero (deferred trigger)."""

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
        # 0 due (the deposit covers the price) is settled at once
        CheckConstraint("received_minor >= 0 AND received_minor <= amount_minor", name="amounts"),
        CheckConstraint("state <> 'paid' OR received_minor = amount_minor", name="paid"),
    )


class Deposit(Base):
    """Keyed by round and organisation; consumed once: applied, released or forfeited."""

    __tablename__ = "deposit"
    id: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), unique=True)
    receivable_id: Mapped[int | None] = mapped_column(ForeignKey("receivable.id"), unique=True)
    currency: Mapped[str] = mapped_column(server_default="CNY")
    amount_minor: Mapped[int]  # what must be held (0 when waived for a creditor)
    held_minor: Mapped[int] = mapped_column(server_default=text("0"))  # all that ever came in, at most the amount
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
        CheckConstraint("held_minor <= amount_minor", name="no_more_than_due"),
        CheckConstraint("state <> 'held' OR held_minor = amount_minor", name="held_in_full"),
        CheckConstraint("state <> 'cancelled' OR held_minor = 0", name="cancelled_unpaid"),
        CheckConstraint(
            "state NOT IN ('released','applied','forfeited')"
            " OR held_minor = applied_minor + released_minor + forfeited_minor",
            name="ended_in_full",
        ),
    )

    @property
    def available_minor(self) -> int:
        """What is still held: neither applied, nor released, nor forfeited."""
        return self.held_minor - self.applied_minor - self.released_minor - self.forfeited_minor


class StatementImport(Base):
    """One file of the bank. The same bytes are imported once (``sha256``)."""

    __tablename__ = "statement_import"
    id: Mapped[Key]
    filename: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    rows_total: Mapped[int] = mapped_column(server_default=text("0"))
    rows_new: Mapped[int] = mapped_column(server_default=text("0"))
    rows_known: Mapped[int] = mapped_column(server_default=text("0"))
    rows_debit: Mapped[int] = mapped_column(server_default=text("0"))
    rows_bad: Mapped[int] = mapped_column(server_default=text("0"))
    faults: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    imported_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]


class StatementLine(Base):
    """One credit on the platform's account. ``bank_ref`` is the bank's own unique number of the movement.

    Its money stands in ``suspense`` from the import on; a confirmed match moves ``allocated_minor`` to a deposit or
    price, and ``return_minor`` goes (or went) back to the payer.
    """

    __tablename__ = "statement_line"
    id: Mapped[Key]
    import_id: Mapped[int] = mapped_column(ForeignKey("statement_import.id"), index=True)
    row_no: Mapped[int]
    bank_ref: Mapped[str] = mapped_column(unique=True)
    booked_on: Mapped[date]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(server_default="CNY")
    payer_name: Mapped[str] = mapped_column(server_default="")
    payer_account: Mapped[str] = mapped_column(server_default="")
    payer_bank: Mapped[str] = mapped_column(server_default="")
    memo: Mapped[str] = mapped_column(server_default="")
    receivable_id: Mapped[int | None] = mapped_column(ForeignKey("receivable.id"), index=True)
    match: Mapped[str] = mapped_column(server_default="none")  # exact, doubtful, none
    match_note: Mapped[str | None]  # codes of rules.DOUBTS, separated by spaces
    state: Mapped[str] = mapped_column(server_default="open")
    approval_id: Mapped[int | None] = mapped_column(ForeignKey("approval.id"))
    reason: Mapped[str | None]
    allocated_minor: Mapped[int] = mapped_column(server_default=text("0"))
    return_minor: Mapped[int] = mapped_column(server_default=text("0"))
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    confirmed_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("state", ("open", "waiting", "confirmed", "returned")),
        one_of("match", ("exact", "doubtful", "none")),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "allocated_minor >= 0 AND return_minor >= 0 AND allocated_minor + return_minor <= amount_minor",
            name="used_once",
        ),
        Index("ix_statement_line_open", "id", postgresql_where=text("state IN ('open','waiting')")),
    )


class Payout(Base):
    """Money we owe somebody: a deposit to give back, an excess or unknown payment to return, proceeds of a sale.

    It waits (``due``) until a release order takes it up; a payment that the bank refused makes it due again.
    """

    __tablename__ = "payout"
    id: Mapped[Key]
    purpose: Mapped[str]
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"), index=True)
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    deposit_id: Mapped[int | None] = mapped_column(ForeignKey("deposit.id"))
    line_id: Mapped[int | None] = mapped_column(ForeignKey("statement_line.id"))
    receivable_id: Mapped[int | None] = mapped_column(ForeignKey("receivable.id"))
    currency: Mapped[str] = mapped_column(server_default="CNY")
    amount_minor: Mapped[int]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="due")
    payee_name: Mapped[str | None]  # set by a manager when it differs from the organisation's own account
    payee_account: Mapped[str | None]
    payee_bank: Mapped[str | None]
    failure: Mapped[str | None]  # the bank's last answer
    paid_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    __table_args__ = (
        one_of("purpose", PAYOUT_PURPOSES),
        one_of("state", ("due", "ordered", "paid", "cancelled")),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "(purpose = 'deposit_release') = (deposit_id IS NOT NULL)"
            " AND (purpose = 'line_return') = (line_id IS NOT NULL)"
            " AND (purpose = 'balance_return') = (receivable_id IS NOT NULL)",
            name="source",
        ),
        Index("uq_payout_deposit", "deposit_id", unique=True, postgresql_where=text("state <> 'cancelled'")),
        Index("uq_payout_line", "line_id", unique=True, postgresql_where=text("state <> 'cancelled'")),
        Index("uq_payout_receivable", "receivable_id", unique=True, postgresql_where=text("state <> 'cancelled'")),
        Index(
            "uq_payout_proceeds",
            "lot_id",
            unique=True,
            postgresql_where=text("purpose = 'proceeds' AND state <> 'cancelled'"),
        ),
        Index("ix_payout_due", "due_at", postgresql_where=text("state IN ('due','ordered')")),
    )


class ReleaseOrder(Base):
    """A batch of payments that a manager exports to the bank and later confirms as paid."""

    __tablename__ = "release_order"
    id: Mapped[Key]
    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default="draft")
    currency: Mapped[str] = mapped_column(server_default="CNY")
    created_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    approved_at: Mapped[datetime | None]
    exported_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]
    total_minor: Mapped[int]
    __table_args__ = (
        one_of("state", ("draft", "approved", "exported", "confirmed", "cancelled")),
        CheckConstraint("approved_by <> created_by", name="second_person"),
        CheckConstraint("state NOT IN ('approved','exported','confirmed') OR approved_by IS NOT NULL", name="approved"),
    )


class ReleaseItem(Base):
    """One payment of an order. A payout stands in one live order only; the payee is frozen here."""

    __tablename__ = "release_item"
    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(ForeignKey("release_order.id"), index=True)
    payout_id: Mapped[int] = mapped_column(ForeignKey("payout.id"), index=True)
    amount_minor: Mapped[int]
    payee_name: Mapped[str]
    payee_account: Mapped[str]
    payee_bank: Mapped[str]
    remark: Mapped[str] = mapped_column(server_default="")  # 附言 on the bank's slip
    state: Mapped[str] = mapped_column(server_default="open")
    failure: Mapped[str | None]
    __table_args__ = (
        one_of("state", ("open", "paid", "failed", "cancelled")),
        Index("uq_release_item_live", "payout_id", unique=True, postgresql_where=text("state IN ('open','paid')")),
        CheckConstraint("amount_minor > 0", name="amount"),
    )
