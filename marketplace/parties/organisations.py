"""An organisation from registration to verification: draft → submitted → verified, sent back or suspended."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import func, select, update

from marketplace.core import approvals
from marketplace.core.actor import BANK, ENTERPRISE, OPERATOR, ORG_KINDS, Actor
from marketplace.core.db import db
from marketplace.core.errors import Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import Approval, Document
from marketplace.parties.models import Membership, Organisation, User
from marketplace.parties.notices import notify_managers, notify_org
from marketplace.parties.uscc import UsccRefused, read_uscc, region_of

#: Kinds that register themselves; platform and regulator are made by command only.
OPEN_KINDS = (OPERATOR, ENTERPRISE, BANK)
DOCUMENT_KINDS = {
    "business_licence": _l("营业执照"),
    "financial_licence": _l("金融许可证"),
    "authorisation": _l("授权委托书"),
    "other": _l("其他材料"),
}
NEEDED_DOCUMENTS = ("business_licence",)
USCC_TEXTS = {
    "uscc.empty": _l("请填写统一社会信用代码"),
    "uscc.length": _l("统一社会信用代码应为 18 位，您填写了 %(length)s 位"),
    "uscc.characters": _l(
        "统一社会信用代码含有不允许的字符：前 8 位应为数字，其余为数字或大写字母（不含 I、O、Z、S、V）"
    ),
    "uscc.check_digit": _l("统一社会信用代码的校验位不符，请核对是否有误"),
}
USCC_SOURCE = "GB 32100-2015"
ACCOUNT_KIND = "organisation.account"


@dataclass
class OrgData:
    """What an organisation says of itself. All texts are as typed."""

    name: str = ""
    name_en: str = ""
    uscc: str = ""
    legal_representative: str = ""
    address: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    state_owned: bool = False


@dataclass
class AccountData:
    """The bank account that refunds and proceeds go to."""

    account_name: str = ""
    account_no: str = ""
    account_bank: str = ""
    problems: list[Problem] = field(default_factory=list)

    def clean(self) -> dict[str, str]:
        """The three texts, or Invalid: each needed; the number 6 to 34 digits or letters."""
        found = {name: " ".join(getattr(self, name).split()) for name in ("account_name", "account_no", "account_bank")}
        problems = [
            Problem("account.missing", _l("请填写收款账户信息"), name) for name, text in found.items() if not text
        ]
        found["account_no"] = found["account_no"].replace(" ", "").replace("-", "")
        if found["account_no"] and not (6 <= len(found["account_no"]) <= 34 and found["account_no"].isalnum()):
            problems.append(Problem("account.number", _l("账号应为 6 至 34 位数字或字母"), "account_no"))
        if problems:
            raise Invalid(problems)
        return found


def checked(data: OrgData, org_id: int | None = None) -> dict[str, Any]:
    """The columns of ``data``, or Invalid with every fault: ``name_needed``, ``uscc.*``, ``uscc.taken``."""
    problems: list[Problem] = []
    columns: dict[str, Any] = {}
    for item in fields(data):
        value = getattr(data, item.name)
        columns[item.name] = (" ".join(value.split()) or None) if isinstance(value, str) else value
        if isinstance(value, str) and len(value) > 300:
            problems.append(Problem("too_long", _l("填写的内容过长"), item.name))
    if not columns["name"]:
        problems.append(Problem("name_needed", _l("请填写机构名称"), "name"))
    try:
        code = read_uscc(data.uscc)
        columns["uscc"], columns["region_code"] = code, region_of(code)
        if not _free_code(code, org_id):
            problems.append(
                Problem("uscc.taken", _l("该机构已在平台登记。请联系贵机构的管理员邀请您加入，或联系平台"), "uscc")
            )
    except UsccRefused as refused:
        problems.append(
            Problem(refused.code, USCC_TEXTS[refused.code], "uscc", {"length": refused.length}, USCC_SOURCE)
        )
    if problems:
        raise Invalid(problems)
    return columns


def _free_code(code: str, org_id: int | None) -> bool:
    """Whether nobody else holds the code. A draft none of whose members ever confirmed their address gives it
    up, so that nobody blocks an organisation by typing its code."""
    holder = db.session.scalar(select(Organisation).where(Organisation.uscc == code))
    if holder is None or holder.id == org_id:
        return True
    confirmed = (
        select(Membership.id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.org_id == holder.id, User.confirmed_at.is_not(None))
    )
    if holder.state != "draft" or db.session.scalar(select(confirmed.exists())):
        return False
    holder.uscc = None
    db.session.flush()
    record("organisation.code_released", "organisation", holder.id)
    return True


def create_org(
    kind: str, data: OrgData, user_id: int | None, actor: Actor, *, by_command: bool = False, demo: bool = False
) -> Organisation:
    """Register an organisation; ``user_id`` becomes its first member with every role. Refuses ``kind_closed``
    for platform and regulator unless by command. ``demo``: on a demo site nobody is real."""
    if kind not in (ORG_KINDS if by_command else OPEN_KINDS):
        raise Invalid([Problem("kind_closed", _l("请选择机构类型"), "kind")])
    org = Organisation(kind=kind, state="draft", demo=demo, **checked(data))
    db.session.add(org)
    db.session.flush()
    if user_id is not None:
        db.session.add(Membership(user_id=user_id, org_id=org.id, roles=["admin", "maker", "approver"], active=True))
        db.session.flush()
    record("organisation.registered", "organisation", org.id, actor, organisation_kind=kind)
    return org


def lock_org(org_id: int) -> Organisation:
    """The organisation's row, locked (first in the order of locks) and fresh; ``organisation_unknown``."""
    org = db.session.scalar(
        select(Organisation)
        .where(Organisation.id == org_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if org is None:
        raise NotFound("organisation_unknown", _l("没有这个机构"))
    return org


def own_org(actor: Actor, role: str = "admin") -> Organisation:
    """The actor's organisation, locked; the actor must have the role."""
    if actor.org_id is None:
        raise NotFound("organisation_unknown", _l("没有这个机构"))
    actor.require(role)
    return lock_org(actor.org_id)


def edit_org(data: OrgData, actor: Actor) -> Organisation:
    """Change what the organisation says of itself. Once submitted or verified, name, code and legal
    representative are what the manager checked and stay; contact data may always change."""
    org = own_org(actor)
    fixed = org.state in ("submitted", "verified", "suspended")
    if fixed:
        data.name, data.uscc = org.name, org.uscc or ""
        data.legal_representative, data.state_owned = org.legal_representative or "", org.state_owned
    if fixed and not org.uscc:
        columns = {k: getattr(data, k) or None for k in ("name_en", "address")}
        columns |= {k: getattr(data, k) or None for k in ("contact_name", "contact_phone", "contact_email")}
    else:
        columns = checked(data, org.id)
    for name, value in columns.items():
        setattr(org, name, value)
    db.session.flush()
    record("organisation.edited", "organisation", org.id, actor)
    return org


def documents_of(org_id: int) -> list[Document]:
    return list(
        db.session.scalars(
            select(Document)
            .where(Document.subject == "organisation", Document.subject_id == org_id, Document.removed_at.is_(None))
            .order_by(Document.id)
        )
    )


def missing_for_submission(org: Organisation) -> list[Problem]:
    """What still lacks before a manager can check the organisation."""
    problems = []
    if not org.uscc:
        problems.append(Problem("uscc.empty", USCC_TEXTS["uscc.empty"], "uscc"))
    if not org.legal_representative:
        problems.append(Problem("legal_representative_needed", _l("请填写法定代表人或负责人"), "legal_representative"))
    if not org.contact_phone:
        problems.append(Problem("contact_phone_needed", _l("请填写联系电话"), "contact_phone"))
    if not (org.account_name and org.account_no and org.account_bank):
        problems.append(Problem("account.missing", _l("请填写收款账户信息"), "account_no"))
    kinds = {document.kind for document in documents_of(org.id)}
    for kind in NEEDED_DOCUMENTS:
        if kind not in kinds:
            problems.append(Problem("document_missing", _l("请上传营业执照"), "file"))
    return problems


def submit_org(actor: Actor) -> Organisation:
    """Ask the platform to verify. Refuses ``organisation_state`` and lists everything that lacks."""
    org = own_org(actor)
    expect_state(org, "draft", "rejected")
    problems = missing_for_submission(org)
    if problems:
        raise Invalid(problems)
    org.state, org.state_reason = "submitted", None
    org.submitted_at = db.session.scalar(select(func.clock_timestamp()))
    db.session.flush()
    record("organisation.submitted", "organisation", org.id, actor)
    notify_managers(
        _l("新的机构待核验：%(name)s", name=org.name),
        _l("%(name)s 提交了核验申请。", name=org.name),
        f"/manage/organisations/{org.id}",
    )
    return org


def expect_state(org: Organisation, *states: str) -> None:
    """Refuse ``organisation_state`` unless the organisation is in one of these states."""
    if org.state not in states:
        raise Refused("organisation_state", _l("机构当前状态不允许此操作，请刷新页面"), state=org.state)


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid([Problem("reason_needed", _l("请填写理由"), "reason")])
    return reason.strip()


def verify_org(org_id: int, actor: Actor) -> Organisation:
    """A manager found the organisation to be what it says. One manager is enough: no money moves."""
    org = _by_manager(org_id, actor)
    expect_state(org, "submitted")
    org.state, org.state_reason, org.verified_by = "verified", None, actor.user_id
    org.verified_at = db.session.scalar(select(func.clock_timestamp()))
    db.session.flush()
    record("organisation.verified", "organisation", org.id, actor)
    notify_org(
        org.id,
        _l("机构核验已通过"),
        _l("%(name)s 已通过核验，现在可以办理业务。", name=org.name),
        "/organisation",
    )
    return org


def reject_org(org_id: int, reason: str, actor: Actor) -> Organisation:
    """Send the organisation back to correct what ``reason`` says; also from verified, when its data changed."""
    org = _by_manager(org_id, actor)
    expect_state(org, "submitted", "verified", "suspended")
    org.state, org.state_reason = "rejected", _reason(reason)
    db.session.flush()
    record("organisation.rejected", "organisation", org.id, actor, reason=org.state_reason)
    notify_org(
        org.id,
        _l("机构核验未通过，请更正"),
        _l("理由：%(reason)s\n更正后可再次提交。", reason=org.state_reason),
        "/organisation",
    )
    return org


def suspend_org(org_id: int, reason: str, actor: Actor) -> Organisation:
    """Stop a verified organisation from acting until it is reinstated."""
    org = _by_manager(org_id, actor)
    expect_state(org, "verified")
    org.state, org.state_reason = "suspended", _reason(reason)
    db.session.flush()
    record("organisation.suspended", "organisation", org.id, actor, reason=org.state_reason)
    notify_org(
        org.id,
        _l("机构资格已暂停"),
        _l("理由：%(reason)s\n暂停期间不能办理新的业务。如有异议请联系平台。", reason=org.state_reason),
        "/organisation",
    )
    return org


def reinstate_org(org_id: int, reason: str, actor: Actor) -> Organisation:
    """End a suspension."""
    org = _by_manager(org_id, actor)
    expect_state(org, "suspended")
    text = _reason(reason)
    org.state, org.state_reason = "verified", None
    db.session.flush()
    record("organisation.reinstated", "organisation", org.id, actor, reason=text)
    notify_org(org.id, _l("机构资格已恢复"), _l("说明：%(reason)s", reason=text), "/organisation")
    return org


def _by_manager(org_id: int, actor: Actor) -> Organisation:
    if not (actor.is_manager or actor.is_system):
        raise NotFound("organisation_unknown", _l("没有这个机构"))
    return lock_org(org_id)


def change_account(data: AccountData, actor: Actor) -> Approval | None:
    """Set the account for refunds and proceeds. Before verification at once; after it, money would follow, so a
    second member with the approver role must agree (the returned approval waits)."""
    org = own_org(actor)
    columns = data.clean()
    if org.state in ("draft", "rejected") or not org.account_no:
        _set_account(org, columns)
        record("organisation.account_set", "organisation", org.id, actor)
        return None
    waiting = approvals.request(ACCOUNT_KIND, "organisation", org.id, actor, **columns)
    notify_org(
        org.id,
        _l("收款账户变更待复核"),
        _l("有成员申请变更收款账户，须由另一名有复核权限的成员确认后生效。如非本机构操作，请立即联系平台。"),
        "/organisation",
        dedupe_key=f"account-{waiting.id}",
    )
    return waiting


def _set_account(org: Organisation, columns: dict[str, str]) -> None:
    db.session.execute(
        update(Organisation).where(Organisation.id == org.id).values(**columns),
        execution_options={"synchronize_session": "fetch"},
    )


@approvals.act_of(ACCOUNT_KIND)
def account_approved(approval: Approval, actor: Actor) -> None:
    org = lock_org(approval.subject_id)
    _set_account(org, {k: approval.data[k] for k in ("account_name", "account_no", "account_bank")})
    record("organisation.account_set", "organisation", org.id, actor, approval_id=approval.id)
    notify_org(
        org.id,
        _l("收款账户已变更"),
        _l("收款账户变更已经复核生效。如非本机构操作，请立即联系平台。"),
        "/organisation",
        dedupe_key=f"account-set-{approval.id}",
    )


def membership_of(user_id: int, org_id: int) -> int | None:
    """The id of the user's membership in the organisation."""
    return db.session.scalar(select(Membership.id).where(Membership.user_id == user_id, Membership.org_id == org_id))
