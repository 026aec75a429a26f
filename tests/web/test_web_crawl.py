"""Walk every link that each role can reach: none leads nowhere, none breaks, none shows what it should not."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from marketplace import Zhiliu
from marketplace.auctions import service as auctions
from marketplace.core.actor import ORG_KINDS
from marketplace.core.db import db, unit_of_work
from marketplace.demo import load, people
from marketplace.parties.models import Organisation, User
from tests.factories.auctions import make_bidder, make_lot
from tests.factories.parties import client_for, make_org, make_user
from tests.web.english import CJK, chinese_left

LINK = re.compile(r'(?:href|src|action)="([^"#]*)')
MOST_PAGES = 150
# leaves the session or the machine
NOT_FOLLOWED = ("/account/logout", "/account/verify")


def walk(client: FlaskClient, *starts: str, alike: int | None = None) -> Iterator[tuple[str, int, str]]:
    """Every page within reach by GET links, breadth first, at most ``MOST_PAGES``: its path, status and HTML (empty for
    a file). ``alike``: of pages whose addresses differ by numbers or by the question only, so many."""
    seen: set[str] = set()
    shapes: Counter[str] = Counter()
    queue = deque(starts)
    while queue and len(seen) < MOST_PAGES:
        path = queue.popleft()
        shape = re.sub(r"\d+", "#", path.partition("?")[0])
        if path in seen or (alike is not None and shapes[shape] >= alike):
            continue
        seen.add(path)
        shapes[shape] += 1
        with client.get(path) as answer:
            page = answer.text if answer.mimetype == "text/html" else ""
            yield path, answer.status_code, page
        for tag, found in re.findall(r"<(a|form|link|script|img)\b([^>]*)>", page):
            match = LINK.search(found)
            if match is None or (tag == "form" and 'method="post"' in found.lower()):
                continue
            address = urlsplit(urljoin(f"http://localhost{path}", unescape(match[1])))
            target = address.path + (f"?{address.query}" if address.query else "")
            if address.netloc == "localhost" and not address.path.startswith(NOT_FOLLOWED) and "lang=" not in target:
                queue.append(target)


@pytest.mark.parametrize("kind", [None, "nobody", *ORG_KINDS])
def test_no_link_leads_nowhere(app: Zhiliu, kind: str | None) -> None:
    if kind is None:
        client = app.test_client()
    else:
        client = client_for(app, make_user(None if kind == "nobody" else make_org(kind)))
    starts = ("/",) if kind is None else ("/", "/desk")
    seen = {path: status for path, status, _page in walk(client, *starts)}
    broken = {path: status for path, status in seen.items() if status >= 400}
    assert broken == {}
    assert len(seen) > 5


#: What may be Chinese on an English page: names and texts that people gave, and names that have no other form.
TYPED = {
    "organisation": (("name", "account_name", "account_bank", "address", "contact"), "as registered"),
    "user": (("display_name",), "people's names"),
    "case": (
        ("reference", "debtor_name", "loan_contract_no", "path_basis", "notes", "valuer", "state_reason"),
        "the bank's own file",
    ),
    "right": (("title", "number_display", "holder_name", "abstract"), "as in the register; an English title is shown"),
    "encumbrance": (("holder", "case_no"), "as in the register"),
    "listing": (
        ("title", "summary", "known_defects", "taxes_and_fees", "inspection", "handover", "contact",
         "bidder_conditions", "priority_holders", "notification_note", "state_reason"),
        "the seller's words",
    ),
    "lot": (("title",), "the seller's words"),
    "question": (("text", "answer"), "as asked and answered"),
    "objection": (("text", "decision"), "as filed and decided"),
    "document": (("filename",), "the uploader's name for it"),
    "import_run": (("filename", "sheet"), "the uploader's file"),
    "import_fault": (("value", "column"), "the uploader's cells"),
    "need": (("title", "details", "contact", "state_reason"), "the poster's words; English ones are shown if given"),
    "need_response": (("message", "contact", "state_reason"), "the owner's words"),
    "saved_search": (("name",), "the user's name for it"),
}  # fmt: skip
OFFICIAL = ("中文",)  # a language is called by its own name


def typed_by_people(app: Zhiliu) -> set[str]:
    settings = app.settings
    found = {*OFFICIAL, settings.platform_account_name, settings.platform_bank_name}  # the account's own name
    for table, (columns, _reason) in TYPED.items():
        known = set(
            db.session.scalars(
                text("SELECT column_name FROM information_schema.columns WHERE table_name = :t"), {"t": table}
            )
        )
        for column in columns:
            if column in known:
                found |= set(db.session.scalars(text(f'SELECT DISTINCT "{column}" FROM "{table}"')))
    for kept in db.session.scalars(text("SELECT query FROM saved_search")):
        found |= {value for _name, value in parse_qsl(kept)}  # the words that the user looks for
    return {value for value in found if value and CJK.search(value)}


def busy_market(app: Zhiliu) -> None:
    """The demo's people and offers; a sale that ended and one that runs, with the demo's bank and bidder in both; an
    import with faults; a case that lacks papers; an approval that waits."""
    load.load(app, "demo-password")
    with unit_of_work():
        seller, bidder = people.actor("bank"), people.actor("bidder")
    for ended in (True, False):
        bank = db.session.get_one(Organisation, seller.org_id)
        sale = make_lot(1, seller=bank, facts={"title_en": "An invention patent"})
        sale.bidders.append(make_bidder(sale.lot, actor=bidder))
        for number in (0, 1):
            assert sale.bid(number, 100_000_00 + number * 1_000_00).accepted
        sale.bid(0, 1_00)
        if ended:
            sale.end()
            auctions.close_lot(sale.id)
            db.session.commit()


@pytest.mark.parametrize("login", ["", "bank", "bidder", "enterprise", "manager", "regulator"])
def test_an_english_page_says_nothing_in_chinese(app: Zhiliu, login: str) -> None:
    busy_market(app)
    client = app.test_client()
    if login:
        user = db.session.scalar(db.select(User).where(User.email.startswith(f"{login}@")))
        client = client_for(app, user, "en")
    known = typed_by_people(app)
    db.session.commit()
    left = {}
    for path, status, page in walk(client, "/?lang=en", *(["/desk"] if login else []), alike=3):
        assert status < 400, path
        if page and (found := chinese_left(page, known)):
            left[path] = found
    assert left == {}
