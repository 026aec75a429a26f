"""Numbers for Prometheus at ``/metrics``: requests and their time by endpoint, what is overdue, what waits to be sent.

With several web processes set ``PROMETHEUS_MULTIPROC_DIR`` to an empty folder; the counters are then added up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from flask import Response, current_app, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from marketplace.core import deadlines
from marketplace.core.access import current_actor
from marketplace.core.direct import this_g, this_request
from marketplace.core.errors import Forbidden
from marketplace.core.i18n import _l
from marketplace.discovery import queries as discovery
from marketplace.web import desk

if TYPE_CHECKING:
    from marketplace import Zhiliu

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH"})
LOOPBACK = ("127.0.0.1", "::1")


class Waiting:
    """Gauges read from the database when asked."""

    def collect(self) -> Iterator[Metric]:
        age, index = desk.heartbeat_age(), discovery.state()
        for name, text, value in (
            ("zhiliu_oldest_overdue_seconds", "Age of the oldest due deadline", deadlines.oldest_overdue_seconds()),
            ("zhiliu_outbox_pending", "Messages waiting to be sent", desk.outbox_pending()),
            ("zhiliu_outbox_dead", "Messages given up", desk.dead_messages()),
            ("zhiliu_search_unsynced_seconds", "Age of the oldest change not in the index", index.oldest_seconds),
            ("zhiliu_search_waiting", "Documents waiting for the index", index.waiting),
            ("zhiliu_search_dead", "Documents that the index refused", index.dead),
            ("zhiliu_tick_age_seconds", "Since the tick last ran to its end", float("inf") if age is None else age),
        ):
            yield GaugeMetricFamily(name, text, value=value)


def may_read() -> bool:
    """From this machine itself (not through a proxy), or a manager."""
    direct = request.remote_addr in LOOPBACK and "X-Forwarded-For" not in request.headers
    return direct or current_actor().is_manager


def answer() -> Response:
    """The numbers as text; refused with ``not_allowed`` from elsewhere."""
    if not may_read():
        raise Forbidden("not_allowed", _l("您没有权限访问此页面"))
    registry = current_app.extensions["metrics"]
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    waiting = CollectorRegistry()
    waiting.register(Waiting())  # type: ignore[arg-type]
    return Response(generate_latest(registry) + generate_latest(waiting), mimetype="text/plain; version=0.0.4")


def configure_metrics(app: Zhiliu) -> None:
    registry = CollectorRegistry()
    app.extensions["metrics"] = registry
    count = Counter("zhiliu_requests", "Requests answered", ["endpoint", "method", "status"], registry=registry)
    took = Histogram("zhiliu_request_seconds", "Time to answer", ["endpoint"], registry=registry, buckets=BUCKETS)

    @cache
    def counted(endpoint: str, method: str, status: int) -> tuple[Counter, Histogram]:
        """The two to add to, found once: their look-up by labels takes longer than the adding."""
        return count.labels(endpoint, method, str(status)), took.labels(endpoint)

    @app.after_request
    def measure(response: Response) -> Response:
        asked = this_request()
        method = asked.method if asked.method in METHODS else "other"
        number, seconds = counted(asked.endpoint or "none", method, response.status_code)
        number.inc()
        began = this_g().get("began")
        if began is not None:
            seconds.observe(time.perf_counter() - began)
        return response
