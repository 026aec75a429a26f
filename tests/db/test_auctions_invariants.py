"""The checker finds what is broken: each rule is broken once behind the database's back."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from marketplace import Zhiliu
from marketplace.auctions import service
from marketplace.auctions.invariants import broken
from marketplace.core.db import db
from tests.factories.auctions import make_short_lot

START, STEP = 100_000_00, 1_000_00


def sabotage(statement: str) -> None:
    """As someone who switched the triggers off."""
    db.session.commit()
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text(statement))
    db.session.commit()


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE course_entry SET amount_minor = amount_minor + 1 WHERE seq = 2", "does not follow by its hash"),
        ("UPDATE course_entry SET code = '9999' WHERE seq = 2", "does not follow by its hash"),
        ("DELETE FROM course_entry WHERE seq = 1", "has the number"),
        ("UPDATE lot_state SET price_minor = price_minor - 1", "is not the last bid"),
        ("UPDATE lot_state SET bids = bids + 1", "bids are counted"),
        ("UPDATE lot_state SET ends_at = ends_at + interval '1 s'", "not the end of its course"),
        ("UPDATE lot SET start_minor = 1", "genesis hash"),
        ("UPDATE lot_result SET winner_registration_id = NULL, outcome = 'unsold'", "not its last bid"),
        ("UPDATE lot_result SET backup_registration_id = NULL", "its backup"),
        ("DELETE FROM lot_result", "no result"),
        ("UPDATE lot_state SET state = 'running'", "running with 1 closed"),
        ("UPDATE course_entry SET decided_at = decided_at + interval '1 hour' WHERE seq = 2", "at or after the end"),
        (
            "UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE id = (SELECT min(id) FROM ledger_entry)",
            "sum",
        ),
    ],
)
def test_what_is_broken_is_found(app: Zhiliu, statement: str, finding: str) -> None:
    lot = make_short_lot(seconds=1)
    assert lot.bid(0, START).accepted and lot.bid(1, START + STEP).accepted
    lot.wait_for_end()
    service.close_lot(lot.id)
    db.session.commit()
    lot_id = lot.id
    assert broken(accepted={lot_id: 2}) == []
    assert "3 bids were answered" in broken([lot_id], {lot_id: 3})[0]
    sabotage(statement)
    assert any(finding in line for line in broken()), broken()


def test_the_commands_check_and_export(app: Zhiliu) -> None:
    lot = make_short_lot(seconds=1)
    lot.bid(0, START)
    code = lot.lot.code
    runner = app.test_cli_runner()
    assert runner.invoke(args=["auctions", "check"]).output.strip() == "ok"
    exported = runner.invoke(args=["auctions", "course", code])
    assert exported.exit_code == 0 and '"format":"zhiliu-course/1"' in exported.output
    assert runner.invoke(args=["auctions", "course", "ZL-0"]).exit_code == 1
    sabotage("UPDATE lot_state SET bids = 7")
    assert runner.invoke(args=["auctions", "check"]).exit_code == 1
