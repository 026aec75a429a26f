"""“I can offer this”: an owner answers a need with one of its public offers; the poster accepts or not.

Names and contacts are told to both sides once both have agreed: the owner by answering, the poster by accepting.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from marketplace.core.actor import BANK, OPERATOR, Actor
from marketplace.core.clock import SHANGHAI, now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.interest.models import NeedResponse
from marketplace.interest.service_needs import locked, poster, unknown
from marketplace.listings import public
from marketplace.parties import notices
from marketplace.parties import service as parties

LONGEST = {"message": 2000, "contact": 300}


def owner(actor: Actor) -> int:
    """A maker of a verified bank or operating firm; refuses ``person_needed``, ``owner_needed``,
    ``organisation_not_verified``, ``role_needed``."""
    if actor.user_id is None:
        raise Forbidden("person_needed", _l("此操作须由本机构的成员提出"))
    if actor.org_kind not in (BANK, OPERATOR):
        raise Forbidden("owner_needed", _l("只有挂牌的银行和运营机构可以响应需求"))
    org_id = parties.require_verified(actor)
    actor.require("maker")
    return org_id


def respond(actor: Actor, need_id: int, listing_id: int, message: str, contact: str) -> NeedResponse:
    """Offer a published listing of one's own. Refused: ``need_not_open``, ``own_need``, ``listing_not_offered``,
    ``already_responded``, faults of the texts (Invalid)."""
    org_id = owner(actor)
    texts = {"message": message.strip(), "contact": contact.strip()}
    problems = [Problem("required", _l("请填写此项"), name) for name, value in texts.items() if not value]
    problems += [
        Problem("too_long", _l("内容过长"), name, {"limit": LONGEST[name]})
        for name, value in texts.items()
        if len(value) > LONGEST[name]
    ]
    if any("\0" in value for value in texts.values()):
        problems.append(Problem("bad_character", _l("含有不能使用的字符"), "message"))
    if problems:
        raise Invalid(problems)
    need = locked(need_id)
    if need.state not in ("published", "matched", "closed", "expired"):
        raise unknown()
    if need.state != "published" or need.valid_until is None or _over(need.valid_until):
        raise Refused("need_not_open", _l("此需求已经结束，不再接受响应"))
    if parties.related(org_id, need.org_id):
        raise Refused("own_need", _l("不能响应本机构或关联机构的需求"))
    if listing_id not in {offer.listing_id for offer in public.offered_by(org_id)}:
        raise Refused("listing_not_offered", _l("请选择本机构正在公告或竞价的挂牌"))
    row = NeedResponse(need_id=need.id, org_id=org_id, listing_id=listing_id, created_by=actor.user_id, **texts)
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        raise Refused("already_responded", _l("已经用这个挂牌响应过此需求")) from None
    record("need.answered", "need", need.id, actor, response_id=row.id)
    notices.notify_org(
        need.org_id,
        _l("技术需求收到响应"),
        _l("有权利人用挂牌响应了“%(title)s”。接受之后，双方才能看到对方的名称和联系方式。", title=need.title),
        link=f"/needs/mine/{need.id}",
        dedupe_key=f"need.answered:{row.id}",
    )
    return row


def _over(last_day: date) -> bool:
    return now().astimezone(SHANGHAI).date() > last_day


def _response(response_id: int) -> NeedResponse:
    """The response under its need's lock and its own."""
    need_id = db.session.scalar(select(NeedResponse.need_id).where(NeedResponse.id == response_id))
    if need_id is None:
        raise _no_response()
    locked(need_id)
    row = db.session.scalar(
        select(NeedResponse)
        .where(NeedResponse.id == response_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    assert row is not None
    return row


def _no_response() -> NotFound:
    return NotFound("response_unknown", _l("没有这项响应"))


def decide(actor: Actor, response_id: int, *, accept: bool, reason: str = "") -> NeedResponse:
    """The poster accepts, and both sides learn of each other; or declines, with a reason if they like. Refused:
    ``response_decided``, ``need_ended``."""
    poster(actor)
    row = _response(response_id)
    if row.need.org_id != actor.org_id:
        raise _no_response()
    if row.state != "offered":
        raise Refused("response_decided", _l("这项响应已经处理或撤回"))
    if row.need.state != "published":
        raise Refused("need_ended", _l("此需求已经结束"))
    row.state, row.state_reason = ("accepted" if accept else "declined"), reason.strip()[:2000] or None
    row.decided_by, row.decided_at = actor.user_id, now()
    db.session.flush()
    record("need.response_accepted" if accept else "need.response_declined", "need", row.need_id, actor,
           response_id=row.id)  # fmt: skip
    title = row.need.title
    notices.notify_org(
        row.org_id,
        _l("需求方同意对接") if accept else _l("需求方未接受响应"),
        _l("“%(title)s”的需求方同意对接，双方的联系方式已显示在需求页面。", title=title)
        if accept
        else _l("“%(title)s”的需求方没有接受您的响应。", title=title),
        link=f"/needs/{row.need_id}",
        dedupe_key=f"need.decided:{row.id}",
    )
    return row


def withdraw(actor: Actor, response_id: int) -> NeedResponse:
    """The owner takes an unanswered response back. Refused: ``response_decided``."""
    owner(actor)
    row = _response(response_id)
    if row.org_id != actor.org_id:
        raise _no_response()
    if row.state != "offered":
        raise Refused("response_decided", _l("这项响应已经处理或撤回"))
    row.state, row.decided_at = "withdrawn", now()
    db.session.flush()
    record("need.response_withdrawn", "need", row.need_id, actor, response_id=row.id)
    return row
