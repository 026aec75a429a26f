"""The pages of standing interest as people meet them: both languages, desktop and phone, axe, and without script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from marketplace.core.db import db
from marketplace.discovery.engines import Breaker, Searching
from marketplace.interest import letters, service
from marketplace.parties.models import User
from search.engines.embedded import Embedded
from tests.browser.conftest import Site
from tests.factories.interest import battery_listing, deliver, make_need, make_search
from tests.factories.parties import make_actor, make_org, make_user

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
LOOKS = (("zh", 1280), ("en", 390), ("zh", 390), ("en", 1280))


@dataclass
class Scene:
    """Who looks, and at what."""

    people: dict[str, User | None]
    pages: dict[str, list[str]]
    need_id: int


@pytest.fixture
def scene(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Needs in every state, answers, saved searches with something new."""
    index = Embedded(tmp_path / "search")
    index.prepare()
    monkeypatch.setitem(site.app.extensions, "search", Searching(index, breaker=Breaker(pause=0)))
    poster = make_actor("operator", org=make_org("operator", name="江夏新材料有限公司", region_code="420115"))
    saved = make_search(poster, "q=隔膜&kind=invention_patent&region=420000", name="锂电池隔膜发明专利")
    make_search(poster, "q=battery+separator&high=600万", "daily", name="Battery separators", shared=True)
    deliver()
    made = battery_listing()
    other = battery_listing(title="一种动力电池隔膜的陶瓷涂层", title_en="Ceramic coating of battery separators")
    need = make_need(actor=poster, title_en="Heat-resistant separators for lithium batteries",
                     details_en="For traction batteries; shrinkage at 150 °C must stay low.")  # fmt: skip
    draft, sent = make_need("draft", actor=poster), make_need("submitted", actor=poster, title="石墨烯导热膜")
    closed = make_need("closed", actor=poster, anonymous=False, title="桥梁振动监测")
    deliver()
    first = service.respond(
        made.maker, need.id, made.id, "我们的专利已用于动力电池，可提供样品。", "钱经理 138-0000-0000"
    )
    service.respond(other.maker, need.id, other.id, "陶瓷涂层，150 度收缩率小于 2%。", "孙经理 137-0000-0000")
    service.decide(poster, first.id, accept=True)
    db.session.commit()
    users: dict[str, User | None] = {
        "public": None,
        "poster": db.session.get_one(User, poster.user_id),
        "owner": db.session.get_one(User, made.maker.user_id),
        "manager": make_user(make_org("platform")),
    }
    stop = letters.stop_link(saved.id, poster.user_id or 0)
    pages = {
        "public": ["/needs", "/needs?q=nothing-of-this", f"/needs/{need.id}", f"/needs/{closed.id}", "/open-data",
                   stop],
        "poster": ["/needs/mine", "/needs/new", f"/needs/mine/{need.id}", f"/needs/mine/{draft.id}",
                   f"/needs/mine/{draft.id}/edit", f"/needs/mine/{sent.id}", "/saved-searches",
                   "/saved-searches/new?q=隔膜&kind=invention_patent", f"/saved-searches/{saved.id}"],
        "owner": ["/matching-needs", f"/needs/{need.id}", "/saved-searches"],
        "manager": ["/manage/needs", f"/manage/needs/{sent.id}", f"/manage/needs/{need.id}"],
    }  # fmt: skip
    yield Scene(users, pages, need.id)


@pytest.mark.parametrize("role", ["public", "poster", "owner", "manager"])
def test_every_page_of_the_role(
    site: Site, scene: Scene, new_page: Callable[..., Page], check_page: Callable[..., None],
    shot: Callable[..., None], role: str,
) -> None:  # fmt: skip
    faults = []
    for lang, width in LOOKS:
        page = new_page(scene.people[role], lang=lang, width=width)
        db.session.rollback()
        for path in scene.pages[role]:
            answer = page.goto(site.url + path)
            assert answer is not None
            name = re.sub(r"[^a-z0-9]+", "-", path.split("?")[0][:40].lower()).strip("-")
            shot(page, f"interest-{role}-{name}-{lang}-{width}", full_page=True)
            try:
                assert answer.ok, f"{path}: {answer.status}"
                check_page(page)
            except AssertionError as fault:
                faults.append(f"{lang} {width} {fault}")
                page.faults.clear()  # type: ignore[attr-defined]
        page.context.close()
    assert not faults, "\n".join(faults)


def test_a_need_is_posted_without_script(site: Site, scene: Scene, new_page: Callable[..., Page]) -> None:
    page = new_page(scene.people["poster"], width=390, java_script_enabled=False)
    page.goto(site.url + "/needs/new")
    page.fill("#title", "固态电解质")
    page.get_by_role("button", name="保存草稿").click()
    assert page.locator("#details-error").is_visible() and page.input_value("#title") == "固态电解质"
    page.fill("#details", "用于固态电池。")
    page.fill("#contact", "赵联系")
    page.get_by_role("button", name="保存草稿").click()
    page.locator("summary", has_text="提交审核").click()
    page.locator("details[open] button", has_text="提交审核").click()
    assert "平台审核中" in page.inner_text("main")
