"""Imports: good rows kept, bad ones named, the same file twice, a killed run."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.cases.imports import create_run, run_chunk, set_mapping, start
from marketplace.cases.models import ImportFault, ImportRun
from marketplace.core.db import db
from marketplace.rights.models import Right
from tests.factories.parties import make_actor


@pytest.mark.records
@pytest.mark.parametrize(
    ("name", "rows"), [("patents_cn_titles.csv", 9740), ("patents.jsonl", 10122), ("software_works.jsonl", 936)]
)
def test_the_real_records_come_in_through_their_presets_and_twice_changes_nothing(
    app: Zhiliu, records, name: str, rows: int
) -> None:
    actor = make_actor("bank")
    content = (records / name).read_bytes()
    seen = []
    for _ in range(2):
        t = time.perf_counter()
        run = create_run(actor, "rights", name, content, allow_jsonl=True)
        set_mapping(actor, run.id, run.mapping, run.defaults)
        start(actor, run.id, dry_run=False)
        db.session.commit()
        t1 = time.perf_counter()
        while run_chunk(run.id):
            db.session.commit()
        db.session.commit()
        print(name, "stage", t1 - t, "run", time.perf_counter() - t1, rows / (time.perf_counter() - t), "rows/s")
        run = db.session.get_one(ImportRun, run.id)
        seen.append((run.state, run.rows_read, run.rows_new, run.rows_changed, run.rows_same, run.rows_bad))
    for f in db.session.execute(select(ImportFault.code, ImportFault.severity, func.count()).group_by(ImportFault.code, ImportFault.severity)): print(f)
    kept = db.session.scalar(select(func.count()).select_from(Right))
    assert seen == [("done", rows, rows, 0, 0, 0), ("done", rows, 0, 0, rows, 0)]
    assert kept == rows
