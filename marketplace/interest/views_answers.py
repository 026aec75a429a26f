"""The owners' pages: needs that their offers may serve, and “I can offer this”."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.access import access, current_actor
from marketplace.core.db import db
from marketplace.core.errors import DomainError
from marketplace.core.i18n import _
from marketplace.interest import places, queries, service
from marketplace.interest.forms import ResponseForm
from marketplace.interest.views import bp, filled, owner, public_page
from marketplace.listings import public as offers
from marketplace.listings.views import show_problems


@bp.get("/matching-needs")
@access(owner)
def matching_needs() -> ResponseReturnValue:
    """Needs that match what the house offers (``listing``: one of its offers), and its answers."""
    org_id = current_actor().org_id or 0
    listing_id = request.args.get("listing", 0, type=int) or None
    rows = queries.needs_for(org_id, listing_id)
    answers = queries.own_answers(org_id)
    return render_template(
        "interest/matching.html",
        rows=rows,
        answers=answers,
        listing_id=listing_id,
        code_names=places.names([row.need for row in rows]),
    )


@bp.post("/needs/<int:need_id>/respond")
@access(owner)
def respond(need_id: int) -> ResponseReturnValue:
    """Offer one's listing to this need."""
    actor = current_actor()
    form = ResponseForm()
    need, _posted = queries.public_need(need_id)
    filled(form, need, offers.offered_by(actor.org_id or 0))
    try:
        if not form.validate():
            return public_page(need_id, form, 422)
        with db.session.begin_nested():
            service.respond(actor, need_id, form.listing_id.data, form.message.data or "", form.contact.data or "")
    except DomainError as refused:
        if refused.status not in (409, 422):
            raise
        show_problems(form, refused)
        return public_page(need_id, form, 422)
    flash(_("已告知需求方。对方接受后，双方的联系方式会互相显示，并邮件通知您。"), "success")
    return redirect(url_for("interest.need_page", need_id=need_id))


@bp.post("/my-responses/<int:response_id>/withdraw")
@access(owner)
def withdraw_response(response_id: int) -> ResponseReturnValue:
    row = service.withdraw(current_actor(), response_id)
    flash(_("响应已撤回。"), "success")
    return redirect(url_for("interest.need_page", need_id=row.need_id))
