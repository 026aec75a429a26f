"""A sign-in that ended, however short ago, bids no more, though the edge may still remember it."""

from __future__ import annotations

import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.auctions.models import BidRefusal, CourseEntry
from marketplace.core.db import db
from marketplace.parties.models import Membership, User
from marketplace.parties.sign_in import sign_out_everywhere
from marketplace.parties.tokens import create_token, revoke_token
from marketplace.web.limits import Buckets
from tests.factories.auctions import make_lot
from tests.factories.parties import client_for

START, STEP = 100_000_00, 1_000_00


def bid(client: FlaskClient, lot_id: int, secret: str, amount: int) -> int:
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": uuid.uuid4().hex}
    path = f"/api/v1/lots/{lot_id}/bids"
    return client.post(path, json={"amount_minor": amount}, headers=headers).status_code


def kept(lot_id: int) -> tuple[int, int]:
    db.session.rollback()
    entries = select(func.count(CourseEntry.id)).where(CourseEntry.lot_id == lot_id)
    refusals = select(func.count(BidRefusal.id)).where(BidRefusal.lot_id == lot_id)
    return db.session.scalar(entries) or 0, db.session.scalar(refusals) or 0


def test_a_revoked_token_bids_no_more(app: Zhiliu, client: FlaskClient) -> None:
    lot = make_lot(2)
    (mine, first), (_other, second) = (create_token("t", ["bids:write"], None, b.actor) for b in lot.bidders)
    db.session.commit()
    assert bid(client, lot.id, first, START) == 201
    assert bid(client, lot.id, second, START + STEP) == 201
    revoke_token(mine.id, lot.bidders[0].actor)
    db.session.commit()
    assert bid(client, lot.id, first, START + 2 * STEP) == 401
    assert kept(lot.id) == (2, 0)


def test_an_expired_token_bids_no_more(app: Zhiliu, client: FlaskClient) -> None:
    lot = make_lot(1)
    mine, secret = create_token("t", ["bids:write"], 30, lot.bidders[0].actor)
    db.session.commit()
    assert bid(client, lot.id, secret, START - 1) == 409
    mine.expires_at = db.session.scalar(select(func.clock_timestamp()))
    db.session.commit()
    assert bid(client, lot.id, secret, START) == 401
    assert kept(lot.id) == (0, 1)


@pytest.mark.parametrize("end", ["signed out everywhere", "inactive", "no member", "no maker"])
def test_an_ended_session_bids_no_more(app: Zhiliu, end: str) -> None:
    lot = make_lot(2)
    actor = lot.bidders[0].actor
    db.session.commit()
    client = client_for(app, db.session.get_one(User, actor.user_id))
    path, form = f"/lots/{lot.id}/bids", {"amount": "100000", "idempotency_key": "1"}
    assert client.post(path, data=form).status_code == 302
    assert lot.bid(1, START + STEP).accepted
    member = db.session.scalars(select(Membership).where(Membership.user_id == actor.user_id)).one()
    if end == "signed out everywhere":
        sign_out_everywhere(actor.user_id or 0)
    elif end == "inactive":
        db.session.get_one(User, actor.user_id).active = False
    elif end == "no member":
        member.active = False
    else:
        member.roles = ["viewer"]
    db.session.commit()
    refused = client.post(path, data={"amount": "102000", "idempotency_key": "2"})
    assert refused.status_code == 401
    assert kept(lot.id) == (2, 0)


def test_the_edge_asks_nothing_before_the_second_bid_of_a_moment(
    app: Zhiliu, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    lot = make_lot(2)
    secrets = [create_token("t", ["bids:write"], None, bidder.actor)[1] for bidder in lot.bidders]
    db.session.commit()
    for number, secret in enumerate(secrets):
        assert bid(client, lot.id, secret, START + number * STEP) == 201
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def noted(cursor: object, query: object, *args: object, **options: object) -> object:
        statements.append(str(query))
        return execute(cursor, query, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    assert bid(client, lot.id, secrets[0], START + 2 * STEP) == 201
    assert len([s for s in statements if "lock_lot_for_bids" in s]) == 1
    assert len(statements) == 2, statements


def test_a_bucket_holds_a_last_minute_and_stops_a_flood() -> None:
    at = [0.0]
    buckets = Buckets(per_minute=120, burst=60, clock=lambda: at[0])
    for _second in range(300):  # five minutes of two bids a second
        assert [buckets.take("org:1"), buckets.take("org:1")] == [0, 0]
        at[0] += 1
    flood = [buckets.take("org:1") for _ in range(100)]
    assert flood[:50] == [0.0] * 50
    assert flood[-1] > 0
    assert buckets.take("org:2") == 0
    at[0] += flood[-1]
    assert buckets.take("org:1") == 0
