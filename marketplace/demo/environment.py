"""The environment of a demo: what the caller set, and for the rest local servers and keys under ``var/``."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from marketplace.core.signing import new_key_file
from marketplace.demo.processes import ROOT
from marketplace.demo.servers import LocalServers

VAR = Path(os.environ.get("ZHILIU_VAR", ROOT / "var"))


class DemoRunning(RuntimeError):
    """Another demo runs on the same folder."""


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Two demos on one folder would stop each other's servers."""
    folder.mkdir(parents=True, exist_ok=True)
    lock: IO[str] = (folder / "demo.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise DemoRunning(str(folder)) from None
    try:
        yield
    finally:
        lock.close()


def kept_secrets(folder: Path) -> dict[str, str]:
    """Keys made at the first run and kept, so that a second run reads what the first one wrote."""
    path = folder / "secrets.json"
    if not path.is_file():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "PASSWORD_SALT": secrets.token_urlsafe(24),
            "DEMO_PASSWORD": f"demo-{secrets.token_hex(4)}",
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(made, file)
    return dict(json.loads(path.read_text()))


def free_port(wanted: int) -> int:
    """``wanted`` if nothing listens there, else the next free one."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port from {wanted} on")


@contextmanager
def demo_environment(port: int, folder: Path = VAR) -> Iterator[dict[str, str]]:
    """Settings for the processes of a demo; local servers run while inside, unless the caller named others."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "signing.pem"
    if not key.is_file():
        new_key_file(key)
    defaults = kept_secrets(folder) | {
        "SIGNING_KEY_FILE": str(key),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "MAIL_DIR": str(folder / "mail"),
        "SEARCH_DIR": str(folder / "search"),
        "SECURE_COOKIES": "false",
        "PLATFORM_ACCOUNT_NAME": "知流演示专户（非真实账户）",
        "PLATFORM_ACCOUNT_NO": "0000 0000 0000 0000",
        "PLATFORM_BANK_NAME": "演示银行（非真实银行）",
    }
    environment = {name: os.environ.get(name, value) for name, value in defaults.items()}
    environment["DEMO"] = "true"
    servers: LocalServers | None = None
    if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
        servers = LocalServers(folder / "servers")
    try:
        if servers is not None:
            servers.start()  # inside, so that a Ctrl-C in its middle stops what has started
            environment["DATABASE_URL"] = os.environ.get("DATABASE_URL") or servers.create_database("zhiliu")
            environment["REDIS_URL"] = os.environ.get("REDIS_URL") or servers.redis_url
        else:
            environment |= {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
        yield environment
    finally:
        if servers is not None:
            servers.stop()
