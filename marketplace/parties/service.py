"""What the rooms above may ask of organisations, and the acts on one organisation."""

from __future__ import annotations

from sqlalchemy import or_, select

from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, NotFound, Refused
from marketplace.core.i18n import _l
from marketplace.parties.bars import bar_org, barred, lift_bar
from marketplace.parties.models import Affiliation, Organisation


def get_org(org_id: int) -> Organisation:
    """The organisation, or ``organisation_unknown``."""
    org = db.session.get(Organisation, org_id)
    if org is None:
        raise NotFound("organisation_unknown", _l("没有这个机构"))
    return org


def related(org_a: int, org_b: int) -> bool:
    """Whether two organisations are the same or recorded as affiliated (read both ways)."""
    if org_a == org_b:
        return True
    either = or_(
        (Affiliation.org_id == org_a) & (Affiliation.affiliate_id == org_b),
        (Affiliation.org_id == org_b) & (Affiliation.affiliate_id == org_a),
    )
    return bool(db.session.scalar(select(select(Affiliation.id).where(either).exists())))


def is_verified(org_id: int) -> bool:
    return db.session.scalar(select(Organisation.state).where(Organisation.id == org_id)) == "verified"


def require_verified(actor: Actor) -> int:
    """The id of the actor's organisation; refuses ``organisation_needed`` and ``organisation_not_verified``."""
    if actor.org_id is None:
        raise Forbidden("organisation_needed", _l("请先登记您所代表的机构"))
    if not actor.org_verified:
        raise Refused("organisation_not_verified", _l("贵机构尚未通过核验，核验通过后方可进行此操作"))
    return actor.org_id


__all__ = ["bar_org", "barred", "get_org", "is_verified", "lift_bar", "related", "require_verified"]
