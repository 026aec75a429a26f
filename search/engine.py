"""The contract of an engine. One suite of tests (``tests/search``) is run against each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from search.document import Document
from search.query import Query
from search.result import Fault, Result


class EngineDown(Exception):
    """The engine did not answer in time, or at all; another way must serve the reader."""


class CursorRefused(ValueError):
    """The cursor is not one that this search gave."""


class Rebuild(Protocol):
    """A new generation of the index, filled beside the one that answers."""

    def write(self, documents: Sequence[Document]) -> list[Fault]: ...

    def finish(self) -> None:
        """The new generation answers from now on, in one step; the old one is removed."""

    def abandon(self) -> None: ...


class Engine(Protocol):
    name: str

    def prepare(self) -> None:
        """Make the index if there is none. Any process may call it at any time."""

    def write(self, documents: Sequence[Document]) -> list[Fault]:
        """Write in bulk to every generation being kept. An older version than the one kept is not a fault: it loses
        silently. Raises ``EngineDown`` when nothing could be tried."""

    def refresh(self) -> None:
        """What was written can be found from now on, in every process."""

    def search(self, query: Query) -> Result:
        """Raises ``EngineDown`` after at most two tries of one second, ``CursorRefused`` for a foreign cursor. Unknown
        filters, facets and sorts are ignored: never an error whatever the reader typed."""

    def suggest(self, start: str, size: int = 8) -> list[str]:
        """Titles and applicants that go on from what was typed."""

    def count(self) -> int:
        """Documents that can be found."""

    def versions(self) -> Iterator[tuple[str, int]]:
        """(id, version) of every document kept, tombstones included, for the comparison with the database."""

    def rebuild(self) -> Rebuild: ...
