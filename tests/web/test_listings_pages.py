"""The pages of offers as each role sees them, in both languages, with a fixed number of statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text

from marketplace import Zhiliu
from marketplace.core.clock import SHANGHAI, now
from marketplace.core.db import db
from marketplace.discovery import truth
from marketplace.listings import desk, queries, service
from marketplace.listings.models import Listing, ListingRight
from marketplace.listings.texts import REVIEW_ITEMS
from marketplace.parties.models import User
from tests.factories.cases import make_case
from tests.factories.listings import Made, make_listing
from tests.factories.parties import client_for, make_actor, make_org, make_user
from tests.factories.search import indexed, use_embedded


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def browser(app: Zhiliu, user_id: int | None, lang: str = "zh") -> FlaskClient:
    user = db.session.get_one(User, user_id)
    return client_for(app, user, lang)


def badges(page: str) -> set[str]:
    """Which of the states of a draft a page's badges name."""
    return {name for name in ("草稿", "待复核") if re.search(rf'class="zl-badge[^"]*"[^>]*>\s*{name}\s*<', page)}


def number_of(made: Made) -> str:
    return str(db.session.get_one(Listing, made.id).number)


def test_a_sellers_chinese_is_read_as_chinese_on_the_english_page(app: Zhiliu) -> None:
    made = make_listing("published", texts={"known_defects": "未发现", "summary": "Two <b>patents</b>"})
    page = f"/listings/{number_of(made)}"
    client = app.test_client()
    english = client.get(f"{page}?lang=en").text
    assert '<p class="zl-letter" lang="zh-CN">未发现</p>' in english
    assert '<p class="zl-letter">Two &lt;b&gt;patents&lt;/b&gt;</p>' in english
    assert '<p class="zl-letter">未发现</p>' in client.get(f"{page}?lang=zh").text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_everyone_reads_the_published_offer(app: Zhiliu, lang: str) -> None:
    made = make_listing("published", rights=2)
    number = number_of(made)
    pages = ["/listings", f"/listings/{number}", f"/listings/{number}/notice", "/results"]
    people = [None, make_user(make_org("operator")).id, made.maker.user_id, made.manager.user_id]
    for person in people:
        client = app.test_client() if person is None else browser(app, person, lang)
        for page in pages:
            answer = client.get(f"{page}?lang={lang}")
            assert answer.status_code == 200, (person, page)
    text = app.test_client().get(f"/listings/{number}?lang={lang}").get_data(as_text=True)
    assert "¥5,000,000.00" in text and "ZL2020" in text
    english = 'Judicial online sale rules (<span lang="zh-CN">网拍规定</span>) art. 20'
    assert ("网拍规定第 20 条" if lang == "zh" else english) in text


@pytest.mark.parametrize("state", ["draft", "submitted", "reviewed"])
def test_what_is_not_published_is_not_there_for_others(app: Zhiliu, state: str) -> None:
    made = make_listing(state)
    stranger = browser(app, make_actor("bank").user_id)
    assert stranger.get(f"/listings/mine/{made.id}").status_code == 404
    assert stranger.get(f"/listings/mine/{made.id}/notice").status_code == 404
    assert stranger.post(f"/listings/mine/{made.id}/text", data={"title": "改"}).status_code == 404
    assert app.test_client().get("/listings/ZL-2026-000001").status_code == 404
    title = db.session.get_one(Listing, made.id).title
    assert title not in app.test_client().get("/listings").get_data(as_text=True)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("state", ["draft", "waiting", "submitted", "reviewed", "published", "suspended", "withdrawn"])
def test_bank_and_manager_pages_answer_in_every_state(app: Zhiliu, state: str, lang: str) -> None:
    made = make_listing(state)
    for person in (made.maker, made.second):
        bank = browser(app, person.user_id, lang)
        assert bank.get("/listings/mine").status_code == 200
        for step in ("rights", "text", "terms", "warnings", "documents"):
            assert bank.get(f"/listings/mine/{made.id}?step={step}").status_code == 200
        assert bank.get("/manage/listings").status_code == 403
    for person in (made.manager, made.other_manager):
        manager = browser(app, person.user_id, lang)
        for page in ("/manage/listings", f"/manage/listings/{made.id}", f"/listings/mine/{made.id}/notice"):
            assert manager.get(page).status_code == 200


