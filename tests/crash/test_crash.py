"""A sale in full swing while the site dies under it: what was acknowledged stands, nothing happens twice, one end."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.auctions.invariants import broken
from marketplace.auctions.models import CourseEntry, LotResult, Registration
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Event, Outbox
from marketplace.core.signing import public_key_pem
from marketplace.money.models import Deposit, Payout
from marketplace.parties.tokens import create_token
from tests.crash.site import Client, Site, running_site, wait_until
from tests.factories.auctions import MadeLot, make_short_lot

pytestmark = pytest.mark.timeout(400)  # for a busy machine; a quiet one needs a minute
ROOT = Path(__file__).resolve().parents[2]
START, BIDDERS, CLIENTS = 100_000_00, 4, 6
SWING = 15  # acknowledged bids between one blow and the next
BLOWS = 2.5  # the sale outlasts so many starts of a site, and some seconds of bidding between them


def fresh(query: Any) -> Any:
    """What is committed now."""
    db.session.rollback()
    return db.session.scalar(query)


def bids_in(lot: MadeLot) -> int:
    return int(
        fresh(select(func.count(CourseEntry.id)).where(CourseEntry.lot_id == lot.id, CourseEntry.kind == "bid")) or 0
    )


def acknowledged(clients: list[Client]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every 201 by its bidder's token and key."""
    return {
        (client.secret, key): answer.body
        for client in clients
        for key, answer in client.answers.items()
        if answer.status == 201
    }


def in_full_swing(clients: list[Client], lot: MadeLot) -> None:
    """Until so many more bids were acknowledged."""
    before = len(acknowledged(clients))
    wait_until(lambda: len(acknowledged(clients)) >= before + SWING, 60, "bids go on")
    assert lot.state.state == "running", "the sale must outlast the blows; give it more seconds"


def clients_of(site: Site, lot: MadeLot, stop: threading.Event) -> list[Client]:
    """More clients than bidders: some organisations bid from two machines at once."""
    secrets = [create_token("crash", ["auctions:read", "bids:write"], 30, bidder.actor)[1] for bidder in lot.bidders]
    db.session.commit()
    return [Client(site.base, secrets[n % BIDDERS], lot.id, START, stop) for n in range(CLIENTS)]


def test_a_sale_survives_kills_a_flushed_redis_and_four_ticks(app: Zhiliu, tmp_path: Path) -> None:
    stop = threading.Event()
    with running_site(app, tmp_path) as site:
        began = time.monotonic()
        site.start("web", "tick", "worker-deadlines", "worker-outbox")
        wait_until(site.ready, 90, "the site is up")
        a_start = time.monotonic() - began  # on this machine, as busy as it is now
        lot = make_short_lot(BIDDERS, 10 + BLOWS * a_start)
        lot_id, planned_end = lot.id, lot.state.ends_at
        clients = clients_of(site, lot, stop)
        for client in clients:
            client.start()
        try:
            in_full_swing(clients, lot)
            site.kill("web")  # master and both workers, in the middle of their answers
            cut_off = bids_in(lot)
            site.start("web")
            in_full_swing(clients, lot)
            site.kill("worker-deadlines", "tick")
            with Redis.from_url(app.settings.redis_url) as redis:
                redis.flushall()
            site.start("worker-deadlines", "tick")
            in_full_swing(clients, lot)
            site.start("tick#2", "tick#3", "tick#4")
            # they bid across the planned end, so that it moves, and stop: a moving end has to come to rest
            wait_until(lambda: now() > planned_end + timedelta(seconds=1), 120, "the planned end")
        finally:
            stop.set()
            for client in clients:
                client.join(30)
        assert not any(client.is_alive() for client in clients)
        assert [text for client in clients for text in client.odd] == []
        wait_until(lambda: fresh(select(LotResult.lot_id).where(LotResult.lot_id == lot_id)), 45, "the close")
        wait_until(lambda: fresh(select(LotResult.published_at).where(LotResult.lot_id == lot_id)), 60, "the protocol")
        answered = acknowledged(clients)
        unanswered = settle_unanswered(clients)
        replays_say_the_same(clients)
        course = clients[0].call("GET", f"/api/v1/lots/{lot_id}/course").body
    assert cut_off > 0 and unanswered, "the kill cut nobody off: no blow in full swing"
    nothing_acknowledged_is_lost(answered | unanswered, course)
    accepted = {key for key, body in (answered | unanswered).items() if body["accepted"]}
    db.session.rollback()
    assert broken([lot_id], accepted={lot_id: len(accepted)}) == []
    ended_once(lot_id, planned_end, course)
    losers_paid_back_once(lot_id)
    verifies(course, answered, tmp_path)


