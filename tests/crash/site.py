"""A real site in processes on the test's servers, and clients that bid over HTTP until they have an answer."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

from marketplace import Zhiliu
from marketplace.demo.processes import Processes, job_commands, web_command

LOST = (URLError, ConnectionError, TimeoutError, OSError, HTTPException)  # the last: cut off in a head or a body


def wait_until(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """Until it holds; fails after so many seconds."""
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return found


@dataclass
class Site:
    """The web server, the tick and the workers; each can be killed with all it started."""

    app: Zhiliu
    logs: Path
    port: int
    processes: Processes

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *names: str) -> None:
        commands = {"web": web_command(self.port)} | job_commands()
        for name in names:
            self.processes.start(name, commands[name.split("#")[0]])

    def kill(self, *names: str) -> None:
        for name in names:
            self.processes.kill(name)

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.base + "/health/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except LOST:
            return False


@contextmanager
def running_site(app: Zhiliu, folder: Path) -> Iterator[Site]:
    settings = app.settings
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        "DATABASE_URL": settings.database_url.replace("postgresql+psycopg://", "postgresql://"),
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "PASSWORD_SALT": settings.password_salt,
        "SIGNING_KEY_FILE": str(settings.signing_key_file),
        "MAIL_DIR": str(folder / "mail"),
        "SEARCH_DIR": str(settings.search_dir),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "SECURE_COOKIES": "false",
        "DATABASE_POOL": "10",
        "RATE_LIMITS": "false",  # six clients at full speed
        "ZHILIU_VAR": str(folder),
        "PLATFORM_ACCOUNT_NAME": settings.platform_account_name,
        "PLATFORM_ACCOUNT_NO": settings.platform_account_no,
        "PLATFORM_BANK_NAME": settings.platform_bank_name,
    }
    site = Site(app, folder / "logs", port, Processes(folder / "logs", environment))
    try:
        yield site
    finally:
        site.processes.stop()


@dataclass
class Answer:
    """One definite answer to one key."""

    status: int
    body: dict[str, Any]


@dataclass
class Client(threading.Thread):
    """One organisation's system: bids the standing minimum again and again, each with a key of its own. What got no
    answer is kept in ``unanswered`` with what was sent."""

    base: str
    secret: str
    lot_id: int
    start_minor: int
    stop: threading.Event
    answers: dict[str, Answer] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def call(self, method: str, path: str, body: Any = None, key: str = "") -> Answer:
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Answer(answer.status, json.loads(answer.read()))
        except HTTPError as error:
            return Answer(error.code, json.loads(error.read()))

    def bid(self, key: str) -> Answer:
        return self.call("POST", f"/api/v1/lots/{self.lot_id}/bids", {"amount_minor": self.sent[key]}, key)

    def run(self) -> None:
        amount = self.start_minor
        while not self.stop.is_set():
            key = uuid.uuid4().hex
            self.sent[key] = amount
            try:
                answer = self.bid(key)
            except (*LOST, ValueError):  # nobody there, or cut off in the middle of the answer
                self.unanswered.append(key)
                self.stop.wait(0.1)
                continue
            if answer.status not in (201, 409):
                if answer.status == 503:
                    self.unanswered.append(key)
                else:
                    self.odd.append(f"{answer.status} {answer.body}")
                self.stop.wait(0.1)
                continue
            self.answers[key] = answer
            amount = answer.body["standing"]["minimum_minor"] or amount
            if answer.body["standing"]["state"] not in ("running",):
                return
            if answer.body["standing"]["leading"]:
                self.stop.wait(0.03)
