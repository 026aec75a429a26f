"""Pages of the auctions room; its whole URL map stands here and in ``views_part`` and ``views_manage``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from marketplace.auctions import live, queries, rule_words, service, showing
from marketplace.auctions.rules.chain import canonical
from marketplace.auctions.rules.course import course_bytes
from marketplace.auctions.rules.state import BidKind
from marketplace.auctions.sale import entry_of, sale_of
from marketplace.auctions.seals import stored_receipt
from marketplace.core import files
from marketplace.core.access import access, current_actor, member, public
from marketplace.core.errors import NotFound, Refused
from marketplace.core.i18n import _, _l
from marketplace.core.money import MoneyRefused, parse_minor

bp = Blueprint("auctions", __name__)
bp.app_template_filter("instant_ms")(showing.instant_ms)
bp.app_template_filter("rule_length")(rule_words.length)
bp.app_template_filter("balance_length")(rule_words.balance_length)
VERIFIER = Path(__file__).resolve().parents[2] / "tools" / "verify_sale.py"


def wants_json() -> bool:
    """Whether the page's script asks."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def attachment(content: bytes, media_type: str, filename: str) -> Response:
    """A download that no browser runs as a page."""
    response = make_response(content)
    response.headers["Content-Type"] = media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


# --- the live page ---------------------------------------------------------------------------------------------


@bp.get("/lots/<int:lot_id>")
@access(public)
def lot_page(lot_id: int) -> ResponseReturnValue:
    """The live page of a sale, right without script too."""
    from marketplace.auctions.views_part import after_view

    actor = current_actor()
    view = showing.lot_view(lot_id, actor, typed=request.args.get("amount", "")[:40])
    view["answer"] = showing.bid_answer(lot_id, request.args.get("bid"), view["own"])
    return render_template("auctions/lot.html", **view, **after_view(lot_id, view, actor))


@bp.get("/lots/<int:lot_id>/course")
@access(public)
def course_page(lot_id: int) -> ResponseReturnValue:
    """The whole course on one page."""
    actor = current_actor()
    lot = queries.public_lot(lot_id, limit=5000)
    own = queries.registration_of(lot_id, actor.org_id) if actor.org_id is not None else None
    view = showing.COMMON | {"own": own, "lot": lot, "course": list(reversed(lot["entries"]))}
    return render_template("auctions/course.html", **view)


@bp.get("/lots/<int:lot_id>/state.json")
@access(public)
def lot_state(lot_id: int) -> ResponseReturnValue:
    """What the stream would send now; 304 while the version is the one the page has."""
    version = live.version_of(lot_id)
    tag = f"v{version}"
    if version is not None and request.if_none_match.contains_weak(tag):
        unchanged = make_response("", 304)
        unchanged.set_etag(tag, weak=True)
        return unchanged
    after = request.args.get("after", "0")
    state = live.public_state(lot_id, int(after) if after.isascii() and after.isdigit() and len(after) < 18 else 0)
    response = jsonify(state)
    response.set_etag(f"v{state['version']}", weak=True)
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/lots/<int:lot_id>/events")
@access(public)
def lot_events(lot_id: int) -> ResponseReturnValue:
    """Server-sent events. 503 with ``Retry-After`` when this process has as many watchers as it may have."""
    hub = live.hub()
    try:
        watcher = hub.join(lot_id)
    except live.TooManyWatchers:
        full = jsonify(error={"code": "too_many_watchers", "message": _("观看人数较多，页面改为定时刷新")})
        return full, 503, {"Retry-After": "15"}
    try:
        known = live.read_last_id(request.headers.get("Last-Event-ID"))
        known = known or live.read_last_id(f"{request.args.get('version', '')}.{request.args.get('seq', '')}")
        state = live.public_state(lot_id, known[1] if known else 0)
    except BaseException:
        hub.leave(watcher)
        raise
    hub.seen(state)
    has_it = known is not None and known[0] == state["version"] and not state["ended"]
    response = Response(live.stream(watcher, None if has_it else state, state["version"]), mimetype="text/event-stream")
    response.headers.update({"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"})
    response.call_on_close(lambda: hub.leave(watcher))
    return response


# --- bidding ---------------------------------------------------------------------------------------------------


