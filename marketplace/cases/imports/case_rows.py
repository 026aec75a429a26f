"""Rows of cases: new drafts, changed drafts; a case that left the draft is never changed by a file."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from marketplace.cases import service
from marketplace.cases.imports.faults import WARNING, Fault, from_problem
from marketplace.cases.imports.right_rows import put_in_case
from marketplace.cases.models import Case, ImportRun
from marketplace.cases.rules.check import check_fields
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Invalid
from marketplace.core.events import record
from marketplace.rights.models import Right
from marketplace.rights.rules.numbers import candidates

AMOUNTS = ("loan_principal", "claim_principal", "claim_interest", "claim_penalty", "valuation")


class Taker:
    """Takes the rows of one chunk. ``day`` is today in Shanghai."""

    def __init__(self, run: ImportRun, actor: Actor, day: date) -> None:
        self.run, self.actor, self.day = run, actor, day

    def prepare(self, values: dict[str, Any], written: dict[str, str], broken: bool) -> tuple[Any, list[Fault]]:
        """``(prepared, faults)``: what the row itself says, and its link to rights."""
        for name in AMOUNTS:
            if name in values:
                values[name + "_minor"] = values.pop(name)
        link = {name: values.pop(name) for name in ("pledge_no", "pledge_date", "rank") if name in values}
        numbers = values.pop("right_numbers", [])
        try:
            service.clean(values, self.day)
        except Invalid as refused:
            hidden = {"required"} if broken else set()
            return None, [from_problem(p, written) for p in refused.problems if p.code not in hidden]
        faults = [
            Fault(f.code, f.at, written.get(f.at or ""), {**f.params, "label": f.at or ""}, WARNING)
            for f in check_fields(values, self.day)
            if f.severity == "warn"
        ]
        if service.pledge_no_warning(link.get("pledge_no")):
            faults.append(Fault("pledge_no_format", "pledge_no", written.get("pledge_no"), severity=WARNING))
        return (values, link, numbers), faults

    def key(self, item: Any) -> str:
        return str(item[0]["reference"])

    def take(self, good: list[tuple[int, str, Any]]) -> tuple[int, int, int, list[tuple[int, Fault]]]:
        """Write the rows; ``(new, changed, same, faults)``. Empty cells never erase what a draft holds."""
        held = {
            case.reference: case
            for case in db.session.scalars(
                select(Case)
                .where(Case.org_id == self.run.org_id, Case.reference.in_([key for _, key, _ in good]))
                .order_by(Case.id)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
        }
        rights = self._rights({n for _, _, item in good for n in item[2]})
        new = changed = same = 0
        late: list[tuple[int, Fault]] = []
        for number, key, (values, link, numbers) in good:
            case = held.get(key)
            try:
                outcome, case = self._write(case, values)
            except Invalid as refused:
                late += [(number, from_problem(p, {})) for p in refused.problems]
                continue
            if case is None:
                late.append((number, Fault("case_not_draft", "reference", key)))
                continue
            if case.state == "draft":
                for text in numbers:
                    ids = rights.get(text, [])
                    if len(ids) != 1:
                        code = "right_ambiguous" if ids else "right_unknown"
                        late.append((number, Fault(code, "right_numbers", text, {"number": text}, WARNING)))
                    elif put_in_case(case.id, ids[0], link) and outcome == "same":
                        outcome = "changed"
            new, changed, same = new + (outcome == "new"), changed + (outcome == "changed"), same + (outcome == "same")
        return new, changed, same, late

    def _write(self, case: Case | None, values: dict[str, Any]) -> tuple[str, Case | None]:
        """``(new | changed | same, case)``; no case when a change would touch one that is no draft."""
        if case is None:
            case = Case(org_id=self.run.org_id, created_by=self.actor.user_id, **service.clean(values, self.day))
            db.session.add(case)
            db.session.flush()
            record("case.created", "case", case.id, self.actor, reference=case.reference, import_id=self.run.id)
            return "new", case
        before = {name: getattr(case, name) for name in service.FIELDS}
        merged = service.clean(before | {k: v for k, v in values.items() if v not in (None, "")}, self.day)
        fields = sorted(name for name in service.FIELDS if merged[name] != before[name])
        if not fields:
            return "same", case
        if case.state != "draft":
            return "refused", None
        for name in fields:
            setattr(case, name, merged[name])
        case.updated_at = now()
        record("case.edited", "case", case.id, self.actor, fields=fields, import_id=self.run.id)
        db.session.flush()
        return "changed", case

    def _rights(self, texts: set[str]) -> dict[str, list[int]]:
        """Ids of the bank's rights for each writing of a number."""
        forms = {text: {text, text.strip().upper(), *(n.canonical for n in candidates(text))} for text in texts}
        every = set().union(*forms.values()) if forms else set()
        ids: dict[str, list[int]] = {}
        for number, right_id in db.session.execute(
            select(Right.number, Right.id).where(Right.org_id == self.run.org_id, Right.number.in_(every))
        ):
            ids.setdefault(number, []).append(right_id)
        return {text: sorted({i for form in forms[text] for i in ids.get(form, [])}) for text in texts}
