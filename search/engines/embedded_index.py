"""One generation of the embedded index, opened: read by many, written by the one who holds the lock."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tantivy

from search.document import Document
from search.engine import EngineDown
from search.engines import embedded_schema
from search.engines.embedded_query import Compiler
from search.result import Bucket, Fault

_HEAP = 64_000_000  # bytes the writer may fill before it writes a segment
_LARGE = 5_000  # documents at once from which it may fill more: fewer segments are written and merged
_LARGE_HEAP = 400_000_000
_IDS = 10_000  # ids looked up at once
_COUNTED = 200  # questions
_WALKS = 8  # views held for walks, at most, and for how long after the last page
_WALK_SECONDS = 300.0


class Counted:
    """Totals and facets of the last questions, as long as nothing is written: the next page, another order and the page
    that everybody opens first ask for the same counts."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, dict[str, tuple[Bucket, ...]]]] = {}

    def get(self, key: str) -> tuple[int, dict[str, tuple[Bucket, ...]]] | None:
        return self._kept.get(key)

    def put(self, key: str, total: int, facets: dict[str, tuple[Bucket, ...]]) -> None:
        if len(self._kept) >= _COUNTED:
            self._kept.clear()
        self._kept[key] = total, facets


Stamp = tuple[int, int]


@dataclass(frozen=True)
class View:
    """The index as of one commit, with what was counted in exactly that state."""

    searcher: tantivy.Searcher
    stamp: Stamp
    counted: Counted = field(default_factory=Counted)


class Generation:
    """Reads see what other processes committed: the index is reloaded when its list of segments changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._meta = path / "meta.json"
        self._guard = threading.Lock()
        try:
            self.index = tantivy.Index.open(str(path))
            self.index.config_reader("manual")
            self.schema = self.index.schema
            stamp = self._look()
            self._view = View(self.index.searcher(), stamp)
        except FileNotFoundError:
            raise
        except (ValueError, OSError) as error:
            if not self._meta.exists():
                raise FileNotFoundError(str(path)) from error
            raise EngineDown(f"the index in {path} is damaged: {error}") from error
        self.compiler = Compiler(self.schema)
        self._walked: dict[Stamp, tuple[View, float]] = {}

    @classmethod
    def make(cls, path: Path) -> Generation:
        path.mkdir(parents=True)
        tantivy.Index(embedded_schema.build(), path=str(path), reuse=False)
        return cls(path)

    def searcher(self) -> tantivy.Searcher:
        """As of the last commit of any process."""
        return self.view().searcher

    def view(self) -> View:
        """The same, with what was counted."""
        stamp = self._look()
        if stamp != self._view.stamp:
            with self._guard:
                if stamp != self._view.stamp:
                    self._reload(stamp)
        return self._view

    def walked(self, stamp: Stamp) -> View | None:
        """The view in which a walk began, if this process still holds it: there the next page is exact."""
        with self._guard:
            found = self._walked.get(stamp)
        return found[0] if found else None

    def hold(self, view: View) -> None:
        """Somebody may go on from a page of this view; the latest few are held for a few minutes."""
        now = time.monotonic()
        with self._guard:
            self._walked.pop(view.stamp, None)
            self._walked[view.stamp] = view, now
            old = [stamp for stamp, (_, used) in self._walked.items() if now - used > _WALK_SECONDS]
            for stamp in [*old, *list(self._walked)[:-_WALKS]]:
                self._walked.pop(stamp, None)

    def _reload(self, stamp: Stamp) -> None:
        try:
            self.index.reload()
        except (ValueError, OSError) as error:
            if not self._meta.exists():
                raise FileNotFoundError(str(self.path)) from error
            raise EngineDown(f"the index in {self.path} is damaged: {error}") from error
        self._view = View(self.index.searcher(), stamp)

    def _look(self) -> Stamp:
        found = os.stat(self._meta)
        return found.st_mtime_ns, found.st_ino

    def write(self, documents: Sequence[Document]) -> list[Fault]:
        """Commit those that are newer than what is kept. Call with the write lock held."""
        newest: dict[str, Document] = {}
        for document in documents:
            if document.id not in newest or newest[document.id].version < document.version:
                newest[document.id] = document
        kept = self.kept(list(newest))
        faults: list[Fault] = []
        writer = self.index.writer(_HEAP if len(newest) < _LARGE else _LARGE_HEAP, 1)
        try:
            for document in newest.values():
                if kept.get(document.id, 0) >= document.version:
                    continue
                try:
                    row = embedded_schema.row(document, self.schema)
                except (ValueError, TypeError) as error:
                    faults.append(Fault(document.id, str(error)[:200], permanent=True))
                    continue
                if document.id in kept:
                    writer.delete_documents_by_term("id", document.id)
                writer.add_document(row)
            writer.commit()
        except BaseException:
            writer.rollback()
            raise
        writer.wait_merging_threads()
        return faults

    def kept(self, ids: Sequence[str]) -> dict[str, int]:
        """The version kept of each of these ids that is kept."""
        searcher = self.searcher()
        found: dict[str, int] = {}
        for at in range(0, len(ids), _IDS):
            query = self.compiler.ids(ids[at : at + _IDS])
            found.update(self._versions(searcher, query, _IDS, 0))
        return found

    def count(self) -> int:
        """Documents that can be found."""
        found: int = self.searcher().search(self.compiler.live(), 1).count  # type: ignore[attr-defined]
        return found

    def versions(self) -> Iterator[tuple[str, int]]:
        """Of one moment: the searcher is held while this is read."""
        searcher = self.searcher()
        every = tantivy.Query.all_query()
        total: int = searcher.search(every, 1).count  # type: ignore[attr-defined]
        for at in range(0, total, _BATCH):
            yield from self._versions(searcher, every, _BATCH, at)

    @staticmethod
    def _versions(
        searcher: tantivy.Searcher, query: tantivy.Query, limit: int, offset: int
    ) -> Iterator[tuple[str, int]]:
        hits = searcher.search(
            query, limit, count=False, order_by_field="id", offset=offset, order=tantivy.Order.Asc
        ).hits
        versions = searcher.fast_field_values("version", [address for _, address in hits])
        yield from ((name, int(version)) for (name, _), version in zip(hits, versions, strict=True) if version)


_BATCH = 100_000
