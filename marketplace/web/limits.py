"""Rate limits by user, token or address, counted in Redis; in this process's memory while Redis is away.

Bids have a bucket of tokens an organisation in each process instead, so that no bid waits for Redis: it holds
``bids_burst`` and fills by ``bids_per_minute``, far above what people do in the last minute (failure modes 1.19).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import request
from flask_limiter import Limiter
from flask_limiter._extension import LimiterContext
from werkzeug.exceptions import TooManyRequests

from marketplace.core.access import current_actor
from marketplace.core.direct import this_context, this_request

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


#: What anyone may take without signing in, and is dear to make.
OPEN_DATA = {
    "interest_api.feed_listings": "60 per minute",
    "interest_api.feed_results": "60 per minute",
    "interest.atom_listings": "60 per minute",
    "interest.atom_results": "60 per minute",
    "interest.result_table": "6 per minute",
}
#: Questions to the index a visitor and minute, as shares of ``searches_per_minute``; suggestions come as one types.
SEARCHES = {"listings.public_list": 1, "discovery.suggest": 3, "discovery_api.search_offers": 1}
BIDS = frozenset({"auctions.bid", "auctions_api.place_bid"})


class BidsApart(Limiter):
    """The library's, but for the requests that are ``counted_here``."""

    @property
    def context(self) -> LimiterContext:
        """The library's, without its five looks through Flask's proxies in each request."""
        kept = vars(this_context())
        found: LimiterContext | None = kept.get("zl_limits")
        if found is None:
            found = kept["zl_limits"] = LimiterContext()
        return found

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not counted_here():
            super()._check_request_limit(callable_name, in_middleware)


limiter = BidsApart(key_func=who)


def counted_here() -> bool:
    """A bid by someone known is counted by its bucket alone; an unknown token is counted as everywhere."""
    asked = this_request()
    if asked.endpoint not in BIDS:
        return False
    from marketplace.parties.tokens import remembered_actor

    secret = asked.headers.get("Authorization", "").partition(" ")[2].strip()
    return not secret or remembered_actor(secret) is not None


class Buckets:
    """A bucket of tokens a name: ``take`` one, or learn in how many seconds there is one again."""

    def __init__(self, per_minute: int, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.a_second, self.burst, self.clock = per_minute / 60, float(burst), clock
        self.kept: dict[str, tuple[float, float]] = {}  # tokens left, and when
        self.guard = threading.Lock()

    def take(self, name: str) -> float:
        """Zero when there was one."""
        with self.guard:
            at = self.clock()
            left, since = self.kept.get(name, (self.burst, at))
            left = min(self.burst, left + (at - since) * self.a_second)
            if name not in self.kept and len(self.kept) >= 10_000:  # the full ones are like new ones
                self.kept = {n: k for n, k in self.kept.items() if k[0] + (at - k[1]) * self.a_second < self.burst}
            taken = left >= 1
            self.kept[name] = (left - 1 if taken else left, at)
            return 0.0 if taken else (1 - left) / self.a_second


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
    if not app.settings.rate_limits:
        return
    searches = {name: f"{share * app.settings.searches_per_minute} per minute" for name, share in SEARCHES.items()}
    for endpoint, rule in (OPEN_DATA | searches).items():
        view: Any = app.view_functions[endpoint]
        app.view_functions[endpoint] = limiter.limit(rule)(view)
    buckets = Buckets(app.settings.bids_per_minute, app.settings.bids_burst)
    for endpoint in BIDS:
        app.view_functions[endpoint] = bucketed(app.view_functions[endpoint], buckets)


def bucketed(view: Any, buckets: Buckets) -> Any:
    """The view, refused with 429 and ``Retry-After`` while the bidder's bucket is empty."""

    @wraps(view)
    def limited(*args: Any, **values: Any) -> Any:
        if wait := buckets.take(bidder()):
            raise TooManyRequests(retry_after=int(wait) + 1)
        return view(*args, **values)

    return limited
