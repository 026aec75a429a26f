"""Ledger laws, held by the database and by the service."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace import Zhiliu
from marketplace.core.actor import SYSTEM
from marketplace.core.db import db
from marketplace.core.errors import NotFound, Refused
from marketplace.money import ledger


def send(id_: uuid.UUID, amount: int = 100, *, pending: bool = False) -> None:
    ledger.transfer(id_, "test", "test", 1, ledger.between("a", "b", amount), SYSTEM, pending=pending)


def test_same_id_same_content_is_the_same_transfer_and_other_content_is_refused(app: Zhiliu) -> None:
    id_ = ledger.transfer_id("test", 1)
    send(id_)
    send(id_)
    db.session.commit()
    assert ledger.balance("a").posted_minor == 100 and ledger.balance("b").posted_minor == -100
    with pytest.raises(Refused) as refused:
        send(id_, 101)
    assert refused.value.code == "transfer_reused"


def test_ids_repeat_for_the_same_things_and_differ_for_others() -> None:
    assert ledger.transfer_id("release", 1, 2) == ledger.transfer_id("release", 1, 2)
    assert (
        len({ledger.transfer_id("release", 1), ledger.transfer_id("release", 2), ledger.transfer_id("apply", 1)}) == 3
    )


@pytest.mark.parametrize(("first", "second"), [("post", "void"), ("void", "post")])
def test_a_pending_transfer_ends_once(app: Zhiliu, first: str, second: str) -> None:
    id_ = uuid.uuid4()
    send(id_, pending=True)
    assert (ledger.balance("a").posted_minor, ledger.balance("a").pending_minor) == (0, 100)
    getattr(ledger, first)(id_, SYSTEM)
    getattr(ledger, first)(id_, SYSTEM)
    db.session.commit()
    assert (ledger.balance("a").posted_minor, ledger.balance("a").pending_minor) == (100 if first == "post" else 0, 0)
    with pytest.raises(Refused) as refused:
        getattr(ledger, second)(id_, SYSTEM)
    assert refused.value.code == "transfer_finished"


def test_only_pending_transfers_can_be_finished(app: Zhiliu) -> None:
    id_ = uuid.uuid4()
    send(id_)
    with pytest.raises(NotFound):
        ledger.post(id_, SYSTEM)
    with pytest.raises(NotFound):
        ledger.void(uuid.uuid4(), SYSTEM)


def test_unbalanced_legs_never_reach_the_database(app: Zhiliu) -> None:
    with pytest.raises(ValueError, match="balance"):
        ledger.transfer(uuid.uuid4(), "t", "t", 1, [ledger.Leg("a", 5), ledger.Leg("b", -4)], SYSTEM)


NEW = "INSERT INTO ledger_transfer (id, phase, legs, purpose, subject, subject_id, pending_id) VALUES "


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (NEW + "(gen_random_uuid(), 'single', 2, 't', 't', 1, NULL)", "has 0 entries"),
        (NEW + "(gen_random_uuid(), 'post', 0, 't', 't', 1, :single)", "does not follow a pending"),
        (NEW + "(gen_random_uuid(), 'single', 0, 't', 't', 1, NULL)", "ck_ledger_transfer_legs"),
        (
            "INSERT INTO ledger_entry (transfer_id, account_id, amount_minor)"
            " SELECT :single, id, CASE code WHEN 'a' THEN 7 ELSE -7 END FROM ledger_account",
            "has 4 entries",
        ),
        ("UPDATE ledger_entry SET amount_minor = 1", "append-only"),
        ("DELETE FROM ledger_transfer", "append-only"),
    ],
)
def test_the_database_refuses(app: Zhiliu, statement: str, message: str) -> None:
    id_ = uuid.uuid4()
    send(id_)
    db.session.commit()
    with pytest.raises(DBAPIError, match=message):
        db.session.execute(text(statement), {"single": id_} if ":single" in statement else {})
        db.session.commit()
    db.session.rollback()


def test_a_second_finish_is_refused_by_the_database_too(app: Zhiliu) -> None:
    id_ = uuid.uuid4()
    send(id_, pending=True)
    ledger.post(id_, SYSTEM)
    db.session.commit()
    with pytest.raises(DBAPIError, match="pending_id"):
        db.session.execute(text(NEW + "(gen_random_uuid(), 'void', 0, 't', 't', 1, :first)"), {"first": id_})
    db.session.rollback()
