"""Reads of the cases room. A bank sees its own cases, the platform's managers and the regulator see all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased, selectinload

from marketplace.cases.models import Case, CaseRight, ImportRun
from marketplace.cases.rules.check import PledgeFacts
from marketplace.core.actor import BANK, REGULATOR, Actor
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.i18n import _l
from marketplace.core.models import Document, Event
from marketplace.rights.models import Right

OPEN_STATES = ("submitted", "approved", "listed")
PAGE = 25


def may_see(actor: Actor, case: Case) -> bool:
    if actor.org_kind == BANK:
        return case.org_id == actor.org_id
    return actor.is_manager or actor.org_kind == REGULATOR or actor.is_system


def case_for(actor: Actor, case_id: int) -> Case:
    """The case if the actor may know of it; else 404 ``case_unknown``."""
    case = db.session.get(Case, case_id)
    if case is None or not may_see(actor, case):
        raise NotFound("case_unknown", _l("没有这个案件"))
    return case


def approved_cases(org_id: int) -> list[Case]:
    """Cases of a bank that may be listed, latest approval first."""
    return list(
        db.session.scalars(
            select(Case).where(Case.org_id == org_id, Case.state == "approved").order_by(Case.approved_at.desc())
        )
    )


def with_rights_outside(org_id: int, held: Any, limit: int) -> list[tuple[Case, int]]:
    """Cases of a bank that may be offered and have rights outside ``held`` (a query of right ids), and how many such
    rights each has; latest approval first."""
    rows = db.session.execute(
        select(Case, func.count(CaseRight.id))
        .join(CaseRight, CaseRight.case_id == Case.id)
        .where(Case.org_id == org_id, Case.state.in_(("approved", "listed")), CaseRight.right_id.not_in(held))
        .group_by(Case.id)
        .order_by(Case.approved_at.desc(), Case.id.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


@dataclass(frozen=True)
class CasePage:
    """One page of cases, and the totals of all that match (CNY claims in minor units)."""

    cases: list[Case]
    rights: dict[int, int]
    total: int
    claim_minor: int
    by_state: dict[str, int]
    page: int
    pages: int


def list_cases(actor: Actor, *, state: str = "", path: str = "", text: str = "", page: int = 1) -> CasePage:
    """Cases the actor may see, newest first, filtered by state, legal path, and words of reference or debtor."""
    query: Select[Any] = select(Case)
    if actor.org_kind == BANK:
        query = query.where(Case.org_id == actor.org_id)
    if path:
        query = query.where(Case.legal_path == path)
    if text.strip():
        like = "%" + text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(or_(Case.reference.ilike(like), Case.debtor_name.ilike(like), Case.debtor_uscc.ilike(like)))
    every = query.subquery()
    states = db.session.execute(select(every.c.state, func.count()).group_by(every.c.state))
    by_state = {row[0]: row[1] for row in states}
    if state:
        query = query.where(Case.state == state)
    chosen = query.subquery()
    claim = chosen.c.claim_principal_minor + chosen.c.claim_interest_minor + chosen.c.claim_penalty_minor
    total, claim_minor = db.session.execute(
        select(func.count(), func.coalesce(func.sum(claim).filter(chosen.c.currency == "CNY"), 0)).select_from(chosen)
    ).one()
    pages = max(1, -(-total // PAGE))
    page = min(max(page, 1), pages)
    rows = query.order_by(Case.updated_at.desc(), Case.id.desc()).limit(PAGE).offset((page - 1) * PAGE)
    cases = list(db.session.scalars(rows))
    counts: dict[int, int] = {}
    if cases:
        counted = (
            select(CaseRight.case_id, func.count())
            .where(CaseRight.case_id.in_([c.id for c in cases]))
            .group_by(CaseRight.case_id)
        )
        counts = {row[0]: row[1] for row in db.session.execute(counted)}
    return CasePage(cases, counts, total, int(claim_minor), by_state, page, pages)


def pledges_of(case_id: int) -> list[CaseRight]:
    """The pledged rights of a case with their rights, in the order they were added."""
    return list(
        db.session.scalars(
            select(CaseRight)
            .where(CaseRight.case_id == case_id)
            .options(selectinload(CaseRight.right))
            .order_by(CaseRight.rank, CaseRight.id)
        )
    )


def pledge_facts(case: Case) -> list[PledgeFacts]:
    """The pledged rights as the rules see them, with the bank's other open cases each stands in."""
    links = pledges_of(case.id)
    other, mine = aliased(Case), aliased(CaseRight)
    elsewhere: dict[int, list[str]] = {}
    for right_id, reference in db.session.execute(
        select(mine.right_id, other.reference)
        .join(other, other.id == mine.case_id)
        .where(
            mine.right_id.in_([link.right_id for link in links]),
            other.id != case.id,
            other.org_id == case.org_id,
            other.state.in_(OPEN_STATES),
        )
        .order_by(other.reference)
    ):
        elsewhere.setdefault(right_id, []).append(reference)
    return [
        PledgeFacts(
            link.right.number_display,
            link.right.kind,
            link.pledge_no,
            link.pledge_date,
            link.right.term_end,
            bool(link.right.co_owners),
            tuple(elsewhere.get(link.right_id, ())),
        )
        for link in links
    ]


