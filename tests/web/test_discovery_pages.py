"""The search page: words, filters with counts, every state in the address, and whatever a reader may type."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace import Zhiliu
from marketplace.core.db import db
from marketplace.discovery import service
from marketplace.discovery.engines import Breaker, searching
from marketplace.listings import service as listings
from marketplace.parties.models import User
from tests.factories.listings import Made, make_listing
from tests.factories.parties import client_for, make_actor, make_org, make_user
from tests.factories.rights import make_right
from tests.factories.search import Memory, copies, indexed, use_embedded, use_memory
from tests.web.english import chinese_left
from tests.web.test_query_counts import count

MOST = 12
LINK = re.compile(r'href="(/listings\?[^"]*)"')


@pytest.fixture
def engine(app: Zhiliu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_embedded(app, tmp_path, monkeypatch)


@pytest.fixture
def memory(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> Memory:
    return use_memory(app, monkeypatch)


@pytest.fixture
def market(app: Zhiliu, engine: None) -> Made:
    """An offer of a water treatment patent in Wuhan at 5 m, and 25 on batteries here and there at other prices."""
    made = make_listing(
        texts={"title": "一种水处理装置", "title_en": "Water treatment apparatus", "region_code": "420106"}
    )
    copies(
        made, 25, title=[f"一种锂离子电池隔膜 {n}" for n in range(25)],
        title_en=[f"Lithium battery separator {n}" for n in range(25)],
        region_code=["440305", "420106", "310115"], industry=["C3841", "C2641"],
        start_minor=[50_000_00, 8_000_000_00, 300_000_00],
    )  # fmt: skip
    indexed()
    return made


def get(client: FlaskClient, query: str) -> str:
    answer = client.get(f"/listings?{query}")
    assert answer.status_code == 200, answer.text[:500]
    return unescape(answer.text)


def total(page: str) -> int:
    found = re.search(r"共 ([\d,]+) 项", page)
    assert found, page[:2000]
    return int(found[1].replace(",", ""))


def cards(page: str) -> list[str]:
    return re.findall(r'<h3 class="h5 mb-0"><a href="/listings/([^"]+)"', page)


def test_words_find_and_are_marked(app: Zhiliu, market: Made) -> None:
    page = get(app.test_client(), "q=电池隔膜")
    assert total(page) == 25 and len(cards(page)) == 20
    assert "<mark>电池隔膜</mark>" in page
    page = get(app.test_client(), "q=water treatment&lang=en")
    assert "<mark>Water</mark> <mark>treatment</mark>" in page


def test_filters_narrow_with_counts_and_can_be_taken_away(app: Zhiliu, market: Made) -> None:
    client = app.test_client()
    page = get(client, "")
    assert total(page) == 26
    assert re.search(r"广东省</span> <span[^>]*>9</span>", page)
    both = get(client, "region=440000&price=0-10")
    assert total(both) == 9 and "去掉条件：地区：广东省" in re.sub("<[^>]+>", "", both)
    assert total(get(client, "region=440000&region=310000")) == 17
    assert total(get(client, "region=440305")) == 9 and total(get(client, "industry=C38")) == 13
    assert total(get(client, "low=700万&high=900万")) == 8
    assert total(get(client, "kind=invention_patent&channel=auction&state=scheduled")) == 26
    assert total(get(client, "kind=trademark")) == 0
    assert total(get(client, "until=2999-01-01")) == 26 and total(get(client, "until=2020-01-01")) == 0
    assert total(get(client, f"bank={market.listing.org_id}")) == 26


def test_every_link_of_the_page_leads_to_what_it_says(app: Zhiliu, market: Made) -> None:
    """Each filter's count is what the page behind its link shows, whatever is chosen already."""
    client = app.test_client()
    for start in ("", "q=电池", "region=420000&price=500-1000"):
        page = get(client, start)
        rows = re.findall(
            r'<li class="zl-depth-\d"><a href="/listings\??([^"]*)" rel="nofollow">.*?'
            r'<span class="zl-facet-count zl-num">(\d+)</span>',
            page,
        )
        assert len(rows) > 8
        for href, said in rows:
            behind = total(get(client, href))
            several = [n for n in ("region", "price") if href.count(f"{n}=") > 1]
            assert behind == int(said) or several, (start, href)


