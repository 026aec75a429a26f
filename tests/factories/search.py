"""A small engine in memory that keeps to the contract, for tests of what feeds and asks an engine. It can be told to
fail: ``down`` for all, ``faults`` for single documents."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.auctions.models import Lot, LotState
from marketplace.core.db import db
from marketplace.discovery import sync, truth
from marketplace.discovery.engines import Breaker, Searching
from marketplace.listings.models import Listing, ListingRight
from search.document import Document
from search.engine import CursorRefused, EngineDown
from search.engines.embedded import Embedded
from search.query import Query
from search.result import Bucket, Fault, Hit, Result
from tests.factories.listings import Made


class Memory:
    """``writes`` counts the bulk writes."""

    name = "memory"

    def __init__(self) -> None:
        self.generations: list[dict[str, Document]] = [{}]
        self.faults: dict[str, Fault] = {}
        self.down = False
        self.writes = 0
        self.guard = threading.RLock()

    @property
    def kept(self) -> dict[str, Document]:
        return self.generations[0]

    def found(self) -> dict[str, Document]:
        return {key: document for key, document in self.kept.items() if not document.gone}

    def prepare(self) -> None:
        self._reach()

    def _reach(self) -> None:
        if self.down:
            raise EngineDown("down")

    def write(self, documents: Sequence[Document]) -> list[Fault]:
        self._reach()
        with self.guard:
            self.writes += 1
            for generation in self.generations:
                self._put(generation, documents)
        return [self.faults[d.id] for d in documents if d.id in self.faults]

    def _put(self, generation: dict[str, Document], documents: Sequence[Document]) -> None:
        for document in documents:
            old = generation.get(document.id)
            if document.id not in self.faults and (old is None or old.version <= document.version):
                generation[document.id] = document

    def refresh(self) -> None:
        self._reach()

    def search(self, query: Query) -> Result:
        self._reach()
        if query.cursor and not query.cursor.isdigit():
            raise CursorRefused(query.cursor)
        words = query.text.lower().split()
        matching = [d for d in self.found().values() if not words or any(w in _all(d) for w in words)]
        if query.ids is not None:
            matching = [d for d in matching if d.id in query.ids]
        matching = [d for d in matching if d.id != query.like]

        def passes(document: Document, but: str = "") -> bool:
            chosen = all(
                set(values) & set(document.keywords.get(name, ()))
                for name, values in query.filters.items()
                if name != but
            )
            return chosen and all(
                (low is None or document.numbers.get(name, -1) >= low)
                and (high is None or document.numbers.get(name, 2**62) <= high)
                for name, (low, high) in query.ranges.items()
            )

        hits = sorted((d for d in matching if passes(d)), key=lambda d: int(d.id))
        start = int(query.cursor or 0)
        page = hits[start : start + query.size]
        facets = {
            name: tuple(
                Bucket(value, n)
                for value, n in Counter(
                    value for d in matching if passes(d, name) for value in d.keywords.get(name, ())
                ).most_common()
            )
            for name in query.facets
        }
        more = start + query.size < len(hits)
        return Result(tuple(Hit(d.id) for d in page), len(hits), facets, str(start + query.size) if more else "")

    def suggest(self, start: str, size: int = 8) -> list[str]:
        self._reach()
        titles = {line for d in self.found().values() for line in d.texts.get("title", "").splitlines()}
        return sorted(title for title in titles if title.startswith(start))[:size]

    def count(self) -> int:
        self._reach()
        return len(self.found())

    def versions(self) -> Iterator[tuple[str, int]]:
        self._reach()
        yield from [(d.id, d.version) for d in self.kept.values()]

    def rebuild(self) -> Generation:
        self._reach()
        return Generation(self)


class Generation:
    def __init__(self, engine: Memory) -> None:
        self.engine = engine
        self.kept: dict[str, Document] = {}
        engine.generations.append(self.kept)

    def write(self, documents: Sequence[Document]) -> list[Fault]:
        self.engine._reach()
        with self.engine.guard:
            self.engine._put(self.kept, documents)
        return [self.engine.faults[d.id] for d in documents if d.id in self.engine.faults]

    def finish(self) -> None:
        with self.engine.guard:
            self.engine.generations = [self.kept]

    def abandon(self) -> None:
        self.engine.generations = [one for one in self.engine.generations if one is not self.kept]


def _all(document: Document) -> str:
    return " ".join((*document.texts.values(), *(v for values in document.keywords.values() for v in values))).lower()


def use_memory(app: Zhiliu, monkeypatch: pytest.MonkeyPatch, local: Any = None) -> Memory:
    """This engine answers until the test ends."""
    engine = Memory()
    monkeypatch.setitem(app.extensions, "search", Searching(engine, local, Breaker(pause=0.05)))
    return engine


def indexed() -> int:
    """What was committed can be found."""
    return sync.run()


def use_embedded(app: Zhiliu, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    """A real index of the test's own answers until the test ends."""
    engine = Embedded(folder / "search")
    engine.prepare()
    monkeypatch.setitem(app.extensions, "search", Searching(engine, None, Breaker(pause=0.05)))
    return engine


def copies(made: Made, count: int, shots: Sequence[dict[str, Any]] = ({},), **changes: Sequence[Any]) -> list[int]:
    """So many published offers more, written as rows like ``made``; each column of ``changes`` takes its values in
    turn, and so do the facts of the right (``shots``). Committed and marked for the index."""
    listing = db.session.get_one(Listing, made.id)
    lot = db.session.scalars(select(Lot).where(Lot.listing_id == made.id)).one()
    state = db.session.get_one(LotState, lot.id)

    def copied(row: Any, *skip: str) -> dict[str, Any]:
        return {c.key: getattr(row, c.key) for c in row.__table__.columns if c.key not in skip}

    start = db.session.scalar(select(func.count()).select_from(Listing)) or 0
    rows = []
    for n in range(count):
        own = {name: values[n % len(values)] for name, values in changes.items()}
        number = f"ZL-2025-{made.id % 1000:03d}{start + n:03d}"
        rows.append(Listing(**copied(listing, "id", "number", *own), number=number, **own))
    db.session.add_all(rows)
    db.session.flush()
    frozen, moving = copied(lot, "id", "listing_id", "code", "start_minor"), copied(state, "lot_id")
    lots = [
        Lot(**frozen, listing_id=row.id, code=f"{row.number}-1", start_minor=row.start_minor or lot.start_minor)
        for row in rows
    ]
    db.session.add_all(lots)
    item = listing.items[0]
    db.session.add_all(
        ListingRight(listing_id=row.id, right_id=item.right_id, snapshot=item.snapshot | shots[n % len(shots)])
        for n, row in enumerate(rows)
    )
    db.session.flush()
    db.session.add_all(LotState(**moving, lot_id=row.id) for row in lots)
    ids = [row.id for row in rows]
    truth.note(ids)
    db.session.commit()
    return ids
