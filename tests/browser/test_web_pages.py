"""The house's own pages in a real browser: readable on a wide screen and a phone, in both languages, by everyone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from marketplace.core import approvals, deadlines
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Outbox
from marketplace.parties.sign_in import actor_of
from tests.factories.parties import make_org, make_user

pytestmark = pytest.mark.browser
KIND = "deposit.confirm"
VIEWS = [("zh", 1280), ("zh", 360), ("en", 1280), ("en", 360)]


def busy_bank():
    """A bank where something waits: an approval, two deadlines, some history."""
    org = make_org("bank", name="江城农村商业银行股份有限公司知识产权金融中心")
    asker, user = make_user(org), make_user(org)
    asker.display_name, user.display_name = "李审慎", "王复核"
    approvals.request(KIND, "deposit", 12, actor_of(asker, None), amount_minor=1234567800)
    deadlines.schedule("lot.open", "lot", 7, now() + timedelta(hours=5), org.id)
    deadlines.schedule("lot.close", "lot", 7, now() + timedelta(days=31), org.id)
    db.session.commit()
    return user


@pytest.mark.parametrize(("lang", "width"), VIEWS)
def test_public_pages(site, new_page, check_page, shot, lang: str, width: int) -> None:
    page: Page = new_page(lang=lang, width=width)
    for name, path in (("home", "/"), ("how", "/how"), ("missing", "/nothing-here")):
        page.goto(site.url + path)
        check_page(page)
        shot(page, f"web-{name}-{lang}-{width}", full_page=True)


@pytest.mark.parametrize(("lang", "width"), VIEWS)
def test_the_desk_of_a_bank(site, new_page, check_page, shot, lang: str, width: int) -> None:
    page: Page = new_page(busy_bank(), lang=lang, width=width)
    for name in ("desk", "approvals"):
        page.goto(f"{site.url}/{name}")
        check_page(page)
        shot(page, f"web-{name}-{lang}-{width}", full_page=True)


@pytest.mark.parametrize(("lang", "width"), VIEWS)
def test_the_jobs_desk_of_a_manager(site, new_page, check_page, shot, lang: str, width: int) -> None:
    user = make_user(make_org("platform", name="知流平台"))
    deadlines.schedule("lot.close", "lot", 7, now() - timedelta(minutes=7))
    db.session.flush()
    db.session.execute(db.text("UPDATE deadline SET last_error = 'ValueError: no such lot', attempts = 3"))
    db.session.add(Outbox(topic="mail", payload={}, state="dead", attempts=12, last_error="SMTPServerDisconnected"))
    db.session.commit()
    page: Page = new_page(user, lang=lang, width=width)
    for name, path in (("jobs", "/manage/jobs"), ("desk-manager", "/desk")):
        page.goto(site.url + path)
        check_page(page)
        shot(page, f"web-{name}-{lang}-{width}", full_page=True)


def test_a_refusal_asks_for_a_reason(site, new_page: Callable[..., Page], check_page, monkeypatch) -> None:
    monkeypatch.setitem(approvals._acts, KIND, (lambda row, actor: None, None))
    page = new_page(busy_bank())
    page.goto(site.url + "/approvals")
    page.get_by_role("button", name="拒绝").click()
    expect(page.get_by_text("请填写理由")).to_be_visible()
    check_page(page)
    page.get_by_label("理由").fill("材料不全")
    page.get_by_role("button", name="拒绝").click()
    expect(page.get_by_text("已拒绝")).to_be_visible()
    expect(page.get_by_text("没有等待复核的申请")).to_be_visible()


def test_a_countdown_runs_on_the_servers_clock(site, new_page: Callable[..., Page]) -> None:
    """A phone whose clock is an hour wrong shows the right time left."""
    user = busy_bank()
    page = new_page(user)
    page.clock.install(time=now() + timedelta(hours=1))
    page.goto(site.url + "/desk")
    first = page.locator(".zl-countdown").first
    assert first.inner_text().startswith(("04:59:", "05:00:"))
    page.clock.fast_forward(60_000)
    expect(first).to_contain_text("04:58:")


def test_the_page_switches_language_and_stays(site, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(site.url + "/how")
    page.get_by_role("link", name="English").click()
    assert page.url.startswith(site.url + "/how")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto(site.url + "/")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_menu_works_on_a_phone_without_script(site, new_page: Callable[..., Page]) -> None:
    page = new_page(busy_bank(), width=360, java_script_enabled=False)
    page.goto(site.url + "/desk")
    page.locator(".zl-menu-small summary").click()
    page.get_by_role("link", name="复核", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("复核")
