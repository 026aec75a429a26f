"""Sign-in through the browser: locks, second factor, sessions, no enumeration, no open redirect."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_security.utils import hash_password
from sqlalchemy import event as sql_event
from sqlalchemy import select

from marketplace import Zhiliu
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Outbox
from marketplace.parties.models import User
from marketplace.parties.sign_in import security
from tests.factories.parties import client_for, make_org, make_user

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
KEEP = object()


def person(kind: str = "operator", **fields: object) -> User:
    confirmed_at = fields.pop("confirmed_at", KEEP)
    user = make_user(make_org(kind), **fields)  # type: ignore[arg-type]
    user.password = hash_password(PASSWORD)
    if confirmed_at is not KEEP:
        user.confirmed_at = confirmed_at  # type: ignore[assignment]
    db.session.commit()
    return user


def sign_in(client: FlaskClient, user: User, password: str = PASSWORD, **query: str):  # type: ignore[no-untyped-def]
    return client.post("/account/login", data={"email": user.email, "password": password}, query_string=query)


def signed_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def code_of(user: User) -> str:
    db.session.refresh(user)
    return security.totp_factory.generate_totp_password(user.tf_totp_secret or "")


def with_authenticator(user: User) -> User:
    user.tf_primary_method = "authenticator"
    user.tf_totp_secret = security.totp_factory.generate_totp_secret()
    db.session.commit()
    return user


def last_link(path: str) -> str:
    bodies = list(db.session.scalars(select(Outbox.payload).where(Outbox.topic == "mail").order_by(Outbox.id)))
    found = re.findall(r"http://127\.0\.0\.1:8000(" + path + r"\S*)", bodies[-1]["body"])
    return found[-1]


def test_the_right_password_signs_in_and_starts_a_new_session(app: Zhiliu, client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session["planted"] = "x"
    user = person()
    assert sign_in(client, user).status_code == 302
    assert signed_in(client)
    with client.session_transaction() as session:
        assert "planted" not in session and session["_user_id"] == user.fs_uniquifier
        assert not session.get("zl_second_factor")


def test_wrong_passwords_lock_the_account_and_even_the_right_one_waits(app: Zhiliu, client: FlaskClient) -> None:
    user = person()
    for _try in range(5):
        assert sign_in(client, user, "wrong password").status_code == 200
    db.session.refresh(user)
    assert user.failed_sign_ins == 5 and user.locked_until is not None and user.locked_until > now()
    sign_in(client, user)
    assert not signed_in(client)
    db.session.refresh(user)
    assert user.failed_sign_ins == 5  # what is tried while locked neither counts nor helps
    user.locked_until = now()
    db.session.commit()
    sign_in(client, user)
    assert signed_in(client)
    db.session.refresh(user)
    assert user.failed_sign_ins == 0


def said(response) -> str:  # type: ignore[no-untyped-def]
    text = re.sub(r"[\w.+-]+@example\.cn", "ADDRESS", response.text)
    return re.sub(r'value="[^"]*"', "", text)


@pytest.mark.parametrize("path", ["/account/login", "/account/reset", "/account/confirm"])
def test_nobody_learns_whether_an_account_exists(app: Zhiliu, path: str) -> None:
    known, unconfirmed = person(), person(confirmed_at=None)
    locked = person(locked_until=now().replace(year=2999))
    answers = {
        said(app.test_client().post(path, data={"email": address, "password": "wrong password"}))
        for address in (known.email, unconfirmed.email, locked.email, "nobody@example.cn")
    }
    assert len(answers) == 1
    assert ("暂时锁定" if path == "/account/login" else "邮件已发出") in answers.pop()


def test_sign_up_with_a_taken_address_says_the_same_and_tells_its_owner(app: Zhiliu) -> None:
    from tests.factories.parties import make_uscc

    taken = person()
    pages = []
    for address in (taken.email, "fresh@example.cn"):
        form = {"display_name": "某", "email": address, "password": PASSWORD, "kind": "operator"}
        answer = app.test_client().post("/join", data=form | {"name": "某公司", "uscc": make_uscc()})
        pages.append((answer.status_code, answer.location))
    assert pages[0] == pages[1] == (302, "/join/sent")
    to = list(db.session.scalars(select(Outbox.payload["to"].astext).order_by(Outbox.id)))
    assert to == [taken.email, "fresh@example.cn"]


def test_sign_up_shows_all_faults_at_once_and_keeps_what_was_typed(app: Zhiliu, client: FlaskClient) -> None:
    answer = client.post("/join", data={"email": "bad", "password": "short", "uscc": "911", "name": "某公司"})
    assert answer.status_code == 422
    for text in (
        "邮箱格式不正确",
        "密码至少 10 个字符",
        "应为 18 位，您填写了 3 位",
        "请填写您的姓名",
        "请选择机构类型",
    ):
        assert text in answer.text, text
    assert 'value="某公司"' in answer.text and "short" not in answer.text
    assert db.session.scalar(select(User.id)) is None


def test_a_new_account_confirms_its_address_before_it_signs_in(app: Zhiliu, client: FlaskClient) -> None:
    from tests.factories.parties import make_uscc

    form = {"display_name": "某", "email": "New@example.cn", "password": PASSWORD, "kind": "enterprise"}
    client.post("/join", data=form | {"name": "某公司", "uscc": make_uscc()}, headers={"Host": "evil.example"})
    user = db.session.scalars(select(User)).one()
    refused = sign_in(client, user).text
    assert refused.count("邮箱尚未确认") == 1 and "暂时锁定" not in refused  # one message, and the right one
    assert not signed_in(client)
    assert client.get(last_link("/account/confirm/")).status_code == 302
    again = app.test_client().get(last_link("/account/confirm/"), follow_redirects=True)
    assert again.request.path == "/account/login" and "邮箱早已确认" in again.text
    sign_in(client, user)
    assert signed_in(client)
    assert "待提交" in client.get("/organisation").text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "///evil.example",
        "javascript:alert(1)",
    ],
)
def test_sign_in_never_leads_to_another_site(app: Zhiliu, target: str) -> None:
    for where in ("query_string", "data"):
        user = person()
        sent = {"query_string": {}, "data": {"email": user.email, "password": PASSWORD}}
        sent[where] |= {"next": target}
        answer = app.test_client().post("/account/login", **sent)
        assert answer.status_code == 302 and answer.location == "/desk", where  # dropped, and sign-in succeeds
    shown = app.test_client().get("/account/login", query_string={"next": target})
    assert shown.status_code == 200 and "evil" not in shown.text.replace("lang=", "")
    assert sign_in(app.test_client(), person(), next="/organisation").location == "/organisation"


def test_a_bank_member_sets_up_an_authenticator_before_anything_else(app: Zhiliu, client: FlaskClient) -> None:
    user = person("bank")
    assert sign_in(client, user).location == "/account/tf-setup"
    assert client.get("/organisation").status_code == 302
    page = client.post("/account/tf-setup", data={"setup": "authenticator"})
    assert "data:image/svg+xml" in page.text
    with client.session_transaction() as session:
        secret = session["tf_totp_secret"]
    code = security.totp_factory.generate_totp_password(secret)
    assert client.post("/account/tf-validate", data={"code": "000000"}).status_code == 200
    assert not signed_in(client)
    assert client.post("/account/tf-validate", data={"code": code}).status_code == 302
    assert client.get("/organisation").status_code == 200


def test_the_setup_page_sends_the_method(app: Zhiliu, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """With form protection on, as a browser sends it: the first value of each hidden field counts."""
    sign_in(client, person("bank"))
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    page = client.get("/account/tf-setup").text.split('action="/account/tf-setup"')[1].split("</form>")[0]
    sent: dict[str, str] = {}
    for tag in re.findall(r'<input\b[^>]*type="hidden"[^>]*>', page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        assert name
        sent.setdefault(name[1], value[1] if value else "")
    assert "data:image/svg+xml" in client.post("/account/tf-setup", data=sent).text


def test_an_authenticator_code_is_asked_counted_and_never_works_twice(app: Zhiliu) -> None:
    user = with_authenticator(person("bank"))
    client = app.test_client()
    assert (sign_in(client, user).location or "").startswith("/account/tf-validate")
    assert not signed_in(client)
    client.post("/account/tf-validate", data={"code": "000000"})
    db.session.refresh(user)
    assert user.failed_sign_ins == 1
    code = code_of(user)
    client.post("/account/tf-validate", data={"code": f" {code[:3]} {code[3:]} "})
    assert client.get("/organisation").status_code == 200
    thief = app.test_client()
    sign_in(thief, user)
    thief.post("/account/tf-validate", data={"code": code})
    assert not signed_in(thief)


def test_a_recovery_code_works_once(app: Zhiliu) -> None:
    user = with_authenticator(person("bank"))
    with app.test_request_context():
        code = security.mf_recovery_codes_util.create_recovery_codes(user)[0]
    db.session.commit()
    assert code not in str(user.mf_recovery_codes)
    for works in (True, False):
        client = app.test_client()
        sign_in(client, user)
        client.post("/account/mf-recovery", data={"code": code.upper()})
        assert signed_in(client) is works


def test_a_session_without_the_second_factor_reaches_only_its_setup(app: Zhiliu) -> None:
    client = client_for(app, person("bank"))
    assert client.get("/organisation").status_code == 200
    with client.session_transaction() as session:
        del session["zl_second_factor"]
    assert client.get("/organisation").location == "/account/tf-setup"
    assert client.get("/account/mf-recovery-codes").location == "/account/tf-setup"
    assert client.get("/account").status_code == 200
    assert client.get("/join/sent").status_code == 200


def test_demo_people_are_excused_on_a_demo_site_only(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    user = person("bank", demo=True)
    assert sign_in(app.test_client(), user).location == "/account/tf-setup"
    monkeypatch.setattr(app.settings, "demo", True)
    client = app.test_client()
    sign_in(client, user)
    assert client.get("/organisation").status_code == 200
    other = app.test_client()
    assert sign_in(other, person("bank")).location == "/account/tf-setup"


def test_signing_out_everywhere_ends_every_session(app: Zhiliu) -> None:
    user = person()
    here, there = app.test_client(), app.test_client()
    for client in (here, there):
        sign_in(client, user)
        assert signed_in(client)
    here.post("/account/sign-out-everywhere")
    assert not signed_in(here) and not signed_in(there)


def test_a_reset_ends_sessions_and_the_lock_and_its_link_works_once(app: Zhiliu, client: FlaskClient) -> None:
    user = person(failed_sign_ins=9, locked_until=now().replace(year=2999))
    other = client_for(app, user)
    client.post("/account/reset", data={"email": user.email})
    link = last_link("/account/reset/")
    new = {"password": "another horse entirely", "password_confirm": "another horse entirely"}
    assert "密码过于简单" in client.post(link, data={"password": "1234567890", "password_confirm": "1234567890"}).text
    assert client.post(link, data=new).status_code == 302
    assert not signed_in(other)
    sign_in(client, user, new["password"])
    assert signed_in(client)
    fresh = app.test_client()
    fresh.post(link, data={"password": "third horse entirely", "password_confirm": "third horse entirely"})
    sign_in(fresh, user, "third horse entirely")
    assert not signed_in(fresh)


def test_changing_the_password_keeps_this_session_and_ends_the_others(app: Zhiliu) -> None:
    user = with_authenticator(person("bank"))
    here, there = app.test_client(), client_for(app, user)
    sign_in(here, user)
    here.post("/account/tf-validate", data={"code": code_of(user)})
    new = {"new_password": "another horse entirely", "new_password_confirm": "another horse entirely"}
    assert "密码不正确" in here.post("/account/change", data=new | {"password": "wrong"}).text
    assert here.post("/account/change", data=new | {"password": PASSWORD}).status_code == 302
    assert here.get("/organisation").status_code == 200
    assert not signed_in(there)


def test_a_session_ends_after_twelve_hours(app: Zhiliu) -> None:
    client = client_for(app, person())
    with client.session_transaction() as session:
        session["zl_signed_in_at"] = 1
    answer = client.get("/organisation")
    assert answer.status_code == 302 and answer.location.startswith("/account/login?next=")


def test_a_request_looks_up_its_user_in_one_query_and_static_files_in_none(app: Zhiliu) -> None:
    client = client_for(app, person())
    statements: list[str] = []

    def note(*given: object) -> None:
        statements.append(str(given[2]))

    sql_event.listen(db.engine, "before_cursor_execute", note)
    try:
        client.get("/static/zhiliu.css").close()
        assert statements == []
        client.get("/health")
        assert len([s for s in statements if "fs_uniquifier" in s]) == 1
    finally:
        sql_event.remove(db.engine, "before_cursor_execute", note)


def test_forms_need_their_token(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    user = person()
    client = app.test_client()
    assert sign_in(client, user).status_code == 400
    member = client_for(app, user)
    for path in (
        "/organisation/switch",
        "/account/sign-out-everywhere",
        "/organisation/tokens",
        "/organisation/members",
    ):
        assert member.post(path).status_code == 400
    found = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', client.get("/account/login").text)
    assert found
    form = {"email": user.email, "password": PASSWORD, "csrf_token": found[1]}
    assert client.post("/account/login", data=form).status_code == 302


@pytest.mark.parametrize("body", ['{"email": ["a"]}', "[1]", "{"])
def test_programs_do_not_sign_in_through_the_pages(app: Zhiliu, client: FlaskClient, body: str) -> None:
    answer = client.post("/account/login", data=body, content_type="application/json")
    assert answer.status_code == 415


@pytest.mark.parametrize("path", ["/account/tf-rescue", "/account/tf-select", "/account/fs-static/x"])
def test_library_pages_that_are_not_offered_do_not_exist(app: Zhiliu, client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


TRY_TWELVE_TIMES = """
from marketplace import create_app
from marketplace.core.settings import load_settings
app = create_app(load_settings())
app.config["WTF_CSRF_ENABLED"] = False
one, other = "10.0.0.1", "10.0.0.2"
for path, tries in (("/join", 10), ("/account/login", 30)):
    post = lambda address: app.test_client().post(path, environ_base={"REMOTE_ADDR": address}).status_code
    answers = [post(one) for _try in range(tries + 1)]
    assert 429 not in answers[:tries] and answers[tries] == 429, answers
    assert post(other) != 429
"""


def test_one_address_may_not_try_for_ever(app: Zhiliu) -> None:
    """In a process of its own: the limits are switched on when an application is made."""
    s = app.settings
    env = os.environ | {
        "DATABASE_URL": s.database_url.replace("+psycopg", ""),
        "REDIS_URL": s.redis_url,
        "SECRET_KEY": s.secret_key,
        "PASSWORD_SALT": s.password_salt,
        "SIGNING_KEY_FILE": str(s.signing_key_file),
        "SECURE_COOKIES": "0",
        "RATE_LIMITS": "1",
    }
    done = subprocess.run([sys.executable, "-c", TRY_TWELVE_TIMES], env=env, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