def test_pages_follow_one_another_by_a_cursor_and_the_address_says_all(app: Zhiliu, market: Made) -> None:
    client = app.test_client()
    first = get(client, "q=电池&sort=price_up")
    after = re.search(r'rel="next nofollow" href="/listings\?([^"]+)"', first)
    assert after
    second = get(client, after[1])
    assert len(cards(second)) == 5 and not set(cards(first)) & set(cards(second))
    assert "回到第一页" in second and 'rel="next nofollow"' not in second
    assert cards(get(client, "q=电池&sort=price_up")) == cards(first)  # the back button
    other = get(client, "q=水&" + urlsplit(after[1]).path.partition("&")[2])
    assert "第一页" in other  # a cursor of another search
    closing = get(client, "sort=ending")  # an address from before the search
    assert total(closing) == 26


@pytest.mark.parametrize("sort", ["relevance", "newest", "closing", "price_up", "price_down"])
def test_orders(app: Zhiliu, market: Made, sort: str) -> None:
    page = get(app.test_client(), f"q=电池&sort={sort}")
    prices = [float(p.replace(",", "")) for p in re.findall(r"¥([\d,]+\.\d\d)", page)]
    assert len(prices) == 20
    if sort.startswith("price"):
        assert prices == sorted(prices, reverse=sort.endswith("down"))


def test_an_exact_number_comes_first_with_a_mark(app: Zhiliu, market: Made) -> None:
    number = market.listing.items[0].right.number_display
    spaced = f"ZL {number[2:6]} {number[6]} {number[7:]}"
    full = "".join(chr(ord(c) + 0xFEE0) for c in number)
    for asked in (number, number.lower(), number.replace("ZL", "CN"), spaced, full, number[2:-2]):
        page = get(app.test_client(), f"q={asked}")
        assert "号码一致" in page, asked
    page = get(app.test_client(), f"q={market.listing.number}")
    assert cards(page)[0] == market.listing.number and page.count("号码一致") == 1


def test_typing_errors_are_mended_and_said(app: Zhiliu, market: Made) -> None:
    page = get(app.test_client(), "q=lithum separator")
    assert "按更正后的词查找" in page and total(page) == 25


def test_words_behind_prefixes_in_both_languages(app: Zhiliu, market: Made) -> None:
    client = app.test_client()
    assert total(get(client, "q=地区:湖北")) == 9
    assert total(get(client, "q=region:Guangdong 种类:发明专利")) == 9
    assert total(get(client, "q=电池 -地区:湖北")) == 17


def test_the_picture_of_the_regions_is_made_of_links(app: Zhiliu, market: Made) -> None:
    page = get(app.test_client(), "")
    tiles = re.findall(r'<a href="/listings\?region=(\d{6})"[^>]*class="zl-tile[^"]*" aria-label="([^"]+)"', page)
    assert dict(tiles) == {"440000": "广东省 9", "420000": "湖北省 9", "310000": "上海市 8"}
    assert page.count('<g class="zl-tile zl-shade-0"') == 31
    assert 'aria-label="Guangdong 9"' in get(app.test_client(), "lang=en")


def test_an_empty_result_says_what_to_do(app: Zhiliu, market: Made) -> None:
    page = get(app.test_client(), "q=电池&region=420000&kind=trademark")
    assert "没有符合条件的拍品" in page and "去掉 种类：商标" in re.sub("<[^>]+>", "", page)
    assert "/saved-searches/new?q=" in page
    page = get(app.test_client(), "q=蒸汽机车 zzzzzz")
    assert "分开查找" in page and "/listings?q=zzzzzz" in page


def test_synonyms_of_managers_count_from_the_next_question(app: Zhiliu, market: Made) -> None:
    client = app.test_client()
    assert total(get(client, "q=阻隔片")) == 0
    service.add_synonyms(make_actor("platform"), ["阻隔片", "隔膜"])
    db.session.commit()
    page = get(client, "q=阻隔片")
    assert total(page) == 25 and "<mark>隔膜</mark>" in page


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_in_both_languages(app: Zhiliu, market: Made, lang: str) -> None:
    client = app.test_client()
    for query in (
        "",
        "q=battery",
        "q=zzzz&region=440000&kind=trademark",
        "low=x&ipc=9&sort=y&cursor=z",
        "q=" + "a" * 900,
    ):
        page = client.get(f"/listings?lang={lang}&{query}").text
        assert 'placeholder="' in page
        if lang == "en":
            typed = ["一种水处理装置", "中文", market.listing.items[0].right.title]
            assert chinese_left(page, typed) == [], query


