"""What waits for whom: reads for the desk, the approvals list and the jobs desk, and the two retries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import func, or_, select, update

from marketplace.auctions import queries as auctions
from marketplace.cases import queries as cases
from marketplace.core import approvals, deadlines
from marketplace.core.actor import BANK, ENTERPRISE, OPERATOR, PLATFORM, REGULATOR, Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.events import record
from marketplace.core.i18n import _, _l, _lp, ngettext, title_of
from marketplace.core.models import Approval, Deadline, Event, Heartbeat, Outbox
from marketplace.interest import queries as interest
from marketplace.listings import desk as listing_desk
from marketplace.listings import queries as listings
from marketplace.money import queries as money
from marketplace.money import texts as money_texts
from marketplace.parties import queries as parties
from marketplace.parties.models import User
from marketplace.rights import queries as rights
from marketplace.web import words

DATA_TEXT = {"amount_minor": _l("金额"), "reason": _l("理由"), "note": _l("说明")}


def names_of(user_ids: set[int]) -> dict[int, str]:
    """Display names, for colleagues of the same organisation only."""
    if not user_ids:
        return {}
    rows = db.session.execute(select(User.id, User.display_name, User.email).where(User.id.in_(user_ids)))
    return {row.id: row.display_name or row.email for row in rows}


def lists(actor: Actor) -> dict[str, list[dict[str, Any]]]:
    """The lists of a desk: what waits for a second person, what falls due, what was done. The names of people and of
    things are read once for all of them."""
    assert actor.org_id is not None
    asked = approvals.waiting_for(actor.org_id)
    due = due_rows(actor)
    done = event_rows(actor.org_id)
    rows: list[Any] = [*asked, *due, *(row for row, _times in done)]
    labels = named(rows)
    people = names_of({row.requested_by for row in asked} | {row.user_id for row, _times in done if row.user_id})
    stakes = money.at_stake(asked)
    return {
        "waiting": [describe(row, actor, people, labels, stakes.get(row.id)) for row in asked],
        "deadlines": [describe_due(row, labels) for row in due],
        "events": [describe_event(row, times, people, labels) for row, times in done],
    }


def waiting(actor: Actor) -> list[dict[str, Any]]:
    """What waits for a second person in the actor's organisation; ``mine``: this actor may decide it now."""
    if actor.org_id is None:
        return []
    rows = approvals.waiting_for(actor.org_id)
    names = names_of({row.requested_by for row in rows})
    labels, stakes = named(rows), money.at_stake(rows)
    return [describe(row, actor, names, labels, stakes.get(row.id)) for row in rows]


def describe(
    row: Approval,
    actor: Actor,
    names: dict[int, str],
    labels: dict[tuple[str, int], str],
    stake: money.AtStake | None = None,
) -> dict[str, Any]:
    """What a second person is asked; of money with the sum and whose it is, so that nobody approves it unseen."""
    subject, href = subject_label(row, labels), words.subject_href(row.subject, row.subject_id)
    if stake and row.subject == "statement_line":  # its id is that of the first of several credits
        subject = ngettext("%(num)s 笔来款", "%(num)s 笔来款", stake.count)
        href = url_for("money.approval_page", approval_id=row.id) if actor.is_manager else None
    return {
        "id": row.id,
        "text": words.approval_text(row.kind),
        "subject": subject,
        "href": href,
        "stake": stake_facts(row, stake) if stake else [],
        "asked_by": names.get(row.requested_by, ""),
        "asked_at": row.requested_at,
        "mine": row.requested_by != actor.user_id and actor.may("approver"),
        "own": row.requested_by == actor.user_id,
        "data": [(label, row.data[key], key.endswith("_minor")) for key, label in DATA_TEXT.items() if key in row.data],
    }


def stake_facts(row: Approval, stake: money.AtStake) -> list[tuple[Any, str]]:
    whose = _("收款人") if row.subject == "release_order" else _("付款人")
    return [
        (_("金额合计"), money_texts.stake_sum(stake)),
        (_("笔数"), str(stake.count)),
        (whose, money_texts.stake_parties(stake)),
    ]


def manager_counts() -> list[dict[str, Any]]:
    """What waits for a manager in each room, in one statement; nothing of what is done."""
    asked = parties.waiting() | listing_desk.waiting() | interest.waiting() | money.waiting()
    counted = db.session.execute(select(*(query.label(name) for name, query in asked.items()))).one()._mapping
    return [
        {"count": counted[name], "text": text, "href": url_for(page)}
        for name, (text, page) in WAITING.items()
        if counted[name]
    ]


