"""A new generation of the index filled beside the one that answers, and swapped in one step while writes go on.

The row of ``search_rebuild`` is the truth: asked for, running (with a beat), done. Nothing is lost: the engine writes
each change to every generation it keeps, and after the swap whatever was written or changed since the start is written
once more. Nothing is doubled: a document has one id, and its higher version stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.core import outbox
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.discovery import sync, truth
from marketplace.discovery.engines import LOCAL, MAIN, searching
from marketplace.discovery.models import SearchDocument, SearchRebuild
from search.document import Document
from search.engine import Engine, EngineDown, Rebuild

log = structlog.get_logger("search")
TOPIC = "search.rebuild"
CHUNK = 500
SYNC_EVERY = 5.0  # seconds between two looks at what changed meanwhile, which only this process writes
SILENT = timedelta(minutes=3)  # a rebuild without a beat for so long is dead
Progress = Callable[[int, int], None]

# what was written or changed since the start is written once more; the copy of a waiting row counts as its write
SWAPPED = {
    MAIN: text("""
UPDATE search_document SET
  indexed_version = CASE WHEN indexed_at >= :start THEN 0 ELSE greatest(indexed_version, rebuilt_version) END,
  changed_at = CASE WHEN indexed_at >= :start THEN clock_timestamp() ELSE changed_at END, rebuilt_version = 0
WHERE indexed_at >= :start OR rebuilt_version > 0
"""),
    LOCAL: text("""
UPDATE search_document SET
  local_version = CASE WHEN indexed_at >= :start OR indexed_version < version THEN 0
                       ELSE greatest(local_version, rebuilt_version) END,
  rebuilt_version = 0
WHERE indexed_at >= :start OR rebuilt_version > 0 OR indexed_version < version
"""),
}
COPIED = text("""
UPDATE search_document d SET rebuilt_version = c.version, digest = c.digest, recheck_at = c.recheck_at
FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS bigint[]), CAST(:digests AS text[]),
            CAST(:rechecks AS timestamptz[])) AS c (id, version, digest, recheck_at)