def test_a_page_asks_the_database_little_whatever_the_number(app: Zhiliu, market: Made) -> None:
    for user in (None, make_user(make_org("operator")), make_user(make_org("bank"))):
        client = app.test_client() if user is None else client_for(app, user)
        for query in ("", "q=电池 2021100000019&region=440000&ipc=H01M&bank=1&industry=C38", "q=zzzz"):
            asked = count(client, f"/listings?{query}")
            assert len(asked) <= MOST, "\n".join(asked)


BAD = (
    "", " ", "*", "***?~", "%", "_", "\\", '"', '"unbalanced', "“开头没有结尾", "-", "-电池", "+-&|!(){}[]^~*?:\\/",
    "AND OR NOT", "q:q:q", "ipc:", "申请人:", "号:", "' OR 1=1 --", "'; DROP TABLE listing; --",
    "<script>alert(1)</script>", "\ufffe", "{{7*7}}", "${jndi:ldap://x}", "\x00\x01\x02", "\u202e\u200b\ufeff",
    "\ud83d\ude00", "\ud83d", "é" * 300, "电" * 10_000,
    "a " * 5_000,
    '"' * 5_000, "(" * 5_000, "*" * 10_000, "ipc:" * 2_500, "-" * 10_000, "1" * 10_000, "ZL " * 3_000,
)  # fmt: skip


def test_whatever_is_typed_gets_a_page_soon(app: Zhiliu, market: Made) -> None:
    client = app.test_client()
    for text in BAD:
        raw = text.encode("utf-8", "surrogatepass")
        answer = client.get("/listings", query_string={"q": raw})
        assert answer.status_code == 200, text[:40]
        assert "<script>alert" not in answer.text
        assert client.get("/search/suggest", query_string={"q": raw[:90]}).status_code == 200
        if len(text) > 500:
            assert "太长" in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "kind=%27&channel=x&state=..&licence=0&term=9&price=-1&closing=99", "ipc=Z99&industry=Z&region=999999&bank=-1",
        "bank=99999999999999999999999", "region=%E6%B9%96%E5%8C%97", "low=abc&high=1e999&until=2026-13-45",
        "low=99999999999999999999", "low=900&high=1", "sort=;DROP", "cursor=" + "A" * 9000, "cursor=%00", "page=99999",
        "unknown=1&facets=all&size=100000", "&".join(f"kind={n}" for n in range(500)),
        "&".join("region=420000" for _ in range(500)), "&".join(f"ipc=H01M{n}/00" for n in range(1, 300)),
        "until=0001-01-01", "until=9999-12-31", "q=a&q=b&q=c",
    ],
)  # fmt: skip
def test_whatever_the_address_says_gets_a_page(app: Zhiliu, market: Made, query: str) -> None:
    page = get(app.test_client(), query)
    assert "Traceback" not in page


NAMES = st.sampled_from(
    ["q", "kind", "channel", "state", "region", "ipc", "industry", "price", "term", "closing", "licence", "bank", "low",
     "high", "until", "sort", "cursor", "page", "lang", "x"]
)  # fmt: skip


@given(pairs=st.lists(st.tuples(NAMES, st.text(st.characters(codec="utf-8"), max_size=30)), max_size=12))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_query_string_gets_a_page(app: Zhiliu, market: Made, pairs: list[tuple[str, str]]) -> None:
    assert app.test_client().get("/listings", query_string=pairs).status_code == 200


def test_the_database_answers_while_no_engine_does(app: Zhiliu, memory: Memory) -> None:
    made = make_listing(texts={"title": "一种水处理装置", "region_code": "420106"})
    indexed()
    client = app.test_client()
    memory.down = True
    page = get(client, "q=水处理&ipc=H01M&licence=sole")
    assert "结果可能不完整" in page and made.listing.number in page
    assert "暂时不起作用的条件：技术领域（IPC）、尚可授予的许可" in page
    assert made.listing.number not in get(client, "q=电池") and "结果可能不完整" in get(client, "kind=trademark")
    assert client.get("/search/suggest?q=水").json == {"suggestions": []}
    memory.down = False
    searching().breaker = Breaker()
    assert "结果可能不完整" not in get(client, "q=水处理")


