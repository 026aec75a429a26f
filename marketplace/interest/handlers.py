"""Handlers of this room's messages, deadlines and the events that change public facts; imported once at start."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marketplace.core import outbox
from marketplace.core.actor import Actor
from marketplace.core.db import unit_of_work
from marketplace.core.deadlines import on_due
from marketplace.core.events import when
from marketplace.interest import alerts, feed, service_needs, standing


@outbox.on("search.indexed")
def indexed(message_id: int, payload: dict[str, Any]) -> None:
    """The index has something new: note it, so that nothing is lost whatever becomes of this message."""
    with unit_of_work():
        standing.note(int(listing_id) for listing_id in payload["ids"])


@outbox.on(standing.TOPIC)
def match(message_id: int, payload: dict[str, Any]) -> None:
    standing.run()


@on_due("interest.again")
def engine_again(_market: int) -> datetime | None:
    return standing.again()


@on_due(alerts.DIGEST)
def digest(user_id: int) -> datetime | None:
    alerts.send_digest("user", user_id)
    return None


@on_due(alerts.DIGEST_ORG)
def digest_org(org_id: int) -> datetime | None:
    alerts.send_digest("organisation", org_id)
    return None


@on_due("need.expire")
def need_expires(need_id: int) -> datetime | None:
    return service_needs.expire(need_id)


def _listing_changed(listing_id: int, data: dict[str, Any], actor: Actor) -> None:
    feed.changed(("listings", listing_id))


def _round_changed(lot_id: int, data: dict[str, Any], actor: Actor) -> None:
    feed.changed(("listings", int(data["listing_id"])))


def _result_changed(lot_id: int, data: dict[str, Any], actor: Actor) -> None:
    feed.changed(("listings", int(data["listing_id"])), ("results", lot_id))


for _kind in ("published", "suspended", "resumed", "withdrawn", "closed", "corrected"):
    when(f"listing.{_kind}")(_listing_changed)
for _kind in ("scheduled", "opened", "suspended", "resumed", "withdrawn", "prolonged"):
    when(f"lot.{_kind}")(_round_changed)
for _kind in ("sold", "unsold", "paid", "completed", "defaulted"):
    when(f"lot.{_kind}")(_result_changed)
