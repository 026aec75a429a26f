"""Pages that belong to no room: home, how it works, desks, health; the web room's whole URL map stands here."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from marketplace import Zhiliu
from marketplace.core import approvals as core_approvals
from marketplace.core.access import access, current_actor, manager, member, public, signed_in
from marketplace.core.actor import PLATFORM, REGULATOR
from marketplace.core.clock import now
from marketplace.core.errors import Refused
from marketplace.core.i18n import _
from marketplace.core.signing import public_key_pem
from marketplace.web import desk as desks
from marketplace.web import front, metrics
from marketplace.web import health as healths
from marketplace.web.first_steps import first_steps

bp = Blueprint("web", __name__)


@bp.get("/")
@access(public)
def home() -> ResponseReturnValue:
    return render_template(
        "web/home.html", sales=front.sales(), results=front.results(), states=front.STATES, now=now()
    )


@bp.get("/how")
@access(public)
def how() -> ResponseReturnValue:
    """An auction step by step, each rule with its source."""
    return render_template("web/how.html", stages=front.stages())


@bp.get("/developers")
@access(public)
def developers() -> ResponseReturnValue:
    """How programs use the platform: the OpenAPI document, tokens, a first call."""
    return render_template("web/developers.html", base=cast(Zhiliu, current_app).settings.base_url.rstrip("/"))


@bp.get("/form-token")
@access(public)
def form_token() -> ResponseReturnValue:
    """The form token of this moment, for a kept form whose sign-in was renewed in another window. Only pages of this
    site can read the answer: no other origin is allowed to."""
    response = jsonify(token=generate_csrf())
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/desk")
@access(signed_in)
def desk() -> ResponseReturnValue:
    """What waits for the one who looks, and what happens next."""
    actor = current_actor()
    if actor.org_id is None:
        return render_template("web/no_organisation.html")
    at = now()
    counts = desks.manager_counts() if actor.is_manager else []
    return render_template(
        "web/desk.html",
        now=at,
        **desks.lists(actor),
        taking_part=desks.taking_part(actor, at),
        to_complete=desks.to_complete(actor),
        steps=first_steps(actor, {item["href"] for item in counts}),
        dead=desks.dead_messages() if actor.is_manager else 0,
        counts=counts,
        figures=front.figures() if actor.org_kind in (PLATFORM, REGULATOR) else [],
    )


@bp.get("/approvals")
@access(member)
def approvals() -> ResponseReturnValue:
    return render_template("web/approvals.html", waiting=desks.waiting(current_actor()), fault=None, typed={})


@bp.post("/approvals/<int:approval_id>")
@access(member)
def decide(approval_id: int) -> ResponseReturnValue:
    """Approve or refuse as the second person. A refusal without a reason comes back with its error."""
    approve = request.form.get("answer") == "approve"
    reason = request.form.get("reason", "")
    actor = current_actor()
    try:
        core_approvals.decide(approval_id, actor, approve=approve, reason=reason)
    except Refused as refused:
        if refused.code != "reason_needed":
            raise
        return render_template(
            "web/approvals.html", waiting=desks.waiting(actor), fault=refused, typed={"id": approval_id}
        ), 422
    flash(_("已批准，相应操作已经执行") if approve else _("已拒绝，申请人会看到您的理由"), "success")
    return redirect(url_for("web.approvals"))


@bp.get("/manage/jobs")
@access(manager)
def jobs_desk() -> ResponseReturnValue:
    """Whether work gets done: heartbeat, what is overdue, what failed."""
    return render_template("web/jobs.html", **desks.jobs_state(), queues=front.queue_lengths(), mail=front.mail_page())


@bp.post("/manage/jobs/deadlines/<int:deadline_id>/retry")
@access(manager)
def retry_deadline(deadline_id: int) -> ResponseReturnValue:
    desks.retry_deadline(deadline_id, current_actor())
    flash(_("已安排立即重试"), "success")
    return redirect(url_for("web.jobs_desk"))


@bp.post("/manage/jobs/messages/<int:message_id>/retry")
@access(manager)
def retry_message(message_id: int) -> ResponseReturnValue:
    desks.retry_message(message_id, current_actor())
    flash(_("已安排重新发送"), "success")
    return redirect(url_for("web.jobs_desk"))


@bp.get("/health")
@access(public)
def health() -> ResponseReturnValue:
    """Cheap: the process answers."""
    return jsonify(status="ok")


@bp.get("/health/ready")
@access(public)
def ready() -> ResponseReturnValue:
    """503 unless database, Redis and the tick all work."""
    found = healths.checks(cast(Zhiliu, current_app))
    good = all(value == "ok" for value in found.values())
    status = "ok" if good else "not ready"
    return jsonify(status=status, checks=found, search=healths.search_state()), 200 if good else 503


@bp.get("/metrics")
@access(public)
def prometheus() -> ResponseReturnValue:
    return metrics.answer()


@bp.get("/keys/signing.pem")
@access(public)
def signing_key() -> ResponseReturnValue:
    """The public key that receipts and protocols verify against, named as in the verifier's example."""
    return Response(
        public_key_pem(),
        mimetype="application/x-pem-file",
        headers={"Content-Disposition": "attachment; filename=key.pem"},
    )


@bp.get("/robots.txt")
@access(public)
def robots() -> ResponseReturnValue:
    closed = ("/account/", "/api/", "/approvals", "/desk", "/manage/", "/metrics", "/my/")
    return Response("User-agent: *\n" + "".join(f"Disallow: {p}\n" for p in closed), mimetype="text/plain")


@bp.get("/favicon.ico")
@access(public)
def favicon() -> ResponseReturnValue:
    return redirect(url_for("static", filename="mark.svg"), 301)