def drafts_with(org_id: int, right_ids: list[int], but: int) -> dict[int, list[str]]:
    """Other drafts of the bank in which these rights stand, to warn of."""
    found: dict[int, list[str]] = {}
    for right_id, reference in db.session.execute(
        select(CaseRight.right_id, Case.reference)
        .join(Case)
        .where(CaseRight.right_id.in_(right_ids), Case.org_id == org_id, Case.id != but, Case.state == "draft")
    ):
        found.setdefault(right_id, []).append(reference)
    return found


def labels(ids: Iterable[int]) -> dict[int, str]:
    """What people call these cases: the bank's reference. One query."""
    return dict(db.session.execute(select(Case.id, Case.reference).where(Case.id.in_(list(ids)))).all())


def import_labels(ids: Iterable[int]) -> dict[int, str]:
    """What people call these imports: the file's name. One query."""
    return dict(db.session.execute(select(ImportRun.id, ImportRun.filename).where(ImportRun.id.in_(list(ids)))).all())


def own_right(org_id: int, right_id: int) -> bool:
    return db.session.scalar(select(Right.id).where(Right.id == right_id, Right.org_id == org_id)) is not None


def rights_to_pick(org_id: int, case_id: int, text: str = "", limit: int = 30) -> list[Right]:
    """Rights of the bank that are not yet in this case, newest first; ``text`` finds number, title or holder."""
    taken = select(CaseRight.right_id).where(CaseRight.case_id == case_id)
    query = select(Right).where(Right.org_id == org_id, Right.id.not_in(taken))
    if text.strip():
        like = "%" + text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(
            or_(Right.number.ilike(like), Right.number_display.ilike(like), Right.title.ilike(like),
                Right.holder_name.ilike(like))
        )  # fmt: skip
    return list(db.session.scalars(query.order_by(Right.id.desc()).limit(limit)))


def documents_of(case_id: int) -> list[Document]:
    """Documents of a case that are still there, newest first."""
    return list(
        db.session.scalars(
            select(Document)
            .where(Document.subject == "case", Document.subject_id == case_id, Document.removed_at.is_(None))
            .order_by(Document.id.desc())
        )
    )


def document_kinds(case_id: int) -> set[str]:
    return {document.kind for document in documents_of(case_id)}


def history(case_id: int, limit: int = 200) -> list[Event]:
    """What happened to a case, newest first."""
    return list(
        db.session.scalars(
            select(Event)
            .where(Event.subject == "case", Event.subject_id == case_id)
            .order_by(Event.id.desc())
            .limit(limit)
        )
    )
