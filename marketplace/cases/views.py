"""Pages of the cases room; the imports' part of the URL map stands in ``import_views``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.cases import queries, service, texts
from marketplace.cases.forms import AMOUNTS, DATES, CaseForm, DocumentForm, PledgeForm
from marketplace.cases.models import CASE_STATES, LEGAL_PATHS, Case
from marketplace.cases.rules.documents import DOCUMENTS, checklist
from marketplace.cases.rules.paths import PATHS, Path
from marketplace.core import approvals, files
from marketplace.core.access import access, current_actor, org
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Invalid, NotFound, Refused
from marketplace.core.i18n import _, _l

bp = Blueprint("cases", __name__)
reader = org("bank", "platform", "regulator")
banker = org("bank")


@bp.app_context_processor
def words() -> dict[str, Any]:
    """Names of states, paths and documents for the templates of this room."""
    return {"case_texts": texts}


@bp.get("/cases")
@access(reader)
def case_list() -> ResponseReturnValue:
    state, path = request.args.get("state", ""), request.args.get("path", "")
    state, path = state if state in CASE_STATES else "", path if path in LEGAL_PATHS else ""
    text = request.args.get("q", "")[:100].replace("\x00", "")
    found = queries.list_cases(
        current_actor(), state=state, path=path, text=text, page=request.args.get("page", 1, type=int)
    )
    return render_template("cases/list.html", found=found, state=state, path=path, q=text)


@bp.get("/cases/new")
@access(banker)
def case_new() -> ResponseReturnValue:
    return _form_page(CaseForm(legal_path="agreed_sale"), None)


@bp.post("/cases/new")
@access(banker)
def case_create() -> ResponseReturnValue:
    form = CaseForm()
    data = form.values()
    if data is not None:
        try:
            with db.session.begin_nested():
                case = service.create_case(current_actor(), data)
        except Invalid as refused:
            form.add(refused.problems)
        else:
            flash(_("草稿已保存。接下来列入质押的权利，并上传材料。"), "success")
            return redirect(url_for("cases.case_page", case_id=case.id))
    return _form_page(form, None), 422


@bp.get("/cases/<int:case_id>")
@access(reader)
def case_page(case_id: int) -> ResponseReturnValue:
    return _case_page(case_id, DocumentForm())


def _case_page(case_id: int, documents: DocumentForm, problems: Any = ()) -> str:
    actor = current_actor()
    case = queries.case_for(actor, case_id)
    pledges = queries.pledges_of(case.id)
    uploaded = files.list_for("case", case.id, actor)
    kinds = {d.kind for d in uploaded}
    needed = checklist(
        case.legal_path,
        kinds,
        valuation_basis=case.valuation_basis,
        co_owned=any(link.right.co_owners for link in pledges),
    )
    open_findings = service.findings(case) if case.state in ("draft", "submitted") else []
    approval = approvals.open_approval("case.approve", "case", case.id) if case.state == "submitted" else None
    mine = case.org_id == actor.org_id
    return render_template(
        "cases/case.html",
        case=case,
        pledges=pledges,
        documents=uploaded,
        needed=needed,
        document_types=DOCUMENTS,
        gaps=[_shown(f) for f in open_findings if f.severity != "warn"],
        warnings=[_shown(f) for f in open_findings if f.severity == "warn"],
        drafts=queries.drafts_with(case.org_id, [link.right_id for link in pledges], case.id) if mine else {},
        odd_number=service.pledge_no_warning,
        approval=approval,
        may_edit=mine and case.state == "draft" and actor.may("maker"),
        may_decide=mine and approval is not None and actor.may("approver") and approval.requested_by != actor.user_id,
        may_withdraw=mine and case.state in ("draft", "submitted", "approved") and actor.may("maker"),
        may_return=mine and case.state == "approved" and actor.may("maker"),
        document_form=documents,
        problems=problems,
        path_rule=PATHS[Path(case.legal_path)],
    )


def _shown(finding: Any) -> Any:
    return texts.problem(finding)


@bp.get("/cases/<int:case_id>/edit")
@access(banker)
def case_edit(case_id: int) -> ResponseReturnValue:
    case = queries.case_for(current_actor(), case_id)
    if case.state != "draft":
        raise Refused("case_not_draft", _l("只有草稿可以修改"))
    data: dict[str, Any] = {name: getattr(case, name) for name in service.FIELDS if not name.endswith("_minor")}
    for name in AMOUNTS:
        minor = getattr(case, name + "_minor")
        data[name] = f"{minor / 100:,.2f}" if minor is not None and minor < 10**13 else str((minor or 0) / 100)
    for name in DATES:
        data[name] = data[name].isoformat() if data[name] else ""
    return _form_page(CaseForm(data=data), case)


@bp.post("/cases/<int:case_id>/edit")
@access(banker)
def case_save(case_id: int) -> ResponseReturnValue:
    form = CaseForm()
    data = form.values()
    if data is not None:
        try:
            with db.session.begin_nested():
                service.edit_case(current_actor(), case_id, data)
        except Invalid as refused:
            form.add(refused.problems)
        else:
            flash(_("已保存。"), "success")
            return redirect(url_for("cases.case_page", case_id=case_id))
    return _form_page(form, queries.case_for(current_actor(), case_id)), 422


def _form_page(form: CaseForm, case: Case | None) -> str:
    return render_template("cases/edit.html", form=form, case=case, paths=PATHS)


@bp.get("/cases/<int:case_id>/history")
@access(reader)
def case_history(case_id: int) -> ResponseReturnValue:
    case = queries.case_for(current_actor(), case_id)
    return render_template("cases/history.html", case=case, events=queries.history(case.id))


@bp.get("/cases/<int:case_id>/rights")
@access(banker)
def rights_picker(case_id: int) -> ResponseReturnValue:
    return _picker(case_id, PledgeForm(formdata=None))


def _picker(case_id: int, form: PledgeForm, right_id: int | None = None) -> str:
    case = queries.case_for(current_actor(), case_id)
    text = request.args.get("q", "")[:100].replace("\x00", "")
    return render_template(
        "cases/rights.html",
        case=case,
        form=form,
        chosen=right_id,
        q=text,
        pledges=queries.pledges_of(case.id),
        rights=queries.rights_to_pick(case.org_id, case.id, text),
    )


@bp.post("/cases/<int:case_id>/rights/<int:right_id>")
@access(banker)
def right_add(case_id: int, right_id: int) -> ResponseReturnValue:
    """Put a right into the draft, or correct its pledge."""
    form = PledgeForm()
    data = form.values()
    if data is not None:
        try:
            with db.session.begin_nested():
                link = service.add_right(current_actor(), case_id, right_id, **data)
        except Invalid as refused:
            form.add(refused.problems)
        else:
            if service.pledge_no_warning(link.pledge_no):
                flash(_("已列入。质押登记号的格式不常见，请与通知书核对。"), "warning")
            else:
                flash(_("已列入案件。"), "success")
            return redirect(url_for("cases.rights_picker", case_id=case_id))
    return _picker(case_id, form, right_id), 422


@bp.post("/cases/<int:case_id>/rights/<int:right_id>/remove")
@access(banker)
def right_remove(case_id: int, right_id: int) -> ResponseReturnValue:
    service.remove_right(current_actor(), case_id, right_id)
    flash(_("已从案件中移除。"), "success")
    return redirect(url_for("cases.case_page", case_id=case_id))


@bp.post("/cases/<int:case_id>/documents")
@access(banker)
def document_add(case_id: int) -> ResponseReturnValue:
    form = DocumentForm()
    if form.validate():
        try:
            with db.session.begin_nested():
                service.add_document(current_actor(), case_id, form.kind.data, request.files.get("file"))
        except Invalid as refused:
            form.add(refused.problems)
        else:
            flash(_("材料已上传。"), "success")
            return redirect(url_for("cases.case_page", case_id=case_id) + "#documents")
    return _case_page(case_id, form), 422


@bp.post("/cases/<int:case_id>/documents/<int:document_id>/remove")
@access(banker)
def document_remove(case_id: int, document_id: int) -> ResponseReturnValue:
    service.remove_document(current_actor(), case_id, document_id)
    flash(_("材料已移除。"), "success")
    return redirect(url_for("cases.case_page", case_id=case_id) + "#documents")


@bp.post("/cases/<int:case_id>/submit")
@access(banker)
def case_submit(case_id: int) -> ResponseReturnValue:
    try:
        with db.session.begin_nested():
            service.submit_case(current_actor(), case_id)
    except Invalid as refused:
        return _case_page(case_id, DocumentForm(formdata=None), refused.problems), 422
    flash(_("已提交，等待本行另一名成员复核。"), "success")
    return redirect(url_for("cases.case_page", case_id=case_id))


@bp.post("/cases/<int:case_id>/decide")
@access(banker)
def case_decide(case_id: int) -> ResponseReturnValue:
    """The second banker's decision."""
    actor = current_actor()
    case = queries.case_for(actor, case_id)
    approval = approvals.open_approval("case.approve", "case", case.id)
    if approval is None:
        raise NotFound("approval_unknown", _l("没有等待复核的申请"))
    approve = request.form.get("decision") == "approve"
    try:
        with db.session.begin_nested():
            approvals.decide(approval.id, actor, approve=approve, reason=request.form.get("reason", "")[:1000])
    except Refused as refused:
        return _case_page(case_id, DocumentForm(formdata=None), refused.problems), refused.status
    flash(_("案件已复核通过，可以挂牌。") if approve else _("案件已退回修改。"), "success" if approve else "warning")
    return redirect(url_for("cases.case_page", case_id=case_id))


@bp.post("/cases/<int:case_id>/withdraw")
@access(banker)
def case_withdraw(case_id: int) -> ResponseReturnValue:
    return _with_reason(case_id, service.withdraw_case, _("案件已撤回。"))


@bp.post("/cases/<int:case_id>/return")
@access(banker)
def case_return(case_id: int) -> ResponseReturnValue:
    return _with_reason(case_id, service.return_to_draft, _("案件已退回为草稿，修改后须重新复核。"))


def _with_reason(case_id: int, act: Any, done: str) -> ResponseReturnValue:
    try:
        with db.session.begin_nested():
            act(current_actor(), case_id, request.form.get("reason", "")[:1000])
    except (Invalid, Refused) as refused:
        problems: DomainError = refused
        return _case_page(case_id, DocumentForm(formdata=None), problems.problems), problems.status
    flash(done, "success")
    return redirect(url_for("cases.case_page", case_id=case_id))


from marketplace.cases import import_views  # noqa: E402, F401  the rest of the map
