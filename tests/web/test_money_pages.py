"""Pages of money: the whole way by forms, both languages, who may see what."""

from __future__ import annotations

import csv
import io

import pytest

from marketplace import Zhiliu
from marketplace.core.actor import SYSTEM
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Approval
from marketplace.money import queries, service
from marketplace.money.models import Deposit, Payout, ReleaseItem, ReleaseOrder, StatementLine
from marketplace.parties.models import Organisation, User
from tests.factories.auctions import MadeLot, make_lot
from tests.factories.money import Managers, due_payouts, make_managers, order_of, pay_deposit, row, statement
from tests.factories.parties import client_for, make_actor

AMOUNT = 10_000_00
PAGES = ("", "/statements", "/lines", "/payouts", "/orders", "/lots", "/ledger")


def browser(app: Zhiliu, actor, lang: str = "zh"):
    return client_for(app, db.session.get_one(User, actor.user_id), lang)


def reference(lot: MadeLot) -> str:
    deposit = queries.deposit_of(lot.id, lot.bidders[0].org.id)
    assert deposit is not None
    receivable = queries.receivable_of(deposit)
    assert receivable is not None
    return receivable.reference


def ready_order(lot: MadeLot, managers: Managers) -> ReleaseOrder:
    pay_deposit(managers, lot.id, lot.bidders[0].org.id)
    service.release_lot_deposits(lot.id, [], now(), SYSTEM)
    db.session.commit()
    return order_of(managers, due_payouts())


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_answers_empty_and_full(app: Zhiliu, lang: str) -> None:
    managers = make_managers()
    client = browser(app, managers.maker, lang)
    assert [client.get(f"/manage/money{page}").status_code for page in PAGES] == [200] * len(PAGES)
    lot = make_lot(1, real_money=True, deposit_minor=AMOUNT)
    order = ready_order(lot, managers)
    item = db.session.query(Payout).one()
    more = (
        f"/lots/{lot.id}",
        f"/orders/{order.id}",
        "/statements/" + str(db.session.query(StatementLine).one().import_id),
    )
    more += (f"/payouts/{item.id}", f"/approvals/{db.session.query(Approval).first().id}")
    assert [client.get(f"/manage/money{page}").status_code for page in PAGES + more] == [200] * len(PAGES + more)
    bidder = browser(app, lot.bidders[0].actor, lang)
    assert "¥10,000.00" in bidder.get("/my/deposits").text
    assert browser(app, make_actor("bank"), lang).get("/my/proceeds").status_code == 200


def test_others_see_nothing_of_it(app: Zhiliu) -> None:
    bidder = browser(app, make_actor("operator"))
    assert {bidder.get(f"/manage/money{page}").status_code for page in PAGES} == {403}
    assert bidder.get("/my/proceeds").status_code == 403
    assert app.test_client().get("/my/deposits").status_code == 302


