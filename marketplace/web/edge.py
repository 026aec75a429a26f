"""The edge where refusals become pages and JSON. The only place that knows both domain errors and HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from flask import Response, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from marketplace.core.access import SignInNeeded
from marketplace.core.errors import DomainError, Problem
from marketplace.core.i18n import _, _l

if TYPE_CHECKING:
    from marketplace import Zhiliu

HTTP_TEXT = {
    400: _l("请求有误，请检查后重试"),
    403: _l("您没有权限访问此页面"),
    404: _l("没有找到您要的页面"),
    405: _l("此地址不支持这种操作"),
    413: _l("上传的内容过大"),
    415: _l("不支持这种内容类型"),
    429: _l("操作过于频繁，请稍后再试"),
    500: _l("系统出错，我们已记录，请稍后再试"),
    503: _l("系统繁忙，请稍后再试"),
}


def wants_json() -> bool:
    """API paths always, pages when their script asks for JSON."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "field": problem.field,
        "message": str(problem.message) % problem.params
        if problem.params and "%(" in str(problem.message)
        else str(problem.message),
        "params": problem.params,
        "source": problem.source,
    }


def refusal(error: DomainError) -> ResponseReturnValue:
    """One refusal as JSON or as a page, with its stable code."""
    problems = [problem_json(p) for p in error.problems]
    if wants_json():
        return jsonify(error=problems[0] | {"problems": problems}, request_id=g.get("request_id")), error.status
    return render_template("errors/refusal.html", problems=problems, status=error.status, code=error.code), error.status


def plain_error(status: int, code: str) -> ResponseReturnValue:
    text = HTTP_TEXT.get(status, HTTP_TEXT[400 if status < 500 else 500])
    if wants_json():
        return jsonify(
            error={
                "code": code,
                "field": None,
                "message": str(text),
                "params": {},
                "source": None,
                "problems": [],
            },
            request_id=g.get("request_id"),
        ), status
    return render_template(
        "errors/plain.html", text=text, status=status, code=code, request_id=g.get("request_id")
    ), status


def configure_errors(app: Zhiliu) -> None:
    log = structlog.get_logger("web")

    @app.errorhandler(DomainError)
    def domain(error: DomainError) -> ResponseReturnValue:
        return refusal(error)

    @app.errorhandler(SignInNeeded)
    def sign_in(error: SignInNeeded) -> ResponseReturnValue:
        if wants_json():
            return jsonify(
                error={
                    "code": "sign_in_needed",
                    "message": _("请先登录"),
                    "field": None,
                    "params": {},
                    "source": None,
                    "problems": [],
                }
            ), 401
        back = request.full_path if request.method == "GET" else (request.referrer or "/")
        return redirect(url_for("security.login", next=back.rstrip("?")))

    @app.errorhandler(CSRFError)
    def csrf(error: CSRFError) -> ResponseReturnValue:
        if wants_json():
            return plain_error(400, "csrf")
        return render_template("errors/csrf.html", form=request.form, path=request.full_path), 400

    @app.errorhandler(RateLimitExceeded)
    def limited(error: RateLimitExceeded) -> ResponseReturnValue:
        return plain_error(429, "too_many_requests")

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        code = error.code or 500
        if 300 <= code < 400:
            return error.get_response()
        if isinstance(error.get_response(), Response) and error.response is not None:
            return error.response
        return plain_error(code, f"http_{code}")

    @app.errorhandler(PoolTimeout)
    @app.errorhandler(OperationalError)
    def busy(error: Exception) -> ResponseReturnValue:
        log.error("database busy", id=g.get("request_id"), error=type(error).__name__, exc_info=error)
        return plain_error(503, "busy")

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        if app.testing and app.config.get("PROPAGATE_UNEXPECTED", True):
            raise error
        log.error("unexpected", id=g.get("request_id"), endpoint=request.endpoint, exc_info=error)
        return plain_error(500, "unexpected")
