"""The product under load: lots with bidders made through its services, tokens, and the site as production runs it."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from itsdangerous import URLSafeTimedSerializer

from bench.load import Answer, Script, post_form, post_json
from marketplace import Zhiliu, create_app
from marketplace.core.db import db
from marketplace.core.settings import Settings

START, STEP = 100_000_00, 1_000_00


@dataclass
class Market:
    """``tokens[n]`` signs in client n, as does the browser session ``sessions[n]`` (cookie, form token);
    ``lots[n]`` are the lots where client n may bid."""

    tokens: list[str]
    sessions: list[tuple[str, str]]
    hot: int
    lots: list[list[int]]


def settings(environment: dict[str, str]) -> Settings:
    values: dict[str, Any] = {name.lower(): value for name, value in environment.items()}
    values["signing_key_file"] = Path(environment["SIGNING_KEY_FILE"])
    return Settings(**values)


def build(app: Zhiliu, clients: int, cold_lots: int, bidders_a_lot: int) -> Market:
    """One hot lot for all clients and ``cold_lots`` with some bidders each, all running for a day."""
    from marketplace.parties.models import User
    from marketplace.parties.tokens import create_token
    from tests.factories.auctions import make_bidder, make_lot
    from tests.factories.parties import make_actor

    with app.test_request_context():
        actors = [make_actor("operator") for _ in range(clients)]
        secrets = [create_token("bench", ["bids:write"], None, actor)[1] for actor in actors]
        hot = make_lot(0, start_minor=START, increment_minor=STEP, lasts=timedelta(days=1))
        for actor in actors:
            make_bidder(hot.lot, actor=actor)
        lots: list[list[int]] = [[] for _ in actors]
        turns = itertools.cycle(range(clients))
        for _ in range(cold_lots):
            cold = make_lot(0, start_minor=START, increment_minor=STEP, lasts=timedelta(days=1), seller=hot.seller)
            for number in itertools.islice(turns, bidders_a_lot):
                make_bidder(cold.lot, actor=actors[number])
                lots[number].append(cold.id)
        db.session.commit()
        names = [db.session.get_one(User, actor.user_id).fs_uniquifier for actor in actors]
        return Market(secrets, [session_of(app, name) for name in names], hot.id, lots)


def session_of(app: Zhiliu, name: str) -> tuple[str, str]:
    """The cookie of a browser in which this user has signed in, and the form token that belongs to it."""
    client = app.test_client()
    with client.session_transaction() as session:
        session.update(_user_id=name, _fresh=True, lang="zh", zl_second_factor=True, csrf_token=uuid.uuid4().hex)
        form_token = URLSafeTimedSerializer(app.config["SECRET_KEY"], salt="wtf-csrf-token").dumps(
            session["csrf_token"]
        )
    cookie = client.get_cookie("zhiliu")
    assert cookie is not None
    return cookie.value, str(form_token)


def bid(token: str, lot_id: int, amount: int) -> bytes:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid.uuid4().hex}
    return post_json(f"/api/v1/lots/{lot_id}/bids", {"amount_minor": amount}, headers)


def hot_script(market: Market, amounts: Iterator[int]) -> Script:
    return lambda number, _last: bid(market.tokens[number], market.hot, next(amounts))


def page_script(market: Market, amounts: Iterator[int]) -> Script:
    """The same bids from the page: session cookie, form token, the script's form."""

    def script(number: int, _last: Answer | None) -> bytes:
        cookie, form_token = market.sessions[number]
        form = {"amount": f"{next(amounts) // 100}.00", "idempotency_key": uuid.uuid4().hex, "csrf_token": form_token}
        headers = {"Cookie": f"zhiliu={cookie}", "Accept": "application/json"}
        return post_form(f"/lots/{market.hot}/bids", form, headers)

    return script


def cold_script(market: Market) -> Script:
    """Each client goes round its lots; each lot's amounts rise."""
    rising = {lot: itertools.count(START, STEP) for mine in market.lots for lot in mine}
    rounds = [itertools.cycle(mine) for mine in market.lots]

    def script(number: int, _last: Answer | None) -> bytes:
        lot = next(rounds[number])
        return bid(market.tokens[number], lot, next(rising[lot]))

    return script


def make_application(environment: dict[str, str]) -> Zhiliu:
    import flask_migrate

    app = create_app(settings(environment))
    with app.app_context():
        flask_migrate.upgrade()
    return app
