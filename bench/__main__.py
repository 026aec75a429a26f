"""Run all benchmarks and print the ratios: ``python -m bench [--seconds 6] [--rounds 3] [--quick]``."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from bench import floor, load, market
from marketplace.core.db import db
from marketplace.core.signing import new_key_file
from marketplace.demo.processes import Processes, web_command
from marketplace.demo.servers import LocalServers

Y1, Y2, SITE = 8711, 8712, 8713
WORKERS, THREADS = 2, 32


@dataclass
class Series:
    """One figure over the rounds; ``value`` is the median."""

    name: str
    rates: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    errors: int = 0

    @property
    def value(self) -> float:
        return statistics.median(self.rates) if self.rates else 0.0

    def add(self, measured: load.Measured) -> None:
        self.rates.append(measured.count(200, 201, 409) / measured.seconds)
        self.accepted.append(measured.count(200, 201) / measured.seconds)
        self.p99.append(measured.percentile(0.99))
        self.errors += measured.errors + sum(n for s, n in measured.statuses.items() if s not in (200, 201, 409))

    def line(self) -> str:
        p99 = f"p99 {statistics.median(self.p99):6.1f} ms" if self.p99 else ""
        accepted = f"accepted {statistics.median(self.accepted):7.0f}/s" if self.accepted else ""
        return f"{self.name:34} {self.value:8.0f}/s  {accepted:20} {p99:15} errors {self.errors}"


def wait_for(port: int, processes: Processes) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if processes.ended():
                raise RuntimeError(f"{processes.ended()} ended, see {processes.logs}") from None
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers on port {port}")


def warm_up(port: int, path: str) -> None:
    """Until every worker has imported its application: a few seconds of quick answers in a row."""
    for _ in range(20):
        measured = load.run(port, 8, 1, lambda _n, _a: load.get(path))
        if measured.percentile(1) < 500 and measured.rate > 100:
            return


def served(app: str, port: int) -> list[str]:
    command = web_command(port, workers=WORKERS, threads=THREADS)
    command[command.index("wsgi:app")] = app
    return command


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench")
    options.add_argument("--seconds", type=float, default=6)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--clients", type=int, default=16)
    options.add_argument("--lots", type=int, default=200)
    asked = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="zhiliu-bench-"))
    os.environ.pop("DATABASE_URL", None)
    try:
        with LocalServers(folder / "servers") as servers:
            return measure(asked, folder, servers)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(asked: argparse.Namespace, folder: Path, servers: LocalServers) -> int:
    new_key_file(folder / "key.pem")
    yard_url = servers.create_database("yard")
    environment = {
        "DATABASE_URL": servers.create_database("market"), "REDIS_URL": servers.redis_url, "SECRET_KEY": "bench-" * 8,
        "PASSWORD_SALT": "bench-" * 4, "SIGNING_KEY_FILE": str(folder / "key.pem"), "SECURE_COOKIES": "false",
        "RATE_LIMITS": "false",
    }  # fmt: skip
    app = market.make_application(environment)
    most = max(64, asked.clients)
    print(f"building a hot lot with {most} bidders and {asked.lots} lots …", flush=True)
    made = market.build(app, most, asked.lots, 4)
    processes = Processes(folder / "logs", environment)
    yards = Processes(folder / "logs", {"DATABASE_URL": yard_url})
    y0_hot, y0_all, y1 = Series("Y0 pgbench, one row"), Series(f"Y0 pgbench, {asked.lots} rows"), Series("Y1 hello")
    y2_hot, y2_all = Series("Y2 minimal bid, one lot"), Series(f"Y2 minimal bid, {asked.lots} lots")
    hot, cold, crowd = (
        Series("Zhiliu, one hot lot"),
        Series(f"Zhiliu, {asked.lots} lots"),
        Series("Zhiliu, hot, 64 clients"),
    )
    accepted = 0
    try:
        yards.start("y1", served("bench.yardsticks:hello()", Y1))
        yards.start("y2", served("bench.yardsticks:minimal_bids()", Y2))
        processes.start("site", served("wsgi:app", SITE))
        for port, group in ((Y1, yards), (Y2, yards), (SITE, processes)):
            wait_for(port, group)
        for port, path in ((Y1, "/"), (Y2, "/"), (SITE, "/health")):
            warm_up(port, path)
        amounts = load.rising(market.START, market.STEP)
        base = market.START
        for number in range(asked.rounds):
            print(f"round {number + 1} of {asked.rounds}", flush=True)
            n, s = asked.clients, asked.seconds
            y0_hot.rates.append(floor.transactions_a_second(yard_url, 1, n, int(s)))
            y0_all.rates.append(floor.transactions_a_second(yard_url, asked.lots, n, int(s)))
            y1.add(load.run(Y1, n, s, lambda _n, _a: load.get("/")))
            sent: list[int] = []
            load.run(Y2, 1, 30, lambda _n, last: None if last else load.post_json(f"/setup/{asked.lots}", {}))
            up = load.rising(100, 1)
            y2_hot.add(
                load.run(Y2, n, s, lambda c, _a: load.post_json("/bid", {"lot": 0, "bidder": c, "amount": next(up)}))
            )

            def spread(client: int, _last: load.Answer | None) -> bytes:
                sent.append(1)
                body = {"lot": len(sent) % asked.lots, "bidder": client, "amount": 10**9 + len(sent)}
                return load.post_json("/bid", body)

            y2_all.add(load.run(Y2, n, s, spread))
            for series, clients, script in (
                (hot, n, market.hot_script(made, amounts)),
                (cold, n, market.cold_script(made, base)),
                (crowd, 64, market.hot_script(made, amounts)),
            ):
                measured = load.run(SITE, clients, s, script)
                series.add(measured)
                accepted += measured.count(201)
            base += market.STEP * 100_000
    finally:
        processes.stop()
        yards.stop()
    for series in (y0_hot, y0_all, y1, y2_hot, y2_all, hot, cold, crowd):
        print(series.line())
    print()
    print("ratios (bids answered)            of Y0    of Y1    of Y2")
    for series, floor_of, yard in ((hot, y0_hot, y2_hot), (cold, y0_all, y2_all), (crowd, y0_hot, y2_hot)):
        shares = [series.value / other.value for other in (floor_of, y1, yard)]
        print(f"{series.name:32}" + "".join(f"{share:8.0%} " for share in shares))
    return check(app, accepted)


def check(app: market.Zhiliu, accepted: int) -> int:
    """The invariants after the load; 1 when one does not hold."""
    from marketplace.auctions.invariants import broken

    with app.app_context():
        rows = db.session.scalar(text("SELECT count(*) FROM course_entry WHERE kind = 'bid'"))
        faults = broken()
        db.session.remove()
        db.engine.dispose()
    if rows < accepted:
        faults.append(f"{accepted} bids were acknowledged but {rows} are kept")
    print(f"\n{accepted} bids acknowledged, {rows} kept; " + ("invariants hold" if not faults else "BROKEN:"))
    for fault in faults:
        print("  " + fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
