"""Speed of both engines: ``make bench-search``, ``python -m bench.search [--size 200000] [--engines NAMES]``.

Offers are put together from the real records (bench/corpus.py), written in bulk, and asked questions with filters and
counts of every facet in a process of its own, one at a time. Elasticsearch is compared with the same requests sent
bare. Last, the index is built anew while others write to it, and every document is looked for.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from bench import corpus, marked, raw, records
from bench.engines import Made, open_engines, reopen
from bench.measures import percentile
from bench.memory import Resident, cpu_seconds, resident
from search.document import Document, gone
from search.engine import Engine
from search.query import Query

BULK = 50_000  # documents a bulk write
PIECE = 2_000  # of the rebuild under writes


@dataclass
class Asked:
    """Milliseconds of each question, in the order they were asked; ``bare`` of the same requests without us."""

    times: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # milliseconds of this process alone
    memory: Resident | None = None
    found: int = 0


@dataclass
class Figures:
    engine: str
    documents: int
    filled: float = 0.0  # seconds by the clock
    cpu: float = 0.0  # seconds of CPU, this process and the node
    disk: float = 0.0
    asked: Asked = field(default_factory=Asked)
    node: Resident | None = None
    rebuild: str = ""


def fill(made: Made, documents: Iterator[Document], figures: Figures) -> None:
    """Write everything; making the offers is not counted."""
    engine = made.engine
    engine.prepare()
    while batch := list(islice(documents, BULK)):
        begin, cpu = time.perf_counter(), used(made)
        if faults := engine.write(batch):
            raise RuntimeError(f"not written: {faults[:3]}")
        figures.filled += time.perf_counter() - begin
        figures.cpu += used(made) - cpu
    begin, cpu = time.perf_counter(), used(made)
    engine.refresh()
    figures.filled += time.perf_counter() - begin
    figures.cpu += used(made) - cpu
    if engine.count() != figures.documents:
        raise RuntimeError(f"{engine.count()} of {figures.documents} documents can be found")


def used(made: Made) -> float:
    return time.process_time() + (cpu_seconds(made.java) if made.java else 0.0)


def ask(place: tuple[str, str], questions: list[dict[str, Any]], rounds: int) -> Asked:
    """In a process of its own, as a web server asks: the index was written by another."""
    warm = len(questions) // 4
    if place[0]:
        return _beside_bare(place, questions, rounds)
    engine, asked = reopen(place), Asked()
    for question in questions[:warm]:  # others than those that are timed: counts of a question may be remembered
        engine.search(Query(**question))
    for question in questions[warm:]:
        _timed(engine, question, asked)
    asked.memory = resident()
    return asked


def _timed(engine: Engine, question: dict[str, Any], asked: Asked) -> None:
    begin, cpu = time.perf_counter(), time.process_time()
    result = engine.search(Query(**question))
    asked.times.append((time.perf_counter() - begin) * 1_000)
    asked.cpu.append((time.process_time() - cpu) * 1_000)
    asked.found += len(result.hits)


def _beside_bare(place: tuple[str, str], questions: list[dict[str, Any]], rounds: int) -> Asked:
    """Each question by the engine and as bare requests, in turn first and second, so that what either leaves warm in
    the node serves the other as often. What the engine itself remembers of a question is not used: each round asks by
    an engine opened anew."""
    asked, bare, requests = Asked(), raw.Bare(place[0]), []
    with raw.noted() as sent:
        engine = reopen(place)
        for question in questions:
            sent.clear()
            engine.search(Query(**question))
            requests.append(list(sent))
    for turn in range(rounds):
        engine = reopen(place)
        engine.search(Query("first question of a process"))
        for at, question in enumerate(questions):
            bare_first = (at + turn) % 2 == 0
            if bare_first:
                asked.bare.append(bare.milliseconds(requests[at]))
            _timed(engine, question, asked)
            if not bare_first:
                asked.bare.append(bare.milliseconds(requests[at]))
    asked.memory = resident()
    return asked


def rebuild_under_writes(engine: Engine, documents: list[Document], seed: int = 3) -> str:
    """Build the index anew from a snapshot while another thread changes, adds and removes documents; then look for
    every one of them."""
    truth = {document.id: document for document in documents}
    guard, stop, draw = threading.Lock(), threading.Event(), random.Random(seed)
    writes = 0
    broken: list[BaseException] = []

    def others() -> None:
        nonlocal writes
        version = 1_000
        try:
            while not stop.is_set():
                version += 1
                with guard:
                    some = draw.sample(sorted(truth), 20)
                changed = [corpus.newer(truth[one], version, draw) for one in some[:14] if not truth[one].gone]
                removed = [gone(one, version) for one in some[14:17]]
                added = [_under(truth[one], f"N{version}-{one}") for one in some[17:] if not truth[one].gone]
                with guard:  # the database first, then the index, as the product does
                    truth.update((one.id, one) for one in (*changed, *removed, *added))
                engine.write([*changed, *removed, *added])
                writes += len(changed) + len(removed) + len(added)
        except BaseException as error:
            broken.append(error)

    writer = threading.Thread(target=others)
    begin = time.perf_counter()
    rebuild = engine.rebuild()
    writer.start()
    try:
        with guard:
            ids = sorted(truth)
        for start in range(0, len(ids), PIECE):
            with guard:
                batch = [truth[one] for one in ids[start : start + PIECE]]
            time.sleep(0.01)  # what was read is old by the time it is written
            if faults := rebuild.write(batch):
                raise RuntimeError(f"not written: {faults[:3]}")
        rebuild.finish()
        time.sleep(0.2)  # writes after the swap
    finally:
        stop.set()
        writer.join()
    seconds = time.perf_counter() - begin
    if broken:
        raise broken[0]
    engine.refresh()
    kept: dict[str, int] = {}
    twice = 0
    for one, version in engine.versions():
        twice += one in kept
        kept[one] = version
    alive = {one: document.version for one, document in truth.items() if not document.gone}
    lost = sum(kept.get(one) != version for one, version in alive.items())
    back = sum(one not in truth for one in kept)
    count = engine.count()
    answer = (
        f"{len(documents)} documents in {seconds:.0f} s beside {writes} writes: {lost} lost or old, {twice} twice, "
        f"{back} unknown, {count} found of {len(alive)}"
    )
    if lost or twice or back or count != len(alive):
        raise RuntimeError(answer)
    return answer


def _under(document: Document, name: str) -> Document:
    return Document(name, 1, document.texts, document.keywords, document.numbers)


def measure(name: str, made: Made, asked: argparse.Namespace, folder: Path) -> Figures:
    material = corpus.Material.read(folder)
    figures = Figures(name, asked.size)
    fill(made, corpus.offers(material, asked.size, asked.seed), figures)
    print(f"{name}: filled, {asked.size / figures.filled:,.0f}/s", file=sys.stderr)
    questions = list(corpus.questions(folder, material, asked.queries))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        figures.asked = pool.apply(ask, (made.place, questions, asked.rounds))
    print(f"{name}: asked", file=sys.stderr)
    figures.node = resident(made.java) if made.java else None
    figures.disk = made.megabytes()
    return figures


def rebuilt(made: Made, size: int, folder: Path) -> str:
    documents = list(corpus.offers(corpus.Material.read(folder), size, seed=9))
    made.engine.prepare()
    for start in range(0, len(documents), BULK):
        made.engine.write(documents[start : start + BULK])
    made.engine.refresh()
    return rebuild_under_writes(made.engine, documents)


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench.search")
    options.add_argument("--records", help="folder of the real records; else ZHILIU_RECORDS or ../shared/data")
    options.add_argument("--size", type=int, default=200_000)
    options.add_argument("--queries", type=int, default=300)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--engines", default="embedded,elastic")
    options.add_argument("--rebuild-size", type=int, default=20_000)
    options.add_argument("--write", action="store_true", help="put the table into docs/search.md")
    asked = options.parse_args()
    try:
        folder = records.folder(asked.records)
    except records.NoRecords as error:
        print(error, file=sys.stderr)
        return 2
    every = []
    with ExitStack() as stack:
        for name, make in open_engines(stack, asked.engines):
            made = make("speed")
            try:
                figures = measure(name, made, asked, folder)
            finally:
                made.remove()
            if asked.rebuild_size:
                made = make("rebuild")
                try:
                    figures.rebuild = rebuilt(made, asked.rebuild_size, folder)
                finally:
                    made.remove()
            every.append(figures)
    text = report(every, asked)
    print(text)
    if asked.write:
        marked.write("speed", text)
    return 0


def pace() -> float:
    """CPU seconds of ten million additions: how fast this machine was just then. Idle machines of today need 0.4 to
    0.7; a machine shared with other work also needs more CPU for the same."""
    total, begin = 0, time.process_time()
    for number in range(10_000_000):
        total += number
    return time.process_time() - begin


def report(every: list[Figures], asked: argparse.Namespace) -> str:
    lines = [
        f"{asked.size:,} documents, {asked.queries} questions (Elasticsearch: {asked.rounds} rounds), each with counts "
        f"of {len(corpus.FACETS)} facets. Ten million additions took {pace():.2f} s of CPU, with a load of "
        f"{os.getloadavg()[1]:.1f} in the last five minutes.",
        "",
        "| engine | bulk | CPU a document | p50 | p95 | CPU of the asking process p50, p95 "
        "| of the bare request (p50, p95) | index | memory |",
        "|" + "---|" * 9,
    ]
    for one in every:
        times, bare = one.asked.times, one.asked.bare
        ratio = "—"
        if bare:
            shares = [percentile(times, share) / percentile(bare, share) for share in (0.5, 0.95)]
            ratio = f"{shares[0]:.2f}, {shares[1]:.2f} (bare p95 {percentile(bare, 0.95):.1f} ms)"
        memory = f"asking process {one.asked.memory}" + (f"; node {one.node}" if one.node else "")
        lines.append(
            f"| {one.engine} | {one.documents / one.filled:,.0f}/s | {one.cpu / one.documents * 1e3:.2f} ms "
            f"| {statistics.median(times):.1f} ms | {percentile(times, 0.95):.1f} ms "
            f"| {statistics.median(one.asked.cpu):.1f}, {percentile(one.asked.cpu, 0.95):.1f} ms "
            f"| {ratio} | {one.disk:.0f} MB | {memory} |"
        )
    lines += [f"\nBuilt anew under writes, {one.engine}: {one.rebuild}." for one in every if one.rebuild]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
