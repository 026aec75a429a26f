"""The house itself: migrations and models agree, append-only tables refuse change, the ledger balances."""

from __future__ import annotations

import uuid

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace import Zhiliu
from marketplace.core.access import policy_of
from marketplace.core.db import Base, db
from marketplace.core.events import record


def test_models_and_migrations_agree(app: Zhiliu) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_an_event_is_never_changed_or_deleted(app: Zhiliu) -> None:
    record("test.happened", "test", 1)
    db.session.commit()
    for statement in ("UPDATE event SET kind = 'x'", "DELETE FROM event"):
        with pytest.raises(DBAPIError, match="append-only"):
            db.session.execute(text(statement))
        db.session.rollback()


def test_a_transfer_that_does_not_balance_is_refused_at_commit(app: Zhiliu) -> None:
    from marketplace.money.models import LedgerAccount, LedgerEntry, LedgerTransfer

    a, b = LedgerAccount(code="a"), LedgerAccount(code="b")
    transfer = LedgerTransfer(id=uuid.uuid4(), phase="single", purpose="test", subject="test", subject_id=1)
    db.session.add_all([a, b, transfer])
    db.session.flush()
    db.session.add_all(
        [
            LedgerEntry(transfer_id=transfer.id, account_id=a.id, amount_minor=100),
            LedgerEntry(transfer_id=transfer.id, account_id=b.id, amount_minor=-99),
        ]
    )
    with pytest.raises(DBAPIError, match="does not balance"):
        db.session.commit()


def test_every_route_names_its_access_policy(app: Zhiliu) -> None:
    without = [rule.rule for rule in app.url_map.iter_rules() if policy_of(app, rule.endpoint) is None]
    # the sign-in library's pages get their policy at the first request
    app.test_client().get("/health")
    without = [rule.rule for rule in app.url_map.iter_rules() if policy_of(app, rule.endpoint) is None]
    assert without == []
