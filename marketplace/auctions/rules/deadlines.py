"""The named deadlines of a round, computed once for display and for the deadline table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from marketplace.core.calendar import (
    IsWorkday,
    add_days,
    add_months,
    day_ends,
    day_starts,
    legal_date,
    monday_to_friday,
)

from .findings import Force, Term
from .pricing import notice_term
from .profiles import Profile, span


@dataclass(frozen=True)
class Deadline:
    """A named moment (UTC). ``provisional`` ones count from the end of bidding and move with it; ``workdays`` ones are
    counted in working days, so holidays move them."""

    code: str
    at: datetime
    name_zh: str
    source: str
    force: Force
    provisional: bool = False
    workdays: bool = False


def deadlines_for(
    profile: Profile,
    *,
    round_no: int,
    start_minor: int,
    published_at: datetime,
    opens_at: datetime,
    ends_at: datetime,
    valuation_date: date | None = None,
    is_workday: IsWorkday = monday_to_friday,
) -> list[Deadline]:
    """The deadlines of a round in order of time. Day periods end at 24:00 Shanghai; sandbox days are scaled.

    Codes: parties_notified, notice_published, notice_satisfied, opens, closes, deposit_refund,
    winner_deposit_transfer, balance, reauction_latest, price_basis_expires, records_kept.
    """
    rung = profile.round(round_no)
    if rung is None:
        raise ValueError(f"{profile.code} has no round {round_no}")

    def after(moment: datetime, term: Term) -> datetime:
        if profile.sandbox:
            return moment + span(term, profile)
        return day_ends(add_days(legal_date(moment), term.value, term.unit, is_workday))

    own = Term(0, "days", "公告", "contract")
    rows: list[tuple[str, datetime, str, Term, bool]] = [
        ("notice_published", published_at, "发布公告", own, False),
        ("opens", opens_at, "竞价开始", own, False),
        ("closes", ends_at, "竞价结束（可延时）", own, True),
    ]
    told = profile.parties_notified_days
    if told:
        if profile.sandbox:
            told_by = published_at - span(told, profile)
        else:
            told_by = day_ends(add_days(legal_date(published_at), -told.value, told.unit, is_workday))
        rows.append(("parties_notified", told_by, "通知当事人和优先购买权人", told, False))
    notice = notice_term(rung, start_minor)
    if notice:
        if profile.sandbox:
            satisfied = published_at + span(notice, profile)
        else:
            satisfied = day_starts(add_days(legal_date(published_at), notice.value, notice.unit, is_workday))
        rows.append(("notice_satisfied", satisfied, "公告期满，最早可开始竞价", notice, False))
    refund = profile.refund_hours
    until = ends_at + span(refund, profile)
    rows.append(("deposit_refund", until, "退还未成交者保证金", refund, True))
    rows.append(("winner_deposit_transfer", until, "划转买受人保证金", refund, True))
    rows.append(("balance", after(ends_at, profile.balance_days), "支付余款", profile.balance_days, True))
    following = profile.round(round_no + 1)
    if following and following.within_days_of_failure:
        term = following.within_days_of_failure
        rows.append(("reauction_latest", after(ends_at, term), "流拍后最迟再次处置", term, True))
    if valuation_date:
        valid = profile.price_basis_months
        expires = day_ends(add_months(valuation_date, valid.value))
        rows.append(("price_basis_expires", expires, "定价依据有效期满", valid, False))
    kept = profile.records_kept_years
    kept_until = day_ends(add_months(legal_date(ends_at), 12 * kept.value))
    rows.append(("records_kept", kept_until, "竞价记录保存期满", kept, True))
    rows.sort(key=lambda row: row[1])
    real = not profile.sandbox
    return [
        Deadline(code, at, name, term.source, term.force, soft, real and term.unit == "workdays")
        for code, at, name, term, soft in rows
    ]