@bp.post("/lots/<int:lot_id>/bids")
@access(member)
def bid(lot_id: int) -> ResponseReturnValue:
    """Place a bid. Accepted: back to the page. Refused (409) or not an amount (422): the page with why and with
    what was typed. The same key answers the same, so a double click, refresh or back button never bids twice."""
    received_at = datetime.now(UTC)
    form, actor = request.form, current_actor()
    typed = (form.get("amount") or "").strip()[:60]
    kind: BidKind = "priority" if form.get("match") or form.get("kind") == "priority" else "ordinary"
    picked = form.get("match") or ("" if typed else form.get("step") or "")
    try:
        amount = _picked(picked) if picked else parse_minor(typed)
    except MoneyRefused as error:
        message = showing.amount_fault(error)
        if wants_json():
            fault: dict[str, Any] = {"code": error.code, "message": message, "source": None, "params": {}}
            return jsonify(accepted=False, code=error.code, error=fault, next_key=showing.new_key()), 422
        return _again(lot_id, showing.Answer(False, error.code, message), typed, 422)
    key, sure, mark = form.get("idempotency_key", ""), form.get("confirm_high") == "1", session.get("_user_id")
    answer = service.place_bid_at_once(actor, lot_id, amount, key, kind, received_at, sure, mark)
    if wants_json():
        return jsonify(showing.answer_json(lot_id, answer)), 200 if answer.accepted else 409
    if answer.accepted:
        return redirect(url_for("auctions.lot_page", lot_id=lot_id, bid=answer.seq, _anchor="bid"))
    said = showing.Answer(False, answer.code, answer.message, amount, answer.decided_at, None, answer.source)
    return _again(lot_id, said, typed or f"{amount // 100}.{amount % 100:02d}", 409)


def _picked(text: str) -> int:
    """Minor units chosen from the page's own list."""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise MoneyRefused("money_format")
    return int(text)


def _again(lot_id: int, answer: showing.Answer, typed: str, status: int) -> ResponseReturnValue:
    from marketplace.auctions.views_part import after_view

    actor = current_actor()
    view = showing.lot_view(lot_id, actor, answer=answer, typed=typed)
    return render_template("auctions/lot.html", **view, **after_view(lot_id, view, actor)), status


@bp.get("/lots/<int:lot_id>/receipts/<int:seq>")
@access(member)
def receipt(lot_id: int, seq: int) -> ResponseReturnValue:
    """The signed receipt of one's own bid, for ``verify_sale.py --receipt``."""
    org_id = current_actor().org_id or 0
    own = queries.registration_of(lot_id, org_id)
    row = showing.own_entry(lot_id, seq, own.id) if own is not None else None
    if row is None:
        raise NotFound("receipt_unknown", _l("没有这份出价回执"))
    sale = sale_of(lot_id)
    document = stored_receipt(sale, entry_of(row), row.receipt)
    if document is None:
        raise Refused("receipt_key_changed", _l("回执由平台以前的密钥签名，请联系平台取得"))
    return attachment(canonical(document) + b"\n", "application/json", f"receipt-{sale.code}-{seq}.json")


# --- what anyone may take home ---------------------------------------------------------------------------------


@bp.get("/lots/<int:lot_id>/course.json")
@access(public)
def course_file(lot_id: int) -> ResponseReturnValue:
    """The signed course, at any time of the sale."""
    content = course_bytes(queries.course_document(lot_id))
    return attachment(content, "application/json", f"course-{sale_of(lot_id).code}.json")


@bp.get("/lots/public-key.pem")
@access(public)
def public_key() -> ResponseReturnValue:
    """The key has one address for the whole site; this one is written on papers of earlier sales."""
    return redirect(url_for("web.signing_key"), 301)


@bp.get("/lots/verify_sale.py")
@access(public)
def verifier() -> ResponseReturnValue:
    """The program that checks a course with Python's standard library alone."""
    return attachment(VERIFIER.read_bytes(), "text/x-python; charset=utf-8", "verify_sale.py")


@bp.get("/lots/<int:lot_id>/files/<any('protocol.pdf', 'protocol.json', 'confirmation.pdf'):name>")
@access(public)
def result_file(lot_id: int, name: str) -> ResponseReturnValue:
    """The published protocol and confirmation."""
    result: dict[str, Any] = queries.public_result(lot_id) or {}
    document_id = result.get(name.replace(".", "_") + "_id")
    if not document_id:
        raise NotFound("document_unknown", _l("文件尚未生成或者不公开"))
    document, content = files.read(document_id, current_actor())
    return attachment(content, document.media_type, f"{sale_of(lot_id).code}-{name}")


from marketplace.auctions import views_admission, views_manage, views_part  # noqa: E402, F401  the rest of the map
