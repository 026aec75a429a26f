"""With form protection on, as in production: every form that posts carries a token, and without one nothing is done."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from flask_security.utils import hash_password
from passlib.totp import TOTP
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.core.actor import ORG_KINDS
from marketplace.core.db import db
from marketplace.core.models import Event
from tests.factories.auctions import MadeLot, make_lot
from tests.factories.parties import client_for, make_org, make_user

FORM = re.compile(r'<form\b[^>]*method="post"[^>]*>.*?</form>', re.S | re.I)
ACTION = re.compile(r'action="([^"]*)"')
TOKEN = re.compile(r'name="csrf_token"[^>]*value="[^"]{20,}"|value="[^"]{20,}"[^>]*name="csrf_token"')
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
PAGES = {
    "everyone": ("/", "/account", "/desk", "/approvals", "/listings", "/organisation"),
    "bank": ("/cases/new", "/imports/new", "/rights/new", "/listings/mine", "/organisation/members",
             "/organisation/tokens", "/lots/{lot}/seller"),
    "operator": ("/lots/{lot}", "/lots/{lot}/register", "/listings/{number}"),
    "enterprise": ("/lots/{lot}", "/listings/{number}"),
    "platform": ("/manage/jobs", "/manage/lots/{lot}", "/manage/listings/{listing}", "/manage/organisations/{org}",
                 "/manage/money/statements", "/manage/money/lines"),
    "regulator": (),
}  # fmt: skip


@pytest.fixture
def guarded(app: Zhiliu) -> Iterator[Zhiliu]:
    app.config["WTF_CSRF_ENABLED"] = True
    yield app
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def sale(app: Zhiliu) -> MadeLot:
    return make_lot(1)


def of(app: Zhiliu, kind: str, sale: MadeLot) -> FlaskClient:
    org = {"bank": sale.seller, "operator": sale.bidders[0].org}.get(kind) or make_org(kind)
    return client_for(app, make_user(org))


def forms_of(client: FlaskClient, kind: str, sale: MadeLot) -> list[tuple[str, str]]:
    """(address it posts to, the form) of every form on the role's main pages."""
    number = sale.lot.facts["number"]
    found = []
    for path in (*PAGES["everyone"], *PAGES[kind]):
        at = path.format(lot=sale.id, number=number, listing=sale.lot.listing_id, org=sale.seller.id)
        page = client.get(at, follow_redirects=True)
        assert page.status_code == 200, at
        for form in FORM.findall(page.text):
            action = ACTION.search(form)
            found.append((action[1] if action and action[1] else at, form))
    return found


@pytest.mark.parametrize("kind", ORG_KINDS)
def test_every_form_carries_a_token_and_a_post_without_it_does_nothing(
    guarded: Zhiliu, sale: MadeLot, kind: str
) -> None:
    client = of(guarded, kind, sale)
    forms = forms_of(client, kind, sale)
    assert len(forms) >= 5
    assert [action for action, form in forms if not TOKEN.search(form)] == []
    before = db.session.scalar(select(func.count()).select_from(Event))
    for action in {action for action, _form in forms}:
        answer = client.post(action, data={"csrf_token": "made-up", "act": "verify", "amount": "1"})
        assert (answer.status_code, "csrf" in answer.text or "过期" in answer.text) == (400, True), action
        assert client.post(action).status_code == 400, action
    assert db.session.scalar(select(func.count()).select_from(Event)) == before


def test_with_its_token_a_form_is_taken(guarded: Zhiliu, sale: MadeLot) -> None:
    client = of(guarded, "operator", sale)
    page = client.get("/account").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None
    answer = client.post("/account/sign-out-everywhere", data={"csrf_token": token[1]})
    assert answer.status_code == 302


def test_the_sign_in_form_is_protected_too(guarded: Zhiliu) -> None:
    client = guarded.test_client()
    forms = FORM.findall(client.get("/account/login").text)
    assert forms and all(TOKEN.search(form) for form in forms)
    assert client.post("/account/login", data={"email": "a@example.cn", "password": "x"}).status_code == 400


def test_programs_bring_a_token_of_their_own_and_no_cookie_counts(guarded: Zhiliu, sale: MadeLot) -> None:
    client = of(guarded, "operator", sale)
    answer = client.post(
        f"/api/v1/lots/{sale.id}/bids", json={"amount_minor": 1}, headers={"Idempotency-Key": "a" * 16}
    )
    assert answer.status_code == 401  # not 400: no form is expected, and the session is not looked at
    assert answer.json is not None and answer.json["error"]["code"] == "sign_in_needed"


