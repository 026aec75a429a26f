"""Rate limits by user, token or address, counted in Redis; in this process's memory while Redis is away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request
from flask_limiter import Limiter

from marketplace.core.access import current_actor

if TYPE_CHECKING:
    from marketplace import Zhiliu


def who() -> str:
    """The user or the API token of this request (known before a view's limit is counted), else the address."""
    actor = current_actor()
    if actor.user_id is not None:
        return f"user:{actor.user_id}"
    return f"token:{actor.token_id}" if actor.token_id is not None else f"addr:{request.remote_addr}"


def bidder() -> str:
    """The organisation: its members and tokens bid as one."""
    actor = current_actor()
    return f"org:{actor.org_id}" if actor.org_id is not None else who()


limiter = Limiter(key_func=who)
#: Against machines that flood a sale; far above what people do in the last minute (a bid each half second).
FLOODED = {"auctions.bid": "120 per minute", "auctions_api.place_bid": "120 per minute"}


def configure_limits(app: Zhiliu) -> None:
    app.config.update(
        RATELIMIT_ENABLED=app.settings.rate_limits,
        RATELIMIT_STORAGE_URI=("redis+" if app.settings.redis_url.startswith("unix") else "") + app.settings.redis_url,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_HEADERS_ENABLED=True,
        RATELIMIT_STRATEGY="fixed-window",
    )
    limiter.init_app(app)


def limit_views(app: Zhiliu) -> None:
    """Once the views are there."""
    for endpoint, rule in FLOODED.items():
        view: Any = app.view_functions[endpoint]
        app.view_functions[endpoint] = limiter.limit(rule, key_func=bidder)(view)
