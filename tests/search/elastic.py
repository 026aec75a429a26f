"""A real Elasticsearch for the tests: Elastic's own server from Maven Central, one node on this machine.

    with start_node() as node:        # a node of one's own, about ten seconds; for outages
        Elasticsearch(node.url)
        node.freeze(); node.thaw()    # accepts connections, answers nothing / goes on
        node.kill(); node.start()     # dies as in a power cut / comes back on the same port with its data

Tests that only need a node take the fixture ``elasticsearch_url``: one node for all workers of a run.
``python -m tests.search.elastic`` fetches the server beforehand, so that no test waits for the download.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECIPE = Path(__file__).resolve().parent / "node"
MAVEN = ["mvn"]
OLDEST_JAVA = 17
DEBIAN_JAVAS = Path("/usr/lib/jvm")
START_SECONDS = 150


class NoNodeHere(Exception):
    """This machine lacks what a node needs; the text says what."""


class NodeFailed(Exception):
    """What is needed is there, but the node could not be fetched or did not start; the text says why."""


def find_java() -> Path:
    """The home of a Java that can run the server: ``JAVA_HOME``, the one on the path, then any of Debian's."""
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    if on_path := shutil.which("java"):
        homes.append(Path(on_path).resolve().parent.parent)
    homes += sorted(DEBIAN_JAVAS.glob("*"))
    for home in homes:
        if (home / "bin" / "java").is_file():
            # the version goes to stderr, as: openjdk version "17.0.15" 2025-04-15
            told = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True).stderr
            found = re.search(r'version "(\d+)', told)
            if found and int(found[1]) >= OLDEST_JAVA:
                return home
    raise NoNodeHere(f"no Java {OLDEST_JAVA} or newer on this machine (Debian: openjdk-17-jre-headless)")


def runner() -> tuple[int, int] | None:
    """Whom the server runs as: it refuses to be root, so root lends it to nobody. None: as we are."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return nobody.pw_uid, nobody.pw_gid


def cache_folder() -> Path:
    """``var/es-node``, unless it lies where only root may look and the server, which runs as nobody, could not read."""
    folder = ROOT / "var" / "es-node"
    if runner() is not None and not all(parent.stat().st_mode & 0o001 for parent in ROOT.parents):
        folder = Path(tempfile.gettempdir()) / "zhiliu-es-node-root"
    return folder


def recipe_tag() -> str:
    return hashlib.sha256((RECIPE / "pom.xml").read_bytes()).hexdigest()[:12]


def is_fetched() -> bool:
    """Whether a node can start without a download."""
    return (cache_folder() / recipe_tag()).is_dir()


def fetch_server() -> Path:
    """The server's folder, fetched by Maven when the recipe is new; safe when several processes ask at once."""
    cache = cache_folder()
    cache.mkdir(mode=0o755, parents=True, exist_ok=True)
    if cache.is_symlink() or cache.stat().st_uid != os.geteuid():
        raise NodeFailed(f"{cache} is not ours")
    if runner() is not None:
        cache.chmod(0o755)
        if cache.parent.name == "var":
            cache.parent.chmod(cache.parent.stat().st_mode | 0o001)
    ready = cache / recipe_tag()
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.is_dir():
            if not shutil.which("mvn"):
                raise NoNodeHere("no Maven on this machine to fetch Elasticsearch with (Debian: maven)")
            half = cache / f"{ready.name}.half"
            shutil.rmtree(half, ignore_errors=True)
            try:
                _maven(half)
                half.rename(ready)
            finally:
                shutil.rmtree(half, ignore_errors=True)
    return next(ready.glob("elasticsearch-*"))


