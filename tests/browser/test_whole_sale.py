"""A whole sale in real pages: two bankers, two managers, two bidders; one bids without script, one on a phone.

The tick and the workers run as processes of their own. From a defaulted loan to the protocol that anyone can verify,
the loser's refund in the bank's file, and the case completed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from marketplace.auctions.invariants import broken
from marketplace.core.db import db
from marketplace.parties.models import Organisation, User
from tests.browser import story
from tests.browser.conftest import Site
from tests.browser.story import SLOW
from tests.factories.cases import make_collateral
from tests.factories.parties import make_org, make_user
from tests.jobs.test_auctions_jobs import ROOT, Processes, workers_are_up
from tests.jobs.test_auctions_jobs import processes as processes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
TITLE = "桥梁振动光纤监测发明专利"
ZH = {"register": "报名参加", "confirm": "确认并报名"}
EN = {"register": "Register to take part", "confirm": "Accept and register"}
OPENS_IN, LASTS = timedelta(seconds=25), timedelta(seconds=60)


def person(org: Organisation, name: str) -> User:
    user = make_user(org)
    user.display_name = name
    db.session.commit()
    return user


def test_a_whole_sale_in_real_pages(
    site: Site,
    new_page: Callable[..., Page],
    check_page: Callable[[Page], None],
    shot: Callable[..., None],
    processes: Processes,
    tmp_path: Path,
) -> None:
    for name in ("deadlines", "outbox", "search"):
        processes.work(name)
    processes.tick()
    bank = make_org("bank", name="江汉示范银行", demo=True)
    platform = make_org("platform", name="知流平台")
    firm, rival = make_org("operator", name="光谷知产运营有限公司"), make_org("operator", name="华容技术转移有限公司")
    right = make_collateral(bank.id, title="一种桥梁振动的光纤监测方法")[0]
    number = right.number_display
    maker, second = new_page(person(bank, "王经办")), new_page(person(bank, "李复核"))
    manager, other = new_page(person(platform, "甲经理")), new_page(person(platform, "乙经理"))
    plain = new_page(person(firm, "赵竞买"), java_script_enabled=False)
    phone = new_page(person(rival, "钱竞买"), lang="en", width=390, height=844)
    public = new_page()
    for org in (firm, rival):
        db.session.refresh(org)
        db.session.expunge(org)
    db.session.commit()  # the test itself holds no transaction open while people click
    at = site.url

    # the bank: a case by two people, an offer by two people
    case = story.enter_case(maker, at, number, tmp_path)
    story.approve_first(second, at)
    maker.goto(case)
    expect(maker.get_by_text("已复核，可以为此案件挂牌")).to_be_visible()
    check_page(maker)
    offer = story.write_offer(maker, at, tmp_path, story.now() + OPENS_IN, LASTS)
    story.agree_to_offer(second, offer)

    # the platform: one reviews, another publishes
    story.review_offer(manager, at, TITLE)
    story.publish_offer(other, at, TITLE)
    workers_are_up(site.app, 3)

    # the bidders find it, register and see what to pay; the managers confirm the money
    found = plain.get_by_role("link", name=TITLE)
    for _ in range(60):  # the index follows the publication within seconds
        plain.goto(f"{at}/listings")
        if found.count():
            break
        plain.wait_for_timeout(500)
    found.first.click()
    shot(plain, "listing")
    plain.get_by_role("link", name="进入竞价页面").click()
    lot = plain.url
    lot_id = int(lot.rsplit("/", 1)[1])
    first = story.sign_up(plain, lot, ZH)
    other_deposit = story.sign_up(phone, lot, EN)
    assert first.amount_minor == other_deposit.amount_minor == 364_000_00
    check_page(phone)
    paid = [(first, firm), (other_deposit, rival)]
    story.money_arrives(manager, other, at, "保证金", paid, tmp_path, lambda page: shot(page, "money"))

    maker.goto(f"{at}/desk")
    shot(maker, "desk-bank")

    # the sale: the phone follows without reloading
    phone.goto(lot)
    public.goto(lot)
    phone.evaluate("window.sameDocument = true")
    expect(phone.locator("#live-state")).to_contain_text("Bidding", timeout=60_000)
    expect(phone.locator("#live-clock-label")).to_have_text("Ends in")
    bid_without_script(plain, lot, "3,640,000.00")
    expect(phone.locator("#live-price")).to_have_text("¥3,640,000.00")
    phone.locator("button[data-step='1']").click()
    phone.get_by_role("button", name="Bid", exact=True).click()
    expect(phone.locator("#live-mine")).to_have_text("You are leading")
    expect(phone.locator("#live-course tr")).to_have_count(2)
    plain.goto(lot)
    expect(plain.locator("#live-mine")).to_have_text("您目前没有领先")
    check_page(phone)
    # its last moments: a bid moves the end
    expect(phone.locator("#live-countdown")).to_have_text(re.compile(r"00:00:0[0-7]"), timeout=90_000)
    bid_without_script(plain, lot, "3,680,000")
    expect(phone.locator("#live-extended")).to_be_visible()
    expect(phone.locator("#live-extensions")).to_have_text("1")
    phone.locator("button[data-step='1']").click()
    phone.get_by_role("button", name="Bid", exact=True).click()
    expect(phone.locator("#live-price")).to_have_text("¥3,700,000.00")
    assert phone.evaluate("window.sameDocument") is True
    phone.locator("main").evaluate("() => scrollTo(0, 0)")
    shot(phone, "live-phone")
    shot(public, "live")

    # it closes by itself; anyone verifies
    expect(phone.locator("#live-over")).to_be_visible(timeout=SLOW)
    for page in (phone, public):  # each loads itself again
        expect(page.locator("#result")).to_contain_text("¥3,700,000.00", timeout=SLOW)
    wait_for_page(plain, lot, "#result a[href$='protocol.pdf']")
    verify(public, lot, tmp_path)
    shot(public, "result")
    plain.goto(lot)
    expect(plain.locator("#result")).to_contain_text("您的保证金")

    # the winner pays, the loser's deposit goes back
    phone.goto(lot)
    balance = story.demand(phone)
    assert balance.amount_minor == 3_700_000_00 - 364_000_00
    story.money_arrives(manager, other, at, "余款", [(balance, rival)], tmp_path)
    exported = story.refund(manager, other, at, tmp_path)
    assert "光谷知产运营有限公司" in exported.read_text("utf-8-sig")
    plain.goto(f"{at}/my/deposits")
    expect(plain.locator("main")).to_contain_text("已退还")

    # completion: the bank hands over what is missing, two managers close the sale
    maker.goto(f"{lot}/seller")
    for _ in range(maker.locator("#document-kind option").count()):
        title = maker.locator("#document-kind option").first.inner_text()
        maker.locator("#document-file").set_input_files(story.paper(tmp_path, title))
        with maker.expect_navigation():
            maker.get_by_role("button", name="上传").click()
        expect(maker.locator("#document-kind option", has_text=title)).to_have_count(0)
    manager.goto(f"{at}/manage/lots/{lot_id}")
    story.confirm(manager, "申请办结")
    story.approve_first(other, at)
    maker.goto(f"{lot}/seller")
    expect(maker.locator("main")).to_contain_text("已办结")
    check_page(maker)
    db.session.rollback()
    assert broken([lot_id]) == []


def bid_without_script(page: Page, lot: str, amount: str) -> None:
    page.goto(lot)
    page.get_by_label("出价金额").fill(amount)
    page.get_by_role("button", name="出价", exact=True).click()
    expect(page.locator("#bid-answer")).to_contain_text("出价成功")


def wait_for_page(page: Page, address: str, found: str) -> None:
    """Load the page again until it shows ``found``; workers make it in the background."""
    page.goto(address)
    for _ in range(30):
        if page.locator(found).count():
            return
        page.wait_for_timeout(1000)
        page.goto(address)
    expect(page.locator(found)).to_be_visible()


def verify(page: Page, lot: str, folder: Path) -> None:
    """Download course, key and protocol as the page offers them; the stand-alone verifier agrees, and refuses a
    changed byte."""
    page.goto(lot)
    saved = {}
    for name, link in (
        ("course.json", "下载过程文件（JSON）"),
        ("key.pem", "下载平台公钥"),
        ("protocol.pdf", "竞价记录（PDF）"),
    ):
        with page.expect_download() as download:
            page.get_by_role("link", name=link, exact=True).click()
        saved[name] = folder / name
        download.value.save_as(saved[name])
    command = [sys.executable, str(ROOT / "tools" / "verify_sale.py"), str(saved["course.json"])]
    command += ["--public-key", str(saved["key.pem"]), "--protocol", str(saved["protocol.pdf"])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    saved["course.json"].write_text(re.sub(r"370000000", "370000001", saved["course.json"].read_text(), count=1))
    assert subprocess.run(command, capture_output=True).returncode == 1