def settle_unanswered(clients: list[Client]) -> dict[tuple[str, str], dict[str, Any]]:
    """Each key that got no answer is sent twice again: one definite answer, the same both times."""
    found = {}
    for client in clients:
        for key in client.unanswered:
            first, second = client.bid(key), client.bid(key)
            assert first.status in (201, 409) and first.status == second.status, (first, second)
            assert same(first.body, second.body) and second.body["replayed"], (first.body, second.body)
            found[client.secret, key] = first.body
    return found


def replays_say_the_same(clients: list[Client]) -> None:
    """Also what was answered before the blows is answered alike after them."""
    for client in clients:
        for key in list(client.answers)[:6] + list(client.answers)[-3:]:
            again = client.bid(key)
            assert again.status == client.answers[key].status
            assert same(again.body, client.answers[key].body) and again.body["replayed"]


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """The same decision; the standing is of the moment of the answer."""
    later = {"standing", "replayed"}
    return {k: v for k, v in one.items() if k not in later} == {k: v for k, v in other.items() if k not in later}


def nothing_acknowledged_is_lost(bodies: dict[tuple[str, str], dict[str, Any]], course: dict[str, Any]) -> None:
    bids = {entry["seq"]: entry for entry in course["entries"] if entry["kind"] == "bid"}
    for body in bodies.values():
        if not body["accepted"]:
            continue
        entry = bids[body["seq"]]
        receipt = body["receipt"]["receipt"]
        assert entry["hash"] == receipt["hash"] and entry["prev_hash"] == receipt["prev_hash"]
        assert (entry["code"], entry["amount_minor"]) == (body["bidder_code"], body["amount_minor"])
    seqs = [body["seq"] for body in bodies.values() if body["accepted"]]
    assert sorted(seqs) == sorted(bids), "each entry was asked for by exactly one key"
    keys = db.session.execute(
        select(CourseEntry.registration_id, CourseEntry.idempotency_key).where(CourseEntry.kind == "bid")
    ).all()
    assert len(keys) == len(set(keys)) == len(bids)


def ended_once(lot_id: int, planned_end: Any, course: dict[str, Any]) -> None:
    counts = {
        "results": select(func.count(LotResult.lot_id)),
        "closed": select(func.count(CourseEntry.id)).where(CourseEntry.kind == "closed"),
        "sold": select(func.count(Event.id)).where(Event.kind == "lot.sold"),
        "papers": select(func.count(Outbox.id)).where(Outbox.topic == "protocol.make"),
    }
    assert {name: db.session.scalar(query) for name, query in counts.items()} == dict.fromkeys(counts, 1)
    result = db.session.get_one(LotResult, lot_id)
    last = course["entries"][-2]
    assert last["kind"] == "bid" and course["entries"][-1]["kind"] == "closed"
    assert result.final_ends_at.isoformat() == last["ends_at"].replace("Z", "+00:00")
    assert result.final_ends_at > planned_end, "late bids moved the end"
    assert timedelta(0) <= result.closed_at - result.final_ends_at < timedelta(seconds=2)
    assert {entry["kind"] for entry in course["entries"]} == {"bid", "closed"}, "no outage, no second end"


def losers_paid_back_once(lot_id: int) -> None:
    result = db.session.get_one(LotResult, lot_id)
    buyer = db.session.get_one(Registration, result.winner_registration_id).org_id
    states = dict(db.session.execute(select(Deposit.org_id, Deposit.state).where(Deposit.lot_id == lot_id)).all())
    # the buyer's counts toward the price, the backup's is kept until the balance is paid
    kept = {org for org, state in states.items() if state in ("applied", "held")}
    assert states[buyer] == "applied" and len(states) == BIDDERS and len(kept) <= 2
    due = db.session.execute(
        select(Payout.org_id, Payout.amount_minor).where(Payout.lot_id == lot_id, Payout.purpose == "deposit_release")
    ).all()
    assert Counter(row[0] for row in due) == Counter(set(states) - kept), "each loser once, the buyer never"
    assert {row[1] for row in due} == {10_000_00}
    assert {state for org, state in states.items() if org not in kept} == {"release_due"}


def verifies(course: dict[str, Any], answered: dict[tuple[str, str], dict[str, Any]], folder: Path) -> None:
    """The course as anyone checks it, with a receipt of the first bid and one from around the blows."""
    files = {name: folder / name for name in ("course.json", "key.pem", "receipt.json")}
    text = json.dumps(course, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    files["course.json"].write_text(text + "\n")
    files["key.pem"].write_text(public_key_pem())
    bodies = sorted(answered.values(), key=lambda body: body["seq"])
    for body in (bodies[0], bodies[len(bodies) // 2], bodies[-1]):
        files["receipt.json"].write_text(json.dumps(body["receipt"]))
        done = subprocess.run(
            [sys.executable, str(ROOT / "tools" / "verify_sale.py"), str(files["course.json"]),
             "--public-key", str(files["key.pem"]), "--receipt", str(files["receipt.json"])],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
