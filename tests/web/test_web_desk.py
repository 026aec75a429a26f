"""The desk shows managers what waits in every room, the regulator how sales stand; money pages know lots by title."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

from sqlalchemy import select

from marketplace import Zhiliu
from marketplace.auctions import service as auctions
from marketplace.cases.models import ImportRun
from marketplace.core import deadlines
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.events import record
from marketplace.listings.models import Listing, Objection
from marketplace.money import lots
from marketplace.money.models import Deposit, Payout, Receivable, ReleaseOrder, StatementImport, StatementLine
from marketplace.parties.models import Organisation, User
from marketplace.parties.sign_in import actor_of
from tests.factories import money
from tests.factories.auctions import make_bidder, make_lot
from tests.factories.parties import client_for, make_org, make_user


def test_a_manager_sees_how_much_waits_and_nothing_of_what_does_not(app: Zhiliu) -> None:
    client = client_for(app, make_user(make_org("platform")))
    empty = client.get("/desk").text
    assert "等平台处理" not in empty and 'aria-current="step"' not in empty  # no step is the next when nothing waits
    for _ in range(3):
        make_org("operator", state="submitted")
    made = make_lot(1)
    listing = db.session.get_one(Listing, made.lot.listing_id)
    filer = make_user(make_org("operator"))
    text = {"capacity": "bidder", "ground": "other", "text": "权属有争议", "filed_by": filer.id}
    db.session.add_all(Objection(listing_id=listing.id, state=s, **text) for s in ("filed", "under_review", "rejected"))
    managers = money.make_managers()
    money.import_rows(managers, *(money.row(100_00 + n, "无参考号") for n in range(4)))
    due = now() + timedelta(hours=3)
    db.session.add(Payout(purpose="proceeds", amount_minor=5, currency="CNY", due_at=due, org_id=made.seller.id))
    db.session.commit()
    page = " ".join(client.get("/desk").text.split())
    for text_, count, href in (
        ("机构等待审核", 3, "/manage/organisations"),
        ("异议等待处理", 2, "/manage/listings"),
        ("来款等待确认", 4, "/manage/money/lines"),
        ("款项等待付出", 1, "/manage/money/payouts"),
    ):
        assert f'<a href="{href}">{text_}</a><strong class="zl-num">{count}</strong>' in page
    assert "挂牌等待审核或发布" not in page
    assert page.split('aria-current="step"')[1].index("审核机构") < 200 and page.count('aria-current="step"') == 1
    bank = client_for(app, make_user(make_org("bank"))).get("/desk").text
    assert "等平台处理" not in bank


def test_the_regulator_reads_how_sales_stand_and_is_not_asked_to_be_verified(app: Zhiliu) -> None:
    client = client_for(app, make_user(make_org("regulator", state="draft"), ("viewer",)))
    empty = client.get("/desk").text
    assert "还没有拍卖" in empty and "还没有通过平台审核" not in empty and "完善机构资料" not in empty
    made = make_lot(2, start_minor=100_000_00)
    assert made.bid(0, 123_000_00).accepted
    made.end()
    from marketplace.auctions import service

    service.close_lot(made.id)
    db.session.commit()
    make_lot(0)
    page = " ".join(client.get("/desk").text.split())
    assert "拍卖概况" in page and "沙盒拍卖" not in page
    for label, value in (("成交", "1"), ("竞价中", "1"), ("流拍", "0")):
        assert f"<dt>{label}</dt><dd>{value}</dd>" in page
    assert "¥123,000.00" in page and "¥100,000.00" in page
    assert 'href="/cases"' in page and "/manage/" not in page


def test_who_runs_or_watches_the_market_sees_the_times_of_every_sale(app: Zhiliu) -> None:
    made = make_lot(1)
    deadlines.schedule("lot.close", "lot", made.id, now() + timedelta(days=41), made.seller.id)
    deadlines.schedule("right.annuity", "right", 77, now() + timedelta(days=2), made.seller.id)
    db.session.commit()

    def due(person: User) -> str:
        page = client_for(app, person).get("/desk").text
        return page.split(">接下来的时间<")[1].split("最近的操作")[0]

    for kind, roles in (("platform", ("maker",)), ("regulator", ("viewer",))):
        told = due(make_user(make_org(kind), roles))
        assert "竞价结束" in told and made.lot.title in told and "缴纳年费" not in told, kind
    assert "竞价结束" not in due(make_user(make_org("bank")))
    assert "竞价结束" in due(make_user(made.seller)) and "缴纳年费" in due(make_user(made.seller))


def test_what_was_done_names_things_of_money_organisations_and_files(app: Zhiliu) -> None:
    made = make_lot(1)
    person = make_user(made.seller)
    deposit = db.session.scalars(select(Deposit).where(Deposit.lot_id == made.id)).one()
    receivable = db.session.get_one(Receivable, deposit.receivable_id)
    payout = Payout(purpose="proceeds", amount_minor=12_345_67, currency="CNY", due_at=now(), org_id=made.seller.id)
    run = ImportRun(org_id=made.seller.id, target="rights", filename="九月权利.csv", sha256="0" * 64, size=1,
                    created_by=person.id)  # fmt: skip
    db.session.add_all([payout, run])
    db.session.flush()
    who = actor_of(person, None)
    order = ReleaseOrder(number="FK20261127-00001", created_by=person.id, total_minor=5)
    sent = StatementImport(filename="流水.csv", sha256="1" * 64, imported_by=person.id)
    db.session.add_all([order, sent])
    db.session.flush()
    line = StatementLine(import_id=sent.id, row_no=1, bank_ref="B1", booked_on=now().date(), amount_minor=765_00)
    db.session.add(line)
    db.session.flush()
    names = {
        ("deposit", deposit.id): receivable.reference,
        ("receivable", receivable.id): receivable.reference,
        ("release_order", order.id): "FK20261127-00001",
        ("statement_import", sent.id): "流水.csv",
        ("statement_line", line.id): "¥765.00",
        ("payout", payout.id): "¥12,345.67",
        ("import", run.id): "九月权利.csv",
        ("organisation", made.bidders[0].org.id): made.bidders[0].org.name,
    }
    for (subject, key), _name in names.items():
        record("organisation.verified", subject, key, who)
    db.session.commit()
    page = client_for(app, person).get("/desk").text.split("最近的操作")[1]
    for name in names.values():
        assert f"“{name}”" in page, name


def test_a_bidders_desk_begins_with_the_sales_it_takes_part_in(app: Zhiliu) -> None:
    """One outbids the other; whoever ends soonest comes first, what ended or is another's is not there."""
    made, ended, other = make_lot(2, start_minor=100_000_00), make_lot(2), make_lot(1)
    for number, amount in ((0, 123_000_00), (1, 133_000_00)):
        assert made.bid(number, amount).accepted
    ended.end()
    from marketplace.auctions import service

    service.close_lot(ended.id)
    db.session.commit()
    pages = [client_for(app, make_user(made.bidders[n].org)).get("/desk").text for n in (0, 1)]
    for page, told, not_told in ((pages[0], "没有领先", "目前领先"), (pages[1], "目前领先", "没有领先")):
        card = page.split('id="my-sales"')[1].split("接下来的时间")[0]
        assert "¥133,000.00" in card and f'href="/lots/{made.id}"' in card and "竞价结束" in card
        assert told in card and not_told not in card
        assert page.index('id="my-sales"') < page.index("等您复核")
        assert f'href="/lots/{other.id}"' not in card
    assert made.bidders[0].code in pages[0] and made.bidders[1].code not in pages[0]
    gone = client_for(app, make_user(ended.bidders[0].org)).get("/desk").text
    assert 'id="my-sales"' not in gone
    english = client_for(app, make_user(made.bidders[0].org), lang="en").get("/desk").text
    assert "not leading" in english.split('id="my-sales"')[1][:1500].lower()


