"""From an approved case to a published offer: two bankers, two managers, gates at each door."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from marketplace import Zhiliu
from marketplace.auctions import queries as auctions
from marketplace.core import approvals
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Forbidden, Invalid, NotFound, Refused
from marketplace.core.models import Deadline, Outbox
from marketplace.listings import queries, service
from marketplace.listings.models import Listing, ListingCounter
from marketplace.listings.service_course import follow
from marketplace.listings.texts import REVIEW_ITEMS
from marketplace.rights.models import Encumbrance, Right
from tests.factories.listings import Made, advance, make_listing
from tests.factories.parties import make_actor, make_org


def codes(caught: pytest.ExceptionInfo[DomainError]) -> set[str]:
    return {problem.code for problem in caught.value.problems}


def lot_of(made: Made):
    return auctions.lots_of_listings([made.id])[made.id][-1]


def test_a_published_offer_has_its_number_notice_hash_and_lot(app: Zhiliu) -> None:
    made = make_listing("published")
    listing = db.session.get_one(Listing, made.id)
    lot, state = lot_of(made)
    assert listing.number == f"ZL-{listing.published_at.year}-000001"
    assert listing.notice_text and listing.number in listing.notice_text
    assert listing.notice_sha256 == hashlib.sha256(listing.notice_text.encode()).hexdigest()
    assert (lot.facts["notice_sha256"], lot.start_minor, state.state) == (
        listing.notice_sha256, listing.start_minor, "scheduled"
    )  # fmt: skip
    assert lot.claim_minor == 4_400_000_00
    assert listing.items[0].snapshot["number"] == listing.items[0].right.number_display
    assert db.session.scalar(select(Deadline.id).where(Deadline.kind == "lot.open", Deadline.subject_id == lot.id))
    assert queries.public_listing(listing.number).id == made.id


def test_numbers_have_no_gap_when_a_publication_fails(app: Zhiliu) -> None:
    make_listing("published")
    late = make_listing("reviewed")
    db.session.execute(
        text("UPDATE listing SET planned_opens_at = now(), planned_ends_at = now() + interval '2 days' WHERE id = :i"),
        {"i": late.id},
    )
    db.session.commit()
    with pytest.raises(Invalid) as caught:
        service.publish(late.other_manager, late.id)
    db.session.rollback()
    assert "notice_too_short" in codes(caught)
    third = make_listing("published")
    assert db.session.get_one(Listing, third.id).number.endswith("-000002")
    assert db.session.scalar(select(ListingCounter.last)) == 2


def test_a_notice_that_comes_too_late_names_the_earliest_opening(app: Zhiliu) -> None:
    made = make_listing("reviewed")
    db.session.execute(
        text(
            "UPDATE listing SET planned_opens_at = now() + interval '29 days',"
            " planned_ends_at = now() + interval '31 days' WHERE id = :i"
        ),
        {"i": made.id},
    )
    db.session.commit()
    with pytest.raises(Invalid) as caught:
        service.publish(made.other_manager, made.id)
    problem = next(p for p in caught.value.problems if p.code == "notice_too_short")
    assert problem.params["earliest"] in str(problem.message) and "网拍规定 art. 12" in (problem.source or "")
    db.session.rollback()
    assert db.session.get_one(Listing, made.id).state == "reviewed"


def test_the_reviewer_may_not_publish(app: Zhiliu) -> None:
    made = make_listing("reviewed")
    with pytest.raises(Forbidden) as caught:
        service.publish(made.manager, made.id)
    assert caught.value.code == "second_person_needed"


def test_the_maker_may_not_confirm_the_submission(app: Zhiliu) -> None:
    made = make_listing("waiting")
    approval = approvals.open_approval("listing.submit", "listing", made.id)
    with pytest.raises(Forbidden):
        approvals.decide(approval.id, made.maker, approve=True)


def test_a_draft_is_not_changed_while_the_second_banker_looks_at_it(app: Zhiliu) -> None:
    made = make_listing("waiting")
    with pytest.raises(Refused) as caught:
        service.edit_terms(made.maker, made.id, {"start_minor": 1})
    assert caught.value.code == "approval_open"


def test_an_incomplete_draft_is_refused_with_every_gap_at_once(app: Zhiliu) -> None:
    made = make_listing("draft", filled=False)
    with pytest.raises(Invalid) as caught:
        service.submit(made.maker, made.id)
    assert {
        "text_missing",
        "term_missing",
        "warning_missing",
        "notice_item_missing",
        "price_document_missing",
    } <= codes(caught)


@pytest.mark.parametrize("stage", ["submitted", "reviewed"])
def test_a_right_that_is_preserved_meanwhile_stops_review_and_publication(app: Zhiliu, stage: str) -> None:
    made = make_listing(stage)
    right_id = db.session.get_one(Listing, made.id).items[0].right_id
    db.session.add(
        Encumbrance(
            right_id=right_id, kind="preservation", holder="武汉中院", court="武汉中院", case_no="(2026)鄂01执1号",
            from_date=now().date() - timedelta(days=2),
        )
    )  # fmt: skip
    db.session.commit()
    with pytest.raises(Invalid) as caught:
        if stage == "submitted":
            service.review(made.manager, made.id, list(REVIEW_ITEMS))
        else:
            service.publish(made.other_manager, made.id)
    assert "right_blocked" in codes(caught)
    assert "保全" in str(caught.value.problems[0].message)


def test_missing_co_owner_consent_bars_submission(app: Zhiliu) -> None:
    made = make_listing("draft")
    db.session.get_one(Right, db.session.get_one(Listing, made.id).items[0].right_id).co_owners = ["某大学"]
    db.session.commit()
    with pytest.raises(Invalid) as caught:
        service.submit(made.maker, made.id)
    assert "right_blocked" in codes(caught)


def test_the_manager_returns_an_offer_with_a_reason_and_it_can_come_again(app: Zhiliu) -> None:
    made = make_listing("reviewed")
    service.send_back(made.manager, made.id, "请补充瑕疵")
    db.session.commit()
    listing = db.session.get_one(Listing, made.id)
    assert (listing.state, listing.state_reason) == ("draft", "请补充瑕疵")
    assert approvals.open_approval("listing.publish", "listing", made.id) is None
    advance(made, "published")
    assert db.session.get_one(Listing, made.id).state == "published"


def test_review_needs_the_whole_checklist(app: Zhiliu) -> None:
    made = make_listing("submitted")
    with pytest.raises(Refused) as caught:
        service.review(made.manager, made.id, list(REVIEW_ITEMS)[1:])
    assert caught.value.code == "checklist_incomplete"


def test_one_right_is_not_offered_twice(app: Zhiliu) -> None:
    made = make_listing("published")
    listing = db.session.get_one(Listing, made.id)
    with pytest.raises(Invalid) as caught:
        service.create_listing(made.maker, listing.case_id, [listing.items[0].right_id])
    assert codes(caught) == {"right_offered_elsewhere"}


def test_only_demo_organisations_choose_the_sandbox(app: Zhiliu) -> None:
    made = make_listing("draft", rights=2)
    with pytest.raises(Invalid) as caught:
        service.edit_terms(made.maker, made.id, {"profile_code": "sandbox"})
    assert codes(caught) == {"profile_not_allowed"}
    db.session.rollback()
    sandbox = make_listing("published", profile_code="sandbox")
    lot, _state = lot_of(sandbox)
    assert lot.sandbox and "沙盒" in db.session.get_one(Listing, sandbox.id).notice_text


def test_a_rehearsal_whose_opening_has_passed_opens_at_once_with_its_length(app: Zhiliu) -> None:
    opens = now() - timedelta(hours=1)
    made = make_listing(
        "published", profile_code="sandbox", planned_opens_at=opens, planned_ends_at=opens + timedelta(minutes=2)
    )
    lot, _state = lot_of(made)
    assert lot.opens_at > lot.published_at and lot.planned_ends_at - lot.opens_at == timedelta(minutes=2)


def test_published_terms_are_fixed_in_the_database(app: Zhiliu) -> None:
    made = make_listing("published")
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text("UPDATE listing SET start_minor = 1 WHERE id = :i"), {"i": made.id})
    db.session.rollback()
    with pytest.raises(Refused) as caught:
        service.edit_text(made.maker, made.id, {"title": "另一个标题"})
    assert caught.value.code == "listing_not_draft"


def test_suspension_reaches_the_lot_and_resumption_too(app: Zhiliu) -> None:
    made = make_listing("published")
    service.suspend(made.manager, made.id, "系统故障")
    db.session.commit()
    assert (db.session.get_one(Listing, made.id).state, lot_of(made)[1].state) == ("suspended", "suspended")
    service.resume(made.manager, made.id, "故障已排除")
    db.session.commit()
    assert (db.session.get_one(Listing, made.id).state, lot_of(made)[1].state) == ("published", "scheduled")


def test_withdrawal_needs_a_second_manager_and_frees_the_case(app: Zhiliu) -> None:
    made = make_listing("published")
    asked = service.withdraw(made.manager, made.id, "债务已清偿")
    db.session.commit()
    assert db.session.get_one(Listing, made.id).state == "published"
    with pytest.raises(Forbidden):
        approvals.decide(asked.id, made.manager, approve=True)
    db.session.rollback()
    approvals.decide(asked.id, made.other_manager, approve=True)
    db.session.commit()
    listing = db.session.get_one(Listing, made.id)
    assert (listing.state, listing.state_reason, lot_of(made)[1].state) == ("withdrawn", "债务已清偿", "withdrawn")
    from marketplace.cases.models import Case

    assert db.session.get_one(Case, listing.case_id).state == "approved"


def test_the_listing_follows_its_lot(app: Zhiliu) -> None:
    made = make_listing("published")
    db.session.execute(text("UPDATE lot_state SET state = 'unsold', version = version + 1"))
    db.session.commit()
    for _twice in range(2):
        follow(made.id)
        db.session.commit()
    assert db.session.get_one(Listing, made.id).state == "closed"


def test_a_correction_is_added_before_the_first_bid_and_refused_after(app: Zhiliu) -> None:
    made = make_listing("published")
    service.correct(made.second, made.id, "查看时间改为周一至周五。")
    db.session.commit()
    assert [row.text for row in queries.corrections_of(made.id)] == ["查看时间改为周一至周五。"]
    db.session.execute(text("UPDATE lot_state SET bids = 1, version = version + 1"))
    db.session.commit()
    with pytest.raises(Refused) as caught:
        service.correct(made.second, made.id, "再更正")
    assert caught.value.code == "bids_exist"


def test_questions_are_asked_by_the_verified_and_answered_by_the_seller(app: Zhiliu) -> None:
    made = make_listing("published")
    asker = make_actor("operator")
    row = service.ask(asker, made.id, "年费缴到哪一年？")
    db.session.commit()
    with pytest.raises(NotFound):
        service.answer(make_actor("bank"), row.id, "不知道")
    db.session.rollback()
    service.answer(made.maker, row.id, "缴至第 8 年。")
    db.session.commit()
    with pytest.raises(Refused):
        service.answer(made.maker, row.id, "改口")
    unverified = make_actor("operator", org=make_org("operator", state="submitted"))
    with pytest.raises(Refused) as caught:
        service.ask(unverified, made.id, "？")
    assert caught.value.code == "organisation_not_verified"


def test_an_upheld_objection_suspends_the_sale(app: Zhiliu) -> None:
    made = make_listing("published")
    row = service.object_to(
        make_actor("enterprise"), made.id, capacity="co_owner", ground="ownership", text="我是共有人"
    )
    db.session.commit()
    due = db.session.scalar(select(Deadline).where(Deadline.kind == "listing.objection"))
    assert due is not None and due.state == "pending"
    service.decide(made.manager, row.id, upheld=True, decision="权属待查", measure="withdraw")
    db.session.commit()
    assert db.session.get_one(Listing, made.id).state == "suspended" and lot_of(made)[1].state == "suspended"
    assert approvals.open_approval("listing.withdraw", "listing", made.id) is not None
    with pytest.raises(Refused) as caught:
        service.decide(made.manager, row.id, upheld=False, decision="改判")
    assert caught.value.code == "objection_decided"


def test_publication_tells_the_parties_once(app: Zhiliu) -> None:
    made = make_listing("published")
    keys = db.session.scalars(
        select(Outbox.dedupe_key).where(Outbox.dedupe_key.like(f"listing.published:{made.id}:%"))
    ).all()
    assert len(keys) == 2  # maker and approver of the bank