def filled(page: str, action: str, **typed: object) -> dict[str, object]:
    """What a browser sends from the form with this action: the first value of each hidden field, and what is typed."""
    form = next(form for form in FORM.findall(page) if f'action="{action}"' in form)
    fields: dict[str, object] = {}
    for tag in re.findall(r'<input\b[^>]*type="hidden"[^>]*>', form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            fields.setdefault(name[1], value[1] if value else "")
    return fields | typed


def test_an_organisation_submits_itself_for_verification(guarded: Zhiliu) -> None:
    """The button is a form without fields: the page's own token suffices."""
    org = make_org(state="draft", legal_representative="张三", contact_phone="027-12345678")
    client = client_for(guarded, make_user(org))
    upload = filled(client.get("/organisation").text, "/organisation/documents", kind="business_licence")
    client.post("/organisation/documents", data=upload | {"file": (io.BytesIO(PDF), "执照.pdf")})
    sent = client.post("/organisation/submit", data=filled(client.get("/organisation").text, "/organisation/submit"))
    assert sent.status_code == 302, sent.text
    assert "平台正在核验" in client.get("/organisation").text


@pytest.mark.parametrize("script", [True, False])
def test_a_bid_kept_over_an_expired_sign_in_is_placed_after_signing_in(
    guarded: Zhiliu, sale: MadeLot, script: bool
) -> None:
    """As told by the page: sign in in another window, come back, press once. Without script it asks to confirm."""
    address, headers = f"/lots/{sale.id}/bids", {"Referer": f"http://localhost/lots/{sale.id}"}
    user = make_user(sale.bidders[0].org)
    user.password, user.language = hash_password("correct horse battery"), "en"
    db.session.commit()
    client = guarded.test_client()

    def sign_in() -> None:
        form = filled(client.get("/account/login").text, "/account/login")
        form |= {"email": user.email, "password": "correct horse battery"}
        assert client.post("/account/login", data=form).status_code == 302

    sign_in()
    bid = filled(client.get(f"/lots/{sale.id}").text, address, amount="123000")
    client.delete_cookie("zhiliu")  # what twelve hours do to it
    kept = client.post(address, data=bid, headers=headers)
    assert kept.status_code == 400 and "The page has expired" in kept.text and "页面已过期" not in kept.text
    sign_in()
    press = filled(kept.text, address)
    if script:
        answer = client.get("/form-token")
        assert answer.headers["Cache-Control"] == "no-store" and answer.json is not None
        press["csrf_token"] = answer.json["token"]
    else:
        again = client.post(address, data=press, headers=headers)
        assert again.status_code == 400 and "Please confirm once more" in again.text
        assert "The page has expired" not in again.text and "123000" in again.text
        press = filled(again.text, address)
    assert client.post(address, data=press, headers=headers).status_code == 302
    assert sale.state.price_minor == 123_000_00


@pytest.mark.parametrize("first", [True, False])
def test_a_wrong_code_keeps_the_authenticators_set_up(guarded: Zhiliu, first: bool) -> None:
    user = make_user(make_org("bank"))
    user.password = hash_password("correct horse battery")
    db.session.commit()
    client = guarded.test_client() if first else client_for(guarded, user)
    if first:
        form = filled(client.get("/account/login").text, "/account/login")
        client.post("/account/login", data=form | {"email": user.email, "password": "correct horse battery"})
    else:
        with client.session_transaction() as session:
            session["fs_paa"] = time.time()
    start = client.post("/account/tf-setup", data=filled(client.get("/account/tf-setup").text, "/account/tf-setup"))
    key = re.search(r"<code>([^<]+)</code>", start.text)
    action = re.search(r'action="(/account/tf-[^"]*validate[^"]*|/account/tf-setup/[^"]+)"', start.text)
    assert key and action, start.text
    refused = client.post(action[1], data=filled(start.text, action[1], code="000000"))
    assert refused.status_code == 200 and f"<code>{key[1]}</code>" in refused.text
    assert "data:image/svg+xml" in refused.text and refused.text.count("验证码不正确") == 1
    assert "验证码不正确" not in client.get("/account/tf-setup").text  # nothing waits to be said again
    code = TOTP(key=key[1]).generate().token
    assert client.post(action[1], data=filled(refused.text, action[1], code=code)).status_code == 302
    assert client.get("/organisation").status_code == 200
