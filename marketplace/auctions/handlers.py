"""Handlers of deadlines, outbox topics, approvals and events of this room; imported once at start."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marketplace.auctions import for_money, letters, service, service_after
from marketplace.auctions.sale import sale_of
from marketplace.auctions.service_registration import deposit_came
from marketplace.core import approvals, deadlines, events, outbox
from marketplace.core.actor import Actor
from marketplace.core.models import Approval


@deadlines.on_due("lot.open")
def lot_opens(lot_id: int) -> datetime | None:
    return service.open_lot(lot_id)


@deadlines.on_due("lot.close")
def lot_closes(lot_id: int) -> datetime | None:
    return service.close_lot(lot_id)


@deadlines.on_due("balance.due")
def balance_falls_due(lot_id: int) -> datetime | None:
    return service_after.balance_overdue(lot_id)


@deadlines.on_due("balance.settle")
def balance_settles(lot_id: int) -> None:
    service_after.balance_settled(lot_id)


@deadlines.on_due("award.answer")
def answer_falls_due(lot_id: int) -> datetime | None:
    return service_after.answer_overdue(lot_id)


@deadlines.on_due("lot.next_round_due")
def next_round_falls_due(lot_id: int) -> None:
    letters.next_round_late(sale_of(lot_id))


@outbox.on("protocol.make")
def protocol_is_made(message_id: int, payload: dict[str, Any]) -> None:
    from marketplace.auctions.protocol import make_protocol

    make_protocol(payload["lot_id"])


@approvals.act_of("lot.withdraw")
def withdrawal_approved(row: Approval, actor: Actor) -> None:
    service.withdraw_lot(actor, row.subject_id, row.data["reason"], row.data["source"])


@approvals.act_of("lot.default")
def default_approved(row: Approval, actor: Actor) -> None:
    service_after.declare_default(actor, row.subject_id, row.data["reason"])


@approvals.act_of("registration.bar")
def bar_approved(row: Approval, actor: Actor) -> None:
    service.bar_bidder(actor, row.subject_id, row.data["reason"], row.data["source"])


@approvals.act_of("lot.complete")
def completion_approved(row: Approval, actor: Actor) -> None:
    service.complete_sale(actor, row.subject_id)


@events.when("deposit.held")
def deposit_is_held(deposit_id: int, data: dict[str, Any], actor: Actor) -> None:
    deposit_came(data["lot_id"], data["org_id"], data["registration_id"], actor)


@events.when("balance.paid")
def balance_is_paid(lot_id: int, data: dict[str, Any], actor: Actor) -> None:
    service_after.balance_paid(data["lot_id"], data["org_id"], actor)


__all__ = ["for_money"]
