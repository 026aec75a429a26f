"""The run itself: chunk by chunk, each one unit of work, so that a killed worker goes on where it stopped.

``start`` marks the run and posts a message; its handler calls ``run_chunk`` until nothing is left. The cursor,
the counts, the faults and the rights or cases of a chunk commit together, or not at all: run twice, killed in
the middle or worked by two processes, a row is taken once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select, text

from marketplace.cases.imports import case_rows, right_rows
from marketplace.cases.imports.convert import RowReader
from marketplace.cases.imports.faults import ERROR, Fault
from marketplace.cases.imports.upload import bank_of, run_for
from marketplace.cases.models import ImportFault, ImportKey, ImportRow, ImportRun
from marketplace.core import outbox
from marketplace.core.actor import SYSTEM, Actor
from marketplace.core.clock import now, today
from marketplace.core.db import db
from marketplace.core.errors import Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l

CHUNK = 2000
MAX_FAILURES = 3
TOPIC = "import.run"
TAKERS = {"rights": right_rows, "cases": case_rows}
_KEYS = text(
    "INSERT INTO import_key (run_id, key, row_no) SELECT :run, k.key, k.row_no"
    " FROM unnest(CAST(:keys AS text[]), CAST(:rows AS bigint[])) AS k (key, row_no)"
    " ORDER BY k.row_no ON CONFLICT DO NOTHING RETURNING row_no"
)


def start(actor: Actor, run_id: int, *, dry_run: bool, by_worker: bool = True) -> ImportRun:
    """Begin a check (nothing is kept) or the import itself; a worker takes it up within a second, unless the
    caller works the chunks itself.

    Refused: ``import_running``, ``import_done``, ``import_not_mapped``.
    """
    bank_of(actor)
    run = run_for(actor, run_id, lock=True)
    if run.state in ("checking", "running"):
        raise Refused("import_running", _l("导入正在进行"))
    if run.state == "done":
        raise Refused("import_done", _l("此文件已经导入；如要重新导入，请再次上传"))
    if run.state == "uploaded":
        raise Refused("import_not_mapped", _l("请先确认列的对应"))
    db.session.execute(delete(ImportFault).where(ImportFault.run_id == run.id))
    db.session.execute(delete(ImportKey).where(ImportKey.run_id == run.id))
    run.state = "checking" if dry_run else "running"
    run.cursor = run.failures = 0
    run.rows_read = run.rows_new = run.rows_changed = run.rows_same = run.rows_bad = run.rows_warned = 0
    run.failure, run.started_at, run.finished_at = None, now(), None
    db.session.flush()
    if by_worker:
        outbox.post(TOPIC, {"run_id": run.id})
    record("import.checking" if dry_run else "import.started", "import", run.id, actor)
    return run


def run_chunk(run_id: int, size: int = CHUNK) -> bool:
    """One unit of work: the next ``size`` rows. True when more remain. The caller commits."""
    run = db.session.scalar(
        select(ImportRun).where(ImportRun.id == run_id).with_for_update().execution_options(populate_existing=True)
    )
    if run is None or run.state not in ("checking", "running"):
        return False
    rows = db.session.execute(
        select(ImportRow.row_no, ImportRow.cells, ImportRow.problem)
        .where(ImportRow.run_id == run.id, ImportRow.row_no > run.cursor)
        .order_by(ImportRow.row_no)
        .limit(size)
    ).all()
    if rows:
        _work(run, rows)
    if len(rows) < size:
        _finish(run)
        return False
    db.session.flush()
    return True


def _work(run: ImportRun, rows: Sequence[Any]) -> None:
    dry = run.state == "checking"
    reader = RowReader(run.target, run.columns, run.mapping, run.defaults)
    taker = TAKERS[run.target].Taker(run, _actor(run), today())
    faults: list[tuple[int, Fault]] = []
    good: list[tuple[int, str, Any]] = []
    bad: set[int] = set()
    for number, cells, problem in rows:
        if problem is not None:
            faults.append((number, Fault(problem)))
            bad.add(number)
            continue
        values, written, found = reader.read(cells)
        prepared, more = taker.prepare(values, written, any(f.severity == ERROR for f in found))
        told = {f.field for f in found if f.field and f.severity == ERROR}
        found += [f for f in more if f.severity != ERROR or not _said(f, told)]
        faults += [(number, fault) for fault in found]
        if prepared is None or any(f.severity == ERROR for f in found):
            bad.add(number)
        else:
            good.append((number, taker.key(prepared), prepared))
    good, repeated = _first_of_each(run.id, good)
    faults += repeated
    bad.update(number for number, _ in repeated)
    savepoint = db.session.begin_nested() if dry else None
    new, changed, same, late = taker.take(good)
    if savepoint is not None:
        db.session.flush()
        savepoint.rollback()
    faults += late
    bad.update(number for number, fault in late if fault.severity == ERROR)
    _write_faults(run, reader, faults)
    run.cursor = rows[-1][0]
    run.rows_read += len(rows)
    run.rows_new += new
    run.rows_changed += changed
    run.rows_same += same
    run.rows_bad += len(bad)
    run.rows_warned += len({number for number, _ in faults} - bad)


def _said(fault: Fault, told: set[str]) -> bool:
    """The reader has told the same already, or its cause: without a number there is no kind to be read from it."""
    return fault.field in told or (fault.code == "kind_unclear" and "number" in told)


def _first_of_each(
    run_id: int, good: list[tuple[int, str, Any]]
) -> tuple[list[tuple[int, str, Any]], list[tuple[int, Fault]]]:
    """Rows whose key was not yet met in this file, and a fault for each that was."""
    if not good:
        return [], []
    inserted = set(
        db.session.scalars(
            _KEYS, {"run": run_id, "keys": [key for _, key, _ in good], "rows": [number for number, _, _ in good]}
        )
    )
    if len(inserted) == len(good):
        return good, []
    again = [item for item in good if item[0] not in inserted]
    found = db.session.execute(
        select(ImportKey.key, ImportKey.row_no).where(
            ImportKey.run_id == run_id, ImportKey.key.in_([key for _, key, _ in again])
        )
    )
    firsts = {row[0]: row[1] for row in found}
    faults = [(number, Fault("duplicate_in_file", params={"row": firsts[key]})) for number, key, _ in again]
    return [item for item in good if item[0] in inserted], faults


def _write_faults(run: ImportRun, reader: RowReader, faults: list[tuple[int, Fault]]) -> None:
    if faults:
        db.session.execute(
            insert(ImportFault),
            [
                {
                    "run_id": run.id,
                    "row_no": number,
                    "column": reader.columns.get(fault.field or ""),
                    "field": fault.field,
                    "value": fault.value[:500] if fault.value else None,
                    "code": fault.code,
                    "message": fault.message,
                    "severity": fault.severity,
                    "params": fault.params,
                }
                for number, fault in sorted(faults, key=lambda item: item[0])
            ],
        )


def _finish(run: ImportRun) -> None:
    """Close the run; of a finished import only the rows with faults are kept, for the download."""
    run.finished_at = now()
    if run.state == "checking":
        run.state = "checked"
    else:
        run.state = "done"
        faulty = select(ImportFault.row_no).where(ImportFault.run_id == run.id, ImportFault.severity == ERROR)
        db.session.execute(delete(ImportRow).where(ImportRow.run_id == run.id, ImportRow.row_no.not_in(faulty)))
        record(
            "import.done", "import", run.id, _actor(run), new=run.rows_new, changed=run.rows_changed, bad=run.rows_bad
        )
    db.session.execute(delete(ImportKey).where(ImportKey.run_id == run.id))
    db.session.flush()


def broke_off(run_id: int, error: str) -> bool:
    """Note that a chunk failed; True when the run was given up after too many."""
    run = db.session.scalar(select(ImportRun).where(ImportRun.id == run_id).with_for_update())
    if run is None or run.state not in ("checking", "running"):
        return True
    run.failures += 1
    if run.failures < MAX_FAILURES:
        return False
    run.state, run.failure, run.finished_at = "failed", error[:500], now()
    record("import.failed", "import", run.id, _actor(run), error=error[:200])
    return True


def _actor(run: ImportRun) -> Actor:
    """The system, in the name of the member who uploaded."""
    return Actor(user_id=run.created_by, org_id=run.org_id, org_kind="bank", via=SYSTEM.via)
