"""``flask demo`` as a newcomer runs it: a whole sale, a second run, Ctrl-C, and everything that can be set wrong."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select, text

from marketplace import Zhiliu
from marketplace.cases.models import Case
from marketplace.core.db import db
from marketplace.demo.servers import LocalServers
from tests.factories.parties import make_org

ROOT = Path(__file__).resolve().parents[2]
SET = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PASSWORD_SALT", "SIGNING_KEY_FILE", "BASE_URL", "DEMO")
WHOLE_SECONDS = 180  # "one sandbox sale visibly to its end in under 3 minutes"
pytestmark = pytest.mark.timeout(420)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="zl-demo-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


class Demo:
    """A demo in a process of its own; every process of it carries a mark in its environment."""

    def __init__(self, folder: Path, *options: str, **settings: str) -> None:
        self.mark = uuid.uuid4().hex
        environment = {name: value for name, value in os.environ.items() if name not in SET}
        environment |= {"ZHILIU_VAR": str(folder), "DEMO_MARK": self.mark, **settings}
        self.output = folder / f"out-{self.mark}.txt"
        self.port = free_port()
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "demo", "--port", str(self.port), *options],
                cwd=ROOT, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while words not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, f"no {words!r} in {seconds} s:\n{self.said}"
            time.sleep(0.1)

    def end(self, seconds: float) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not ended in {seconds} s:\n{self.said}") from None

    def alive(self) -> list[str]:
        """What still runs of it: by the mark, or by its folders for servers that change user or title."""
        found = []
        folders = (str(self.output.parent), str(LocalServers(self.output.parent / "servers").socket_dir))
        for process in psutil.process_iter(["cmdline"]):
            try:
                marked = process.environ().get("DEMO_MARK") == self.mark
            except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
                marked = False
            words = " ".join(process.info["cmdline"] or [])
            if marked or any(folder in words for folder in folders):
                found.append(f"{process.pid} {words[:400]}")
        return found

    def clear(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@pytest.fixture
def demos() -> Iterator[list[Demo]]:
    started: list[Demo] = []
    yield started
    for demo in started:
        demo.clear()


def test_a_whole_demo_then_a_second_one_stopped_in_the_middle_of_its_sale(folder: Path, demos: list[Demo]) -> None:
    began = time.monotonic()
    demos.append(first := Demo(folder, "--no-stay"))
    assert first.end(WHOLE_SECONDS) == 0, first.said
    assert time.monotonic() - began < WHOLE_SECONDS
    for words in ("出价 bid #1", "延时至 extended to", "落槌 closed", "核验通过", "release order", "网站已就绪"):
        assert words in first.said, first.said
    assert f"http://127.0.0.1:{first.port}" in first.said
    for login in ("manager", "bank", "bidder", "regulator"):
        assert f"{login}@demo.zhiliu.example" in first.said
    protocol = folder / "demo" / "protocol.pdf"
    assert str(protocol) in first.said and protocol.read_bytes().startswith(b"%PDF-")
    assert first.alive() == []

    demos.append(second := Demo(folder))
    second.wait_for("出价 bid #2", 120)
    running = second.alive()
    assert any("gunicorn" in line for line in running), running
    assert any("redis" in line for line in running), running
    assert any("postgres" in line for line in running), running
    assert sum("jobs" in line for line in running) >= 4, running
    demos.append(third := Demo(folder))
    assert third.end(30) == 2 and "另一个演示正在运行 another demo already runs on" in third.said
    assert str(folder) in third.said and "Traceback" not in third.said
    second.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    second.process.send_signal(signal.SIGINT)  # an impatient second one changes nothing
    assert second.end(45) == 0, second.said
    assert "已停止 stopped" in second.said and "Traceback" not in second.said, second.said
    assert second.alive() == []


def test_ctrl_c_while_the_servers_start_leaves_nothing_behind(folder: Path, demos: list[Demo]) -> None:
    demos.append(demo := Demo(folder))
    demo.wait_for("1/5", 60)
    demo.process.send_signal(signal.SIGINT)
    assert demo.end(60) == 0, demo.said
    assert "已停止 stopped" in demo.said and "Traceback" not in demo.said, demo.said
    assert demo.alive() == []


def test_named_servers_are_used_and_real_organisations_are_left_alone(
    app: Zhiliu, servers: LocalServers, folder: Path, demos: list[Demo]
) -> None:
    url = servers.create_database(f"demo_{uuid.uuid4().hex[:8]}")
    demos.append(demo := Demo(folder, "--no-stay", "--no-sale", DATABASE_URL=url, REDIS_URL=servers.redis_url))
    assert demo.end(150) == 0, demo.said
    assert "网站已就绪" in demo.said
    assert not (folder / "servers").exists(), "no server of its own"

    make_org("bank")
    cases = db.session.scalar(select(func.count()).select_from(Case))
    held = app.settings.database_url.replace("postgresql+psycopg://", "postgresql://")
    demos.append(refused := Demo(folder, "--no-stay", DATABASE_URL=held, REDIS_URL=servers.redis_url))
    assert refused.end(60) == 1
    assert "1 个真实机构" in refused.said and "name an empty one" in refused.said, refused.said
    assert "Traceback" not in refused.said and "正在停止" in refused.said
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Case)) == cases
    assert db.session.scalar(text("SELECT count(*) FROM organisation")) == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/none"}, "DATABASE_URL: "),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "REDIS_URL: "),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL: Value error, must be a postgresql:// address"),
    ],
)
def test_a_server_that_is_not_there_is_named(
    servers: LocalServers, folder: Path, demos: list[Demo], settings: dict[str, str], told: str
) -> None:
    given = {"DATABASE_URL": servers.database_url(), "REDIS_URL": servers.redis_url}
    demos.append(demo := Demo(folder, "--no-stay", **given | settings))
    assert demo.end(60) == 1, demo.said
    assert told in demo.said and "Traceback" not in demo.said, demo.said


def test_a_file_that_cannot_be_sold_is_named(servers: LocalServers, folder: Path, demos: list[Demo]) -> None:
    (folder / "odd.csv").write_text("a,b\n1,2\n")
    url = servers.create_database(f"demo_{uuid.uuid4().hex[:8]}")
    options = ("--no-stay", "--records", str(folder / "odd.csv"))
    demos.append(demo := Demo(folder, *options, DATABASE_URL=url, REDIS_URL=servers.redis_url))
    assert demo.end(90) == 1
    assert "无法运行演示 the demo cannot run: odd.csv: " in demo.said and "Traceback" not in demo.said, demo.said


def routes(**settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in SET}
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi:app", "routes"],
        cwd=ROOT, env=environment | settings, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_every_missing_setting_is_named_at_once() -> None:
    done = routes()
    assert done.returncode != 0 and "Traceback" not in done.stderr
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PASSWORD_SALT", "SIGNING_KEY_FILE"):
        assert f"  {name}: is missing / 未设置" in done.stderr, done.stderr


def test_every_bad_setting_is_named_at_once_and_no_secret_is_shown() -> None:
    done = routes(
        DATABASE_URL="mysql://u:hush@h/d", REDIS_URL="http://h", SECRET_KEY="tooshort", PASSWORD_SALT="short",
        SIGNING_KEY_FILE="/no/such.pem", BASE_URL="h", DATABASE_POOL="0", MAX_UPLOAD_MB="many", TRUSTED_PROXIES="9",
        SECURE_COOKIES="perhaps",
    )  # fmt: skip
    assert done.returncode != 0 and "Traceback" not in done.stderr
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PASSWORD_SALT", "SIGNING_KEY_FILE", "BASE_URL",
                 "DATABASE_POOL", "MAX_UPLOAD_MB", "TRUSTED_PROXIES", "SECURE_COOKIES"):  # fmt: skip
        assert f"\n  {name}: " in done.stderr, done.stderr
    assert "hush" not in done.stderr and "tooshort" not in done.stderr
