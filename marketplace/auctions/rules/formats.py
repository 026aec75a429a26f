"""The one door to a format's decision: its name → `(state, bid, now, profile) -> Accepted | Refused`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from . import english
from .profiles import Profile
from .state import Accepted, BidIntent, LotState, Refused

Decision = Callable[[LotState, BidIntent, datetime, Profile], Accepted | Refused]

FORMATS: dict[str, Decision] = {"english_priority": english.decide}


def decide(format_name: str, state: LotState, bid: BidIntent, now: datetime, profile: Profile) -> Accepted | Refused:
    """Decide a bid by the lot's format; refuses with ``format_unknown`` where no such format is kept."""
    decision = FORMATS.get(format_name)
    if decision is None:
        return Refused("format_unknown", {"format": format_name})
    return decision(state, bid, now, profile)
