"""/api/v1: the same services as the pages, as JSON, described by an OpenAPI document at ``/api/v1/openapi.json``.

A request is signed in by ``Authorization: Bearer <token>`` of an organisation; a browser's session is not looked at,
so no page of another site can act through a member's cookies. Refusals have the same codes as on pages.
"""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import g, request
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from marketplace.auctions.api import blp as auctions
from marketplace.cases.api import blp as cases
from marketplace.core.access import name_policy, policy_of, public
from marketplace.core.actor import PUBLIC
from marketplace.core.api import ErrorAnswer
from marketplace.core.direct import this_request
from marketplace.core.errors import Invalid, Problem
from marketplace.core.i18n import _l
from marketplace.discovery.api import blp as discovery
from marketplace.interest.api import blp as interest
from marketplace.listings.api import blp as listings
from marketplace.rights.api import blp as rights
from marketplace.web.edge import http_error, json_error, plain_error, problem_json, refusal
from marketplace.web.headers import csrf
from marketplace.web.limits import limiter

if TYPE_CHECKING:
    from marketplace import Zhiliu

PREFIX = "/api/"
PROVES_AGAIN = "auctions_api.place_bid"  # the token is proved again under the lot's lock
BLUEPRINTS = (rights, cases, listings, discovery, auctions, interest)
PER_CALLER = "1200 per minute"


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
        if error.code == HTTPStatus.TOO_MANY_REQUESTS:  # one code whoever counted
            kept = {name: value for name, value in error.get_headers() if name == "Retry-After"}
            return plain_error(429, "too_many_requests", kept)
        return http_error(error)  # the library takes this handler for pages too


def secret_of_request() -> str:
    """The token as sent; empty when there is none."""
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def caller() -> str:
    """Whose requests are counted together: a token's by its hash (the limit is looked at before the database is),
    else those of one address."""
    secret = secret_of_request()
    return f"token:{hashlib.sha256(secret.encode()).hexdigest()[:32]}" if secret else f"addr:{request.remote_addr}"


for _blueprint in BLUEPRINTS:
    limiter.limit(PER_CALLER, key_func=caller)(_blueprint)


def configure_tokens(app: Zhiliu) -> None:
    """Know the actor of an API request before access is decided."""

    @app.before_request
    def bearer() -> ResponseReturnValue | None:
        asked = this_request()
        if not asked.path.startswith(PREFIX):
            return None
        from marketplace.parties.tokens import actor_of_token, remembered_actor

        g.actor = PUBLIC
        if not asked.headers.get("Authorization"):
            return None
        secret = secret_of_request()
        actor = remembered_actor(secret) if asked.endpoint == PROVES_AGAIN else None
        actor = actor or actor_of_token(secret)
        if actor is None:
            first = problem_json(Problem("token_unknown", _l("令牌无效、已过期或已被撤销")))
            response = json_error(401, first, [first])
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        g.actor = actor
        return None


def describe(app: Zhiliu, api: MarketApi) -> None:
    """Write into the document what the views themselves say: who may call, by which scope, with which errors."""
    error = {"$ref": "#/components/responses/DEFAULT_ERROR"}
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method, operation in api.spec._paths.get(path, {}).items():
            if method.upper() not in (rule.methods or ()):
                continue
            policy = policy_of(app, rule.endpoint)
            assert policy is not None
            answers = operation["responses"]
            operation["operationId"] = rule.endpoint.rpartition(".")[2]
            if policy is public:
                operation["security"] = [{}, {"token": []}]
            else:
                operation["security"] = [{"token": []}]
                scope = f"Scope `{policy.name.removeprefix('token:')}`."
                operation["description"] = "\n\n".join(filter(None, [operation.get("description"), scope]))
                answers.setdefault("403", error)
            answers |= {code: error for code in ("401", "429") if code not in answers}
            if rule.arguments:
                answers.setdefault("404", error)
            if "requestBody" in operation:
                answers |= {code: error for code in ("400", "409", "413", "415") if code not in answers}


def configure_api(app: Zhiliu) -> None:
    """Register the rooms' API blueprints."""
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
        },
    )
    api = MarketApi(app)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
        csrf.exempt(blueprint)
    name_policy(app, "api-docs.openapi_json", public)
    describe(app, api)
