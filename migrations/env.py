"""Alembic environment: the application's own engine, one transaction for all, a lock against two at once."""

from alembic import context
from flask import current_app
from sqlalchemy import text

db = current_app.extensions["migrate"].db


def run() -> None:
    with db.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(20250017)"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            compare_type=True,
            compare_server_default=False,
            render_as_batch=False,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(20250017)"))
        connection.commit()


run()
