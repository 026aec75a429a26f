"""The site over a real Elasticsearch that freezes, dies and comes back: readers are served, nothing is lost."""

from __future__ import annotations

import time
from html import unescape
from pathlib import Path

import pytest

from marketplace import Zhiliu
from marketplace.core.actor import SYSTEM
from marketplace.core.db import db
from marketplace.discovery import compare, rebuild, sync
from marketplace.discovery.engines import Breaker, Searching, searching
from marketplace.listings import service
from search.engines.elastic import Elastic
from search.engines.embedded import Embedded
from tests.factories.listings import make_listing
from tests.search.elastic import Node

NOTICE = "结果可能不完整"


def test_frozen_killed_and_back(app: Zhiliu, own_node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main, local = Elastic(own_node.url, "outage"), Embedded(tmp_path / "search")
    main.prepare()
    local.prepare()
    monkeypatch.setitem(app.extensions, "search", Searching(main, local, Breaker(pause=0.5)))
    first = make_listing(texts={"title": "一种水处理装置"})
    sync.run(60)
    client = app.test_client()

    def page(query: str = "q=水处理") -> str:
        return unescape(client.get(f"/listings?{query}").text)

    assert first.listing.number in page() and NOTICE not in page()

    own_node.freeze()
    began = time.monotonic()
    text = page()
    assert time.monotonic() - began < 6  # two tries of a second each, on a busy machine
    assert first.listing.number in text and "由备用索引回答" in text
    second = make_listing(texts={"title": "一种污水处理方法"})
    sync.run(60)
    assert second.listing.number in page()  # the local engine follows
    searching().local = None
    assert first.listing.number in page() and "只按标题和号码查找" in page()
    searching().local = local
    own_node.thaw()

    own_node.kill()
    third = make_listing(texts={"title": "一种循环水处理系统"})
    service.suspend(first.manager, first.id, "系统故障")
    db.session.commit()
    sync.run(60)
    assert third.listing.number in page() and NOTICE in page()
    own_node.start()
    time.sleep(0.6)  # the breaker's pause
    sync.run(60)
    text = page("q=水处理&sort=newest")
    assert NOTICE not in text
    assert all(made.listing.number in text for made in (first, second, third))
    assert dict(main.versions()) == dict(local.versions())
    assert first.listing.number in page("state=suspended")
    assert compare.compare().total == 0

    made = rebuild.ask(SYSTEM, by_worker=False).id
    db.session.commit()
    assert rebuild.run(made)
    assert main.count() == 3 and all(one.listing.number in page() for one in (first, second, third))
