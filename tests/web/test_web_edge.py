"""The edge: each wrong request gets a clear answer of the right status, never a 500, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Blueprint, Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from marketplace import Zhiliu, create_app
from marketplace.core.access import access, public, signed_in
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.i18n import _l
from marketplace.core.settings import Settings
from tests.conftest import SeparateRequests
from tests.factories.parties import client_for, make_org, make_user

MAX_ID = 2**63 - 1


def make_views() -> Blueprint:
    bp = Blueprint("try", __name__)

    @bp.get("/try/thing/<int:thing_id>")
    @access(public)
    def thing(thing_id: int) -> str:
        found = db.session.scalar(text("SELECT id FROM organisation WHERE id = :id"), {"id": thing_id})
        return f"thing {found}"

    @bp.route("/try/save", methods=["GET", "POST"])
    @access(public)
    def save() -> str:
        return "saved"

    @bp.route("/try/mine", methods=["GET", "POST"])
    @access(signed_in)
    def mine() -> str:
        return "mine"

    @bp.get("/try/raise/<name>")
    @access(public)
    def fail(name: str) -> str:
        errors: dict[str, Exception] = {
            "refused": Refused("too_low", _l("出价须不低于 %(least)s", least="¥1.00"), source="网拍规定 art. 20", a=1),
            "late": Refused("too_low", _l("出价须不低于 %(least)s"), least="¥2.00"),
            "percent": Refused("odd", "名称“100%(off)s %”不可用", name="x"),
            "invalid": Invalid([Problem("a", "甲错", "first"), Problem("b", "乙错", "second", {"n": 3}, "民法典 401")]),
            "forbidden": Forbidden("not_yours", "不可以"),
            "missing": NotFound("unknown", "没有"),
            "busy": OperationalError("SELECT 1", {}, Exception("connection lost")),
            "broken": RuntimeError("a fault of ours"),
        }
        raise errors[name]

    @bp.get("/try/store")
    @access(public)
    def store() -> str:
        db.session.execute(text("SELECT CAST(:n AS bigint)"), {"n": 10**30})
        return "stored"

    return bp


@pytest.fixture
def edge(settings: Settings, app: Zhiliu) -> Iterator[Flask]:
    """An application of its own, with views that fail in every way and the form check switched on."""
    own = create_app(settings)
    own.register_blueprint(make_views())
    own.config["PROPAGATE_UNEXPECTED"] = False
    own.test_client_class = SeparateRequests
    with own.app_context():
        yield own
        db.session.rollback()
        db.engine.dispose()


@pytest.mark.parametrize("path", ["/try/thing/1", f"/try/thing/{MAX_ID}"])
def test_an_id_that_a_row_can_have_reaches_the_view(edge: Flask, path: str) -> None:
    assert edge.test_client().get(path).text == "thing None"


@pytest.mark.parametrize(
    "path",
    [
        f"/try/thing/{MAX_ID + 1}",
        "/try/thing/" + "9" * 19,
        "/try/thing/" + "9" * 5000,
        "/try/thing/-1",
        "/try/thing/%00",
        "/try/thing/1%00",
        "/try/thing/%ff%fe",
        "/try/thing/%D9%A1%D9%A2",
        "/nothing/%00here",
        "/nothing/%zz",
        "/%F0%9F%92%A9",
    ],
)
def test_a_path_that_names_no_possible_thing_is_not_found(edge: Flask, path: str) -> None:
    answer = edge.test_client().get(path)
    assert answer.status_code == 404, answer.text
    assert "没有找到" in answer.text


def test_a_nul_character_is_refused_wherever_it_stands(edge: Flask) -> None:
    edge.config["WTF_CSRF_ENABLED"] = False
    client = edge.test_client()
    answers = [
        client.get("/try/save?q=a%00b"),
        client.post("/try/save", data={"name": "a\x00b"}),
        client.post("/try/save", data={"na\x00me": "b"}),
        client.post("/try/save", json={"rows": [{"name": "a\x00"}]}),
        client.post("/try/save", data=b'{"a": "\\ud800"}', content_type="application/json"),
    ]
    assert [a.status_code for a in answers] == [422] * 5
    fault = client.post("/try/save", json={"rows": [{"name": "a\x00"}]}, headers={"Accept": "application/json"})
    assert fault.json["error"]["code"] == "bad_character" and fault.json["error"]["field"] == "rows[0].name"
    assert client.post("/try/save", json={"ok": "\\u0000 written out"}).text == "saved"


def test_a_question_longer_than_any_page_asks_is_refused(edge: Flask) -> None:
    assert edge.test_client().get("/try/save?q=" + "a" * 9000).status_code == 414


def test_a_value_the_database_cannot_hold_is_the_senders_fault(edge: Flask) -> None:
    assert edge.test_client().get("/try/store").status_code == 400


def test_a_refusal_shows_its_text_code_and_rule(edge: Flask) -> None:
    answer = edge.test_client().get("/try/raise/refused")
    assert answer.status_code == 409
    for part in ("出价须不低于 ¥1.00", "<code>too_low</code>", "网拍规定第 20 条", "返回首页"):
        assert part in answer.text


def test_a_refusal_as_json_keeps_its_shape(edge: Flask) -> None:
    headers = {"Accept": "application/json"}
    answer = edge.test_client().get("/try/raise/invalid", headers=headers)
    assert answer.status_code == 422
    problems = [
        {"code": "a", "field": "first", "message": "甲错", "params": {}, "source": None},
        {"code": "b", "field": "second", "message": "乙错", "params": {"n": 3}, "source": "民法典 401"},
    ]
    assert answer.json["error"] == problems[0] | {"problems": problems}
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    plain = edge.test_client().get("/nothing", headers=headers).json
    assert set(plain["error"]) == {"code", "field", "message", "params", "source", "problems"}
    assert set(plain) == {"error", "request_id"}


def test_a_percent_sign_in_a_message_does_no_harm(edge: Flask) -> None:
    headers = {"Accept": "application/json"}
    client = edge.test_client()
    assert client.get("/try/raise/percent", headers=headers).json["error"]["message"] == "名称“100%(off)s %”不可用"
    assert client.get("/try/raise/late", headers=headers).json["error"]["message"] == "出价须不低于 ¥2.00"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/try/raise/forbidden", 403, "not_yours"),
        ("/try/raise/missing", 404, "unknown"),
        ("/try/raise/busy", 503, "busy"),
        ("/try/raise/broken", 500, "unexpected"),
    ],
)
def test_each_failure_has_its_status_on_pages_and_in_json(edge: Flask, path: str, status: int, code: str) -> None:
    client = edge.test_client()
    page = client.get(path)
    assert page.status_code == status and code in page.text and "</html>" in page.text
    asked = client.get(path, headers={"Accept": "application/json"})
    assert asked.status_code == status and asked.json["error"]["code"] == code


def test_an_error_of_ours_names_the_request_and_not_the_fault(edge: Flask) -> None:
    answer = edge.test_client().get("/try/raise/broken")
    assert answer.headers["X-Request-Id"] in answer.text and "a fault of ours" not in answer.text


def test_a_wrong_method_says_which_are_right(edge: Flask) -> None:
    edge.config["WTF_CSRF_ENABLED"] = False
    answer = edge.test_client().delete("/try/save")
    assert answer.status_code == 405 and "POST" in answer.headers["Allow"]
    assert edge.test_client().options("/try/save").status_code == 200
    assert edge.test_client().head("/try/save").status_code == 200


def test_a_body_beyond_the_limit_is_refused(edge: Flask) -> None:
    edge.config["WTF_CSRF_ENABLED"] = False
    edge.config["MAX_CONTENT_LENGTH"] = 1000
    assert edge.test_client().post("/try/save", data={"a": "x" * 2000}).status_code == 413


def test_signing_in_leads_back_to_the_page(edge: Flask) -> None:
    answer = edge.test_client().get("/try/mine?a=1&b=二")
    assert answer.status_code == 302
    assert "next=/try/mine?a%3D1" in answer.headers["Location"].replace("%2F", "/").replace("%3F", "?")
    asked = edge.test_client().get("/try/mine", headers={"Accept": "application/json"})
    assert asked.status_code == 401 and asked.json["error"]["code"] == "sign_in_needed" and asked.json["request_id"]


def ours(path: str) -> dict[str, str]:
    return {"Origin": "http://localhost", "Referer": f"http://localhost{path}"}


def test_an_expired_form_keeps_what_was_typed_and_can_be_sent_again(edge: Flask) -> None:
    client = edge.test_client()
    data = {"title": "一种<方法>", "note": "备注", "password": "hunter2", "csrf_token": "old"}
    first = client.post("/try/save?x=1", data={k: v for k, v in data.items() if k != "password"}, headers=ours("/f"))
    assert first.status_code == 400
    assert 'name="title" value="一种&lt;方法&gt;"' in first.text and "再次提交" in first.text
    assert 'action="/try/save?x=1"' in first.text and 'value="old"' not in first.text
    token = first.text.split('name="csrf_token" value="')[1].split('"')[0]
    assert client.post("/try/save", data={"title": "一", "csrf_token": token}).text == "saved"

    secret = client.post("/try/save", data=data, headers=ours("/f"))
    assert "hunter2" not in secret.text and "再次提交" not in secret.text and "返回表单" in secret.text
    assert "备注" in secret.text


def test_a_form_of_another_site_gets_no_button_to_send_it_again(edge: Flask) -> None:
    client = edge.test_client()
    for headers in (
        {"Origin": "https://evil.example", "Referer": "https://evil.example/"},
        {"Origin": "null"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
        {},
    ):
        answer = client.post("/try/save", data={"title": "转账给我"}, headers=headers)
        assert answer.status_code == 400
        assert "转账给我" not in answer.text and "再次提交" not in answer.text, headers


def test_a_form_sent_after_sign_in_ended_is_not_lost(edge: Flask) -> None:
    edge.config["WTF_CSRF_ENABLED"] = False
    answer = edge.test_client().post("/try/mine", data={"title": "甲"}, headers=ours("/try/mine"))
    assert answer.status_code == 401
    assert 'value="甲"' in answer.text and "在新窗口登录" in answer.text and "再次提交" in answer.text


def test_the_expired_page_knows_who_is_signed_in(edge: Flask) -> None:
    client = client_for(edge, make_user(make_org("bank", name="江城银行")))  # type: ignore[arg-type]
    assert "江城银行" in client.post("/try/save", data={"a": "1"}, headers=ours("/f")).text
