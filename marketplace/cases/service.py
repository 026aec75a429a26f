"""Use cases of the cases room: a draft is made, completed, submitted, and approved by a second banker.

States: draft → submitted → approved → listed → closed; back to draft on refusal; withdrawn from any state
before listing. Rights and claim change only in a draft. Lock: the case row; on submission also the pledge rows
of its rights, so that one right never stands in two submitted cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select

from marketplace.cases import queries, texts
from marketplace.cases.models import Case, CaseRight
from marketplace.cases.rules.check import Finding, check_complete, check_fields
from marketplace.cases.rules.documents import DOCUMENTS
from marketplace.core import approvals, files
from marketplace.core.actor import BANK, Actor
from marketplace.core.clock import now, today
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import Approval, Document
from marketplace.parties import service as parties
from marketplace.rights.burdens import OwnPledge, record_own_pledges
from marketplace.rights.rules.numbers import NumberRefused, parse_record_number, parse_uscc
from marketplace.rights.words import say

#: What a form, the API or an import may set, and nothing else.
FIELDS = (
    "reference",
    "debtor_name",
    "debtor_uscc",
    "region_code",
    "industry",
    "currency",
    "loan_contract_no",
    "loan_principal_minor",
    "loan_start",
    "loan_due",
    "default_date",
    "claim_date",
    "claim_principal_minor",
    "claim_interest_minor",
    "claim_penalty_minor",
    "legal_path",
    "path_basis",
    "valuation_basis",
    "valuation_minor",
    "valuation_date",
    "valuer",
    "notes",
)
NEEDED = ("reference", "debtor_name", "loan_principal_minor", "legal_path")
ZERO_IF_EMPTY = ("claim_principal_minor", "claim_interest_minor", "claim_penalty_minor")


def clean(data: Mapping[str, Any], day: date) -> dict[str, Any]:
    """``data`` cut to FIELDS, texts trimmed, empty ones None; refuses with every fault at its field (Invalid).
    ``day`` is today in Shanghai.

    Codes: required, case_dates, date_in_future, loan_zero, own_valuation_limit and those of parse_uscc.
    """
    values: dict[str, Any] = {}
    for name in FIELDS:
        value = data.get(name)
        value = (value.strip() or None) if isinstance(value, str) else value
        values[name] = 0 if value is None and name in ZERO_IF_EMPTY else value
    values["currency"] = values["currency"] or "CNY"
    problems = [
        texts.problem(Finding("required", "error", name.removesuffix("_minor")))
        for name in NEEDED
        if values[name] in (None, "")
    ]
    if values["debtor_uscc"]:
        try:
            values["debtor_uscc"] = parse_uscc(values["debtor_uscc"]).canonical
        except NumberRefused as refused:
            problems.append(
                Problem(
                    refused.code, say(refused.template, refused.params), "debtor_uscc", refused.params, "GB 32100-2015"
                )
            )
    faults = [f for f in check_fields(values, day) if f.severity == "error"]
    problems += [texts.problem(f) for f in faults]
    if problems:
        raise Invalid(problems)
    return values


def create_case(actor: Actor, data: Mapping[str, Any], *, demo: bool = False) -> Case:
    """A new draft of the actor's bank. ``data``: FIELDS, amounts in minor units, dates as ``date``.

    Needs reference, debtor_name, loan_principal_minor, legal_path. Refused: see ``clean``; ``reference_taken``.
    """
    org_id = _bank(actor)
    values = clean(data, today())
    _reference_free(org_id, values["reference"])
    case = Case(org_id=org_id, created_by=actor.user_id, demo=demo, **values)
    db.session.add(case)
    db.session.flush()
    record("case.created", "case", case.id, actor, reference=case.reference)
    return case


def edit_case(actor: Actor, case_id: int, data: Mapping[str, Any]) -> Case:
    """Correct a draft. What ``data`` does not name keeps its value. Refused: ``case_not_draft``, see ``clean``."""
    case = _draft(actor, case_id)
    before = {name: getattr(case, name) for name in FIELDS}
    values = clean(before | {k: v for k, v in data.items() if k in FIELDS}, today())
    if values["reference"] != case.reference:
        _reference_free(case.org_id, values["reference"])
    changed = sorted(name for name in FIELDS if values[name] != before[name])
    for name in changed:
        setattr(case, name, values[name])
    if changed:
        case.updated_at = now()
        db.session.flush()
        record("case.edited", "case", case.id, actor, fields=changed)
    return case


def add_right(
    actor: Actor, case_id: int, right_id: int, *, pledge_no: str | None = None, pledge_date: Any = None, rank: int = 1
) -> CaseRight:
    """Put one of the bank's rights into a draft, or correct its pledge. Refused: ``case_not_draft``,
    ``right_unknown`` (404), ``rank_range``, ``date_in_future``."""
    case = _draft(actor, case_id)
    if not queries.own_right(case.org_id, right_id):
        raise NotFound("right_unknown", _l("没有这项权利"))
    problems = []
    if not 1 <= rank <= 99:
        problems.append(Problem("rank_range", _l("顺位应为 1 至 99"), "rank"))
    if pledge_date and pledge_date > today():
        problems.append(texts.problem(Finding("date_in_future", "error", "pledge_date")))
    if pledge_no and len(pledge_no) > 60:
        problems.append(Problem("too_long", _l("质押登记号过长"), "pledge_no"))
    if problems:
        raise Invalid(problems)
    link = db.session.scalar(select(CaseRight).where(CaseRight.case_id == case.id, CaseRight.right_id == right_id))
    kind = "case.right_added" if link is None else "case.right_edited"
    link = link or CaseRight(case_id=case.id, right_id=right_id)
    link.pledge_no, link.pledge_date, link.rank = (pledge_no or "").strip() or None, pledge_date, rank
    db.session.add(link)
    db.session.flush()
    db.session.expire(case, ["pledges"])
    record(kind, "case", case.id, actor, right_id=right_id, pledge_no=link.pledge_no)
    return link


def pledge_no_warning(pledge_no: str | None) -> bool:
    """Whether the writing differs from the usual ``Y`` + 13 digits; the form is unconfirmed, so this only warns
    (domain 2.1)."""
    if not pledge_no:
        return False
    try:
        return not parse_record_number("pledge", pledge_no).facts
    except NumberRefused:
        return True


def remove_right(actor: Actor, case_id: int, right_id: int) -> None:
    """Take a right out of a draft. Refused: ``case_not_draft``, ``right_unknown`` (404)."""
    case = _draft(actor, case_id)
    link = db.session.scalar(select(CaseRight).where(CaseRight.case_id == case.id, CaseRight.right_id == right_id))
    if link is None:
        raise NotFound("right_unknown", _l("没有这项权利"))
    db.session.delete(link)
    db.session.flush()
    db.session.expire(case, ["pledges"])
    record("case.right_removed", "case", case.id, actor, right_id=right_id)


def add_document(actor: Actor, case_id: int, kind: str, file: Any) -> Document:
    """Keep an uploaded document of a case that is not yet listed. Refused: ``document_kind``, ``case_closed``,
    codes of ``core.files``. A submitted case takes more documents, it only loses none."""
    _bank(actor)
    case = _own_locked(actor, case_id)
    if case.state not in ("draft", "submitted", "approved"):
        raise Refused("case_closed", _l("案件已挂牌或已结束，不能再补充材料"))
    if kind not in DOCUMENTS:
        raise Invalid([Problem("document_kind", _l("请选择材料类型"), "kind")])
    return files.keep_upload(file, kind=kind, subject="case", subject_id=case.id, actor=actor)


def remove_document(actor: Actor, case_id: int, document_id: int) -> None:
    """Take a document out of a draft. Refused: ``case_not_draft``, ``document_unknown`` (404)."""
    case = _draft(actor, case_id)
    document = files.find(document_id, actor)
    if document.subject != "case" or document.subject_id != case.id:
        raise NotFound("document_unknown", _l("没有这份文件"))
    files.remove(document_id, actor)


def findings(case: Case) -> list[Finding]:
    """What stands between this case and its submission, and what to look at."""
    values = {name: getattr(case, name) for name in FIELDS}
    return check_complete(values, queries.pledge_facts(case), queries.document_kinds(case.id), today())


def submit_case(actor: Actor, case_id: int) -> Approval:
    """Ask for a second banker (approval ``case.approve``). Refused with every gap at once (Invalid)."""
    case = _draft(actor, case_id)
    # serialises two cases with one right: the second to come sees the first as submitted
    right_ids = [link.right_id for link in case.pledges]
    db.session.execute(
        select(CaseRight.id).where(CaseRight.right_id.in_(right_ids)).order_by(CaseRight.id).with_for_update()
    )
    gaps = [texts.problem(f) for f in findings(case) if f.severity in ("error", "submit")]
    if gaps:
        raise Invalid(gaps)
    approval = approvals.request("case.approve", "case", case.id, actor, reference=case.reference)
    case.state, case.state_reason, case.submitted_by = "submitted", None, actor.user_id
    case.updated_at = now()
    db.session.flush()
    record("case.submitted", "case", case.id, actor)
    return approval


def approved(approval: Approval, actor: Actor) -> None:
    """The second banker agreed: the case may be listed, and its pledges stand on the rights as burdens."""
    case = locked(approval.subject_id)
    if case.state != "submitted":
        raise Refused("case_not_submitted", _l("案件已不在待复核状态"))
    stated = [OwnPledge(link.right_id, link.pledge_no, link.pledge_date) for link in case.pledges if link.pledge_date]
    if stated:
        record_own_pledges(actor, parties.get_org(case.org_id).name, stated)
    case.state, case.approved_by, case.approved_at = "approved", actor.user_id, now()
    case.updated_at = now()
    db.session.flush()
    record("case.approved", "case", case.id, actor)


def refused(approval: Approval, actor: Actor) -> None:
    """The second banker sent it back: a draft again, with the reason shown."""
    case = locked(approval.subject_id)
    if case.state == "submitted":
        case.state, case.state_reason, case.updated_at = "draft", approval.reason, now()
        db.session.flush()
        record("case.returned", "case", case.id, actor, reason=approval.reason)


def withdraw_case(actor: Actor, case_id: int, reason: str) -> Case:
    """Give a case up before it is listed. Refused: ``reason_needed``, ``case_not_withdrawable``."""
    _bank(actor)
    case = _own_locked(actor, case_id)
    if case.state not in ("draft", "submitted", "approved"):
        raise Refused("case_not_withdrawable", _l("案件已挂牌或已结束，不能撤回"))
    if not reason.strip():
        raise Invalid([Problem("reason_needed", _l("请填写理由"), "reason")])
    approval = approvals.open_approval("case.approve", "case", case.id)
    if approval is not None:
        approval.state = "withdrawn"
    case.state, case.state_reason, case.updated_at = "withdrawn", reason.strip(), now()
    db.session.flush()
    record("case.withdrawn", "case", case.id, actor, reason=case.state_reason)
    return case


def return_to_draft(actor: Actor, case_id: int, reason: str) -> Case:
    """Take an approved case back to correct it; it needs its approval anew. Refused: ``case_not_approved``."""
    _bank(actor)
    case = _own_locked(actor, case_id)
    if case.state != "approved":
        raise Refused("case_not_approved", _l("只有已复核、未挂牌的案件可以退回修改"))
    if not reason.strip():
        raise Invalid([Problem("reason_needed", _l("请填写理由"), "reason")])
    case.state, case.state_reason, case.updated_at = "draft", reason.strip(), now()
    case.submitted_by = case.approved_by = case.approved_at = None
    db.session.flush()
    record("case.returned", "case", case.id, actor, reason=case.state_reason)
    return case


# What the listings room calls.


def mark_listed(case_id: int, actor: Actor) -> Case:
    """A listing of this case was published. Refused: ``case_not_approved``."""
    return _move(case_id, actor, ("approved", "listed"), "listed")


def mark_unlisted(case_id: int, actor: Actor) -> Case:
    """Its listing was withdrawn before a sale: approved again, so that it may be offered anew."""
    return _move(case_id, actor, ("listed", "approved"), "approved")


def close_case(case_id: int, actor: Actor) -> Case:
    """The disposal is complete."""
    return _move(case_id, actor, ("listed", "closed"), "closed")


def _move(case_id: int, actor: Actor, allowed: tuple[str, ...], target: str) -> Case:
    case = locked(case_id)
    if case.state not in allowed:
        raise Refused("case_not_approved", _l("案件的状态不允许这样做"))
    if case.state != target:
        case.state, case.updated_at = target, now()
        db.session.flush()
        record(f"case.{target}", "case", case.id, actor)
    return case


def locked(case_id: int) -> Case:
    """The case row under its lock, re-read (law 4). 404 ``case_unknown``."""
    case = db.session.scalar(
        select(Case).where(Case.id == case_id).with_for_update().execution_options(populate_existing=True)
    )
    if case is None:
        raise NotFound("case_unknown", _l("没有这个案件"))
    return case


def _bank(actor: Actor) -> int:
    if actor.org_id is None or actor.org_kind != BANK:
        raise Forbidden("bank_needed", _l("只有银行可以登记案件"))
    actor.require("maker")
    return actor.org_id


def _own_locked(actor: Actor, case_id: int) -> Case:
    case = locked(case_id)
    if case.org_id != actor.org_id:
        raise NotFound("case_unknown", _l("没有这个案件"))
    return case


def _draft(actor: Actor, case_id: int) -> Case:
    """The bank's own draft, locked."""
    _bank(actor)
    case = _own_locked(actor, case_id)
    if case.state != "draft":
        raise Refused("case_not_draft", _l("只有草稿可以修改"))
    return case


def _reference_free(org_id: int, reference: str) -> None:
    """One reference, one case in a bank; the unique index decides between two at once."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"case:{org_id}:{reference}", 0))))
    if db.session.scalar(select(Case.id).where(Case.org_id == org_id, Case.reference == reference)):
        raise Invalid([Problem("reference_taken", _l("已有相同编号的案件"), "reference")])
