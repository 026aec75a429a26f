"""The database: declarative base, column types, and the unit of work.

Law 1: one transaction a request or job, opened and committed at the edge. Services add to ``db.session`` and
flush; they never commit. ``unit_of_work`` is the only place in the house that commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from typing import Annotated, Any

import psycopg
from flask_sqlalchemy import SQLAlchemy
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Identity,
    LargeBinary,
    MetaData,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Key = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Created = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())]


class Base(DeclarativeBase):
    """All tables. ``datetime`` is timestamptz, ``int`` BIGINT, ``dict``/``list`` JSONB, ``list[str]`` text[]."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={
            datetime: DateTime(timezone=True),
            date: Date(),
            int: BigInteger(),
            str: Text(),
            bytes: LargeBinary(),
            dict[str, Any]: JSONB(),
            list[Any]: JSONB(),
            list[str]: ARRAY(Text()),
        },
    )


db = SQLAlchemy(model_class=Base)
_after: ContextVar[list[Callable[[], None]] | None] = ContextVar("after_commit", default=None)


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A CHECK that keeps a state column to its named states."""
    listed = ", ".join(f"'{v}'" for v in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def after_commit(call: Callable[[], None]) -> None:
    """Run ``call`` once this unit of work has committed. For wake-ups only: whatever must not be lost is an
    outbox row or a deadline row, because a crash between commit and ``call`` loses the call."""
    calls = _after.get()
    if calls is not None:
        calls.append(call)


Run = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]  # a statement with ``%s`` places and its values → rows


def run_sql(statement: str, params: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """One statement (``%s`` places) in the session's own transaction, without the layers between. Faults are
    SQLAlchemy's, as everywhere."""
    session = db.session()
    session.flush()
    driver: psycopg.Connection[Any] = session.connection().connection.driver_connection  # type: ignore[assignment]
    try:
        cursor = driver.execute(statement.encode(), params)
        return cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error) from error


def let_go() -> None:
    """Commit what the session has read so far and give its connection back, before a wait for other threads."""
    if db.session.registry.has() and db.session().in_transaction():
        db.session.commit()


@contextmanager
def two_trips() -> Iterator[tuple[Run, Run]]:
    """A transaction of its own in two round trips, beside the session: BEGIN travels with the ``first`` statement,
    COMMIT with the ``last``, so that its locks end in the database and do not wait for this thread's next turn. Left
    without the last statement, it is rolled back. For bids over HTTP alone (docs/house.md).

    The session holds no connection meanwhile: a thread that waited for a second one while others wait for its first
    would stop the house."""
    let_go()
    pooled = db.engine.raw_connection()
    driver: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
    statement = ""

    def first(asked: str, params: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        nonlocal statement
        statement = asked
        cursor.execute(b"BEGIN; " + asked.encode(), params)
        cursor.nextset()
        return cursor.fetchall()

    def last(asked: str, params: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        nonlocal statement
        statement = asked
        cursor.execute(asked.encode() + b"; COMMIT", params)
        return []

    try:
        driver.autocommit = True  # else the driver would make a trip of its own for BEGIN
        cursor = psycopg.ClientCursor(driver)  # statements together travel with their values written in
        yield first, last
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error) from error
    finally:
        _give_back(pooled, driver)


def _give_back(pooled: Any, driver: psycopg.Connection[Any]) -> None:
    """To the pool, as it was; a connection that is lost is not given back."""
    try:
        if driver.info.transaction_status is not TransactionStatus.IDLE:
            driver.rollback()
        driver.autocommit = False
    except psycopg.Error:
        pooled.invalidate()
    else:
        pooled.close()


@contextmanager
def unit_of_work() -> Iterator[None]:
    """Commit what happened inside, or roll all of it back. Used at the edge only: request, job, command."""
    calls: list[Callable[[], None]] = []
    token = _after.set(calls)
    try:
        yield
        if db.session.registry.has() and db.session().in_transaction():  # else nothing was asked of the database
            db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        _after.reset(token)
    for call in calls:
        call()


__all__ = [
    "Base",
    "Created",
    "Key",
    "Mapped",
    "Run",
    "after_commit",
    "db",
    "let_go",
    "mapped_column",
    "one_of",
    "run_sql",
    "two_trips",
    "unit_of_work",
]
