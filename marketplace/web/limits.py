"""Rate limits by signed-in user or address, counted in Redis; in this process's memory while Redis is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from flask_limiter import Limiter
from flask_login import current_user

if TYPE_CHECKING:
    from marketplace import Zhiliu


def who() -> str:
    """The user if signed in, else the address."""
    user_id = current_user.get_id() if current_user else None
    return f"user:{user_id}" if user_id else f"addr:{request.remote_addr}"


limiter = Limiter(key_func=who)


def configure_limits(app: Zhiliu) -> None:
    app.config.update(
        RATELIMIT_ENABLED=app.settings.rate_limits,
        RATELIMIT_STORAGE_URI=("redis+" if app.settings.redis_url.startswith("unix") else "") + app.settings.redis_url,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_HEADERS_ENABLED=True,
        RATELIMIT_STRATEGY="fixed-window",
    )
    limiter.init_app(app)