def test_the_whole_way_through_the_pages(app: Zhiliu) -> None:
    from tests.factories.cases import make_case

    org = make_org("bank")
    maker, second = make_actor("bank", ("maker",), org=org), make_actor("bank", ("approver",), org=org)
    platform = make_org("platform")
    a, b = make_actor("platform", org=platform), make_actor("platform", org=platform)
    case = make_case(maker, approved=True, approver=second, rights=2)
    right_ids = [link.right_id for link in case.pledges]
    bank = browser(app, maker.user_id)
    assert bank.get(f"/listings/new?case={case.id}").status_code == 200
    assert bank.post(f"/listings/new?case={case.id}", data={"profile_code": "pledgee_agreed"}).status_code == 422
    made = bank.post(f"/listings/new?case={case.id}", data={"right_ids": right_ids, "profile_code": "pledgee_agreed"})
    assert made.status_code == 302
    listing_id = db.session.scalar(select(Listing.id))
    here = f"/listings/mine/{listing_id}"
    opens = (now() + timedelta(days=40)).astimezone(SHANGHAI)
    names = "summary known_defects inspection handover taxes_and_fees bidder_conditions priority_holders"
    text = dict.fromkeys([*names.split(), "notification_note", "contact"], "内容")
    told = (now() - timedelta(days=5)).astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")
    assert bank.post(here + "/text", data={"title": "", **text}).status_code == 422
    assert bank.post(here + "/text", data={"title": "两项专利", "parties_notified_at": told, **text}).status_code == 302
    terms = {
        "profile_code": "pledgee_agreed",
        "valuation_basis": "bank_internal",
        "appraisal": "600万",
        "start": "4,000,000.00",
        "increment": "2万",
        "deposit": "50万",
        "balance_days": "15",
        "opens_at": opens.strftime("%Y-%m-%dT10:00"),
        "ends_at": (opens + timedelta(days=2)).strftime("%Y-%m-%dT10:00"),
    }
    wrong = bank.post(here + "/terms", data=terms | {"start": "四百万"})
    assert wrong.status_code == 422 and "四百万" in wrong.get_data(as_text=True)
    mess = {"start": "1", "increment": "0", "deposit": "", "balance_days": "9999", "ends_at": terms["opens_at"]}
    said = bank.post(here + "/terms", data=terms | mess).get_data(as_text=True).split("zl-summary")[1].split("</ul>")[0]
    for field in ("start", "increment", "deposit", "balance_days", "ends_at"):
        assert said.count(f'href="#{field}"') == 1, field  # everything at once, nothing twice
    assert bank.post(here + "/terms", data=terms | {"profile_code": "x"}).status_code == 422
    assert bank.post(here + "/terms/check", data=terms | {"profile_code": "x"}).status_code == 200
    live = bank.post(here + "/terms/check", data=terms).get_data(as_text=True)
    assert "¥4,200,000.00" in live and 'data-code="start_below_floor"' in live and "第 10 条" in live
    assert db.session.get_one(Listing, listing_id).start_minor is None  # a check saves nothing
    assert bank.post(here + "/terms", data=terms | {"start": "450万"}).status_code == 302
    warnings = ["capacity", "agent", "defects", "as_is", "accepts_defects", "identity_published", "deposit_forfeit"]
    assert bank.post(here + "/warnings", data={"warnings": warnings}).status_code == 302
    assert bank.post(here + "/submit").status_code == 422  # the price document is missing
    import io

    pdf = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    answer = bank.post(
        here + "/documents",
        data={"kind": "price_basis", "visibility": "public", "file": (io.BytesIO(pdf), "定价依据.pdf")},
    )
    assert answer.status_code == 302
    assert badges(bank.get(here).text) == badges(bank.get("/listings/mine").text) == {"草稿"}
    assert bank.post(here + "/submit").status_code == 302
    assert badges(bank.get(here).text) == badges(bank.get("/listings/mine").text) == {"待复核"}
    assert bank.post(here + "/decide", data={"decision": "approve"}).status_code == 403
    assert browser(app, second.user_id).post(here + "/decide", data={"decision": "approve"}).status_code == 302
    there = f"/manage/listings/{listing_id}"
    first, other = browser(app, a.user_id), browser(app, b.user_id)
    assert first.post(there + "/review", data={"items": ["title_checked"]}).status_code == 422
    assert first.post(there + "/review", data={"items": list(REVIEW_ITEMS)}).status_code == 302
    assert first.post(there + "/publish").status_code == 403
    assert other.post(there + "/publish").status_code == 302
    db.session.expire_all()
    number = db.session.get_one(Listing, listing_id).number
    page = app.test_client().get(f"/listings/{number}").get_data(as_text=True)
    assert "两项专利" in page and "定价依据.pdf" in page
    pledge = case.pledges[0].pledge_no  # stated in the case, entered as the right's burden when it was approved
    assert pledge and pledge in page and pledge in app.test_client().get(f"/listings/{number}/notice").text
    asker = browser(app, make_actor("operator").user_id)
    assert asker.post(f"/listings/{number}/questions", data={"text": ""}).status_code == 422
    assert asker.post(f"/listings/{number}/questions", data={"text": "能否实地查看？"}).status_code == 302
    objection = {"capacity": "creditor", "ground": "price", "text": "价格过低"}
    assert asker.post(f"/listings/{number}/objections", data=objection).status_code == 302
    assert app.test_client().post(f"/listings/{number}/objections", data=objection).status_code in (302, 401, 403)
    page = app.test_client().get(f"/listings/{number}").get_data(as_text=True)
    assert "能否实地查看？" in page and "价格过低" not in page


