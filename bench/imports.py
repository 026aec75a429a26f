"""Import of rights: each row checked, merged and given its deadlines, against a plain COPY of the same rows."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

from bench.market import Zhiliu
from marketplace.core.clock import today
from marketplace.core.db import db, run_sql

RECORDS = Path(os.environ.get("ZHILIU_RECORDS", Path(__file__).resolve().parents[2] / "shared" / "data"))
CHUNK = 1_000


def rights_a_second(app: Zhiliu) -> tuple[int, float, float] | None:
    """Rows, rows a second of the import and of the plain COPY; None where the file of records is not there."""
    from marketplace.rights import bulk
    from tests.factories.parties import make_actor

    file = RECORDS / "patents_cn_titles.csv"
    if not file.is_file():
        return None
    with file.open(encoding="utf-8", newline="") as lines:
        records = list(csv.DictReader(lines))
    with app.test_request_context():
        actor, day = make_actor("bank"), today()
        db.session.commit()
        began = time.perf_counter()
        for start in range(0, len(records), CHUNK):
            rows = [
                bulk.prepare(
                    None,
                    {
                        "number": row["publication_no"],
                        "title": row["title_zh"],
                        "ipc": row["ipc_subclasses"].split("|"),
                    },
                    today=day,
                )
                for row in records[start : start + CHUNK]
            ]
            bulk.upsert(actor.org_id or 0, rows, actor)
            db.session.commit()
        imported = time.perf_counter() - began
        run_sql("CREATE TABLE bench_plain (number text, title text, ipc text[])", ())
        db.session.commit()
        began = time.perf_counter()
        raw = db.session.connection().connection.driver_connection
        with raw.cursor().copy("COPY bench_plain FROM STDIN") as copy:  # type: ignore[union-attr]
            for row in records:
                copy.write_row((row["publication_no"], row["title_zh"], row["ipc_subclasses"].split("|")))
        db.session.commit()
        plain = time.perf_counter() - began
        run_sql("DROP TABLE bench_plain", ())
        db.session.commit()
        db.session.remove()
    return len(records), len(records) / imported, len(records) / plain
