"""A small load generator: keep-alive HTTP/1.1 clients as coroutines on raw streams, one outstanding request each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

Answer = tuple[int, bytes]
# a client asks its script for the next request and tells it the answer
Script = Callable[[int, Answer | None], bytes | None]


@dataclass
class Measured:
    """Latencies in seconds and statuses of one run."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    errors: int = 0
    events: int = 0  # what watchers got

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, p: float) -> float:
        """Latency in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * p))] * 1000 if ordered else 0.0

    def count(self, *statuses: int) -> int:
        return sum(self.statuses.get(s, 0) for s in statuses)


def get(path: str, host: str = "bench") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\n\r\n".encode()


def post_form(path: str, body: dict[str, str], headers: dict[str, str], host: str = "bench") -> bytes:
    raw = urlencode(body).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Connection: keep-alive",
             "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(raw)}"]  # fmt: skip
    lines += [f"{k}: {v}" for k, v in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + raw


def post_json(path: str, body: Any, headers: dict[str, str] | None = None, host: str = "bench") -> bytes:
    raw = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Connection: keep-alive", "Content-Type: application/json",
             "Accept: application/json", f"Content-Length: {len(raw)}"]  # fmt: skip
    lines += [f"{k}: {v}" for k, v in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + raw


async def read_answer(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    """The answer, and whether the connection stays open."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length, chunked = 0, False
    lower = head.lower()
    for line in lower.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line[15:])
        elif line.startswith(b"transfer-encoding:") and b"chunked" in line:
            chunked = True
    if chunked:
        raise RuntimeError("chunked answers are not measured")
    body = await reader.readexactly(length) if length else b""
    return (status, body), b"connection: close" not in lower


async def client(number: int, port: int, script: Script, until: float, out: Measured) -> None:
    reader = writer = None
    last: Answer | None = None
    try:
        while time.perf_counter() < until:
            request = script(number, last)
            if request is None:
                return
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            began = time.perf_counter()
            try:
                writer.write(request)
                assert reader is not None
                answer, keep = await asyncio.wait_for(read_answer(reader), 30)
            except (TimeoutError, OSError, asyncio.IncompleteReadError):
                out.errors += 1
                writer.close()
                reader = writer = None
                last = None
                continue
            out.latencies.append(time.perf_counter() - began)
            last = answer
            out.statuses[answer[0]] = out.statuses.get(answer[0], 0) + 1
            if not keep:
                writer.close()
                reader = writer = None
    finally:
        if writer is not None:
            writer.close()


async def watcher(port: int, path: str, until: float, out: Measured) -> None:
    """One open page: counts the server-sent events it gets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(get(path))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        if b" 200 " not in head[:16]:
            out.errors += 1
            return
        while (left := until - time.perf_counter()) > 0:
            line = await asyncio.wait_for(reader.readline(), left)
            if not line:
                out.errors += 1  # a stream ends with the sale, not before
                return
            out.events += line.startswith(b"data:")
    except TimeoutError:
        return
    finally:
        writer.close()


def run(port: int, clients: int, seconds: float, script: Script, watched: str = "", watchers: int = 0) -> Measured:
    """Drive ``clients`` at once for ``seconds``, while ``watchers`` look at the stream at ``watched``."""
    out = Measured()

    async def all_clients() -> None:
        until = time.perf_counter() + seconds
        watching = [watcher(port, watched, until, out) for _ in range(watchers)]
        await asyncio.gather(*(client(n, port, script, until, out) for n in range(clients)), *watching)

    began = time.perf_counter()
    asyncio.run(all_clients())
    out.seconds = time.perf_counter() - began
    return out


def rising(start: int, step: int) -> Iterator[int]:
    """Amounts for bids on one lot: each a step above the last one asked for."""
    amount = start
    while True:
        yield amount
        amount += step
