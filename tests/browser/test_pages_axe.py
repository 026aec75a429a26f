"""Every main page of every role, in both languages, on a wide screen and a phone: nobody is shut out by it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from marketplace.core.db import db
from tests.browser.conftest import Site
from tests.browser.market import make_market
from tests.factories.parties import make_user

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
LOOKS = (("zh", 1280), ("en", 390), ("zh", 390), ("en", 1280))
WITH_AXE = LOOKS[:2]  # each language and each width once; the other two looks are for the layout
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("role", ["public", "bank", "bidder", "manager"])
def test_every_page_of_the_role(
    site: Site, new_page: Callable[..., Page], check_page: Callable[..., None], shot: Callable[..., None], role: str
) -> None:
    market = make_market()
    user, faults = getattr(market, role, None), []
    for lang, width in LOOKS:
        page = new_page(user, lang=lang, width=width)
        db.session.rollback()  # the test holds no transaction open while it looks
        for path in market.pages[role]:
            answer = page.goto(site.url + path)
            assert answer is not None
            if not answer.ok:
                faults.append(f"{path}: {answer.status}")
                continue
            name = re.sub(r"[^a-z0-9]+", "-", path).strip("-") or "home"
            shot(page, f"pages-{role}-{name}-{lang}-{width}", full_page=True)
            try:
                if (lang, width) in WITH_AXE:
                    check_page(page)
                else:
                    assert not page.faults, page.faults
                    assert page.evaluate(TOO_WIDE) <= 0, f"{path} is too wide"
            except AssertionError as fault:  # all of them at once
                faults.append(f"{lang} {width} {fault}")
                page.faults.clear()
        page.context.close()
    assert not faults, "\n".join(faults)


def test_who_belongs_to_no_organisation(
    site: Site, new_page: Callable[..., Page], check_page: Callable[..., None]
) -> None:
    user = make_user()
    for lang, width in LOOKS:
        page = new_page(user, lang=lang, width=width)
        for path in ("/desk", "/organisation/new", "/account", "/listings"):
            page.goto(site.url + path)
            check_page(page)
