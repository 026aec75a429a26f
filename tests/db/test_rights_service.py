"""A bank's rights: entered, corrected, paid for, burdened and freed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from marketplace import Zhiliu
from marketplace.core import deadlines
from marketplace.core.calendar import add_months, add_years, day_starts
from marketplace.core.clock import today
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import Forbidden, Invalid, NotFound, Refused
from marketplace.core.models import Deadline, Document, Event, Outbox
from marketplace.rights import bulk, burdens, handlers, queries, service
from marketplace.rights.models import Right, RightChange
from tests.factories.parties import make_actor, make_org
from tests.factories.rights import fresh_number, make_right, pdf_upload, right_data


def codes(refusal: pytest.ExceptionInfo[Invalid]) -> set[tuple[str | None, str]]:
    return {(problem.field, problem.code) for problem in refusal.value.problems}


def test_a_right_is_entered_in_any_writing_and_kept_in_one(app: Zhiliu) -> None:
    actor = make_actor("bank")
    data = right_data(number="专利号：ＺＬ ９５１１５６０８．ｘ", filing_date=date(1995, 10, 11), grant_date=None)
    right = service.create_right(actor, data | {"fees_paid_through": None, "ipc": "g06f 17/30；G06F", "nice": ""})
    db.session.commit()
    assert right.number_display == "ZL95115608.X"
    assert right.ipc == ["G06F17/30", "G06F"]
    assert right.term_end == date(2015, 10, 10)
    assert queries.right_for(actor, right.id).org_id == actor.org_id


def test_all_faults_come_at_once_each_at_its_field(app: Zhiliu) -> None:
    actor = make_actor("bank")
    data = {
        "kind": "invention_patent",
        "number": "ZL202010123456.7",
        "title": "  ",
        "holder_uscc": "91110000600037341M",
        "filing_date": "2020-13-01",
        "grant_date": today() + timedelta(days=1),
        "ipc": "水",
        "nice": "46",
        "fee_reduction": "101",
        "fees_paid_through": "21",
        "industry": "水利",
        "region_code": "4201x",
    }
    with pytest.raises(Invalid) as refusal:
        service.create_right(actor, data)
    assert codes(refusal) == {
        ("number", "patent.check_digit"),
        ("title", "required"),
        ("holder_uscc", "uscc.check_digit"),
        ("filing_date", "date_format"),
        ("grant_date", "date_in_future"),
        ("ipc", "ipc_format"),
        ("nice", "trademark.class"),
        ("fee_reduction", "number_range"),
        ("fees_paid_through", "number_range"),
        ("industry", "code_format"),
        ("region_code", "code_format"),
    }
    assert all(str(problem.message) for problem in refusal.value.problems)


def test_the_same_number_written_otherwise_is_refused_and_names_the_first(app: Zhiliu) -> None:
    actor = make_actor("bank")
    first = service.create_right(actor, right_data(number="ZL202110344405.7"))
    with pytest.raises(Invalid) as refusal:
        service.create_right(actor, right_data(number="202110344405.7"))
    assert refusal.value.problems[0].params["right_id"] == first.id
    assert codes(refusal) == {("number", "number_taken")}
    other = service.create_right(make_actor("bank"), right_data(number="ZL202110344405.7"))
    assert other.id != first.id


def test_only_a_banks_maker_enters_rights(app: Zhiliu) -> None:
    for actor, code in (
        (make_actor("operator"), "bank_needed"),
        (make_actor("platform"), "bank_needed"),
        (make_actor("bank", roles=("viewer", "approver")), "role_needed"),
    ):
        with pytest.raises(Forbidden) as refusal:
            service.create_right(actor, right_data())
        assert refusal.value.code == code


def test_a_correction_is_noted_field_by_field_and_recomputes_the_term(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data())
    filed = right.filing_date
    assert filed is not None and right.term_end == add_years(filed, 20) - timedelta(days=1)
    earlier = filed - timedelta(days=40)
    service.update_right(actor, right.id, {"filing_date": earlier, "title": "新名称"})
    db.session.commit()
    assert right.term_end == add_years(earlier, 20) - timedelta(days=1)
    change = db.session.scalars(select(RightChange)).one()
    assert set(change.after) == {"filing_date", "term_end", "title"}
    assert change.before["filing_date"] == filed.isoformat() and change.user_id == actor.user_id
    service.update_right(actor, right.id, {"title": "新名称"})
    assert len(db.session.scalars(select(RightChange)).all()) == 1, "nothing differed"
    with pytest.raises(Exception, match="append-only"):
        db.session.execute(text("UPDATE right_change SET user_id = NULL"))


def test_a_form_drawn_before_another_change_is_stale(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data())
    seen = service.version_of(right)
    service.update_right(actor, right.id, {"title": "甲"}, seen)
    with pytest.raises(Refused) as refusal:
        service.update_right(actor, right.id, {"title": "乙"}, seen)
    assert refusal.value.code == "stale_form"
    assert right.title == "甲"


def test_another_bank_does_not_know_the_right(app: Zhiliu) -> None:
    right = make_right(make_org("bank"))
    stranger = make_actor("bank")
    with pytest.raises(NotFound):
        queries.right_for(stranger, right.id)
    with pytest.raises(NotFound):
        service.update_right(stranger, right.id, {"title": "x"})
    assert queries.right_for(make_actor("platform"), right.id).id == right.id


def test_a_paid_fee_makes_a_right_healthy_again(app: Zhiliu) -> None:
    """In the fifth overdue month the surcharge is 20 % of the full fee; once paid the right may be published."""
    day = today()
    due = add_months(day, -5) + timedelta(days=2)
    filed = add_years(due, -5)
    actor = make_actor("bank")
    right = service.create_right(
        actor, right_data(filing_date=filed, grant_date=add_years(filed, 1), fees_paid_through=5)
    )
    verdict = service.health_of(right, day)
    assert verdict.has("fee_in_grace") and not verdict.publishable
    payment = service.record_payment(
        actor, right.id, year=6, paid_on=day, amount_minor=1200_00, receipt=pdf_upload("凭证.pdf")
    )
    db.session.commit()
    assert service.health_of(right, day).publishable
    assert db.session.get(Document, payment.document_id).kind == "annuity_receipt"
    with pytest.raises(Invalid) as refusal:
        service.record_payment(actor, right.id, year=6, paid_on=day, amount_minor=1)
    assert codes(refusal) == {("year", "year_paid")}


def test_a_fee_cannot_be_paid_after_its_grace_period(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = make_right(make_org("bank"), healthy=False)
    actor = make_actor("bank", org=db.session.get(type(make_org("bank")), right.org_id))
    assert service.health_of(right, today()).has("fee_lapsed")
    with pytest.raises(Invalid) as refusal:
        service.record_payment(actor, right.id, year=5, paid_on=today(), amount_minor=1)
    assert ("paid_on", "fee_lapsed") in codes(refusal)
    with pytest.raises(Invalid) as refusal:
        service.record_payment(actor, right.id, year=99, paid_on=today() + timedelta(1), amount_minor=-1)
    assert codes(refusal) == {
        ("year", "year_unknown"),
        ("paid_on", "date_in_future"),
        ("amount", "money_negative"),
    }


def test_a_pledge_bars_publication_until_the_pledgee_consents_in_writing(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data())
    day = today()
    pledge = burdens.add_encumbrance(
        actor,
        right.id,
        {"kind": "pledge", "holder": "汉口银行", "registration_no": "Y2024980012345", "from_date": day},
    )
    assert service.health_of(right, day).has("pledgee_consent_missing")
    assert service.health_of(right, day, consent_needed=False).publishable
    with pytest.raises(Invalid) as refusal:
        burdens.record_consent(actor, right.id, pledge.id, None)
    assert codes(refusal) == {("file", "file.missing")}
    burdens.record_consent(actor, right.id, pledge.id, pdf_upload())
    db.session.commit()
    assert service.health_of(right, day).has("pledged") and service.health_of(right, day).publishable


def test_one_consent_does_not_speak_for_the_same_pledgees_second_pledge(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data())
    pledges = [
        burdens.add_encumbrance(actor, right.id, {"kind": "pledge", "holder": "汉口银行", "from_date": today()})
        for _ in range(2)
    ]
    burdens.record_consent(actor, right.id, pledges[0].id, pdf_upload())
    assert not service.health_of(right, today()).publishable


def test_the_banks_own_pledge_needs_no_further_consent(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data())
    burdens.add_encumbrance(actor, right.id, {"kind": "pledge", "holder": "本行", "own": True, "from_date": today()})
    assert service.health_of(right, today()).publishable


def test_a_preservation_gets_the_longest_end_the_law_allows(app: Zhiliu) -> None:
    """专利纠纷规定 art. 13: at most six months for a patent."""
    actor = make_actor("bank")
    right = service.create_right(actor, right_data())
    start = today() - timedelta(days=10)
    data = {
        "kind": "preservation",
        "holder": "武汉市中级人民法院",
        "case_no": "（2026）鄂01民初1号",
        "from_date": start,
    }
    held = burdens.add_encumbrance(actor, right.id, data)
    assert held.until_date == add_months(start, 6)
    assert service.health_of(right, today()).has("preserved")
    with pytest.raises(Invalid) as refusal:
        burdens.add_encumbrance(actor, right.id, data | {"until_date": add_months(start, 7)})
    assert codes(refusal) == {("until_date", "preservation.too_long")}
    burdens.release_encumbrance(actor, right.id, held.id, today())
    assert service.health_of(right, today()).publishable
    with pytest.raises(Refused) as again:
        burdens.release_encumbrance(actor, right.id, held.id, today())
    assert again.value.code == "encumbrance_released"


def test_new_co_owners_need_a_new_consent(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data(co_owners="张三；李四"))
    assert right.co_owners == ["张三", "李四"]
    assert service.health_of(right, today()).has("co_owner_consent_missing")
    burdens.record_co_owner_consent(actor, right.id, pdf_upload())
    assert service.health_of(right, today()).publishable
    service.update_right(actor, right.id, {"co_owners": ["张三", "王五"]})
    assert service.health_of(right, today()).has("co_owner_consent_missing")


def test_standing_in_the_register_bars_publication(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data())
    day = today()
    for data, reason in (
        ({"terminated_on": day}, "terminated"),
        ({"invalidated_on": day}, "invalidated"),
        ({"ownership_suspended": True, "ownership_suspended_until": day}, "ownership_suspended"),
        ({"invalidation_pending": True}, "invalidation_pending"),
    ):
        service.set_standing(actor, right.id, data)
        assert service.health_of(right, day).has(reason)
    service.set_standing(actor, right.id, {})
    assert not service.health_of(right, day).reasons
    with pytest.raises(Invalid) as refusal:
        service.set_standing(actor, right.id, {"ownership_suspended": True, "terminated_on": day + timedelta(1)})
    assert codes(refusal) == {("terminated_on", "date_in_future"), ("ownership_suspended_until", "required")}


def test_public_facts_hold_no_inner_knowledge(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data(holder_uscc="91110000600037341L"))
    facts = queries.right_snapshot(right)
    assert facts["number"] == right.number_display and facts["health"]["verdict"] == "ok"
    assert not {"holder_uscc", "org_id", "created_by", "extra", "source", "updated_at"} & set(facts)
    import json

    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize("kind", list(bulk.KINDS))
def test_every_kind_of_right_can_be_entered_and_judged(app: Zhiliu, kind: bulk.Kind) -> None:
    right = make_right(make_org("bank"), str(kind.value))
    verdict = service.health_of(right, today())
    barred = {reason.code for reason in verdict.reasons if reason.severity == "block"}
    assert barred <= {"qualified_transferee_needed"}
    assert queries.right_snapshot(right)["kind"] == kind.value


def due_of(right: Right) -> dict[str, Deadline]:
    return {row.kind: row for row in deadlines.open_for("right", right.id)}


def test_the_next_fee_and_the_end_of_the_term_are_watched(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data())
    assert set(due_of(right)) == {"right.annuity", "right.expiry"}
    assert due_of(right)["right.expiry"].due_at == day_starts(right.term_end - timedelta(days=365))
    service.set_standing(actor, right.id, {"terminated_on": today()})
    assert not due_of(right)


def test_a_due_fee_is_told_once_a_day_and_again_later(app: Zhiliu) -> None:
    """30 days before the fee is due the bank hears of it; running the handler twice sends one mail."""
    day = today()
    filed = add_years(day + timedelta(days=30), -5)
    actor = make_actor("bank")
    right = service.create_right(
        actor, right_data(filing_date=filed, grant_date=add_years(filed, 1), fees_paid_through=5)
    )
    db.session.commit()
    for _ in range(2):
        with unit_of_work():
            again = handlers.annuity(right.id)
    mails = [m.payload for m in db.session.scalars(select(Outbox).where(Outbox.topic == "mail"))]
    assert len(mails) == 1
    due = add_years(filed, 5)
    assert again == day_starts(due - timedelta(days=7))
    assert due.isoformat() in mails[0]["body"] and "¥1,200.00" in mails[0]["body"]
    service.record_payment(actor, right.id, year=6, paid_on=day, amount_minor=1200_00)
    assert due_of(right)["right.annuity"].due_at == day_starts(add_years(filed, 6) - timedelta(days=90))


def test_an_ending_preservation_is_told(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data())
    day = today()
    burdens.add_encumbrance(
        actor,
        right.id,
        {
            "kind": "preservation",
            "holder": "武汉中院",
            "case_no": "1",
            "from_date": day - timedelta(days=60),
            "until_date": day + timedelta(days=7),
        },
    )
    assert due_of(right)["right.preservation"].due_at == day_starts(day + timedelta(days=7))
    assert handlers.preservation(right.id) == day_starts(day + timedelta(days=7))
    assert db.session.scalar(select(Outbox).where(Outbox.topic == "mail")) is not None


def test_lists_are_filtered_by_kind_health_end_and_text(app: Zhiliu) -> None:
    bank = make_org("bank")
    good = make_right(bank, title="水泵")
    bad = make_right(bank, healthy=False, title="阀门_100%")
    mark = make_right(bank, "trademark", title="江夏")
    make_right(make_org("bank"), title="水泵")

    def found(**filters: object) -> set[int]:
        return {row.id for row, _ in queries.search_rights(bank.id, queries.Filters(**filters)).rows}

    assert found() == {good.id, bad.id, mark.id}
    assert found(kind="trademark") == {mark.id}
    assert found(health="blocked") == {bad.id}
    assert found(text="水泵") == {good.id}
    assert found(text="_100%") == {bad.id}
    assert found(text="100_") == set()
    assert found(text=good.number_display.replace("ZL", "专利号 zl ")) == {good.id}
    assert found(expiring=0) == set()
    assert found(expiring=365 * 30) == {good.id, bad.id, mark.id}
    assert len(queries.search_rights(None, queries.Filters()).rows) == 4


def test_events_tell_what_happened(app: Zhiliu) -> None:
    actor = make_actor("bank")
    right = service.create_right(actor, right_data(number=fresh_number()))
    service.update_right(actor, right.id, {"title": "x"})
    kinds = list(db.session.scalars(select(Event.kind).where(Event.subject == "right").order_by(Event.id)))
    assert kinds == ["right.created", "right.changed"]
