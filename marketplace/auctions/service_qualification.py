"""Proof that a bidder may take the right over (受让资格), before any deposit is asked.

Collective marks, certification marks and geographical indications may go only to transferees with the status that
the law asks for, so the notice names it and a manager looks at each bidder's proof.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from marketplace.auctions import letters
from marketplace.auctions.evidence import SUBJECTS, files_of
from marketplace.auctions.locks import lock_lot
from marketplace.auctions.models import Qualification
from marketplace.auctions.sale import ENDED, sale_of
from marketplace.core import files
from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.parties import service as parties

PROOF = "qualification_proof"


def file_qualification(actor: Actor, lot_id: int, statement: str, file: Any = None) -> Qualification:
    """A verified organisation says why it qualifies and adds its proof. Until it is decided, filing again replaces the
    statement and adds the file; after a refusal it opens the question anew. Refuses ``qualification_not_asked``,
    ``sale_ended``, ``qualification_decided`` (confirmed already), ``role_needed``, ``organisation_not_verified``;
    faults ``statement_needed``, ``proof_needed`` and the codes of an upload, at their fields."""
    if actor.token_id is None:
        actor.require("maker")
    org_id = parties.require_verified(actor)
    state, _at = lock_lot(lot_id)
    sale = sale_of(lot_id)
    if not sale.facts.get("qualification"):
        raise Refused("qualification_not_asked", _l("本标的没有受让资格要求"))
    if state.state in ENDED:
        raise Refused("sale_ended", _l("竞价已经结束"))
    row = db.session.scalar(
        select(Qualification)
        .where(Qualification.lot_id == lot_id, Qualification.org_id == org_id)
        .execution_options(populate_existing=True)
    )
    if row is not None and row.state == "confirmed":
        raise Refused("qualification_decided", _l("贵机构的受让资格已经确认，无需再次提交"))
    given = file is not None and bool(file.filename)
    faults = []
    if not statement.strip() or len(statement) > 4000:
        faults.append(Problem("statement_needed", _l("请说明贵机构如何符合受让资格，不超过 4000 字"), "statement"))
    if not given and (row is None or not files_of(row)):
        faults.append(Problem("proof_needed", _l("请上传证明文件"), "file"))
    if faults:
        raise Invalid(faults)
    if row is None:
        row = Qualification(lot_id=lot_id, org_id=org_id, statement=statement.strip(), created_by=actor.user_id)
        db.session.add(row)
    row.statement, row.state = statement.strip(), "filed"
    row.decided_by = row.decided_at = row.reason = None
    db.session.flush()
    if given:
        files.keep_upload(file, kind=PROOF, subject=SUBJECTS[Qualification], subject_id=row.id, actor=actor)
    record("qualification.filed", "lot", lot_id, actor, qualification_id=row.id)
    letters.qualification_filed(sale)
    return row


def decide_qualification(actor: Actor, qualification_id: int, confirm: bool, reason: str) -> Qualification:
    """A manager confirms or refuses a proof, with the reason. ``manager_needed``, ``qualification_unknown``,
    ``qualification_decided``, ``reason_needed``, ``sale_ended``."""
    if not actor.is_manager:
        raise Forbidden("manager_needed", _l("须由平台管理人员操作"))
    row = db.session.get(Qualification, qualification_id)
    if row is None:
        raise NotFound("qualification_unknown", _l("没有这项受让资格申请"))
    if not reason.strip():
        raise Invalid([Problem("reason_needed", _l("请填写理由"), "reason")])
    state, at = lock_lot(row.lot_id)
    db.session.refresh(row)
    if state.state in ENDED:
        raise Refused("sale_ended", _l("竞价已经结束"))
    if row.state != "filed":
        raise Refused("qualification_decided", _l("这项受让资格申请已经处理"))
    row.state = "confirmed" if confirm else "refused"
    row.decided_by, row.decided_at, row.reason = actor.user_id, at, reason.strip()
    db.session.flush()
    record(f"qualification.{row.state}", "lot", row.lot_id, actor, qualification_id=row.id)
    letters.qualification_decided(sale_of(row.lot_id), row.org_id, row.id, confirm, row.reason, at)
    return row
