"""The embedded engine: Tantivy in this process, its index on disk shared by all processes of the machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import tantivy

from search.document import Document
from search.engine import EngineDown
from search.engines import embedded_schema, shape
from search.engines.embedded_index import Generation
from search.engines.embedded_search import Search
from search.engines.generations import Generations
from search.query import Query
from search.result import Fault, Result

_TRIES = 5  # a generation may be replaced between looking and opening

T = TypeVar("T")


class Embedded:
    """The engine contract over one index directory."""

    name = "embedded"

    def __init__(self, index_dir: Path) -> None:
        self.places = Generations(Path(index_dir), embedded_schema.LAYOUT)
        self._open: dict[str, Generation] = {}
        self._guard = threading.Lock()

    def prepare(self) -> None:
        """Make an empty index if there is none that can be read; a damaged one is removed."""
        with suppress(EngineDown):
            self._read(lambda generation: None)
            return
        with self.places.writing():
            with suppress(EngineDown):
                self._read(lambda generation: None)
                return
            name = self.places.new_name()
            Generation.make(self.places.path(name))
            self.places.point("current", name)
            if self.places.building() is None:
                self.places.sweep()

    def write(self, documents: Sequence[Document]) -> list[Fault]:
        if not documents:
            return []
        with self.places.writing():
            faults = self._current().write(documents)
            building = self.places.building()
            if building is not None:
                with _down():
                    self._generation(building).write(documents)
            return faults

    def refresh(self) -> None:
        """Every write is committed, and every reader looks before it answers: nothing is left to do."""

    def search(self, query: Query) -> Result:
        return self._read(lambda generation: Search(generation, query).result())

    def suggest(self, start: str, size: int = 8) -> list[str]:
        typed = shape.typed(start)
        if not typed:
            return []
        return self._read(lambda generation: _suggest(generation, typed, max(0, min(size, 50))))

    def count(self) -> int:
        return self._read(Generation.count)

    def versions(self) -> Iterator[tuple[str, int]]:
        return self._read(lambda generation: generation.versions())

    def rebuild(self) -> EmbeddedRebuild:
        """Only one at a time: ``EngineDown`` while another lives."""
        self.places.folder.mkdir(parents=True, exist_ok=True)
        lock = self.places.rebuilding()
        try:
            with self.places.writing():
                self.places.drop_building()
                name = self.places.new_name()
                Generation.make(self.places.path(name))
                self.places.point("building", name)
        except BaseException:
            os.close(lock)
            raise
        return EmbeddedRebuild(self, name, lock)

    def _read(self, ask: Callable[[Generation], T]) -> T:
        """Ask the generation that answers; once more if it was replaced meanwhile."""
        for _ in range(_TRIES):
            try:
                with _down():
                    return ask(self._current())
            except FileNotFoundError:
                continue
        raise EngineDown("the index is missing; it must be made anew")

    def _current(self) -> Generation:
        name = self.places.current()
        if name is None:
            raise EngineDown("there is no index yet; it must be made")
        return self._generation(name)

    def _generation(self, name: str) -> Generation:
        found = self._open.get(name)
        if found is None:
            with self._guard:
                found = self._open[name] = self._open.get(name) or Generation(self.places.path(name))
                for other in set(self._open) - {name, self.places.current(), self.places._read("building")}:
                    del self._open[other]
        return found


class EmbeddedRebuild:
    """A generation filled beside the one that answers; live writes go to both as long as this process holds it."""

    def __init__(self, engine: Embedded, name: str, lock: int) -> None:
        self._engine = engine
        self._name = name
        self._lock: int | None = lock

    def write(self, documents: Sequence[Document]) -> list[Fault]:
        self._held()
        with self._engine.places.writing(), _down():
            return self._engine._generation(self._name).write(documents) if documents else []

    def finish(self) -> None:
        self._held()
        places = self._engine.places
        with places.writing():
            old = places.current()
            places.point("current", self._name)
            (places.folder / "building").unlink(missing_ok=True)
            if old is not None:
                places.remove(old)
            places.sweep()
        self._release()

    def abandon(self) -> None:
        if self._lock is None:
            return
        with self._engine.places.writing():
            self._engine.places.drop_building()
        self._release()

    def _held(self) -> None:
        if self._lock is None:
            raise EngineDown("this rebuild is over")

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class _down:
    """What the library says when files are damaged or the disk is full becomes ``EngineDown``."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from search.engine import CursorRefused

        if isinstance(error, FileNotFoundError | CursorRefused | EngineDown):
            return
        if isinstance(error, ValueError | OSError) or type(error).__name__ == "PanicException":
            raise EngineDown(f"the index does not answer: {error}") from error


def _suggest(generation: Generation, typed: str, size: int) -> list[str]:
    """Titles and applicants that begin with what was typed, of the documents that come first without a question."""
    searcher = generation.searcher()
    parts = [(tantivy.Occur.Must, generation.compiler.start(shape.longest_start(typed)))]
    query = tantivy.Query.boolean_query(parts)
    found: dict[str, None] = {}
    for _, address in searcher.search(query, 20 * size or 1, count=False, order_by_field="rank").hits:
        texts = embedded_schema.texts_of(bytes(searcher.doc(address)["kept"][0]))
        found |= dict.fromkeys(shape.goes_on(texts, typed))
        if len(found) >= size:
            break
    return list(found)[:size]
