"""To whom a payout goes: back to the account the money came from, or the organisation's account on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from marketplace.core.db import db
from marketplace.money.models import Payout, Receivable, StatementLine
from marketplace.parties.models import Organisation


@dataclass(frozen=True)
class Payee:
    """``remark`` goes on the bank's slip (附言)."""

    name: str
    account: str
    bank: str
    remark: str

    @property
    def complete(self) -> bool:
        """Name and account are there; a bank that the statement did not name is looked up by the bank itself."""
        return bool(self.name and self.account)


REMARKS = {
    "deposit_release": "退还竞买保证金",
    "line_return": "退回来款",
    "balance_return": "退还余款",
    "proceeds": "处置价款",
}


def payees_of(payouts: Sequence[Payout]) -> dict[int, Payee]:
    """The payee of each payout, by payout id: what a manager corrected, else the payer (a returned credit), else
    the organisation's account."""
    orgs = {
        org.id: org
        for org in db.session.scalars(
            select(Organisation).where(Organisation.id.in_([p.org_id for p in payouts if p.org_id is not None]))
        )
    }
    lines = {
        line.id: line
        for line in db.session.scalars(
            select(StatementLine).where(StatementLine.id.in_([p.line_id for p in payouts if p.line_id is not None]))
        )
    }
    references = {
        (purpose, lot_id, org_id): reference
        for purpose, lot_id, org_id, reference in db.session.execute(
            select(Receivable.purpose, Receivable.lot_id, Receivable.org_id, Receivable.reference).where(
                Receivable.lot_id.in_([p.lot_id for p in payouts if p.lot_id is not None])
            )
        )
    }
    return {payout.id: _payee(payout, orgs, lines, references) for payout in payouts}


def _payee(
    payout: Payout,
    orgs: dict[int, Organisation],
    lines: dict[int, StatementLine],
    references: dict[tuple[str, int, int], str],
) -> Payee:
    kind = "balance" if payout.purpose == "balance_return" else "deposit"
    mark = references.get((kind, payout.lot_id or 0, payout.org_id or 0), f"{payout.id}")
    remark = f"{REMARKS[payout.purpose]} {mark}"
    if payout.payee_account:
        return Payee(payout.payee_name or "", payout.payee_account, payout.payee_bank or "", remark)
    if payout.line_id is not None:
        line = lines[payout.line_id]
        return Payee(line.payer_name, line.payer_account, line.payer_bank, f"{REMARKS['line_return']} {line.bank_ref}")
    org = orgs.get(payout.org_id or 0)
    if org is None:
        return Payee("", "", "", remark)
    return Payee(org.account_name or org.name, org.account_no or "", org.account_bank or "", remark)
