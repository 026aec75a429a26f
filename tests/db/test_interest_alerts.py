"""Saved searches: what matches newly is told once, whatever happens to the engine or the worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from marketplace import Zhiliu
from marketplace.core import deadlines
from marketplace.core.clock import SHANGHAI, now
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError, Invalid, NotFound, Refused
from marketplace.core.models import Deadline, Outbox
from marketplace.discovery.engines import Breaker, Searching
from marketplace.interest import alerts, letters, queries, service, standing, stored
from marketplace.interest.models import MatchTodo, SavedSearch, SavedSearchHit
from marketplace.interest.service_saved import MOST_SEARCHES
from search.engine import EngineDown
from search.engines.embedded import Embedded
from search.query import Query
from search.result import Result
from tests.factories.interest import battery_listing, deliver, mails, make_search
from tests.factories.parties import make_actor, make_org, make_user


class Switched(Embedded):
    """The embedded engine behind a switch."""

    down = False

    def search(self, query: Query) -> Result:
        if self.down:
            raise EngineDown("switched off")
        return super().search(query)


@pytest.fixture
def engine(app: Zhiliu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Switched]:
    made = Switched(tmp_path / "search")
    made.prepare()
    monkeypatch.setitem(app.extensions, "search", Searching(made, breaker=Breaker(pause=0)))
    yield made


def hits() -> list[tuple[int, bool]]:
    db.session.rollback()
    return [(h.listing_id, h.known) for h in db.session.scalars(select(SavedSearchHit).order_by(SavedSearchHit.id))]


def reprice(listing_id: int, minor: int) -> None:
    """The price of its lot as if it had been bid or lowered, told to the index."""
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text("UPDATE lot SET start_minor = :m WHERE listing_id = :l"), {"m": minor, "l": listing_id})
    db.session.commit()
    from marketplace.discovery import truth

    truth.mark([listing_id])
    db.session.commit()
    deliver()


def test_what_newly_matches_is_mailed_once(engine: Switched) -> None:
    actor = make_actor("operator")
    search = make_search(actor, "q=隔膜")
    deliver()
    made = battery_listing()
    battery_listing(title="一种桥梁振动的监测方法")
    deliver()
    assert hits() == [(made.id, False)]
    found = mails("新增")
    assert len(found) == 1 and made.listing.number in found[0]["body"] and "/saved-searches/stop/" in found[0]["body"]
    standing.note([made.id])
    db.session.commit()
    deliver()
    assert len(mails("新增")) == 1
    rows = queries.saved_for(actor)
    assert [(row.search.id, row.fresh, row.found) for row in rows] == [(search.id, 1, 1)]
    service.looked(actor, search.id)
    db.session.commit()
    assert queries.saved_for(actor)[0].fresh == 0


def test_what_matched_before_is_no_news(engine: Switched) -> None:
    made = battery_listing()
    deliver()
    search = make_search(query="q=隔膜")
    deliver()
    assert hits() == [(made.id, True)]
    assert db.session.get_one(SavedSearch, search.id).noted_at is not None
    standing.note([made.id])
    db.session.commit()
    deliver()
    assert mails("新增") == []


def test_a_price_drop_tells_only_whom_it_newly_serves(engine: Switched) -> None:
    made = battery_listing()
    deliver()
    above, below = make_search(query="q=隔膜&high=600万"), make_search(query="q=隔膜&high=300万")
    deliver()
    assert hits() == [(made.id, True)]
    reprice(made.id, 2_500_000_00)
    assert [h.search_id for h in db.session.scalars(select(SavedSearchHit).where(~SavedSearchHit.known))] == [below.id]
    assert len(mails("新增")) == 1
    reprice(made.id, 2_400_000_00)
    assert len(mails("新增")) == 1
    assert above.id


def test_every_word_must_stand_there(engine: Switched) -> None:
    make_search(query="q=隔膜 石墨烯")
    make_search(query="q=seperator")
    deliver()
    battery_listing()
    deliver()
    assert hits() == []


def test_with_the_engine_away_alerts_wait_and_none_is_lost_or_doubled(engine: Switched) -> None:
    make_search(query="q=隔膜")
    deliver()
    engine.down = True
    first = battery_listing()
    deliver()
    assert hits() == [] and db.session.scalar(select(func.count()).select_from(MatchTodo)) == 1
    waiting = db.session.scalars(select(Deadline).where(Deadline.kind == "interest.again")).one()
    assert waiting.state == "pending"
    second = battery_listing()
    deliver()
    engine.down = False
    with unit_of_work():
        db.session.execute(text("UPDATE deadline SET due_at = clock_timestamp() WHERE kind = 'interest.again'"))
    with unit_of_work():
        assert deadlines.run(waiting.id)
    deliver()
    assert hits() == [(first.id, False), (second.id, False)]
    assert db.session.scalar(select(func.count()).select_from(MatchTodo)) == 0
    listed = [
        number for number in (first.listing.number, second.listing.number) for m in mails("新增") if number in m["body"]
    ]
    assert len(listed) == 2


def test_only_a_stand_in_answering_is_like_no_answer(engine: Switched, app: Zhiliu, tmp_path: Path) -> None:
    make_search(query="q=隔膜")
    deliver()
    stand_in = Embedded(tmp_path / "other")
    stand_in.prepare()
    app.extensions["search"].local = stand_in
    battery_listing()
    engine.down = True
    deliver()
    assert hits() == [] and db.session.scalar(select(func.count()).select_from(MatchTodo)) == 1


def test_a_search_saved_while_the_engine_is_away_is_noted_later(engine: Switched) -> None:
    old = battery_listing()
    deliver()
    engine.down = True
    make_search(query="q=隔膜")
    deliver()
    fresh = battery_listing()
    deliver()
    assert hits() == []
    engine.down = False
    standing.wake()
    db.session.commit()
    deliver()
    assert sorted(hits()) == [(old.id, True), (fresh.id, False)]
    assert len(mails("新增")) == 1


def test_a_change_during_the_asking_is_asked_again(engine: Switched, monkeypatch: pytest.MonkeyPatch) -> None:
    make_search(query="q=隔膜")
    deliver()
    made = battery_listing()
    find = standing.find

    def changed_meanwhile(*given: Any) -> list[tuple[int, int]]:
        with unit_of_work():
            standing.note([made.id])
        return find(*given)

    deliver(("search.sync", "search.indexed"))
    monkeypatch.setattr(standing, "find", changed_meanwhile)
    standing._one_batch()
    monkeypatch.undo()
    assert db.session.scalar(select(func.count()).select_from(MatchTodo)) == 1


def test_a_daily_search_gathers_until_the_morning(engine: Switched) -> None:
    actor = make_actor("operator")
    make_search(actor, "q=隔膜", "daily", name="隔膜")
    make_search(actor, "kind=invention_patent", "daily", name="发明")
    deliver()
    first = battery_listing()
    deliver()
    second = battery_listing()
    deliver()
    assert mails("新增") == []
    due = db.session.scalars(select(Deadline).where(Deadline.kind == alerts.DIGEST)).one()
    local = due.due_at.astimezone(SHANGHAI)
    assert (local.hour, local.minute) == (8, 0) and timedelta(0) < due.due_at - now() <= timedelta(days=1)
    db.session.execute(text("UPDATE deadline SET due_at = clock_timestamp() WHERE id = :id"), {"id": due.id})
    db.session.commit()
    for _twice in range(2):
        with unit_of_work():
            deadlines.run(due.id)
    found = mails("今日新增 4 项")
    assert len(found) == 1
    assert found[0]["body"].count(first.listing.number) == 4  # each in two searches: title line and address
    assert second.listing.number in found[0]["body"]
    with unit_of_work():
        alerts.send_digest("user", actor.user_id or 0)
    assert len(mails("新增")) == 1


@pytest.mark.parametrize(
    ("at", "morning"), [("2026-11-23T07:59", "2026-11-23T08:00"), ("2026-11-23T08:00", "2026-11-24T08:00")]
)
def test_the_morning_is_that_of_shanghai(at: str, morning: str) -> None:
    local = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    assert alerts.next_morning(local) == datetime.fromisoformat(morning).replace(tzinfo=SHANGHAI)


def test_a_shared_search_reaches_every_member_who_did_not_stop_it(engine: Switched) -> None:
    org = make_org("operator")
    actor = make_actor("operator", org=org)
    reader, mute = make_user(org, ("viewer",)), make_user(org, ("viewer",))
    english = make_user(org, ("viewer",), language="en")
    search = make_search(actor, "q=隔膜", shared=True)
    deliver()
    assert letters.read_stop(letters.stop_link(search.id, mute.id).rsplit("/", 1)[1]) == (search.id, mute.id)
    service.stop(search.id, mute.id)
    db.session.commit()
    battery_listing()
    deliver()
    to = {payload["to"] for payload in mails()}
    assert {reader.email, english.email} < to and mute.email not in to
    body = next(payload["body"] for payload in mails() if payload["to"] == english.email)
    assert "/saved-searches/stop/" in body


def test_paused_and_never_send_no_mail_but_list_what_they_found(engine: Switched) -> None:
    actor = make_actor("operator")
    quiet, paused = make_search(actor, "q=隔膜", "never"), make_search(actor, "q=电池", "daily")
    service.pause(actor, paused.id, True)
    db.session.commit()
    deliver()
    battery_listing()
    deliver()
    assert mails("新增") == [] and {row.fresh for row in queries.saved_for(actor)} == {1}
    service.pause(actor, paused.id, False)
    service.edit(actor, quiet.id, "隔膜", "at_once")
    db.session.commit()
    with unit_of_work():
        alerts.send_digest("user", actor.user_id or 0)
    assert mails("新增") == []


def test_the_same_search_is_saved_once_in_its_canonical_form(app: Zhiliu) -> None:
    actor = make_actor("operator")
    one = make_search(actor, "kind=invention_patent&q=隔膜&page=3&sort=closing&lang=en&nonsense=1")
    two = make_search(actor, "q=隔膜&kind=invention_patent", "daily", name="另一个名称")
    assert one.id == two.id and two.often == "daily"
    assert one.query == stored.canonical(one.query)


def test_refusals(app: Zhiliu) -> None:
    actor, other = make_actor("operator"), make_actor("operator")
    with pytest.raises(Invalid) as faults:
        service.save_search(actor, "", "  ", "hourly")
    assert {problem.code for problem in faults.value.problems} == {"required", "often_unknown"}
    db.session.rollback()
    search = make_search(actor, "q=x")
    for act in (lambda: service.edit(other, search.id, "x", "daily"), lambda: service.remove(other, search.id),
                lambda: service.looked(other, search.id), lambda: service.pause(other, search.id, True)):  # fmt: skip
        with pytest.raises(NotFound):
            act()
        db.session.rollback()
    for n in range(1, MOST_SEARCHES):
        service.save_search(actor, f"q=x{n}", "x", "never")
    with pytest.raises(Refused, match="too_many_searches"):
        service.save_search(actor, "q=one more", "x", "never")
    db.session.rollback()
    with pytest.raises(DomainError, match="role_needed"):
        service.save_search(make_actor("operator", ("viewer",)), "q=x", "x", "never", shared=True)
    assert letters.read_stop("forged") is None
    assert db.session.scalar(select(func.count()).select_from(Outbox).where(Outbox.topic == "mail")) == 0
