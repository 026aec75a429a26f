"""A length of time in words, in the reader's language."""

from __future__ import annotations

from datetime import timedelta

from marketplace.core.i18n import _


def length_words(value: timedelta | float | int) -> str:
    """In its one largest fitting unit: ``3 天``, ``24 小时``, ``5 分钟``, ``40 秒``. Numbers are seconds."""
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    if seconds >= 2 * 86400:
        return _("%(n)s 天", n=seconds // 86400)
    if seconds >= 2 * 3600:
        return _("%(n)s 小时", n=seconds // 3600)
    if seconds >= 120:
        return _("%(n)s 分钟", n=seconds // 60)
    return _("%(n)s 秒", n=max(seconds, 0))
