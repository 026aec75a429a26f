"""The database: declarative base, column types, and the unit of work.

Law 1: one transaction a request or job, opened and committed at the edge. Services add to ``db.session`` and
flush; they never commit. ``unit_of_work`` is the only place in the house that commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any

import psycopg
from flask_sqlalchemy import SQLAlchemy
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


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A CHECK that keeps a state column to its named states."""
    listed = ", ".join(f"'{v}'" for v in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def after_commit(call: Callable[[], None]) -> None:
    """Run ``call`` once this unit of work has committed. For wake-ups only: whatever must not be lost is an
    outbox row or a deadline row, because a crash between commit and ``call`` loses the call."""
    db.session().info.setdefault("after_commit", []).append(call)


def run_sql(statement: str, params: tuple[Any, ...], then_commit: bool = False) -> psycopg.Cursor[Any]:
    """One statement (``%s`` parameters) in the session's own transaction, without the layers between: for the few
    statements that run hundreds of times a second. Faults are SQLAlchemy's, as everywhere.

    ``then_commit`` sends the COMMIT along with the statement, so that its locks end in the database and do not wait
    for this thread's next turn. Only for the last statement of a unit of work (see docs/house.md)."""
    session = db.session()
    session.flush()
    pooled = session.connection().connection
    driver: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
    try:
        if not then_commit:
            return driver.execute(statement.encode(), params)
        cursor = psycopg.ClientCursor(driver)  # statements together travel with their values written in
        cursor.execute(statement.encode() + b"; COMMIT", params)
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error) from error
    session.commit()  # the session learns of it; nothing is sent
    return cursor


@contextmanager
def unit_of_work() -> Iterator[None]:
    """Commit what happened inside, or roll all of it back. Used at the edge only: request, job, command."""
    session = db.session()
    session.info["after_commit"] = []
    try:
        yield
        if session.in_transaction():  # else nothing was asked of the database, or its last statement committed
            session.commit()
    except BaseException:
        session.rollback()
        raise
    for call in session.info.pop("after_commit", []):
        call()


__all__ = [
    "Base",
    "Created",
    "Key",
    "Mapped",
    "after_commit",
    "db",
    "mapped_column",
    "one_of",
    "run_sql",
    "unit_of_work",
]
