"""Pages of the money room; its whole URL map stands here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from marketplace.core import approvals
from marketplace.core.access import access, current_actor, manager, member, org
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Invalid, NotFound, Problem
from marketplace.core.i18n import _, _l, ngettext
from marketplace.core.models import Approval
from marketplace.money import confirmations, desk, exports, lots, orders, queries, statements, texts
from marketplace.money.models import Payout, Receivable, StatementImport
from marketplace.money.references import references_in, spaced

bp = Blueprint("money", __name__)
bp.app_template_filter("spaced_reference")(spaced)


@bp.app_context_processor
def known() -> dict[str, Any]:
    """Where to pay, for ``money/_pay_box.html`` on any page, and the words of codes for the room's pages."""
    settings = current_app.settings  # type: ignore[attr-defined]
    account = {
        "name": settings.platform_account_name,
        "no": settings.platform_account_no,
        "bank": settings.platform_bank_name,
    }
    return {"platform_account": account, "money_texts": texts}


def _ids(name: str) -> list[int]:
    return [int(value) for value in request.form.getlist(name) if value.isdecimal() and len(value) < 19]


# ---- managers ----


@bp.get("/manage/money", endpoint="desk")
@access(manager)
def desk_page() -> ResponseReturnValue:
    """What waits."""
    actor = current_actor()
    assert actor.org_id is not None
    waiting = desk.waiting(actor.org_id)
    return render_template(
        "money/desk.html",
        counts=desk.counts(),
        waiting=waiting,
        stakes=queries.at_stake(waiting),
        people=desk.people_of([row.requested_by for row in waiting]),
        payouts=desk.payout_rows(Payout.state == "due", limit=20),
        orders=desk.orders("draft", "approved", "exported"),
        now=now(),
    )


@bp.get("/manage/money/statements")
@access(manager)
def statement_list() -> ResponseReturnValue:
    return render_template("money/statements.html", imports=desk.imports(), problems=[])


