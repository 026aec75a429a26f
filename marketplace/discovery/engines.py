"""The engines of this process, opened once from the settings, and what happens when one does not answer.

After a failure the main engine is left alone for a while (circuit breaker), so that readers do not wait for it again
and again; meanwhile the local engine answers if it is kept in step, else the caller falls back to the database.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from flask import current_app

from search.choose import open_engine
from search.document import Document
from search.engine import CursorRefused, Engine, EngineDown
from search.query import Query
from search.result import Fault, Result

log = structlog.get_logger("search")
MAIN, LOCAL = "main", "local"
PAUSE_SECONDS = 10.0


class Breaker:
    """Open for ``pause`` seconds after a failure; then one try decides again."""

    def __init__(self, pause: float = PAUSE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.pause, self.clock = pause, clock
        self.until = 0.0
        self.guard = threading.Lock()

    def may_try(self) -> bool:
        """True where the engine may be asked. While it is broken one caller in ``pause`` seconds is let through."""
        with self.guard:
            at = self.clock()
            if self.until and at < self.until:
                return False
            if self.until:
                self.until = at + self.pause  # this caller tries; the others wait for what it finds
            return True

    def failed(self) -> None:
        with self.guard:
            self.until = self.clock() + self.pause

    def worked(self) -> None:
        with self.guard:
            self.until = 0.0

    @property
    def broken(self) -> bool:
        return bool(self.until)


@dataclass
class Searching:
    """``main`` answers; ``local`` stands in for it where it is kept in step."""

    main: Engine
    local: Engine | None = None
    breaker: Breaker = field(default_factory=Breaker)
    looked: bool = False  # whether the index holds anything, before the first write of this process

    def targets(self) -> list[tuple[str, Engine]]:
        """The engines that may be written to now."""
        found: list[tuple[str, Engine]] = []
        if not self.breaker.broken or self.breaker.may_try():
            found.append((MAIN, self.main))
        if self.local is not None:
            found.append((LOCAL, self.local))
        return found

    def named(self, name: str) -> Engine:
        """The engine of this name; ``LookupError`` where there is none."""
        engine = self.main if name == MAIN else self.local
        if engine is None:
            raise LookupError(f"no engine {name!r} is configured")
        return engine

    def search(self, query: Query) -> tuple[Result, bool]:
        """The answer, and whether it may be narrower than usual. ``EngineDown`` when no engine answers;
        ``CursorRefused``."""
        if self.breaker.may_try():
            try:
                result = self.main.search(query)
            except CursorRefused:
                self.breaker.worked()
                raise
            except EngineDown as error:
                self._failed(error)
            except Exception as error:  # whatever is wrong with the index, readers are served another way
                log.error("search failed", exc_info=error)
                self.breaker.failed()
            else:
                self.breaker.worked()
                return result, False
        if self.local is None:
            raise EngineDown("the search engine does not answer")
        try:
            return self.local.search(query), True
        except (CursorRefused, EngineDown):
            raise
        except Exception as error:
            log.error("local search failed", exc_info=error)
            raise EngineDown(str(error)) from error

    def suggest(self, start: str, size: int) -> list[str]:
        """Words that go on from what was typed; none when no engine answers."""
        for name, engine in self.targets():
            try:
                return engine.suggest(start, size)
            except EngineDown as error:
                if name == MAIN:
                    self._failed(error)
            except Exception as error:
                log.error("suggestions failed", engine=name, exc_info=error)
        return []

    def write(self, name: str, documents: Sequence[Document]) -> list[Fault]:
        """Write to one engine; ``EngineDown`` when nothing could be tried."""
        try:
            faults = self.named(name).write(documents)
            self.named(name).refresh()
        except EngineDown as error:
            if name == MAIN:
                self._failed(error)
            raise
        if name == MAIN:
            self.breaker.worked()
        return faults

    def _failed(self, error: EngineDown) -> None:
        if not self.breaker.broken:
            log.warning("search engine away", error=str(error))
        self.breaker.failed()


_opening = threading.Lock()


def searching() -> Searching:
    """This process's engines."""
    app = current_app
    found = app.extensions.get("search")
    if found is None:
        with _opening:
            found = app.extensions.get("search") or _open()
            app.extensions["search"] = found
    assert isinstance(found, Searching)
    return found


def _open() -> Searching:
    settings = current_app.settings  # type: ignore[attr-defined]
    main = open_engine(
        settings.elasticsearch_url, settings.search_dir, settings.search_index, dense=settings.search_dense
    )
    local = None
    if settings.elasticsearch_url and settings.search_local_too:
        local = open_engine(None, settings.search_dir, settings.search_index)
    for engine in (main, local):
        if engine is not None:
            try:
                engine.prepare()
            except EngineDown as error:  # made by the first write that gets through
                log.warning("search engine away", error=str(error))
    return Searching(main, local)
