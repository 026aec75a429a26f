"""Organisations under common control, as managers record them. An affiliate of the seller may not bid."""

from __future__ import annotations

from sqlalchemy import or_, select

from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import Invalid, NotFound, Problem
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.parties.models import Affiliation, Organisation
from marketplace.parties.organisations import lock_org
from marketplace.parties.service import related


def affiliations_of(org_id: int) -> list[tuple[Affiliation, Organisation]]:
    """Each record with the other organisation, whichever way it was recorded."""
    rows = db.session.execute(
        select(Affiliation, Organisation)
        .join(
            Organisation,
            or_(
                (Affiliation.org_id == org_id) & (Organisation.id == Affiliation.affiliate_id),
                (Affiliation.affiliate_id == org_id) & (Organisation.id == Affiliation.org_id),
            ),
        )
        .order_by(Affiliation.id)
    )
    return [(row[0], row[1]) for row in rows]


def affiliate(org_id: int, other_uscc: str, basis: str, actor: Actor) -> Affiliation:
    """Record that two organisations are affiliated. ``basis_needed``, ``affiliate_unknown``,
    ``affiliate_same``, ``affiliate_known``."""
    from marketplace.parties.uscc import UsccRefused, read_uscc

    problems = []
    other = None
    try:
        other = db.session.scalar(select(Organisation).where(Organisation.uscc == read_uscc(other_uscc)))
    except UsccRefused:
        other = None
    if other is None:
        problems.append(Problem("affiliate_unknown", _l("没有使用此代码的机构"), "affiliate_uscc"))
    elif other.id == org_id:
        problems.append(Problem("affiliate_same", _l("不能与本机构自身关联"), "affiliate_uscc"))
    if not basis.strip():
        problems.append(Problem("basis_needed", _l("请填写认定依据"), "basis"))
    if problems or other is None:
        raise Invalid(problems)
    for each in sorted((org_id, other.id)):
        lock_org(each)
    if related(org_id, other.id):
        raise Invalid([Problem("affiliate_known", _l("这两家机构已登记为关联"), "affiliate_uscc")])
    row = Affiliation(org_id=org_id, affiliate_id=other.id, basis=basis.strip(), created_by=actor.user_id)
    db.session.add(row)
    db.session.flush()
    record("organisation.affiliated", "organisation", org_id, actor, affiliate_id=other.id, basis=basis.strip())
    return row


def end_affiliation(affiliation_id: int, org_id: int, actor: Actor) -> None:
    """The two are no longer under common control."""
    row = db.session.scalar(select(Affiliation).where(Affiliation.id == affiliation_id).with_for_update())
    if row is None or org_id not in (row.org_id, row.affiliate_id):
        raise NotFound("affiliation_unknown", _l("没有这项关联记录"))
    record("organisation.affiliation_ended", "organisation", row.org_id, actor, affiliate_id=row.affiliate_id)
    db.session.delete(row)
    db.session.flush()
