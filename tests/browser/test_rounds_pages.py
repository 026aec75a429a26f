"""The pages of rounds, bars and proofs in Debian's Chromium on a phone: accessible, no script error, no sideways
scrolling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from marketplace.auctions import service as auctions
from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.parties.models import User
from tests.db.test_auctions_bars import running, two_managers
from tests.db.test_listings_rounds import take_to, unsold
from tests.factories.auctions import make_lot
from tests.factories.parties import make_actor


def user(actor: Actor) -> User:
    return db.session.get_one(User, actor.user_id)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_of_a_further_round_fit_a_phone(
    site: Any, new_page: Callable[..., Page], check_page: Callable[[Page], None], lang: str
) -> None:
    made = unsold()

    def look(actor: Actor | None, path: str) -> None:
        page = new_page(user(actor) if actor else None, lang=lang, width=390)
        page.goto(site.url + path)
        check_page(page)
        page.close()

    look(made.maker, f"/listings/mine/{made.id}")
    look(made.maker, f"/listings/mine/{made.id}/round")
    take_to(made, "submitted")
    look(made.manager, f"/manage/listings/{made.id}")
    look(made.second, f"/listings/mine/{made.id}/round/notice")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_of_bars_and_proofs_fit_a_phone(
    site: Any, new_page: Callable[..., Page], check_page: Callable[[Page], None], lang: str
) -> None:
    lot, out, leader = running()
    one, other = two_managers()
    asked = make_lot(0, facts={"qualification": "须为行业协会。"})
    auctions.request_bar(one, out.id, "与他人串通")
    db.session.commit()
    for actor, path in (
        (other, f"/manage/registrations/{out.id}/bar"),
        (other, f"/manage/registrations/{leader.id}/bar"),
        (other, f"/manage/lots/{lot.id}"),
        (make_actor("operator"), f"/lots/{asked.id}/register"),
    ):
        page = new_page(user(actor), lang=lang, width=390)
        page.goto(site.url + path)
        check_page(page)
        page.close()