def test_from_the_bank_file_to_the_held_deposit_by_two_people(app: Zhiliu) -> None:
    lot, managers = make_lot(1, real_money=True, deposit_minor=AMOUNT), make_managers()
    maker, approver = browser(app, managers.maker), browser(app, managers.approver)
    own = browser(app, lot.bidders[0].actor).get("/my/deposits").text
    assert reference(lot) in own and "6200 0000 0000 0001" in own
    payer = db.session.get_one(Organisation, lot.bidders[0].org.id)
    content = statement(row(AMOUNT, f"保证金 {reference(lot).lower()}", payer), row(5, "不明"), "坏行,X9,abc,,,,,")
    looked = maker.post("/manage/money/statements", data={"file": (io.BytesIO(content), "流水.csv")})
    assert looked.status_code == 200 and "完全相符" in looked.text and "不是金额" in looked.text
    assert db.session.query(StatementLine).count() == 0
    import hashlib

    sent = {"sha256": hashlib.sha256(content).hexdigest(), "filename": "流水.csv"}
    for _ in range(2):
        assert maker.post("/manage/money/statements/import", data=sent).status_code == 302
    assert db.session.query(StatementLine).count() == 2
    exact, unknown = db.session.query(StatementLine).order_by(StatementLine.row_no)
    ids = {"exact": exact.id, "unknown": unknown.id}
    form = {"line": [ids["exact"], ids["unknown"]], "action": "confirm", f"reference-{ids['exact']}": reference(lot)}
    refused = maker.post("/manage/money/lines", data=form | {f"reason-{ids['exact']}": "保留的文字"})
    assert refused.status_code == 422 and "保留的文字" in refused.text
    form["line"] = [ids["exact"]]
    assert maker.post("/manage/money/lines", data=form).status_code == 302
    returned = {"line": [ids["unknown"]], "action": "return", "reason": "来款不明"}
    assert maker.post("/manage/money/lines", data=returned).status_code == 302
    for approval_id in list(db.session.scalars(db.select(Approval.id))):
        url = f"/manage/money/approvals/{approval_id}"
        assert maker.post(url, data={"decision": "approve"}).status_code == 403
        assert approver.post(url, data={"decision": "approve"}).status_code == 302
        assert approver.post(url, data={"decision": "approve"}).status_code == 409
    db.session.expire_all()
    assert db.session.query(Deposit).one().state == "held"
    assert [(p.purpose, p.amount_minor) for p in due_payouts()] == [("line_return", 5)]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_second_person_sees_how_much_of_whom_before_approving(app: Zhiliu, lang: str) -> None:
    """Two credits under one approval, an order of one payment; with form protection on the approval still works."""
    from tests.factories.money import confirmations, import_rows

    lot, managers = make_lot(1, real_money=True, deposit_minor=AMOUNT), make_managers()
    ready = make_lot(1, real_money=True, deposit_minor=AMOUNT)
    pay_deposit(managers, ready.id, ready.bidders[0].org.id)
    service.release_lot_deposits(ready.id, [], now(), SYSTEM)
    db.session.commit()
    order_of(managers, due_payouts(), approve=False)
    payer = db.session.get_one(Organisation, lot.bidders[0].org.id)
    lines = import_rows(managers, row(AMOUNT, reference(lot), payer), row(2_500_50, reference(lot)))
    receivable = queries.receivable_of(db.session.query(Deposit).filter_by(lot_id=lot.id).one())
    choices = [confirmations.Choice(line.id, receivable.id, "核对无误") for line in lines]
    approval = confirmations.propose(choices, managers.maker)
    db.session.commit()
    approval_id, name = approval.id, payer.account_name
    client = browser(app, managers.approver, lang)
    for path in ("/approvals", "/desk", "/manage/money"):
        page = client.get(path).text
        assert "¥12,500.50" in page and f"{name}; 路人" in page, path
        assert "¥10,000.00" in page and ready.bidders[0].org.account_name in page, path
    words = "2 笔来款" if lang == "zh" else "2 credits"
    page = client.get("/approvals").text
    assert words in page and f'href="/manage/money/approvals/{approval_id}"' in page
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        assert client.post(f"/approvals/{approval_id}", data={"answer": "approve"}).status_code == 400
        token = page_token(client.get("/approvals").text)
        sent = {"answer": "approve", "csrf_token": token}
        assert client.post(f"/approvals/{approval_id}", data=sent).status_code == 302
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert "12,500.50" not in client.get("/approvals").text


def page_token(page: str) -> str:
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def test_a_credit_without_the_payers_account_is_doubtful_and_left_unticked(app: Zhiliu) -> None:
    from tests.factories.money import import_rows

    lot, whole = (make_lot(1, real_money=True, deposit_minor=AMOUNT) for _ in range(2))
    managers = make_managers()
    payer, known = (db.session.get_one(Organisation, made.bidders[0].org.id) for made in (lot, whole))
    bare = row(AMOUNT, reference(lot), payer).replace(f",{payer.account_no},", ",,")
    without, stated = import_rows(managers, bare, row(AMOUNT, reference(whole), known))
    page = browser(app, managers.maker).get("/manage/money/lines").text
    cards = {line.id: page.split(f'id="line-{line.id}"')[1].split('id="reference-')[0] for line in (without, stated)}
    assert "流水未写明付款账号" in cards[without.id] and "完全相符" not in cards[without.id]
    assert " checked" not in cards[without.id] and " checked" in cards[stated.id]
    form = {"line": [without.id], "action": "confirm", f"reference-{without.id}": reference(lot)}
    refused = browser(app, managers.maker).post("/manage/money/lines", data=form)
    assert refused.status_code == 422 and "存疑的来款须填写确认理由" in refused.text


