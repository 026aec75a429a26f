"""A real browser (Debian's Chromium) on a live server over the test database.

def test_…(site, new_page, check_page, shot):
    page = new_page(make_user(make_org("bank")), lang="en", width=360)
    page.goto(site.url + "/desk")
    check_page(page)            # axe, no script or CSP error, no sideways scrolling
    shot(page, "desk-bank")     # docs/images/desk-bank.png when ZHILIU_SCREENSHOTS is set
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from marketplace import Zhiliu
from marketplace.core.db import db
from marketplace.parties.models import User
from tests.factories.parties import client_for

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("ZHILIU_CHROMIUM", "/usr/bin/chromium")
IMAGES = ROOT / "docs" / "images"


class QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Requests of a browser are not worth a line each."""


@dataclass
class Site:
    app: Zhiliu
    server: BaseWSGIServer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The application of the tests, answering on a port of this machine with its form check on."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield Site(app, server)
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        if os.environ.get("ZHILIU_NO_SKIPS"):
            pytest.fail(f"no Chromium at {CHROMIUM}")
        pytest.skip(f"no Chromium at {CHROMIUM}: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(site: Site, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """A page of a fresh browser: ``new_page(user, lang="zh", width=1280)``. Script errors and refusals by the content
    policy are kept in ``page.faults``."""
    contexts = []

    def make(user: User | None = None, *, lang: str = "zh", width: int = 1280, height: int = 900, **options: object):
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN" if lang == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            **options,  # type: ignore[arg-type]
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        db.session.commit()
        if user is not None:
            cookie = client_for(site.app, user, lang).get_cookie("zhiliu")
            assert cookie is not None
            context.add_cookies([{"name": "zhiliu", "value": cookie.value, "url": site.url}])
        page = context.new_page()
        faults: list[str] = []
        page.faults = faults  # type: ignore[attr-defined]

        def heard(message: ConsoleMessage) -> None:
            # an answer of 4xx/5xx is also "an error" to the console; tests look at those themselves
            if message.type == "error" and "Failed to load resource" not in message.text:
                faults.append(message.text)

        page.on("console", heard)
        page.on("pageerror", lambda error: faults.append(str(error)))
        if user is None and lang != "zh":
            page.goto(f"{site.url}/how?lang={lang}")
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def check_page() -> Callable[[Page], None]:
    """Accessible by axe, without script errors, without scrolling sideways."""

    def check(page: Page) -> None:
        found = Axe().run(page).response["violations"]
        told = [
            f"{v['id']}: {v['help']}: " + "; ".join(n["html"][:160] for n in v["nodes"][:3])
            for v in found
            if v["impact"] in ("serious", "critical", "moderate")
        ]
        assert not told, f"{page.url}\n" + "\n".join(told)
        assert not page.faults, f"{page.url}: {page.faults}"  # type: ignore[attr-defined]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} is {wide} px too wide"

    return check


@pytest.fixture
def shot() -> Callable[..., None]:
    """A picture for the README: written only when ZHILIU_SCREENSHOTS is set (to a folder, or 1 for docs/images)."""
    wanted = os.environ.get("ZHILIU_SCREENSHOTS")

    def take(page: Page, name: str, *, full_page: bool = False) -> None:
        if wanted:
            folder = IMAGES if wanted == "1" else Path(wanted)
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{name}.png", full_page=full_page)

    return take
