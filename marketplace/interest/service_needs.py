"""A need from its draft to its end. The need's row is locked first, then its responses.

Publication takes one manager: it sells nothing and moves no money, and the poster and the manager are already two
persons of two organisations. Who is named, and how, the poster alone decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from marketplace.core import deadlines
from marketplace.core.actor import ENTERPRISE, OPERATOR, Actor
from marketplace.core.clock import SHANGHAI, now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.interest import standing
from marketplace.interest.models import WANTED, Need, NeedResponse
from marketplace.interest.rules import INDUSTRY, IPC, REGION, ipc_code
from marketplace.parties import notices
from marketplace.parties import service as parties

LONGEST_DAYS = 366
MOST_OPEN = 50  # of one organisation
LIMITS = {"title": 120, "title_en": 240, "details": 4000, "details_en": 8000, "contact": 300}
OPEN_STATES = ("draft", "submitted", "published")


def unknown() -> NotFound:
    return NotFound("need_unknown", _l("没有这项需求"))


def locked(need_id: int) -> Need:
    """The need's row under its lock, re-read (law 4). 404 ``need_unknown``."""
    need = db.session.scalar(
        select(Need).where(Need.id == need_id).with_for_update().execution_options(populate_existing=True)
    )
    if need is None:
        raise unknown()
    return need


def own(actor: Actor, need_id: int) -> Need:
    """The actor's organisation's own need, locked."""
    poster(actor)
    need = locked(need_id)
    if need.org_id != actor.org_id:
        raise unknown()
    return need


def poster(actor: Actor) -> int:
    """A maker of a verified enterprise or operating firm; refuses ``person_needed``, ``poster_needed``,
    ``organisation_not_verified``, ``role_needed``."""
    if actor.user_id is None:
        raise Forbidden("person_needed", _l("此操作须由本机构的成员提出"))
    if actor.org_kind not in (ENTERPRISE, OPERATOR):
        raise Forbidden("poster_needed", _l("只有企业和运营机构可以发布技术需求"))
    org_id = parties.require_verified(actor)
    actor.require("maker")
    return org_id


def end_of(day: date) -> datetime:
    """The moment after the last of this day in Asia/Shanghai."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


def cleaned(data: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The fields of a need as they are kept; all faults at once (Invalid), each at its field."""
    problems: list[Problem] = []

    def text(name: str, required: bool = False) -> str:
        value = str(data.get(name) or "").replace("\r\n", "\n").strip()
        if "\0" in value:
            problems.append(Problem("bad_character", _l("含有不能使用的字符"), name))
        elif len(value) > LIMITS[name]:
            problems.append(Problem("too_long", _l("内容过长"), name, {"limit": LIMITS[name]}))
        elif required and not value:
            problems.append(Problem("required", _l("请填写此项"), name))
        return value

    kept: dict[str, Any] = {name: text(name, name in ("title", "details", "contact")) for name in LIMITS}
    kept["title_en"], kept["details_en"] = kept["title_en"] or None, kept["details_en"] or None
    kept["ipc"] = _ipc(data.get("ipc") or (), problems)
    kept["industry"] = _code(data, "industry", INDUSTRY, problems)
    kept["region_code"] = _code(data, "region_code", REGION, problems)
    kept["wanted"] = data.get("wanted") or "either"
    if kept["wanted"] not in WANTED:
        problems.append(Problem("wanted_unknown", _l("请选择希望的方式"), "wanted"))
    low, high = data.get("budget_low_minor"), data.get("budget_high_minor")
    if low is not None and high is not None and low > high:
        problems.append(Problem("budget_order", _l("预算上限不能低于下限"), "budget_high"))
    kept |= {"budget_low_minor": low, "budget_high_minor": high, "anonymous": bool(data.get("anonymous"))}
    kept["valid_until"] = until = data.get("valid_until")
    today = at.astimezone(SHANGHAI).date()
    if until is None:
        problems.append(Problem("required", _l("请填写此项"), "valid_until"))
    elif not today < until <= today + timedelta(days=LONGEST_DAYS):
        problems.append(Problem("valid_until_range", _l("截止日须在明天到一年之内"), "valid_until"))
    if problems:
        raise Invalid(problems)
    return kept