def test_the_local_engine_stands_in_and_says_so(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    local = Memory()
    main = use_memory(app, monkeypatch, local)
    made = make_listing(texts={"title": "一种水处理装置"})
    indexed()
    main.down = True
    page = get(app.test_client(), "q=一种水处理装置")
    assert "由备用索引回答" in page and made.listing.number in page


def test_a_broken_index_is_no_error_page(app: Zhiliu, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_listing()

    def broken(query: object) -> object:
        raise RuntimeError("corrupt segment")

    monkeypatch.setattr(memory, "search", broken)
    page = get(app.test_client(), "q=水")
    assert "结果可能不完整" in page
    detail = app.test_client().get(f"/listings/{made.listing.number}")
    assert detail.status_code == 200 and "相近的拍品" not in detail.text


def test_the_index_is_advisory(app: Zhiliu, memory: Memory) -> None:
    """What the database no longer shows is not shown, whatever the index says."""
    made, kept = make_listing(), make_listing()
    indexed()
    memory.kept["999999"] = memory.kept[str(made.id)]
    listings.suspend(made.manager, made.id, "系统故障")
    db.session.commit()  # not yet in the index
    page = get(app.test_client(), "state=scheduled")
    assert kept.listing.number in page
    assert "暂缓" in page and made.listing.number in page  # found by the old state, shown as it is


def test_more_like_this(app: Zhiliu, market: Made) -> None:
    battery = cards(get(app.test_client(), "q=电池&sort=price_up"))[0]
    page = app.test_client().get(f"/listings/{battery}").text
    like = page.partition('id="like"')[2]
    assert "相近的拍品" in page and like.count("锂离子电池隔膜") >= 4 and f'/listings/{battery}"' not in like


def test_a_bank_finds_a_number_of_its_own_book(app: Zhiliu, market: Made) -> None:
    org = make_org("bank")
    right = make_right(org)
    own = client_for(app, make_user(org))
    written = right.number_display.lower().replace("zl", "ZL ").replace(".", "")
    page = get(own, f"q={written}")
    assert "在本行的知识产权中" in page and f'/rights/{right.id}"' in page
    assert own.get(f"/rights/{right.id}").status_code == 200
    for other in (app.test_client(), client_for(app, make_user(make_org("bank"))),
                  client_for(app, make_user(make_org("operator")))):  # fmt: skip
        assert right.title not in get(other, f"q={written}")


def test_suggestions_go_on_from_what_is_typed(app: Zhiliu, market: Made) -> None:
    found = app.test_client().get("/search/suggest?q=一种锂").json["suggestions"]
    assert found and all("锂" in one for one in found)
    assert app.test_client().get("/search/suggest").json == {"suggestions": []}


def test_searches_are_limited(app: Zhiliu, market: Made) -> None:
    from marketplace.web.limits import SEARCHES

    assert {"listings.public_list", "discovery.suggest"} <= set(SEARCHES)
    assert all(name in app.view_functions for name in SEARCHES)


def test_the_same_as_json(app: Zhiliu, market: Made) -> None:
    client = app.test_client()
    found = client.get("/api/v1/search?q=电池&region=440000&region=310000&sort=price_up&term=x").json
    assert (found["total"], found["ignored"], found["narrowed"]) == (17, ["term"], False)
    counts = {bucket["value"]: bucket["count"] for bucket in found["facets"]["region"]}
    assert (counts["440000"], counts["310000"], counts["420000"]) == (9, 8, 8)
    first = client.get("/api/v1/search?q=电池&sort=price_up").json
    then = client.get("/api/v1/search", query_string={"q": "电池", "sort": "price_up", "cursor": first["cursor"]}).json
    numbers = [offer["number"] for answer in (first, then) for offer in answer["offers"]]
    assert len(set(numbers)) == 25 and then["cursor"] == ""
    number = market.listing.items[0].right.number_display
    assert client.get("/api/v1/search", query_string={"q": number}).json["exact"]


def test_nobody_signed_in_may_save_after_signing_in(app: Zhiliu, market: Made) -> None:
    page = get(app.test_client(), "q=电池&region=440000")
    href = re.search(r'href="(/saved-searches/new\?[^"]+)"', page)
    assert href and app.test_client().get(unescape(href[1])).status_code == 302
    user = make_user(make_org("operator"))
    assert client_for(app, db.session.get_one(User, user.id)).get(unescape(href[1])).status_code == 200