def test_refused_proposal_opens_the_line_again(app: Zhiliu) -> None:
    lot, managers = make_lot(1, real_money=True, deposit_minor=AMOUNT), make_managers()
    from tests.factories.money import confirmations, import_rows

    line = import_rows(managers, row(AMOUNT, reference(lot), lot.bidders[0].org))[0]
    receivable = queries.receivable_of(db.session.query(Deposit).one())
    approval = confirmations.propose([confirmations.Choice(line.id, receivable.id)], managers.maker)
    db.session.commit()
    url, client = f"/manage/money/approvals/{approval.id}", browser(app, managers.approver)
    assert client.post(url, data={"decision": "refuse"}).status_code == 409
    assert client.post(url, data={"decision": "refuse", "reason": "付款人待核"}).status_code == 302
    db.session.expire_all()
    assert line.state == "open" and db.session.query(Deposit).one().state == "due"


def test_the_order_file_is_safe_from_formulas_and_marks_the_order_exported(app: Zhiliu) -> None:
    lot, managers = make_lot(1, real_money=True, deposit_minor=AMOUNT), make_managers()
    org = db.session.get_one(Organisation, lot.bidders[0].org.id)
    org.account_bank = '=HYPERLINK("http://x")'
    db.session.commit()
    order = ready_order(lot, managers)
    client = browser(app, managers.maker)
    url = f"/manage/money/orders/{order.id}"
    answer = client.post(f"{url}/export", data={"format": "csv"})
    lines = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert lines[0]["收款人开户行"].startswith("'=") and lines[0]["金额"] == "10000.00"
    assert client.post(f"{url}/export", data={"format": "xlsx"}).data.startswith(b"PK")
    item = db.session.query(ReleaseItem).one()
    assert client.post(f"{url}/report", data={"failed": item.id}).status_code == 422
    assert client.post(f"{url}/report", data={}).status_code == 302
    assert client.post(f"{url}/cancel", data={"reason": "x"}).status_code == 409
    waiting = db.session.query(Approval).filter_by(kind="money.confirm_order").one()
    assert (
        browser(app, managers.approver)
        .post(f"/manage/money/approvals/{waiting.id}", data={"decision": "approve"})
        .status_code
        == 302
    )
    db.session.expire_all()
    assert db.session.query(Deposit).one().state == "released"


@pytest.mark.parametrize(
    ("content", "name"), [(b"", "a.csv"), (b"%PDF", "a.pdf"), (b"a,b\n1,2", "a.csv"), (b"PK\x03\x04", "a.xlsx")]
)
def test_a_file_that_is_no_statement_is_explained(app: Zhiliu, content: bytes, name: str) -> None:
    client = browser(app, make_managers().maker)
    answer = client.post("/manage/money/statements", data={"file": (io.BytesIO(content), name)})
    assert answer.status_code == 422 and "文件不能导入" in answer.text
    assert client.post("/manage/money/statements", data={}).status_code == 422


def test_the_payee_is_corrected_with_all_faults_at_once(app: Zhiliu) -> None:
    lot, managers = make_lot(1, real_money=True, deposit_minor=AMOUNT), make_managers()
    pay_deposit(managers, lot.id, lot.bidders[0].org.id)
    service.release_lot_deposits(lot.id, [], now(), SYSTEM)
    db.session.commit()
    url, client = f"/manage/money/payouts/{due_payouts()[0].id}", browser(app, managers.maker)
    refused = client.post(url, data={"payee_name": "新户名", "payee_account": "", "payee_bank": " "})
    assert refused.status_code == 422 and refused.text.count("请填写") >= 2 and "新户名" in refused.text
    good = {"payee_name": "新户名", "payee_account": "6222", "payee_bank": "某行"}
    assert client.post(url, data=good).status_code == 302
    assert "新户名" in client.get("/manage/money/payouts").text


def test_the_columns_that_the_english_page_names_are_read_and_missing_ones_told_in_english(app: Zhiliu) -> None:
    client = browser(app, make_managers().maker, "en")
    page = client.get("/manage/money/statements").text
    named = page.split("(columns: ")[1].split(")")[0].split(", ")
    row_ = ["2026-11-20", "A1", "5.00", "Some Company", "6222", "a memo"]
    assert len(named) == len(row_)

    def sent(columns: list[str]) -> str:
        keep = [named.index(name) for name in columns]
        content = f"{','.join(columns)}\n{','.join(row_[n] for n in keep)}\n".encode()
        return client.post("/manage/money/statements", data={"file": (io.BytesIO(content), "s.csv")}).text

    read = sent(named)
    assert "Some Company" in read and "5.00" in read
    refused = sent(named[3:])
    assert "date, credit amount, bank reference" in refused.lower() and "贷方金额" not in refused
