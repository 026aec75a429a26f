"""The database clock. Law 2: read after the lock, never the transaction's start, never the web server's."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from marketplace.core.db import db

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """PostgreSQL's ``clock_timestamp()`` as an aware UTC datetime with microseconds."""
    return db.session.execute(select(func.clock_timestamp())).scalar_one()


def today() -> date:
    """The legal day in Asia/Shanghai by the database clock."""
    return now().astimezone(SHANGHAI).date()
