"""Handlers of deadlines, approvals and events of this room; imported once at start."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marketplace.core.actor import Actor
from marketplace.core.approvals import act_of
from marketplace.core.deadlines import on_due
from marketplace.core.events import when
from marketplace.listings import queries, service_course, service_draft, service_public, service_publish, service_rounds
from marketplace.parties.bars import listings_are

listings_are(queries.id_numbered, queries.numbers)

act_of("listing.submit", service_draft.submission_refused)(service_draft.submitted)
act_of("listing.publish", service_publish.publication_refused)(service_publish.published)
act_of("listing.withdraw")(service_course.withdrawn)
act_of("listing.round_submit", service_rounds.round_submission_refused)(service_rounds.round_submitted)
act_of("listing.round_publish", service_rounds.round_publication_refused)(service_rounds.round_published)


@on_due("listing.follow")
def listing_follows(listing_id: int) -> datetime | None:
    service_course.follow(listing_id)
    return None


@on_due("listing.objection")
def objection_overdue(objection_id: int) -> datetime | None:
    service_public.objection_overdue(objection_id)
    return None


def _lot_changed(lot_id: int, data: dict[str, Any], actor: Actor) -> None:
    service_course.follow_later(int(data["listing_id"]))


for _kind in (
    "lot.scheduled",
    "lot.sold",
    "lot.unsold",
    "lot.completed",
    "lot.defaulted",
    "lot.suspended",
    "lot.resumed",
    "lot.withdrawn",
):
    when(_kind)(_lot_changed)
