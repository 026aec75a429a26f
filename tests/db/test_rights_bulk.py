"""The fast path of imports: one row wrong does no harm, the same rows twice change nothing."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.core.db import db
from marketplace.core.errors import Invalid
from marketplace.core.models import Deadline
from marketplace.rights import bulk, watch
from marketplace.rights.models import Right, RightChange
from tests.factories.parties import make_actor
from tests.factories.rights import fresh_number, right_data


def test_the_same_rows_twice_change_nothing_and_new_facts_are_noted(app: Zhiliu) -> None:
    actor = make_actor("bank")
    rows = [bulk.prepare(None, right_data()) for _ in range(3)]
    assert bulk.upsert(actor.org_id, rows, actor) == bulk.Counts(3, 0, 0)
    assert bulk.upsert(actor.org_id, rows, actor) == bulk.Counts(0, 0, 3)
    rows[0].values["title"] = "新名称"
    rows[1].values["holder_name"] = None  # an empty cell erases nothing
    assert bulk.upsert(actor.org_id, rows, actor) == bulk.Counts(0, 1, 2)
    change = db.session.scalars(select(RightChange)).one()
    assert change.after == {"title": "新名称"}


def due() -> dict[str, datetime]:
    return {row.kind: row.due_at for row in db.session.scalars(select(Deadline))}


def test_imported_rights_are_watched_like_typed_ones(app: Zhiliu) -> None:
    actor = make_actor("bank")
    bulk.upsert(actor.org_id, [bulk.prepare(None, right_data())], actor)
    right = db.session.scalars(select(Right)).one()
    imported = due()
    assert set(imported) == {watch.ANNUITY, watch.EXPIRY}
    from marketplace.core.clock import today

    watch.reschedule(right, today())
    assert due() == imported


def test_every_fault_of_a_row_is_told_at_once(app: Zhiliu) -> None:
    row = {"number": "ZL202010123456.7", "holder_uscc": "1", "filing_date": date(2021, 1, 2),
           "grant_date": date(2021, 1, 1)}  # fmt: skip
    with pytest.raises(Invalid) as refusal:
        bulk.prepare("invention_patent", row)
    assert {problem.field for problem in refusal.value.problems} == {"number", "title", "holder_uscc", "grant_date"}
    assert fresh_number()


def test_the_real_publications_go_in_once(app: Zhiliu, records: Path) -> None:
    """9,740 Chinese publications: all are taken, and a second time as the same."""
    with (records / "patents_cn_titles.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    actor = make_actor("bank")
    rows = [
        bulk.prepare(
            "auto",
            {"number": r["publication_no"], "title": r["title_zh"], "ipc": r["ipc_subclasses"].split("|")},
        )
        for r in lines
    ]
    first = bulk.upsert(actor.org_id, rows, actor)
    db.session.commit()
    assert first.new == db.session.scalar(select(func.count()).select_from(Right)) == len({row.key for row in rows})
    assert bulk.upsert(actor.org_id, rows, actor) == bulk.Counts(0, 0, first.new)
