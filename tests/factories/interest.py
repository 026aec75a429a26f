"""Needs and saved searches made through the services; an index of the test's own, brought in step on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import text

from jobs import tasks
from marketplace.core.actor import Actor
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.core.models import Outbox
from marketplace.interest import service
from marketplace.interest.models import Need, SavedSearch
from tests.factories.listings import Made, make_listing
from tests.factories.parties import make_actor, make_org

QUIET = ("search.sync", "search.indexed", "interest.match")


@dataclass(frozen=True)
class MadeNeed:
    """A need, its poster, and the manager who reviewed it."""

    need: Need
    poster: Actor
    manager: Actor

    @property
    def id(self) -> int:
        return self.need.id


def need_data(**changes: Any) -> dict[str, Any]:
    """A complete need: battery separators, up to RMB 6 m, valid for 90 days."""
    return {
        "title": "锂电池耐高温隔膜",
        "title_en": None,
        "details": "用于动力电池，要求隔膜在 150 度下收缩率低。",
        "details_en": None,
        "ipc": "H01M",
        "industry": "C3841",
        "region_code": "420100",
        "wanted": "purchase",
        "budget_low_minor": None,
        "budget_high_minor": 6_000_000_00,
        "valid_until": today() + timedelta(days=90),
        "anonymous": True,
        "contact": "赵联系 139-0000-0000",
    } | changes


def make_need(state: str = "published", *, actor: Actor | None = None, **changes: Any) -> MadeNeed:
    """A need in ``draft``, ``submitted``, ``published`` or ``closed``. Committed."""
    poster = actor or make_actor("enterprise")
    manager = make_actor("platform")
    need = service.save(poster, need_data(**changes))
    if state != "draft":
        service.submit(poster, need.id)
    if state in ("published", "closed"):
        service.publish(manager, need.id)
    if state == "closed":
        service.close(poster, need.id)
    db.session.commit()
    return MadeNeed(need, poster, manager)


def make_search(actor: Actor | None = None, query: str = "", often: str = "at_once", **more: Any) -> SavedSearch:
    search = service.save_search(actor or make_actor("operator"), query, more.pop("name", "订阅"), often, **more)
    db.session.commit()
    return search


def battery_listing(**more: Any) -> Made:
    """A published offer of a patent on battery separators, RMB 5 m, Wuhan."""
    texts = {"title": "一种锂离子电池隔膜及其制备方法", "region_code": "420100", "industry": "C3841"}
    title = more.pop("title", texts["title"])
    return make_listing("published", texts=texts | {"title": title}, **more)


def deliver(topics: Sequence[str] = QUIET, rounds: int = 6) -> int:
    """What a worker would do of these topics now, again and again until nothing is left."""
    done = 0
    for _round in range(rounds):
        db.session.rollback()
        rows = db.session.execute(
            db.select(Outbox.id).where(Outbox.topic.in_(topics), Outbox.state == "pending").order_by(Outbox.id)
        )
        ids = [row.id for row in rows]
        db.session.rollback()
        if not ids:
            break
        db.session.execute(text("UPDATE outbox SET attempts = attempts + 1 WHERE id = ANY(:ids)"), {"ids": ids})
        db.session.commit()
        with current_app._get_current_object().app_context():  # type: ignore[attr-defined]
            done += tasks.deliver(ids)
    return done


def mails(subject: str = "") -> list[dict[str, Any]]:
    """Payloads of the mails queued so far whose subject holds this, oldest first."""
    db.session.rollback()
    rows = db.session.execute(db.select(Outbox.payload).where(Outbox.topic == "mail").order_by(Outbox.id))
    return [row.payload for row in rows if subject in row.payload["subject"]]


__all__ = ["MadeNeed", "battery_listing", "deliver", "mails", "make_need", "make_org", "make_search", "need_data"]