@bp.post("/manage/money/statements")
@access(manager)
def statement_look() -> ResponseReturnValue:
    """Dry look: nothing is imported yet."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Invalid([Problem("file_missing", _l("请选择流水文件"), "file")])
        found = statements.look(sent.read(), sent.filename, current_actor())
    except Invalid as invalid:
        page = render_template("money/statements.html", imports=desk.imports(), problems=invalid.problems)
        return page, 422
    return render_template("money/statement_look.html", look=found)


@bp.post("/manage/money/statements/import")
@access(manager)
def statement_import() -> ResponseReturnValue:
    sha256, filename = request.form.get("sha256", ""), request.form.get("filename", "")
    done = statements.import_looked(sha256, filename or "statement", current_actor())
    flash(ngettext("已导入 %(num)s 笔新来款", "已导入 %(num)s 笔新来款", done.rows_new), "success")
    return redirect(url_for("money.statement_page", import_id=done.id))


@bp.get("/manage/money/statements/<int:import_id>")
@access(manager)
def statement_page(import_id: int) -> ResponseReturnValue:
    done = db.session.get(StatementImport, import_id)
    if done is None:
        raise NotFound("statement_unknown", _l("没有这份流水"))
    return render_template("money/statement.html", done=done, rows=desk.lines_of_import(import_id))


@bp.get("/manage/money/lines")
@access(manager)
def line_list() -> ResponseReturnValue:
    """Credits that nobody has dealt with."""
    statements.rematch_open()
    return render_template("money/lines.html", rows=desk.open_lines(), problems=[], typed={}, chosen=None)


@bp.post("/manage/money/lines")
@access(manager)
def line_propose() -> ResponseReturnValue:
    """``action`` confirm or return, over the ticked lines."""
    actor, chosen = current_actor(), _ids("line")
    try:
        if request.form.get("action") == "return":
            confirmations.propose_return(chosen, request.form.get("reason", ""), actor)
        else:
            confirmations.propose([_choice(line_id) for line_id in chosen], actor)
    except Invalid as invalid:
        page = render_template(
            "money/lines.html", rows=desk.open_lines(), problems=invalid.problems, typed=request.form, chosen=chosen
        )
        return page, 422
    flash(_("已提交，等待另一名管理人员复核"), "success")
    return redirect(url_for("money.line_list"))


def _choice(line_id: int) -> confirmations.Choice:
    found = references_in(request.form.get(f"reference-{line_id}", ""))
    receivable_id = db.session.scalar(select(Receivable.id).where(Receivable.reference.in_(found[:1])))
    return confirmations.Choice(line_id, receivable_id or 0, request.form.get(f"reason-{line_id}", "")[:500])


@bp.get("/manage/money/approvals/<int:approval_id>")
@access(manager)
def approval_page(approval_id: int) -> ResponseReturnValue:
    """What a second manager decides on, with everything it is about."""
    row = _approval(approval_id)
    order = desk.order_view(row.subject_id) if row.subject == "release_order" else None
    return render_template(
        "money/approval.html",
        row=row,
        rows=desk.lines_of_approval(row),
        view=order,
        people=desk.people_of([row.requested_by, row.decided_by]),
        problems=[],
    )


@bp.post("/manage/money/approvals/<int:approval_id>")
@access(manager)
def approval_decide(approval_id: int) -> ResponseReturnValue:
    row = _approval(approval_id)
    approve = request.form.get("decision") == "approve"
    approvals.decide(row.id, current_actor(), approve=approve, reason=request.form.get("reason", "")[:500])
    flash(_("已复核通过") if approve else _("已退回"), "success")
    if row.subject == "release_order":
        return redirect(url_for("money.release_order", order_id=row.subject_id))
    return redirect(url_for("money.desk"))


def _approval(approval_id: int) -> Approval:
    row = db.session.get(Approval, approval_id)
    if row is None or row.org_id != current_actor().org_id or not row.kind.startswith("money."):
        raise NotFound("approval_unknown", _l("没有这项申请"))
    return row


@bp.get("/manage/money/payouts")
@access(manager)
def payout_list() -> ResponseReturnValue:
    """Money that is due to go out."""
    rows = desk.payout_rows(Payout.state == "due")
    return render_template("money/payouts.html", rows=rows, problems=[], chosen=None, now=now())


@bp.post("/manage/money/payouts")
@access(manager)
def order_make() -> ResponseReturnValue:
    chosen = _ids("payout")
    try:
        order = orders.make_order(chosen, current_actor())
    except Invalid as invalid:
        rows = desk.payout_rows(Payout.state == "due")
        page = render_template("money/payouts.html", rows=rows, problems=invalid.problems, chosen=chosen, now=now())
        return page, 422
    flash(_("付款单 %(number)s 已生成，等待另一名管理人员批准", number=order.number), "success")
    return redirect(url_for("money.release_order", order_id=order.id))


@bp.get("/manage/money/payouts/<int:payout_id>")
@access(manager)
def payout_page(payout_id: int) -> ResponseReturnValue:
    row = _payout(payout_id)
    typed = {"payee_name": row.payee.name, "payee_account": row.payee.account, "payee_bank": row.payee.bank}
    return render_template("money/payout.html", row=row, typed=typed, problems=[])


@bp.post("/manage/money/payouts/<int:payout_id>")
@access(manager)
def payee_correct(payout_id: int) -> ResponseReturnValue:
    typed = {name: request.form.get(name, "")[:200] for name in ("payee_name", "payee_account", "payee_bank")}
    try:
        orders.correct_payee(payout_id, actor=current_actor(), **typed)
    except Invalid as invalid:
        row = _payout(payout_id)
        return render_template("money/payout.html", row=row, typed=typed, problems=invalid.problems), 422
    flash(_("收款账户已更正"), "success")
    return redirect(url_for("money.payout_list"))


def _payout(payout_id: int) -> desk.PayoutRow:
    found = desk.payout_rows(Payout.id == payout_id)
    if not found:
        raise NotFound("payout_unknown", _l("没有这笔应付款"))
    return found[0]


@bp.get("/manage/money/orders")
@access(manager)
def order_list() -> ResponseReturnValue:
    return render_template("money/orders.html", orders=desk.orders())


@bp.get("/manage/money/orders/<int:order_id>")
@access(manager)
def release_order(order_id: int) -> ResponseReturnValue:
    return _order_page(order_id, [])


def _order_page(order_id: int, problems: list[Problem]) -> str:
    view = desk.order_view(order_id)
    if view is None:
        raise NotFound("order_unknown", _l("没有这张付款单"))
    return render_template("money/order.html", view=view, problems=problems, typed=request.form)


@bp.post("/manage/money/orders/<int:order_id>/export")
@access(manager)
def order_export(order_id: int) -> ResponseReturnValue:
    """The file for the bank; the first export marks the order as given to the bank."""
    order, items = orders.export_order(order_id, current_actor())
    if request.form.get("format") == "xlsx":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        answer = Response(exports.as_xlsx(order, items), mimetype=kind)
        name = f"{order.number}.xlsx"
    else:
        answer, name = Response(exports.as_csv(order, items), mimetype="text/csv"), f"{order.number}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@bp.post("/manage/money/orders/<int:order_id>/report")
@access(manager)
def order_report(order_id: int) -> ResponseReturnValue:
    """The bank's answer: ticked items failed."""
    failures = {item_id: request.form.get(f"failure-{item_id}", "")[:200] for item_id in _ids("failed")}
    try:
        orders.report_order(order_id, failures, current_actor())
    except Invalid as invalid:
        return _order_page(order_id, invalid.problems), 422
    flash(_("银行结果已登记，等待另一名管理人员复核"), "success")
    return redirect(url_for("money.release_order", order_id=order_id))


