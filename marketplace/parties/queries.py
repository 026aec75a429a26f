"""Reads of the parties room for other rooms."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ScalarSelect, func, select

from marketplace.core.db import db
from marketplace.parties.models import Organisation


def waiting() -> dict[str, ScalarSelect[int]]:
    """The count for a manager's desk: organisations that wait for their check."""
    return {"organisations": select(func.count()).where(Organisation.state == "submitted").scalar_subquery()}


def names_of(org_ids: Iterable[int]) -> dict[int, str]:
    """Names of these organisations; only for those whose name is public there, as a seller's is. One statement."""
    ids = list(org_ids)
    if not ids:
        return {}
    return {
        row.id: row.name
        for row in db.session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids)))
    }
