"""What money pages say of a lot. Money stands below auctions and may not ask, so auctions tells it at start."""

from __future__ import annotations

from sqlalchemy import select

from marketplace.auctions.models import Lot
from marketplace.core.db import db
from marketplace.core.i18n import title_of
from marketplace.money import lots


def facts_of(lot_ids: list[int]) -> dict[int, lots.LotFacts]:
    """Title, public page and seller of each lot, in one query."""
    rows = db.session.execute(select(Lot.id, Lot.title, Lot.facts, Lot.org_id).where(Lot.id.in_(lot_ids)))
    return {row.id: lots.LotFacts(title_of(row), f"/lots/{row.id}", row.org_id) for row in rows}


def sold_by(org_id: int) -> list[int]:
    """The lots an organisation sells, newest first."""
    return list(db.session.scalars(select(Lot.id).where(Lot.org_id == org_id).order_by(Lot.id.desc())))


lots.describe_with(facts_of, sold_by=sold_by)
