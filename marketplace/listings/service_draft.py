"""An offer before the platform sees it: made from an approved case, completed, sent by two bankers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from marketplace.cases import queries as case_queries
from marketplace.cases import service as cases
from marketplace.core import approvals, files
from marketplace.core.actor import BANK, Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import Approval, Document
from marketplace.listings import facts, rules
from marketplace.listings.models import ROUNDS_ON_THEIR_WAY, Listing, ListingRight, NextRound
from marketplace.listings.texts import DOCUMENTS, problem_of
from marketplace.parties import notices
from marketplace.parties import service as parties

TEXT_FIELDS = (
    "title",
    "title_en",
    "summary",
    "known_defects",
    "taxes_and_fees",
    "inspection",
    "handover",
    "contact",
    "bidder_conditions",
    "qualification",
    "priority_holders",
    "parties_notified_at",
    "notification_note",
    "licence_no",
    "auctioneer",
    "region_code",
    "industry",
)
TERM_FIELDS = (
    "profile_code",
    "valuation_basis",
    "appraisal_minor",
    "appraisal_date",
    "start_minor",
    "increment_minor",
    "deposit_minor",
    "balance_days",
    "planned_opens_at",
    "planned_ends_at",
)
TOO_LONG = 20_000


def unknown() -> NotFound:
    return NotFound("listing_unknown", _l("没有这个挂牌"))


def locked(listing_id: int) -> Listing:
    """The listing row under its lock, re-read (law 4). 404 ``listing_unknown``."""
    listing = db.session.scalar(
        select(Listing).where(Listing.id == listing_id).with_for_update().execution_options(populate_existing=True)
    )
    if listing is None:
        raise unknown()
    return listing


def open_round(listing_id: int, *, lock: bool = False) -> NextRound | None:
    """The round on its way to publication, if any."""
    query = select(NextRound).where(NextRound.listing_id == listing_id, NextRound.state.in_(ROUNDS_ON_THEIR_WAY))
    query = query.execution_options(populate_existing=True)
    return db.session.scalar(query.with_for_update() if lock else query)


def create_listing(actor: Actor, case_id: int, right_ids: Sequence[int], profile_code: str | None = None) -> Listing:
    """A draft offer of rights of an approved case, by a maker of its bank. ``profile_code`` default: by the case's
    legal path; ``sandbox`` only for demo organisations.

    Refused: ``bank_needed``, ``case_unknown`` (404), ``case_not_approved``, ``rights_missing``, ``right_unknown``,
    ``right_offered_elsewhere``, ``profile_not_allowed``.
    """
    org_id = _bank(actor)
    case_queries.case_for(actor, case_id)
    case = cases.locked(case_id)  # two offers of one case are made one after the other
    if case.org_id != org_id:
        raise NotFound("case_unknown", _l("没有这个案件"))
    if case.state not in ("approved", "listed"):
        raise Refused("case_not_approved", _l("案件尚未经第二人复核"))
    org = parties.get_org(org_id)
    chosen = profile_code or rules.default_profile(case.legal_path)
    if chosen not in rules.profile_choices(case.legal_path, org.demo):
        raise Invalid([Problem("profile_not_allowed", _l("此案件不能采用这种规则"), "profile_code")])
    rights = _choose(case_id, right_ids)
    first = rights[0]
    listing = Listing(
        org_id=org_id,
        case_id=case_id,
        title=first.title if len(rights) == 1 else f"{first.title}等 {len(rights)} 项知识产权",
        title_en=_english_title(rights),
        profile_code=chosen,
        profile_version=1,
        valuation_basis=case.valuation_basis,
        appraisal_minor=case.valuation_minor,
        appraisal_date=case.valuation_date,
        currency=case.currency,
        region_code=case.region_code,
        industry=case.industry,
        warnings={},
        created_by=actor.user_id,
        demo=org.demo,
    )
    profile = facts.profile_of(listing)
    listing.profile_version = profile.version
    listing.balance_days = profile.balance_days.value
    listing.items = [ListingRight(right_id=right.id, position=n) for n, right in enumerate(rights)]
    db.session.add(listing)
    db.session.flush()
    record("listing.created", "listing", listing.id, actor, case_id=case_id)
    return listing


def _english_title(rights: Sequence[Any]) -> str | None:
    """The title's English where the first right has an English name: it stands first in both."""
    name, others = rights[0].title_en, len(rights) - 1
    if not name or not others:
        return name or None
    return f"{name} and {others} other right{'s' if others > 1 else ''}"


