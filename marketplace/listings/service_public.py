"""Questions and objections of the public to a published offer."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from marketplace.core import deadlines
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.listings import rules
from marketplace.listings.models import Listing, Objection, Question
from marketplace.listings.service_course import suspend, withdraw
from marketplace.listings.service_draft import unknown
from marketplace.listings.service_publish import manager, need_reason
from marketplace.parties import notices
from marketplace.parties import service as parties

LONGEST = 4000
REVIEW_DAYS = 5  # the platform's own promise, shown as such


def ask(actor: Actor, listing_id: int, text: str) -> Question:
    """A verified organisation asks in public. Refused: ``organisation_not_verified``, ``question_text``,
    ``questions_closed``, ``too_many_questions`` (20 unanswered of one organisation)."""
    org_id = parties.require_verified(actor)
    listing = _public(listing_id)
    if listing.state not in ("published", "suspended"):
        raise Refused("questions_closed", _l("此挂牌已结束，不再接受提问"))
    body = _body(text, "question_text", _l("请填写问题，不超过 4000 字"))
    waiting = db.session.scalars(
        select(Question.id).where(
            Question.listing_id == listing_id,
            Question.org_id == org_id,
            Question.answer.is_(None),
            Question.hidden_reason.is_(None),
        )
    ).all()
    if len(waiting) >= 20:
        raise Refused("too_many_questions", _l("您已有多个问题等待答复，请稍后再提问"))
    if actor.user_id is None:
        raise Forbidden("person_needed", _l("此操作须由本机构的成员提出"))
    row = Question(listing_id=listing_id, org_id=org_id, asked_by=actor.user_id, text=body)
    db.session.add(row)
    db.session.flush()
    record("listing.question_asked", "listing", listing_id, actor, question_id=row.id)
    notices.notify_org(
        listing.org_id,
        _l("有人就您的挂牌提问"),
        _l("%(number)s 有新的问题，请在页面上答复。", number=listing.number),
        link=f"/listings/mine/{listing.id}",
        dedupe_key=f"question:{row.id}",
    )
    return row


def answer(actor: Actor, question_id: int, text: str) -> Question:
    """The seller's maker answers in public, once. Refused: ``question_unknown`` (404), ``already_answered``."""
    row = _question(question_id)
    listing = db.session.get(Listing, row.listing_id)
    if listing is None or listing.org_id != actor.org_id:
        raise NotFound("question_unknown", _l("没有这个问题"))
    actor.require("maker")
    if row.answer is not None or row.hidden_reason is not None:
        raise Refused("already_answered", _l("此问题已答复或已隐藏"))
    row.answer = _body(text, "answer_text", _l("请填写答复，不超过 4000 字"))
    row.answered_by, row.answered_at = actor.user_id, now()
    record("listing.question_answered", "listing", row.listing_id, actor, public=True, question_id=row.id)
    if row.org_id:
        notices.notify_org(
            row.org_id,
            _l("您的问题已答复"),
            _l("%(number)s 的处置方答复了您的问题。", number=listing.number),
            link=f"/listings/{listing.number}#questions",
            dedupe_key=f"answer:{row.id}",
        )
    return row


def hide(actor: Actor, question_id: int, reason: str) -> Question:
    """A manager hides a question with its answer; the reason is shown in its place."""
    manager(actor)
    reason = need_reason(reason)
    row = _question(question_id)
    row.hidden_reason, row.hidden_by = reason, actor.user_id
    record("listing.question_hidden", "listing", row.listing_id, actor, question_id=row.id, reason=reason)
    return row


