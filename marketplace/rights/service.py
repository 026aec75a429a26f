"""Rights of a bank: entered, corrected, paid for, burdened and freed. Every correction is noted field by field.

A right is known by (kind, canonical number) in its bank. ``seen`` is the ``version_of`` the page was drawn from;
when someone else changed the right since, the change is refused with ``stale_form`` and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from marketplace.core import files
from marketplace.core.actor import BANK, Actor
from marketplace.core.clock import now, today
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import Document
from marketplace.rights import watch
from marketplace.rights.facts import extra_date, health_of, schedule_of, term_of
from marketplace.rights.intake import check
from marketplace.rights.models import AnnuityPayment, Right, RightChange

__all__ = ["create_right", "health_of", "set_standing", "update_right"]

#: Documents of a right (domain §2.9).
DOCUMENT_KINDS: dict[str, Any] = {
    "patent_register_extract": _l("专利登记簿副本"),
    "certificate": _l("权利证书"),
    "annuity_receipt": _l("年费缴纳凭证"),
    "evaluation_report": _l("专利权评价报告"),
    "co_owner_consent": _l("共有人同意书"),
    "pledgee_consent": _l("质权人同意书"),
    "pledge_notice": _l("专利权质押登记通知书"),
    "licence_contract": _l("专利实施许可合同"),
    "other": _l("其他"),
}


def may_edit(actor: Actor) -> None:
    """A bank's maker (or the system) enters and corrects its rights."""
    if actor.is_system:
        return
    if actor.org_kind != BANK or actor.org_id is None:
        raise Forbidden("bank_needed", _l("只有银行可以登记和修改知识产权"))
    actor.require("maker")


def locked(right_id: int, actor: Actor, seen: str | None = None) -> Right:
    """The actor's right, locked, for a change. NotFound for another bank's; ``stale_form``."""
    may_edit(actor)
    right = db.session.scalar(
        select(Right).where(Right.id == right_id).with_for_update().execution_options(populate_existing=True)
    )
    if right is None or (not actor.is_system and right.org_id != actor.org_id):
        raise NotFound("right_unknown", _l("没有这项权利"))
    if seen is not None and seen != version_of(right):
        raise Refused("stale_form", _l("别人刚刚修改了这项权利。请核对现在的内容，再保存一次"))
    return right


def version_of(right: Right) -> str:
    """What a page remembers, so that a later change by someone else is noticed."""
    return right.updated_at.isoformat()


def create_right(actor: Actor, data: Mapping[str, Any], *, org_id: int | None = None, source: str = "page") -> Right:
    """Enter one right of the actor's bank. ``data``: columns of ``right`` as text, dates or lists, ``kind`` a code
    of KINDS (or ``auto``).

    Refuses with all faults at once (codes of ``intake.check``) and ``number_taken`` with ``right_id`` of the one
    that is already there.
    """
    may_edit(actor)
    owner = actor.org_id if actor.org_id is not None else org_id
    if owner is None:
        raise Forbidden("person_needed", _l("此操作须由机构的成员进行"))
    day = today()
    values, extra, warnings = check(data, day)
    right = Right(org_id=owner, source=source, created_by=actor.user_id, extra=extra)
    fill(right, values)
    try:
        with db.session.begin_nested():
            db.session.add(right)
    except IntegrityError as error:
        if "uq_right_org_id_kind_number" not in str(error.orig):
            raise
        raise taken(owner, values) from None
    db.session.refresh(right)
    record("right.created", "right", right.id, actor, number=right.number, warnings=[w.code for w in warnings])
    watch.reschedule(right, day)
    return right


def taken(org_id: int, values: Mapping[str, Any]) -> Invalid:
    held = db.session.scalar(
        select(Right.id).where(Right.org_id == org_id, Right.kind == values["kind"], Right.number == values["number"])
    )
    params = {"right_id": held, "number": values["number_display"]}
    text = _l("号码 %(number)s 已经登记过，不能重复登记", number=values["number_display"])
    return Invalid([Problem("number_taken", text, "number", params)])


