"""Saved searches: made from the search page, looked at, changed; and ended by a signed link without sign-in."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.access import access, current_actor, public, signed_in
from marketplace.core.db import db
from marketplace.core.errors import DomainError, NotFound
from marketplace.core.i18n import _, _l
from marketplace.interest import letters, queries, service, stored
from marketplace.interest.forms import SavedForm
from marketplace.interest.models import SavedSearch
from marketplace.interest.service_saved import MOST_SEARCHES
from marketplace.interest.views import bp
from marketplace.parties.forms import put_problems


@bp.get("/saved-searches")
@access(signed_in)
def saved_list() -> ResponseReturnValue:
    """One's own saved searches and those of one's house, with what is new."""
    rows = queries.saved_for(current_actor())
    return render_template(
        "interest/saved.html",
        rows=rows,
        told=stored.described(row.search.query for row in rows),
        most=MOST_SEARCHES,
    )


@bp.get("/saved-searches/new")
@access(signed_in)
def new_saved() -> ResponseReturnValue:
    """The search of the address, about to be saved."""
    query = stored.canonical(request.query_string.decode("utf-8", "replace"))
    form = SavedForm(formdata=None)
    form.name.data = stored.name_of(query)
    return _new(form, query)


def _new(form: SavedForm, query: str, status: int = 200) -> ResponseReturnValue:
    return render_template(
        "interest/save.html", form=form, query=query, told=stored.described([query])[query], may_share=may_share()
    ), status


def may_share() -> bool:
    actor = current_actor()
    return actor.org_id is not None and actor.may("maker")


@bp.post("/saved-searches/new")
@access(signed_in)
def save_search() -> ResponseReturnValue:
    query = stored.canonical(request.query_string.decode("utf-8", "replace"))
    form = SavedForm()
    if not form.validate():
        return _new(form, query, 422)
    try:
        with db.session.begin_nested():
            service.save_search(
                current_actor(), query, form.name.data or "", form.often.data or "", shared=bool(form.shared.data)
            )
    except DomainError as refused:
        if refused.status not in (409, 422):
            raise
        put_problems(form, refused)
        return _new(form, query, 422)
    flash(_("已订阅。有新的拍品符合条件时，会列在这里。"), "success")
    return redirect(url_for("interest.saved_list"))


@bp.get("/saved-searches/<int:search_id>")
@access(signed_in)
def saved_page(search_id: int) -> ResponseReturnValue:
    """What it found since it was saved; what is new is marked, and seen from now on."""
    search = db.session.get(SavedSearch, search_id)
    if search is None:
        raise NotFound("saved_search_unknown", _l("没有这个订阅"))
    since = search.looked_at
    service.looked(current_actor(), search_id)
    form = SavedForm(formdata=None, obj=search)
    return render_template(
        "interest/saved_page.html",
        search=search,
        told=stored.described([search.query])[search.query],
        found=queries.found_by(search),
        since=since,
        form=form,
        may_change=may_change(search),
    )


def may_change(search: SavedSearch) -> bool:
    from marketplace.interest.service_saved import may_change as allowed

    return allowed(current_actor(), search)


@bp.post("/saved-searches/<int:search_id>")
@access(signed_in)
def edit_saved(search_id: int) -> ResponseReturnValue:
    form = SavedForm()
    try:
        with db.session.begin_nested():
            service.edit(current_actor(), search_id, form.name.data or "", form.often.data or "")
    except DomainError as refused:
        if refused.status != 422:
            raise
        flash(str(refused.message), "danger")
        return redirect(url_for("interest.saved_page", search_id=search_id))
    flash(_("订阅已更改。"), "success")
    return redirect(url_for("interest.saved_list"))


@bp.post("/saved-searches/<int:search_id>/pause")
@access(signed_in)
def pause_saved(search_id: int) -> ResponseReturnValue:
    paused = request.form.get("paused") == "1"
    service.pause(current_actor(), search_id, paused)
    flash(_("已暂停，不再发邮件。") if paused else _("已恢复。"), "success")
    return redirect(url_for("interest.saved_list"))


@bp.post("/saved-searches/<int:search_id>/mail")
@access(signed_in)
def mail_again(search_id: int) -> ResponseReturnValue:
    service.hear_again(current_actor(), search_id)
    flash(_("您将重新收到此订阅的邮件。"), "success")
    return redirect(url_for("interest.saved_list"))


@bp.post("/saved-searches/<int:search_id>/delete")
@access(signed_in)
def delete_saved(search_id: int) -> ResponseReturnValue:
    service.remove(current_actor(), search_id)
    flash(_("订阅已删除。"), "success")
    return redirect(url_for("interest.saved_list"))


@bp.get("/saved-searches/stop/<token>")
@access(public)
def stop_page(token: str) -> ResponseReturnValue:
    """A mail's link only asks: programs that fetch links of mails end nothing."""
    search_id, _user = _read(token)
    search = db.session.get(SavedSearch, search_id)
    return render_template("interest/stop.html", name=search.name if search else None, token=token, done=False)


@bp.post("/saved-searches/stop/<token>")
@access(public)
def stop(token: str) -> ResponseReturnValue:
    search_id, user_id = _read(token)
    search = service.stop(search_id, user_id)
    return render_template("interest/stop.html", name=search.name if search else None, token=token, done=True)


def _read(token: str) -> tuple[int, int]:
    read = letters.read_stop(token)
    if read is None:
        raise NotFound("link_unknown", _l("此链接无效，请使用邮件中的完整链接"))
    return read