def object_to(actor: Actor, listing_id: int, *, capacity: str, ground: str, text: str) -> Objection:
    """Anyone signed in objects, with capacity and ground; a manager decides within 5 days (the platform's promise;
    deadline ``listing.objection``). Refused: ``objection_text``, ``capacity_unknown``, ``ground_unknown``."""
    if actor.user_id is None:
        raise Forbidden("person_needed", _l("请先登录"))
    listing = _public(listing_id)
    problems = []
    if capacity not in rules.OBJECTION_CAPACITIES:
        problems.append(Problem("capacity_unknown", _l("请选择您的身份"), "capacity"))
    if ground not in rules.OBJECTION_GROUNDS:
        problems.append(Problem("ground_unknown", _l("请选择理由"), "ground"))
    if not text.strip() or len(text) > LONGEST:
        problems.append(Problem("objection_text", _l("请写明事实和理由，不超过 4000 字"), "text"))
    if problems:
        raise Invalid(problems)
    row = Objection(
        listing_id=listing_id,
        org_id=actor.org_id,
        filed_by=actor.user_id,
        capacity=capacity,
        ground=ground,
        text=text.strip(),
    )
    db.session.add(row)
    db.session.flush()
    record("listing.objection_filed", "listing", listing_id, actor, objection_id=row.id)
    deadlines.schedule("listing.objection", "objection", row.id, now() + timedelta(days=REVIEW_DAYS))
    notices.notify_managers(
        _l("有人对挂牌提出异议"),
        _l("%(number)s 有一项异议待处理。", number=listing.number),
        link=f"/manage/listings/{listing.id}",
        dedupe_key=f"objection:{row.id}",
    )
    return row


def decide(actor: Actor, objection_id: int, *, upheld: bool, decision: str, measure: str = "suspend") -> Objection:
    """A manager decides with a published decision. Upheld: the offer is suspended at once, or its withdrawal goes to
    the second manager. Refused: ``reason_needed``, ``objection_decided``, ``measure_unknown`` and those of the act."""
    manager(actor)
    decision = need_reason(decision)
    known = db.session.get(Objection, objection_id)
    if known is None:
        raise NotFound("objection_unknown", _l("没有这项异议"))
    if upheld and measure not in ("suspend", "withdraw"):
        raise Invalid([Problem("measure_unknown", _l("请选择暂缓或撤回"), "measure")])
    listing = db.session.scalar(
        select(Listing)
        .where(Listing.id == known.listing_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    row = db.session.scalar(
        select(Objection)
        .where(Objection.id == objection_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    assert row is not None and listing is not None
    if row.state in ("rejected", "upheld"):
        raise Refused("objection_decided", _l("这项异议已经处理"))
    row.state = "upheld" if upheld else "rejected"
    row.decision, row.decided_by, row.decided_at = decision, actor.user_id, now()
    deadlines.cancel("listing.objection", "objection", row.id)
    record(f"listing.objection_{row.state}", "listing", row.listing_id, actor, public=True, objection_id=row.id)
    if upheld:
        row.measure = measure
        if listing.state == "published":
            suspend(actor, listing.id, decision)
        if measure == "withdraw" and listing.state == "suspended":
            withdraw(actor, listing.id, decision)
    if row.org_id:
        notices.notify_org(
            row.org_id,
            _l("您的异议已有结果"),
            _l("%(number)s：%(decision)s", number=listing.number, decision=decision),
            link=f"/listings/{listing.number}#objections",
            dedupe_key=f"objection.decided:{row.id}",
        )
    return row


def objection_overdue(objection_id: int) -> None:
    """The promised time is over: remind the managers once."""
    row = db.session.get(Objection, objection_id)
    if row is None or row.state in ("rejected", "upheld"):
        return
    notices.notify_managers(
        _l("异议处理逾期"),
        _l("有一项异议超过承诺的时间仍未处理。"),
        link=f"/manage/listings/{row.listing_id}",
        dedupe_key=f"objection.overdue:{row.id}",
    )


def _public(listing_id: int) -> Listing:
    listing = db.session.get(Listing, listing_id)
    if listing is None or listing.published_at is None:
        raise unknown()
    return listing


def _question(question_id: int) -> Question:
    row = db.session.scalar(select(Question).where(Question.id == question_id).with_for_update())
    if row is None:
        raise NotFound("question_unknown", _l("没有这个问题"))
    return row


def _body(text: str, code: str, message: object) -> str:
    body = text.strip()
    if not body or len(body) > LONGEST:
        raise Invalid([Problem(code, message, "text")])
    return body
