"""How values look on pages: money, times in Asia/Shanghai with seconds, sizes, hashes."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from marketplace.core.clock import SHANGHAI
from marketplace.core.money import format_minor

if TYPE_CHECKING:
    from marketplace import Zhiliu


def money(minor: int | None, currency: str = "CNY") -> str:
    """``¥1,234,567.00``; a dash when there is no amount."""
    return "—" if minor is None else format_minor(minor, currency)


def instant(value: datetime | None) -> str:
    """``2026-11-22 14:03:09`` in Asia/Shanghai."""
    return "—" if value is None else value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def day(value: date | datetime | None) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(SHANGHAI).date()
    return "—" if value is None else value.isoformat()


def file_size(size: int) -> str:
    return f"{size / 1024:.0f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"


def configure_formats(app: Zhiliu) -> None:
    app.jinja_env.filters.update(money=money, instant=instant, day=day, file_size=file_size)