@bp.post("/manage/money/orders/<int:order_id>/cancel")
@access(manager)
def order_cancel(order_id: int) -> ResponseReturnValue:
    try:
        orders.cancel_order(order_id, request.form.get("reason", "")[:500], current_actor())
    except Invalid as invalid:
        return _order_page(order_id, invalid.problems), 422
    flash(_("付款单已取消，其中的款项恢复待付"), "success")
    return redirect(url_for("money.payout_list"))


@bp.get("/manage/money/lots")
@access(manager)
def lot_list() -> ResponseReturnValue:
    return render_template("money/lots.html", rows=desk.lots_with_money())


@bp.get("/manage/money/lots/<int:lot_id>")
@access(manager)
def lot_page(lot_id: int) -> ResponseReturnValue:
    deposits = desk.deposits_of_lot(lot_id)
    balances = desk.balances_of_lot(lot_id)
    if not deposits and not balances:
        raise NotFound("lot_unknown", _l("没有这个标的的资金记录"))
    return render_template(
        "money/lot.html",
        lot=lots.facts_of([lot_id])[lot_id],
        money=queries.money_of_lot(lot_id),
        deposits=deposits,
        balances=balances,
        payouts=desk.payout_rows(Payout.lot_id == lot_id),
    )


@bp.get("/manage/money/ledger")
@access(manager)
def ledger_page() -> ResponseReturnValue:
    rows, posted, pending = desk.trial()
    return render_template("money/ledger.html", rows=rows, posted=posted, pending=pending, transfers=desk.transfers())


# ---- bidders and sellers ----


@bp.get("/my/deposits")
@access(member)
def my_deposits() -> ResponseReturnValue:
    """The organisation's deposits and balances: what to pay, what is held, when it comes back."""
    actor = current_actor()
    assert actor.org_id is not None
    return render_template("money/my_deposits.html", mine=desk.my_money(actor.org_id))


@bp.get("/my/proceeds")
@access(org("bank"))
def my_proceeds() -> ResponseReturnValue:
    """A seller's view of the money of its own lots."""
    actor = current_actor()
    assert actor.org_id is not None
    payouts = desk.payout_rows(Payout.org_id == actor.org_id, Payout.purpose == "proceeds")
    own = set(lots.sold_by(actor.org_id)) | {row.payout.lot_id for row in payouts}
    ids = sorted((lot_id for lot_id in own if lot_id is not None), reverse=True)[: desk.PAGE]
    facts = lots.facts_of(ids)
    found = queries.money_of_lots(ids)
    rows = [(facts[lot_id], found[lot_id]) for lot_id in ids]
    return render_template("money/my_proceeds.html", rows=rows, payouts=payouts)
