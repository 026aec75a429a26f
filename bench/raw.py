"""What the engine's own address answers when it is sent the same bytes without anything between.

Elasticsearch is asked through the product's engine while each request that leaves is noted; then a bare HTTP
connection sends the same bytes again and reads the answer without looking at it.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Sent(NamedTuple):
    method: str
    target: str
    body: bytes | None
    headers: dict[str, str]


@contextmanager
def noted() -> Iterator[list[Sent]]:
    """Everything that leaves by the official client's connections meanwhile."""
    import urllib3

    pool: Any = urllib3.HTTPConnectionPool
    plain, sent = pool.urlopen, []

    def urlopen(self: Any, method: str, url: str, body: Any = None, headers: Any = None, **rest: Any) -> Any:
        sent.append(Sent(method, url, body, dict(headers or {})))
        return plain(self, method, url, body=body, headers=headers, **rest)

    pool.urlopen = urlopen
    try:
        yield sent
    finally:
        pool.urlopen = plain


class Bare:
    """One connection that stays open."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self.connection = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port, timeout=30)
        self.connection.connect()

    def milliseconds(self, requests: list[Sent]) -> float:
        begin = time.perf_counter()
        for sent in requests:
            self.connection.request(sent.method, sent.target, sent.body, sent.headers)
            answer = self.connection.getresponse()
            answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{sent.method} {sent.target}: {answer.status}")
        return (time.perf_counter() - begin) * 1_000
