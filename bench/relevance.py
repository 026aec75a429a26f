"""How well the engines rank: ``make relevance``, ``python -m bench.relevance [--records FOLDER] [--dense] [--write]``.

Queries are the titles of CPC subgroups, relevant is what the office put there (2 the subgroup itself, 1 below it). So
the figures compare one way with another; they are not what a person would say of a page. Only titles, abstracts and
applicants are indexed: the classes of a record would give the answer away.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import marked, records
from bench.engines import Made, open_engines
from bench.measures import interval, ndcg, percentile, recall, reciprocal_rank
from search.document import Document
from search.engine import Engine
from search.query import LARGEST_PAGE, Query

FLOORS = {"zh": 0.23, "en": 0.175}
BULK = 1_000
#: name, pool, language of the query, what is asked
TASKS = (
    ("zh", "cn", "zh", "Chinese query, Chinese records"),
    ("en", "us", "en", "English query, US records"),
    ("en→zh", "cn", "en", "English query, Chinese records"),
    ("zh→en", "us", "zh", "Chinese query, US records"),
)
TITLES = 400
SOURCES = {"cuej-cn-g06f": "cn", "uspto-patentsview-nvidia": "us"}


@dataclass(frozen=True)
class Topic:
    name: str
    text: str
    gains: dict[str, int]
    besides: str = ""

    @property
    def held_out(self) -> bool:
        """One half of the topics, by a digest of the name: nothing is ever chosen by looking at it."""
        return hashlib.sha256(self.name.encode()).digest()[0] % 2 == 1


@dataclass
class Run:
    """What one engine did with one task; lists run along with the topics."""

    engine: str
    task: str
    topics: list[Topic]
    scores: list[float] = field(default_factory=list)
    recalls: list[float] = field(default_factory=list)
    ranks: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def half(self, held_out: bool) -> float:
        scores = [score for score, topic in zip(self.scores, self.topics, strict=True) if topic.held_out == held_out]
        return statistics.fmean(scores)


def pools(folder: Path) -> dict[str, list[Document]]:
    """The records that the topics were drawn from, by pool."""
    made: dict[str, list[Document]] = {"cn": [], "us": []}
    for record in records.lines(folder / "patents.jsonl"):
        if pool := SOURCES.get(record["source"]):
            names = {"title_zh": "title", "abstract_zh": "abstract"}
            texts = {
                names.get(name, name): record[name]
                for name in ("title_zh", "title_en", "abstract_zh", "abstract_en", "applicant")
                if record.get(name)
            }
            made[pool].append(Document(id=record["id"], version=1, texts=texts))
    return made


def topics(folder: Path) -> dict[str, list[Topic]]:
    """The topics of each task: those whose title says by itself what is meant."""
    gains: dict[str, dict[str, int]] = {}
    with (folder / "relevance" / "topic_qrels.tsv").open(encoding="utf-8", newline="") as file:
        for topic, _, one, gain in csv.reader(file, delimiter="\t"):
            gains.setdefault(topic, {})[one] = int(gain)
    queries = [row for row in records.lines(folder / "relevance" / "topic_queries.jsonl") if row["standalone"]]
    return {
        task: [
            Topic(row["qid"], row[f"query_{language}"], gains[row["qid"]])
            for row in queries
            if row["pool"] == pool and row.get(f"query_{language}")
        ]
        for task, pool, language, _ in TASKS
    }


def title_topics(folder: Path) -> dict[str, list[Topic]]:
    """Other topics, by which to compare ways of analysis without looking at the list: the title of a record as the
    question, relevant is what has a class (subgroup) in common with it, 2 for two or more. The record itself does not
    count."""
    found: dict[str, list[dict[str, Any]]] = {"cn": [], "us": []}
    for record in records.lines(folder / "patents.jsonl"):
        if pool := SOURCES.get(record["source"]):
            found[pool].append({**record, "classes": {code for code in record.get("cpc", ()) if "/00" not in code}})
    made: dict[str, list[Topic]] = {task: [] for task, *_ in TASKS}
    for task, pool, language in (("zh", "cn", "zh"), ("en", "us", "en")):
        for one in random.Random(11).sample(found[pool], TITLES):
            shared = {other["id"]: len(one["classes"] & other["classes"]) for other in found[pool]}
            gains = {name: min(2, count) for name, count in shared.items() if count and name != one["id"]}
            if gains:
                made[task].append(Topic(f"{pool}-{one['id']}", one[f"title_{language}"], gains, besides=one["id"]))
    return made


def measure(engine: Engine, name: str, task: str, asked: list[Topic]) -> Run:
    run = Run(name, task, asked)
    for topic in asked[:5]:  # the first question of a process also loads what it needs
        engine.search(Query(topic.text, size=LARGEST_PAGE))
    for topic in asked:
        begin = time.perf_counter()
        result = engine.search(Query(topic.text, size=LARGEST_PAGE))
        run.milliseconds.append((time.perf_counter() - begin) * 1_000)
        found = [hit.id for hit in result.hits if hit.id != topic.besides]
        run.scores.append(ndcg(found, topic.gains))
        run.recalls.append(recall(found, topic.gains))
        run.ranks.append(reciprocal_rank(found, topic.gains))
    return run


@contextmanager
def filled(make: Callable[[str], Made], pool: str, documents: list[Document]) -> Iterator[Engine]:
    made = make(f"relevance-{pool}")
    try:
        engine = made.engine
        engine.prepare()
        for start in range(0, len(documents), BULK):
            if faults := engine.write(documents[start : start + BULK]):
                raise RuntimeError(f"not written: {faults[:3]}")
        engine.refresh()
        if engine.count() != len(documents):
            raise RuntimeError(f"{engine.count()} of {len(documents)} documents can be found")
        yield engine
    finally:
        made.remove()


def dense_over(engine: Engine, folder: Path, documents: list[Document]) -> Engine:
    """The engine with search by meaning; vectors are kept in ``folder`` and made when missing."""
    from search.dense import E5, build, open_vectors
    from search.engines.fused import Fused

    encoder = E5()
    vectors = open_vectors(folder, encoder)
    begin, cpu = time.perf_counter(), time.process_time()
    built = build(vectors, encoder, documents, tell=lambda made: print(f"\r  {made} vectors", end="", file=sys.stderr))
    if built.made:
        wall, used = time.perf_counter() - begin, time.process_time() - cpu
        print(f"\n{built.made} vectors: {built.made / wall:.1f}/s, {built.made / used:.1f} a CPU second")
    return Fused(engine, vectors, encoder)


def all_runs(asked: argparse.Namespace, folder: Path, stack: ExitStack) -> list[Run]:
    documents, runs = pools(folder), []
    questions = topics(folder) if asked.topics == "list" else title_topics(folder)
    for engine_name, make in open_engines(stack, asked.engines):
        for pool in asked.pools.split(","):
            with filled(make, pool, documents[pool]) as engine:
                ways = [(engine_name, engine)]
                if asked.dense:
                    vectors = Path(asked.vectors) / pool
                    ways.append((f"{engine_name} + dense", dense_over(engine, vectors, documents[pool])))
                for name, way in ways:
                    runs += [
                        measure(way, name, task, questions[task])
                        for task, of, *_ in TASKS
                        if of == pool and questions[task]
                    ]
    return runs


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench.relevance")
    options.add_argument("--records", help="folder of the real records; else ZHILIU_RECORDS or ../shared/data")
    options.add_argument("--engines", default="embedded,elastic")
    options.add_argument("--pools", default="cn,us")
    options.add_argument("--dense", action="store_true", help="also with search by meaning (slow the first time)")
    options.add_argument("--vectors", default="var/bench-vectors", help="where vectors are kept between runs")
    options.add_argument("--topics", choices=("list", "titles"), default="list", help="titles: to choose by")
    options.add_argument("--write", action="store_true", help="put the tables into docs/search.md")
    asked = options.parse_args()
    try:
        folder = records.folder(asked.records)
    except records.NoRecords as error:
        print(error, file=sys.stderr)
        return 2
    with ExitStack() as stack:
        runs = all_runs(asked, folder, stack)
    text = report(runs)
    print(text)
    if asked.write:
        marked.write("relevance" if asked.topics == "list" else "relevance-titles", text)
    return verdict(runs) if asked.topics == "list" else 0


def report(runs: list[Run]) -> str:
    order = [task for task, *_ in TASKS]
    lines = [
        "| task | engine | topics | nDCG@10 (95 % interval) | held-out half | other half "
        "| recall@100 | MRR | p50 | p95 |",
        "|" + "---|" * 10,
    ]
    for run in sorted(runs, key=lambda run: (order.index(run.task), run.engine)):
        low, high = interval(run.scores)
        lines.append(
            f"| {run.task} | {run.engine} | {len(run.topics)} | {statistics.fmean(run.scores):.3f} "
            f"({low:.3f} to {high:.3f}) | {run.half(True):.3f} | {run.half(False):.3f} "
            f"| {statistics.fmean(run.recalls):.3f} | {statistics.fmean(run.ranks):.3f} "
            f"| {percentile(run.milliseconds, 0.5):.1f} ms | {percentile(run.milliseconds, 0.95):.1f} ms |"
        )
    lines += ["", "| task | difference of nDCG@10, topic by topic | mean (95 % interval) |", "|---|---|---|"]
    for task in order:
        for one, other in pairs([run for run in runs if run.task == task]):
            gaps = [a - b for a, b in zip(one.scores, other.scores, strict=True)]
            low, high = interval(gaps)
            gap = f"{statistics.fmean(gaps):+.3f} ({low:+.3f} to {high:+.3f})"
            lines.append(f"| {task} | {one.engine} less {other.engine} | {gap} |")
    return "\n".join(lines)


def pairs(runs: list[Run]) -> list[tuple[Run, Run]]:
    """Each engine with the one before it, and each fused one with its own engine."""
    by_name = {run.engine: run for run in runs}
    plain = [run for run in runs if not run.engine.endswith("dense")]
    made = [(later, earlier) for earlier, later in itertools.pairwise(plain)]
    return made + [(run, by_name[run.engine.split(" + ")[0]]) for run in runs if run not in plain]


def verdict(runs: list[Run]) -> int:
    """1 when an engine by itself is below the floor."""
    below = [
        f"{run.engine} {run.task}: {statistics.fmean(run.scores):.3f} is below {FLOORS[run.task]}"
        for run in runs
        if run.task in FLOORS and statistics.fmean(run.scores) < FLOORS[run.task]
    ]
    print("\n".join(below) or "every floor is reached")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
