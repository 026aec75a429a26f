"""Sell a right out of a file of real public records: the bank's own import, then a case around one of its rights.

Public lists name the right but not when it was filed, paid for or pledged. What a sale needs beyond the list is
made up here, said in the terminal and written down with the right and the case as 演示补充.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.cases import imports
from marketplace.cases.imports import right_rows, running
from marketplace.cases.imports.convert import RowReader
from marketplace.cases.imports.faults import ERROR, text_of
from marketplace.cases.models import Case, CaseRight, ImportFault, ImportRow, ImportRun
from marketplace.core.actor import Actor
from marketplace.core.calendar import add_years
from marketplace.core.clock import today
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError
from marketplace.demo.collateral import case_for
from marketplace.demo.people import actor
from marketplace.rights import burdens
from marketplace.rights import service as rights
from marketplace.rights.facts import health_of
from marketplace.rights.models import Right
from marketplace.rights.rules.annuities import patent_year
from marketplace.web.edge import message_of

Say = Callable[[str], None]
Key = tuple[str, str]

#: Kinds the demo can make whole; an application cannot be pledged (专利权质押登记办法, CNIPA 461号).
PATENTS = ("utility_model", "invention_patent")
SELLABLE = (*PATENTS, "software_copyright")
#: Years since filing that the demo supposes.
AGE = {"utility_model": 5, "invention_patent": 6, "software_copyright": 5}
DEBTOR, HOLDER = "示范质押人有限公司（演示）", "公开记录未载明（演示）"
PRINCIPAL, VALUE = 1_200_000, 1_600_000  # yuan
FACTS_ZH = {
    "holder_name": "权利人",
    "filing_date": "申请日",
    "grant_date": "授权日",
    "fees_paid_through": "年费缴至（年度）",
    "registration_date": "登记日",
    "completion_date": "完成日",
    "first_publication": "首次发表日",
}


class RecordsRefused(RuntimeError):
    """The file cannot be read or holds no right that can be pledged and sold; the text says which."""


def case_from_records(app: Zhiliu, path: Path, say: Say) -> int:
    """Import ``path`` as the demo bank, pick one right that stands in no case yet, and return the id of an approved
    case over it. RecordsRefused with the reason."""
    with app.app_context():
        try:
            key = _bring(path, say)
            with unit_of_work():
                return _case(_right(key), path.name, say)
        except DomainError as refused:
            reasons = "; ".join(message_of(problem) for problem in refused.problems)
            raise RecordsRefused(f"{path.name}: {reasons}") from refused
        finally:
            db.session.remove()


def _bring(path: Path, say: Say) -> Key:
    """The import in its chunks, as a worker does it; returns the right that will be sold."""
    began = time.monotonic()
    with unit_of_work():
        maker = actor("bank")
        run = imports.create_run(maker, "rights", path.name, path.read_bytes(), allow_jsonl=True)
        imports.set_mapping(maker, run.id, run.mapping, run.defaults, save=False)
        columns = ", ".join(f"{column}→{field}" for field, column in run.mapping.items())
        say(f"   导入 importing {path.name}: {run.rows_total} 行 rows ({columns})")
        key = _first_sellable(run, maker)
        if key is None:
            raise RecordsRefused(
                f"{path.name} 中没有可以质押出售的权利（实用新型、已授权发明或软件著作权），或都已在案件中 "
                "no granted patent or software copyright that is free to be sold"
            )
        imports.start(maker, run.id, dry_run=False, by_worker=False)
        run_id = run.id
    more = True
    while more:
        with unit_of_work():
            more = running.run_chunk(run_id)
    with unit_of_work():
        done = db.session.get_one(ImportRun, run_id)
        seconds = max(time.monotonic() - began, 0.001)
        say(f"   新增 {done.rows_new} new, 更新 {done.rows_changed} changed, 不变 {done.rows_same} the same, "
            f"退回 {done.rows_bad} refused; {done.rows_read / seconds:,.0f} 行/秒 rows/s")  # fmt: skip
        for fault in db.session.scalars(
            select(ImportFault).where(ImportFault.run_id == run_id, ImportFault.severity == ERROR).limit(3)
        ):
            say(f"     第 {fault.row_no} 行 row {fault.row_no}: {text_of(fault)}")
    return key


def _first_sellable(run: ImportRun, maker: Actor) -> Key | None:
    """The first row of a kind that can be sold and whose right stands in no case yet: a second run sells another."""
    taken = {
        (row[0], row[1])
        for row in db.session.execute(
            select(Right.kind, Right.number)
            .join(CaseRight, CaseRight.right_id == Right.id)
            .where(Right.org_id == run.org_id)
        )
    }
    reader = RowReader(run.target, run.columns, run.mapping, run.defaults)
    taker = right_rows.Taker(run, maker, today())
    staged = select(ImportRow.cells).where(ImportRow.run_id == run.id, ImportRow.problem.is_(None))
    with closing(db.session.scalars(staged.order_by(ImportRow.row_no).execution_options(yield_per=500))) as rows:
        for cells in rows:
            values, written, faults = reader.read(cells)
            prepared, _more = taker.prepare(values, written, False)
            if prepared is None or any(fault.severity == ERROR for fault in faults):
                continue
            key = (prepared[0].values["kind"], prepared[0].values["number"])
            if key[0] in SELLABLE and key not in taken:
                return key
    return None


def _right(key: Key) -> Right:
    return db.session.scalars(
        select(Right).where(Right.org_id == actor("bank").org_id, Right.kind == key[0], Right.number == key[1])
    ).one()


def supplement(right: Right, day: date) -> dict[str, Any]:
    """What the list does not say and a sale needs; nothing that the list does say."""
    filed = add_years(day, -AGE[right.kind]).replace(day=1)
    wanted: dict[str, Any] = {"holder_name": HOLDER}
    if right.kind in PATENTS:
        filed = right.filing_date or filed
        wanted |= {
            "filing_date": filed,
            "grant_date": add_years(filed, 1),
            "fees_paid_through": patent_year(filed, day) + 1,
        }
    else:
        wanted |= {"completion_date": filed, "first_publication": filed, "registration_date": add_years(filed, 1)}
    return {name: value for name, value in wanted.items() if getattr(right, name) in (None, "")}


def _case(right: Right, source: str, say: Say) -> int:
    maker, day = actor("bank"), today()
    say(f"   选出 chosen: {right.number_display} {right.title}")
    added = supplement(right, day)
    told = "，".join(f"{FACTS_ZH[name]} {value}" for name, value in added.items())
    note = (
        f"演示补充：标的取自公开记录 {source}，记录中没有的事实为演示所设：{told or '无'}；"
        "质押、借款与违约均为演示所设，与其真实权利人无关。"
    )
    say(f"   {note}")
    say("   Made up for the demo, because the list does not say it: "
        + ", ".join([*added, "pledge", "loan", "default"]))  # fmt: skip
    rights.update_right(maker, right.id, added)
    right.demo = True
    right.extra = (right.extra or {}) | {"demo_note": note}
    burdens.add_encumbrance(maker, right.id, {
        "kind": "pledge", "holder": "江汉示范银行（演示）", "own": True, "recorded": True,
        "from_date": day - timedelta(days=700), "registration_no": f"Y{day.year - 2}420{right.id:06d}",
    })  # fmt: skip
    verdict = health_of(right, day)
    if not verdict.publishable:
        raise RecordsRefused(f"{right.number_display}: " + "; ".join(item.text for item in verdict.reasons))
    number = db.session.scalar(select(func.count()).select_from(Case)) or 0
    case = case_for(f"演示记录-{number + 1:03d}", DEBTOR, PRINCIPAL, VALUE, [right], approve=True, notes=note)
    return case.id
