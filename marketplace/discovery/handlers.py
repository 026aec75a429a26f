"""Handlers of events, the sweep's deadline and the sync's messages; imported once at start."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import structlog
from flask import current_app

from marketplace.core import outbox
from marketplace.core.actor import Actor
from marketplace.core.clock import SHANGHAI, now
from marketplace.core.deadlines import periodic
from marketplace.core.events import when
from marketplace.discovery import compare, rebuild, sync, truth
from marketplace.discovery.engines import LOCAL, MAIN, searching

log = structlog.get_logger("search")
SWEEP, NIGHTLY, COMPARE = "search.sweep", "search.nightly", "search.compare"
NIGHT = time(0, 20)  # fees, terms and burdens change with the day
SWEEP_EVERY = timedelta(seconds=10)


def _listing_changed(listing_id: int, data: dict[str, Any], actor: Actor) -> None:
    truth.note([listing_id])


def _lot_changed(lot_id: int, data: dict[str, Any], actor: Actor) -> None:
    truth.note([int(data["listing_id"])])


def _right_changed(right_id: int, data: dict[str, Any], actor: Actor) -> None:
    truth.note(right_ids=[right_id])


for _kind in ("published", "suspended", "resumed", "withdrawn", "closed"):
    when(f"listing.{_kind}")(_listing_changed)
for _kind in ("scheduled", "opened", "suspended", "resumed", "withdrawn", "prolonged", "sold", "unsold", "defaulted"):
    when(f"lot.{_kind}")(_lot_changed)
when("right.changed")(_right_changed)


@outbox.on(truth.TOPIC)
def bring_in_step(message_id: int, payload: dict[str, Any]) -> None:
    """Write what waits. What is left when the time is up, the sweep asks for again."""
    sync.run()


@periodic(SWEEP)
def sweep(_subject_id: int) -> datetime | None:
    """What no event tells: prices and ends of running lots, and what time alone changes."""
    settings = current_app.settings  # type: ignore[attr-defined]
    truth.sweep(bool(settings.elasticsearch_url and settings.search_local_too))
    rebuild.resume()
    return now() + SWEEP_EVERY


@outbox.on(rebuild.TOPIC)
def build_anew(message_id: int, payload: dict[str, Any]) -> None:
    """A rebuild that somebody asked for; a message that comes back finds it begun and ends."""
    rebuild.run(int(payload["id"]))


@periodic(NIGHTLY)
def nightly(_subject_id: int) -> datetime | None:
    """Compare the database and the index when the day has turned in Shanghai."""
    outbox.post(COMPARE, {})
    return next_night(now())


def next_night(at: datetime) -> datetime:
    local = at.astimezone(SHANGHAI)
    night = datetime.combine(local.date(), NIGHT, SHANGHAI)
    return night if night > local else night + timedelta(days=1)


@outbox.on(COMPARE)
def compare_all(message_id: int, payload: dict[str, Any]) -> None:
    """Each engine in turn; the content once. Away: the message is tried again."""
    engines = searching()
    found = [compare.compare(MAIN)]
    if engines.local is not None:
        found.append(compare.compare(LOCAL, content=False))
    for one in found:
        log.info("index compared", **vars(one))
