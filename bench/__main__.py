"""Run all benchmarks and print the ratios: ``python -m bench [--seconds 6] [--rounds 3]``."""

from __future__ import annotations

import argparse
import itertools
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

from bench import floor, imports, load, market
from bench.memory import cpu_seconds
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
    cpu: list[tuple[float, float]] = field(default_factory=list)  # ms an answer: web server; PostgreSQL and Redis
    errors: int = 0

    @property
    def value(self) -> float:
        return statistics.median(self.rates) if self.rates else 0.0

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of CPU an answer, all servers together."""
        return statistics.median(map(sum, self.cpu)) if self.cpu else 0.0

    def add(self, measured: load.Measured, cpu: tuple[float, float]) -> None:
        """``cpu``: seconds that the web server, and PostgreSQL with Redis, have used meanwhile."""
        answers = max(1, len(measured.latencies))
        self.cpu.append((cpu[0] * 1000 / answers, cpu[1] * 1000 / answers))
        self.rates.append(measured.count(200, 201, 409) / measured.seconds)
        self.accepted.append(measured.count(200, 201) / measured.seconds)
        self.p99.append(measured.percentile(0.99))
        self.errors += measured.errors + sum(n for s, n in measured.statuses.items() if s not in (200, 201, 409))

    def line(self) -> str:
        p99 = f"p99 {statistics.median(self.p99):6.1f} ms" if self.p99 else ""
        accepted = f"accepted {statistics.median(self.accepted):7.0f}/s" if self.accepted else ""
        web, data = (statistics.median(part) for part in zip(*self.cpu, strict=True)) if self.cpu else (0.0, 0.0)
        cpu_ms = f"cpu {web:5.2f} + {data:4.2f} ms" if self.cpu else ""
        return f"{self.name:34} {self.value:8.0f}/s  {accepted:20} {p99:15} {cpu_ms:20} errors {self.errors}"


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
    options.add_argument("--watchers", type=int, default=20)
    asked = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="zhiliu-bench-"))
    os.environ.pop("DATABASE_URL", None)
    try:
        with LocalServers(folder / "servers") as servers:
            return measure(asked, folder, servers)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def yard_script(lots: int) -> load.Script:
    """Bids on all lots of Y2 in turn, each higher than the last."""
    numbers = itertools.count(1)

    def script(client: int, _last: load.Answer | None) -> bytes:
        number = next(numbers)
        return load.post_json("/bid", {"lot": number % lots, "bidder": client, "amount": 10**9 + number})

    return script


def yard_hot_script() -> load.Script:
    amounts = load.rising(100, 1)
    return lambda client, _last: load.post_json("/bid", {"lot": 0, "bidder": client, "amount": next(amounts)})


def measure(asked: argparse.Namespace, folder: Path, servers: LocalServers) -> int:
    new_key_file(folder / "key.pem")
    yard_url = servers.create_database("yard")
    environment = {
        "DATABASE_URL": servers.create_database("market"), "REDIS_URL": servers.redis_url, "SECRET_KEY": "bench-" * 8,
        "PASSWORD_SALT": "bench-" * 4, "SIGNING_KEY_FILE": str(folder / "key.pem"), "SECURE_COOKIES": "false",
        # limits are counted, but no client reaches them
        "RATE_LIMITS": "true", "BIDS_PER_MINUTE": "1000000", "BIDS_BURST": "1000000",
    }  # fmt: skip
    app = market.make_application(environment)
    most = max(64, asked.clients)
    print(f"building a hot lot with {most} bidders and {asked.lots} lots …", flush=True)
    made = market.build(app, most, asked.lots, 4)
    imported = imports.rights_a_second(app)
    processes = Processes(folder / "logs", environment)
    yards = Processes(folder / "logs", {"DATABASE_URL": yard_url})
    rounds = Rounds(asked, made, yard_url, servers)
    try:
        yards.start("y1", served("bench.yardsticks:hello()", Y1))
        yards.start("y2", served("bench.yardsticks:minimal_bids()", Y2))
        processes.start("site", served("wsgi:app", SITE))
        for port, group in ((Y1, yards), (Y2, yards), (SITE, processes)):
            wait_for(port, group)
        for port, path in ((Y1, "/"), (Y2, "/"), (SITE, "/health")):
            warm_up(port, path)
        rounds.pids = {Y1: yards.running["y1"].pid, Y2: yards.running["y2"].pid, SITE: processes.running["site"].pid}
        rounds.warm_up()
        for number in range(asked.rounds):
            print(f"round {number + 1} of {asked.rounds}", flush=True)
            rounds.run()
    finally:
        processes.stop()
        yards.stop()
    rounds.report()
    if imported is not None:
        rows, ours, plain = imported
        print(f"\nimport of {rows} rights {ours:8.0f} rows/s, {ours / plain:.1%} of a plain COPY ({plain:.0f} rows/s)")
    return check(app, rounds.accepted)


class Rounds:
    """All figures, measured one after the other in each round, so that a busy moment of the machine meets all."""

    def __init__(self, asked: argparse.Namespace, made: market.Market, yard_url: str, servers: LocalServers) -> None:
        self.asked, self.made, self.yard_url, self.servers = asked, made, yard_url, servers
        self.pids: dict[int, int] = {}  # of the web servers, by their port
        lots = asked.lots
        self.y0_hot, self.y0_all = Series("Y0 pgbench, one row"), Series(f"Y0 pgbench, {lots} rows")
        self.y1, self.y2_hot = Series("Y1 hello"), Series("Y2 minimal bid, one lot")
        self.y2_all = Series(f"Y2 minimal bid, {lots} lots")
        self.hot, self.page = Series("Zhiliu, one hot lot"), Series("Zhiliu, hot, from the page")
        self.cold, self.crowd = Series(f"Zhiliu, {lots} lots"), Series("Zhiliu, hot, 64 clients")
        self.watched = Series(f"Zhiliu, hot, {asked.watchers} watchers")
        self.amounts = load.rising(market.START, market.STEP)
        self.cold_bids = market.cold_script(made)  # each lot's amounts go on rising from round to round
        self.accepted = self.events = 0

    def warm_up(self) -> None:
        """Until each worker has its connections and has seen each kind of request."""
        n, lots = self.asked.clients, self.asked.lots
        load.run(Y2, 1, 30, lambda _n, last: None if last else load.post_json(f"/setup/{lots}", {}))
        load.run(Y2, n, 2, yard_hot_script())
        for script in (market.hot_script, market.page_script):
            measured = load.run(SITE, n, 2, script(self.made, self.amounts))
            self.accepted += measured.count(200, 201)

    def run(self) -> None:
        n, s, lots = self.asked.clients, self.asked.seconds, self.asked.lots
        load.run(Y2, 1, 30, lambda _n, last: None if last else load.post_json(f"/setup/{lots}", {}))
        self.y0_hot.rates.append(floor.transactions_a_second(self.yard_url, 1, n, int(s)))
        self.drive(self.y1, Y1, n, lambda _n, _a: load.get("/"))
        self.drive(self.y2_hot, Y2, n, yard_hot_script())
        self.ours(self.hot, n, market.hot_script(self.made, self.amounts))
        self.ours(self.page, n, market.page_script(self.made, self.amounts))
        self.ours(self.watched, n, market.hot_script(self.made, self.amounts), self.asked.watchers)
        self.ours(self.crowd, 64, market.hot_script(self.made, self.amounts))
        self.y0_all.rates.append(floor.transactions_a_second(self.yard_url, lots, n, int(s)))
        self.drive(self.y2_all, Y2, n, yard_script(lots))
        self.ours(self.cold, n, self.cold_bids)

    def ours(self, series: Series, clients: int, script: load.Script, watchers: int = 0) -> None:
        measured = self.drive(series, SITE, clients, script, watchers)
        self.accepted += measured.count(200, 201)
        self.events += measured.events

    def drive(self, series: Series, port: int, clients: int, script: load.Script, watchers: int = 0) -> load.Measured:
        path = f"/lots/{self.made.hot}/events"
        before = self.used(port)
        measured = load.run(port, clients, self.asked.seconds, script, path, watchers)
        after = self.used(port)
        series.add(measured, (after[0] - before[0], after[1] - before[1]))
        return measured

    def used(self, port: int) -> tuple[float, float]:
        """CPU seconds so far: the web server at this port; PostgreSQL with Redis."""
        postgres, redis = self.servers.postgres.get_pid(), self.servers.redis
        return cpu_seconds(self.pids[port]), sum(
            cpu_seconds(pid) for pid in (postgres, redis.pid if redis else 0) if pid
        )

    def report(self) -> None:
        for series in (self.y0_hot, self.y0_all, self.y1, self.y2_hot, self.y2_all, self.hot, self.page, self.cold,
                       self.crowd, self.watched):  # fmt: skip
            print(series.line())
        print("\nratios (bids answered)            of Y0    of Y1    of Y2   CPU an answer, of Y1")
        hot = [(series, self.y0_hot, self.y2_hot) for series in (self.hot, self.page, self.crowd)]
        for series, floor_of, yard in (*hot, (self.cold, self.y0_all, self.y2_all)):
            shares = [series.value / other.value for other in (floor_of, self.y1, yard)]
            cpu = f"{series.cpu_ms / self.y1.cpu_ms:16.1f} ×" if self.y1.cpu_ms else ""
            print(f"{series.name:32}" + "".join(f"{share:8.0%} " for share in shares) + cpu)
        share = self.watched.value / self.hot.value
        print(f"with {self.asked.watchers} live watchers {share:.0%} of without; they got {self.events} states")


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
