"""The verdict that gates publication, with every reason."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.rights.rules.annuities import annuity_state, schedule
from marketplace.rights.rules.encumbrances import Licence, LicenceType, Pledge, Preservation
from marketplace.rights.rules.health import Consents, Purpose, RightFacts, Status, Verdict, health
from marketplace.rights.rules.kinds import Kind
from marketplace.rights.rules.reasons import REASONS, Severity, reason
from marketplace.rights.rules.terms import legal_term

TODAY = date(2025, 2, 1)
FILED = date(2020, 3, 27)
TERM = legal_term(Kind.INVENTION_PATENT, filing_date=FILED)
ROWS = schedule(Kind.INVENTION_PATENT, FILED, date(2022, 5, 1))
PAID = annuity_state(ROWS, {4, 5, 6}, TODAY)
PLEDGE = Pledge("甲银行", date(2023, 1, 1))


def facts(**more):
    return RightFacts(**({"kind": Kind.INVENTION_PATENT, "number": "ZL202010123456.2", "term": TERM} | more))


def codes(verdict):
    for item in verdict.reasons:
        assert item.text and "%(" not in item.text  # every template gets its params
    return [item.code for item in verdict.reasons]


def test_a_clean_right_is_ok():
    verdict = health(facts(), PAID, today=TODAY)
    assert (verdict.verdict, verdict.reasons, verdict.publishable) == (Verdict.OK, (), True)


def test_a_day_is_required():
    with pytest.raises(ValueError, match="day"):
        health(facts(), PAID)


@pytest.mark.parametrize(
    ("right", "code"),
    [
        (facts(status=Status.INVALIDATED), "invalidated"),
        (facts(status=Status.TERMINATED), "terminated"),
        (facts(status=Status.PENDING), "not_granted"),
        (facts(term=legal_term(Kind.INVENTION_PATENT, filing_date=date(2005, 2, 1))), "expired"),
        (facts(number=""), "number_missing"),
        (facts(co_owners=("乙公司",)), "co_owner_consent_missing"),
        (facts(ownership_suspended_until=TODAY), "ownership_suspended"),
    ],
)
def test_reasons_that_bar_publication(right, code):
    verdict = health(right, PAID, today=TODAY)
    assert verdict.verdict == Verdict.BLOCKED and not verdict.publishable
    assert code in codes(verdict)


@pytest.mark.parametrize(
    ("right", "code"),
    [
        (facts(invalidation_pending=True), "invalidation_pending"),
        (facts(term=None), "term_unknown"),
        (facts(term=legal_term(Kind.INVENTION_PATENT, filing_date=date(2005, 8, 1))), "expires_soon"),
        (facts(number_warnings=("number.foreign",)), "number_unconfirmed"),
    ],
)
def test_reasons_that_only_warn(right, code):
    verdict = health(right, PAID, today=TODAY)
    assert (verdict.verdict, codes(verdict)) == (Verdict.WARN, [code])


@pytest.mark.parametrize(
    ("today", "paid", "code", "verdict"),
    [
        (date(2025, 3, 1), {4, 5}, "fee_due_soon", Verdict.WARN),
        (date(2025, 3, 28), {4, 5}, "fee_in_grace", Verdict.BLOCKED),
        (date(2025, 9, 28), {4, 5}, "fee_lapsed", Verdict.BLOCKED),
        (date(2025, 9, 28), None, "fee_unknown", Verdict.WARN),
    ],
)
def test_unpaid_fees(today, paid, code, verdict):
    result = health(facts(), annuity_state(ROWS, paid, today), today=today)
    assert (result.verdict, codes(result)) == (verdict, [code])


def test_a_pledge_needs_the_pledgees_consent():
    missing = health(facts(), PAID, [PLEDGE], today=TODAY)
    assert (missing.verdict, codes(missing)) == (Verdict.BLOCKED, ["pledgee_consent_missing"])
    given_ = health(facts(), PAID, [PLEDGE], Consents(pledgees=frozenset({"甲银行"})), TODAY)
    assert (given_.verdict, codes(given_)) == (Verdict.WARN, ["pledged"])
    other = health(facts(), PAID, [PLEDGE], Consents(pledgees=frozenset({"乙银行"})), TODAY)
    assert other.verdict == Verdict.BLOCKED
    again = health(facts(), PAID, [PLEDGE], today=TODAY, purpose=Purpose.PLEDGE)
    assert codes(again) == ["not_pledgeable_again"]
    released = health(facts(), PAID, [Pledge("甲银行", date(2023, 1, 1), date(2024, 1, 1))], today=TODAY)
    assert released.verdict == Verdict.OK


def test_court_preservation_bars_all_but_that_courts_own_sale():
    held = Preservation("武汉中院", "（2025）鄂01执1号", date(2025, 1, 1), date(2025, 7, 1))
    assert codes(health(facts(), PAID, [held], today=TODAY)) == ["preserved"]
    assert health(facts(), PAID, [held], today=TODAY, selling_court="宜昌中院").verdict == Verdict.BLOCKED
    assert health(facts(), PAID, [held], today=TODAY, selling_court="武汉中院").verdict == Verdict.WARN
    fees = annuity_state(ROWS, {4, 5, 6}, date(2025, 7, 2))
    assert health(facts(), fees, [held], today=date(2025, 7, 2)).verdict == Verdict.OK


@pytest.mark.parametrize(
    ("type_", "purpose", "code"),
    [
        (LicenceType.EXCLUSIVE, Purpose.TRANSFER, "exclusive_licence"),
        (LicenceType.SOLE, Purpose.TRANSFER, "sole_licence"),
        (LicenceType.OPEN, Purpose.TRANSFER, "ordinary_licence"),
        (LicenceType.EXCLUSIVE, Purpose.ORDINARY_LICENCE, "licence_conflict"),
        (LicenceType.SOLE, Purpose.EXCLUSIVE_LICENCE, "licence_conflict"),
        (LicenceType.ORDINARY, Purpose.ORDINARY_LICENCE, "ordinary_licence"),
    ],
)
def test_licences_are_shown_on_a_sale_and_conflict_with_new_ones(type_, purpose, code):
    result = health(facts(), PAID, [Licence("丙", type_, date(2024, 1, 1))], today=TODAY, purpose=purpose)
    assert codes(result) == [code]
    assert (result.verdict == Verdict.BLOCKED) == (code == "licence_conflict")


def test_co_owners_must_consent_except_to_ordinary_licences():
    right = facts(co_owners=("乙", "丙"))
    assert codes(health(right, PAID, today=TODAY)) == ["co_owner_consent_missing"] * 2
    assert health(right, PAID, today=TODAY, purpose=Purpose.ORDINARY_LICENCE).verdict == Verdict.OK
    all_of_them = Consents(co_owners=frozenset({"乙", "丙"}))
    assert health(right, PAID, (), all_of_them, TODAY).verdict == Verdict.OK


def test_collective_marks_go_only_to_qualified_transferees():
    right = RightFacts(
        Kind.COLLECTIVE_MARK,
        number="第12345678号",
        term=legal_term(Kind.COLLECTIVE_MARK, registration_date=date(2020, 1, 1)),
    )
    assert codes(health(right, today=TODAY)) == ["qualified_transferee_needed"]
    limited = health(right, None, (), Consents(bidders_qualified=True), TODAY)
    assert (limited.verdict, codes(limited)) == (Verdict.WARN, ["qualified_transferee_only"])


def test_a_patent_application_can_be_sold_with_a_warning_but_not_pledged():
    right = RightFacts(
        Kind.PATENT_APPLICATION,
        Status.PENDING,
        "CN114081026A",
        term=legal_term(Kind.PATENT_APPLICATION, filing_date=FILED),
    )
    assert codes(health(right, today=TODAY)) == ["application_only"]
    assert health(right, today=TODAY, purpose=Purpose.PLEDGE).verdict == Verdict.BLOCKED


def test_an_unconfirmed_term_warns():
    right = RightFacts(
        Kind.PLANT_VARIETY,
        number="CNA20191006012",
        term=legal_term(Kind.PLANT_VARIETY, grant_date=date(2025, 6, 1)),
    )
    assert "term_unconfirmed" in codes(health(right, today=date(2025, 7, 1)))


def test_every_reason_is_collected_the_barring_ones_first():
    right = facts(status=Status.PENDING, co_owners=("乙",), invalidation_pending=True, term=None)
    result = health(right, None, [PLEDGE], today=TODAY)
    severities = [item.severity for item in result.reasons]
    assert severities == sorted(severities, key=lambda s: s != Severity.BLOCK)
    assert set(codes(result)) == {
        "not_granted",
        "co_owner_consent_missing",
        "pledgee_consent_missing",
        "invalidation_pending",
        "term_unknown",
        "fee_unknown",
    }


def test_a_reason_carries_its_source():
    assert reason("pledgee_consent_missing", pledgee="甲").source == REASONS["pledgee_consent_missing"].source


@given(st.sampled_from(list(Kind)), st.sampled_from(list(Status)), st.sampled_from(list(Purpose)), st.booleans())
def test_the_verdict_follows_the_reasons(kind, status, purpose, pledged):
    result = health(RightFacts(kind, status), None, [PLEDGE] if pledged else [], today=TODAY, purpose=purpose)
    blocked = any(item.severity == Severity.BLOCK for item in result.reasons)
    assert (result.verdict == Verdict.BLOCKED) == blocked
    assert (result.verdict == Verdict.OK) == (not result.reasons)
    codes(result)
