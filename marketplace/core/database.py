"""Engine settings and migrations for the application."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask_migrate import Migrate

from marketplace.core.db import db

if TYPE_CHECKING:
    from marketplace import Zhiliu

migrate = Migrate()
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def configure_database(app: Zhiliu) -> None:
    app.config["SQLALCHEMY_DATABASE_URI"] = app.settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        # a request holds one connection; waiting for ever for a second is how such systems hang
        "pool_size": app.settings.database_pool,
        "max_overflow": 0,
        "pool_timeout": 10,
        "pool_pre_ping": False,
        "connect_args": {
            "options": "-c timezone=UTC -c lock_timeout=8s -c statement_timeout=30s"
            " -c idle_in_transaction_session_timeout=60s",
            "application_name": "zhiliu",
        },
    }
    db.init_app(app)
    migrate.init_app(app, db, directory=str(MIGRATIONS))
