"""Speed of standing interest: ``python -m bench.standing [--documents 20000] [--searches 10000] [--fresh 1 100]``.

Offers are made of the real records; saved searches are words of real titles, most with filters, a fifth without words,
and some kept by several people. Measured: asking all of them of the documents just written (embedded engine).
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.corpus import Material, offers
from marketplace.interest import asking, standing
from search.engines.embedded import Embedded
from search.query import Query

RECORDS = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def stored(material: Material, draw: random.Random) -> str:
    """The query string of a search that someone might keep."""
    parts = []
    if draw.random() < 0.8:
        title = draw.choice(material.titles)[0]
        start = draw.randrange(max(1, len(title) - 4))
        parts.append(f"q={title[start : start + draw.choice((2, 3, 4))]}")
    if draw.random() < 0.6:
        parts.append(f"ipc={draw.choice(material.groups)[:4]}")
    if draw.random() < 0.4:
        parts.append(f"region={draw.choice(material.regions)[:2]}0000")
    if draw.random() < 0.3:
        parts.append(f"high={draw.choice((50, 100, 500, 1000))}万")
    return "&".join(parts)


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--documents", type=int, default=20_000)
    given.add_argument("--searches", type=int, default=10_000)
    given.add_argument("--fresh", type=int, nargs="*", default=[1, 100])
    args = given.parse_args()
    material, draw = Material.read(RECORDS), random.Random(3)
    folder = Path(tempfile.mkdtemp(prefix="zhiliu-standing-"))
    try:
        engine = Embedded(folder)
        engine.prepare()
        made = list(offers(material, args.documents))
        for start in range(0, len(made), 5_000):
            engine.write(made[start : start + 5_000])
        asked: list[int] = []

        def counted(query: Query) -> tuple[Any, bool]:
            asked.append(1)
            return engine.search(query), False

        asking.searching = lambda: SimpleNamespace(search=counted)  # type: ignore[assignment,return-value]
        queries = [stored(material, draw) for _n in range(args.searches)]
        begin = time.perf_counter()
        questions = {query: standing.question(query) for query in queries}
        print(f"{len(queries)} searches, {len(questions)} different, read in {time.perf_counter() - begin:.2f} s")
        for fresh in args.fresh:
            asked.clear()
            begin = time.perf_counter()
            found = dict(asking.matches(questions, made[-fresh:]))
            seconds = time.perf_counter() - begin
            print(f"{fresh:4} fresh offers: {seconds:6.2f} s, engine asked {len(asked)} times, {len(found)} match")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
