"""The edge where refusals become pages and JSON. The only place that knows both domain errors and HTTP.

JSON is always ``{"error": {code, message, field, params, source, problems}, "request_id"}``.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from flask import Response, g, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel.speaklater import LazyString
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from marketplace.core.access import SignInNeeded, current_actor
from marketplace.core.errors import DomainError, Problem
from marketplace.core.i18n import _l
from marketplace.web.guard import configure_guard

if TYPE_CHECKING:
    from marketplace import Zhiliu

HTTP_TEXT = {
    400: _l("请求有误，请检查后重试"),
    401: _l("请先登录"),
    403: _l("您没有权限访问此页面"),
    404: _l("没有找到您要的页面"),
    405: _l("此地址不支持这种操作"),
    413: _l("上传的内容过大"),
    414: _l("地址过长"),
    415: _l("不支持这种内容类型"),
    429: _l("操作过于频繁，请稍后再试"),
    500: _l("系统出错，我们已记录，请稍后再试"),
    503: _l("系统繁忙，请稍后再试"),
}
NEXT_TEXT = {
    400: _l("请返回上一页，检查填写的内容。"),
    403: _l("如果您属于多个机构，请切换到有权限的机构；或请本机构管理员为您开通。"),
    404: _l("地址可能有误，或内容已不公开。可以从拍品列表重新查找。"),
    405: _l("请从页面上的按钮进行操作。"),
    413: _l("请压缩文件或分成几份后重新上传。"),
    414: _l("请从列表页重新选择条件。"),
    415: _l("请按页面说明的格式重新上传。"),
    429: _l("稍等片刻再试即可，已提交的内容不会丢失。"),
    500: _l("您的操作没有生效。如果反复出现，请把下面的编号告诉平台。"),
    503: _l("您的操作没有生效，稍后重试即可。"),
}
_PLACE = re.compile(r"%\((\w+)\)[sd]")
NOT_SHOWN = re.compile(r"^(idempotency_key|kind|seen|next|act|action|decision|step)$|sha256")  # nobody typed these
NEVER_KEPT = re.compile(r"csrf|passw|secret|token|totp|passcode|^code$|recovery", re.I)
KEPT_VALUE_LIMIT = 200
KEPT_MARK = "csrf_kept"  # sent by the kept page's own button; never kept itself


def wants_json() -> bool:
    """API paths always, pages when their script asks for JSON."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def message_of(problem: Problem) -> str:
    """The text in the reader's language. A lazy text that already carries its values is taken as it is; in others
    only the places named in ``params`` are filled, so that a ``%`` in somebody's text does no harm."""
    text = str(problem.message)
    if isinstance(problem.message, LazyString) and problem.message._kwargs:
        return text
    return _PLACE.sub(lambda m: str(problem.params.get(m[1], m[0])), text)


def plain(value: Any) -> Any:
    """Values of ``params`` as JSON: instants in ISO 8601, everything unknown as text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    return str(value)


def problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "field": problem.field,
        "message": message_of(problem),
        "params": plain(problem.params),
        "source": None if problem.source is None else str(problem.source),
    }


def json_error(status: int, first: dict[str, Any], problems: list[dict[str, Any]]) -> Response:
    response = jsonify(error=first | {"problems": problems}, request_id=g.get("request_id"))
    response.status_code = status
    return response


def way_on() -> str | None:
    """The page the user came from, if it is ours and another one."""
    back = own_path(request.referrer)
    return back if back and back.split("?")[0] != request.path else None


def own_path(address: str | None) -> str | None:
    """Path and query of an address on this host; None for any other."""
    if not address:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.netloc != request.host or not parts.path.startswith("/") or parts.path.startswith(("//", "/\\")):
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")


def refusal(error: DomainError) -> ResponseReturnValue:
    """One refusal as JSON or as a page, with its stable codes, the rule behind it and a way on."""
    problems = [problem_json(p) for p in error.problems]
    if wants_json():
        return json_error(error.status, problems[0], problems)
    return render_template(
        "errors/refusal.html",
        problems=problems,
        status=error.status,
        code=error.code,
        back=way_on(),
        typed=written(),
    ), error.status


def written() -> list[str]:
    """Longer texts of the form that was refused: the page cannot lead back into every form, but what somebody wrote
    can be copied from it. Nothing from another site's form, no secrets."""
    if request.method != "POST" or own_path(request.referrer) is None:
        return []
    fields = request.form.items(multi=True)
    return [value.strip() for name, value in fields if not NEVER_KEPT.search(name) and _written(value)]


def _written(value: str) -> bool:
    """Sentences, not choices, numbers or keys."""
    text = value.strip()
    return len(text) >= 8 and (not text.isascii() or " " in text)


