"""The managers' desk of the index: state, dead letters, synonyms, the rebuild."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace import Zhiliu
from marketplace.core.db import db
from marketplace.core.models import Event, Outbox
from marketplace.discovery import handlers, queries, rebuild, sync
from marketplace.discovery.models import SearchRebuild, SearchSynonym
from search.result import Fault
from tests.factories.listings import make_listing
from tests.factories.parties import client_for, make_org, make_user
from tests.factories.search import Memory, use_memory


@pytest.fixture
def engine(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> Memory:
    return use_memory(app, monkeypatch)


@pytest.fixture
def manager(app: Zhiliu) -> FlaskClient:
    return client_for(app, make_user(make_org("platform")))


@pytest.mark.parametrize("kind", [None, "bank", "operator", "enterprise", "regulator"])
def test_only_managers_see_it(app: Zhiliu, engine: Memory, kind: str | None) -> None:
    client = app.test_client() if kind is None else client_for(app, make_user(make_org(kind)))
    assert client.get("/manage/search").status_code in (302, 403)
    for path in ("rebuild", "retry", "synonyms", "synonyms/1/remove"):
        assert client.post(f"/manage/search/{path}", data={"words": "甲，乙"}).status_code in (302, 401, 403)
    db.session.rollback()
    assert not db.session.scalars(select(SearchSynonym)).all() and not db.session.scalars(select(SearchRebuild)).all()


def test_a_dead_document_is_shown_and_tried_again(engine: Memory, manager: FlaskClient) -> None:
    made = make_listing()
    engine.faults[str(made.id)] = Fault(str(made.id), "mapper_parsing_exception", permanent=True)
    sync.run()
    page = manager.get("/manage/search").text
    assert "mapper_parsing_exception" in page and made.listing.title in page and "已停止重试" in page
    engine.faults.clear()
    assert manager.post("/manage/search/retry", data={"listing_id": made.id}).status_code == 302
    sync.run()
    assert str(made.id) in engine.found()
    assert "mapper_parsing_exception" not in manager.get("/manage/search").text
    assert manager.post("/manage/search/retry", data={"listing_id": made.id}).status_code == 404


def test_synonyms_count_at_once_and_leave_a_trace(engine: Memory, manager: FlaskClient) -> None:
    answer = manager.post("/manage/search/synonyms", data={"words": "隔膜，隔离膜\nseparator"})
    assert answer.status_code == 302
    assert queries.synonyms() == (("separator", "隔离膜", "隔膜"),)
    for words, text in (("", "请填写此项"), ("一个", "至少"), ("，".join("词" * n for n in range(1, 16)), "最多"),
                        ("甲" * 50 + "，乙", "太长"), ("隔膜，separator，隔离膜", "已经有")):  # fmt: skip
        page = manager.post("/manage/search/synonyms", data={"words": words})
        assert page.status_code == 422 and text in page.text, words
        assert words.split("，")[0] in page.text
    group = db.session.scalars(select(SearchSynonym.id)).one()
    assert manager.post(f"/manage/search/synonyms/{group}/remove").status_code == 302
    assert queries.synonyms() == ()
    assert manager.post(f"/manage/search/synonyms/{group}/remove").status_code == 404
    kinds = set(db.session.scalars(select(Event.kind).where(Event.subject == "search_synonym")))
    assert kinds == {"search.synonyms_added", "search.synonyms_removed"}


def test_a_rebuild_is_asked_for_once_and_shows_its_progress(engine: Memory, manager: FlaskClient) -> None:
    make_listing()
    assert manager.post("/manage/search/rebuild").status_code == 302
    assert "等待开始" in manager.get("/manage/search").text
    assert manager.post("/manage/search/rebuild").status_code == 409
    message = db.session.scalars(select(Outbox).where(Outbox.topic == rebuild.TOPIC)).one()
    handlers.build_anew(message.id, message.payload)
    page = manager.get("/manage/search").text
    assert "已完成" in page and "写入 1 个文档" in page
    assert manager.post("/manage/search/rebuild", data={"engine": "local"}).status_code == 409


def test_an_engine_that_is_away_is_said_so(engine: Memory, manager: FlaskClient) -> None:
    engine.down = True
    page = manager.get("/manage/search").text
    assert "没有应答" in page
    ready = manager.get("/health/ready").json
    assert ready["search"] == "ok"
    assert "zhiliu_search_unsynced_seconds" in manager.get("/metrics").text
