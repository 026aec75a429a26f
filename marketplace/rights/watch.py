"""What falls due for a right: the next annual fee, the end of a court's preservation, the end of its term."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import selectinload

from marketplace.core import deadlines
from marketplace.core.calendar import day_starts
from marketplace.core.db import db
from marketplace.core.models import Deadline
from marketplace.rights.facts import paid_years, schedule_of, status_of, term_of
from marketplace.rights.models import Right
from marketplace.rights.rules.annuities import Annuity, add_months
from marketplace.rights.rules.health import Status

ANNUITY, PRESERVATION, EXPIRY = "right.annuity", "right.preservation", "right.expiry"
#: Days before a fee is due on which its owner is told, then monthly through the grace period.
FEE_NOTICE_DAYS = (90, 30, 7, 0)
PRESERVATION_NOTICE_DAYS = (30, 7, 0)
EXPIRY_NOTICE_DAYS = (365, 90, 0)


def next_fee(right: Right) -> Annuity | None:
    """The oldest unpaid fee; None when all are paid or nothing is known of payments."""
    paid = paid_years(right)
    if paid is None:
        return None
    return next((a for a in schedule_of(right) if not a.with_grant and a.year not in paid), None)


def fee_notice_days(fee: Annuity) -> list[date]:
    """Days on which the owner is told of an unpaid fee: before it is due, each month of grace, its last day."""
    before = [fee.due - timedelta(days=days) for days in FEE_NOTICE_DAYS]
    return [
        *before,
        *(add_months(fee.due, month) for month in range(1, 6)),
        fee.grace_end,
        fee.grace_end + timedelta(1),
    ]


def notice_days(last_day: date, before: tuple[int, ...]) -> list[date]:
    """Days on which the owner is told that something ends on ``last_day``, and the day after it."""
    return [*(last_day - timedelta(days=days) for days in before), last_day + timedelta(days=1)]


def upcoming(days: list[date], after: date) -> datetime | None:
    """Start of the first of these days that lies after ``after``."""
    coming = [day for day in days if day > after]
    return day_starts(min(coming)) if coming else None


def preservation_end(right: Right, today: date) -> date | None:
    """Last day of the preservation that ends first among those in force."""
    ends = [
        row.until_date
        for row in right.encumbrances
        if row.kind == "preservation" and row.released_on is None and row.until_date and row.until_date >= today
    ]
    return min(ends, default=None)


def term_end(right: Right) -> date | None:
    term = term_of(right)
    return term.end if term else None


def due_days(right: Right, today: date) -> dict[str, list[date]]:
    """Notice days of each kind of deadline; none for a right that is gone."""
    if status_of(right, today) in (Status.TERMINATED, Status.INVALIDATED):
        return {ANNUITY: [], PRESERVATION: [], EXPIRY: []}
    fee, held, end = next_fee(right), preservation_end(right, today), term_end(right)
    return {
        ANNUITY: fee_notice_days(fee) if fee else [],
        PRESERVATION: notice_days(held, PRESERVATION_NOTICE_DAYS) if held else [],
        EXPIRY: notice_days(end, EXPIRY_NOTICE_DAYS) if end else [],
    }


def reschedule(right: Right, today: date) -> None:
    """Bring the right's rows in the deadline table in step with its facts."""
    for kind, days in due_days(right, today).items():
        due_at = upcoming(days, today)
        if due_at is None:
            deadlines.cancel(kind, "right", right.id)
        else:
            deadlines.schedule(kind, "right", right.id, due_at, right.org_id)


def reschedule_many(right_ids: list[int], today: date) -> None:
    """``reschedule`` for many rights in a few statements, after an import."""
    if not right_ids:
        return
    rights = db.session.scalars(
        select(Right)
        .where(Right.id.in_(right_ids))
        .options(selectinload(Right.encumbrances), selectinload(Right.annuity_payments))
        .execution_options(populate_existing=True)
    )
    rows, gone = [], []
    for right in rights:
        for kind, days in due_days(right, today).items():
            due_at = upcoming(days, today)
            if due_at is None:
                gone.append((kind, right.id))
            else:
                rows.append(
                    {"kind": kind, "subject": "right", "subject_id": right.id, "due_at": due_at, "org_id": right.org_id}
                )
    if rows:
        statement = insert(Deadline)
        moved = {"due_at": statement.excluded.due_at, "claimed_until": None, "attempts": 0, "last_error": None}
        db.session.execute(
            statement.on_conflict_do_update(
                index_elements=["kind", "subject", "subject_id"], index_where=text("state = 'pending'"), set_=moved
            ),
            rows,
        )
    if gone:
        db.session.execute(
            update(Deadline)
            .where(
                Deadline.subject == "right",
                tuple_(Deadline.kind, Deadline.subject_id).in_(gone),
                Deadline.state == "pending",
            )
            .values(state="cancelled", done_at=func.clock_timestamp())
        )
