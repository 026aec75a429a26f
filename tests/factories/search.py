"""A small engine in memory that keeps to the contract, for tests of what feeds and asks an engine. It can be told to
fail: ``down`` for all, ``faults`` for single documents."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from marketplace import Zhiliu
from marketplace.discovery import sync
from marketplace.discovery.engines import Breaker, Searching
from search.document import Document
from search.engine import CursorRefused, EngineDown
from search.query import Query
from search.result import Bucket, Fault, Hit, Result


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
