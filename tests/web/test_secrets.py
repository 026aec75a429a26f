"""While a sale runs, nobody's page and no JSON says what must not leave the server before its time (law 8).

Every page that a role reaches by links, and the JSON beside them, is searched for what a database row of another
would betray: names of other bidders, account numbers, addresses, keys, hashes of passwords and tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient

from marketplace import Zhiliu
from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.parties import tokens
from marketplace.parties.models import ApiToken, Organisation, User
from tests.factories.auctions import MadeLot, make_bidder, make_lot
from tests.factories.parties import client_for, make_org, make_user
from tests.web.test_web_crawl import LINK, NOT_FOLLOWED

JSON_PATHS = (
    "/lots/{lot}/state.json", "/lots/{lot}/course.json", "/api/v1/lots/{lot}", "/api/v1/lots/{lot}/course",
    "/api/v1/lots/{lot}/result", "/api/v1/listings", "/api/v1/openapi.json",
)  # fmt: skip
MOST_PAGES = 120


@dataclass
class Running:
    """A sale with bids; ``users`` by role: two bidders, the seller, a stranger of each kind, a manager, a regulator."""

    sale: MadeLot
    users: dict[str, User]
    orgs: dict[str, Organisation]


@pytest.fixture
def running(app: Zhiliu) -> Running:
    sale = make_lot(0, seller=make_org("bank", name="江城商业银行股份有限公司"))
    orgs, users = {"seller": sale.seller}, {}
    for name, kind in (("first", "operator"), ("second", "enterprise"), ("stranger", "operator"),
                       ("other bank", "bank"), ("regulator", "regulator"), ("manager", "platform")):  # fmt: skip
        orgs[name] = make_org(kind, name=f"机构{name}有限公司")
    for name, org in orgs.items():
        roles = ("viewer",) if name == "regulator" else ("admin", "maker", "approver")
        users[name] = make_user(org, roles, email=f"secret-{name.replace(' ', '-')}@example.cn")
        users[name].password = f"$argon2id${name}"
        users[name].tf_totp_secret = f"totp-of-{name}"
    for name in ("first", "second"):
        roles = frozenset(("admin", "maker", "approver"))
        actor = Actor(user_id=users[name].id, org_id=orgs[name].id, org_kind=orgs[name].kind, org_verified=True,
                      roles=roles)  # fmt: skip
        sale.bidders.append(make_bidder(sale.lot, actor=actor))
        tokens.create_token("程序", ["bids:write"], 90, actor)
    db.session.commit()
    for number in range(4):
        assert sale.bid(number % 2, sale.lot.start_minor + number * sale.lot.increment_minor).accepted
    assert not sale.bid(0, 1).accepted
    db.session.commit()
    return Running(sale, users, orgs)


def everything(client: FlaskClient, starts: tuple[str, ...], jsons: tuple[str, ...] = ()) -> dict[str, str]:
    """The text of each page within reach, by address."""
    seen: dict[str, str] = {}
    queue = deque(starts)
    while queue and len(seen) < MOST_PAGES:
        path = queue.popleft()
        if path in seen:
            continue
        with client.get(path) as answer:
            seen[path] = answer.text if answer.mimetype.startswith(("text/", "application/json")) else ""
        if answer.mimetype != "text/html":
            continue
        for found in LINK.findall(seen[path]):
            address = urlsplit(urljoin(f"http://localhost{path}", unescape(found)))
            target = address.path + (f"?{address.query}" if address.query else "")
            skipped = address.path.startswith((*NOT_FOLLOWED, "/static", "/bootstrap")) or "lang=" in target
            # a stream never ends; POST addresses answer 405 and show nothing
            if address.netloc == "localhost" and not skipped and not address.path.endswith("/events"):
                queue.append(target)
    for path in jsons:
        with client.get(path) as answer:
            seen[path] = json.dumps(answer.json, ensure_ascii=False)
    return seen


def secrets_for(running: Running, role: str) -> dict[str, str]:
    """What this role must not read anywhere while the sale runs."""
    found: dict[str, str] = {}
    watches = role == "manager"  # managers verify organisations, so they know names, addresses and accounts
    for name, org in running.orgs.items():
        if name == role or watches:
            continue
        found[f"account of {name}"] = org.account_no or ""
        found[f"address of {name}"] = running.users[name].email
        if name in ("first", "second"):
            found[f"name of {name}"] = org.name
            found[f"code of {name}"] = org.uscc or ""
    for name, user in running.users.items():
        found[f"password of {name}"] = user.password or ""
        found[f"authenticator of {name}"] = user.tf_totp_secret or ""
        found[f"session of {name}"] = user.fs_uniquifier
    for row in db.session.query(ApiToken):
        found[f"token {row.id}"] = row.token_hash.hex()
    return {what: secret for what, secret in found.items() if secret}


def leaks(app: Zhiliu, pages: dict[str, str], secrets: dict[str, str]) -> list[str]:
    key = app.settings.signing_key_file.read_text().splitlines()[1]
    more = {"signing key": key, "secret key": app.settings.secret_key, "salt": app.settings.password_salt,
            "key mark": "PRIVATE KEY", "database": app.settings.database_url}  # fmt: skip
    return [
        f"{what} on {path}" for path, text in pages.items() for what, secret in (secrets | more).items()
        if secret in text or secret in unescape(text)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "role", ["public", "first", "second", "stranger", "seller", "other bank", "regulator", "manager"]
)
def test_nothing_leaves_before_its_time(app: Zhiliu, running: Running, role: str) -> None:
    client = app.test_client() if role == "public" else client_for(app, running.users[role])
    lot, number = running.sale.id, running.sale.lot.facts["number"]
    starts = ("/", f"/lots/{lot}", f"/lots/{lot}/course", f"/lots/{lot}/seller", f"/lots/{lot}/register",
              f"/manage/lots/{lot}", f"/listings/{number}", "/desk", "/my/registrations", "/my/deposits",
              "/my/proceeds")  # fmt: skip
    pages = everything(client, starts, tuple(path.format(lot=lot) for path in JSON_PATHS))
    assert sum(bool(text) for text in pages.values()) > 20
    code = running.sale.bidders[0].code
    assert code in pages[f"/lots/{lot}"] and code in pages[f"/lots/{lot}/state.json"]  # the search reads live pages
    assert leaks(app, pages, secrets_for(running, role)) == []


def test_on_the_managers_sale_page_names_are_asked_for_and_noted(app: Zhiliu, running: Running) -> None:
    client = client_for(app, running.users["manager"])
    page = client.get(f"/manage/lots/{running.sale.id}").text
    assert running.orgs["first"].name not in page
    assert running.orgs["first"].name in client.post(f"/manage/lots/{running.sale.id}/names").text


def test_the_search_finds_a_leak(app: Zhiliu, running: Running) -> None:
    name = running.orgs["first"].name
    assert leaks(app, {"/x": f"<p>{name}</p>"}, secrets_for(running, "second")) == ["name of first on /x"]
    digest = hashlib.sha256(b"x").hexdigest()
    assert leaks(app, {"/x": digest}, {"token 1": digest}) == ["token 1 on /x"]
    assert (
        running.users["second"].email
        in client_for(app, running.users["manager"]).get(f"/manage/organisations/{running.orgs['second'].id}").text
    )
