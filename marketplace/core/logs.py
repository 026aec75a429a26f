"""Structured logs: one JSON line an event, with the request's id, without secrets or personal data."""

from __future__ import annotations

import logging
import random
import sys
import time
from typing import TYPE_CHECKING

import structlog
from flask import Response

from marketplace.core.direct import this_g, this_request

if TYPE_CHECKING:
    from marketplace import Zhiliu


#: Bids stand in the course or among the refusals, with their moments; here only those that were slow or broke.
IN_THE_COURSE = frozenset({"auctions.bid", "auctions_api.place_bid"})
SLOW_MS = 1_000


def configure_logs(app: Zhiliu) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    log = structlog.get_logger("web")

    @app.before_request
    def begin() -> None:
        kept = this_g()
        kept["request_id"] = f"{random.getrandbits(128):032x}"
        kept["began"] = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        kept, asked = this_g(), this_request()
        response.headers["X-Request-Id"] = kept.get("request_id", "")
        took = (time.perf_counter() - kept.get("began", 0)) * 1000
        usual = asked.method == "GET" or (asked.endpoint in IN_THE_COURSE and took < SLOW_MS)
        if response.status_code >= 500 or not (app.testing or usual):
            log.info(
                "request",
                id=kept.get("request_id"),
                method=asked.method,
                endpoint=asked.endpoint,
                status=response.status_code,
                ms=round(took, 1),
            )
        return response
