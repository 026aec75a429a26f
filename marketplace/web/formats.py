"""How values look on pages: money, times in Asia/Shanghai with seconds, sizes, hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from marketplace.core.clock import SHANGHAI
from marketplace.core.i18n import _
from marketplace.core.lengths import length_words
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


def left(ends_at: datetime, now: datetime) -> str:
    """Time left as a clock: ``2 天 03:04:05``, without days ``03:04:05``; the end reached: ``已到时间``."""
    rest = ends_at - now
    if rest <= timedelta(0):
        return _("已到时间")
    hours, seconds = divmod(rest.seconds, 3600)
    clock = f"{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}"
    return f"{rest.days} {_('天')} {clock}" if rest.days else clock


def flat_errors(errors: Iterable[object]) -> Iterator[object]:
    """Errors of a field; those of lists of fields come nested."""
    for error in errors.values() if isinstance(errors, dict) else errors:
        if isinstance(error, (list, tuple, dict)):
            yield from flat_errors(error)
        else:
            yield error


def configure_formats(app: Zhiliu) -> None:
    app.jinja_env.filters.update(
        money=money,
        instant=instant,
        day=day,
        file_size=file_size,
        left=left,
        span=length_words,
        flat_errors=flat_errors,
    )