def test_a_buyers_steps_are_marked_by_what_it_has_done(app: Zhiliu) -> None:
    """Registered, paid, bid, won and paid in full: the mark moves on with each."""
    sale = make_lot(1, start_minor=100_000_00)
    fresh = make_bidder(sale.lot, qualified=False)

    def next_step(org: Organisation) -> list[str]:
        page = client_for(app, make_user(org)).get("/desk").text
        return re.findall(r'zl-step-now".*?<strong>(?:<a[^>]*>)?([^<]+)', page, re.S)

    assert next_step(fresh.org) == ["按指定的附言缴保证金"]
    assert next_step(sale.bidders[0].org) == ["出价"]
    assert sale.bid(0, 100_000_00).accepted
    assert next_step(sale.bidders[0].org) == ["出价"]  # who does not win has nothing to pay
    sale.end()
    auctions.close_lot(sale.id)
    db.session.commit()
    assert next_step(sale.bidders[0].org) == ["付余款，办理权利变更"]
    receivable = db.session.scalars(db.select(Receivable).where(Receivable.purpose == "balance")).one()
    receivable.received_minor, receivable.state = receivable.amount_minor, "paid"
    db.session.commit()
    assert next_step(sale.bidders[0].org) == []


def test_money_pages_name_lots_by_their_title_and_find_a_seller_its_own(app: Zhiliu) -> None:
    made, other = make_lot(0), make_lot(0)
    facts = lots.facts_of([made.id, 10**9])
    assert (facts[made.id].title, facts[made.id].seller_org_id) == (made.lot.title, made.seller.id)
    assert "标的" in facts[10**9].title
    assert lots.sold_by(made.seller.id) == [made.id]
    page = client_for(app, make_user(made.seller)).get("/my/proceeds").text
    assert f'href="/lots/{made.id}"' in page and f'href="/lots/{other.id}"' not in page


def test_the_signing_key_has_one_address(app: Zhiliu) -> None:
    answer = app.test_client().get("/lots/public-key.pem")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/keys/signing.pem")
    assert app.test_client().get("/keys/signing.pem").text.startswith("-----BEGIN PUBLIC KEY-----")


def test_the_page_names_who_looks_without_asking_again(app: Zhiliu) -> None:
    org = make_org("bank", name="江城银行")
    user = make_user(org)
    page = client_for(app, user).get("/desk").text
    assert "<span>江城银行</span>" in page and str(user.display_name) in page
    user.active = False
    db.session.commit()
    assert "江城银行" not in client_for(app, user).get("/").text


def test_a_reference_of_nobody_is_no_lot(app: Zhiliu) -> None:
    assert lots.facts_of([]) == {} and lots.sold_by(uuid.uuid4().int % 10**9) == []
