"""``make demo``: servers, database, demo data, site, one sale to its end, then the site stays up."""

from __future__ import annotations

import os
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError

from marketplace.demo.environment import VAR, DemoRunning, demo_environment, free_port, only_one
from marketplace.demo.processes import Processes, job_commands, web_command


class Stopped(Exception):
    """Somebody asked us to stop."""


class CannotRun(RuntimeError):
    """The demo cannot begin or go on; the text says why and what to do."""


STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(text: str = "") -> None:
    print(text, flush=True)


def _stop(*_: object) -> None:
    raise Stopped


def _heed(handler: Any) -> None:
    for number in STOPPING:
        signal.signal(number, handler)


@contextmanager
def _not_in_the_middle() -> Iterator[None]:
    """A stop that comes while servers start waits until they stand: half-started ones could not be found again."""
    asked: list[int] = []
    _heed(lambda number, _frame: asked.append(number))
    try:
        yield
    except Exception:
        if not asked:
            raise
    finally:
        _heed(_stop)
    if asked:
        raise Stopped


def run(*, records: Path | None, port: int, sale: bool, stay: bool, folder: Path = VAR) -> int:
    """0 when the sale ended well (and the site was stopped by the user), 1 when something failed, 2 when another
    demo holds the folder."""
    _heed(_stop)
    try:
        with only_one(folder):
            return _run(records, port, sale, stay, folder)
    except DemoRunning:
        say(f"另一个演示正在运行 another demo already runs on {folder}")
        return 2
    except CannotRun as reason:
        say(f"无法运行演示 the demo cannot run: {reason}")
        return 1
    except Stopped:
        say("\n已停止 stopped")
        return 0


def _run(records: Path | None, wanted: int, sale: bool, stay: bool, folder: Path) -> int:
    port = free_port(wanted)
    base = f"http://127.0.0.1:{port}"
    say("1/5 启动数据库与队列 starting PostgreSQL and Redis …")
    with ExitStack() as cleanup:
        # entered last, left first: while things stop, a second Ctrl-C must not leave servers behind
        with _not_in_the_middle():
            environment = cleanup.enter_context(demo_environment(port, folder))
        cleanup.callback(_heed, signal.SIG_IGN)
        os.environ.update(environment)
        processes = Processes(folder / "logs", environment)
        cleanup.callback(processes.stop)
        cleanup.callback(say, "正在停止 stopping …")
        cleanup.callback(_heed, signal.SIG_IGN)
        say("2/5 建表与演示数据 migrating, loading demo data …")
        app, case_id = _prepare(environment["DEMO_PASSWORD"], records)
        say("3/5 启动网站与后台任务 starting site, tick and workers …")
        processes.start("web", web_command(port))
        for name, command in job_commands().items():
            processes.start(name, command)
        _wait_ready(base, processes)
        if sale:
            say("4/5 一场完整的沙盒拍卖（加速时钟）a whole sandbox sale on an accelerated clock")
            from marketplace.demo import sale as show

            try:
                show.run(app, base, case_id, folder / "demo", lambda text: say("   " + text))
            except show.SaleFailed as failure:
                say(f"演示失败 the demo sale failed: {failure}\n日志 logs: {processes.logs}")
                return 1
        return _stay(base, environment["DEMO_PASSWORD"], processes, stay)


def _prepare(password: str, records: Path | None) -> tuple[Any, int]:
    import flask_migrate
    from redis.exceptions import RedisError
    from sqlalchemy.exc import OperationalError

    from jobs import queues
    from marketplace import create_app
    from marketplace.core.cli import compile_all
    from marketplace.core.db import db
    from marketplace.demo import load

    compile_all()
    app = create_app()
    try:
        queues.connect(app).ping()
    except RedisError as error:
        raise CannotRun(f"REDIS_URL: {error}") from error
    try:
        load.refuse_real(app)
        with app.app_context():
            flask_migrate.upgrade()
        load.load(app, password)
    except OperationalError as error:
        raise CannotRun(f"DATABASE_URL: {str(error.orig).strip()}") from error
    except load.NotADemo as found:
        raise CannotRun(
            f"DATABASE_URL: 该数据库中有 {found} 个真实机构，演示不会改动它；请另建一个空数据库。"
            f"The database holds {found} real organisation(s) and was left as it is; name an empty one."
        ) from found
    if records is None:
        case_id = load.next_case(app)
    else:
        from marketplace.demo.records import RecordsRefused, case_from_records

        try:
            case_id = case_from_records(app, records, say)
        except RecordsRefused as refused:
            raise CannotRun(str(refused)) from refused
    say("   " + load.summary(app))
    load.fill_index(app, records)
    with app.app_context():
        db.engine.dispose()
    return app, case_id


def _wait_ready(base: str, processes: Processes) -> None:
    for _ in range(240):
        if processes.ended():
            raise CannotRun(f"进程退出 {', '.join(processes.ended())} ended, see {processes.logs}")
        try:
            with urllib.request.urlopen(base + "/health/ready", timeout=5):
                return
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.25)
    raise CannotRun(f"网站未能在 60 秒内就绪 the site did not become ready in 60 s, see {processes.logs}")


def _stay(base: str, password: str, processes: Processes, stay: bool) -> int:
    from marketplace.demo.sale import sign_ins

    say("5/5 网站已就绪 the site is up")
    say(f"\n   {base}\n\n   登录 sign-ins (demo only):")
    for line in sign_ins(base, password):
        say("  " + line)
    if not stay:
        return 0
    say("\n   Ctrl-C 停止 stops everything.")
    while True:
        time.sleep(1)
        if processes.ended():
            say(f"进程退出 a process ended: {processes.ended()}, logs: {processes.logs}")
            return 1


if __name__ == "__main__":
    sys.exit(run(records=None, port=8000, sale=True, stay=True))
