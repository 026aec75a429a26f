"""An API token stands for an organisation, not for a person: what needs a person refuses it, and never breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from marketplace import Zhiliu
from marketplace.core import approvals
from marketplace.core.actor import Actor
from marketplace.core.db import Base, db
from marketplace.core.errors import Forbidden
from marketplace.parties import members, tokens
from tests.factories.listings import Made, make_listing
from tests.factories.parties import make_actor, make_org

#: Columns that a row cannot do without: each is written by one of the services below (or by sign-in itself).
PERSONS = {
    "api_token.created_by",
    "approval.requested_by",
    "invitation.invited_by",
    "listing_correction.made_by",
    "need_response.created_by",
    "objection.filed_by",
    "question.asked_by",
    "release_order.created_by",
    "saved_search.user_id",
    "saved_search_mute.user_id",  # by the signed link of a mail to one reader
    "statement_import.imported_by",
}
OWN_USER = {"membership.user_id", "user_role.user_id"}


def token_of(org_id: int, kind: str, *roles: str) -> Actor:
    """What ``actor_of_token`` makes, with more roles than a token ever has."""
    return Actor(
        org_id=org_id, org_kind=kind, org_verified=True, roles=frozenset(roles or ("maker",)), via="api", token_id=1
    )


def test_every_column_that_needs_a_person_is_known(app: Zhiliu) -> None:
    needing = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if not column.nullable and any(key.column.table.name == "user" for key in column.foreign_keys)
    }
    assert needing == PERSONS | OWN_USER


@pytest.fixture
def made(app: Zhiliu) -> Made:
    return make_listing()


def acts(made: Made) -> dict[str, Callable[[Actor], Any]]:
    from marketplace.interest import service as interest
    from marketplace.listings import service
    from marketplace.money import orders, statements

    return {
        "approval": lambda a: approvals.request("test.act", "case", 1, a),
        "token": lambda a: tokens.create_token("程序", ["bids:write"], 90, a),
        "invitation": lambda a: members.invite("x@example.cn", ["viewer"], a),
        "correction": lambda a: service.correct(a, made.id, "更正"),
        "objection": lambda a: service.object_to(a, made.id, capacity="bidder", ground="other", text="不服"),
        "question": lambda a: service.ask(a, made.id, "能否查看资料？"),
        "statement": lambda a: statements.import_statement("交易日期\n".encode(), "流水.csv", a),
        "order": lambda a: orders.make_order([1], a),
        "saved_search": lambda a: interest.save_search(a, "q=隔膜", "隔膜", "never"),
        "need": lambda a: interest.save(a, {}),
        "answer": lambda a: interest.respond(a, 1, made.id, "可以提供", "赵联系"),
    }


@pytest.mark.parametrize("name", ["approval", "token", "invitation", "correction", "objection", "question",
                                  "statement", "order", "saved_search", "need", "answer"])  # fmt: skip
def test_a_token_is_refused_where_a_person_is_needed(app: Zhiliu, made: Made, name: str) -> None:
    kind = "bank" if name in ("approval", "token", "invitation", "correction") else "operator"
    org_id = made.maker.org_id if kind == "bank" else make_org("operator").id
    if name in ("statement", "order"):
        kind, org_id = "platform", made.manager.org_id
    assert org_id is not None
    with pytest.raises(Forbidden) as refused:
        acts(made)[name](token_of(org_id, kind, "admin", "maker", "approver"))
    assert refused.value.code in ("person_needed", "manager_needed")
    db.session.rollback()


def test_a_token_decides_nothing(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(approvals._acts, "test.act", (lambda row, actor: None, None))
    asker = make_actor("bank")
    row = approvals.request("test.act", "case", 1, asker)
    assert asker.org_id is not None
    with pytest.raises(Forbidden, match="person_needed"):
        approvals.decide(row.id, token_of(asker.org_id, "bank", "approver"), approve=True)
    assert row.state == "waiting"
