"""Searching as people do it: both languages, desktop and phone, axe, the back button, and without script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from marketplace.core.db import db
from marketplace.demo.names import NAMES
from marketplace.discovery import service
from tests.browser.conftest import Site
from tests.factories.listings import Made, make_listing
from tests.factories.parties import make_org, make_user
from tests.factories.search import copies, indexed, use_embedded

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
LOOKS = (("zh", 1280), ("en", 390), ("zh", 390), ("en", 1280))
# title, English title, division, IPC, industry, start in fen, abstract
OFFERS = (
    ("一种锂离子电池隔膜及其制备方法", "Lithium-ion battery separator", "440305", "H01M50/40", "C3841",
     380_000_000, "本发明公开了一种锂离子电池隔膜，包括聚烯烃基膜和涂覆在基膜上的陶瓷涂层，150 ℃ 下热收缩率小于 2%。"),
    ("一种固态电解质及全固态电池", "Solid electrolyte and all-solid-state battery", "320583", "H01M10/0562", "C3841",
     960_000_000, "提供一种硫化物固态电解质，离子电导率高，可用于全固态锂电池。"),
    ("电池包的液冷热管理装置", "Liquid cooling of a battery pack", "340104", "H01M10/6556", "C3670", 150_000_000,
     "液冷板设在相邻电芯之间，提高电池包的温度均匀性。"),
    ("一种低能耗污泥干化装置", "Low-energy sludge drying apparatus", "420115", "C02F11/12", "N7721", 210_000_000,
     "利用余热对污泥进行两级干化，能耗降低三成。"),
    ("一种桥梁振动的光纤监测方法", "Monitoring of bridge vibration by optical fibre", "420703", "G01H9/00", "C4014",
     520_000_000, "沿桥梁敷设传感光纤，由散射光的相位变化得到振动。"),
    ("光纤传感器的防水接头", "Waterproof joint for an optical fibre sensor", "420100", "G02B6/38", "C4014", 42_000_000,
     "接头内设两道密封圈，可在水下长期使用。"),
    ("稻麦联合收割机的脱粒滚筒", "Threshing drum of a combine harvester", "370102", "A01F12/18", "C3572", 88_000_000,
     "滚筒的钉齿可以快速更换。"),
    ("一种重组蛋白疫苗", "Recombinant protein vaccine", "110108", "A61K39/12", "C2762", 2_600_000_000,
     "涉及一种重组蛋白亚单位疫苗及其佐剂。"),
)  # fmt: skip
FAMILY = (("", ""), ("（改进型）", ", improved"), ("（小型化）", ", compact"))
HOLDERS = tuple(
    f"{name}有限公司" for name in ("江夏示范科技", "伍家岗示范材料", "华容示范装备", "孝南示范能源", "监利示范环保")
)


@dataclass
class Scene:
    made: Made


@pytest.fixture
def scene(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    use_embedded(site.app, tmp_path, monkeypatch)
    for scheme, rows in NAMES.items():
        service.load_names(scheme, rows)
    made = make_listing(
        texts={"title": "一种节水灌溉装置", "title_en": "Water-saving irrigation", "region_code": "650100"}
    )
    offers = [(zh + more_zh, en + more_en, *rest) for more_zh, more_en in FAMILY for zh, en, *rest in OFFERS]
    shots = [
        {
            "title": o[0], "title_en": o[1], "ipc": [o[3]], "abstract": o[6], "abstract_en": None,
            "number": f"ZL2020{10_000_000 + at}.{at % 10}", "holder": HOLDERS[at % len(HOLDERS)],
        }
        for at, o in enumerate(offers)
    ]  # fmt: skip
    copies(
        made, len(offers), shots, title=[o[0] for o in offers], title_en=[o[1] for o in offers],
        region_code=[o[2] for o in offers], industry=[o[4] for o in offers],
        start_minor=[o[5] * (10 - at // len(OFFERS)) // 10 for at, o in enumerate(offers)],
    )  # fmt: skip
    assert indexed() == 25
    return Scene(made)


SEEN = {
    "list": "/listings",
    "words": "/listings?q={q}",
    "filters": "/listings?ipc=H01M&region=440000&price=100-500",
    "nothing": "/listings?q={q}&kind=trademark&region=110000",
    "faults": "/listings?low=abc&ipc=9&cursor=x&q=" + "a" * 600,
}


PICTURES = (("words", "zh", 1280), ("words", "en", 390))


@pytest.mark.parametrize("lang, width", LOOKS)
def test_every_state_of_the_page(
    site: Site, scene: Scene, new_page: Callable[..., Page], check_page: Callable[..., None],
    shot: Callable[..., None], lang: str, width: int,
) -> None:  # fmt: skip
    page = new_page(lang=lang, width=width)
    for name, path in SEEN.items():
        answer = page.goto(site.url + path.format(q="电池隔膜" if lang == "zh" else "battery separator"))
        assert answer is not None and answer.ok
        check_page(page)
        if (name, lang, width) in PICTURES:
            shot(page, f"search-{lang}-{'phone' if width < 600 else 'desktop'}")


def test_a_reader_filters_goes_back_and_pages_on(site: Site, scene: Scene, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(site.url + "/listings")
    expect(page.locator(".zl-results [role=status]")).to_have_text("共 25 项")
    page.locator("#q").fill("电池")
    page.get_by_role("button", name="查找").click()
    status = page.locator(".zl-results [role=status]")
    expect(status).to_have_text("共 9 项")
    expect(page.locator("mark").first).to_be_visible()
    page.locator(".zl-facet a", has_text="广东省").click()
    expect(status).to_have_text("共 3 项")
    assert "region=440000" in page.url and page.locator("#q").input_value() == "电池"
    page.go_back()
    expect(status).to_have_text("共 9 项")
    page.locator(".zl-map a[aria-label='江苏省 3']").click()  # a tile of the map
    expect(status).to_have_text("共 3 项")
    page.locator(".zl-chips a", has_text="江苏省").click()
    expect(status).to_have_text("共 9 项")
    page.goto(site.url + "/listings?sort=price_up")
    first = page.locator(".zl-lot h3").all_inner_texts()
    page.get_by_role("link", name="下一页").click()
    expect(page.get_by_role("link", name="回到第一页")).to_be_visible()
    second = page.locator(".zl-lot h3").all_inner_texts()
    assert (len(first), len(second)) == (20, 5)


def test_suggestions_come_while_typing(site: Site, scene: Scene, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(site.url + "/listings")
    page.locator("#q").press_sequentially("一种锂", delay=30)
    expect(page.locator("#suggestions option")).not_to_have_count(0)
    assert "锂离子电池隔膜" in (page.locator("#suggestions option").first.get_attribute("value") or "")
    assert not page.faults  # type: ignore[attr-defined]


def test_on_a_phone_the_filters_are_a_drawer_without_script(
    site: Site, scene: Scene, new_page: Callable[..., Page]
) -> None:
    page = new_page(width=390, java_script_enabled=False)
    page.goto(site.url + "/listings?q=电池")
    region = page.locator(".zl-facet a", has_text="广东省")
    expect(region).to_be_hidden()
    page.locator(".zl-drawer summary").click()
    expect(region).to_be_visible()
    region.click()
    expect(page.locator(".zl-results [role=status]")).to_have_text("共 3 项")
    expect(page.locator(".zl-drawer summary")).to_have_text("筛选 (1)")


def test_on_a_wide_screen_the_filters_stand_open(site: Site, scene: Scene, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(site.url + "/listings")
    expect(page.locator(".zl-facet a", has_text="广东省")).to_be_visible()
    expect(page.locator(".zl-drawer summary")).to_be_hidden()


@pytest.mark.parametrize("lang, width", LOOKS)
def test_the_managers_desk(
    site: Site, scene: Scene, new_page: Callable[..., Page], check_page: Callable[..., None],
    shot: Callable[..., None], lang: str, width: int,
) -> None:  # fmt: skip
    page = new_page(make_user(make_org("platform")), lang=lang, width=width)
    page.goto(site.url + "/manage/search")
    page.fill("#words", "隔膜，隔离膜，separator")
    page.locator("#synonyms > form button").click()
    check_page(page)
    assert page.locator("#synonyms > ul > li").count() == 1
    if (lang, width) == ("zh", 1280):
        page.evaluate("scrollTo(0, 0)")
        shot(page, "search-desk")
    db.session.rollback()


def test_more_like_this(
    site: Site, scene: Scene, new_page: Callable[..., Page], check_page: Callable[..., None]
) -> None:
    page = new_page()
    page.goto(site.url + "/listings?q=固态电解质")
    page.locator(".zl-lot h3 a").first.click()
    like = page.locator("section", has=page.locator("#like"))
    expect(like).to_contain_text("固态电解质")
    check_page(page)
