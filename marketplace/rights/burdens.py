"""Burdens on a right: pledges, court preservation, licences; entered, consented to, released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from marketplace.core import files
from marketplace.core.actor import Actor
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.core.errors import Invalid, NotFound, Problem, Refused
from marketplace.core.i18n import _l
from marketplace.rights.intake import one_line
from marketplace.rights.models import ENCUMBRANCES, Encumbrance, Right
from marketplace.rights.rules.encumbrances import EncumbranceRefused, Preservation, check_preservation
from marketplace.rights.rules.numbers import NumberRefused, parse_record_number
from marketplace.rights.service import locked, note
from marketplace.rights.words import say

NAMES = {
    "pledge": _l("质押"),
    "preservation": _l("法院保全"),
    "licence_exclusive": _l("独占许可"),
    "licence_sole": _l("排他许可"),
    "licence_ordinary": _l("普通许可"),
}


def add_encumbrance(actor: Actor, right_id: int, data: Mapping[str, Any], seen: str | None = None) -> Encumbrance:
    """Put a burden on a right: ``kind``, ``holder`` (pledgee, licensee; for a court its own name),
    ``registration_no``, ``case_no``, ``from_date``, ``until_date``, ``recorded``, ``scope``, ``own`` (the bank
    itself is the pledgee).

    A preservation without an end gets the longest the law allows (专利纠纷规定 art. 13, 商标保全解释 art. 2).
    Refused at their fields: ``kind_unknown``, ``required``, ``date_order``, ``preservation.too_long``,
    ``date_in_future``, ``too_long``; ``stale_form``.
    """
    right = locked(right_id, actor, seen)
    values = _checked(right, data)
    own = values["kind"] == "pledge" and bool(data.get("own"))
    row = Encumbrance(
        right_id=right.id, created_by=actor.user_id, holder_org_id=right.org_id if own else None, **values
    )
    right.encumbrances.append(row)
    db.session.flush()
    note(right, {}, {"encumbrance_added": row.holder, "encumbrance": row.id, **_named(row)}, actor)
    return row


def _checked(right: Right, data: Mapping[str, Any]) -> dict[str, Any]:
    problems: list[Problem] = []
    kind = str(data.get("kind") or "")
    if kind not in ENCUMBRANCES:
        raise Invalid([Problem("kind_unknown", _l("请选择负担的种类"), "kind")])
    values: dict[str, Any] = {"kind": kind, "recorded": bool(data.get("recorded"))}
    for name in ("holder", "registration_no", "case_no", "scope"):
        values[name] = one_line(data.get(name))
        if values[name] and len(values[name]) > 300:
            problems.append(Problem("too_long", _l("最多 %(max)s 个字", max=300), name))
    if not values["holder"]:
        problems.append(Problem("required", _l("请填写名称"), "holder"))
    if kind == "preservation":
        values["court"] = values["holder"]
        if not values["case_no"]:
            problems.append(Problem("required", _l("请填写案号"), "case_no"))
    if values["registration_no"] and kind != "preservation":
        try:
            purpose = "pledge" if kind == "pledge" else "licence"
            values["registration_no"] = parse_record_number(purpose, values["registration_no"]).display
        except NumberRefused as refused:
            problems.append(Problem(refused.code, say(refused.template, refused.params), "registration_no"))
    begins, ends = data.get("from_date"), data.get("until_date")
    values["from_date"], values["until_date"] = begins, ends
    if begins is None:
        problems.append(Problem("required", _l("请填写开始日期"), "from_date"))
    elif begins > today():
        problems.append(Problem("date_in_future", _l("日期不能晚于今天"), "from_date"))
    elif ends and ends < begins:
        problems.append(Problem("date_order", _l("到期日不能早于开始日"), "until_date"))
    elif kind == "preservation":
        held = Preservation(values["court"] or "", values["case_no"] or "", begins, ends)
        try:
            values["until_date"] = check_preservation(right.kind, held).until
        except EncumbranceRefused as refused:
            text = say(refused.template, refused.params)
            source = "专利纠纷规定 art. 13；商标保全解释 art. 2"
            problems.append(Problem(refused.code, text, "until_date", refused.params, source))
    if problems:
        raise Invalid(problems)
    return values


def _named(row: Encumbrance) -> dict[str, Any]:
    until = row.until_date.isoformat() if row.until_date else None
    return {"burden": row.kind, "from": row.from_date.isoformat(), "until": until}


@dataclass(frozen=True)
class OwnPledge:
    """The bank's pledge of one right as its case states it."""

    right_id: int
    registration_no: str | None
    from_date: date


