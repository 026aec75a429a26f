"""Second person (law 8): one member asks, another decides; the act runs in the decision's transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, NotFound, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import Approval

Act = Callable[[Approval, Actor], None]
_acts: dict[str, tuple[Act, Act | None]] = {}


def act_of(kind: str, on_refuse: Act | None = None) -> Callable[[Act], Act]:
    """Register what an approval of this kind does: ``@act_of("deposit.confirm")``."""

    def register(act: Act) -> Act:
        _acts[kind] = (act, on_refuse)
        return act

    return register


def request(kind: str, subject: str, subject_id: int, actor: Actor, **data: Any) -> Approval:
    """Ask for a second person of the actor's organisation. Refused with ``approval_open`` when one waits."""
    if actor.user_id is None or actor.org_id is None:
        raise Forbidden("person_needed", _l("此操作须由本机构的成员提出"))
    row = Approval(
        kind=kind,
        subject=subject,
        subject_id=subject_id,
        org_id=actor.org_id,
        requested_by=actor.user_id,
        data=data,
    )
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        raise Refused("approval_open", _l("已有一项相同的申请等待复核")) from None
    record(f"approval.requested.{kind}", subject, subject_id, actor, approval_id=row.id)
    return row


def decide(approval_id: int, actor: Actor, *, approve: bool, reason: str = "") -> Approval:
    """Approve or refuse. The decider must be an ``approver`` of the same organisation and another person:
    ``person_needed`` (no token, no command), ``second_person_needed``; a refusal needs a reason: ``reason_needed``."""
    row = db.session.scalar(
        select(Approval)
        .where(Approval.id == approval_id)
        .with_for_update()
        .execution_options(populate_existing=True)  # its state as of after the wait, not as the caller read it
    )
    if row is None or row.org_id != actor.org_id:
        raise NotFound("approval_unknown", _l("没有这项申请"))
    if actor.user_id is None:
        raise Forbidden("person_needed", _l("此操作须由本机构的成员提出"))
    actor.require("approver")
    if row.state != "waiting":
        raise Refused("approval_decided", _l("这项申请已经处理"))
    if actor.user_id == row.requested_by:
        raise Forbidden("second_person_needed", _l("须由另一名成员复核"))
    if not approve and not reason.strip():
        raise Refused("reason_needed", _l("请填写理由"))
    row.state = "approved" if approve else "refused"
    row.decided_by, row.reason = actor.user_id, reason.strip() or None
    row.decided_at = db.session.scalar(select(func.clock_timestamp()))
    db.session.flush()
    record(f"approval.{row.state}.{row.kind}", row.subject, row.subject_id, actor, approval_id=row.id)
    act, on_refuse = _acts[row.kind]
    if approve:
        act(row, actor)
    elif on_refuse is not None:
        on_refuse(row, actor)
    return row


def waiting_for(org_id: int) -> list[Approval]:
    """What waits for a second person of this organisation, oldest first."""
    return list(
        db.session.scalars(
            select(Approval)
            .where(Approval.org_id == org_id, Approval.state == "waiting")
            .order_by(Approval.requested_at)
        )
    )


def open_approval(kind: str, subject: str, subject_id: int) -> Approval | None:
    return db.session.scalar(
        select(Approval).where(
            Approval.kind == kind,
            Approval.subject == subject,
            Approval.subject_id == subject_id,
            Approval.state == "waiting",
        )
    )