WAITING = {
    "organisations": (_l("机构等待审核"), "parties.manage_list"),
    "offers": (_l("挂牌等待审核或发布"), "listings.manage_list"),
    "objections": (_l("异议等待处理"), "listings.manage_list"),
    "needs": (_l("技术需求等待审核"), "interest.manage_needs"),
    "lines": (_l("来款等待确认"), "money.line_list"),
    "payouts": (_l("款项等待付出"), "money.payout_list"),
}
NEAR = timedelta(days=90)  # a right that ends in 2044 is no news for a desk
LABELS = {
    "case": cases.labels,
    "right": rights.labels,
    "listing": listings.labels,
    "lot": auctions.labels,
    "organisation": parties.names_of,
    "import": cases.import_labels,
    "import_run": cases.import_labels,
    "need": interest.labels,
    "saved_search": interest.search_labels,
}


def named(rows: Iterable[Any]) -> dict[tuple[str, int], str]:
    """What people call the subjects of these rows, one query a kind of subject; all kinds of money in one."""
    wanted: dict[str, set[int]] = {}
    for row in rows:
        wanted.setdefault(row.subject, set()).add(row.subject_id)
    return money.labels(wanted) | {
        (subject, key): text
        for subject, ids in wanted.items()
        if subject in LABELS
        for key, text in LABELS[subject](ids).items()
    }


def subject_label(row: Any, names: dict[tuple[str, int], str]) -> str:
    """``挂牌 “一种…”``; the number where the thing has no name."""
    name = names.get((row.subject, row.subject_id))
    kind = words.subject_text(row.subject)
    return f"{kind} “{shortened(name)}”" if name else f"{kind} {row.subject_id}"


def shortened(name: str, most: int = 48) -> str:
    """As much as fits a line; a Chinese character is twice as wide as a Latin one."""
    width = 0
    for place, character in enumerate(name):
        width += 2 if ord(character) > 0x2E7F else 1
        if width > most:
            return name[:place].rstrip() + "…"
    return name


def taking_part(actor: Actor, at: datetime) -> list[dict[str, Any]]:
    """The sales in which the actor's organisation bids: price and whether it leads by its own code. ``at`` is now."""
    if actor.org_id is None or actor.org_kind not in (OPERATOR, ENTERPRISE):
        return []
    return [
        {
            "title": title_of(lot),
            "href": url_for("auctions.lot_page", lot_id=lot.id),
            "state": shown,
            "code": registration.code,
            "currency": lot.currency,
            "price_minor": state.price_minor,
            "start_minor": lot.start_minor,
            "leading": state.leader_registration_id == registration.id,
            "qualified": registration.state == "qualified",
            "until": state.opens_at if shown == "scheduled" else state.ends_at if shown == "running" else None,
        }
        for registration, lot, state in auctions.taking_part(actor.org_id)
        for shown in ["running" if state.state == "scheduled" and state.opens_at <= at else state.state]
    ]


def to_complete(actor: Actor) -> list[dict[str, Any]]:
    """Paid sales that still lack papers: the seller's and the buyer's own, all for a manager."""
    if actor.org_id is None or not (actor.is_manager or actor.org_kind in (BANK, OPERATOR, ENTERPRISE)):
        return []
    lots = auctions.to_complete(None if actor.is_manager else actor.org_id)
    own, page = "auctions.seller_page", "auctions.manage_lot" if actor.is_manager else "auctions.lot_page"
    pages = [own if lot.org_id == actor.org_id else page for lot in lots]
    return [
        {"title": title_of(lot), "code": lot.code, "href": url_for(to, lot_id=lot.id)}
        for lot, to in zip(lots, pages, strict=True)
    ]


def due_rows(actor: Actor, limit: int = 12) -> list[Deadline]:
    """What falls due for the actor's organisation within NEAR, soonest first; for who runs or watches the market also
    what falls due in any sale."""
    whose: Any = Deadline.org_id == actor.org_id
    if actor.org_kind in (PLATFORM, REGULATOR):
        whose = or_(whose, Deadline.subject == "lot")
    return list(
        db.session.scalars(
            select(Deadline)
            .where(whose, Deadline.state == "pending", Deadline.due_at <= func.clock_timestamp() + NEAR)
            .order_by(Deadline.due_at)
            .limit(limit)
        )
    )