def _maven(folder: Path) -> None:
    command = [*MAVEN, "--batch-mode", "--quiet", "--strict-checksums", "-Dstyle.color=never"]
    command += ["-f", str(RECIPE / "pom.xml"), f"-Dnode.folder={folder}", "package"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, umask=0o022)
    if run.returncode != 0 or not list(folder.glob("elasticsearch-*/bin/elasticsearch")):
        said = [line for line in (run.stdout + run.stderr).splitlines() if "ERROR" in line]
        raise NodeFailed(
            "Maven could not fetch Elasticsearch from Maven Central (about 107 MB, once). With no network, set "
            "ELASTICSEARCH_URL to a node on this machine. Maven said:\n" + "\n".join(said[:6])
        )


class Node:
    """One server process with its own data under the temporary folder. Not thread-safe.

    ``quick``: without the optimising compiler the server starts in half the time; pass False to measure speed.
    """

    def __init__(self, *, heap_mb: int = 512, quick: bool = True) -> None:
        self.java = find_java()
        self.server = fetch_server()
        self.java_options = f"-Xms{heap_mb}m -Xmx{heap_mb}m" + (" -XX:TieredStopAtLevel=1" if quick else "")
        self.port = 0
        self.folder = Path(tempfile.mkdtemp(prefix="zhiliu-es-"))
        shutil.copytree(RECIPE / "config", self.folder / "config")
        for name in ("data", "logs", "tmp"):
            (self.folder / name).mkdir()
        if owner := runner():
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, *owner)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "node.log"

    def start(self) -> None:
        """Returns when the node answers. A second start keeps the port and the data."""
        owner = runner()
        ports = self.folder / "logs" / "http.ports"
        ports.unlink(missing_ok=True)
        command = [str(self.server / "bin" / "elasticsearch"), f"-Ehttp.port={self.port}"]
        command += [f"-Epath.data={self.folder / 'data'}", f"-Epath.logs={self.folder / 'logs'}"]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ES_JAVA_HOME": str(self.java),
            "ES_JAVA_OPTS": self.java_options,
            "ES_PATH_CONF": str(self.folder / "config"),
            "ES_TMPDIR": str(self.folder / "tmp"),
        }
        with self.log.open("ab") as log:
            # a session of its own: the launcher and the server it starts take signals as one group
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=owner[0] if owner else None,
                group=owner[1] if owner else None,
                extra_groups=[] if owner else None,
            )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise NodeFailed(f"Elasticsearch ended while starting:\n{self._last_words()}")
            if ports.is_file() and (told := ports.read_text().split()):
                self.port = int(told[0].rsplit(":", 1)[1])
                if self.answers():
                    return
            time.sleep(0.1)
        raise NodeFailed(f"Elasticsearch did not answer in {START_SECONDS} s:\n{self._last_words()}")

    def answers(self, seconds: float = 5) -> bool:
        """Whether the node answers and has chosen itself as master."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=3s")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def freeze(self) -> None:
        """The server stands still: its port accepts, nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """The server dies at once, without a chance to write anything. Returns when its port refuses."""
        self._signal(signal.SIGKILL)
        self._wait(20)

    def stop(self) -> None:
        """The server ends in order; harmless when it has ended already."""
        if self.process is None or self.process.poll() is not None:
            return
        self.thaw()
        self.process.terminate()
        try:
            self._wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def close(self) -> None:
        """Stops the server and removes its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError("the node does not run")
        os.killpg(self.process.pid, number)

    def _wait(self, seconds: float) -> None:
        """Until the launcher has ended and the server, its child, has let go of the port."""
        end = time.monotonic() + seconds
        if self.process is not None:
            self.process.wait(seconds)
        while self._listens():
            if time.monotonic() > end:
                raise NodeFailed(f"Elasticsearch still holds port {self.port} {seconds} s after its end was asked for")
            time.sleep(0.02)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return self.port != 0 and probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def start_node(*, heap_mb: int = 512, quick: bool = True) -> Iterator[Node]:
    """A node of one's own for the length of the block. Raises NoNodeHere or NodeFailed."""
    node = Node(heap_mb=heap_mb, quick=quick)
    try:
        node.start()
        yield node
    finally:
        node.close()


if __name__ == "__main__":
    find_java()
    print(fetch_server())  # noqa: T201