#: What a correction may change; absent members of ``data`` keep their value.
EDITABLE = (
    "kind", "number", "publication_no", "title", "title_en", "abstract", "abstract_en", "holder_name", "holder_uscc",
    "co_owners", "filing_date", "grant_date", "registration_date", "first_publication", "completion_date",
    "renewed_until", "ipc", "nice", "industry", "region_code", "fee_reduction", "fees_paid_through",
)  # fmt: skip
EXTRA = ("author_death", "first_commercial_use", "compensated_until", "natural_person", "woody")


def present(right: Right) -> dict[str, Any]:
    """The right as ``data``: what a form shows and a correction starts from."""
    data: dict[str, Any] = {name: getattr(right, name) for name in EDITABLE}
    data["number"] = right.number_display
    for name in EXTRA:
        data[name] = (right.extra or {}).get(name)
    for name in ("author_death", "first_commercial_use", "compensated_until"):
        data[name] = extra_date(right, name)
    return data


def fill(right: Right, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(right, name, value)
    right.term_confirmed = True
    term = term_of(right)
    right.term_end = term.end if term else None
    right.term_confirmed = term.confirmed if term else True


def update_right(actor: Actor, right_id: int, data: Mapping[str, Any], seen: str | None = None) -> Right:
    """Correct a right. Refuses like ``create_right``, and ``stale_form``; writes what changed to right_change."""
    right = locked(right_id, actor, seen)
    before = snapshot(right)
    values, extra, _warnings = check({**present(right), **data}, today())
    kept = {name: value for name, value in (right.extra or {}).items() if name not in EXTRA}
    try:
        with db.session.begin_nested():
            right.extra = {**kept, **extra}
            if sorted(values["co_owners"]) != sorted(right.co_owners):
                right.co_owners_consent = False  # it was given by others
            fill(right, values)
    except IntegrityError as error:
        if "uq_right_org_id_kind_number" not in str(error.orig):
            raise
        raise taken(right.org_id, values) from None
    changed(right, before, actor)
    return right


def snapshot(right: Right) -> dict[str, Any]:
    """Every column as it can stand in JSON."""
    skipped = ("updated_at", "created_at")
    found = {c.key: getattr(right, c.key) for c in Right.__table__.columns if c.key not in skipped}
    return {name: plain(value) for name, value in found.items()}


def plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return list(value) if isinstance(value, (list, tuple)) else value


def changed(right: Right, before: Mapping[str, Any], actor: Actor) -> bool:
    """Note what differs, move the version, bring the deadlines in step; False when nothing differs."""
    after = snapshot(right)
    fields = [name for name in after if after[name] != before.get(name)]
    if fields:
        note(right, {n: before.get(n) for n in fields}, {n: after[n] for n in fields}, actor)
    return bool(fields)


def note(right: Right, before: dict[str, Any], after: dict[str, Any], actor: Actor) -> None:
    """One row of right_change (append-only) and the consequences of a change."""
    db.session.add(RightChange(right_id=right.id, user_id=actor.user_id, before=before, after=after))
    right.updated_at = now()
    db.session.flush()
    record("right.changed", "right", right.id, actor, fields=sorted(after))
    watch.reschedule(right, today())


def set_standing(actor: Actor, right_id: int, data: Mapping[str, Any], seen: str | None = None) -> Right:
    """What the register says of the right: ``terminated_on``, ``invalidated_on``, ``invalidation_pending``,
    ``ownership_suspended`` with ``ownership_suspended_until``, ``co_owners_consent``. A suspension needs its last
    day: ``required``. Refused: ``date_in_future``, ``stale_form``."""
    right = locked(right_id, actor, seen)
    before = snapshot(right)
    day = today()
    problems = [
        Problem("date_in_future", _l("日期不能晚于今天"), name)
        for name in ("terminated_on", "invalidated_on")
        if data.get(name) and data[name] > day
    ]
    if data.get("ownership_suspended") and not data.get("ownership_suspended_until"):
        problems.append(Problem("required", _l("请填写中止的最后一天"), "ownership_suspended_until"))
    if problems:
        raise Invalid(problems)
    extra = dict(right.extra or {})
    for name in ("invalidated_on", "ownership_suspended_until"):
        extra.pop(name, None)
        if data.get(name) and (name != "ownership_suspended_until" or data.get("ownership_suspended")):
            extra[name] = data[name].isoformat()
    right.extra = extra
    right.terminated_on = data.get("terminated_on")
    for name in ("invalidation_pending", "ownership_suspended"):
        setattr(right, name, bool(data.get(name)))
    changed(right, before, actor)
    return right


def record_payment(
    actor: Actor,
    right_id: int,
    *,
    year: int,
    paid_on: date,
    amount_minor: int,
    receipt: files.Upload | None = None,
    seen: str | None = None,
) -> AnnuityPayment:
    """Record that the fee of patent year ``year`` was paid (``amount_minor`` fen, surcharge included).

    Refused: ``no_annuities``, ``year_unknown``, ``date_in_future``, ``fee_lapsed`` (after the grace period, 细则
    art. 115), ``year_paid``, ``stale_form``, and the codes of an upload at ``receipt``.
    """
    right = locked(right_id, actor, seen)
    fee = next((row for row in schedule_of(right) if row.year == year), None)
    if not schedule_of(right):
        raise Refused("no_annuities", _l("这项权利没有年费，或缺少申请日"))
    problems = []
    if fee is None:
        problems.append(Problem("year_unknown", _l("这项权利没有第 %(year)s 年的年费", year=year), "year"))
    if paid_on > today():
        problems.append(Problem("date_in_future", _l("日期不能晚于今天"), "paid_on"))
    elif fee and paid_on > fee.grace_end:
        text = _l("缴费期（含滞纳期）已于 %(day)s 届满，之后不能再缴", day=fee.grace_end.isoformat())
        problems.append(Problem("fee_lapsed", text, "paid_on", {}, "细则 art. 115"))
    if amount_minor < 0:
        problems.append(Problem("money_negative", _l("金额不能为负"), "amount"))
    if any(payment.year == year for payment in right.annuity_payments):
        problems.append(Problem("year_paid", _l("第 %(year)s 年的年费已经登记为已缴", year=year), "year"))
    if problems:
        raise Invalid(problems)
    document = None
    if receipt is not None and receipt.filename:
        document = files.keep_upload(
            receipt, kind="annuity_receipt", subject="right", subject_id=right.id, actor=actor, field="receipt"
        )
    payment = AnnuityPayment(
        right_id=right.id,
        year=year,
        paid_on=paid_on,
        amount_minor=amount_minor,
        document_id=document.id if document else None,
        recorded_by=actor.user_id,
    )
    right.annuity_payments.append(payment)
    db.session.flush()
    after = {"annuity_paid": year, "paid_on": paid_on.isoformat(), "amount_minor": amount_minor}
    note(right, {}, after, actor)
    return payment


def add_document(actor: Actor, right_id: int, file: files.Upload | None, kind: str) -> Document:
    """Keep a document of the right. Refused: ``document_kind`` and the codes of an upload, at their fields."""
    right = locked(right_id, actor)
    if kind not in DOCUMENT_KINDS:
        raise Invalid([Problem("document_kind", _l("请选择文件种类"), "kind")])
    return files.keep_upload(file, kind=kind, subject="right", subject_id=right.id, actor=actor)


def remove_document(actor: Actor, right_id: int, document_id: int) -> None:
    """Take one of the right's documents away; the bytes stay for the record."""
    right = locked(right_id, actor)
    document = files.find(document_id, actor)
    if (document.subject, document.subject_id) != ("right", right.id):
        raise NotFound("document_unknown", _l("没有这份文件"))
    files.remove(document.id, actor)
