"""The terms of a round against its profile: price ladder, deposit, increment, notice, duration, price basis.

All amounts are integer minor units of one currency; percentages are basis points; minima round up and maxima
round down, so a bound never lets through what the rule forbids.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from marketplace.core.calendar import IsWorkday, add_days, add_months, legal_date, monday_to_friday

from .findings import Finding, Term, against
from .profiles import Profile, Round, span

VALUATION_BASES = (
    "external_report",
    "bank_internal",
    "bank_enterprise_agreed",
    "portfolio_overall",
    "party_agreed",
    "directed_inquiry",
    "online_inquiry",
)
_CAPPED_BASES = ("bank_internal", "bank_enterprise_agreed")


def at_least(amount_minor: int, bp: int) -> int:
    """The smallest amount that is not below `bp` basis points of `amount_minor`."""
    return -(-amount_minor * bp // 10_000)


def at_most(amount_minor: int, bp: int) -> int:
    """The largest amount that is not above `bp` basis points of `amount_minor`."""
    return amount_minor * bp // 10_000


def deposit_band(profile: Profile, start_minor: int, round_no: int = 1) -> tuple[int | None, int | None]:
    """Smallest and largest deposit in minor units (网拍规定 art. 17: 5–20 %); sell-off: the full price."""
    rung = profile.round(round_no)
    if rung and rung.full_prepayment:
        return start_minor, start_minor
    low, high = profile.deposit_min, profile.deposit_max
    return (
        at_least(start_minor, low.value) if low else None,
        at_most(start_minor, high.value) if high else None,
    )


def increment_guide(profile: Profile, start_minor: int) -> int | None:
    """The largest customary increment for a start price (guideline: 2 % / 1 % / 0.5 %), minor units."""
    for band in profile.increment_guideline:
        if band.upto_minor is None or start_minor <= band.upto_minor:
            return at_most(start_minor, band.max_bp.value)
    return None


def lowest_start(
    profile: Profile, round_no: int, appraisal_minor: int | None, previous_start_minor: int | None
) -> int | None:
    """The lowest start price the profile allows for this round, or None where there is none."""
    rung = profile.round(round_no)
    if rung is None:
        return None
    if rung.price_rule.value == "floor" and profile.start_floor and appraisal_minor:
        return at_least(appraisal_minor, profile.start_floor.value)
    if rung.price_rule.value == "reduced" and rung.max_reduction and previous_start_minor:
        return at_least(previous_start_minor, 10_000 - rung.max_reduction.value)
    if rung.price_rule.value == "equals_previous":
        return previous_start_minor
    return None


def creditor_deposit(profile: Profile, *, deposit_minor: int, claim_minor: int, is_applicant_creditor: bool) -> int:
    """The deposit a bidder owes, minor units (网拍规定 art. 17).

    The applicant creditor pays none; a claim smaller than the deposit leaves the difference to be paid.
    """
    if not (is_applicant_creditor and profile.creditor_waiver.value):
        return deposit_minor
    return max(0, deposit_minor - claim_minor)


def check_terms(
    profile: Profile,
    *,
    round_no: int,
    appraisal_minor: int | None,
    previous_start_minor: int | None,
    start_minor: int | None,
    increment_minor: int | None,
    deposit_minor: int | None,
    published_at: datetime,
    opens_at: datetime | None,
    ends_at: datetime | None,
    previous_ended_at: datetime | None = None,
    parties_notified_at: datetime | None = None,
    valuation_basis: str | None = None,
    valuation_date: date | None = None,
    loan_principal_minor: int | None = None,
    first_notice_at: datetime | None = None,
    written_approval: bool = False,
    is_workday: IsWorkday = monday_to_friday,
    holidays_until: date | None = None,
) -> list[Finding]:
    """Everything that is wrong with the terms of a round, all at once; empty when they may be published.

    Moments are aware datetimes. ``previous_*`` belong to the failed round before. ``first_notice_at`` is when
    the first auction's notice was published (default: ``published_at``). ``refuse`` findings forbid
    publication, ``warn`` findings are shown and may be confirmed. Start, increment, deposit and times that are None
    are not entered yet: what depends on them goes unsaid, the rest is told. ``holidays_until``: the last day whose
    holidays ``is_workday`` knows; a period of working days that goes past it is warned of (``holidays_unknown``).
    """
    rung = profile.round(round_no)
    if rung is None:
        return [_own("round_unknown", "round_no", round_no=round_no, rounds=len(profile.rounds))]
    found = list(_amounts(start_minor, increment_minor, deposit_minor, appraisal_minor))
    bad = {item.field for item in found}
    if start_minor is not None and "start" not in bad:
        found += _start(profile, rung, start_minor, appraisal_minor, previous_start_minor, written_approval)
        if deposit_minor is not None and "deposit" not in bad:
            found += _deposit(profile, rung, round_no, start_minor, deposit_minor)
        if increment_minor is not None and "increment" not in bad:
            found += _increment(profile, start_minor, increment_minor)
    if opens_at is not None:
        found += _opening(profile, rung, start_minor, published_at, opens_at, is_workday, holidays_until)
        found += _after_failure(profile, rung, round_no, previous_ended_at, opens_at)
        if ends_at is not None:
            found += _duration(profile, rung, opens_at, ends_at)
    if parties_notified_at and profile.parties_notified_days:
        found += _parties(profile, profile.parties_notified_days, parties_notified_at, published_at)
    found += _basis(profile, valuation_basis, loan_principal_minor)
    if valuation_date and ends_at is not None:
        found += _basis_age(profile, valuation_date, first_notice_at or published_at, ends_at)
    return found


def check_organizer(
    profile: Profile, *, labelled_auction: bool, licence_no: str | None, auctioneer: str | None
) -> list[Finding]:
    """A listing labelled 拍卖 outside the courts needs licence number and auctioneer (拍卖法 11, 14, 60).

    Codes ``licence_missing``, ``auctioneer_missing``; without them it is 网络竞价 / 公开转让.
    """
    licensed = profile.licence_required.value or (labelled_auction and profile.path not in ("A", "B"))
    if not licensed:
        return []
    term = Term(True, "flag", "拍卖法 art. 11, 14, 60", "law")
    found = []
    if not (licence_no or "").strip():
        found.append(against(term, "licence_missing", "licence_no"))
    if not (auctioneer or "").strip():
        found.append(against(term, "auctioneer_missing", "auctioneer"))
    return found


def _rehearsal(profile: Profile) -> dict[str, bool]:
    """Marks what binds a real sale but not a sandbox, so that pages say just that."""
    return {"sandbox": True} if profile.sandbox else {}


def _own(code: str, field: str, **params: object) -> Finding:
    return Finding(code, "refuse", field, params, "平台规则", "contract")


def _amounts(start: object, increment: object, deposit: object, appraisal: object) -> Iterator[Finding]:
    for name, amount in (("start", start), ("increment", increment), ("appraisal", appraisal)):
        if amount is None:
            continue
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount < 2**63:
            yield _own("amount_not_positive", name)
    if deposit is None:
        return
    if not isinstance(deposit, int) or isinstance(deposit, bool) or not 0 <= deposit < 2**63:
        yield _own("amount_not_positive", "deposit")


def _start(
    profile: Profile, rung: Round, start: int, appraisal: int | None, previous: int | None, approved: bool
) -> Iterator[Finding]:
    rule = rung.price_rule.value
    lowest = lowest_start(profile, profile.rounds.index(rung) + 1, appraisal, previous)
    if rule == "floor" and profile.start_floor:
        if appraisal is None:
            yield against(profile.start_floor, "appraisal_missing", "appraisal")
        elif lowest is not None and start < lowest:
            floor = profile.start_floor
            yield against(floor, "start_below_floor", "start", minimum_minor=lowest, percent_bp=floor.value)
    if rule != "floor" and previous is None:
        yield against(rung.price_rule, "previous_start_missing", "previous_start")
    elif rule == "reduced" and previous is not None:
        cut = rung.max_reduction
        if cut and lowest is not None and start < lowest:
            yield against(cut, "reduction_too_large", "start", minimum_minor=lowest, percent_bp=cut.value)
        if start > previous:
            yield Finding("start_above_previous", "warn", "start", {"previous_minor": previous}, "平台规则")
    elif rule == "equals_previous" and start != previous:
        yield against(rung.price_rule, "sell_off_price_differs", "start", required_minor=previous)
    bound = profile.approval_floor
    if bound and appraisal and not approved and start < at_least(appraisal, bound.value):
        yield against(
            bound,
            "approval_needed",
            "start",
            minimum_minor=at_least(appraisal, bound.value),
            percent_bp=bound.value,
        )


def _deposit(profile: Profile, rung: Round, round_no: int, start: int, deposit: int) -> Iterator[Finding]:
    low, high = deposit_band(profile, start, round_no)
    if rung.full_prepayment:
        if deposit != start:
            yield against(rung.full_prepayment, "deposit_not_full_price", "deposit", required_minor=start)
        return
    if low is not None and deposit < low and profile.deposit_min:
        yield against(profile.deposit_min, "deposit_too_low", "deposit", minimum_minor=low, maximum_minor=high)
    if high is not None and deposit > high and profile.deposit_max:
        yield against(profile.deposit_max, "deposit_too_high", "deposit", minimum_minor=low, maximum_minor=high)


def _increment(profile: Profile, start: int, increment: int) -> Iterator[Finding]:
    for band in profile.increment_guideline:
        if band.upto_minor is None or start <= band.upto_minor:
            maximum = at_most(start, band.max_bp.value)
            if increment > maximum:
                yield against(band.max_bp, "increment_above_guideline", "increment", maximum_minor=maximum)
            return


def _opening(
    profile: Profile,
    rung: Round,
    start: int | None,
    published_at: datetime,
    opens_at: datetime,
    is_workday: IsWorkday,
    holidays_until: date | None,
) -> Iterator[Finding]:
    if opens_at < published_at:
        yield _own("opens_before_publication", "opens_at")
    term = notice_term(rung, start) if start is not None else None
    if term is None:
        return
    if profile.sandbox:
        late = opens_at - published_at < span(term, profile)
        earliest = published_at + span(term, profile)
        params: dict[str, object] = {"earliest": earliest.isoformat(), **_rehearsal(profile)}
    else:
        first_day = add_days(legal_date(published_at), term.value, term.unit, is_workday)
        late = legal_date(opens_at) < first_day
        params = {"earliest": first_day.isoformat()}
        if term.unit == "workdays" and holidays_until is not None and first_day > holidays_until:
            yield Finding("holidays_unknown", "warn", "opens_at", {"year": first_day.year}, term.source, term.force)
    if late:
        yield against(term, "notice_too_short", "opens_at", days=term.value, unit=term.unit, **params)


def _duration(profile: Profile, rung: Round, opens_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    if ends_at <= opens_at:
        yield _own("ends_not_after_opens", "ends_at")
    elif rung.min_duration:
        least = span(rung.min_duration, profile)
        if ends_at - opens_at < least:
            seconds = least // timedelta(seconds=1)
            yield against(rung.min_duration, "duration_too_short", "ends_at", minimum_seconds=seconds)


def notice_term(rung: Round, start_minor: int) -> Term | None:
    """The notice period that applies at that start price, or None where the round needs no notice."""
    for band in rung.notice:
        if band.upto_minor is None or start_minor <= band.upto_minor:
            return band.days
    return None


def _after_failure(
    profile: Profile, rung: Round, round_no: int, previous_ended_at: datetime | None, opens_at: datetime
) -> Iterator[Finding]:
    term = rung.within_days_of_failure
    if term is None:
        return
    if previous_ended_at is None:
        yield against(term, "previous_end_missing", "previous_ended_at", round_no=round_no)
        return
    if profile.sandbox:
        late, latest = opens_at > previous_ended_at + span(term, profile), None
    else:
        last_day = add_days(legal_date(previous_ended_at), term.value)
        late, latest = legal_date(opens_at) > last_day, last_day.isoformat()
    if opens_at < previous_ended_at:
        yield _own("opens_before_previous_end", "opens_at")
    elif late:
        yield against(term, "reauction_too_late", "opens_at", days=term.value, latest=latest, **_rehearsal(profile))


def _parties(profile: Profile, term: Term, notified_at: datetime, published_at: datetime) -> Iterator[Finding]:
    if profile.sandbox:
        late = published_at - notified_at < span(term, profile)
    else:
        late = legal_date(notified_at) > add_days(legal_date(published_at), -term.value)
    if late:
        yield against(term, "parties_notified_late", "parties_notified_at", days=term.value, **_rehearsal(profile))


def _basis(profile: Profile, basis: str | None, principal: int | None) -> Iterator[Finding]:
    if basis is None:
        return
    cap = profile.internal_valuation_cap
    if basis not in VALUATION_BASES:
        yield _own("valuation_basis_unknown", "valuation_basis", basis=basis)
    elif basis in _CAPPED_BASES:
        if principal is None:
            yield against(cap, "loan_principal_missing", "loan_principal")
        elif principal > cap.value:
            yield against(cap, "internal_valuation_over_cap", "valuation_basis", maximum_minor=cap.value)


def _basis_age(profile: Profile, valued: date, first_notice_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    """参考价规定 art. 27: one year; notice in time lets the sale happen up to six months past it."""
    valid, grace = profile.price_basis_months, profile.price_basis_grace_months
    expires = add_months(valued, valid.value)
    latest_sale = add_months(expires, grace.value)
    if legal_date(first_notice_at) > expires:
        yield against(valid, "price_basis_expired", "valuation_date", expired=expires.isoformat())
    elif legal_date(ends_at) > latest_sale:
        yield against(grace, "price_basis_too_old_for_sale", "ends_at", latest=latest_sale.isoformat())
    if valued > legal_date(ends_at):
        yield _own("valuation_date_in_future", "valuation_date")
