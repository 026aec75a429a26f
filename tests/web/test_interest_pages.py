"""Pages of standing interest: what each role sees and does, in both languages, and what never leaves the server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from marketplace import Zhiliu
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.discovery.engines import Breaker, Searching
from marketplace.interest import letters, queries, service, standing
from marketplace.interest.models import Need, NeedResponse, SavedSearch
from marketplace.parties.models import User
from search.engines.embedded import Embedded
from tests.factories.interest import battery_listing, deliver, make_need, make_search
from tests.factories.parties import client_for, make_actor, make_org, make_user
from tests.web.test_query_counts import MOST, count

CONTACTS = ("赵联系 139-0000-0000", "钱经理 138-0000-0000")


@pytest.fixture
def index(app: Zhiliu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    made = Embedded(tmp_path / "search")
    made.prepare()
    monkeypatch.setitem(app.extensions, "search", Searching(made, breaker=Breaker(pause=0)))
    yield made


def user_of(actor_user_id: int | None) -> User:
    return db.session.get_one(User, actor_user_id)


def follow(client: FlaskClient, path: str, **form: str) -> str:
    answer = client.post(path, data=form, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def test_a_need_from_draft_to_agreement(index: Embedded, app: Zhiliu) -> None:
    poster_org = make_org("enterprise", name="江夏新材料有限公司", region_code="420115")
    poster = client_for(app, make_user(poster_org))
    manager = client_for(app, make_user(make_org("platform")))
    made = battery_listing()
    deliver()
    owner = client_for(app, user_of(made.maker.user_id))
    page = poster.post("/needs/new", data={"title": "隔膜", "wanted": "either", "budget_high": "abc", "ipc": "XX"})
    assert page.status_code == 422 and 'value="隔膜"' in page.text and page.text.count("请填写此项") >= 2
    form = {
        "title": "锂电池耐高温隔膜", "details": "用于动力电池，要求隔膜收缩率低。", "ipc": "H01M", "industry": "C3841",
        "region_code": "420115", "wanted": "purchase", "budget_high": "600万", "anonymous": "y", "contact": CONTACTS[0],
        "valid_until": str(today() + timedelta(days=30)), "title_en": "Heat-resistant separators",
    }  # fmt: skip
    assert "草稿已保存" in follow(poster, "/needs/new", **form)
    need = db.session.query(Need).one()
    need_id = need.id
    assert app.test_client().get(f"/needs/{need_id}").status_code == 404
    assert "平台审核中" in follow(poster, f"/needs/mine/{need_id}/submit")
    assert "江夏新材料有限公司" in manager.get(f"/manage/needs/{need_id}").text
    assert "需求已发布" in follow(manager, f"/manage/needs/{need_id}/publish")
    deliver()
    public = app.test_client().get(f"/needs/{need_id}").text
    assert "锂电池耐高温隔膜" in public and "匿名" in public and "江夏新材料" not in public
    assert "Heat-resistant separators" in app.test_client().get(f"/needs/{need_id}?lang=en").text
    mine = unescape(poster.get(f"/needs/mine/{need_id}").text)
    assert made.listing.number in mine and "都提到" in mine and "同一行业 C3841" in mine and "在预算之内" in mine
    desk = unescape(owner.get("/matching-needs").text)
    assert "锂电池耐高温隔膜" in desk and "同一行业 C3841" in desk
    assert "锂电池耐高温隔膜" in owner.get(f"/matching-needs?listing={made.id}").text
    bad = owner.post(f"/needs/{need_id}/respond", data={"listing_id": made.id, "message": "可以提供", "contact": ""})
    assert bad.status_code == 422 and "可以提供" in bad.text
    told = follow(owner, f"/needs/{need_id}/respond", listing_id=str(made.id), message="可以提供", contact=CONTACTS[1])
    assert "等需求方答复" in told and CONTACTS[0] not in told
    waits = unescape(poster.get(f"/needs/mine/{need_id}").text)
    assert "可以提供" in waits and CONTACTS[1] not in waits
    response = db.session.query(NeedResponse).one()
    agreed = follow(poster, f"/needs/responses/{response.id}", answer="accept")
    assert CONTACTS[1] in agreed
    theirs = unescape(owner.get(f"/needs/{need_id}").text)
    assert CONTACTS[0] in theirs and "江夏新材料有限公司" in theirs
    assert "已对接" in follow(poster, f"/needs/mine/{need_id}/close", matched="1")


def test_contacts_and_posters_never_leave_before_both_agreed(index: Embedded, app: Zhiliu) -> None:
    poster_org = make_org("enterprise", name="秘密需求方有限公司")
    need = make_need(actor=make_actor("enterprise", org=poster_org))
    made = battery_listing()
    deliver()
    service.respond(made.maker, need.id, made.id, "可以", CONTACTS[1])
    db.session.commit()
    poster = user_of(need.poster.user_id)
    people = {
        "public": app.test_client(),
        "stranger": client_for(app, make_user(make_org("enterprise"))),
        "owner": client_for(app, user_of(made.maker.user_id)),
        "poster": client_for(app, poster),
    }
    paths = ["/needs", f"/needs/{need.id}", "/api/v1/needs", f"/api/v1/needs/{need.id}", "/matching-needs",
             f"/needs/mine/{need.id}", "/open-data/listings.atom", "/api/v1/open-data/listings",
             "/listings.csv"]  # fmt: skip
    for who, client in people.items():
        for path in paths:
            text = client.get(path).get_data(as_text=True)
            own, other = (CONTACTS if who == "poster" else CONTACTS[::-1])[:2]
            assert other not in text, (who, path)
            assert own not in text or who in ("poster", "owner"), (who, path)
            assert poster.email not in text, (who, path)
            if who != "poster":
                assert "秘密需求方" not in text, (who, path)


def test_open_data_names_nobody(index: Embedded, app: Zhiliu) -> None:
    made = battery_listing()
    deliver()
    people = [user.email for user in db.session.query(User)] + ["027-0000000", "王经理", "武汉江夏测试科技有限公司"]
    client = app.test_client()
    texts = [client.get(p).get_data(as_text=True) for p in (
        "/api/v1/open-data/listings", "/api/v1/open-data/results", "/open-data/listings.atom",
        "/open-data/results.atom", "/listings.csv")]  # fmt: skip
    assert made.listing.number in texts[0] and made.listing.number in texts[4]
    assert [name for name in people for text in texts if name in text] == []


def test_a_feed_that_did_not_change_is_not_sent_again(app: Zhiliu) -> None:
    made = battery_listing()
    client = app.test_client()
    for path in ("/api/v1/open-data/listings", "/open-data/listings.atom"):
        first = client.get(path)
        assert first.headers["Last-Modified"]
        assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    etag = client.get("/api/v1/open-data/listings").headers["ETag"]
    from marketplace.listings import service as listings

    listings.suspend(made.manager, made.id, "系统故障")
    db.session.commit()
    assert client.get("/api/v1/open-data/listings", headers={"If-None-Match": etag}).status_code == 200


def test_the_open_data_page_states_cap_and_terms(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    page = app.test_client().get("/open-data").text
    assert "1000" in page and "尚未指定许可协议" in page
    monkeypatch.setattr(app.settings, "open_data_licence", "CC BY 4.0")
    monkeypatch.setattr(app.settings, "open_data_licence_url", "https://creativecommons.org/licenses/by/4.0/")
    assert "CC BY 4.0</a>" in app.test_client().get("/open-data?lang=en").text


def test_a_search_is_saved_from_its_page_and_ended_by_the_link_of_its_mail(index: Embedded, app: Zhiliu) -> None:
    user = make_user(make_org("operator"))
    client = client_for(app, user)
    listing_page = client.get("/listings?q=隔膜&kind=invention_patent").text
    link = re.search(r'href="(/saved-searches/new[^"]*)"', listing_page)
    assert link is not None
    page = client.get(unescape(link[1]))
    assert page.status_code == 200 and "隔膜" in page.text
    assert client.post(unescape(link[1]), data={"name": "", "often": "daily"}).status_code == 422
    assert "已订阅" in follow(client, unescape(link[1]), name="隔膜", often="at_once")
    search = db.session.query(SavedSearch).one()
    search_id = search.id
    deliver()
    made = battery_listing()
    deliver()
    listed = unescape(client.get("/saved-searches").text)
    assert "1 项新的" in listed
    assert made.listing.number in client.get(f"/saved-searches/{search_id}").text
    assert "项新的" not in client.get("/saved-searches").text
    stranger = app.test_client()
    stop = letters.stop_link(search_id, user.id)
    asked = stranger.get(stop)
    assert (
        asked.status_code == 200 and db.session.get_one(SavedSearch, search_id, populate_existing=True).often != "never"
    )
    assert "不会再收到" in stranger.post(stop).text
    assert db.session.get_one(SavedSearch, search_id, populate_existing=True).often == "never"
    assert stranger.get(stop[:-3] + "xxx").status_code == 404
    assert stranger.get(f"/saved-searches/{search_id}").status_code == 302
    assert client_for(app, make_user()).get(f"/saved-searches/{search_id}").status_code == 404
    assert "订阅已更改" in follow(client, f"/saved-searches/{search_id}", name="改名", often="daily")
    assert "已暂停" in follow(client, f"/saved-searches/{search_id}/pause", paused="1")
    assert "订阅已删除" in follow(client, f"/saved-searches/{search_id}/delete")
    assert "已经删除" in stranger.get(stop).text


@pytest.mark.parametrize("bad", ["q=" + "x" * 6000, "kind=%00", "%ff%fe", "q=%22&ipc=*&price=--", "a=1&" * 300])
def test_whatever_the_address_says_a_page_answers(index: Embedded, app: Zhiliu, bad: str) -> None:
    client = client_for(app, make_user(make_org("operator")))
    for path in ("/saved-searches/new", "/needs", "/listings.csv", "/api/v1/needs"):
        assert client.get(f"{path}?{bad}").status_code in (200, 422), path
    client.post(f"/saved-searches/new?{bad}", data={"name": "x", "often": "never"})
    standing.run()
    for kept in db.session.query(SavedSearch):
        assert kept.noted_at is not None


def test_pages_ask_no_more_when_there_is_more(index: Embedded, app: Zhiliu) -> None:
    firm = make_org("operator")
    poster = make_actor("operator", org=firm)
    made = battery_listing()
    reader = client_for(app, user_of(poster.user_id))
    bank = client_for(app, user_of(made.maker.user_id))
    manager = client_for(app, make_user(make_org("platform")))
    first = make_need(actor=poster)

    def grow(times: int) -> None:
        for number in range(times):
            make_need(actor=poster, title=f"锂电池隔膜 {number}")
            make_search(poster, f"q=隔膜{number}")
            battery_listing(org=db.session.get_one(type(firm), made.maker.org_id))
        deliver()

    def asked() -> dict[str, list[str]]:
        pages = [(reader, p) for p in ("/needs/mine", f"/needs/mine/{first.id}", "/saved-searches", "/desk")]
        pages += [(bank, "/matching-needs"), (bank, f"/needs/{first.id}"), (manager, "/manage/needs")]
        pages += [(app.test_client(), p) for p in ("/needs", f"/needs/{first.id}", "/open-data/listings.atom")]
        return {f"{n} {path}": count(client, path) for n, (client, path) in enumerate(pages)}

    grow(1)
    few = asked()
    grow(4)
    for where, sent in asked().items():
        told = "\n".join(sent)
        assert len(sent) <= MOST, f"{where}: {len(sent)}\n{told}"
        assert len(sent) <= len(few[where]), f"{where}: {len(few[where])} → {len(sent)}\n{told}"


@pytest.mark.parametrize("kind", ["bank", "operator", "enterprise", "platform", "regulator"])
def test_pages_of_others_are_refused(app: Zhiliu, kind: str) -> None:
    need = make_need()
    client = client_for(app, make_user(make_org(kind)))
    allowed = {
        "/needs/mine": kind in ("operator", "enterprise"),
        "/matching-needs": kind in ("operator", "bank"),
        "/manage/needs": kind == "platform",
        "/saved-searches": True,
    }
    for path, may in allowed.items():
        assert client.get(path).status_code == (200 if may else 403), path
    for path in (f"/needs/mine/{need.id}", f"/needs/mine/{need.id}/edit"):
        assert client.get(path).status_code in (403, 404)
    assert queries.public_need(need.id)