def describe_due(row: Deadline, labels: dict[tuple[str, int], str]) -> dict[str, Any]:
    return {
        "due": words.due_text(row.kind),
        "subject": subject_label(row, labels),
        "href": words.subject_href(row.subject, row.subject_id),
        "due_at": row.due_at,
    }


def event_rows(org_id: int, limit: int = 8) -> list[tuple[Event, int]]:
    """What the organisation's members did lately, and how many times in a row."""
    latest = select(Event).where(Event.org_id == org_id).order_by(Event.id.desc()).limit(limit * 5)
    rows: list[tuple[Event, int]] = []
    for row in db.session.scalars(latest):
        last = rows[-1][0] if rows else None
        if last and (last.kind, last.subject, last.subject_id, last.user_id) == (
            row.kind, row.subject, row.subject_id, row.user_id,
        ):  # fmt: skip
            rows[-1] = (last, rows[-1][1] + 1)  # the same again and again is one line
        else:
            rows.append((row, 1))
    return rows[:limit]


def describe_event(
    row: Event, times: int, people: dict[int, str], labels: dict[tuple[str, int], str]
) -> dict[str, Any]:
    """A line of the journal; its ``data`` is not shown."""
    return {
        "text": event_words(row.kind),
        "subject": subject_label(row, labels),
        "href": words.subject_href(row.subject, row.subject_id),
        "who": people.get(row.user_id or 0, ""),
        "at": row.at,
        "times": times,
    }


def event_words(kind: str) -> Any:
    for start, text in (
        ("approval.requested.", _lp("journal", "申请复核")),
        ("approval.approved.", _lp("journal", "复核通过")),
        ("approval.refused.", _lp("journal", "复核未通过")),
    ):
        if kind.startswith(start):
            return f"{text} · {words.approval_text(kind.removeprefix(start))}"
    return words.event_text(kind)


def heartbeat_age(name: str = "tick") -> float | None:
    """Seconds since the periodic task last ran to its end; None when it never did."""
    age = db.session.scalar(
        select(func.extract("epoch", func.clock_timestamp() - Heartbeat.at)).where(Heartbeat.name == name)
    )
    return None if age is None else max(0.0, float(age))


def jobs_state() -> dict[str, Any]:
    """All that a manager needs to see whether work gets done."""
    failing = list(
        db.session.scalars(
            select(Deadline)
            .where(Deadline.state == "pending", Deadline.last_error.is_not(None))
            .order_by(Deadline.due_at)
            .limit(100)
        )
    )
    dead = list(db.session.scalars(select(Outbox).where(Outbox.state == "dead").order_by(Outbox.id.desc()).limit(100)))
    at: datetime = now()
    return {
        "now": at,
        "tick_age": heartbeat_age(),
        "overdue": deadlines.oldest_overdue_seconds(),
        "pending": db.session.scalar(select(func.count()).select_from(Deadline).where(Deadline.state == "pending")),
        "due_now": db.session.scalar(
            select(func.count()).select_from(Deadline).where(Deadline.state == "pending", Deadline.due_at <= at)
        ),
        "messages": outbox_pending(),
        "failing": [(row, words.due_text(row.kind), words.subject_text(row.subject)) for row in failing],
        "dead": dead,
    }


def outbox_pending() -> int:
    return db.session.scalar(select(func.count()).select_from(Outbox).where(Outbox.state == "pending")) or 0


def dead_messages() -> int:
    return db.session.scalar(select(func.count()).select_from(Outbox).where(Outbox.state == "dead")) or 0


def retry_deadline(deadline_id: int, actor: Actor) -> None:
    """Let the tick take a failing deadline at once instead of after its back-off."""
    found = db.session.execute(
        update(Deadline)
        .where(Deadline.id == deadline_id, Deadline.state == "pending", Deadline.last_error.is_not(None))
        .values(claimed_until=None, attempts=0)
        .returning(Deadline.subject, Deadline.subject_id)
    ).first()
    if found is None:
        raise NotFound("deadline_unknown", _l("没有这项失败的任务，可能已经完成"))
    record("deadline.retried", found.subject, found.subject_id, actor, deadline_id=deadline_id)


def retry_message(message_id: int, actor: Actor) -> None:
    """Send a dead message again."""
    found = db.session.execute(
        update(Outbox)
        .where(Outbox.id == message_id, Outbox.state == "dead")
        .values(state="pending", attempts=0, available_at=func.clock_timestamp())
        .returning(Outbox.id)
    ).first()
    if found is None:
        raise NotFound("message_unknown", _l("没有这条失败的消息，可能已经发出"))
    record("message.retried", "message", message_id, actor)