def _ipc(given: Any, problems: list[Problem]) -> list[str]:
    codes = re.split(r"[,，;；、\s]+", given) if isinstance(given, str) else list(given)
    codes = list(dict.fromkeys(ipc_code(code) for code in codes if code.strip()))
    if any(not IPC.fullmatch(code) for code in codes):
        problems.append(Problem("code_format", _l("IPC 分类号如 H01M 或 H01M10/0525，多个用逗号分开"), "ipc"))
    elif len(codes) > 10:
        problems.append(Problem("too_many", _l("最多填写 10 个分类号"), "ipc"))
    return codes


def _code(data: Mapping[str, Any], name: str, form: re.Pattern[str], problems: list[Problem]) -> str | None:
    value = str(data.get(name) or "").strip().upper()
    if value and not form.fullmatch(value):
        problems.append(Problem("code_format", _l("代码格式有误"), name))
    return value or None


def save(actor: Actor, data: Mapping[str, Any], need_id: int | None = None) -> Need:
    """A new draft, or the draft with these fields. Refused: ``need_not_draft``, ``too_many_needs``, every fault of
    the fields (Invalid)."""
    org_id = poster(actor)
    need = own(actor, need_id) if need_id is not None else None
    if need is not None and need.state != "draft":
        raise Refused("need_not_draft", _l("只有草稿可以修改；已发布的需求可以结束后重新发布"))
    at = now()
    kept = cleaned(data, at)
    if need is None:
        org = parties.get_org(org_id)
        live = db.session.scalars(select(Need.id).where(Need.org_id == org_id, Need.state.in_(OPEN_STATES)))
        if len(live.all()) >= MOST_OPEN:
            raise Refused("too_many_needs", _l("未结束的需求过多，请先结束一些"), limit=MOST_OPEN)
        need = Need(org_id=org_id, created_by=actor.user_id, demo=org.demo, **kept)
        db.session.add(need)
        db.session.flush()
        record("need.created", "need", need.id, actor)
        return need
    for name, value in kept.items():
        setattr(need, name, value)
    need.updated_at = at
    db.session.flush()
    record("need.edited", "need", need.id, actor)
    return need


def submit(actor: Actor, need_id: int) -> Need:
    """To the platform for review. Refused: ``need_not_draft``, and what ``cleaned`` finds by now."""
    need = own(actor, need_id)
    if need.state != "draft":
        raise Refused("need_not_draft", _l("此需求不是草稿"))
    at = now()
    cleaned(fields_of(need), at)
    need.state, need.state_reason, need.submitted_at, need.updated_at = "submitted", None, at, at
    record("need.submitted", "need", need.id, actor)
    notices.notify_managers(
        _l("技术需求等待审核"), _l("“%(title)s”等待审核。", title=need.title), link=f"/manage/needs/{need.id}"
    )
    return need


def fields_of(need: Need) -> dict[str, Any]:
    names = (*LIMITS, "ipc", "industry", "region_code", "wanted", "budget_low_minor", "budget_high_minor")
    return {name: getattr(need, name) for name in (*names, "anonymous", "valid_until")}


def _manager(actor: Actor) -> None:
    if not actor.is_manager:
        raise Forbidden("manager_needed", _l("须由平台管理人员操作"))


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Refused("reason_needed", _l("请填写理由"))
    return reason.strip()[:2000]


def publish(actor: Actor, need_id: int) -> Need:
    """The manager finds it in order: public from now on, to its last day. Refused: ``manager_needed``,
    ``need_not_submitted``, ``second_person_needed``, what ``cleaned`` finds by now."""
    _manager(actor)
    need = locked(need_id)
    if need.state != "submitted":
        raise Refused("need_not_submitted", _l("此需求不在待审核状态"))
    if actor.user_id == need.created_by:
        raise Forbidden("second_person_needed", _l("须由另一名成员复核"))
    at = now()
    cleaned(fields_of(need), at)
    assert need.valid_until is not None
    need.state, need.state_reason, need.reviewed_by = "published", None, actor.user_id
    need.published_at = need.updated_at = at
    need.judged_at = None
    deadlines.schedule("need.expire", "need", need.id, end_of(need.valid_until), need.org_id)
    db.session.flush()
    record("need.published", "need", need.id, actor, public=True)
    standing.wake()
    _tell(need, _l("技术需求已发布"), _l("“%(title)s”已发布，匹配的拍品会列在需求页面。", title=need.title))
    return need


