"""A second round from the bank's terms to its own published notice: two bankers, two managers, everything carried
over; and giving the offer up instead."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from marketplace import Zhiliu
from marketplace.auctions import queries as auction_queries
from marketplace.auctions import service as auctions
from marketplace.auctions.models import Lot, LotState, PreemptionClaim, Qualification, Registration
from marketplace.auctions.service_rounds import next_step_of
from marketplace.cases.models import Case
from marketplace.core import approvals, deadlines
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Forbidden, Invalid, NotFound, Refused
from marketplace.core.models import Deadline, Outbox
from marketplace.listings import desk, filters, queries, service
from marketplace.listings.models import Listing, NextRound
from marketplace.listings.service_course import follow
from marketplace.listings.texts import ROUND_REVIEW_ITEMS
from marketplace.rights.models import Encumbrance
from tests.factories.auctions import hold_deposit, set_times
from tests.factories.listings import Made, make_listing
from tests.factories.parties import make_actor


def codes(caught: pytest.ExceptionInfo[DomainError]) -> set[str]:
    return {problem.code for problem in caught.value.problems}


def latest(made: Made) -> tuple[Lot, LotState]:
    db.session.expire_all()
    return auction_queries.lots_of_listings([made.id])[made.id][-1]


def unsold(**more: Any) -> Made:
    """A published offer whose first round ended a moment ago without a bid."""
    made = make_listing("published", **more)
    end_now(made)
    return made


def end_now(made: Made) -> None:
    lot, _state = latest(made)
    set_times(lot.id, opens_at=now() - timedelta(days=2), ends_at=now() - timedelta(milliseconds=1))
    auctions.close_lot(lot.id)
    db.session.commit()
    follow(made.id)
    db.session.commit()


def good_round(made: Made, **changes: Any) -> dict[str, Any]:
    """The suggested terms, with the parties told in time."""
    step = next_step_of(latest(made)[0].id)
    assert step is not None and step.suggestion is not None
    found = step.suggestion
    return {
        "start_minor": found.start_minor,
        "increment_minor": found.increment_minor,
        "deposit_minor": found.deposit_minor,
        "opens_at": found.opens_at,
        "ends_at": found.ends_at,
        "parties_notified_at": now() - timedelta(days=5),
        "notification_note": "书面送达。",
    } | changes


def take_to(made: Made, state: str, **changes: Any) -> NextRound:
    row = service.propose_round(made.maker, made.id, good_round(made, **changes))
    if state != "draft":
        approval = service.submit_round(made.maker, made.id)
        if state != "waiting":
            approvals.decide(approval.id, made.second, approve=True)
        if state in ("reviewed", "published"):
            service.review_round(made.manager, made.id, list(ROUND_REVIEW_ITEMS))
        if state == "published":
            service.publish_round(made.other_manager, made.id)
    db.session.commit()
    return row


def test_the_suggestion_keeps_every_bound_of_the_ladder(app: Zhiliu) -> None:
    made = unsold()
    lot, _state = latest(made)
    step = next_step_of(lot.id)
    assert step is not None and step.allowed and step.rung is not None
    assert (step.round_no, step.rung.code) == (2, "second")
    assert step.lowest_minor == 4_000_000_00  # 20 % below 5 m
    assert step.suggestion is not None and step.suggestion.start_minor == step.lowest_minor
    assert step.suggestion.deposit_minor == 400_000_00
    assert step.earliest is not None and step.latest is not None
    assert step.earliest <= step.suggestion.opens_at < step.latest
    service.propose_round(made.maker, made.id, good_round(made))


def test_a_second_round_opens_with_its_own_notice_and_keeps_the_first(app: Zhiliu) -> None:
    made = unsold()
    first, _state = latest(made)
    before = db.session.get_one(Listing, made.id)
    first_text, first_hash, number = before.notice_text, before.notice_sha256, before.number
    assert before.state == "closed"
    row = take_to(made, "published")
    lot, state = latest(made)
    listing = db.session.get_one(Listing, made.id)
    assert (lot.round_no, lot.previous_lot_id, state.state, lot.code) == (2, first.id, "scheduled", f"{number}-2")
    assert (listing.state, listing.notice_text, listing.notice_sha256) == ("published", first_text, first_hash)
    row = db.session.get_one(NextRound, row.id)
    assert row.notice_text and row.notice_sha256 == hashlib.sha256(row.notice_text.encode()).hexdigest()
    assert lot.facts["notice_sha256"] == row.notice_sha256 != first_hash
    for part in ("第二次竞价", f"{number}-2", "¥4,000,000.00", "第 1 轮", "无人出价，流拍", "起拍价 ¥5,000,000.00"):
        assert part in row.notice_text, part
    assert {row.submitted_by, row.reviewed_by, row.published_by} == {
        made.second.user_id, made.manager.user_id, made.other_manager.user_id
    }  # fmt: skip
    assert not db.session.scalar(
        select(Deadline.id).where(Deadline.kind == "lot.next_round_due", Deadline.state == "pending")
    )
    # what bidders accept is the new notice
    bidder = make_actor("operator")
    with pytest.raises(Invalid, match="terms_not_accepted"):
        auctions.register(bidder, lot.id, first_hash or "")
    db.session.rollback()
    assert auctions.register(bidder, lot.id, row.notice_sha256).state == "applied"
    db.session.commit()
    follow(made.id)
    assert db.session.get_one(Listing, made.id).state == "published"
    assert db.session.get_one(Case, listing.case_id).state == "listed"


def test_lists_results_and_the_api_speak_of_the_latest_round(app: Zhiliu) -> None:
    made = unsold()
    take_to(made, "published")
    listing = db.session.get_one(Listing, made.id)
    (offer,) = queries.public_list(filters.read_filters({})).offers
    assert (offer.round_no, offer.state, offer.start_minor) == (2, "scheduled", 4_000_000_00)
    assert offer.published_at == latest(made)[0].published_at
    (result,) = queries.results_page()[0]
    assert (result.round_no, result.outcome, result.start_minor) == (1, "unsold", 5_000_000_00)
    facts = queries.public_dict(listing)
    assert [(r["round_no"], r["state"]) for r in facts["rounds"]] == [(1, "unsold"), (2, "scheduled")]
    assert facts["notice_sha256"] == facts["rounds"][1]["notice_sha256"] != facts["rounds"][0]["notice_sha256"]
    assert facts["state"] == "scheduled"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"start_minor": 3_999_999_99}, "reduction_too_large", "start"),
        ({"deposit_minor": 1_00}, "deposit_too_low", "deposit"),
        ({"deposit_minor": 900_000_00}, "deposit_too_high", "deposit"),
        ({"opens_in": 10}, "notice_too_short", "opens_at"),
        ({"opens_in": 31}, "reauction_too_late", "opens_at"),
        ({"lasts": timedelta(hours=23)}, "duration_too_short", "ends_at"),
        ({"parties_notified_at": None}, "parties_not_notified", "parties_notified_at"),
        ({"told_days_ago": 1}, "parties_notified_late", "parties_notified_at"),
        ({"told_days_ago": -1}, "parties_notified_in_future", "parties_notified_at"),
        ({"increment_minor": None}, "term_missing", "increment_minor"),
    ],
)
def test_each_term_outside_the_ladder_is_refused_at_its_field(
    app: Zhiliu, change: dict[str, Any], code: str, field: str
) -> None:
    made = unsold()
    terms = good_round(made)
    if "opens_in" in change:
        terms["opens_at"] = now() + timedelta(days=change["opens_in"])
        terms["ends_at"] = terms["opens_at"] + timedelta(days=2)
    elif "lasts" in change:
        terms["ends_at"] = terms["opens_at"] + change["lasts"]
    elif "told_days_ago" in change:
        terms["parties_notified_at"] = now() - timedelta(days=change["told_days_ago"])
    else:
        terms |= change
    with pytest.raises(Invalid) as caught:
        service.propose_round(made.maker, made.id, terms)
    found = {problem.code: problem for problem in caught.value.problems}
    assert code in found and found[code].field == field
    if code not in ("term_missing",):
        assert found[code].source
    db.session.rollback()
    assert db.session.scalar(select(NextRound.id)) is None


def test_two_bankers_and_two_managers_are_needed(app: Zhiliu) -> None:
    made = unsold()
    with pytest.raises(Forbidden):
        service.propose_round(made.second, made.id, good_round(made))
    with pytest.raises(NotFound):
        service.propose_round(make_actor("bank"), made.id, good_round(made))
    take_to(made, "waiting")
    asked = approvals.open_approval("listing.round_submit", "listing", made.id)
    assert asked is not None
    with pytest.raises(Forbidden):
        approvals.decide(asked.id, made.maker, approve=True)
    db.session.rollback()
    with pytest.raises(Refused, match="approval_open"):
        service.propose_round(made.maker, made.id, good_round(made))
    db.session.rollback()
    with pytest.raises(Refused, match="round_not_submitted"):
        service.review_round(made.manager, made.id, list(ROUND_REVIEW_ITEMS))
    db.session.rollback()
    approvals.decide(asked.id, made.second, approve=True)
    with pytest.raises(Refused, match="checklist_incomplete"):
        service.review_round(made.manager, made.id, ["terms_checked"])
    service.review_round(made.manager, made.id, list(ROUND_REVIEW_ITEMS))
    db.session.commit()
    with pytest.raises(Forbidden, match="second_person_needed"):
        service.publish_round(made.manager, made.id)
    db.session.rollback()
    service.publish_round(made.other_manager, made.id)
    db.session.commit()
    with pytest.raises(Refused, match="round_not_reviewed"):
        service.publish_round(made.other_manager, made.id)


def test_a_round_is_returned_by_the_second_banker_by_review_or_at_publication(app: Zhiliu) -> None:
    made = unsold()
    take_to(made, "waiting")
    asked = approvals.open_approval("listing.round_submit", "listing", made.id)
    assert asked is not None
    approvals.decide(asked.id, made.second, approve=False, reason="价格再议")
    db.session.commit()
    row = db.session.scalars(select(NextRound)).one()
    assert (row.state, row.state_reason) == ("draft", "价格再议")
    for stage in ("submitted", "reviewed"):
        take_to(made, stage)
        service.send_back_round(made.other_manager, made.id, "时间冲突")
        db.session.commit()
        row = db.session.scalars(select(NextRound).execution_options(populate_existing=True)).one()
        assert (row.state, row.state_reason) == ("draft", "时间冲突")
        assert approvals.open_approval("listing.round_publish", "listing", made.id) is None
    take_to(made, "reviewed")
    waiting = approvals.open_approval("listing.round_publish", "listing", made.id)
    assert waiting is not None
    approvals.decide(waiting.id, made.other_manager, approve=False, reason="公告有误")
    db.session.commit()
    row = db.session.scalars(select(NextRound).execution_options(populate_existing=True)).one()
    assert (row.state, row.state_reason) == ("draft", "公告有误")
    service.drop_round(made.maker, made.id)
    db.session.commit()
    assert db.session.scalars(select(NextRound.state)).one() == "dropped"
    take_to(made, "published")


def test_a_right_that_was_preserved_since_the_first_round_stops_the_second(app: Zhiliu) -> None:
    made = unsold()
    take_to(made, "reviewed")
    right_id = db.session.get_one(Listing, made.id).items[0].right_id
    db.session.add(
        Encumbrance(right_id=right_id, kind="preservation", holder="武汉中院", from_date=now().date(), court="武汉中院")
    )
    db.session.commit()
    with pytest.raises(Invalid) as caught:
        service.publish_round(made.other_manager, made.id)
    assert "right_blocked" in codes(caught)
    db.session.rollback()
    assert latest(made)[0].round_no == 1


def test_a_published_round_is_fixed(app: Zhiliu) -> None:
    made = unsold()
    take_to(made, "published")
    for statement in ("UPDATE listing_round SET start_minor = 1", "DELETE FROM listing_round"):
        with pytest.raises(DBAPIError, match="append-only"):
            db.session.execute(text(statement))
        db.session.rollback()


def test_priority_proofs_and_participants_come_along(app: Zhiliu) -> None:
    made = make_listing("published", texts={"qualification": "须为行业协会。"})
    lot, _state = latest(made)
    holder, stranger = make_actor("enterprise"), make_actor("operator")
    claim = auctions.file_preemption(holder, lot.id, "co_owner", "共有协议")
    auctions.decide_preemption(made.manager, claim.id, True, 2)
    refused = auctions.file_preemption(stranger, lot.id, "other", "无")
    auctions.decide_preemption(made.manager, refused.id, False, reason="证据不足")
    db.session.add(
        Qualification(lot_id=lot.id, org_id=holder.org_id, statement="协会", state="confirmed", reason="属实")
    )
    db.session.commit()
    end_now(made)
    db.session.execute(text("DELETE FROM outbox"))
    take_to(made, "published")
    following, _state = latest(made)
    (kept,) = db.session.scalars(select(PreemptionClaim).where(PreemptionClaim.lot_id == following.id)).all()
    assert (kept.org_id, kept.state, kept.rank, kept.decided_by) == (
        holder.org_id,
        "confirmed",
        2,
        made.manager.user_id,
    )
    (proof,) = db.session.scalars(select(Qualification).where(Qualification.lot_id == following.id)).all()
    assert (proof.org_id, proof.state) == (holder.org_id, "confirmed")
    registration = auctions.register(holder, following.id, following.facts["notice_sha256"])
    assert registration.rank == 2
    told = {row.payload["to"] for row in db.session.scalars(select(Outbox).where(Outbox.topic == "mail"))}
    assert len(told) >= 3  # the holder, and the seller's two


def test_the_defaulter_stays_out_of_the_re_auction(app: Zhiliu) -> None:
    made = make_listing("published")
    lot, _state = latest(made)
    notice = lot.facts["notice_sha256"]
    set_times(lot.id, opens_at=now() - timedelta(minutes=1), ends_at=now() + timedelta(hours=2))
    buyer = make_actor("operator")
    auctions.register(buyer, lot.id, notice)
    registration = db.session.scalars(select(Registration)).one()
    db.session.commit()
    hold_deposit(registration)
    assert auctions.place_bid(buyer, lot.id, lot.start_minor, "k").accepted
    db.session.commit()
    set_times(lot.id, ends_at=now() - timedelta(milliseconds=1))
    auctions.close_lot(lot.id)
    db.session.commit()
    follow(made.id)
    db.session.commit()
    with pytest.raises(Refused, match="round_not_possible"):
        service.propose_round(made.maker, made.id, {})
    db.session.rollback()
    db.session.execute(text("UPDATE award SET balance_due_at = clock_timestamp()"))
    asked = auctions.request_default(made.manager, lot.id, "未付余款")
    approvals.decide(asked.id, made.other_manager, approve=True)
    db.session.commit()
    take_to(made, "published")
    following, _state = latest(made)
    row = db.session.scalars(select(NextRound).where(NextRound.state == "published")).one()
    assert "认定悔拍，重新处置" in (row.notice_text or "")
    with pytest.raises(Refused) as out:
        auctions.register(buyer, following.id, following.facts["notice_sha256"])
    assert out.value.code == "not_barred"
    db.session.rollback()
    with pytest.raises(Refused, match="round_exists"):
        auctions.promote_backup(made.manager, lot.id)


def test_after_the_last_auction_the_sell_off_is_named_and_not_offered(app: Zhiliu) -> None:
    made = unsold()
    take_to(made, "published")
    end_now(made)
    step = next_step_of(latest(made)[0].id)
    assert step is not None and not step.allowed and step.rung is not None
    assert (step.obstacle, step.rung.code) == ("format_unknown", "sell_off")
    with pytest.raises(Refused, match="round_not_possible"):
        service.propose_round(made.maker, made.id, {})


def test_when_no_notice_can_be_long_enough_any_more_nothing_is_offered(app: Zhiliu) -> None:
    made = unsold()
    lot, _state = latest(made)
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text("UPDATE lot_result SET closed_at = closed_at - interval '16 days'"))
    db.session.commit()
    step = next_step_of(lot.id)
    assert step is not None and step.obstacle == "time_over"
    with pytest.raises(Refused, match="round_not_possible"):
        service.propose_round(made.maker, made.id, good_round(made))


def test_instead_of_a_next_round_the_offer_is_withdrawn_and_the_rights_are_free(app: Zhiliu) -> None:
    made = unsold()
    lot, _state = latest(made)
    take_to(made, "submitted")
    with pytest.raises(Refused, match="round_on_its_way"):
        service.withdraw(made.manager, made.id, "不再处置")
    db.session.rollback()
    service.send_back_round(made.manager, made.id, "银行改变计划")
    assert desk.offers_with([db.session.get_one(Listing, made.id).items[0].right_id])  # held by the round on its way
    service.ask_withdrawal(made.second, made.id, "债务已清偿")
    asked = service.withdraw(made.manager, made.id, "债务已清偿")
    approvals.decide(asked.id, made.other_manager, approve=True)
    db.session.commit()
    listing = db.session.get_one(Listing, made.id)
    assert (listing.state, latest(made)[1].state) == ("withdrawn", "unsold")
    assert db.session.scalars(select(NextRound.state)).one() == "dropped"
    assert db.session.get_one(Case, listing.case_id).state == "approved"
    assert not [d for d in deadlines.open_for("lot", lot.id) if d.kind == "lot.next_round_due"]
    follow(made.id)
    assert db.session.get_one(Listing, made.id).state == "withdrawn"
    assert not desk.offers_with([listing.items[0].right_id])
    again = service.create_listing(made.maker, listing.case_id, [listing.items[0].right_id])
    assert again.state == "draft"


def test_rights_offered_elsewhere_meanwhile_bar_the_round(app: Zhiliu) -> None:
    made = unsold()
    listing = db.session.get_one(Listing, made.id)
    service.create_listing(made.maker, listing.case_id, [listing.items[0].right_id])
    with pytest.raises(Invalid) as caught:
        service.propose_round(made.maker, made.id, good_round(made))
    assert "right_offered_elsewhere" in codes(caught)


def test_the_desk_counts_and_shows_what_waits(app: Zhiliu) -> None:
    made = unsold()
    ((line,), _counts, _pages) = desk.offers(made.maker)
    assert line.failed and line.next_round is None and line.start_minor == 5_000_000_00
    assert db.session.scalar(db.select(desk.waiting()["offers"])) == 0
    take_to(made, "submitted")
    assert db.session.scalar(db.select(desk.waiting()["offers"])) == 1
    ((line,), _counts, _pages) = desk.offers(made.manager)
    assert line.next_round is not None and line.next_round.state == "submitted"
