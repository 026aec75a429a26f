"""Was the platform down across the end of a sale? The stated policy (docs/auctions.md) then prolongs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.core.db import db
from marketplace.core.models import Heartbeat

BEAT = "tick"


@dataclass(frozen=True)
class Silence:
    """From the last beat before to the first beat after (or now, when there was none yet)."""

    since: datetime
    until: datetime


def silence_across(ends_at: datetime, now: datetime, longer_than: timedelta) -> Silence | None:
    """The silence of the tick that covers ``ends_at`` and lasted longer than allowed, if there was one. The tick's
    heartbeat row keeps its last long gaps in ``data["gaps"]``. A platform whose tick never ran has no record."""
    beat = db.session.get(Heartbeat, BEAT, populate_existing=True)
    if beat is None:
        return None
    spans = [
        (datetime.fromisoformat(since), datetime.fromisoformat(until)) for since, until in beat.data.get("gaps", [])
    ]
    spans.append((beat.at, max(beat.at, now)))
    for since, until in spans:
        if since < ends_at < until and until - since > longer_than:
            return Silence(since, until)
    return None