def choose_rights(actor: Actor, listing_id: int, right_ids: Sequence[int]) -> Listing:
    """Offer these rights of the case instead. Refused as in ``create_listing`` and ``edit``."""
    listing = _draft(actor, listing_id)
    rights = _choose(listing.case_id, right_ids, listing.id)
    for item in list(listing.items):
        db.session.delete(item)
    db.session.flush()
    db.session.expire(listing, ["items"])
    db.session.add_all(ListingRight(listing_id=listing.id, right_id=r.id, position=n) for n, r in enumerate(rights))
    db.session.flush()
    db.session.expire(listing, ["items"])
    return _changed(listing, actor, "rights")


def edit_text(actor: Actor, listing_id: int, values: Mapping[str, Any]) -> Listing:
    """Write the description (TEXT_FIELDS). Refused: ``listing_not_draft``, ``title_missing``, ``text_too_long``."""
    listing = _draft(actor, listing_id)
    problems = [
        Problem("text_too_long", _l("内容过长"), name)
        for name in TEXT_FIELDS
        if isinstance(values.get(name), str) and len(values[name]) > TOO_LONG
    ]
    if "title" in values and not str(values["title"] or "").strip():
        problems.append(Problem("title_missing", _l("请填写标题"), "title"))
    if problems:
        raise Invalid(problems)
    for name in TEXT_FIELDS:
        if name in values:
            value = values[name].strip() if isinstance(values[name], str) else values[name]
            nullable = Listing.__table__.c[name].nullable
            setattr(listing, name, (value or None) if nullable else (value or ""))
    return _changed(listing, actor, "text")


def edit_terms(actor: Actor, listing_id: int, values: Mapping[str, Any]) -> Listing:
    """Set price and time (TERM_FIELDS; amounts minor units, moments aware). What the rules object to is kept and
    shown as a finding; it bars submission, not saving. Refused: ``listing_not_draft``, ``profile_not_allowed``."""
    listing = _draft(actor, listing_id)
    code = values.get("profile_code") or listing.profile_code
    case, org = facts.case_of(listing), parties.get_org(listing.org_id)
    if code not in rules.profile_choices(case.legal_path, org.demo):
        raise Invalid([Problem("profile_not_allowed", _l("此案件不能采用这种规则"), "profile_code")])
    for name in TERM_FIELDS:
        if name in values and name != "profile_code":
            setattr(listing, name, values[name])
    listing.profile_code = code
    listing.profile_version = facts.profile_of(listing).version
    return _changed(listing, actor, "terms")


def tick_warnings(actor: Actor, listing_id: int, codes: Sequence[str]) -> Listing:
    """The special warnings (网拍规定 art. 14) that the seller confirms. Unknown codes are dropped."""
    listing = _draft(actor, listing_id)
    known = [item.code for item in facts.profile_of(listing).warnings]
    listing.warnings = {code: True for code in known if code in codes}
    return _changed(listing, actor, "warnings")


def add_document(actor: Actor, listing_id: int, file: Any, kind: str, visibility: str) -> Document:
    """Attach a file to a draft. Until publication only the bank and the managers see it; then ``visibility``
    (``public`` or ``bidders``). Refused: ``listing_not_draft`` and codes of ``core.files``."""
    listing = _draft(actor, listing_id)
    if kind not in DOCUMENTS or visibility not in ("public", "bidders"):
        raise Invalid([Problem("document_kind", _l("请选择文件类型和谁可以看"), "kind")])
    document = files.keep_upload(file, kind=kind, subject="listing", subject_id=listing.id, actor=actor)
    listing.shown_documents = listing.shown_documents | {str(document.id): visibility}
    _changed(listing, actor, "documents")
    return document


def remove_document(actor: Actor, listing_id: int, document_id: int) -> None:
    """Take a file out of a draft. Refused: ``listing_not_draft``, ``document_unknown`` (404)."""
    listing = _draft(actor, listing_id)
    document = files.find(document_id, actor)
    if (document.subject, document.subject_id) != ("listing", listing.id):
        raise NotFound("document_unknown", _l("没有这份文件"))
    files.remove(document_id, actor)
    _changed(listing, actor, "documents")


