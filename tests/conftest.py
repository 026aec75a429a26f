"""Real PostgreSQL and Redis for every test run; each worker process has its own servers and database.

Tests commit for real. After each test that used the database, all rows are removed (with the append-only
triggers off for that moment), so a test starts from an empty, migrated database.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import settings
from sqlalchemy import text
from werkzeug.test import TestResponse

from marketplace import Zhiliu, create_app
from marketplace.core.cli import compile_all
from marketplace.core.db import db
from marketplace.core.settings import Settings
from marketplace.core.signing import new_key_file
from marketplace.demo.servers import LocalServers

ROOT = Path(__file__).resolve().parent.parent
RECORDS = Path(os.environ.get("ZHILIU_RECORDS", ROOT.parent / "shared" / "data"))
settings.register_profile("zhiliu", deadline=None)  # a busy machine is no fault of the code: no timed assertions
settings.load_profile("zhiliu")
EMPTY_TABLES = """
DO $$ DECLARE t record; found boolean; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', t.tablename) INTO found;
    IF found THEN EXECUTE format('DELETE FROM %I', t.tablename); END IF;
  END LOOP;
END $$"""


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """No test reaches beyond this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> object:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        return connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def handlers_stay() -> Iterator[None]:
    """A handler that a test takes away or replaces for good would fail the tests that follow."""
    from marketplace.core import approvals, deadlines, outbox

    tables: list[dict[str, Any]] = [approvals._acts, deadlines._handlers, outbox._handlers]
    before = [dict(table) for table in tables]
    yield
    for table, kept in zip(tables, before, strict=True):
        assert {name: table.get(name) for name in kept} == kept, "this test left another handler behind"


@pytest.fixture(scope="session")
def servers() -> Iterator[LocalServers]:
    folder = Path(tempfile.mkdtemp(prefix="zhiliu-test-"))
    try:
        with LocalServers(folder, durable=False) as local:
            yield local
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def settings(servers: LocalServers, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("settings")
    new_key_file(folder / "signing.pem")
    return Settings(
        database_url=servers.create_database("zhiliu_test"),
        redis_url=servers.redis_url,
        secret_key="test-" * 10,
        password_salt="salt-" * 5,
        signing_key_file=folder / "signing.pem",
        testing=True,
        secure_cookies=False,
        rate_limits=False,
        mail_dir=folder / "mail",
        search_dir=folder / "search",
        base_url="http://127.0.0.1:8000",
        database_pool=20,
        platform_account_name="知流演示专户",
        platform_account_no="6200 0000 0000 0001",
        platform_bank_name="演示银行",
    )


class SeparateRequests(FlaskClient):
    """Each request in an application context of its own, as in a server: otherwise ``g`` (who is signed in, the
    language) and the database session of one request would leak into the next and into the test."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        db.session.commit()
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture(scope="session")
def _app(settings: Settings) -> Iterator[Zhiliu]:
    import flask_migrate

    compile_all()
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = SeparateRequests
    with app.app_context():
        flask_migrate.upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(_app: Zhiliu) -> Iterator[Zhiliu]:
    """The application on an empty database, with an application context pushed."""
    from redis import Redis

    with Redis.from_url(_app.settings.redis_url) as redis:
        redis.flushall()
    with _app.app_context():
        yield _app
        db.session.rollback()
        db.session.remove()
        with db.engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '20s'"))
            connection.execute(text(EMPTY_TABLES))


@pytest.fixture
def client(app: Zhiliu) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def records() -> Path:
    """The folder of real public records; they are not part of the repository."""
    if not RECORDS.is_dir():
        if os.environ.get("ZHILIU_NO_SKIPS"):
            pytest.fail(f"no records at {RECORDS}")
        pytest.skip(f"no real records at {RECORDS}")
    return RECORDS
