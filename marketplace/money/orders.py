"""Release orders: what we owe is paid out in batches. One manager makes the order, a second approves it, it is
exported to the bank, and the bank's answer is again confirmed by two. A payout is paid once (unique live item)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from marketplace.core import approvals, deadlines
from marketplace.core.actor import Actor
from marketplace.core.clock import now, today
from marketplace.core.db import db
from marketplace.core.errors import Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import Approval
from marketplace.core.money import format_minor
from marketplace.money import ledger
from marketplace.money.access import require_maker
from marketplace.money.locks import lock_deposits, lock_payouts
from marketplace.money.models import Deposit, Payout, ReleaseItem, ReleaseOrder
from marketplace.money.payees import payees_of
from marketplace.money.payouts import DEADLINE, platform_id
from marketplace.parties.notices import notify_org

APPROVE, CONFIRM = "money.approve_order", "money.confirm_order"


def make_order(payout_ids: Sequence[int], actor: Actor) -> ReleaseOrder:
    """An order over these payouts, at once waiting for a second manager.

    Refuses (Invalid, fields ``payout-<id>``) ``payout_not_due``, ``payee_missing``, ``other_currency``.
    """
    require_maker(actor)
    if not payout_ids:
        raise Invalid([Problem("nothing_chosen", _l("请先选择要付的款项"))])
    _deposits, payouts = _lock(payout_ids)
    payees = payees_of(list(payouts.values()))
    problems = []
    for payout_id in dict.fromkeys(payout_ids):
        payout, field = payouts.get(payout_id), f"payout-{payout_id}"
        if payout is None or payout.state != "due":
            problems.append(Problem("payout_not_due", _l("这笔款项已列入付款单或已付"), field))
        elif not payees[payout_id].complete:
            problems.append(Problem("payee_missing", _l("没有收款账户，请先补充"), field))
        elif payout.currency != next(iter(payouts.values())).currency:
            problems.append(Problem("other_currency", _l("一张付款单只能有一个币种"), field))
    if problems:
        raise Invalid(problems)
    assert actor.user_id is not None
    order = ReleaseOrder(
        number=uuid.uuid4().hex,
        created_by=actor.user_id,
        currency=next(iter(payouts.values())).currency,
        total_minor=sum(payout.amount_minor for payout in payouts.values()),
    )
    db.session.add(order)
    db.session.flush()
    order.number = f"FK{today():%Y%m%d}-{order.id:05d}"
    for payout in payouts.values():
        payee = payees[payout.id]
        db.session.add(
            ReleaseItem(
                order_id=order.id,
                payout_id=payout.id,
                amount_minor=payout.amount_minor,
                payee_name=payee.name,
                payee_account=payee.account,
                payee_bank=payee.bank,
                remark=payee.remark,
            )
        )
    _move(payouts, _deposits, "ordered", "ordered")
    db.session.flush()
    approvals.request(APPROVE, "release_order", order.id, actor, total_minor=order.total_minor)
    return order


def _lock(payout_ids: Sequence[int]) -> tuple[dict[int, Deposit], dict[int, Payout]]:
    """Deposits, then payouts."""
    deposit_ids = db.session.scalars(
        select(Payout.deposit_id).where(Payout.id.in_(payout_ids), Payout.deposit_id.is_not(None))
    )
    held = lock_deposits([deposit_id for deposit_id in deposit_ids if deposit_id is not None])
    return held, lock_payouts(payout_ids)


def _move(payouts: Mapping[int, Payout], held: Mapping[int, Deposit], payout_state: str, deposit_state: str) -> None:
    for payout in payouts.values():
        payout.state = payout_state
        if payout.deposit_id is not None:
            held[payout.deposit_id].state = deposit_state


def locked_order(order_id: int) -> ReleaseOrder:
    """The order, locked, or ``order_unknown``."""
    order = db.session.scalar(
        select(ReleaseOrder)
        .where(ReleaseOrder.id == order_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFound("order_unknown", _l("没有这张付款单"))
    return order


def items_of(order_id: int) -> list[ReleaseItem]:
    return list(
        db.session.scalars(select(ReleaseItem).where(ReleaseItem.order_id == order_id).order_by(ReleaseItem.id))
    )


def _pending_id(item: ReleaseItem) -> uuid.UUID:
    return ledger.transfer_id("order.item", item.id)


@approvals.act_of(APPROVE, on_refuse=lambda approval, actor: _refused(approval, actor))
def approve(approval: Approval, actor: Actor) -> None:
    """The second manager agreed: each payment stands in the ledger as pending until the bank answers."""
    order = locked_order(approval.subject_id)
    if order.state != "draft":
        raise Refused("order_not_draft", _l("这张付款单已不在待复核状态"))
    order.state, order.approved_by, order.approved_at = "approved", actor.user_id, now()
    items = items_of(order.id)
    payouts = lock_payouts([item.payout_id for item in items])
    for item in items:
        payout = payouts[item.payout_id]
        ledger.transfer(
            _pending_id(item),
            f"pay.{payout.purpose}",
            "release_item",
            item.id,
            ledger.between(_source(payout), ledger.BANK, item.amount_minor),
            actor,
            currency=order.currency,
            pending=True,
        )
    db.session.flush()


def _source(payout: Payout) -> str:
    """The account that owes the money."""
    if payout.purpose == "deposit_release" and payout.lot_id is not None:
        return ledger.deposits_of(payout.lot_id)
    if payout.purpose == "balance_return" and payout.lot_id is not None:
        return ledger.price_of(payout.lot_id)
    if payout.purpose == "proceeds" and payout.org_id is not None:
        return ledger.payable_to(payout.org_id)
    return ledger.SUSPENSE


def _refused(approval: Approval, actor: Actor) -> None:
    _cancel(locked_order(approval.subject_id), approval.reason or "", actor)


def cancel_order(order_id: int, reason: str, actor: Actor) -> ReleaseOrder:
    """Take back an order that has not gone to the bank; its payouts are due again. Refuses ``order_exported``
    (then report each payment as refused by the bank) and ``reason_needed``."""
    require_maker(actor)
    if not reason.strip():
        raise Invalid([Problem("reason_needed", _l("请填写理由"), "reason")])
    waiting = approvals.open_approval(APPROVE, "release_order", order_id)
    if waiting is not None:  # approval before order, as when it is decided
        waiting = db.session.scalar(
            select(Approval)
            .where(Approval.id == waiting.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if waiting is not None and waiting.state == "waiting":
            waiting.state = "withdrawn"
    order = locked_order(order_id)
    if order.state not in ("draft", "approved"):
        raise Refused("order_exported", _l("付款单已导出给银行，请按银行结果逐笔登记"))
    _cancel(order, reason.strip(), actor)
    return order


def _cancel(order: ReleaseOrder, reason: str, actor: Actor) -> None:
    items = items_of(order.id)
    held, payouts = _lock([item.payout_id for item in items])
    for item in items:
        item.state = "cancelled"
        if order.state == "approved":
            ledger.void(_pending_id(item), actor)
    order.state, order.ended_reason = "cancelled", reason
    db.session.flush()
    _move(payouts, held, "due", "release_due")
    db.session.flush()
    record("release_order.cancelled", "release_order", order.id, actor, reason=reason)


def export_order(order_id: int, actor: Actor) -> tuple[ReleaseOrder, list[ReleaseItem]]:
    """Mark the order as given to the bank (the first time) and return what the file holds. Refuses
    ``order_not_approved``."""
    require_maker(actor)
    order = locked_order(order_id)
    if order.state not in ("approved", "exported", "confirmed"):
        raise Refused("order_not_approved", _l("付款单尚未经第二人批准"))
    if order.state == "approved":
        order.state, order.exported_at = "exported", now()
        record("release_order.exported", "release_order", order.id, actor)
    db.session.flush()
    return order, items_of(order_id)


def report_order(order_id: int, failures: Mapping[int, str], actor: Actor) -> Approval:
    """Tell the bank's answer: every item was paid except ``failures`` (item id → the bank's reason). A second
    manager confirms. Refuses ``order_not_exported`` and, at ``item-<id>``, ``reason_needed``, ``item_unknown``."""
    require_maker(actor)
    order = locked_order(order_id)
    if order.state != "exported":
        raise Refused("order_not_exported", _l("付款单尚未导出给银行或已完成"))
    own = {item.id for item in items_of(order_id)}
    problems = [
        Problem("item_unknown", _l("付款单中没有这一笔"), f"item-{item_id}")
        for item_id in failures
        if item_id not in own
    ]
    problems += [
        Problem("reason_needed", _l("请填写银行退回的原因"), f"item-{item_id}")
        for item_id, reason in failures.items()
        if item_id in own and not reason.strip()
    ]
    if problems:
        raise Invalid(problems)
    return approvals.request(
        CONFIRM,
        "release_order",
        order_id,
        actor,
        failures={str(item_id): reason.strip()[:200] for item_id, reason in failures.items()},
    )


@approvals.act_of(CONFIRM)
def confirm(approval: Approval, actor: Actor) -> None:
    """The second manager agreed with the bank's answer: paid items count in the ledger and end what they paid;
    failed ones are void and due again."""
    order = locked_order(approval.subject_id)
    if order.state != "exported":
        raise Refused("order_not_exported", _l("付款单尚未导出给银行或已完成"))
    failures = {int(item_id): reason for item_id, reason in approval.data["failures"].items()}
    items = items_of(order.id)
    held, payouts = _lock([item.payout_id for item in items])
    for item in items:
        payout = payouts[item.payout_id]
        deposit = held.get(payout.deposit_id) if payout.deposit_id is not None else None
        if item.id in failures:
            _fail(item, payout, deposit, failures[item.id], actor)
        else:
            _pay(item, payout, deposit, actor)
    order.state, order.confirmed_at = "confirmed", now()
    db.session.flush()


def _pay(item: ReleaseItem, payout: Payout, deposit: Deposit | None, actor: Actor) -> None:
    ledger.post(_pending_id(item), actor)
    item.state, payout.state, payout.paid_at, payout.failure = "paid", "paid", now(), None
    deadlines.cancel(DEADLINE, "payout", payout.id)
    if deposit is not None:
        deposit.released_minor += item.amount_minor
        deposit.ended_at = now()
        deposit.state = "applied" if deposit.applied_minor else "forfeited" if deposit.forfeited_minor else "released"
        record(
            "deposit.released",
            "deposit",
            deposit.id,
            actor,
            lot_id=deposit.lot_id,
            org_id=deposit.org_id,
            amount_minor=item.amount_minor,
        )
    else:
        record(
            f"payout.paid.{payout.purpose}",
            "payout",
            payout.id,
            actor,
            lot_id=payout.lot_id,
            org_id=payout.org_id,
            amount_minor=item.amount_minor,
        )
    if payout.org_id is not None:
        notify_org(
            payout.org_id,
            _l("款项已付出"),
            _l(
                "%(amount)s 已汇往 %(name)s 的账户（尾号 %(tail)s）。",
                amount=format_minor(item.amount_minor, payout.currency),
                name=item.payee_name,
                tail=item.payee_account[-4:],
            ),
            link="/my/deposits",
            dedupe_key=f"payout.paid:{item.id}",
        )


def _fail(item: ReleaseItem, payout: Payout, deposit: Deposit | None, reason: str, actor: Actor) -> None:
    ledger.void(_pending_id(item), actor)
    item.state, item.failure = "failed", reason
    db.session.flush()  # the item is no longer live before the payout may be ordered again
    payout.state, payout.failure = "due", reason
    deadlines.schedule(DEADLINE, "payout", payout.id, payout.due_at, platform_id())
    if deposit is not None:
        deposit.state = "release_due"
    record("payout.failed", "payout", payout.id, actor, org_id=payout.org_id, reason=reason)


def correct_payee(payout_id: int, payee_name: str, payee_account: str, payee_bank: str, actor: Actor) -> Payout:
    """Where this payout goes instead of the account on record; the order's second person sees it. Refuses
    ``payout_not_due`` and missing fields."""
    require_maker(actor)
    given = {
        "payee_name": payee_name.strip(),
        "payee_account": payee_account.strip(),
        "payee_bank": payee_bank.strip(),
    }
    problems = [Problem("field_needed", _l("请填写"), field) for field, value in given.items() if not value]
    if problems:
        raise Invalid(problems)
    payout = lock_payouts([payout_id]).get(payout_id)
    if payout is None or payout.state != "due":
        raise Refused("payout_not_due", _l("这笔款项已列入付款单或已付"))
    payout.payee_name, payout.payee_account, payout.payee_bank = given.values()
    db.session.flush()
    record("payout.payee_corrected", "payout", payout.id, actor, payee=given)
    return payout


__all__ = [
    "approve",
    "cancel_order",
    "confirm",
    "correct_payee",
    "export_order",
    "items_of",
    "locked_order",
    "make_order",
    "report_order",
]