def submit(actor: Actor, listing_id: int) -> Approval:
    """Ask the second banker (approval ``listing.submit``). Refused with every gap at once (Invalid)."""
    listing = _draft(actor, listing_id)
    require_gates(listing)
    return approvals.request("listing.submit", "listing", listing.id, actor, version=_stamp(listing))


def submitted(approval: Approval, actor: Actor) -> None:
    """The second banker agreed: the platform reviews. ``listing_changed`` when the draft is not the one asked for."""
    listing = locked(approval.subject_id)
    if listing.state != "draft":
        raise Refused("listing_not_draft", _l("挂牌已不在草稿状态"))
    if approval.data.get("version") != _stamp(listing):
        raise Refused("listing_changed", _l("申请复核后内容有变，请退回后重新提交"))
    require_gates(listing)
    listing.state, listing.state_reason = "submitted", None
    listing.submitted_by, listing.submitted_at = actor.user_id, now()
    listing.updated_at = listing.submitted_at
    record("listing.submitted", "listing", listing.id, actor)
    notices.notify_managers(
        _l("有一项挂牌待审核"),
        _l("“%(title)s”已由两名银行人员提交，请审核。", title=listing.title),
        link="/manage/listings",
        dedupe_key=f"listing.submitted:{listing.id}:{listing.submitted_at.isoformat()}",
    )


def submission_refused(approval: Approval, actor: Actor) -> None:
    listing = locked(approval.subject_id)
    if listing.state == "draft":
        listing.state_reason = approval.reason


def discard(actor: Actor, listing_id: int, reason: str) -> Listing:
    """Give an unpublished draft up. Refused: ``listing_not_draft``, ``reason_needed``."""
    listing = _draft(actor, listing_id)
    if not reason.strip():
        raise Refused("reason_needed", _l("请填写理由"))
    listing.state, listing.state_reason, listing.updated_at = "withdrawn", reason.strip(), now()
    record("listing.discarded", "listing", listing.id, actor, reason=reason.strip())
    return listing


def require_gates(listing: Listing, at: Any = None) -> None:
    """Refuse with every finding that bars (Invalid)."""
    barred = [f for f in facts.findings(listing, at) if f.severity == "refuse"]
    if barred:
        raise Invalid([problem_of(f, listing.currency) for f in barred])


def _choose(case_id: int, right_ids: Sequence[int], listing_id: int | None = None) -> list[Any]:
    wanted = list(dict.fromkeys(right_ids))
    if not wanted:
        raise Invalid([Problem("rights_missing", _l("请至少选择一项权利"), "right_ids")])
    known = {link.right_id: link.right for link in case_queries.pledges_of(case_id)}
    if any(right_id not in known for right_id in wanted):
        raise NotFound("right_unknown", _l("案件中没有这项权利"))
    taken = facts.offered_elsewhere(wanted, listing_id)
    if taken:
        raise Invalid(
            [
                Problem(
                    "right_offered_elsewhere",
                    _l("%(right)s：已在另一挂牌中", right=known[right_id].number_display),
                    "right_ids",
                )
                for right_id in taken
            ]
        )
    return [known[right_id] for right_id in wanted]


def _bank(actor: Actor) -> int:
    if actor.org_id is None or actor.org_kind != BANK:
        raise Forbidden("bank_needed", _l("只有银行可以挂牌"))
    actor.require("maker")
    return actor.org_id


def _draft(actor: Actor, listing_id: int) -> Listing:
    """The bank's own draft, locked; refused while the second banker looks at it (``approval_open``)."""
    org_id = _bank(actor)
    listing = locked(listing_id)
    if listing.org_id != org_id:
        raise unknown()
    if listing.state != "draft":
        raise Refused("listing_not_draft", _l("只有草稿可以修改；已发布的内容只能以更正公告补充"))
    if approvals.open_approval("listing.submit", "listing", listing_id):
        raise Refused("approval_open", _l("此挂牌正在等待第二人复核，复核前不能修改"))
    return listing


def _changed(listing: Listing, actor: Actor, part: str) -> Listing:
    listing.updated_at = now()
    db.session.flush()
    record("listing.edited", "listing", listing.id, actor, part=part)
    return listing


def _stamp(listing: Listing) -> str:
    return listing.updated_at.isoformat()
