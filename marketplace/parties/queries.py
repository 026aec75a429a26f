"""Reads of the parties room for other rooms."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select

from marketplace.core.db import db
from marketplace.parties.models import Organisation


def waiting_count() -> int:
    """How many organisations wait for a manager's check."""
    return db.session.scalar(select(func.count()).where(Organisation.state == "submitted")) or 0


def names_of(org_ids: Iterable[int]) -> dict[int, str]:
    """Names of these organisations; only for those whose name is public there, as a seller's is. One statement."""
    ids = list(org_ids)
    if not ids:
        return {}
    return {
        row.id: row.name
        for row in db.session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids)))
    }
