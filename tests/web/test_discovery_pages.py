"""The search page: words, filters with counts, every state in the address, and whatever a reader may type."""

from __future__ import annotations

import pytest

from marketplace import Zhiliu
from tests.factories.listings import make_listing
from tests.factories.search import Memory, indexed, use_memory


@pytest.fixture
def engine(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> Memory:
    return use_memory(app, monkeypatch)


def test_the_list_shows_offers_with_counts(app: Zhiliu, engine: Memory) -> None:
    made = make_listing(texts={"region_code": "420106"})
    indexed()
    page = app.test_client().get("/listings").text
    assert made.listing.number in page and "湖北省" in page
    page = app.test_client().get("/listings?region=420000&kind=invention_patent").text
    assert made.listing.number in page and "去掉条件" in page
    page = app.test_client().get("/listings?region=440000").text
    assert made.listing.number not in page and "去掉 地区" in page
