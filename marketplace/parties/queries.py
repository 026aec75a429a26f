"""Reads of the parties room for other rooms."""

from __future__ import annotations

from sqlalchemy import func, select

from marketplace.core.db import db
from marketplace.parties.models import Organisation


def waiting_count() -> int:
    """How many organisations wait for a manager's check."""
    return db.session.scalar(select(func.count()).where(Organisation.state == "submitted")) or 0
