"""Open data: a consumer that walks the sequence misses nothing and sees nothing twice while the market goes on."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace import Zhiliu
from marketplace.auctions.rules.catalogue import PLEDGEE_AGREED
from marketplace.core.actor import SYSTEM
from marketplace.core.db import db, unit_of_work
from marketplace.core.events import record
from marketplace.discovery.engines import Breaker, Searching
from marketplace.interest import feed, table
from marketplace.interest.models import FeedEntry
from marketplace.listings import service as listings
from search.engines.embedded import Embedded
from tests.factories.auctions import make_lot, quick
from tests.factories.interest import deliver
from tests.factories.listings import make_listing


def walk(stream: str = "listings", after: int = 0, limit: int = 2) -> tuple[list[str], int]:
    """Numbers in the order in which a consumer gets them, and where it stands then."""
    seen: list[str] = []
    while True:
        with unit_of_work():
            page = feed.page(stream, after, limit)
        seen += [entry.facts["number"] for entry in page.entries]
        after = page.next
        if not page.more:
            return seen, after


def test_a_walk_gets_each_offer_once_and_goes_on_where_it_stood(app: Zhiliu) -> None:
    made = [make_listing("published") for _n in range(5)]
    seen, at = walk()
    assert seen == [m.listing.number for m in made]
    assert walk(after=at) == ([], at)
    fresh = make_listing("published")
    listings.suspend(made[0].manager, made[0].id, "系统故障")
    db.session.commit()
    again, later = walk(after=at)
    assert again == [fresh.listing.number, made[0].listing.number] and later > at
    whole, _end = walk()
    assert sorted(whole) == sorted({m.listing.number for m in [*made, fresh]})  # a change moves it to the end


def test_a_late_commit_is_not_missed(app: Zhiliu) -> None:
    """Ids are taken before the commit: a row that commits after a later one must still come after it."""
    slow, quick = make_listing("published"), make_listing("published")
    _seen, at = walk()
    taken, go = threading.Event(), threading.Event()

    def late() -> None:
        with app.app_context(), unit_of_work():
            record("listing.corrected", "listing", slow.id, SYSTEM, public=True)
            db.session.flush()  # its id is taken now
            taken.set()
            go.wait(20)

    thread = threading.Thread(target=late)
    thread.start()
    assert taken.wait(20)
    with unit_of_work():
        record("listing.corrected", "listing", quick.id, SYSTEM, public=True)
    first, at = walk(after=at)
    assert first == [quick.listing.number]
    go.set()
    thread.join(20)
    assert walk(after=at)[0] == [slow.listing.number]


def test_walking_while_offers_change_misses_nothing_and_repeats_no_change(app: Zhiliu) -> None:
    ids = [make_listing("published").id for _n in range(4)]
    done: list[int] = []

    def change(number: int) -> None:
        with app.app_context():
            for turn in range(12):
                with unit_of_work():
                    feed.changed(("listings", ids[(number + turn) % 4]))
                done.append(1)

    threads = [threading.Thread(target=change, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    got: list[int] = []
    after = 0

    def read() -> None:
        nonlocal after
        with unit_of_work():
            page = feed.page("listings", after, 3)
        got.extend(entry.position for entry in page.entries)
        after = page.next

    while any(thread.is_alive() for thread in threads):
        read()
    for thread in threads:
        thread.join(20)
    before = -1
    while after != before:
        before = after
        read()
    db.session.rollback()
    assert got == sorted(set(got))  # in order, none twice
    last = {
        row[0]: row[1]
        for row in db.session.execute(
            text("SELECT subject_id, max(position) FROM feed_entry WHERE stream = 'listings' GROUP BY 1")
        )
    }
    assert set(last.values()) <= set(got) and len(done) == 36
    unnumbered = db.session.scalar(text("SELECT count(*) FROM feed_entry WHERE position IS NULL"))
    gaps = db.session.scalar(text("SELECT max(position) - count(*) FROM feed_entry"))
    assert (unnumbered, gaps) == (0, 0)


def test_what_is_rolled_back_never_happened(app: Zhiliu) -> None:
    made = make_listing("published")
    _seen, at = walk()
    feed.changed(("listings", made.id))
    db.session.flush()
    db.session.rollback()
    assert walk(after=at) == ([], at)


def test_the_sequence_is_append_only(app: Zhiliu) -> None:
    make_listing("published")
    walk()
    for statement in ("UPDATE feed_entry SET position = position + 100", "DELETE FROM feed_entry",
                      "UPDATE feed_entry SET position = NULL", "UPDATE feed_entry SET subject_id = 1"):  # fmt: skip
        with pytest.raises(DBAPIError, match="append-only"):
            db.session.execute(text(statement))
        db.session.rollback()
    assert db.session.query(FeedEntry).filter(FeedEntry.position.is_(None)).count() == 0


@pytest.mark.parametrize("named", [True, False])
def test_results_have_their_own_sequence_and_name_the_buyer_only_where_the_rule_does(app: Zhiliu, named: bool) -> None:
    from marketplace.auctions import service as auctions

    published = replace(PLEDGEE_AGREED.identity_published, value=named)
    lot = make_lot(2, profile=quick(identity_published=published))
    lot.bid(0, 100_000_00)
    lot.end()
    auctions.close_lot(lot.id)
    db.session.commit()
    with unit_of_work():
        page = feed.page("results")
    name = lot.bidders[0].org.name if named else None
    assert [(e.facts["lot_id"], e.facts["outcome"], e.facts["winner_name"]) for e in page.entries] == [
        (lot.id, "sold", name)
    ]


@pytest.fixture
def index(app: Zhiliu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    made = Embedded(tmp_path / "search")
    made.prepare()
    monkeypatch.setitem(app.extensions, "search", Searching(made, breaker=Breaker(pause=0)))
    yield made


def rows_of(app: Zhiliu, query: str) -> list[dict[str, str]]:
    answer = app.test_client().get("/listings.csv" + query)
    assert answer.status_code == 200 and answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_the_table_is_the_result_list_of_the_same_filters(index: Embedded, app: Zhiliu) -> None:
    dear = make_listing("published", texts={"title": '=HYPERLINK("http://x")隔膜'})
    cheap = make_listing("published", texts={"title": "+桥梁"}, start_minor=4_500_000_00, deposit_minor=450_000_00)
    deliver()
    assert {row["number"] for row in rows_of(app, "")} == {dear.listing.number, cheap.listing.number}
    assert [row["number"] for row in rows_of(app, "?sort=price_up")] == [cheap.listing.number, dear.listing.number]
    only = rows_of(app, "?high=460万")
    assert [row["number"] for row in only] == [cheap.listing.number]
    assert only[0]["title"] == "'+桥梁" and only[0]["start"] == "4500000.00"
    assert rows_of(app, "?low=480万")[0]["title"].startswith("'=HYPERLINK")
    plain = app.test_client().get("/listings.csv").data
    assert not plain.startswith(b"\xef\xbb\xbf")
    assert app.test_client().get("/listings.csv?bom=1").data == b"\xef\xbb\xbf" + plain


def test_the_table_goes_on_without_the_engine_and_stops_at_its_cap(
    index: Embedded, app: Zhiliu, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make_listing("published") for _n in range(3)]
    deliver()
    monkeypatch.setattr(table, "MOST_ROWS", 2)
    assert len(rows_of(app, "")) == 2
    monkeypatch.setattr(table, "MOST_ROWS", 1000)
    monkeypatch.setattr("marketplace.discovery.wanted.PAGE", 1)
    assert len(rows_of(app, "")) == 3
    index.places.folder.rename(index.places.folder.with_name("gone"))
    assert {row["number"] for row in rows_of(app, "")} == {m.listing.number for m in made}


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "|x", "%x", "\t=1", " =1", "＝1", "\r\n=1"])
def test_no_cell_is_a_formula(value: str) -> None:
    assert table.safe(value)[:1] == "'"
