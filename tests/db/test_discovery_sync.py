"""The index follows the database: versions grow with each change, one snapshot, retries, dead letters, the sweep."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from marketplace import Zhiliu
from marketplace.core import outbox
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Outbox
from marketplace.discovery import documents, sync, truth
from marketplace.discovery.engines import Breaker, searching
from marketplace.discovery.models import SearchDocument
from marketplace.listings import service as listings
from marketplace.rights import service as rights
from search.result import Fault
from tests.factories.auctions import make_lot
from tests.factories.listings import make_listing
from tests.factories.search import Memory, use_memory


@pytest.fixture
def engine(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> Memory:
    return use_memory(app, monkeypatch)


def row(listing_id: int) -> SearchDocument:
    db.session.commit()
    return db.session.get_one(SearchDocument, listing_id, populate_existing=True)


def waiting_messages() -> int:
    db.session.commit()
    return len(db.session.scalars(select(Outbox).where(Outbox.topic == truth.TOPIC, Outbox.state == "pending")).all())


def test_publication_marks_the_offer_and_asks_once(engine: Memory) -> None:
    first, second = make_listing(), make_listing()
    assert row(first.id).version >= 1 and row(second.id).indexed_version == 0
    assert waiting_messages() == 1
    assert sync.run() == 2
    assert set(engine.found()) == {str(first.id), str(second.id)}
    assert row(first.id).indexed_version == row(first.id).version
    assert sync.run() == 0


def test_a_draft_has_no_document(engine: Memory) -> None:
    made = make_listing("reviewed")
    db.session.commit()
    assert db.session.get(SearchDocument, made.id) is None
    sync.run()
    assert engine.kept == {}


def test_a_change_grows_the_version_in_its_own_transaction(engine: Memory) -> None:
    made = make_listing()
    sync.run()
    before = row(made.id).version
    listings.suspend(made.manager, made.id, "系统故障")
    db.session.rollback()
    assert row(made.id).version == before
    listings.suspend(made.manager, made.id, "系统故障")
    db.session.commit()
    assert row(made.id).version == before + 1  # several events of one transaction are one change
    sync.run()
    assert engine.kept[str(made.id)].keywords["status"] == ("suspended",)


def test_a_withdrawn_offer_stays_as_withdrawn(engine: Memory) -> None:
    made = make_listing("withdrawn")
    sync.run()
    assert engine.found()[str(made.id)].keywords["status"] == ("withdrawn",)


def test_a_correction_of_the_right_marks_its_offers(engine: Memory) -> None:
    made = make_listing()
    sync.run()
    before = row(made.id).version
    right = made.listing.items[0].right
    rights.set_standing(made.maker, right.id, {"invalidation_pending": True, "co_owners_consent": False})
    db.session.commit()
    assert row(made.id).version == before + 1
    health = engine.kept[str(made.id)].numbers["health"]
    assert health == 2 and right.encumbrances  # the bank's own pledge, which every offer carries, is no blemish
    sync.run()
    assert engine.kept[str(made.id)].numbers["health"] < health


def test_bids_are_noticed_by_the_sweep_alone(engine: Memory) -> None:
    sale = make_lot(2)
    truth.sweep()
    db.session.commit()
    sync.run()
    listing_id = sale.lot.listing_id
    before = row(listing_id).version
    assert sale.bid(0, sale.lot.start_minor).accepted
    assert row(listing_id).version == before
    assert truth.sweep() == 1
    db.session.commit()
    assert row(listing_id).version == before + 1 and waiting_messages() == 1
    assert truth.sweep() == 0
    sync.run()
    assert engine.kept[str(listing_id)].numbers["price_minor"] == sale.lot.start_minor


def test_what_time_alone_changes_is_swept(engine: Memory) -> None:
    made = make_listing()
    sync.run()
    db.session.execute(text("UPDATE search_document SET recheck_at = clock_timestamp() - interval '1 second'"))
    db.session.commit()
    before = row(made.id).version
    assert truth.sweep() == 1
    assert row(made.id).version == before + 1
    sync.run()
    assert row(made.id).recheck_at is not None


def test_one_faulty_document_waits_longer_each_time_and_dies_alone(engine: Memory) -> None:
    bad, good = make_listing(), make_listing()
    engine.faults[str(bad.id)] = Fault(str(bad.id), "busy", permanent=False)
    assert sync.run() == 1
    found = row(bad.id)
    assert (found.attempts, found.last_error, found.dead) == (1, "busy", False)
    assert found.next_try_at is not None and found.next_try_at > now()
    assert row(good.id).indexed_version == row(good.id).version
    assert sync.run() == 0 and row(bad.id).attempts == 1  # not before its time
    for _ in range(sync.MAX_ATTEMPTS - 1):
        db.session.execute(text("UPDATE search_document SET next_try_at = NULL"))
        db.session.commit()
        sync.run()
    assert row(bad.id).dead
    engine.faults.clear()
    listings.suspend(bad.manager, bad.id, "系统故障")  # a change revives it
    db.session.commit()
    assert not row(bad.id).dead
    sync.run()
    assert str(bad.id) in engine.found() and row(bad.id).last_error is None


def test_a_permanent_fault_is_dead_at_once(engine: Memory) -> None:
    made = make_listing()
    engine.faults[str(made.id)] = Fault(str(made.id), "mapping", permanent=True)
    sync.run()
    assert row(made.id).dead and row(made.id).last_error == "mapping"


def test_an_engine_that_is_away_costs_no_document_a_try(app: Zhiliu, engine: Memory) -> None:
    made = make_listing()
    engine.down = True
    assert sync.run() == 0
    assert row(made.id).attempts == 0 and row(made.id).indexed_version == 0
    engine.down = False
    searching().breaker = Breaker()
    assert sync.run() == 1


def test_the_local_engine_is_kept_in_step_while_the_main_one_is_away(
    app: Zhiliu, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = Memory()
    main = use_memory(app, monkeypatch, local)
    made = make_listing()
    main.down = True
    sync.run()
    assert set(local.found()) == {str(made.id)} and main.kept == {}
    main.down = False
    searching().breaker = Breaker()
    sync.run()
    assert set(main.found()) == {str(made.id)}


def test_a_higher_version_is_never_older_content(app: Zhiliu, engine: Memory) -> None:
    """Many changes and many readers at once: what a reader saw at a version is what a later reader sees or newer."""
    listing_id = make_lot(0).lot.listing_id
    seen: list[tuple[int, int]] = []
    stop, guard = threading.Event(), threading.Lock()
    later = text(
        "UPDATE lot_state SET ends_at = ends_at + interval '1 second'"
        " WHERE lot_id IN (SELECT id FROM lot WHERE listing_id = :id)"
    )

    def change() -> None:
        with app.app_context():
            for _ in range(30):
                db.session.execute(later, {"id": listing_id})
                truth.note([listing_id])
                db.session.commit()
            stop.set()

    def look() -> None:
        with app.app_context():
            while not stop.is_set():
                built = sync.read([listing_id])[0]
                with guard:
                    seen.append((built.version, built.document.numbers["closes_at"]))

    threads = [threading.Thread(target=change), *(threading.Thread(target=look) for _ in range(3))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbered = sorted(set(seen))
    assert len(numbered) > 3
    assert [end for _version, end in numbered] == sorted(end for _version, end in numbered)
    assert len({version for version, _end in numbered}) == len(numbered)  # one content a version


def test_what_is_written_is_told_to_who_asks_for_it(engine: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(outbox._handlers, sync.INDEXED, raising=False)
    made = make_listing()
    sync.run()
    assert not db.session.scalars(select(Outbox).where(Outbox.topic == sync.INDEXED)).all()
    monkeypatch.setitem(outbox._handlers, sync.INDEXED, lambda message_id, payload: None)
    listings.suspend(made.manager, made.id, "系统故障")
    db.session.commit()
    sync.run()
    found = db.session.scalars(select(Outbox).where(Outbox.topic == sync.INDEXED)).one()
    assert found.payload == {"ids": [made.id]}


def test_documents_hold_public_facts_only(engine: Memory) -> None:
    case = (("debtor_name", "债务人隐名有限公司"), ("claim_principal_minor", 712_345_67))
    made = make_listing(texts={"contact": "联系人王秘密 13800000000"}, case=case)
    make_listing("draft", texts={"title": "未公开的草稿标题"})
    sale = make_lot(1)
    sale.bid(0, sale.lot.start_minor)
    truth.sweep()
    db.session.commit()
    sync.run()
    written = " ".join(repr(document) for document in engine.kept.values())
    for secret in (
        "隐名",
        "王秘密",
        "13800000000",
        "未公开的草稿",
        "71234567",
        sale.bidders[0].org.name,
        sale.bidders[0].code,
    ):
        assert secret not in written
    document = engine.kept[str(made.id)]
    assert document.texts["title"] and document.keywords["kind"] == ("invention_patent",)
    assert documents.digest(document) == row(made.id).digest


def test_a_document_tells_its_end_only_while_it_is_open(engine: Memory) -> None:
    made = make_listing()
    sync.run()
    document = engine.kept[str(made.id)]
    assert document.numbers["closes_at"] > now().timestamp()
    assert row(made.id).recheck_at is not None and row(made.id).recheck_at > now() - timedelta(seconds=5)
    sale = make_lot(0, opens_in=timedelta(seconds=-60))
    sale.end()
    from marketplace.auctions import service

    service.close_lot(sale.id)
    db.session.commit()
    sync.run()
    ended = engine.kept[str(sale.lot.listing_id)]
    assert "closes_at" not in ended.numbers and ended.keywords["status"] == ("unsold",)