def plain_error(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    """An HTTP error without domain meaning. Draws bare text when even the page cannot be drawn."""
    text = HTTP_TEXT.get(status, HTTP_TEXT[400 if status < 500 else 500])
    if wants_json():
        first: dict[str, Any] = {"code": code, "field": None, "message": str(text), "params": {}, "source": None}
        response = json_error(status, first, [first])
    else:
        try:
            page = render_template(
                "errors/plain.html",
                text=text,
                next_text=NEXT_TEXT.get(status),
                status=status,
                code=code,
                request_id=g.get("request_id"),
                back=way_on(),
            )
            response = make_response(page, status)
        except Exception:
            structlog.get_logger("web").exception("error page failed", id=g.get("request_id"))
            response = Response(f"{status} {code} {g.get('request_id', '')}\n", status, mimetype="text/plain")
    response.headers.extend(headers or {})
    return response


def http_error(error: HTTPException) -> Response:
    """The library's HTTP errors in our form, with the headers a client needs to do better."""
    code = error.code or 500
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    if 300 <= code < 400:
        return error.get_response()  # type: ignore[return-value]
    kept = {k: v for k, v in error.get_headers() if k in ("Allow", "Retry-After", "WWW-Authenticate")}
    return plain_error(code, f"http_{code}", kept)


def kept_page(status: int, reason: str) -> ResponseReturnValue:
    """A form that came too late: shows what was typed and offers to send it again with a fresh token.

    Signing in replaces the token, so the button asks for the one of that moment (``web.form_token``). Without script
    the press ends here once more, signed in: then the page only asks to confirm.

    Only for a form of our own page (by Origin or Referer): else any site could put words into that button.
    Passwords, codes and files are never kept; a form that had them must be filled in again.
    """
    sender = request.headers.get("Origin") or request.referrer
    ours = request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none") and (
        own_path((sender or "").rstrip("/") + "/") is not None
    )
    fields = list(request.form.items(multi=True)) if ours else []
    kept = [(name, value) for name, value in fields if not NEVER_KEPT.search(name)]
    lost = ours and (
        any(NEVER_KEPT.search(name) and "csrf" not in name.lower() for name, _value in fields)
        or any(file.filename for file in request.files.values())
    )
    return render_template(
        "errors/kept.html",
        reason="confirm" if ours and KEPT_MARK in request.form and current_actor().user_id else reason,
        mark=KEPT_MARK,
        kept=kept,
        shown=[
            (n, v if len(v) <= KEPT_VALUE_LIMIT else v[:KEPT_VALUE_LIMIT] + "…")
            for n, v in kept
            if v.strip() and not NOT_SHOWN.search(n)
        ],
        lost=lost,
        can_send=ours and not lost,
        action=request.full_path.rstrip("?"),
        back=own_path(request.referrer),
        next_path=own_path(request.referrer) or "/",
    ), status


def sign_in_first() -> ResponseReturnValue:
    """To the sign-in page and back here; what was typed in an expired session stays."""
    if wants_json():
        first: dict[str, Any] = {
            "code": "sign_in_needed",
            "field": None,
            "message": str(HTTP_TEXT[401]),
            "params": {},
            "source": None,
        }
        return json_error(401, first, [first])
    if request.method == "POST":
        return kept_page(401, "signed_out")
    return redirect(url_for("security.login", next=request.full_path.rstrip("?")))


def know_the_actor() -> None:
    """The form check runs before sign-in is looked at; its error page must still show who is signed in."""
    from marketplace.parties.sign_in import look

    try:
        if "who" not in g and not request.path.startswith("/api/"):
            g.actor = look()
    except SQLAlchemyError:
        g.database_away = True


def configure_errors(app: Zhiliu) -> None:
    log = structlog.get_logger("web")
    configure_guard(app)

    @app.errorhandler(DomainError)
    def domain(error: DomainError) -> ResponseReturnValue:
        return refusal(error)

    @app.errorhandler(SignInNeeded)
    def sign_in(error: SignInNeeded) -> ResponseReturnValue:
        return sign_in_first()

    @app.errorhandler(CSRFError)
    def csrf(error: CSRFError) -> ResponseReturnValue:
        know_the_actor()
        return plain_error(400, "csrf") if wants_json() else kept_page(400, "expired")

    @app.errorhandler(RateLimitExceeded)
    def limited(error: RateLimitExceeded) -> ResponseReturnValue:
        know_the_actor()
        return plain_error(429, "too_many_requests")

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        return http_error(error)

    @app.errorhandler(PoolTimeout)
    @app.errorhandler(OperationalError)
    def busy(error: Exception) -> ResponseReturnValue:
        g.database_away = True
        log.error("database busy", id=g.get("request_id"), error=type(error).__name__, exc_info=error)
        return plain_error(503, "busy", {"Retry-After": "5"})

    @app.errorhandler(DataError)
    def unstorable(error: DataError) -> ResponseReturnValue:
        """A value the database cannot hold slipped past a form: the sender's fault, but ours to know."""
        log.error("value refused by the database", id=g.get("request_id"), endpoint=request.endpoint, exc_info=error)
        return plain_error(400, "value_out_of_range")

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        if app.testing and app.config.get("PROPAGATE_UNEXPECTED", True):
            raise error
        log.error("unexpected", id=g.get("request_id"), endpoint=request.endpoint, exc_info=error)
        return plain_error(500, "unexpected")
