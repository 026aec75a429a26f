"""A market in full swing for the tests that look at pages: something in every state that a role meets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from marketplace.auctions import service as auctions
from marketplace.cases.imports import create_run, run_chunk, set_mapping, start
from marketplace.core.db import db
from marketplace.listings import service as listings
from marketplace.money import orders
from marketplace.money.models import Payout
from marketplace.parties.models import Organisation, User
from tests.factories.auctions import MadeLot, make_bidder, make_lot
from tests.factories.cases import make_case
from tests.factories.listings import Made, make_listing
from tests.factories.money import Managers, import_rows, make_managers, order_of, row
from tests.factories.parties import make_actor, make_org, make_user
from tests.factories.rights import make_right

RIGHTS = """专利号,名称,权利人,申请日,授权日
ZL202010000001.1,一种桥梁振动的光纤监测方法,武汉江夏智感科技有限公司,2020-03-27,2022-04-01
ZL202010000001.2,校验位写错的一行,武汉江夏智感科技有限公司,2020-03-27,2022-04-01
,没有号码的一行,武汉江夏智感科技有限公司,2020-13-27,
"""


@dataclass
class Market:
    """Who looks, and the addresses of what they look at by role."""

    bank: User
    bidder: User
    manager: User
    pages: dict[str, list[str]]


def make_market() -> Market:
    """One bank, one platform, listings in every state, a running and an ended sale, money in and out."""
    bank = make_org("bank", name="江城农村商业银行股份有限公司知识产权金融中心", demo=True)
    managers = make_managers()
    platform = db.session.get_one(Organisation, managers.maker.org_id)
    banker, manager = make_user(bank), make_user(platform)
    offers = {
        state: make_listing(state, org=bank, manager_org=platform, rights=1 + (state == "published"))
        for state in ("draft", "waiting", "submitted", "reviewed", "published")
    }
    firm = make_org("operator", name="光谷知识产权运营管理有限公司")
    firm_actor = make_actor("operator", org=firm)
    _talk(offers["published"], firm_actor)
    running = make_lot(ranks=(1,), lasts=timedelta(hours=3), seller=bank)
    running.bidders.append(make_bidder(running.lot, actor=firm_actor))
    for number, amount in ((0, 100_000_00), (1, 101_000_00), (2, 1_345_000_00)):
        running.bid(number, amount, confirmed_high=True)
    ended = _ended_lot(bank, firm_actor)
    fresh = make_lot(bidders=0, opens_in=timedelta(days=2), seller=bank)
    waits = make_lot(bidders=0, opens_in=timedelta(days=3), seller=bank)
    make_bidder(waits.lot, actor=firm_actor, qualified=False)
    bidder = make_user(firm)
    money = _money_pages(managers, firm)
    pages = {
        "public": _public_pages(offers["published"], running, ended),
        "bank": _bank_pages(bank, banker, offers, ended),
        "bidder": [
            "/desk", "/approvals", "/my/registrations", "/my/deposits", "/listings", "/results", "/account",
            f"/listings/{offers['published'].listing.number}", f"/lots/{running.id}", f"/lots/{ended.id}",
            f"/lots/{fresh.id}", f"/lots/{fresh.id}/register", f"/lots/{waits.id}/register",
        ],
        "manager": [
            "/desk", "/approvals", "/manage/organisations", f"/manage/organisations/{firm.id}", "/manage/listings",
            *(f"/manage/listings/{offers[state].id}" for state in ("submitted", "reviewed", "published")),
            "/manage/lots", f"/manage/lots/{running.id}", f"/manage/lots/{ended.id}", f"/manage/money/lots/{ended.id}",
            "/manage/jobs", "/manage/search", *money,
        ],
    }  # fmt: skip
    db.session.commit()
    return Market(banker, bidder, manager, pages)


def _talk(made: Made, asker: object) -> None:
    """Two questions, one answered, and an objection."""
    actor = asker
    first = listings.ask(actor, made.id, "发明人是否已经领取职务发明奖酬？")  # type: ignore[arg-type]
    listings.answer(made.maker, first.id, "已经领取，凭证可以在查看资料时核对。")
    listings.ask(actor, made.id, "是否有境外同族专利？")  # type: ignore[arg-type]
    listings.object_to(
        actor,
        made.id,
        capacity="third_party",
        ground="price",
        text="评估没有考虑剩余保护期。",  # type: ignore[arg-type]
    )
    db.session.commit()


def _ended_lot(bank: Organisation, firm_actor: object) -> MadeLot:
    lot = make_lot(seller=bank)
    make_bidder(lot.lot, actor=firm_actor)  # type: ignore[arg-type]
    lot.bid(0, 100_000_00)
    make = auctions.place_bid(firm_actor, lot.id, 120_000_00, "firm-wins")  # type: ignore[arg-type]
    assert make.accepted
    db.session.commit()
    lot.end()
    auctions.close_lot(lot.id)
    db.session.commit()
    return lot


def _money_pages(managers: Managers, firm: Organisation) -> list[str]:
    lines = import_rows(managers, row(88_000_00, "货款", firm), row(1_234_567_89, "保证金 ZLD-写错"))
    due = list(db.session.query(Payout).filter_by(state="due").order_by(Payout.id))
    order = order_of(managers, due[:1])
    orders.export_order(order.id, managers.maker)
    db.session.commit()
    return [
        "/manage/money", "/manage/money/statements", f"/manage/money/statements/{lines[0].import_id}",
        "/manage/money/lines", "/manage/money/payouts", "/manage/money/orders", f"/manage/money/orders/{order.id}",
        "/manage/money/lots", "/manage/money/ledger",
    ]  # fmt: skip


def _public_pages(offer: Made, running: MadeLot, ended: MadeLot) -> list[str]:
    return [
        "/", "/how", "/listings", "/listings?kind=trademark", "/results", f"/listings/{offer.listing.number}",
        f"/listings/{offer.listing.number}/notice", f"/lots/{running.id}", f"/lots/{ended.id}",
        f"/lots/{running.id}/course", "/join", "/account/login", "/account/reset",
        "/developers", "/open-data", "/needs",
    ]  # fmt: skip


def _bank_pages(bank: Organisation, banker: User, offers: dict[str, Made], ended: MadeLot) -> list[str]:
    maker = offers["draft"].maker
    sound, late = make_right(bank, actor=maker), make_right(bank, healthy=False, actor=maker)
    draft = make_case(maker, documents=False)
    approved = make_case(maker, approved=True)
    run = create_run(maker, "rights", "权利清单.csv", RIGHTS.encode())
    db.session.commit()
    checked = create_run(maker, "rights", "第二批权利清单.csv", RIGHTS.encode() + b"\n")
    set_mapping(maker, checked.id, checked.mapping, checked.defaults)
    start(maker, checked.id, dry_run=True, by_worker=False)
    db.session.commit()
    while run_chunk(checked.id, 2000):
        db.session.commit()
    db.session.commit()
    return [
        "/desk", "/approvals", "/cases", "/cases/new", f"/cases/{draft.id}", f"/cases/{approved.id}",
        f"/cases/{approved.id}/history", f"/cases/{draft.id}/rights", "/imports", "/imports/new",
        f"/imports/{run.id}/mapping", f"/imports/{checked.id}", "/rights", "/rights/new", f"/rights/{sound.id}",
        f"/rights/{late.id}", f"/rights/{late.id}/encumbrances/new", "/listings/mine",
        f"/listings/new?case={approved.id}",
        *(f"/listings/mine/{offers['draft'].id}?step={step}" for step in
          ("rights", "text", "terms", "warnings", "documents")),
        f"/listings/mine/{offers['draft'].id}/notice", f"/listings/mine/{offers['waiting'].id}",
        f"/listings/mine/{offers['published'].id}", f"/lots/{ended.id}/seller", "/my/proceeds", "/organisation",
        "/organisation/members", "/organisation/tokens", "/account",
    ]  # fmt: skip
