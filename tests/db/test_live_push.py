"""Live push: replay, rising versions, bounded queues, a cap on watchers, and Redis away."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from marketplace import Zhiliu
from marketplace.auctions import live, service
from marketplace.core.db import db, unit_of_work
from tests.factories.auctions import MadeLot, make_lot


@pytest.fixture
def hub(app: Zhiliu) -> Iterator[live.Hub]:
    found = live.hub()
    found.topics.clear()
    yield found
    found.stop()
    found.topics.clear()


def events_in(chunks: list[str]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for chunk in chunks:
        lines = dict(line.split(": ", 1) for line in chunk.strip().splitlines() if ": " in line and line[0] != ":")
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def state(lot_id: int, version: int, seq: int = 0, *, ended: bool = False) -> dict[str, Any]:
    return {"lot_id": lot_id, "version": version, "seq": seq, "ended": ended, "entries": [], "after_seq": seq}


def until(true: Callable[[], bool], seconds: float = 15) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "nothing came"
        threading.Event().wait(0.02)


def opened(app: Zhiliu, lot: MadeLot, **headers: str) -> tuple[Any, Iterator[Any]]:
    answer = app.test_client().get(f"/lots/{lot.id}/events", headers=headers, buffered=False)
    return answer, iter(answer.response)


def text(chunk: Any) -> str:
    return chunk if isinstance(chunk, str) else chunk.decode()


def test_a_stream_begins_with_the_state_and_names_nobody(app: Zhiliu, hub: live.Hub) -> None:
    lot = make_lot()
    lot.bid(0, 100_000_00)
    answer, body = opened(app, lot)
    assert answer.mimetype == "text/event-stream" and answer.headers["X-Accel-Buffering"] == "no"
    assert "Set-Cookie" not in answer.headers
    first = [text(next(body)), text(next(body))]
    answer.close()
    [(name, shown)] = events_in(first)
    assert name == "lot" and shown["price_minor"] == 100_000_00 and [e["seq"] for e in shown["entries"]] == [1]
    assert lot.bidders[0].org.name not in first[1] and "result" not in shown
    assert first[1].startswith(f"id: {shown['version']}.1\n")
    assert hub.count == 0


def test_a_page_that_comes_back_gets_what_it_missed_and_no_more(app: Zhiliu, hub: live.Hub) -> None:
    lot = make_lot()
    for n in range(5):
        lot.bid(n % 2, (100_000 + n * 1000) * 100)
    answer, body = opened(app, lot, **{"Last-Event-ID": "3.2"})
    next(body)
    [(_name, shown)] = events_in([text(next(body))])
    answer.close()
    assert [e["seq"] for e in shown["entries"]] == [3, 4, 5] and shown["after_seq"] == 2


def test_a_bid_reaches_the_watcher_through_redis(app: Zhiliu, hub: live.Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "POLL_SECONDS", 3600.0)  # nothing but Redis may bring it
    lot = make_lot()
    answer, body = opened(app, lot)
    next(body), next(body)
    redis_has_us(app)
    with unit_of_work():  # the announcement follows the commit
        service.place_bid(lot.bidders[0].actor, lot.id, 100_000_00, "one")
    [(name, shown)] = events_in([text(next(body))])
    answer.close()
    assert name == "lot" and shown["price_minor"] == 100_000_00


def redis_has_us(app: Zhiliu) -> None:
    from redis import Redis

    with Redis.from_url(app.settings.redis_url) as redis:
        until(lambda: redis.pubsub_numpat() > 0)


def test_with_redis_away_the_database_brings_it(app: Zhiliu, hub: live.Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live._Ear, "listen", lambda self, seconds: None)
    monkeypatch.setattr(live, "POLL_SECONDS", 0.1)
    lot = make_lot()
    answer, body = opened(app, lot)
    next(body), next(body)
    lot.bid(0, 100_000_00)
    [(_name, shown)] = events_in([text(next(body))])
    answer.close()
    assert shown["price_minor"] == 100_000_00


def test_the_stream_ends_with_the_sale(app: Zhiliu, hub: live.Hub) -> None:
    lot = make_lot()
    answer, body = opened(app, lot)
    next(body), next(body)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    names = [name for name, _shown in events_in([text(chunk) for chunk in body])]
    answer.close()
    assert names[-2:] == ["lot", "end"]
    answer, body = opened(app, lot)
    assert [name for name, _shown in events_in([text(chunk) for chunk in body])] == ["lot", "end"]
    answer.close()


def test_a_lower_version_never_follows_a_higher(app: Zhiliu, hub: live.Hub) -> None:
    watcher = hub.join(7)
    hub.topics[7].version = 4
    assert hub.hand_out(state(7, 5)) and not hub.hand_out(state(7, 5)) and not hub.hand_out(state(7, 3))
    assert hub.hand_out(state(7, 6))
    body = live.stream(watcher, state(7, 5), 5, heartbeat=0.01)
    sent = events_in([next(body) for _n in range(4)])
    hub.leave(watcher)
    assert [shown["version"] for name, shown in sent if name == "lot"] == [5, 6]


def test_a_slow_page_is_told_to_read_all_again_and_holds_up_nobody(app: Zhiliu, hub: live.Hub) -> None:
    slow, quick = hub.join(8), hub.join(8)
    quick_got = []
    for version in range(1, 3 * live.QUEUE_LENGTH):
        hub.hand_out(state(8, version))
        quick_got.append(quick.waiting.get_nowait()["version"])
    assert quick_got == list(range(1, 3 * live.QUEUE_LENGTH))
    assert slow.waiting.qsize() <= live.QUEUE_LENGTH
    body = live.stream(slow, None, 0, heartbeat=0.01)
    names = [name for name, _shown in events_in([next(body), next(body)])]
    assert names == ["resync"]


def test_the_end_is_not_lost_by_a_full_queue(app: Zhiliu, hub: live.Hub) -> None:
    slow = hub.join(9)
    for version in range(1, live.QUEUE_LENGTH + 1):
        hub.hand_out(state(9, version))
    hub.hand_out(state(9, 99, ended=True))
    names = [name for name, _shown in events_in(list(live.stream(slow, None, 0, heartbeat=0.01)))]
    assert names == ["resync", "lot", "end"]


def test_past_the_cap_a_page_is_asked_to_poll(app: Zhiliu, hub: live.Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.settings, "live_watchers", 1)
    lot = make_lot(bidders=0)
    first, body = opened(app, lot)
    next(body)
    full = app.test_client().get(f"/lots/{lot.id}/events")
    assert full.status_code == 503 and full.headers["Retry-After"] == "15"
    assert full.json["error"]["code"] == "too_many_watchers"
    assert app.test_client().get(f"/lots/{lot.id}/state.json").status_code == 200
    first.close()
    again, _body = opened(app, lot)
    assert again.status_code == 200
    again.close()


def test_a_watcher_of_nothing_takes_no_place(app: Zhiliu, hub: live.Hub) -> None:
    assert app.test_client().get("/lots/123456/events").status_code == 404
    assert hub.count == 0


def test_a_waiting_stream_holds_no_database_connection(app: Zhiliu, hub: live.Hub) -> None:
    lot = make_lot(bidders=0)
    answers = [opened(app, lot) for _n in range(3)]
    for _answer, body in answers:
        next(body), next(body)
    hub.stop()
    db.session.remove()
    assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    for answer, _body in answers:
        answer.close()


def test_state_json_says_not_changed_and_gives_only_what_is_newer(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, 100_000_00)
    client = app.test_client()
    first = client.get(f"/lots/{lot.id}/state.json")
    tag = first.headers["ETag"]
    assert client.get(f"/lots/{lot.id}/state.json", headers={"If-None-Match": tag}).status_code == 304
    lot.bid(1, 101_000_00)
    newer = client.get(f"/lots/{lot.id}/state.json?after=1", headers={"If-None-Match": tag})
    assert newer.status_code == 200 and [e["seq"] for e in newer.json["entries"]] == [2]
    assert newer.json["version"] > first.json["version"]
    odd = client.get(f"/lots/{lot.id}/state.json?after=²")
    assert odd.status_code == 200


@pytest.mark.parametrize("given", [None, "", "5", "a.b", "-1.2", "1.2.3", "²." + "1", "9" * 40 + ".1"])
def test_a_last_event_id_that_is_not_ours_is_as_none(given: str | None) -> None:
    assert live.read_last_id(given) is None


def test_one_dead_message_does_not_stop_the_push(app: Zhiliu) -> None:
    assert live._message({"channel": b"lot:x", "data": b"1"}) == (None, 0)
    assert live._message({"channel": b"lot:3", "data": b"12"}) == (3, 12)
