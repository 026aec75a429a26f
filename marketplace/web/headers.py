"""Security headers and form protection: CSP without inline script or style, CSRF on every form, strict cookies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from itsdangerous import URLSafeTimedSerializer
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as BaseResponse

from marketplace.core.direct import this_request

if TYPE_CHECKING:
    from marketplace import Zhiliu

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "script-src": "'self'",
    "style-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


class Headers(Talisman):  # type: ignore[misc]
    """The library's, with the headers written out once: they are the same for every view but those with options of
    their own (``talisman_view_options``)."""

    usual: list[tuple[str, str]]

    def init_app(self, app: Flask, **options: Any) -> None:
        super().init_app(app, **options)
        with app.test_request_context("/no-such-page"):
            response = Response()
            super()._set_response_headers(response)
        ours = {"content-type", "content-length"}
        self.usual = [(name, value) for name, value in response.headers if name.lower() not in ours]

    def _force_https(self) -> BaseResponse | None:
        if not self.force_https or request.is_secure:
            return None
        return super()._force_https()  # type: ignore[no-any-return]

    def _make_nonce(self) -> None:
        """The policy has none."""

    def _set_response_headers(self, response: Response) -> Response:
        view = self.app.view_functions.get(this_request().endpoint or "")
        if hasattr(view, "talisman_view_options"):
            return super()._set_response_headers(response)  # type: ignore[no-any-return]
        headers = response.headers
        present = {name.lower() for name, _value in headers}
        for name, value in self.usual:
            if name.lower() in present:
                headers.set(name, value)
            else:
                headers.add(name, value)
        if self.strict_transport_security:
            self._set_hsts_headers(headers)
        return response


class FormTokens(CSRFProtect):
    """The library's, which remembers the pairs of form token and session that it found to belong together: a token
    does not age (``WTF_CSRF_TIME_LIMIT``), so they do for ever, and a page bids with the same one again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: set[tuple[str, str]] = set()

    def protect(self, apply_exemptions: bool = False) -> None:
        asked = this_request()
        if asked.method not in WRITING:
            return
        if asked.mimetype == "application/json":
            super().protect(apply_exemptions)
            return
        pair = (asked.form.get("csrf_token", ""), session.get("csrf_token", ""))
        if pair in self.pairs and not current_app.config["WTF_CSRF_SSL_STRICT"]:
            g.csrf_valid = True
            return
        super().protect(apply_exemptions)
        if all(pair) and g.get("csrf_valid"):
            if len(self.pairs) >= 10_000:
                self.pairs.clear()
            self.pairs.add(pair)


class Sessions(SecureCookieSessionInterface):
    """The library's, which makes its signer once for an application and not twice a request."""

    def __init__(self) -> None:
        self.signers: dict[str | bytes, URLSafeTimedSerializer] = {}

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:  # a program's call
            return self.session_class()
        return super().open_session(app, request)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        key = app.secret_key
        if not key:
            return None
        found = self.signers.get(key)
        if found is None and (found := super().get_signing_serializer(app)) is not None:
            self.signers = {key: found}
        return found


csrf = FormTokens()
talisman = Headers()


def configure_headers(app: Zhiliu) -> None:
    settings = app.settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TESTING=settings.testing,
        MAX_CONTENT_LENGTH=settings.max_upload_mb * 1024 * 1024 + 65536,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=2000,
        SESSION_COOKIE_NAME="zhiliu",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        WTF_CSRF_TIME_LIMIT=None,  # a form left open over lunch still works; it dies with the session
        WTF_CSRF_SSL_STRICT=False,
        # nobody guesses the host: links in mail use BASE_URL
        PREFERRED_URL_SCHEME="https" if settings.secure_cookies else "http",
    )
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    app.session_interface = Sessions()
    csrf.init_app(app)
    talisman.init_app(
        app,
        force_https=settings.secure_cookies,
        strict_transport_security=settings.secure_cookies,
        content_security_policy=POLICY,
        session_cookie_secure=settings.secure_cookies,
        frame_options="DENY",
        referrer_policy="same-origin",
        permissions_policy={"geolocation": "()", "camera": "()", "microphone": "()"},
    )
