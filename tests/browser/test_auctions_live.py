"""The live page in a real browser: it follows the sale, bids once, keeps focus, and everyone can use it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from marketplace.auctions import service
from marketplace.core.db import db, unit_of_work
from marketplace.parties.models import User
from tests.browser.conftest import Site
from tests.factories.auctions import MadeLot, make_lot
from tests.factories.parties import make_actor, make_org, make_user

pytestmark = pytest.mark.browser
NewPage, CheckPage, Shot = Callable[..., Page], Callable[[Page], None], Callable[[Page, str], None]


def user_of(lot: MadeLot, number: int) -> User:
    return db.session.get_one(User, lot.bidders[number].actor.user_id)


def outside_bid(lot: MadeLot, number: int, amount_minor: int, key: str) -> None:
    with unit_of_work():
        service.place_bid(lot.bidders[number].actor, lot.id, amount_minor, key)


def test_a_bidder_follows_the_sale_and_bids_without_reloading(
    site: Site, new_page: NewPage, check_page: CheckPage, shot: Shot
) -> None:
    lot = make_lot(lasts=timedelta(seconds=200))
    page = new_page(user_of(lot, 0))
    page.goto(f"{site.url}/lots/{lot.id}")
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="加 1 个幅度", exact=True).click()
    assert page.input_value("#amount") == "100,000.00"
    page.get_by_role("button", name="出价", exact=True).dblclick()
    expect(page.locator("#bid-answer")).to_contain_text("出价成功")
    expect(page.locator("#live-price")).to_have_text("¥100,000.00")
    expect(page.locator("#live-mine")).to_have_text("您目前领先")
    expect(page.locator("#live-course tr")).to_have_count(1)
    page.fill("#amount", "555")
    outside_bid(lot, 1, 103_000_00, "other")
    expect(page.locator("#live-price")).to_have_text("¥103,000.00")
    expect(page.locator("#live-minimum")).to_have_text("¥104,000.00")
    expect(page.locator("#live-extended")).to_contain_text("结束时间已延至")
    assert page.input_value("#amount") == "555"
    assert page.evaluate("document.activeElement.id") == "amount"
    page.get_by_role("button", name="出价", exact=True).click()
    expect(page.locator("#bid-answer")).to_contain_text("最低须出价 ¥104,000.00")
    assert page.input_value("#amount") == "555"
    assert page.evaluate("window.sameDocument") is True
    shot(page, "live-bidder")
    check_page(page)


def test_the_page_polls_when_there_is_no_place_to_stream(
    site: Site, new_page: NewPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.app.settings, "live_watchers", 0)
    lot = make_lot()
    page = new_page(None)
    page.goto(f"{site.url}/lots/{lot.id}")
    outside_bid(lot, 1, 103_000_00, "other")
    expect(page.locator("#live-price")).to_have_text("¥103,000.00", timeout=15_000)
    page.faults.clear()  # type: ignore[attr-defined]  # the refused stream


def test_a_page_loaded_while_suspended_counts_again_when_the_sale_resumes(site: Site, new_page: NewPage) -> None:
    lot = make_lot(lasts=timedelta(hours=3))
    manager = make_actor("platform")
    with unit_of_work():
        service.suspend_lot(manager, lot.id, "系统检修")
    page = new_page(user_of(lot, 0))
    page.goto(f"{site.url}/lots/{lot.id}")
    expect(page.locator("#live-countdown")).to_have_text("暂停计时")
    expect(page.locator("#bid-hint")).to_have_text("竞价已暂停，恢复时将另行公告")
    expect(page.locator("[data-bid]")).to_be_disabled()
    with unit_of_work():
        service.resume_lot(manager, lot.id, "检修完成")
    expect(page.locator("#live-countdown")).to_have_text(re.compile(r"02:[0-5]\d:[0-5]\d"), timeout=15_000)
    expect(page.locator("[data-bid]")).to_be_enabled()
    expect(page.locator("#bid-hint")).to_be_hidden()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_of_a_sale_is_accessible_and_fits(
    site: Site, new_page: NewPage, check_page: CheckPage, shot: Shot, lang: str, width: int
) -> None:
    lot = make_lot(ranks=(1,), lasts=timedelta(hours=3))
    lot.bid(0, 100_000_00)
    lot.bid(1, 1_345_000_00, confirmed_high=True)
    fresh = make_lot(opens_in=timedelta(hours=1))
    done = make_lot()
    done.bid(0, 100_000_00)
    done.bid(1, 101_000_00)
    done.end()
    service.close_lot(done.id)
    db.session.commit()
    bidder, other = user_of(lot, 0), make_user(make_org("operator"))
    manager, seller, winner = make_user(make_org("platform")), make_user(done.seller), user_of(done, 1)
    visits: list[tuple[Any, str, str]] = [
        (None, f"/lots/{lot.id}", "lot-public"),
        (bidder, f"/lots/{lot.id}", "lot-bidder"),
        (other, f"/lots/{fresh.id}/register", "register"),
        (bidder, f"/lots/{lot.id}/register", "registered"),
        (bidder, "/my/registrations", "my-registrations"),
        (winner, f"/lots/{done.id}", "lot-winner"),
        (seller, f"/lots/{done.id}/seller", "lot-seller"),
        (manager, "/manage/lots", "manage-lots"),
        (manager, f"/manage/lots/{done.id}", "manage-lot"),
        (None, f"/lots/{lot.id}/course", "course"),
    ]
    for user, path, name in visits:
        page = new_page(user, lang=lang, width=width)
        page.goto(site.url + path)
        shot(page, f"{name}-{lang}-{width}")
        check_page(page)
        page.context.close()
