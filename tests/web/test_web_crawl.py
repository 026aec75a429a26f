"""Walk every link that each role can reach: none leads nowhere, none breaks, none shows what it should not."""

from __future__ import annotations

import re
from collections import deque
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient

from marketplace import Zhiliu
from marketplace.core.actor import ORG_KINDS
from tests.factories.parties import client_for, make_org, make_user

LINK = re.compile(r'(?:href|src|action)="([^"#]*)')
MOST_PAGES = 150
# leaves the session or the machine
NOT_FOLLOWED = ("/account/logout", "/account/verify")


def crawl(client: FlaskClient, start: str = "/") -> dict[str, int]:
    """Status of every page within reach by GET links, breadth first, at most ``MOST_PAGES``."""
    seen: dict[str, int] = {}
    queue = deque([start])
    while queue and len(seen) < MOST_PAGES:
        path = queue.popleft()
        if path in seen:
            continue
        with client.get(path) as answer:
            seen[path] = answer.status_code
            page = answer.text if answer.mimetype == "text/html" else ""
        for tag, found in re.findall(r"<(a|form|link|script|img)\b([^>]*)>", page):
            match = LINK.search(found)
            if match is None or (tag == "form" and 'method="post"' in found.lower()):
                continue
            address = urlsplit(urljoin(f"http://localhost{path}", unescape(match[1])))
            target = address.path + (f"?{address.query}" if address.query else "")
            if address.netloc == "localhost" and not address.path.startswith(NOT_FOLLOWED) and "lang=" not in target:
                queue.append(target)
    return seen


@pytest.mark.parametrize("kind", [None, "nobody", *ORG_KINDS])
def test_no_link_leads_nowhere(app: Zhiliu, kind: str | None) -> None:
    if kind is None:
        client = app.test_client()
    else:
        client = client_for(app, make_user(None if kind == "nobody" else make_org(kind)))
    seen = crawl(client)
    if kind is not None:
        seen |= crawl(client, "/desk")
    broken = {path: status for path, status in seen.items() if status >= 400}
    assert broken == {}
    assert len(seen) > 5
