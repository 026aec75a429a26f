"""A case from draft to approval, and one right that is never disposed of twice."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import select

from marketplace import Zhiliu
from marketplace.cases import queries, service
from marketplace.cases.models import Case
from marketplace.core import approvals
from marketplace.core.clock import today
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError, Invalid
from marketplace.parties import service as parties
from marketplace.rights import burdens
from marketplace.rights.facts import health_of
from marketplace.rights.models import RightChange
from tests.factories.cases import approve_case, case_data, make_case, make_collateral
from tests.factories.parties import make_actor


def test_a_second_banker_approves_and_only_then_it_may_be_listed(app: Zhiliu) -> None:
    actor = make_actor("bank")
    case = make_case(actor)
    with pytest.raises(DomainError, match="case_not_approved"):
        service.mark_listed(case.id, actor)
    approval = service.submit_case(actor, case.id)
    with pytest.raises(DomainError, match="second_person_needed"):
        approvals.decide(approval.id, actor, approve=True)
    with pytest.raises(DomainError, match="case_not_draft"):
        service.edit_case(actor, case.id, {"debtor_name": "另一人"})
    db.session.rollback()
    approve_case(actor, case)
    assert case.state == "approved" and case.approved_by != case.submitted_by
    assert [c.id for c in queries.approved_cases(case.org_id)] == [case.id]
    service.mark_listed(case.id, actor)
    service.mark_listed(case.id, actor)
    with pytest.raises(DomainError, match="case_not_withdrawable"):
        service.withdraw_case(actor, case.id, "x")
    service.mark_unlisted(case.id, actor)
    assert case.state == "approved"


def test_an_approved_case_puts_the_banks_pledge_on_each_right_once(app: Zhiliu) -> None:
    """Whoever reads the right, its offer or its notice sees the burden that the case states."""
    actor = make_actor("bank")
    assert actor.org_id is not None
    rights = make_collateral(actor.org_id, 3)
    burdens.add_encumbrance(actor, rights[1].id, {
        "kind": "pledge", "holder": "本行", "own": True, "recorded": True, "from_date": date(2024, 1, 5),
        "registration_no": "Y2024980000001",
    })  # fmt: skip
    case = make_case(actor, rights=rights)
    rights[2].kind = "trade_secret"  # pledged in no register, so the date may lack
    service.add_right(actor, case.id, rights[2].id, pledge_no="鄂质-7", pledge_date=None)
    service.add_right(actor, case.id, rights[0].id, pledge_no="y2023420000007", pledge_date=date(2023, 6, 1))
    assert not rights[0].encumbrances
    approve_case(actor, case)
    [entered] = rights[0].encumbrances
    assert (entered.kind, entered.registration_no, entered.from_date) == ("pledge", "Y2023420000007", date(2023, 6, 1))
    assert (entered.holder, entered.holder_org_id) == (parties.get_org(case.org_id).name, case.org_id)
    assert entered.recorded and entered.released_on is None
    assert [row.registration_no for row in rights[1].encumbrances] == ["Y2024980000001"]  # the bank entered it itself
    assert rights[2].encumbrances == []  # without a date nothing is stated
    verdict = health_of(rights[0], today())
    assert verdict.has("pledged") and not verdict.has("pledgee_consent_missing")
    changes = db.session.scalars(select(RightChange).where(RightChange.right_id == rights[0].id)).all()
    assert changes[-1].after["burden"] == "pledge" and changes[-1].user_id == case.approved_by
    service.return_to_draft(actor, case.id, "更正")
    approve_case(actor, case)
    assert [len(right.encumbrances) for right in rights] == [1, 1, 0]


def test_a_withdrawn_case_takes_its_approval_along(app: Zhiliu) -> None:
    actor = make_actor("bank")
    case = make_case(actor)
    service.submit_case(actor, case.id)
    service.withdraw_case(actor, case.id, "已清偿")
    db.session.commit()
    assert approvals.waiting_for(case.org_id) == []


def test_every_gap_is_told_at_once(app: Zhiliu) -> None:
    actor = make_actor("bank")
    case = make_case(actor, rights=0, documents=False, debtor_uscc=None, path_basis=None)
    with pytest.raises(Invalid) as refused:
        service.submit_case(actor, case.id)
    found = {(p.code, p.field) for p in refused.value.problems}
    assert {("required", "debtor_uscc"), ("rights_missing", "rights"), ("path_basis_missing", "path_basis")} <= found
    assert sum(p.code == "document_missing" for p in refused.value.problems) == 4


def test_an_edit_keeps_what_it_does_not_name(app: Zhiliu) -> None:
    actor = make_actor("bank")
    case = make_case(actor)
    before = case.claim_principal_minor
    service.edit_case(actor, case.id, {"notes": "补充"})
    assert (case.notes, case.claim_principal_minor) == ("补充", before)
    with pytest.raises(Invalid, match="own_valuation_limit"):
        service.edit_case(actor, case.id, {"loan_principal_minor": 1_000_000_001})


def test_a_reference_is_unique_in_its_bank_only(app: Zhiliu) -> None:
    actor = make_actor("bank")
    service.create_case(actor, case_data(reference="X"))
    with pytest.raises(Invalid, match="reference_taken"):
        service.create_case(actor, case_data(reference=" X "))
    service.create_case(make_actor("bank"), case_data(reference="X"))
    db.session.commit()


def test_a_right_in_another_open_case_bars_submission(app: Zhiliu) -> None:
    actor = make_actor("bank")
    assert actor.org_id is not None
    rights = make_collateral(actor.org_id)
    first, second = make_case(actor, rights=rights), make_case(actor, rights=rights)
    assert queries.drafts_with(actor.org_id, [rights[0].id], first.id) == {rights[0].id: [second.reference]}
    service.submit_case(actor, first.id)
    with pytest.raises(Invalid, match="right_in_other_case"):
        service.submit_case(actor, second.id)
    service.withdraw_case(actor, first.id, "重复录入")
    service.submit_case(actor, second.id)
    db.session.commit()


def test_two_cases_with_one_right_submitted_at_once_only_one_passes(app: Zhiliu) -> None:
    actor = make_actor("bank")
    assert actor.org_id is not None
    rights = make_collateral(actor.org_id)
    ids = [make_case(actor, rights=rights).id for _ in range(2)]
    barrier, outcomes = threading.Barrier(2), []

    def submit(case_id: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                with unit_of_work():
                    service.submit_case(actor, case_id)
                outcomes.append("submitted")
            except Invalid as refused:
                outcomes.append(refused.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=submit, args=(case_id,)) for case_id in ids]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(outcomes) == ["right_in_other_case", "submitted"]
    db.session.rollback()
    states = sorted(db.session.get_one(Case, case_id, populate_existing=True).state for case_id in ids)
    assert states == ["draft", "submitted"]
