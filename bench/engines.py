"""The engines to be measured: the embedded one in a folder of its own, Elasticsearch where there is one."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.memory import on_disk
from search.choose import open_engine
from search.engine import Engine


@dataclass(frozen=True)
class Made:
    """An engine over an index of its own, and how to remove that."""

    engine: Engine
    place: tuple[str, str]  # address of the node ("" for the embedded engine), folder or name of the index
    remove: Callable[[], None]
    java: int | None = None  # process of the node that was started here

    def megabytes(self) -> float:
        """Size of the index on disk."""
        url, name = self.place
        if not url:
            return on_disk(Path(name))
        from elasticsearch import Elasticsearch

        with Elasticsearch(url, request_timeout=300) as client:
            client.indices.flush(index=f"{name}*")
            return (
                client.indices.stats(index=f"{name}*", metric="store")["_all"]["total"]["store"]["size_in_bytes"]
                / 2**20
            )


def reopen(place: tuple[str, str]) -> Engine:
    """The same index in another process."""
    url, name = place
    return open_engine(url, Path("unused"), name) if url else open_engine(None, Path(name))


Make = Callable[[str], Made]


def open_engines(stack: ExitStack, wanted: str) -> Iterator[tuple[str, Make]]:
    """(name, maker of an engine with an empty index) of each; what cannot be had is said and left out."""
    names = wanted.split(",")
    if "embedded" in names:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zhiliu-bench-")))
        yield "embedded", lambda name: embedded(folder / name)
    if "elastic" in names:
        try:
            url, java = node(stack)
        except Exception as error:  # no Java, no Maven, no network: the other engine is still measured
            print(f"Elasticsearch left out: {error}", file=sys.stderr)
            return
        yield "elastic", lambda name: elastic(url, name, java)


def embedded(folder: Path) -> Made:
    return Made(open_engine(None, folder), ("", str(folder)), lambda: shutil.rmtree(folder, ignore_errors=True))


def elastic(url: str, name: str, java: int | None) -> Made:
    index = f"bench-{os.getpid()}-{name}"

    def remove() -> None:
        from elasticsearch import Elasticsearch

        with Elasticsearch(url) as client:
            for found in client.indices.get(index=f"{index}*"):
                client.indices.delete(index=found)

    return Made(reopen((url, index)), (url, index), remove, java)


def node(stack: ExitStack) -> tuple[str, int | None]:
    """``ELASTICSEARCH_URL``, or a node of one's own with the optimising compiler on."""
    if url := os.environ.get("ELASTICSEARCH_URL"):
        return url, None
    from tests.search.elastic import start_node

    started = stack.enter_context(start_node(heap_mb=int(os.environ.get("BENCH_HEAP_MB", "1024")), quick=False))
    assert started.process is not None
    return started.url, started.process.pid
