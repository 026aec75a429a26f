"""/api/v1: the same services as the pages, as JSON, described by an OpenAPI document at ``/api/v1/openapi.json``.

A request is signed in by ``Authorization: Bearer <token>`` of an organisation; a browser's session is not looked at,
so no page of another site can act through a member's cookies. Refusals have the same codes as on pages.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from marketplace.core.access import name_policy, public
from marketplace.core.actor import PUBLIC
from marketplace.core.api import ErrorAnswer
from marketplace.core.errors import Invalid, Problem
from marketplace.core.i18n import _, _l
from marketplace.web.edge import http_error, refusal
from marketplace.web.headers import csrf

if TYPE_CHECKING:
    from marketplace import Zhiliu

PREFIX = "/api/"


def problems_of(messages: dict[str, Any]) -> list[Problem]:
    """The library's nested messages as our problems, one for each field."""
    found: list[Problem] = []

    def walk(path: list[str], value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk([*path, str(key)], inner)
        else:
            texts = value if isinstance(value, list) else [value]
            # the first part names where it stood: json, query, headers
            found.append(Problem("invalid_field", "; ".join(str(t) for t in texts), ".".join(path[1:]) or None))

    walk([], messages)
    return found or [Problem("invalid", _l("请求内容有误"))]


class MarketApi(Api):  # type: ignore[misc]
    """The library's API with our error answers."""

    ERROR_SCHEMA = ErrorAnswer

    def handle_http_exception(self, error: HTTPException) -> ResponseReturnValue:
        data = getattr(error, "data", None) or {}
        if error.code == HTTPStatus.UNPROCESSABLE_ENTITY and data.get("messages"):
            return refusal(Invalid(problems_of(data["messages"])))
        return http_error(error)  # the library takes this handler for pages too


def configure_tokens(app: Zhiliu) -> None:
    """Know the actor of an API request before access is decided."""

    @app.before_request
    def bearer() -> ResponseReturnValue | None:
        if not request.path.startswith(PREFIX):
            return None
        from marketplace.parties.tokens import actor_of_token

        g.actor = PUBLIC
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        scheme, _space, secret = header.partition(" ")
        actor = actor_of_token(secret.strip()) if scheme.lower() == "bearer" else None
        if actor is None:
            return jsonify(
                error={"code": "token_unknown", "message": _("令牌无效、已过期或已被撤销"), "field": None,
                       "params": {}, "source": None, "problems": []},
                request_id=g.get("request_id"),
            ), 401, {"WWW-Authenticate": "Bearer"}  # fmt: skip
        g.actor = actor
        return None


def configure_api(app: Zhiliu) -> None:
    """Register the rooms' API blueprints."""
    from marketplace.auctions.api import blp as auctions
    from marketplace.cases.api import blp as cases
    from marketplace.listings.api import blp as listings
    from marketplace.rights.api import blp as rights

    app.config.update(
        API_TITLE="Zhiliu 知流",
        API_VERSION="v1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {
                "description": "Amounts are integers in minor units (fen). Times are RFC 3339 in UTC. "
                "Each refusal carries a stable `error.code`; see docs/api.md."
            },
            "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
            "security": [{"token": []}, {}],
        },
    )
    api = MarketApi(app)
    for blueprint in (rights, cases, listings, auctions):
        api.register_blueprint(blueprint)
        csrf.exempt(blueprint)
    name_policy(app, "api-docs.openapi_json", public)
