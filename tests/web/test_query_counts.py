"""The busiest pages ask the database a fixed number of times, however many lots, bids or approvals there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from marketplace import Zhiliu
from marketplace.core import approvals, deadlines
from marketplace.core.clock import now
from marketplace.core.db import db, unit_of_work
from marketplace.core.events import record
from marketplace.parties.sign_in import actor_of
from tests.factories.auctions import MadeLot, make_lot
from tests.factories.listings import make_listing
from tests.factories.parties import client_for, make_org, make_user

MOST = 12
MOST_OF_A_DESK = 17


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to the database meanwhile; the transaction's own begin and end are not counted."""
    sent: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(" ".join(statement.split())[:110])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def count(client: FlaskClient, path: str) -> list[str]:
    client.get(path)  # what is read once in a process (profiles, catalogues) is not the page's
    with statements() as sent:
        assert client.get(path).status_code == 200
    return sent


def visitors(app: Zhiliu, sale: MadeLot) -> dict[str, FlaskClient]:
    return {
        "public": app.test_client(),
        "bidder": client_for(app, make_user(sale.bidders[0].org)),
        "bank": client_for(app, make_user(sale.seller)),
        "manager": client_for(app, make_user(make_org("platform"))),
    }


def grow(sale: MadeLot, start: int, times: int) -> None:
    """So many bids, lots, approvals, deadlines and events more, numbered from ``start``."""
    for number in range(start, start + times):
        assert sale.bid(number % 2, sale.lot.start_minor + number * sale.lot.increment_minor).accepted
        make_lot(1, seller=sale.seller)
    colleague = actor_of(make_user(sale.seller), None)
    with unit_of_work():
        for number in range(start, start + times):
            approvals.request("case.approve", "case", 1000 + number, colleague)
            deadlines.schedule("lot.close", "lot", 1000 + number, now() + timedelta(days=1), sale.seller.id)
            record("case.edited", "case", 1000 + number, colleague)


def test_a_managers_desk_asks_no_more_for_all_kinds_of_things(app: Zhiliu) -> None:
    """Approvals, deadlines and events of every kind of subject, people by the dozen, something to do in every room."""
    sale = make_lot(2)
    platform = make_org("platform")
    reader = make_user(platform)
    client = client_for(app, reader)
    subjects = ("case", "listing", "lot", "right", "payout", "statement_line")

    def fill(start: int) -> None:
        colleagues = [actor_of(make_user(platform), None) for _ in range(6)]
        with unit_of_work():
            for number, subject in enumerate(subjects * 2, start):
                who = colleagues[number % 6]
                approvals.request("money.confirm_line", subject, 1000 + number, who)
                deadlines.schedule("lot.close", subject, 1000 + number, now() + timedelta(days=1), platform.id)
                record("case.edited", subject, 1000 + number, who)
        make_listing("submitted")
        make_org("bank", state="submitted")
        sale.bid(0, sale.lot.start_minor + start * sale.lot.increment_minor)

    fill(0)
    few = count(client, "/desk")
    for start in (20, 40, 60):
        fill(start)
    many = count(client, "/desk")
    told = "\n".join(many)
    assert len(many) <= len(few), f"{len(few)} → {len(many)}\n{told}"
    # one for the visitor, three lists, one for people, one a kind of named subject (four), and what waits in each room
    assert len(many) <= MOST_OF_A_DESK, f"{len(many)}\n{told}"


@pytest.mark.parametrize(
    "path", ["/", "/listings", "/results", "/listings/{number}", "/lots/{lot}", "/desk", "/my/proceeds"]
)
def test_a_page_asks_no_more_when_there_is_more(app: Zhiliu, path: str) -> None:
    sale = make_lot(2)
    grow(sale, 0, 2)
    at = path.format(lot=sale.id, number=sale.lot.facts["number"])
    readers = {"/desk": ("bidder", "bank", "manager"), "/my/proceeds": ("bank",)}
    who = {name: c for name, c in visitors(app, sale).items() if path not in readers or name in readers[path]}
    few = {name: count(client, at) for name, client in who.items()}
    grow(sale, 2, 15)
    many = {name: count(client, at) for name, client in who.items()}
    for name in who:
        told = "\n".join(many[name])
        assert len(many[name]) <= MOST, f"{name} {path}: {len(many[name])}\n{told}"
        assert len(many[name]) <= len(few[name]), f"{name} {path}: {len(few[name])} → {len(many[name])}\n{told}"