def record_own_pledges(actor: Actor, holder: str, pledges: Sequence[OwnPledge]) -> list[Encumbrance]:
    """Enter the bank's own pledge of each right, so that whoever reads the right sees the burden it stands under.

    Called when a second banker has approved the case; ``holder`` is the bank's name. A right that already carries an
    unreleased pledge of its bank, or one with the same registration number, is left as it is. The number stays as it
    is written where it follows no known form; with a number the pledge counts as recorded (民法典 art. 444: it is
    created when it is registered). Locks the rights in the order of their ids.
    """
    stated = {pledge.right_id: pledge for pledge in pledges}
    rights = db.session.scalars(
        select(Right)
        .where(Right.id.in_(stated))
        .order_by(Right.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    entered = []
    for right in rights:
        pledge = stated[right.id]
        number = _pledge_number(pledge.registration_no)
        standing = [row for row in right.encumbrances if row.kind == "pledge" and row.released_on is None]
        if any(row.holder_org_id == right.org_id or (number and row.registration_no == number) for row in standing):
            continue
        row = Encumbrance(
            kind="pledge", holder=holder, holder_org_id=right.org_id, registration_no=number,
            from_date=pledge.from_date, recorded=number is not None, created_by=actor.user_id,
        )  # fmt: skip
        right.encumbrances.append(row)
        db.session.flush()
        note(right, {}, {"encumbrance_added": holder, "encumbrance": row.id, **_named(row)}, actor)
        entered.append(row)
    return entered


def _pledge_number(written: str | None) -> str | None:
    if not written:
        return None
    try:
        return parse_record_number("pledge", written).display
    except NumberRefused:
        return written


def burden_on(right: Right, encumbrance_id: int) -> Encumbrance:
    for row in right.encumbrances:
        if row.id == encumbrance_id:
            return row
    raise NotFound("encumbrance_unknown", _l("没有这项负担"))


def release_encumbrance(
    actor: Actor, right_id: int, encumbrance_id: int, released_on: date | None, seen: str | None = None
) -> Encumbrance:
    """End a burden on ``released_on``, from which day it no longer counts. Refused: ``required``,
    ``date_in_future``, ``date_order``, ``encumbrance_released``, ``stale_form``."""
    right = locked(right_id, actor, seen)
    row = burden_on(right, encumbrance_id)
    if row.released_on is not None:
        raise Refused("encumbrance_released", _l("这项负担已经解除"))
    if released_on is None:
        raise Invalid([Problem("required", _l("请填写解除日期"), "released_on")])
    if released_on > today():
        raise Invalid([Problem("date_in_future", _l("日期不能晚于今天"), "released_on")])
    if released_on < row.from_date:
        raise Invalid([Problem("date_order", _l("解除日期不能早于开始日"), "released_on")])
    row.released_on = released_on
    note(right, {"encumbrance": row.id}, {"encumbrance_released": row.holder, "on": released_on.isoformat()}, actor)
    return row


def record_consent(
    actor: Actor, right_id: int, encumbrance_id: int, file: files.Upload | None, seen: str | None = None
) -> Encumbrance:
    """The pledgee agrees in writing to the disposal (民法典 art. 444): its document is needed. Refused:
    ``not_a_pledge``, ``stale_form`` and the codes of an upload."""
    right = locked(right_id, actor, seen)
    row = burden_on(right, encumbrance_id)
    if row.kind != "pledge":
        raise Refused("not_a_pledge", _l("只有质押需要质权人同意"))
    document = files.keep_upload(file, kind="pledgee_consent", subject="right", subject_id=right.id, actor=actor)
    row.consent, row.consent_document_id = True, document.id
    note(right, {"encumbrance": row.id, "consent": False}, {"encumbrance": row.id, "consent": True}, actor)
    return row


def record_co_owner_consent(actor: Actor, right_id: int, file: files.Upload | None, seen: str | None = None) -> Right:
    """Every co-owner agrees in writing (专利法 art. 14): their document is needed. Refused: ``no_co_owners``,
    ``stale_form`` and the codes of an upload."""
    right = locked(right_id, actor, seen)
    if not right.co_owners:
        raise Refused("no_co_owners", _l("这项权利没有登记共有人"))
    files.keep_upload(file, kind="co_owner_consent", subject="right", subject_id=right.id, actor=actor)
    before = right.co_owners_consent
    right.co_owners_consent = True
    note(right, {"co_owners_consent": before}, {"co_owners_consent": True}, actor)
    return right
