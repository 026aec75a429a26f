"""Deadlines of rights: tell the bank before a fee, a preservation or a term ends, then wait for the next day.

A handler may run twice: the notice of one day for one right has one key and is sent once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.core.deadlines import on_due
from marketplace.core.i18n import _l
from marketplace.core.money import format_minor
from marketplace.parties.notices import notify_org
from marketplace.rights import watch
from marketplace.rights.models import Right
from marketplace.rights.rules.annuities import PaymentState, amount_due

Notice = tuple[Any, Any] | None


def _run(kind: str, right_id: int, told: Callable[[Right, date], Notice]) -> datetime | None:
    """Tell the owner what ``told`` says on this day; the next day on which to speak, None when there is none."""
    right = db.session.get(Right, right_id, with_for_update=True)
    if right is None:
        return None
    day = today()
    notice = told(right, day)
    if notice is not None:
        subject, body = notice
        key = f"{kind}:{right.id}:{day.isoformat()}"
        notify_org(right.org_id, subject, body, f"/rights/{right.id}", ("admin", "maker"), key)
    return watch.upcoming(watch.due_days(right, day)[kind], day)


def _label(right: Right) -> dict[str, Any]:
    return {"title": right.title, "number": right.number_display}


@on_due(watch.ANNUITY)
def annuity(right_id: int) -> datetime | None:
    """Next annual fee (细则 art. 115)."""
    return _run(watch.ANNUITY, right_id, _fee_notice)


def _fee_notice(right: Right, day: date) -> Notice:
    fee = watch.next_fee(right)
    if fee is None or not watch.due_days(right, day)[watch.ANNUITY]:
        return None
    owed = amount_due(fee, day)
    params = {
        **_label(right),
        "year": fee.year,
        "due": fee.due.isoformat(),
        "grace_end": fee.grace_end.isoformat(),
        "amount": format_minor(owed.total_minor),
    }
    if owed.state == PaymentState.ON_TIME:
        return (
            _l("%(due)s 前缴纳第 %(year)s 年年费：%(title)s", **params),
            _l(
                "%(title)s（%(number)s）第 %(year)s 年年费 %(amount)s 应于 %(due)s 前缴纳。缴纳后请在权利页面登记。",
                **params,
            ),
        )
    if owed.state == PaymentState.GRACE:
        return (
            _l("年费已逾期，最晚 %(grace_end)s 缴纳：%(title)s", **params),
            _l(
                "%(title)s（%(number)s）第 %(year)s 年年费已于 %(due)s 到期，今天缴纳须 %(amount)s（含滞纳金）。"
                "%(grace_end)s 之后仍未缴纳，权利自 %(due)s 起终止。在缴清之前不能发布。",
                **params,
            ),
        )
    return (
        _l("年费滞纳期已届满：%(title)s", **params),
        _l(
            "%(title)s（%(number)s）第 %(year)s 年年费的滞纳期已于 %(grace_end)s 届满。如果已缴，请在权利页面登记；"
            "否则权利自 %(due)s 起终止，收到国家知识产权局通知后两个月内可以请求恢复。",
            **params,
        ),
    )


@on_due(watch.PRESERVATION)
def preservation(right_id: int) -> datetime | None:
    """A court's preservation ends; without renewal before that day it lapses."""
    return _run(watch.PRESERVATION, right_id, _preservation_notice)


def _preservation_notice(right: Right, day: date) -> Notice:
    for row in right.encumbrances:
        if row.kind != "preservation" or row.released_on is not None or row.until_date is None:
            continue
        params = {**_label(right), "court": row.court or row.holder, "until": row.until_date.isoformat()}
        if row.until_date == day - timedelta(days=1):
            return (
                _l("法院保全已到期：%(title)s", **params),
                _l(
                    "%(title)s（%(number)s）由%(court)s采取的保全已于 %(until)s 到期。请核对登记簿后决定下一步。",
                    **params,
                ),
            )
    held = watch.preservation_end(right, day)
    if held is None or day not in watch.notice_days(held, watch.PRESERVATION_NOTICE_DAYS):
        return None
    params = {**_label(right), "until": held.isoformat()}
    return (
        _l("法院保全将于 %(until)s 到期：%(title)s", **params),
        _l("%(title)s（%(number)s）的法院保全将于 %(until)s 到期，需要续行的应在到期前办理。", **params),
    )


@on_due(watch.EXPIRY)
def expiry(right_id: int) -> datetime | None:
    """The term of protection ends."""
    return _run(watch.EXPIRY, right_id, _expiry_notice)


def _expiry_notice(right: Right, day: date) -> Notice:
    end = watch.term_end(right)
    if end is None or not watch.due_days(right, day)[watch.EXPIRY]:
        return None
    params = {**_label(right), "end": end.isoformat()}
    if day > end:
        return (
            _l("保护期已届满：%(title)s", **params),
            _l("%(title)s（%(number)s）的保护期已于 %(end)s 届满，不能再处置。", **params),
        )
    return (
        _l("保护期将于 %(end)s 届满：%(title)s", **params),
        _l("%(title)s（%(number)s）的保护期将于 %(end)s 届满。需要处置的请及早安排；商标请及时续展。", **params),
    )
