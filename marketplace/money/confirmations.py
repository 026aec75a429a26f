"""Two persons for incoming money: one manager says what a credit pays (or that it goes back), another confirms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select

from marketplace.core import approvals
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Invalid, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import Approval
from marketplace.core.money import format_minor
from marketplace.money import balances, deposits, ledger
from marketplace.money.access import require_maker
from marketplace.money.locks import lock_deposits_by_receivable, lock_lines, lock_receivables
from marketplace.money.models import Deposit, Receivable, StatementLine
from marketplace.money.payouts import owe
from marketplace.money.statements import matches
from marketplace.parties.notices import notify_org

CONFIRM, RETURN = "money.confirm_line", "money.return_line"


@dataclass(frozen=True)
class Choice:
    """What this credit pays. ``reason`` is needed unless the match is exact."""

    line_id: int
    receivable_id: int
    reason: str = ""


def propose(choices: Sequence[Choice], actor: Actor) -> Approval:
    """Ask another manager to confirm these credits, one approval for all of them.

    Refuses (Invalid, fields ``line-<id>``) ``line_not_open``, ``receivable_unknown``, ``other_currency`` and
    ``reason_needed`` for a doubtful match.
    """
    require_maker(actor)
    if not choices:
        raise Invalid([Problem("nothing_chosen", _l("请先选择要确认的来款"))])
    lines = lock_lines(choice.line_id for choice in choices)
    known = {
        row.id: row
        for row in db.session.scalars(select(Receivable).where(Receivable.id.in_([c.receivable_id for c in choices])))
    }
    present = {line.id: found for line, found in zip(lines.values(), matches(list(lines.values())), strict=True)}
    problems = []
    for choice in choices:
        line, wanted = lines.get(choice.line_id), known.get(choice.receivable_id)
        field = f"line-{choice.line_id}"
        if line is None or line.state != "open":
            problems.append(Problem("line_not_open", _l("这笔来款已在处理中或已处理"), field))
        elif wanted is None:
            problems.append(Problem("receivable_unknown", _l("请选择这笔来款对应的应收款"), field))
        elif wanted.currency != line.currency:
            problems.append(Problem("other_currency", _l("来款与应收款的币种不同"), field))
        else:
            found = present[line.id]
            exact = found.verdict == "exact" and found.receivable_id == wanted.id
            if not exact and not choice.reason.strip():
                problems.append(Problem("reason_needed", _l("存疑的来款须填写确认理由"), field))
    if problems:
        raise Invalid(problems)
    approval = approvals.request(
        CONFIRM, "statement_line", min(lines), actor, lines=[asdict(choice) for choice in choices]
    )
    for choice in choices:
        line = lines[choice.line_id]
        line.state, line.approval_id = "waiting", approval.id
        line.receivable_id, line.reason = choice.receivable_id, choice.reason.strip() or None
    db.session.flush()
    return approval


def propose_return(line_ids: Sequence[int], reason: str, actor: Actor) -> Approval:
    """Ask another manager to agree that these credits (unknown or wrong money) go back to their payers."""
    require_maker(actor)
    if not line_ids:
        raise Invalid([Problem("nothing_chosen", _l("请先选择要退回的来款"))])
    if not reason.strip():
        raise Invalid([Problem("reason_needed", _l("请填写退回理由"), "reason")])
    lines = lock_lines(line_ids)
    problems = [
        Problem("line_not_open", _l("这笔来款已在处理中或已处理"), f"line-{line_id}")
        for line_id in line_ids
        if line_id not in lines or lines[line_id].state != "open"
    ]
    if problems:
        raise Invalid(problems)
    approval = approvals.request(
        RETURN, "statement_line", min(lines), actor, lines=[{"line_id": line_id} for line_id in lines]
    )
    for line in lines.values():
        line.state, line.approval_id, line.reason = "waiting", approval.id, reason.strip()
    db.session.flush()
    return approval


@approvals.act_of(CONFIRM, on_refuse=lambda approval, actor: _reopen(approval))
def confirm(approval: Approval, actor: Actor) -> None:
    """The second manager agreed: each credit is taken for its receivable; what is too much, or comes for a
    receivable that has closed meanwhile, goes back to the payer at once."""
    lines = _waiting(approval)
    wanted = [line.receivable_id for line in lines if line.receivable_id is not None]
    held = lock_deposits_by_receivable(wanted)
    receivables = lock_receivables(wanted)
    for line in lines:
        assert line.receivable_id is not None
        _take(line, receivables[line.receivable_id], held.get(line.receivable_id), actor)
    db.session.flush()


@approvals.act_of(RETURN, on_refuse=lambda approval, actor: _reopen(approval))
def give_back(approval: Approval, actor: Actor) -> None:
    """The second manager agreed: the credits wait for a release order to their payers."""
    for line in _waiting(approval):
        line.state, line.confirmed_by, line.confirmed_at = "returned", actor.user_id, now()
        line.receivable_id = None
        _owe_back(line, line.amount_minor, None)
        record("line.returned", "statement_line", line.id, actor, amount_minor=line.amount_minor)
    db.session.flush()


def _waiting(approval: Approval) -> list[StatementLine]:
    lines = lock_lines(item["line_id"] for item in approval.data["lines"])
    if any(line.state != "waiting" or line.approval_id != approval.id for line in lines.values()):
        raise Refused("line_not_open", _l("这笔来款已在处理中或已处理"))
    return list(lines.values())


def _reopen(approval: Approval) -> None:
    for line in _waiting(approval):
        line.state, line.approval_id, line.reason = "open", None, None
    db.session.flush()


def _take(line: StatementLine, receivable: Receivable, deposit: Deposit | None, actor: Actor) -> None:
    if deposit is not None:
        taken = deposits.receive(deposit, receivable, line.amount_minor, actor)
        account = ledger.deposits_of(receivable.lot_id)
    else:
        taken = balances.receive(receivable, line.amount_minor, actor)
        account = ledger.price_of(receivable.lot_id)
    line.state, line.allocated_minor = "confirmed", taken
    line.confirmed_by, line.confirmed_at = actor.user_id, now()
    if taken:
        ledger.transfer(
            ledger.transfer_id("line.confirm", line.id),
            "line.confirm",
            "statement_line",
            line.id,
            ledger.between(ledger.SUSPENSE, account, taken),
            actor,
            currency=line.currency,
            receivable_id=receivable.id,
        )
    if line.amount_minor > taken:
        _owe_back(line, line.amount_minor - taken, receivable)
    db.session.flush()
    record(
        "line.confirmed",
        "statement_line",
        line.id,
        actor,
        receivable_id=receivable.id,
        taken_minor=taken,
        returned_minor=line.amount_minor - taken,
    )
    if taken and deposit is not None and deposit.state == "held":
        deposits.tell_held(deposit, actor)
        _thank(receivable, _l("保证金已到账"), "deposit.held")
    elif taken and deposit is None and receivable.state == "paid":
        balances.tell_paid(receivable, actor)
        _thank(receivable, _l("余款已付清"), "balance.paid")


def _owe_back(line: StatementLine, amount_minor: int, receivable: Receivable | None) -> None:
    line.return_minor = amount_minor
    owe(
        "line_return",
        amount_minor,
        now(),
        currency=line.currency,
        line_id=line.id,
        lot_id=receivable.lot_id if receivable else None,
        org_id=receivable.org_id if receivable else None,
    )


def _thank(receivable: Receivable, subject: object, key: str) -> None:
    notify_org(
        receivable.org_id,
        subject,
        _l(
            "缴款编号 %(reference)s 的款项 %(amount)s 已确认到账。",
            reference=receivable.reference,
            amount=format_minor(receivable.amount_minor, receivable.currency),
        ),
        link="/my/deposits",
        dedupe_key=f"{key}:{receivable.id}",
    )
