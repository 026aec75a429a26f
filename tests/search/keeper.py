"""Keeps one node for all test workers of a run, and ends it when the last of them is gone, however it went.

``python -m tests.search.keeper FOLDER``: each worker holds a shared lock on ``FOLDER/users`` while it may use the
node, the first of them starts this process and reads one line from it. The keeper waits for the lock alone: it gets
it when no worker is left, killed ones included, since the kernel takes their locks away.
"""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.search.elastic import ROOT, Node, NodeFailed, fetch_server, find_java

# a keeper outlives the worker that started it: kept here, it is not taken for forgotten
_keepers: list[subprocess.Popen[str]] = []


@contextmanager
def shared_node(folder: Path) -> Iterator[str]:
    """The address of the run's node, started by the first worker that asks. Raises NoNodeHere or NodeFailed."""
    find_java()
    fetch_server()
    with (folder / "users").open("a") as users:
        with (folder / "start").open("a") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            told = folder / "node.json"
            if not told.exists():
                told.write_text(_start_keeper(folder))
        answer = json.loads(told.read_text())
        if "failed" in answer:
            raise NodeFailed(answer["failed"])
        yield answer["url"]


def _start_keeper(folder: Path) -> str:
    with (folder / "keeper.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.search.keeper", str(folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    _keepers.append(process)
    assert process.stdout is not None
    with process.stdout as out:
        line = out.readline()
    return line or json.dumps({"failed": f"the keeper ended at once:\n{(folder / 'keeper.log').read_text()[-1500:]}"})


def _keep(folder: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    node = Node()
    try:
        try:
            node.start()
        except NodeFailed as failure:
            print(json.dumps({"failed": str(failure)}), flush=True)  # noqa: T201
            return
        print(json.dumps({"url": node.url}), flush=True)  # noqa: T201
        with (folder / "users").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            # a worker that asks only now starts anew
            (folder / "node.json").unlink(missing_ok=True)
    finally:
        node.close()


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
