"""What a profile allows after a failed round: the next rung, its bounds, and terms inside them to start from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from marketplace.core.calendar import IsWorkday, add_days, day_ends, day_starts, legal_date, monday_to_friday

from .findings import Term
from .formats import FORMATS
from .pricing import at_least, at_most, deposit_band, increment_guide, lowest_start, notice_term
from .profiles import Profile, Round, span

Obstacle = Literal["", "ladder_ended", "format_unknown", "time_over"]
HOUR_OF_OPENING = timedelta(hours=10)
ROOM_FOR_REVIEW = 3  # days that a suggestion leaves for two bankers and two managers


@dataclass(frozen=True)
class Suggestion:
    """Terms that keep every bound if they are published soon. Amounts in minor units, moments aware."""

    start_minor: int
    increment_minor: int
    deposit_minor: int
    opens_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class NextStep:
    """The rung after a failed round, looked at ``at``. Amounts in minor units, moments aware.

    ``obstacle``: ``ladder_ended`` (the profile knows no further round), ``format_unknown`` (it does, in a way that
    the platform does not offer, as a sell-off), ``time_over`` (no notice given now can be long enough any more).
    ``earliest``: bidding may open from here if the notice is published now; ``latest``: it must open before;
    ``publish_by``: the notice must be out before; ``least``: the shortest bidding time. None where no rule says.
    """

    round_no: int
    previous_start_minor: int
    rung: Round | None = None
    obstacle: Obstacle = ""
    lowest_minor: int | None = None
    notice: Term | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    publish_by: datetime | None = None
    least: timedelta | None = None
    suggestion: Suggestion | None = None

    @property
    def allowed(self) -> bool:
        return self.rung is not None and not self.obstacle


def next_step(
    profile: Profile,
    *,
    round_no: int,
    start_minor: int,
    increment_minor: int,
    deposit_minor: int,
    length: timedelta,
    appraisal_minor: int | None,
    failed_at: datetime,
    at: datetime,
    within_applies: bool = True,
    is_workday: IsWorkday = monday_to_friday,
) -> NextStep:
    """The step after round ``round_no`` with these terms, which failed at ``failed_at``.

    ``within_applies``: whether the term for holding the next round is enforced; after a buyer's default it is not
    (网拍规定 art. 26 counts from a round without a bid).
    """
    rung = profile.round(round_no + 1)
    if rung is None:
        return NextStep(round_no + 1, start_minor, None, "ladder_ended")
    if rung.format not in FORMATS:
        return NextStep(round_no + 1, start_minor, rung, "format_unknown")
    lowest = lowest_start(profile, round_no + 1, appraisal_minor, start_minor)
    if lowest is None and profile.approval_floor and appraisal_minor:
        lowest = at_least(appraisal_minor, profile.approval_floor.value)
    start = min(lowest, start_minor) if rung.max_reduction and lowest is not None else start_minor
    term = notice_term(rung, start)
    earliest = _earliest(profile, term, at, is_workday)
    latest, publish_by = _latest(profile, rung, term, failed_at) if within_applies else (None, None)
    over = latest is not None and not profile.sandbox and earliest >= latest
    least = span(rung.min_duration, profile) if rung.min_duration else None
    opens_at = _opening(profile, earliest, latest)
    return NextStep(
        round_no + 1,
        start_minor,
        rung,
        "time_over" if over else "",
        lowest,
        term,
        earliest,
        latest,
        publish_by,
        least,
        Suggestion(
            start,
            _increment(profile, start, increment_minor),
            _deposit(profile, round_no + 1, start, deposit_minor, start_minor),
            opens_at,
            opens_at + max(length, least or timedelta()),
        ),
    )


def _earliest(profile: Profile, term: Term | None, at: datetime, is_workday: IsWorkday) -> datetime:
    if term is None or (profile.sandbox and term.severity == "warn"):
        return at
    if profile.sandbox:
        return at + span(term, profile)
    return day_starts(add_days(legal_date(at), term.value, term.unit, is_workday))


def _latest(
    profile: Profile, rung: Round, term: Term | None, failed_at: datetime
) -> tuple[datetime | None, datetime | None]:
    within = rung.within_days_of_failure
    if within is None:
        return None, None
    if profile.sandbox:
        return failed_at + span(within, profile), None
    last = add_days(legal_date(failed_at), within.value)
    if term is None or term.unit != "days":
        return day_ends(last), None
    return day_ends(last), day_ends(add_days(last, -term.value))


def _opening(profile: Profile, earliest: datetime, latest: datetime | None) -> datetime:
    """Ten in the morning, some days after the earliest day, as far as there is room before the latest."""
    if profile.sandbox:
        return earliest + timedelta(minutes=2)
    day = legal_date(earliest)
    wanted = add_days(day, ROOM_FOR_REVIEW)
    if latest is not None:
        wanted = max(day, min(wanted, add_days(legal_date(latest), -1)))
    return day_starts(wanted) + HOUR_OF_OPENING


def _increment(profile: Profile, start: int, before: int) -> int:
    guide = increment_guide(profile, start)
    return max(1, min(before, guide)) if guide else before


def _deposit(profile: Profile, round_no: int, start: int, before: int, start_before: int) -> int:
    """The same share of the start price as before, inside the band."""
    low, high = deposit_band(profile, start, round_no)
    share = at_most(start, before * 10_000 // start_before)
    share = share if low is None else max(low, share)
    return share if high is None else min(high, share)
