"""A small market and tokens to look at it through the API."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace import Zhiliu
from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.parties.models import Organisation
from marketplace.parties.scopes import SCOPES
from marketplace.parties.tokens import create_token
from tests.factories.auctions import MadeLot, make_lot
from tests.factories.cases import make_case
from tests.factories.interest import make_need
from tests.factories.listings import make_listing
from tests.factories.parties import make_actor

BASE = "/api/v1"


def token_of(actor: Actor, *scopes: str) -> str:
    """A secret with these scopes, made by an administrator; with all of them when none is named."""
    secret = create_token("test", scopes or tuple(SCOPES), 30, member_of(actor, "admin"))[1]
    db.session.commit()
    return secret


@dataclass
class Caller:
    """The API as one token sees it."""

    client: FlaskClient
    secret: str | None = None

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        headers = dict(more.pop("headers", {}))
        if self.secret:
            headers.setdefault("Authorization", f"Bearer {self.secret}")
        if body is not None:
            more["json"] = body
        return self.client.open(BASE + path, method=method, headers=headers, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.call("POST", path, body, **more)

    def bid(self, lot_id: int, amount: int, key: str | None = None, **more: Any) -> TestResponse:
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self.post(f"/lots/{lot_id}/bids", {"amount_minor": amount} | more, headers=headers)


@dataclass
class World:
    """A bank with a draft case, a right and a published listing; a running lot with two qualified bidders; a need."""

    bank: Actor
    case_id: int
    right_id: int
    number: str
    lot: MadeLot
    need_id: int


def make_world() -> World:
    listing = make_listing("published")
    bank = listing.maker
    case = make_case(bank)
    return World(bank, case.id, case.pledges[0].right_id, listing.listing.number or "", make_lot(2), make_need().id)


def caller(app: Zhiliu, actor: Actor | None = None, *scopes: str) -> Caller:
    return Caller(app.test_client(), token_of(actor, *scopes) if actor else None)


def member_of(actor: Actor, *roles: str) -> Actor:
    """Another member of the actor's organisation."""
    return make_actor(actor.org_kind or "", roles, org=db.session.get_one(Organisation, actor.org_id))
