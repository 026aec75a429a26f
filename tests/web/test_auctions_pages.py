"""The pages of a sale for each role: what they show, what they refuse, and what they never show."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.auctions import service
from marketplace.auctions.models import Award, BidRefusal, CourseEntry, PreemptionClaim, Registration
from marketplace.core.db import db
from marketplace.core.models import Event
from marketplace.money import queries
from marketplace.parties.models import User
from marketplace.web.formats import instant
from tests.factories.auctions import Bidder, MadeLot, make_lot
from tests.factories.money import make_managers, pay
from tests.factories.parties import client_for, make_actor, make_org, make_user

TITLE = '<script>alert(1)</script>一种"发明" & 专利'
ROOT = Path(__file__).resolve().parents[2]


def browser_of(app: Zhiliu, bidder: Bidder, lang: str = "zh") -> FlaskClient:
    return client_for(app, db.session.get_one(User, bidder.actor.user_id), lang)


def someone(app: Zhiliu, kind: str, lang: str = "zh") -> FlaskClient:
    return client_for(app, make_user(make_org(kind)), lang)


def key_in(html: str) -> str:
    found = re.search(r'name="idempotency_key" value="([^"]+)"', html)
    assert found, "no bid form"
    return found[1]


def bids_of(lot: MadeLot) -> int:
    return db.session.scalar(select(func.count()).select_from(CourseEntry).where(CourseEntry.lot_id == lot.id)) or 0


def test_the_public_sees_price_course_and_end_by_codes(app: Zhiliu, client: FlaskClient) -> None:
    lot = make_lot()
    lot.bid(0, 100_000_00)
    lot.bid(1, 103_000_00)
    page = client.get(f"/lots/{lot.id}")
    html = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "¥103,000.00" in html and "¥104,000.00" in html
    assert lot.bidders[0].code in html and lot.bidders[1].code in html
    assert '<noscript><meta http-equiv="refresh"' in html
    assert 'id="bid-form"' not in html
    assert "去办理" in html


def test_markup_in_a_title_stays_text_on_every_page(app: Zhiliu) -> None:
    lot = make_lot()
    lot.lot.title = TITLE
    db.session.commit()
    lot.bid(0, 100_000_00)
    bidder, manager = browser_of(app, lot.bidders[0]), someone(app, "platform")
    seller = client_for(app, make_user(lot.seller))
    pages = [
        (bidder, p)
        for p in (f"/lots/{lot.id}", f"/lots/{lot.id}/course", f"/lots/{lot.id}/register", "/my/registrations")
    ]
    pages += [(manager, "/manage/lots"), (manager, f"/manage/lots/{lot.id}"), (seller, f"/lots/{lot.id}/seller")]
    for who, path in pages:
        html = who.get(path).get_data(as_text=True)
        assert "alert(1)" in html, path
        assert "<script>alert" not in html, path


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_name_account_or_address_of_another_bidder_leaves_the_server_during_the_sale(app: Zhiliu, lang: str) -> None:
    lot = make_lot(bidders=3)
    lot.bid(0, 100_000_00)
    lot.bid(1, 101_000_00)
    watched = [lot.bidders[0], lot.bidders[1]]
    secrets = {s for b in watched for s in (b.org.name, b.org.uscc, b.org.account_no, b.org.account_name)}
    secrets |= {db.session.get_one(User, b.actor.user_id).email for b in watched}
    everyone = {
        "public": app.test_client(),
        "bidder": browser_of(app, lot.bidders[2], lang),
        "seller": client_for(app, make_user(lot.seller), lang),
        "manager": someone(app, "platform", lang),
        "regulator": someone(app, "regulator", lang),
    }
    paths = ["", "/course", "/register", "/state.json", "/course.json", "/seller", "/events"]
    for role, browser in everyone.items():
        for path in [
            *(f"/lots/{lot.id}{p}" for p in paths),
            "/my/registrations",
            "/manage/lots",
            f"/manage/lots/{lot.id}",
        ]:
            answer = browser.get(path)
            text = (
                next(iter(answer.response)) + next(iter(answer.response)) if path.endswith("/events") else answer.data
            )
            answer.close()
            shown = text if isinstance(text, str) else text.decode()
            assert not [s for s in secrets if s and s in shown], (role, path)
    assert everyone["bidder"].get(f"/lots/{lot.id}/receipts/1").status_code == 404


def test_a_bid_is_placed_once_however_often_it_is_sent(app: Zhiliu) -> None:
    lot = make_lot()
    browser = browser_of(app, lot.bidders[0])
    form = {"idempotency_key": key_in(browser.get(f"/lots/{lot.id}").get_data(as_text=True)), "amount": "10万"}
    first = browser.post(f"/lots/{lot.id}/bids", data=form)
    again = browser.post(f"/lots/{lot.id}/bids", data=form)
    assert first.status_code == again.status_code == 302
    assert first.location == again.location == f"/lots/{lot.id}?bid=1#bid"
    assert bids_of(lot) == 1
    html = browser.get(first.location).get_data(as_text=True)
    assert "出价成功" in html and "（您）" in html and key_in(html) != form["idempotency_key"]


def test_the_back_button_with_another_amount_does_not_bid_twice(app: Zhiliu) -> None:
    lot = make_lot()
    browser = browser_of(app, lot.bidders[0])
    form = {"idempotency_key": uuid.uuid4().hex, "amount": "100000"}
    browser.post(f"/lots/{lot.id}/bids", data=form)
    page = browser.post(f"/lots/{lot.id}/bids", data=form | {"amount": "200000"})
    assert page.status_code == 409 and "key_reused" in page.text and 'value="200000"' in page.text
    assert bids_of(lot) == 1


def test_a_refused_bid_says_why_by_which_rule_and_keeps_what_was_typed(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(1, 150_000_00)
    browser = browser_of(app, lot.bidders[0])
    page = browser.post(f"/lots/{lot.id}/bids", data={"idempotency_key": uuid.uuid4().hex, "amount": "1,000.50"})
    assert page.status_code == 409
    for text in ('value="1,000.50"', 'data-code="below_minimum"', "网拍规定第 20、27 条", "¥150,000.00", "¥151,000.00"):
        assert text in page.text
    assert db.session.scalar(select(BidRefusal.code)) == "below_minimum"


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", "money_format"), ("abc", "money_format"), ("1.234", "money_decimals"), ("-5", "money_negative"),
     ("9" * 30, "money_too_large"), ("<b>", "money_format"), ("1e9", "money_format")],
)  # fmt: skip
def test_what_is_no_amount_gets_a_clear_answer_and_is_kept(app: Zhiliu, typed: str, code: str) -> None:
    lot = make_lot()
    browser = browser_of(app, lot.bidders[0])
    page = browser.post(f"/lots/{lot.id}/bids", data={"idempotency_key": "k", "amount": typed})
    assert page.status_code == 422 and code in page.text
    assert f'value="{typed.replace("<", "&lt;").replace(">", "&gt;")}"' in page.text
    said = browser.post(f"/lots/{lot.id}/bids", data={"amount": typed}, headers={"Accept": "application/json"})
    assert said.status_code == 422 and said.json["error"]["code"] == code and said.json["next_key"]


def test_without_script_the_next_amounts_are_a_list(app: Zhiliu) -> None:
    lot = make_lot()
    browser = browser_of(app, lot.bidders[0])
    html = browser.get(f"/lots/{lot.id}").get_data(as_text=True)
    assert '<option value="10100000">¥101,000.00</option>' in html
    browser.post(f"/lots/{lot.id}/bids", data={"idempotency_key": "k", "amount": "", "step": "10100000"})
    assert lot.state.price_minor == 101_000_00


def test_a_far_too_high_amount_asks_once_more(app: Zhiliu) -> None:
    lot = make_lot()
    browser = browser_of(app, lot.bidders[0])
    form = {"amount": "200万", "idempotency_key": "a"}
    page = browser.post(f"/lots/{lot.id}/bids", data=form)
    assert page.status_code == 409 and "confirm_high" in page.text
    assert not re.search(r'id="bid-confirm" hidden', page.text)
    sure = browser.post(f"/lots/{lot.id}/bids", data=form | {"idempotency_key": key_in(page.text), "confirm_high": "1"})
    assert sure.status_code == 302 and lot.state.price_minor == 2_000_000_00


def test_a_priority_purchaser_may_take_the_current_price(app: Zhiliu) -> None:
    lot = make_lot(ranks=(1,))
    lot.bid(1, 120_000_00)
    browser = browser_of(app, lot.bidders[0])
    html = browser.get(f"/lots/{lot.id}").get_data(as_text=True)
    assert 'name="match" value="12000000"' in html and "data-match>" in html
    browser.post(f"/lots/{lot.id}/bids", data={"idempotency_key": "p", "match": "12000000"})
    assert lot.state.leader_code == lot.bidders[0].code and lot.state.price_minor == 120_000_00
    page = browser.get(f"/lots/{lot.id}").get_data(as_text=True)
    assert "优先购买权人同价出价" in page and "data-match hidden" in page


def test_the_script_gets_the_same_answers_as_json(app: Zhiliu) -> None:
    lot = make_lot()
    browser = browser_of(app, lot.bidders[0])
    json_please = {"Accept": "application/json"}
    form = {"idempotency_key": "j", "amount": "100000"}
    said = browser.post(f"/lots/{lot.id}/bids", data=form, headers=json_please)
    assert said.status_code == 200
    assert (
        said.json["accepted"] and said.json["standing"]["leading"] and said.json["standing"]["price_minor"] == 10000000
    )
    assert said.json["receipt_url"] == f"/lots/{lot.id}/receipts/1"
    low = browser_of(app, lot.bidders[1]).post(f"/lots/{lot.id}/bids", data=form | {"amount": "5"}, headers=json_please)
    assert low.status_code == 409 and low.json["error"]["code"] == "below_minimum"
    assert low.json["standing"]["price_minor"] == 10000000 and low.json["standing"]["minimum_minor"] == 10100000
    out = app.test_client().post(f"/lots/{lot.id}/bids", data=form, headers=json_please)
    assert out.status_code == 401 and out.json["error"]["code"] == "sign_in_needed"


def test_an_expired_sign_in_keeps_the_bid_for_after_signing_in(app: Zhiliu) -> None:
    lot = make_lot()
    form = {"idempotency_key": "kept-key", "amount": "123,000"}
    came_from = {"Referer": f"http://localhost/lots/{lot.id}"}
    page = app.test_client().post(f"/lots/{lot.id}/bids", data=form, headers=came_from)
    assert page.status_code == 401
    assert 'value="123,000"' in page.text and 'value="kept-key"' in page.text
    assert bids_of(lot) == 0
    assert browser_of(app, lot.bidders[0]).post(f"/lots/{lot.id}/bids", data=form).status_code == 302
    assert lot.state.price_minor == 123_000_00


def test_a_bid_takes_few_queries(app: Zhiliu) -> None:
    from sqlalchemy import event

    lot = make_lot()
    browser = browser_of(app, lot.bidders[0])
    browser.get(f"/lots/{lot.id}")
    asked: list[str] = []
    count = lambda conn, cursor, statement, *rest: asked.append(statement)  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", count)
    try:
        browser.post(
            f"/lots/{lot.id}/bids",
            data={"idempotency_key": "q", "amount": "100000"},
            headers={"Accept": "application/json"},
        )
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    assert len(asked) <= 5, asked


def test_the_receipt_is_the_bidders_own_and_verifies(app: Zhiliu, tmp_path: Path) -> None:
    lot = make_lot()
    lot.bid(0, 100_000_00)
    lot.bid(1, 105_000_00)
    mine = browser_of(app, lot.bidders[0])
    (tmp_path / "receipt.json").write_bytes(mine.get(f"/lots/{lot.id}/receipts/1").data)
    (tmp_path / "course.json").write_bytes(app.test_client().get(f"/lots/{lot.id}/course.json").data)
    (tmp_path / "key.pem").write_bytes(app.test_client().get("/lots/public-key.pem", follow_redirects=True).data)
    (tmp_path / "verify_sale.py").write_bytes(app.test_client().get("/lots/verify_sale.py").data)
    run = [sys.executable, "verify_sale.py", "course.json", "--public-key", "key.pem", "--receipt", "receipt.json"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    text = json.dumps(receipt).replace("10000000", "20000000")
    (tmp_path / "receipt.json").write_text(text)
    assert subprocess.run(run, cwd=tmp_path, capture_output=True, timeout=30).returncode != 0
    assert mine.get(f"/lots/{lot.id}/receipts/2").status_code == 404
    assert app.test_client().get(f"/lots/{lot.id}/receipts/1").status_code in (302, 401)


def test_someone_without_registration_is_shown_the_conditions_first_and_the_form_asks_for_every_warning(
    app: Zhiliu,
) -> None:
    lot = make_lot(bidders=0)
    browser = someone(app, "operator")
    html = browser.get(f"/lots/{lot.id}").get_data(as_text=True)
    assert f"/lots/{lot.id}/register" in html and "bid-form" not in html
    form_page = browser.get(f"/lots/{lot.id}/register").get_data(as_text=True)
    codes = re.findall(r'name="accept" value="(\w+)"', form_page)
    terms = re.search(r'name="terms_sha256" value="(\w+)"', form_page)
    assert len(codes) >= 6 and terms
    some = browser.post(
        f"/lots/{lot.id}/register",
        data={"accept": codes[:2], "notice": "y", "agent_name": "张三", "terms_sha256": terms[1]},
    )
    assert some.status_code == 422
    summary = some.text.split('role="alert"')[1].split("</ul>")[0]
    assert [code for code in codes if f'href="#accept-{code}"' in summary] == codes[2:]
    assert f"特别提示第 {len(codes)} 条" in summary and "第 2 条" not in summary
    assert 'value="张三"' in some.text and f'value="{codes[0]}" id="accept-{codes[0]}" checked' in some.text
    assert db.session.scalar(select(func.count()).select_from(Registration)) == 0
    stale = browser.post(f"/lots/{lot.id}/register", data={"accept": codes, "notice": "y", "terms_sha256": "1" * 64})
    assert stale.status_code == 422 and "terms_not_accepted" in stale.text
    full = {"accept": codes, "notice": "y", "agent_name": "张三", "terms_sha256": terms[1]}
    assert browser.post(f"/lots/{lot.id}/register", data=full).status_code == 302
    browser.post(f"/lots/{lot.id}/register", data=full)
    assert db.session.scalar(select(func.count()).select_from(Registration)) == 1
    paying = browser.get(f"/lots/{lot.id}/register").get_data(as_text=True)
    assert "¥10,000.00" in paying and "6200 0000 0000 0001" in paying
    assert "待到账" in browser.get("/my/registrations").get_data(as_text=True)


def test_an_unverified_organisation_is_told_what_to_do_before_paying(app: Zhiliu) -> None:
    lot = make_lot(bidders=0)
    browser = client_for(app, make_user(make_org("operator", state="submitted")))
    html = browser.get(f"/lots/{lot.id}/register").get_data(as_text=True)
    assert "目前不能报名" in html and "核验通过后即可报名" in html and "terms_sha256" not in html


def test_a_priority_claim_is_filed_before_the_start_and_decided_by_a_manager(app: Zhiliu) -> None:
    lot = make_lot(bidders=1, opens_in=timedelta(hours=2))
    browser, manager = browser_of(app, lot.bidders[0]), someone(app, "platform")
    empty = browser.post(f"/lots/{lot.id}/priority", data={"basis": "co_owner", "evidence": ""})
    assert empty.status_code == 422 and "请说明证明材料" in empty.text
    filed = browser.post(f"/lots/{lot.id}/priority", data={"basis": "co_owner", "evidence": "共有协议 2020-1"})
    assert filed.status_code == 302
    claim = db.session.scalars(select(PreemptionClaim)).one()
    page = manager.get(f"/manage/lots/{lot.id}").get_data(as_text=True)
    assert "共有协议 2020-1" in page
    bare = manager.post(f"/manage/lots/{lot.id}/claims/{claim.id}", data={"decision": "refuse"})
    assert bare.status_code == 409 and "reason_needed" in bare.text
    wrong = manager.post(f"/manage/lots/{lot.id}/claims/{claim.id}", data={"decision": "confirm", "rank": "0"})
    assert wrong.status_code == 422
    assert (
        manager.post(f"/manage/lots/{lot.id}/claims/{claim.id}", data={"decision": "confirm", "rank": "1"}).status_code
        == 302
    )
    assert db.session.get_one(Registration, lot.bidders[0].registration.id, populate_existing=True).rank == 1


def test_my_registrations_adds_up_what_is_at_stake(app: Zhiliu) -> None:
    lot = make_lot()
    lot.bid(0, 100_000_00)
    lot.bid(1, 107_000_00)
    assert "¥107,000.00" in browser_of(app, lot.bidders[1]).get("/my/registrations").get_data(as_text=True)
    outbid = browser_of(app, lot.bidders[0]).get("/my/registrations").get_data(as_text=True)
    assert "未领先" in outbid and "总额" not in outbid
    nobody = someone(app, "operator").get("/my/registrations").get_data(as_text=True)
    assert "还没有报名" in nobody


def test_a_manager_suspends_with_a_published_reason_and_resumes(app: Zhiliu, client: FlaskClient) -> None:
    lot = make_lot()
    manager = someone(app, "platform")
    assert manager.post(f"/manage/lots/{lot.id}/suspend", data={"reason": " "}).status_code == 422
    assert manager.post(f"/manage/lots/{lot.id}/suspend", data={"reason": "系统检修"}).status_code == 302
    html = client.get(f"/lots/{lot.id}").get_data(as_text=True)
    assert "系统检修" in html and "暂停" in html
    clock = re.search(r'<span class="zl-countdown[^>]*id="live-countdown"[^>]*>([^<]*)</span>', html)
    assert clock and 'data-ends=""' in clock[0] and clock[1] == "暂停计时"  # counts again by itself after it resumes
    off = browser_of(app, lot.bidders[0]).get(f"/lots/{lot.id}").get_data(as_text=True)
    assert re.search(r'id="bid-hint">竞价已暂停', off) and re.search(r"data-bid disabled", off)
    assert manager.post(f"/manage/lots/{lot.id}/resume", data={"reason": "检修完成"}).status_code == 302
    assert lot.state.state == "running"
    late = manager.post(f"/manage/lots/{lot.id}/resume", data={"reason": "再来"})
    assert late.status_code == 409 and "not_suspended" in late.text


def test_withdrawal_waits_for_a_second_manager(app: Zhiliu) -> None:
    lot = make_lot()
    manager = someone(app, "platform")
    assert manager.post(f"/manage/lots/{lot.id}/withdraw", data={"reason": "申请人撤回"}).status_code == 302
    assert lot.state.state == "running"
    page = manager.get(f"/manage/lots/{lot.id}").get_data(as_text=True)
    assert "等待另一名管理人员复核" in page
    assert manager.post(f"/manage/lots/{lot.id}/withdraw", data={"reason": "再撤"}).status_code == 409


def test_names_are_shown_to_a_manager_on_request_and_the_look_is_recorded(app: Zhiliu) -> None:
    lot = make_lot()
    manager = someone(app, "platform")
    assert lot.bidders[0].org.name not in manager.get(f"/manage/lots/{lot.id}").get_data(as_text=True)
    assert lot.bidders[0].org.name in manager.post(f"/manage/lots/{lot.id}/names").get_data(as_text=True)
    assert db.session.scalar(select(func.count()).select_from(Event).where(Event.kind == "lot.names_viewed")) == 1


@pytest.mark.parametrize("kind", ["operator", "bank", "enterprise", "regulator"])
def test_the_managers_pages_are_for_managers(app: Zhiliu, kind: str) -> None:
    lot = make_lot(bidders=0)
    browser = someone(app, kind)
    assert browser.get("/manage/lots").status_code == 403
    assert browser.get(f"/manage/lots/{lot.id}").status_code == 403
    assert browser.post(f"/manage/lots/{lot.id}/suspend", data={"reason": "x"}).status_code == 403
    assert browser.get(f"/lots/{lot.id}/seller").status_code == 404


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_after_the_end_everyone_is_told_what_comes_next(app: Zhiliu, lang: str) -> None:
    lot = make_lot()
    lot.bid(0, 100_000_00)
    lot.bid(1, 101_000_00)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    winner = browser_of(app, lot.bidders[1], lang).get(f"/lots/{lot.id}").get_data(as_text=True)
    assert "¥91,000.00" in winner and 'id="winner"' in winner  # the balance: price less deposit
    loser = browser_of(app, lot.bidders[0], lang).get(f"/lots/{lot.id}").get_data(as_text=True)
    assert 'id="winner"' not in loser and "¥91,000.00" not in loser
    for path in ("/seller",):
        page = client_for(app, make_user(lot.seller), lang).get(f"/lots/{lot.id}{path}")
        assert page.status_code == 200 and "¥101,000.00" in page.text
        told = page.text.split('id="result"')[1].split("</section>")[0]
        assert lot.bidders[1].code in told and "¥101,000.00" in told
    managed = someone(app, "platform", lang).get(f"/manage/lots/{lot.id}")
    assert managed.status_code == 200 and "¥91,000.00" in managed.text
    stale = browser_of(app, lot.bidders[0]).post(
        f"/lots/{lot.id}/bids", data={"idempotency_key": "z", "amount": "20万"}
    )
    assert stale.status_code == 409


def test_who_has_paid_is_not_shown_a_time_to_pay(app: Zhiliu) -> None:
    lot = make_lot(2)
    lot.bid(0, 100_000_00)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    due = instant(db.session.scalars(select(Award)).one().balance_due_at)
    seller, buyer = client_for(app, make_user(lot.seller)), browser_of(app, lot.bidders[0])
    addresses = ((seller, f"/lots/{lot.id}/seller"), (buyer, f"/lots/{lot.id}"))
    assert all(due in client.get(address).text for client, address in addresses)
    balance = queries.balance_of(lot.id, lot.bidders[0].org.id)
    assert balance is not None
    pay(make_managers(), balance)
    for client, address in addresses:
        page = client.get(address).text
        assert due not in page and "付清余款" in page, address


def test_an_unsold_lot_and_one_not_there(app: Zhiliu, client: FlaskClient) -> None:
    lot = make_lot(bidders=0)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()
    assert "流拍" in client.get(f"/lots/{lot.id}").get_data(as_text=True)
    for path in ("", "/state.json", "/events", "/course", "/course.json", "/files/protocol.pdf"):
        assert client.get(f"/lots/999999{path}").status_code == 404, path


def test_a_document_for_the_completion_comes_from_the_seller_not_from_strangers(app: Zhiliu) -> None:
    import io

    lot = make_lot()
    lot.bid(0, 100_000_00)
    lot.end()
    service.close_lot(lot.id)
    db.session.commit()

    def given() -> dict[str, object]:
        return {"kind": "transfer_contract", "file": (io.BytesIO("合同内容".encode()), "合同.txt")}

    assert someone(app, "operator").post(f"/lots/{lot.id}/documents", data=given()).status_code == 404
    seller = client_for(app, make_user(lot.seller))
    assert seller.post(f"/lots/{lot.id}/documents", data=given() | {"kind": "x"}).status_code == 422
    assert seller.post(f"/lots/{lot.id}/documents", data=given()).status_code == 302


def test_a_viewer_of_the_organisation_sees_but_does_not_bid(app: Zhiliu) -> None:
    lot = make_lot(bidders=1)
    viewer = client_for(app, make_user(lot.bidders[0].org, roles=("viewer",)))
    assert "bid-form" not in viewer.get(f"/lots/{lot.id}").get_data(as_text=True)
    assert viewer.post(f"/lots/{lot.id}/bids", data={"idempotency_key": "v", "amount": "10万"}).status_code == 403


def test_managers_list_names_what_needs_attention(app: Zhiliu) -> None:
    make_managers()
    lot = make_lot(bidders=1)
    page = client_for(app, make_user(make_org("platform"))).get("/manage/lots").get_data(as_text=True)
    assert lot.lot.code in page and "尚无出价" in page
    make_actor("operator")
