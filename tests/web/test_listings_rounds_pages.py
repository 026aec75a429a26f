"""The second round, the bar in mid-sale and the proof of status through the pages, as each person works with them."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from marketplace import Zhiliu
from marketplace.auctions import service as auctions
from marketplace.auctions.models import CourseEntry, Qualification, Registration
from marketplace.core import approvals
from marketplace.core.actor import Actor
from marketplace.core.clock import SHANGHAI, now
from marketplace.core.db import db
from marketplace.listings import service
from marketplace.listings.models import Listing, NextRound
from marketplace.listings.texts import ROUND_REVIEW_ITEMS
from marketplace.money import queries as money
from marketplace.parties.models import Organisation, User
from tests.db.test_listings_rounds import end_now, latest, take_to, unsold
from tests.factories.auctions import MadeLot, make_bidder, make_lot
from tests.factories.listings import Made, make_listing
from tests.factories.parties import client_for, make_actor
from tests.factories.rights import PDF

FORM = "%Y-%m-%dT%H:%M:%S"


def browser(app: Zhiliu, actor: Actor, lang: str = "zh") -> FlaskClient:
    return client_for(app, db.session.get_one(User, actor.user_id), lang)


def typed(html: str, name: str) -> str:
    """What the form holds in this field."""
    import re

    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', html)
    assert found, name
    return found[1]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_second_round_from_the_desk_of_the_bank_to_the_public_page(app: Zhiliu, lang: str) -> None:
    made = unsold()
    here, there = f"/listings/mine/{made.id}", f"/manage/listings/{made.id}"
    maker, second = browser(app, made.maker, lang), browser(app, made.second, lang)
    one, other = browser(app, made.manager, lang), browser(app, made.other_manager, lang)
    page = maker.get(here).get_data(as_text=True)
    assert "¥4,000,000.00" in page and f"{here}/round" in page and ("art. 26" in page or "第 26 条" in page)
    assert f"{here}/round" not in second.get(here).get_data(as_text=True)  # a maker arranges
    assert maker.get("/listings/mine").status_code == 200
    form = maker.get(f"{here}/round").get_data(as_text=True)
    terms = {name: typed(form, name) for name in ("start", "increment", "deposit", "opens_at", "ends_at")}
    assert terms["start"] == "4,000,000.00"
    told = (now() - timedelta(days=5)).astimezone(SHANGHAI).strftime(FORM)
    low = maker.post(f"{here}/round", data=terms | {"start": "399万", "parties_notified_at": told})
    said = low.get_data(as_text=True)
    assert low.status_code == 422 and "399万" in said and "¥4,000,000.00" in said
    assert "第 26 条" in said if lang == "zh" else "art. 26" in said
    mess = {"start": "399万", "increment": "0", "deposit": "", "ends_at": terms["opens_at"]}
    told_at_once = maker.post(f"{here}/round", data=terms | mess).get_data(as_text=True)
    summary = told_at_once.split("zl-summary")[1].split("</ul>")[0]
    for field in ("start", "increment", "deposit", "ends_at", "parties_notified_at"):
        assert summary.count(f'href="#{field}"') == 1, field
    missing = maker.post(f"{here}/round", data=terms)
    assert missing.status_code == 422
    assert maker.post(f"{here}/round", data=terms | {"parties_notified_at": told}).status_code == 302
    notice = maker.get(f"{here}/round/notice").get_data(as_text=True)
    assert "第二次竞价" in notice and "无人出价，流拍" in notice
    assert maker.post(f"{here}/round/submit").status_code == 302
    assert maker.post(f"{here}/round/decide", data={"decision": "approve"}).status_code == 403
    assert second.get(here).status_code == 200
    assert second.post(f"{here}/round/decide", data={"decision": "approve"}).status_code == 302
    assert one.get("/manage/listings").status_code == 200
    assert "round-review" in one.get(there).get_data(as_text=True)
    assert one.post(f"{there}/round/review", data={"items": ["terms_checked"]}).status_code == 409
    assert one.post(f"{there}/round/review", data={"items": list(ROUND_REVIEW_ITEMS)}).status_code == 302
    assert one.post(f"{there}/round/publish").status_code == 403
    assert f"{there}/round/publish" in other.get(there).get_data(as_text=True)
    assert other.post(f"{there}/round/publish").status_code == 302
    db.session.expire_all()
    number = db.session.get_one(Listing, made.id).number
    public = app.test_client()
    page = public.get(f"/listings/{number}?lang={lang}").get_data(as_text=True)
    for part in ("¥5,000,000.00", "¥4,000,000.00", f"/listings/{number}/notice/1", f"/listings/{number}/notice/2"):
        assert part in page, part
    first = public.get(f"/listings/{number}/notice/1").get_data(as_text=True)
    latest_notice = public.get(f"/listings/{number}/notice").get_data(as_text=True)
    assert "第二次竞价" not in first and "第二次竞价" in latest_notice
    row = db.session.scalars(select(NextRound)).one()
    assert row.notice_sha256 and row.notice_sha256 in latest_notice and row.notice_sha256 not in first
    assert public.get(f"/listings/{number}/notice/3").status_code == 404
    for client in (maker, one):
        assert client.get(here if client is maker else there).status_code == 200
    assert public.get("/results").status_code == 200
    said = public.get(f"/api/v1/listings/{number}").json
    assert said and [r["round_no"] for r in said["rounds"]] == [1, 2]


def test_a_round_that_cannot_be_is_not_offered_but_explained(app: Zhiliu) -> None:
    made = unsold()
    take_to(made, "published")
    end_now(made)
    here = f"/listings/mine/{made.id}"
    for actor, path in ((made.maker, here), (made.manager, f"/manage/listings/{made.id}")):
        page = browser(app, actor).get(path).get_data(as_text=True)
        assert "变卖" in page and f'href="{here}/round"' not in page
    form = browser(app, made.maker).get(f"{here}/round")
    assert form.status_code == 200 and 'name="start"' not in form.get_data(as_text=True)
    assert browser(app, made.maker).post(f"{here}/round", data={}).status_code in (409, 422)
    page = browser(app, made.second).get(here).get_data(as_text=True)
    assert f"{here}/withdrawal" in page  # what can be done stands there
    assert browser(app, made.second).post(f"{here}/withdrawal", data={"reason": "不再处置"}).status_code == 302


def test_strangers_reach_nothing_of_a_round_on_its_way(app: Zhiliu) -> None:
    made = unsold()
    take_to(made, "submitted")
    number = db.session.get_one(Listing, made.id).number
    other_bank, bidder = browser(app, make_actor("bank")), browser(app, make_actor("operator"))
    for path in (f"/listings/mine/{made.id}/round", f"/listings/mine/{made.id}/round/notice"):
        assert other_bank.get(path).status_code == 404
        assert bidder.get(path).status_code == 403
    assert other_bank.post(f"/listings/mine/{made.id}/round/decide", data={"decision": "approve"}).status_code == 404
    assert "¥4,000,000.00" not in app.test_client().get(f"/listings/{number}").get_data(as_text=True)


def managers() -> tuple[Actor, Actor]:
    one = make_actor("platform")
    return one, make_actor("platform", org=db.session.get(Organisation, one.org_id))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_bidder_is_barred_in_mid_sale_by_two_managers(app: Zhiliu, lang: str) -> None:
    lot = make_lot(3)
    lot.bid(0, 100_000_00)
    lot.bid(1, 101_000_00)
    out, leader = lot.bidders[0].registration, lot.bidders[1].registration
    a, b = managers()
    one, other = browser(app, a, lang), browser(app, b, lang)
    path = f"/manage/registrations/{out.id}/bar"
    assert path in one.get(f"/manage/lots/{lot.id}").get_data(as_text=True)
    page = one.get(path).get_data(as_text=True)
    assert "¥100,000.00" in page and "¥10,000.00" in page  # its best bid and its deposit
    assert lot.bidders[0].org.name not in page
    assert one.post(path, data={"reason": " "}).status_code == 422
    assert one.post(path, data={"reason": "与他人串通", "source": "网拍规定 art. 34"}).status_code == 302
    assert one.post(f"{path}/decision", data={"decision": "approve"}).status_code == 403
    assert "与他人串通" in other.get(path).get_data(as_text=True)
    assert other.get("/approvals").status_code == 200
    assert other.post(f"{path}/decision", data={"decision": "refuse"}).status_code == 409  # why is needed
    assert other.post(f"{path}/decision", data={"decision": "approve"}).status_code == 302
    db.session.expire_all()
    assert db.session.get_one(Registration, out.id).state == "barred"
    public = app.test_client().get(f"/lots/{lot.id}").get_data(as_text=True)
    assert "与他人串通" in public and lot.bidders[0].org.name not in public
    mine = browser(app, lot.bidders[0].actor, lang)
    for own in (f"/lots/{lot.id}", f"/lots/{lot.id}/register", "/my/registrations"):
        shown = mine.get(own)
        assert shown.status_code == 200
    assert "与他人串通" in mine.get(f"/lots/{lot.id}/register").get_data(as_text=True)
    assert 'id="bid-form"' not in mine.get(f"/lots/{lot.id}").get_data(as_text=True)
    refused = one.get(f"/manage/registrations/{leader.id}/bar").get_data(as_text=True)
    assert 'name="reason"' not in refused  # the leader cannot be barred, and the page says so
    assert one.post(f"/manage/registrations/{leader.id}/bar", data={"reason": "串通"}).status_code == 409
    assert one.get("/manage/registrations/999999/bar").status_code == 404
    entry = db.session.scalars(select(CourseEntry).where(CourseEntry.kind == "barred")).one()
    assert entry.data == {"code": out.code, "reason": "与他人串通"}


def marks() -> Made:
    """A collective mark, published with the status that its transferee must have."""
    made = make_listing("draft", texts={"qualification": "须为行业协会，并提交登记证书。"})
    db.session.execute(text("UPDATE \"right\" SET kind = 'collective_mark'"))
    db.session.commit()
    from tests.factories.listings import advance

    db.session.expire_all()
    advance(made, "published")
    return made


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_collective_mark_is_sold_to_those_who_prove_their_status(app: Zhiliu, lang: str) -> None:
    made = marks()
    lot, _state = latest(made)
    assert (
        lot.facts["qualification"] == "须为行业协会，并提交登记证书。"
        and "art. 16" in lot.facts["qualification_source"]
    )
    number = db.session.get_one(Listing, made.id).number
    assert "须为行业协会" in app.test_client().get(f"/listings/{number}?lang={lang}").get_data(as_text=True)
    assert "受让资格：须为行业协会" in (db.session.get_one(Listing, made.id).notice_text or "")
    actor, manager = make_actor("operator"), browser(app, made.manager, lang)
    bidder = browser(app, actor, lang)
    page = bidder.get(f"/lots/{lot.id}/register").get_data(as_text=True)
    assert 'id="qualification"' in page and 'name="terms_sha256"' not in page  # no way to pay before it is confirmed
    refused = bidder.post(
        f"/lots/{lot.id}/register",
        data={"notice": "y", "accept": [w["code"] for w in lot.profile["warnings"]], "terms_sha256": "x"},
    )
    assert refused.status_code == 409 and money.deposit_of(lot.id, actor.org_id or 0) is None
    target = f"/lots/{lot.id}/qualification"
    assert bidder.post(target, data={"statement": "我们是协会"}).status_code == 422  # no file
    wrong = {"statement": "我们是协会", "file": (io.BytesIO(b"MZ"), "a.exe")}
    assert bidder.post(target, data=wrong, content_type="multipart/form-data").status_code == 422
    db.session.expire_all()
    assert db.session.scalar(select(Qualification.id)) is None
    good = {"statement": "我们是协会", "file": (io.BytesIO(PDF), "登记证书.pdf")}
    assert bidder.post(target, data=good, content_type="multipart/form-data").status_code == 302
    row = db.session.scalars(select(Qualification)).one()
    page = manager.get(f"/manage/lots/{lot.id}").get_data(as_text=True)
    assert "我们是协会" in page and "登记证书.pdf" in page
    decide = f"/manage/lots/{lot.id}/qualifications/{row.id}"
    assert manager.post(decide, data={"decision": "refuse", "reason": ""}).status_code == 422
    assert manager.post(decide, data={"decision": "refuse", "reason": "证书已过期"}).status_code == 302
    assert "证书已过期" in bidder.get(f"/lots/{lot.id}/register").get_data(as_text=True)
    again = {"statement": "附新证书", "file": (io.BytesIO(PDF + b"\n"), "新证书.pdf")}
    assert bidder.post(target, data=again, content_type="multipart/form-data").status_code == 302
    assert manager.post(decide, data={"decision": "confirm", "reason": "证书有效"}).status_code == 302
    assert manager.post(decide, data={"decision": "confirm", "reason": "再次"}).status_code == 409
    page = bidder.get(f"/lots/{lot.id}/register").get_data(as_text=True)
    assert 'name="terms_sha256"' in page
    registration = auctions.register(actor, lot.id, lot.facts["notice_sha256"])
    db.session.commit()
    assert money.deposit_of(lot.id, registration.org_id) is not None
    stranger = browser(app, make_actor("operator"), lang)
    assert "我们是协会" not in stranger.get(f"/lots/{lot.id}/register").get_data(as_text=True)


def test_without_the_status_a_collective_mark_is_not_published(app: Zhiliu) -> None:
    made = make_listing("draft")
    db.session.execute(text("UPDATE \"right\" SET kind = 'collective_mark'"))
    db.session.commit()
    db.session.expire_all()
    client = browser(app, made.maker)
    assert client.post(f"/listings/mine/{made.id}/submit").status_code == 422
    assert 'name="qualification"' in client.get(f"/listings/mine/{made.id}?step=text").get_data(as_text=True)
    service.edit_text(made.maker, made.id, {"qualification": "须为行业协会。"})
    db.session.commit()
    assert client.post(f"/listings/mine/{made.id}/submit").status_code == 302


def test_a_lot_without_a_status_asks_for_no_proof(app: Zhiliu) -> None:
    lot: MadeLot = make_lot(0)
    actor = make_actor("operator")
    client = browser(app, actor)
    assert 'id="qualification"' not in client.get(f"/lots/{lot.id}/register").get_data(as_text=True)
    assert client.post(f"/lots/{lot.id}/qualification", data={"statement": "我们是协会"}).status_code == 409
    assert make_bidder(lot.lot, actor=actor).registration.state == "qualified"


def test_the_journal_and_the_approvals_name_rounds_and_bars(app: Zhiliu) -> None:
    made = unsold()
    take_to(made, "waiting")
    page = browser(app, made.second).get("/approvals").get_data(as_text=True)
    assert "提交下一轮" in page
    asked = approvals.open_approval("listing.round_submit", "listing", made.id)
    assert asked is not None
    answer = browser(app, made.second).post(f"/approvals/{asked.id}", data={"answer": "approve"})
    assert answer.status_code == 302
    db.session.expire_all()
    assert db.session.scalars(select(NextRound.state)).one() == "submitted"
