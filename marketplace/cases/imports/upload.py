"""An upload becomes a run: the file is read once, its rows staged as text, a mapping proposed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from marketplace.cases.imports import guess
from marketplace.cases.imports.fields import AUTO, CHOICES, TARGETS, fields_of
from marketplace.cases.imports.file_texts import FILE_TEXTS
from marketplace.cases.models import ImportRow, ImportRun, SavedMapping
from marketplace.cases.reading.content import read_table
from marketplace.cases.reading.table import SAMPLE_ROWS, FileRefused
from marketplace.core.actor import BANK, Actor
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l


def bank_of(actor: Actor) -> int:
    """The actor's bank, if its member may import there."""
    if actor.org_id is None or (actor.org_kind != BANK and not actor.is_system):
        raise Forbidden("bank_needed", _l("只有银行可以导入"))
    actor.require("maker")
    return actor.org_id


def run_for(actor: Actor, run_id: int, *, lock: bool = False) -> ImportRun:
    """The bank's own run; 404 ``import_unknown``."""
    query = select(ImportRun).where(ImportRun.id == run_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    run = db.session.scalar(query)
    if run is None or run.org_id != actor.org_id:
        raise NotFound("import_unknown", _l("没有这次导入"))
    return run


def create_run(actor: Actor, target: str, filename: str, content: bytes, *, allow_jsonl: bool = False) -> ImportRun:
    """Read a file and stage its rows. The mapping is the bank's saved one for this header, else a guess.

    Refused (Invalid, at ``file``): codes of ``cases.reading.table.REFUSALS``; ``target_unknown``.
    """
    org_id = bank_of(actor)
    if target not in TARGETS:
        raise Invalid([Problem("target_unknown", _l("请选择导入的内容"), "target")])
    filename = filename.replace("\\", "/").rsplit("/", 1)[-1].replace("\x00", "")[:200] or "upload"
    run = ImportRun(
        org_id=org_id,
        target=target,
        filename=filename,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        created_by=actor.user_id,
    )
    try:
        table = read_table(content, filename, allow_jsonl=allow_jsonl)
        run.columns, run.encoding = table.header, table.encoding
        run.delimiter, run.sheet = table.delimiter, table.sheet
        # its own savepoint: a fault on the last row must not spoil the transaction that shows the form again
        with db.session.begin_nested():
            db.session.add(run)
            db.session.flush()
            _stage(run, table.rows)
    except FileRefused as refused:
        message = str(FILE_TEXTS[refused.code]) % refused.params
        raise Invalid([Problem(refused.code, message, "file", refused.params)]) from None
    saved = saved_mapping(org_id, target, run.columns)
    if saved is not None:
        run.mapping, run.defaults = dict(saved.mapping), dict(saved.defaults)
    else:
        mapping, defaults = guess.guess(target, run.columns, run.samples)
        run.mapping, run.defaults = dict(mapping), dict(defaults)
    db.session.flush()
    record("import.uploaded", "import", run.id, actor, filename=filename, target=target, rows=run.rows_total)
    return run


def _stage(run: ImportRun, rows: Any) -> None:
    samples: list[list[str]] = []
    raw: Any = db.session.connection().connection.driver_connection
    count = 0
    with raw.cursor() as cursor, cursor.copy("COPY import_row (run_id, row_no, cells, problem) FROM STDIN") as copy:
        for row in rows:
            count += 1
            if len(samples) < SAMPLE_ROWS:
                samples.append([cell[:200] for cell in row.cells])
            copy.write_row([run.id, row.no, _array(row.cells), row.problem])
    run.samples, run.rows_total = samples, count


def _array(cells: Sequence[str]) -> str:
    """A text[] literal; several times quicker than the driver's own for many short rows."""
    quoted = (cell.replace("\\", "\\\\").replace('"', '\\"') for cell in cells)
    return '{"' + '","'.join(quoted) + '"}'


def header_key(columns: Sequence[str]) -> str:
    """A header row's fingerprint: the same columns in any order are the same file layout."""
    return hashlib.sha256(json.dumps(sorted(columns), ensure_ascii=False).encode()).hexdigest()


def saved_mapping(org_id: int, target: str, columns: Sequence[str]) -> SavedMapping | None:
    return db.session.scalar(
        select(SavedMapping).where(
            SavedMapping.org_id == org_id,
            SavedMapping.target == target,
            SavedMapping.header_sha256 == header_key(columns),
        )
    )


def same_file_before(run: ImportRun) -> ImportRun | None:
    """The latest finished import of the very same bytes, to tell the user."""
    return db.session.scalar(
        select(ImportRun)
        .where(
            ImportRun.org_id == run.org_id,
            ImportRun.sha256 == run.sha256,
            ImportRun.target == run.target,
            ImportRun.id < run.id,
            ImportRun.state == "done",
        )
        .order_by(ImportRun.id.desc())
        .limit(1)
    )


def set_mapping(
    actor: Actor, run_id: int, mapping: Mapping[str, str], defaults: Mapping[str, str], *, save: bool = True
) -> ImportRun:
    """Say which column fills which field (``field → column``), and what stands in for a missing one.

    Saved for the bank under this header row. Refused: ``import_running``; at each field ``column_unknown``,
    ``choice_unknown``, ``mapping_missing`` (a required field has neither column nor default).
    """
    bank_of(actor)
    run = run_for(actor, run_id, lock=True)
    if run.state in ("checking", "running", "done"):
        raise Refused("import_running", _l("导入已经开始，不能再改列的对应"))
    fields = fields_of(run.target)
    mapping = {name: column for name, column in mapping.items() if name in fields and column}
    defaults = {name: value.strip() for name, value in defaults.items() if name in fields and value.strip()}
    problems = [
        Problem("column_unknown", _l("文件中没有这一列"), name) for name, c in mapping.items() if c not in run.columns
    ]
    for name, value in defaults.items():
        choices = CHOICES.get(fields[name].type)
        if choices is not None and value.casefold() not in choices:
            problems.append(Problem("choice_unknown", _l("不认识这个选项"), name))
    for name, field in fields.items():
        title_elsewhere = name == "title" and "title_en" in mapping
        if field.required and name not in mapping and name not in defaults and not title_elsewhere:
            problems.append(Problem("mapping_missing", _l("必填：请选择一列，或填写统一的值"), name))
    if run.target == "cases" and "legal_path" not in mapping and "legal_path" not in defaults:
        problems.append(Problem("mapping_missing", _l("必填：请选择一列，或填写统一的值"), "legal_path"))
    if run.target == "rights" and "kind" not in mapping and "kind" not in defaults:
        defaults["kind"] = AUTO
    if problems:
        raise Invalid(problems)
    run.mapping, run.defaults, run.state = mapping, defaults, "mapped"
    if save:
        row = insert(SavedMapping).values(
            org_id=run.org_id,
            target=run.target,
            header_sha256=header_key(run.columns),
            mapping=mapping,
            defaults=defaults,
        )
        db.session.execute(
            row.on_conflict_do_update(
                index_elements=["org_id", "target", "header_sha256"],
                set_={"mapping": mapping, "defaults": defaults, "updated_at": func.clock_timestamp()},
            )
        )
    db.session.flush()
    return run


def rows_of(run_id: int, numbers: Sequence[int]) -> dict[int, list[str]]:
    """Staged cells of some rows, as they stood in the file."""
    found = db.session.execute(
        select(ImportRow.row_no, ImportRow.cells).where(ImportRow.run_id == run_id, ImportRow.row_no.in_(numbers))
    )
    return {row[0]: list(row[1]) for row in found}