def many(made: Made, count: int, start: int = 0) -> None:
    """More published offers with lots, written as rows."""
    listing = db.session.get_one(Listing, made.id)
    from marketplace.auctions.models import Lot, LotState

    lot = db.session.scalar(select(Lot).where(Lot.listing_id == made.id))
    state = db.session.get_one(LotState, lot.id)

    def copied(row: object, skip: set[str]) -> dict[str, object]:
        return {c.key: getattr(row, c.key) for c in row.__table__.columns if c.key not in skip}  # type: ignore[attr-defined]

    base = copied(listing, {"id", "number"})
    listings = [Listing(**base, number=f"ZL-2026-1{n:05d}") for n in range(start, start + count)]
    db.session.add_all(listings)
    db.session.flush()
    frozen, moving = copied(lot, {"id", "listing_id", "code"}), copied(state, {"lot_id"})
    lots = [Lot(**frozen, listing_id=row.id, code=f"{row.number}-1") for row in listings]
    db.session.add_all(lots)
    right_id = listing.items[0].right_id
    db.session.add_all(ListingRight(listing_id=row.id, right_id=right_id) for row in listings)
    db.session.flush()
    db.session.add_all(LotState(**moving, lot_id=row.id) for row in lots)
    db.session.commit()


def test_the_pages_need_few_statements_whatever_the_number_of_lots(
    app: Zhiliu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_embedded(app, tmp_path, monkeypatch)
    made = make_listing("published", rights=3)
    client = browser(app, make_actor("operator").user_id)
    number = number_of(made)
    pages = [
        "/listings",
        "/listings?q=水电站&kind=invention_patent&sort=ending&page=3",
        f"/listings/{number}",
        "/results",
    ]
    client.get("/listings")

    def count(page: str) -> int:
        with counted() as sent:
            assert client.get(page).status_code == 200
        return len([s for s in sent if not s.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"))])

    many(made, 5)  # an offer is shown with others like it
    truth.mark(db.session.scalars(select(Listing.id)))
    db.session.commit()
    indexed()
    before = {page: count(page) for page in pages}
    many(made, 300, start=5)
    truth.mark(db.session.scalars(select(Listing.id)))
    db.session.commit()
    indexed()
    after = {page: count(page) for page in pages}
    assert max(after.values()) <= 12, after
    assert all(after[page] <= before[page] + 1 for page in pages), (before, after)
    found = queries.latest_public(5)
    assert len(found) == 5 and found[0].href.startswith("/listings/")


def test_filters_narrow_the_list_and_stand_in_the_address(
    app: Zhiliu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_embedded(app, tmp_path, monkeypatch)
    made = make_listing("published")
    indexed()
    number = number_of(made)
    client = app.test_client()

    def shown(query: str) -> bool:
        return number in client.get("/listings?" + query).get_data(as_text=True)

    for query in ("q=水电站", f"q={number}", "kind=invention_patent", "state=scheduled", "low=400万", "high=5,000,000"):
        assert shown(query), query
    for query in (
        "q=没有这个",
        "kind=trademark",
        "state=sold",
        "low=600万",
        "closing=1",
        "channel=storage",
        "region=44",
    ):
        assert not shown(query), query
    assert "有的条件无法识别" in client.get("/listings?low=abc").get_data(as_text=True)


NAMES = st.sampled_from(
    ["q", "kind", "channel", "state", "region", "low", "high", "closing", "sort", "page", "lang", "x"]
)


@given(pairs=st.lists(st.tuples(NAMES, st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30))))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_query_string_gets_a_list(app: Zhiliu, pairs: list[tuple[str, str]]) -> None:
    assert app.test_client().get("/listings", query_string=dict(pairs)).status_code == 200


def test_only_free_rights_are_offered_and_others_lead_to_their_offer(app: Zhiliu) -> None:
    bank = make_org("bank")
    maker = make_actor("bank", ("maker",), org=bank)
    client = browser(app, maker.user_id)
    assert "还没有可以挂牌的案件" in client.get("/listings/new").text
    case = make_case(maker, rights=2, approved=True)
    first, second = (link.right_id for link in case.pledges)
    assert "2 项权利可以挂牌" in client.get("/listings/new").text
    assert "2 项权利可以挂牌" in client.get("/listings/mine").text
    offer = service.create_listing(maker, case.id, [first])
    db.session.commit()
    assert "1 项权利可以挂牌" in client.get("/listings/new").text
    page = client.get(f"/listings/new?case={case.id}").text
    assert page.count("disabled") == 1 and f'href="/listings/mine/{offer.id}"' in page
    assert f'value="{second}"' in page and f'value="{first}"' not in page
    service.create_listing(maker, case.id, [second])
    db.session.commit()
    assert case.reference not in client.get("/listings/new").text
    assert "已复核的案件都已挂牌" in client.get("/listings/new").text
    assert "可以挂牌" not in client.get("/listings/mine").text
    taken = client.get(f"/listings/new?case={case.id}").text
    assert "这个案件的权利都已挂牌" in taken and "<form" not in taken.split("<main")[1]
    service.discard(maker, offer.id, "改日再办")
    db.session.commit()
    assert "1 项权利可以挂牌" in client.get("/listings/new").text


@pytest.mark.parametrize(
    ("after_sale", "free"), [("awaiting_balance", False), ("completed", False), ("defaulted", True)]
)
def test_a_right_that_was_sold_is_not_free_again_unless_its_buyer_defaults(
    app: Zhiliu, after_sale: str, free: bool
) -> None:
    made = make_listing("published")
    listing = db.session.get_one(Listing, made.id)
    (lot, _state), *_ = queries.rounds_of(made.id)
    listing.state = "closed"
    db.session.flush()
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(
        text("UPDATE lot_state SET state = 'sold', after_sale = :a WHERE lot_id = :l"), {"a": after_sale, "l": lot.id}
    )
    db.session.commit()
    assert bool(desk.listable(listing.org_id)) is free


def test_what_was_written_is_not_lost_with_a_refusal(app: Zhiliu) -> None:
    made = make_listing("draft")
    client = browser(app, made.maker.user_id)
    page, text = f"/listings/mine/{made.id}", "更正：查看时间改为周一至周五。"
    ours = client.post(f"{page}/corrections", data={"text": text}, headers={"Referer": f"http://localhost{page}"})
    assert ours.status_code in (403, 409) and text in ours.text and "可以从这里复制" in ours.text
    theirs = client.post(f"{page}/corrections", data={"text": text}, headers={"Referer": "https://evil.example/"})
    assert theirs.status_code == ours.status_code and text not in theirs.text
