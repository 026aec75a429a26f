"""Reads of the rights room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import selectinload

from marketplace.core.actor import Actor
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.i18n import _l, title_of
from marketplace.rights.facts import annuity_state_of, burden_of, extra_date, health_of, status_of, term_of
from marketplace.rights.models import Right, RightChange
from marketplace.rights.rules.health import Health, Verdict
from marketplace.rights.rules.kinds import KINDS, Kind
from marketplace.rights.rules.numbers import candidates

PAGE = 25
#: A filter by health computes it for each candidate; a bank's list beyond this many is narrowed first.
HEALTH_LIMIT = 2000


@dataclass(frozen=True)
class Filters:
    """``kind`` and ``health`` are codes, ``expiring`` days from today, ``text`` a number or words."""

    kind: str | None = None
    health: str | None = None
    expiring: int | None = None
    text: str = ""


@dataclass(frozen=True)
class Page:
    """``rows`` with their health; ``total`` is a count of all matches. ``cut``: only the first HEALTH_LIMIT were
    looked at for the health filter."""

    rows: list[tuple[Right, Health]]
    number: int
    total: int
    cut: bool = False

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def right_for(actor: Actor, right_id: int) -> Right:
    """A right of the actor's organisation, or any for a manager; NotFound for others."""
    right = db.session.get(
        Right, right_id, options=[selectinload(Right.encumbrances), selectinload(Right.annuity_payments)]
    )
    if right is None or not (actor.is_system or actor.is_manager or right.org_id == actor.org_id):
        raise NotFound("right_unknown", _l("没有这项权利"))
    return right


def search_rights(org_id: int | None, filters: Filters, page: int = 1) -> Page:
    """A page of one organisation's rights (None: everyone's, for managers), newest first."""
    where = _conditions(org_id, filters)
    day = today()
    base = (
        select(Right)
        .where(*where)
        .order_by(Right.id.desc())
        .options(selectinload(Right.encumbrances), selectinload(Right.annuity_payments))
    )
    if filters.health:
        rows = list(db.session.scalars(base.limit(HEALTH_LIMIT + 1)))
        found = [(row, health_of(row, day)) for row in rows[:HEALTH_LIMIT]]
        found = [item for item in found if item[1].verdict == filters.health]
        number = _within(page, len(found))
        shown = found[(number - 1) * PAGE : number * PAGE]
        return Page(shown, number, len(found), len(rows) > HEALTH_LIMIT)
    total = db.session.scalar(select(func.count()).select_from(Right).where(*where)) or 0
    number = _within(page, total)
    rows = list(db.session.scalars(base.limit(PAGE).offset((number - 1) * PAGE)))
    return Page([(row, health_of(row, day)) for row in rows], number, total)


def _within(page: int, total: int) -> int:
    return min(max(page, 1), max(1, -(-total // PAGE)))


def _conditions(org_id: int | None, filters: Filters) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if org_id is not None:
        where.append(Right.org_id == org_id)
    if filters.kind:
        where.append(Right.kind == filters.kind)
    if filters.expiring is not None:
        day = today()
        where.append(Right.term_end.between(day, day + timedelta(days=filters.expiring)))
    words = filters.text.strip()[:200].replace("\0", "")
    if words:
        like = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        numbers = [found.canonical for found in candidates(words)]
        columns = (Right.title, Right.title_en, Right.number, Right.number_display, Right.publication_no)
        holder = Right.holder_name.ilike(like)
        where.append(or_(*(column.ilike(like) for column in columns), holder, Right.number.in_(numbers)))
    return where


def by_number(org_id: int, text: str, limit: int = 5) -> list[Right]:
    """The organisation's rights that bear this number, in whatever way it is written. One statement."""
    numbers = {found.canonical for found in candidates(text)}
    if not numbers:
        return []
    rows = select(Right).where(Right.org_id == org_id, Right.number.in_(numbers)).order_by(Right.id.desc())
    return list(db.session.scalars(rows.limit(limit)))


def labels(ids: Iterable[int]) -> dict[int, str]:
    """What people call these rights: their titles in the reader's language. One query."""
    rows = db.session.execute(select(Right.id, Right.title, Right.title_en).where(Right.id.in_(list(ids))))
    return {row.id: title_of(row) for row in rows}


def changes_of(right_id: int, limit: int = 50) -> list[RightChange]:
    """Corrections, newest first."""
    return list(
        db.session.scalars(
            select(RightChange).where(RightChange.right_id == right_id).order_by(RightChange.id.desc()).limit(limit)
        )
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def right_snapshot(right: Right) -> dict[str, Any]:
    """The public facts of a right, by allow-list: what a notice may tell. No case, no user, no inner note, no
    document. Plain JSON: dates in ISO form, ``days_left`` as of ``as_of``."""
    day = today()
    term, fees = term_of(right), annuity_state_of(right, day)
    left = term.remaining(day) if term else None
    verdict = health_of(right, day)
    return {
        "id": right.id,
        "kind": right.kind,
        "kind_zh": KINDS[Kind(right.kind)].zh,
        "kind_en": KINDS[Kind(right.kind)].en,
        "number": right.number_display,
        "number_warnings": list(right.number_warnings),
        "publication_no": right.publication_no,
        "title": right.title,
        "title_en": right.title_en,
        "abstract": right.abstract,
        "abstract_en": right.abstract_en,
        "holder": right.holder_name,
        "co_owners": list(right.co_owners),
        "status": status_of(right, day).value,
        "filing_date": _iso(right.filing_date),
        "grant_date": _iso(right.grant_date),
        "registration_date": _iso(right.registration_date),
        "first_publication": _iso(right.first_publication),
        "completion_date": _iso(right.completion_date),
        "term_end": _iso(term.end if term else None),
        "term_basis": term.basis if term else None,
        "term_confirmed": term.confirmed if term else False,
        "days_left": left.total_days if left else None,
        "ipc": list(right.ipc),
        "nice": list(right.nice),
        "industry": right.industry,
        "region_code": right.region_code,
        "fees": {
            "standing": fees.standing.value,
            "year": fees.annuity.year if fees.annuity else None,
            "due": _iso(fees.annuity.due if fees.annuity else None),
            "grace_end": _iso(fees.annuity.grace_end if fees.annuity else None),
        }
        if fees
        else None,
        "encumbrances": [
            {
                "kind": row.kind,
                "holder": row.holder,
                "case_no": row.case_no,
                "registration_no": row.registration_no,
                "from": _iso(row.from_date),
                "until": _iso(row.until_date),
                "recorded": row.recorded,
            }
            for row in right.encumbrances
            if burden_of(row).active_on(day)
        ],
        "invalidation_pending": right.invalidation_pending,
        "invalidated_on": _iso(extra_date(right, "invalidated_on")),
        "terminated_on": _iso(right.terminated_on),
        "health": {
            "verdict": verdict.verdict.value,
            "reasons": [
                {"code": item.code, "severity": item.severity.value, "text": item.text, "source": item.source}
                for item in verdict.reasons
            ],
        },
        "as_of": day.isoformat(),
        "demo": right.demo,
    }


VERDICTS = {Verdict.OK: _l("可发布"), Verdict.WARN: _l("可发布，有提示"), Verdict.BLOCKED: _l("不能发布")}
