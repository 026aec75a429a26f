"""Rows of rights: checked and merged by the rights room, put into draft cases where the row names one."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert

from marketplace.cases.imports.faults import WARNING, Fault, from_problem
from marketplace.cases.models import Case, CaseRight, ImportRun
from marketplace.cases.service import pledge_no_warning
from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import Invalid
from marketplace.rights import bulk
from marketplace.rights.models import Right

LINK = ("case_reference", "pledge_no", "pledge_date", "rank")


class Taker:
    """Takes the rows of one chunk. ``day`` is today in Shanghai."""

    def __init__(self, run: ImportRun, actor: Actor, day: date) -> None:
        self.run, self.actor, self.day = run, actor, day
        self.kind_default = run.defaults.get("kind")

    def prepare(self, values: dict[str, Any], written: dict[str, str], broken: bool) -> tuple[Any, list[Fault]]:
        """``(prepared, faults)``; a row already broken is still checked, so that all faults show at once."""
        link = {name: values.pop(name) for name in LINK if name in values}
        try:
            prepared = bulk.prepare(None, values, today=self.day)
        except Invalid as refused:
            known = {"required"} if broken else set()
            return None, [from_problem(p, written) for p in refused.problems if p.code not in known]
        faults = [from_problem(warning, written, WARNING) for warning in prepared.warnings]
        if pledge_no_warning(link.get("pledge_no")):
            faults.append(Fault("pledge_no_format", "pledge_no", written.get("pledge_no"), severity=WARNING))
        return (prepared, link), faults

    def key(self, item: Any) -> str:
        return str(item[0].key)

    def take(self, good: list[tuple[int, str, Any]]) -> tuple[int, int, int, list[tuple[int, Fault]]]:
        """Merge the rows; ``(new, changed, same, faults)``. A row whose case is unknown is not taken."""
        wanted = {item[1]["case_reference"] for _, _, item in good if item[1].get("case_reference")}
        drafts = self._drafts(wanted)
        late: list[tuple[int, Fault]] = []
        rows, links = [], []
        for number, _, (prepared, link) in good:
            reference = link.get("case_reference")
            if reference and reference not in drafts:
                late.append((number, Fault("case_unknown", "case_reference", reference)))
                continue
            rows.append(prepared)
            if reference:
                links.append((drafts[reference], prepared, link))
        counts = bulk.upsert(self.run.org_id, rows, self.actor)
        if links:
            self._link(links)
        return counts.new, counts.changed, counts.same, late

    def _drafts(self, references: set[str]) -> dict[str, int]:
        if not references:
            return {}
        found = db.session.execute(
            select(Case.reference, Case.id)
            .where(Case.org_id == self.run.org_id, Case.reference.in_(references), Case.state == "draft")
            .order_by(Case.id)
            .with_for_update()
        )
        return {row[0]: row[1] for row in found}

    def _link(self, links: list[tuple[int, bulk.PreparedRight, dict[str, Any]]]) -> None:
        keys = {(p.values["kind"], p.values["number"]) for _, p, _ in links}
        ids = {
            (row[0], row[1]): row[2]
            for row in db.session.execute(
                select(Right.kind, Right.number, Right.id).where(
                    Right.org_id == self.run.org_id, tuple_(Right.kind, Right.number).in_(keys)
                )
            )
        }
        for case_id, prepared, link in links:
            put_in_case(case_id, ids[prepared.values["kind"], prepared.values["number"]], link)


def put_in_case(case_id: int, right_id: int, link: dict[str, Any]) -> bool:
    """The right stands in the draft once, with the pledge the row tells; True when something changed."""
    given = {name: link[name] for name in ("pledge_no", "pledge_date", "rank") if link.get(name) is not None}
    row = insert(CaseRight).values(case_id=case_id, right_id=right_id, **given)
    keys = ["case_id", "right_id"]
    if not given:
        statement = row.on_conflict_do_nothing(index_elements=keys)
    else:
        differs = [getattr(CaseRight, name).is_distinct_from(value) for name, value in given.items()]
        where = differs[0]
        for more in differs[1:]:
            where = where | more
        statement = row.on_conflict_do_update(index_elements=keys, set_=given, where=where)
    return db.session.scalar(statement.returning(CaseRight.id)) is not None