WHERE d.listing_id = c.id AND (d.indexed_version < c.version OR (:local AND d.local_version < c.version))
""")


class RebuildRunning(Refused):
    """Another rebuild of this engine is on its way."""


class Abandoned(Exception):
    """This rebuild was taken for dead and another one has its place."""


def ask(actor: Actor, engine: str = MAIN, *, by_worker: bool = True) -> SearchRebuild:
    """Ask for a rebuild; a worker begins within a second. Refused: ``manager_needed``, ``rebuild_running``,
    ``engine_unknown``."""
    if not (actor.is_manager or actor.is_system):
        raise Forbidden("manager_needed", _l("只有平台管理人员可以执行此操作"))
    if engine not in (MAIN, LOCAL) or (engine == LOCAL and searching().local is None):
        raise Refused("engine_unknown", _l("没有配置这个索引"))
    _bury(engine)
    row = insert(SearchRebuild).values(engine=engine, asked_by=actor.user_id)
    made = db.session.scalar(row.on_conflict_do_nothing().returning(SearchRebuild.id))
    if made is None:
        raise RebuildRunning("rebuild_running", _l("重建正在进行，请等它完成"))
    if by_worker:
        outbox.post(TOPIC, {"id": made})
    record("search.rebuild_asked", "search_rebuild", made, actor, engine=engine)
    return db.session.get_one(SearchRebuild, made)


def _bury(engine: str) -> list[int | None]:
    """A rebuild whose process died makes room for another; who asked for it."""
    return list(
        db.session.scalars(
            update(SearchRebuild)
            .where(
                SearchRebuild.engine == engine,
                SearchRebuild.state == "running",
                SearchRebuild.beat_at < func.clock_timestamp() - SILENT,
            )
            .values(state="failed", error="the process ended in its middle", finished_at=func.clock_timestamp())
            .returning(SearchRebuild.asked_by)
        )
    )


def run(rebuild_id: int, progress: Progress | None = None, *, keep_in_step: bool = True) -> bool:
    """Do what was asked; False where somebody else does it or has done it. An edge: commits step by step, holds no
    transaction while the engine works. ``keep_in_step``: write what changes meanwhile from here, for the worker whose
    queue waits."""
    start = _claim(rebuild_id)
    if start is None:
        return False
    name, began = start
    try:
        engine = searching().named(name)
        engine.prepare()
        faults = _fill(rebuild_id, name, engine, progress, keep_in_step)
        with sync.own_transaction():
            db.session.execute(SWAPPED[name], {"start": began})
            _ended(rebuild_id, "done", faults=faults)
            truth.ask_for_sync()
    except BaseException as error:
        with sync.own_transaction():
            _ended(rebuild_id, "failed", error=f"{type(error).__name__}: {error}"[:1000])
        if not isinstance(error, Abandoned | EngineDown):
            raise
        log.warning("rebuild ended early", rebuild_id=rebuild_id, error=str(error))
        return False
    return True


def _claim(rebuild_id: int) -> tuple[str, datetime] | None:
    """Make it running. The start is read before the new generation exists."""
    with sync.own_transaction():
        row = db.session.scalar(select(SearchRebuild).where(SearchRebuild.id == rebuild_id).with_for_update())
        if row is None or row.state != "waiting":
            return None
        at = now()
        row.state, row.started_at, row.beat_at = "running", at, at
        row.total = db.session.scalar(select(func.count()).select_from(SearchDocument)) or 0
        db.session.execute(update(SearchDocument).where(SearchDocument.rebuilt_version > 0).values(rebuilt_version=0))
        return row.engine, at


def _fill(rebuild_id: int, name: str, engine: Engine, progress: Progress | None, keep_in_step: bool) -> int:
    """Every document into a new generation, and the swap; returns how many were refused."""
    new = engine.rebuild()
    done = faults = last = 0
    synced = time.monotonic()
    try:
        while ids := _next_ids(last):
            faults += _copy(new, name, ids)
            last, done = ids[-1], done + len(ids)
            total = _beat(rebuild_id, done, faults)
            if progress is not None:
                progress(done, total)
            if keep_in_step and time.monotonic() - synced > SYNC_EVERY:
                sync.run(box_seconds=1)
                synced = time.monotonic()
        new.finish()
    except BaseException:
        new.abandon()
        raise
    return faults


def _next_ids(after: int) -> list[int]:
    with sync.own_transaction():
        rows = select(SearchDocument.listing_id).where(SearchDocument.listing_id > after)
        return list(db.session.scalars(rows.order_by(SearchDocument.listing_id).limit(CHUNK)))


def every_document() -> Iterator[Document]:
    """Every document as the database has it now, tombstones too; no transaction stays open between two chunks."""
    last = 0
    while ids := _next_ids(last):
        last = ids[-1]
        yield from (item.document for item in sync.read(ids))


def _copy(new: Rebuild, name: str, ids: list[int]) -> int:
    built = sync.read(ids)
    refused = {int(fault.id) for fault in new.write([item.document for item in built])}
    good = [item for item in built if item.listing_id not in refused]
    with sync.own_transaction():
        params: dict[str, Any] = {
            "ids": [item.listing_id for item in good],
            "versions": [item.version for item in good],
            "digests": [item.digest for item in good],
            "rechecks": [item.recheck_at for item in good],
            "local": name == LOCAL,
        }
        db.session.execute(COPIED, params)
    return len(refused)


def _beat(rebuild_id: int, done: int, faults: int) -> int:
    with sync.own_transaction():
        total = db.session.scalar(
            update(SearchRebuild)
            .where(SearchRebuild.id == rebuild_id, SearchRebuild.state == "running")
            .values(done=done, faults=faults, beat_at=func.clock_timestamp())
            .returning(SearchRebuild.total)
        )
    if total is None:
        raise Abandoned(f"rebuild {rebuild_id} was given up")
    return max(total, done)


def _ended(rebuild_id: int, state: str, **more: Any) -> None:
    db.session.execute(
        update(SearchRebuild)
        .where(SearchRebuild.id == rebuild_id, SearchRebuild.state == "running")
        .values(state=state, finished_at=func.clock_timestamp(), **more)
    )


def resume() -> None:
    """A rebuild whose worker died begins again (from the sweep)."""
    for engine in (MAIN, LOCAL):
        for asked_by in _bury(engine):
            log.warning("a rebuild died and begins again", engine=engine)
            row = insert(SearchRebuild).values(engine=engine, asked_by=asked_by)
            made = db.session.scalar(row.on_conflict_do_nothing().returning(SearchRebuild.id))
            if made is not None:
                outbox.post(TOPIC, {"id": made})
