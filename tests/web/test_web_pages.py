"""The house's own pages: who may open them, in both languages, and what they tell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import select

from jobs import tick
from marketplace import Zhiliu
from marketplace.core import approvals, deadlines
from marketplace.core.actor import ORG_KINDS
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Approval, Deadline, Event, Outbox
from marketplace.parties.models import User
from marketplace.parties.sign_in import actor_of
from tests.factories.parties import client_for, make_org, make_user

EVERYONE = {None, "nobody", *ORG_KINDS}
PAGES = {
    "/": EVERYONE,
    "/how": EVERYONE,
    "/developers": EVERYONE,
    "/health": EVERYONE,
    "/robots.txt": EVERYONE,
    "/keys/signing.pem": EVERYONE,
    "/desk": EVERYONE - {None},
    "/approvals": set(ORG_KINDS),
    "/manage/jobs": {"platform"},
}


def someone(kind: str | None) -> User | None:
    """None: not signed in; "nobody": a user without an organisation."""
    return None if kind is None else make_user(None if kind == "nobody" else make_org(kind))


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", sorted(EVERYONE, key=str))
def test_each_page_answers_those_it_is_for_and_no_one_else(app: Zhiliu, kind: str | None, lang: str) -> None:
    user = someone(kind)
    client = app.test_client() if user is None else client_for(app, user, lang)
    for path, allowed in PAGES.items():
        answer = client.get(f"{path}?lang={lang}")
        if kind in allowed:
            assert answer.status_code == 200, (path, answer.text)
            if answer.mimetype == "text/html":
                assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in answer.text
        elif kind is None:
            assert answer.status_code == 302 and "/account/login" in answer.headers["Location"]
        else:
            assert answer.status_code == 403, path


def test_a_viewer_of_the_platform_manages_nothing(app: Zhiliu) -> None:
    client = client_for(app, make_user(make_org("platform"), ("viewer",)))
    assert client.get("/desk").status_code == 200
    assert client.get("/manage/jobs").status_code == 403
    assert "/manage/jobs" not in client.get("/desk").text


def test_the_menu_links_only_to_pages_that_exist_and_marks_the_present_one(app: Zhiliu) -> None:
    page = client_for(app, make_user(make_org("bank"))).get("/approvals").text
    assert '<a href="/approvals" aria-current="page">复核</a>' in page
    assert page.count('aria-current="page"') == 2  # the wide menu and the small one


def test_the_home_page_promises_nothing_that_is_not_there(app: Zhiliu) -> None:
    page = app.test_client().get("/").text
    assert page.count("筹备中") == 2 and page.count("已开通") == 1


@pytest.fixture
def asked(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> tuple[User, User, int, list[str]]:
    """An approval that waits: who asked, a colleague, its id, and what was done."""
    done: list[str] = []
    monkeypatch.setitem(
        approvals._acts, "test.act", (lambda row, actor: done.append("act"), lambda row, actor: done.append("refuse"))
    )
    org = make_org("bank")
    asker, colleague = make_user(org), make_user(org)
    row = approvals.request("test.act", "case", 12, actor_of(asker, None), amount_minor=123456700)
    db.session.commit()
    return asker, colleague, row.id, done


def test_an_approval_is_offered_to_the_second_person_only(app: Zhiliu, asked: tuple) -> None:
    asker, colleague, approval_id, _done = asked
    assert f"/approvals/{approval_id}" in client_for(app, colleague).get("/approvals").text
    assert "¥1,234,567.00" in client_for(app, colleague).get("/approvals").text
    own = client_for(app, asker).get("/approvals").text
    assert f'action="/approvals/{approval_id}"' not in own and "须由另一名成员复核" in own
    stranger = client_for(app, make_user(make_org("bank")))
    assert "没有等待复核的申请" in stranger.get("/approvals").text
    assert "等您复核 · 1" in client_for(app, colleague).get("/desk").text


def test_the_second_person_approves_once(app: Zhiliu, asked: tuple) -> None:
    _asker, colleague, approval_id, done = asked
    client = client_for(app, colleague)
    answer = client.post(f"/approvals/{approval_id}", data={"answer": "approve"}, follow_redirects=True)
    assert "已批准" in answer.text and done == ["act"]
    assert client.post(f"/approvals/{approval_id}", data={"answer": "approve"}).status_code == 409
    assert done == ["act"]


def test_a_refusal_needs_its_reason_and_anything_but_approve_is_none(app: Zhiliu, asked: tuple) -> None:
    _asker, colleague, approval_id, done = asked
    client = client_for(app, colleague)
    for data in ({"answer": "refuse", "reason": " "}, {}):
        answer = client.post(f"/approvals/{approval_id}", data=data)
        assert answer.status_code == 422 and "请填写理由" in answer.text
    assert done == [] and db.session.get(Approval, approval_id).state == "waiting"
    client.post(f"/approvals/{approval_id}", data={"answer": "refuse", "reason": "材料不全"})
    assert done == ["refuse"] and db.session.get(Approval, approval_id).reason == "材料不全"


def test_others_cannot_decide(app: Zhiliu, asked: tuple) -> None:
    asker, _colleague, approval_id, done = asked
    stranger = make_user(make_org("bank"))
    for user, status in ((asker, 403), (stranger, 404)):
        answer = client_for(app, user).post(f"/approvals/{approval_id}", data={"answer": "approve"})
        assert answer.status_code == status
    assert done == []


def test_the_desk_shows_what_falls_due_in_plain_words(app: Zhiliu) -> None:
    org, other = make_org("bank"), make_org("bank")
    deadlines.schedule("lot.close", "lot", 7, now() + timedelta(days=3, minutes=5), org.id)
    deadlines.schedule("lot.open", "lot", 8, now() + timedelta(days=3), other.id)
    db.session.commit()
    page = client_for(app, make_user(org)).get("/desk").text
    assert "竞价结束" in page and "3 天 00:0" in page and "竞价开始" not in page


def test_an_unverified_organisation_is_told_what_to_do_first(app: Zhiliu) -> None:
    page = client_for(app, make_user(make_org("operator", state="draft"))).get("/desk").text
    assert "还没有通过平台审核" in page and "完善机构资料" in page


def test_a_manager_retries_what_failed(app: Zhiliu) -> None:
    deadlines.schedule("test.none", "test", 1, now() - timedelta(minutes=10))
    db.session.add(Outbox(topic="mail", payload={}, state="dead", attempts=12, last_error="SMTPServerDisconnected"))
    db.session.flush()
    deadline, message = db.session.scalar(select(Deadline)), db.session.scalar(select(Outbox))
    assert deadline is not None and message is not None
    deadlines.failed(deadline.id, "LookupError: nothing")
    deadline.attempts = 5
    deadline.claimed_until = now() + timedelta(minutes=9)
    db.session.commit()
    client = client_for(app, make_user(make_org("platform")))
    page = client.get("/manage/jobs").text
    assert "LookupError: nothing" in page and "SMTPServerDisconnected" in page and "10 分钟" in page
    assert client.post(f"/manage/jobs/deadlines/{deadline.id}/retry").status_code == 302
    assert client.post(f"/manage/jobs/messages/{message.id}/retry").status_code == 302
    assert (deadline.attempts, deadline.claimed_until) == (0, None)
    assert (message.state, message.attempts) == ("pending", 0)
    assert client.post(f"/manage/jobs/messages/{message.id}/retry").status_code == 404
    assert set(db.session.scalars(select(Event.kind))) == {"deadline.retried", "message.retried"}
    bank = client_for(app, make_user(make_org("bank")))
    assert bank.post(f"/manage/jobs/deadlines/{deadline.id}/retry").status_code == 403


def test_ready_means_database_redis_and_tick(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()
    assert client.get("/health/ready").json["checks"]["tick"] == "never ran"
    tick.tick(app)
    assert client.get("/health/ready").status_code == 200
    db.session.execute(db.text("UPDATE heartbeat SET at = at - interval '10 minutes'"))
    db.session.commit()
    late = client.get("/health/ready")
    assert late.status_code == 503 and "ago" in late.json["checks"]["tick"]
    with Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1) as away:
        monkeypatch.setitem(app.extensions, "redis", away)
        assert client.get("/health/ready").json["checks"]["redis"] == "away"


COUNTED = 'zhiliu_requests_total{endpoint="web.prometheus",method="GET",status="200"}'


def test_metrics_are_for_this_machine_and_managers(app: Zhiliu) -> None:
    client = app.test_client()

    def counted(metrics: str) -> float:
        line = next((line for line in metrics.splitlines() if line.startswith(COUNTED)), "0")
        return float(line.rsplit(" ", 1)[-1])

    text = client.get("/metrics").text
    assert "zhiliu_oldest_overdue_seconds 0.0" in text and "zhiliu_outbox_pending 0.0" in text
    assert counted(client.get("/metrics").text) == counted(text) + 1  # each is counted when it is answered
    elsewhere = {"REMOTE_ADDR": "10.1.2.3"}
    assert client.get("/metrics", environ_base=elsewhere).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 403
    manager = client_for(app, make_user(make_org("platform")))
    assert manager.get("/metrics", environ_base=elsewhere).status_code == 200
    bank = client_for(app, make_user(make_org("bank")))
    assert bank.get("/metrics", environ_base=elsewhere).status_code == 403


def test_the_key_is_the_public_one(app: Zhiliu) -> None:
    answer = app.test_client().get("/keys/signing.pem")
    assert "BEGIN PUBLIC KEY" in answer.text and "PRIVATE" not in answer.text


def test_switching_language_keeps_the_page_and_its_question(app: Zhiliu) -> None:
    client = app.test_client()
    page = client.get("/how?a=1&b=%E4%BA%8C&lang=zh").text
    assert 'href="/how?a=1&amp;b=%E4%BA%8C&amp;lang=en"' in page
    client.get("/?lang=en")
    assert 'lang="en"' in client.get("/how").text
    assert 'lang="en"' in client.get("/how?lang=xx").text
