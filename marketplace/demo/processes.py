"""The processes of a running site, started and stopped together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from jobs.queues import QUEUES

ROOT = Path(__file__).resolve().parents[2]


def web_command(port: int, host: str = "127.0.0.1", workers: int = 2, threads: int = 32) -> list[str]:
    """The web server as production runs it (docs/deploy.md)."""
    return [
        sys.executable, "-m", "gunicorn", "wsgi:app", "--worker-class", "gthread", "--workers", str(workers),
        "--threads", str(threads), "--bind", f"{host}:{port}", "--timeout", "60", "--graceful-timeout", "5",
        "--keep-alive", "30", "--log-level", "warning",
        "--limit-request-line", "0",  # a page of ours answers a long question, not the server's refusal
    ]  # fmt: skip


def job_commands() -> dict[str, list[str]]:
    """The tick and one worker for each queue."""
    flask = [sys.executable, "-m", "flask", "--app", "wsgi:app", "jobs"]
    return {"tick": [*flask, "tick"]} | {f"worker-{queue}": [*flask, "work", queue] for queue in QUEUES}


@dataclass
class Processes:
    """Children of this process, each in its own session, with a log file each in ``logs``."""

    logs: Path
    environment: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: list[str]) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | self.environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def ended(self) -> list[str]:
        """Names of children that are no longer running."""
        return [name for name, child in self.running.items() if child.poll() is not None]

    def kill(self, name: str) -> None:
        """``kill -9`` a child with everything it started; for tests of what survives."""
        child = self.running.pop(name)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def stop(self, patience_seconds: float = 8) -> None:
        """Ask all to end, then make them."""
        for child in self.running.values():
            if child.poll() is None:
                child.terminate()
        until = time.monotonic() + patience_seconds
        for child in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, until - time.monotonic()))
            with contextlib.suppress(ProcessLookupError):  # whatever the child itself left behind
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        self.running.clear()