def send_back(actor: Actor, need_id: int, reason: str) -> Need:
    """Back to the poster with what is to be corrected. Refused: ``reason_needed``, ``need_not_submitted``."""
    _manager(actor)
    reason = _reason(reason)
    need = locked(need_id)
    if need.state != "submitted":
        raise Refused("need_not_submitted", _l("此需求不在待审核状态"))
    need.state, need.state_reason, need.updated_at = "draft", reason, now()
    record("need.returned", "need", need.id, actor, reason=reason)
    _tell(need, _l("技术需求被退回"), _l("“%(title)s”被退回修改，理由：%(reason)s", title=need.title, reason=reason))
    return need


def close(actor: Actor, need_id: int, *, matched: bool = False, reason: str = "") -> Need | None:
    """The poster ends it; ``matched`` when something was found here, which needs an accepted response
    (``no_accepted_response``). A submitted one becomes a draft again, a draft is deleted (None). Refused:
    ``need_ended``."""
    need = own(actor, need_id)
    if need.state not in OPEN_STATES:
        raise Refused("need_ended", _l("此需求已经结束"))
    if need.state != "published":
        if need.state == "draft":
            record("need.discarded", "need", need.id, actor)
            db.session.delete(need)
            return None
        need.state, need.updated_at = "draft", now()
        record("need.taken_back", "need", need.id, actor)
        return need
    responses = _responses(need.id)
    if matched and not any(row.state == "accepted" for row in responses):
        raise Refused("no_accepted_response", _l("还没有接受过任何响应，请选择“结束”"))
    _end(need, "matched" if matched else "closed", reason.strip() or None, responses)
    record("need.matched" if matched else "need.closed", "need", need.id, actor, public=True)
    return need


def take_down(actor: Actor, need_id: int, reason: str) -> Need:
    """A manager ends a published need, with a public reason. Refused: ``reason_needed``, ``need_ended``."""
    _manager(actor)
    reason = _reason(reason)
    need = locked(need_id)
    if need.state != "published":
        raise Refused("need_ended", _l("此需求已经结束"))
    _end(need, "closed", reason, _responses(need.id))
    record("need.taken_down", "need", need.id, actor, public=True, reason=reason)
    _tell(
        need, _l("技术需求被平台结束"), _l("“%(title)s”已由平台结束，理由：%(reason)s", title=need.title, reason=reason)
    )
    return need


def expire(need_id: int) -> datetime | None:
    """The last day has passed (deadline ``need.expire``); the new instant when it is not yet so."""
    need = locked(need_id)
    if need.state != "published" or need.valid_until is None:
        return None
    due = end_of(need.valid_until)
    if now() < due:
        return due
    _end(need, "expired", None, _responses(need.id))
    record("need.expired", "need", need.id, public=True)
    _tell(need, _l("技术需求已到期"), _l("“%(title)s”已过截止日。仍需要的，可以重新发布。", title=need.title))
    return None


def _responses(need_id: int) -> list[NeedResponse]:
    """Its responses, locked in the order of their ids."""
    return list(
        db.session.scalars(
            select(NeedResponse)
            .where(NeedResponse.need_id == need_id)
            .order_by(NeedResponse.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _end(need: Need, state: str, reason: str | None, responses: list[NeedResponse]) -> None:
    """Ends the need and tells whoever still waits for an answer."""
    at = now()
    need.state, need.state_reason, need.ended_at, need.updated_at = state, reason, at, at
    deadlines.cancel("need.expire", "need", need.id)
    for row in responses:
        if row.state == "offered":
            row.state, row.decided_at = "lapsed", at
            notices.notify_org(
                row.org_id,
                _l("技术需求已结束"),
                _l("您响应过的需求“%(title)s”已结束，没有作出答复。", title=need.title),
                link=f"/needs/{need.id}",
                dedupe_key=f"need.lapsed:{row.id}",
            )
    db.session.flush()


def _tell(need: Need, subject: Any, body: Any) -> None:
    notices.notify_org(need.org_id, subject, body, link=f"/needs/mine/{need.id}")
