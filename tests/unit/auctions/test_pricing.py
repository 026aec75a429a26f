from datetime import UTC, date, datetime, timedelta

import pytest

from marketplace.auctions.rules.catalogue import (
    BANKRUPTCY,
    COMMERCIAL,
    JUDICIAL_ONLINE,
    PLEDGEE_AGREED,
    SANDBOX,
    STATE_OWNED,
)
from marketplace.auctions.rules.findings import refused
from marketplace.auctions.rules.pricing import (
    check_organizer,
    check_terms,
    creditor_deposit,
    deposit_band,
    increment_guide,
    lowest_start,
)
from marketplace.core.calendar import legal_date

YUAN = 100
MILLION = 1_000_000 * YUAN
PUBLISHED = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
OPENS = datetime(2026, 2, 14, 2, 0, tzinfo=UTC)  # 30 days later


def check(profile=JUDICIAL_ONLINE, **changes):
    terms = {
        "round_no": 1,
        "appraisal_minor": MILLION,
        "previous_start_minor": None,
        "start_minor": 700_000 * YUAN,
        "increment_minor": 5_000 * YUAN,
        "deposit_minor": 70_000 * YUAN,
        "published_at": PUBLISHED,
        "opens_at": OPENS,
        "ends_at": OPENS + timedelta(days=1),
    }
    return check_terms(profile, **{**terms, **changes})


def codes(findings):
    return {finding.code for finding in findings}


SECOND = {
    "round_no": 2,
    "previous_start_minor": 700_000 * YUAN,
    "previous_ended_at": OPENS - timedelta(days=20),
    "deposit_minor": 60_000 * YUAN,
}
SELL_OFF = {
    "round_no": 3,
    "previous_start_minor": 560_000 * YUAN,
    "deposit_minor": 560_000 * YUAN,
    "ends_at": OPENS + timedelta(days=60),
}


def test_vector_1_price_ladder_of_first_second_and_sell_off():
    assert codes(check(start_minor=690_000 * YUAN)) == {"start_below_floor"}
    assert check() == []
    assert codes(check(**SECOND, start_minor=550_000 * YUAN)) == {"reduction_too_large"}
    assert check(**SECOND, start_minor=560_000 * YUAN) == []
    assert codes(check(**SELL_OFF, start_minor=550_000 * YUAN)) == {
        "sell_off_price_differs",
        "deposit_not_full_price",
    }
    assert check(**SELL_OFF, start_minor=560_000 * YUAN) == []
    assert refused(check(**SELL_OFF, start_minor=561_000 * YUAN))


def test_price_floor_rounds_up_so_that_no_fen_below_seventy_percent_passes():
    assert lowest_start(JUDICIAL_ONLINE, 1, 1_001, None) == 701
    assert codes(check(appraisal_minor=1_001, start_minor=700, increment_minor=1, deposit_minor=100)) == {
        "start_below_floor"
    }


@pytest.mark.parametrize(("start", "most"), [(80_000, 1_600), (500_000, 5_000), (2_000_000, 10_000)])
def test_vector_2_increment_guideline_warns_and_never_refuses(start, most):
    assert increment_guide(JUDICIAL_ONLINE, start * YUAN) == most * YUAN
    usual = {
        "appraisal_minor": start * YUAN,
        "start_minor": start * YUAN,
        "deposit_minor": start * YUAN // 10,
    }
    assert check(**usual, increment_minor=most * YUAN) == []
    (finding,) = check(**usual, increment_minor=most * YUAN + 1)
    assert (finding.code, finding.severity, finding.force) == (
        "increment_above_guideline",
        "warn",
        "guideline",
    )
    assert finding.params == {"maximum_minor": most * YUAN}


@pytest.mark.parametrize(("start", "most"), [(100_000, 2_000), (100_001, 1_000), (1_000_000, 10_000)])
def test_increment_guideline_bands_include_their_upper_bound(start, most):
    assert increment_guide(JUDICIAL_ONLINE, start * YUAN) // YUAN == most


def test_vector_3_deposit_between_five_and_twenty_percent():
    assert deposit_band(JUDICIAL_ONLINE, MILLION) == (50_000 * YUAN, 200_000 * YUAN)
    start = {"start_minor": MILLION}
    assert codes(check(**start, deposit_minor=50_000 * YUAN - 1)) == {"deposit_too_low"}
    assert check(**start, deposit_minor=50_000 * YUAN) == []
    assert check(**start, deposit_minor=200_000 * YUAN) == []
    (finding,) = check(**start, deposit_minor=200_000 * YUAN + 1)
    assert (finding.code, finding.field, finding.source) == (
        "deposit_too_high",
        "deposit",
        "网拍规定 art. 17",
    )


def test_vector_16_creditor_deposit_is_waived_up_to_the_claim():
    def owed(claim, creditor=True, profile=JUDICIAL_ONLINE):
        return creditor_deposit(profile, deposit_minor=50_000, claim_minor=claim, is_applicant_creditor=creditor)

    assert owed(50_000) == 0
    assert owed(60_000) == 0
    assert owed(30_000) == 20_000
    assert owed(60_000, creditor=False) == 50_000
    assert owed(60_000, profile=COMMERCIAL) == 50_000


def test_everything_wrong_is_said_at_once():
    found = check(
        start_minor=100,
        deposit_minor=50,
        increment_minor=5,
        opens_at=PUBLISHED + timedelta(days=2),
        ends_at=PUBLISHED + timedelta(days=2, hours=1),
        valuation_basis="hearsay",
    )
    assert codes(found) == {
        "start_below_floor",
        "deposit_too_high",
        "increment_above_guideline",
        "duration_too_short",
        "notice_too_short",
        "valuation_basis_unknown",
    }
    assert all(finding.source and finding.field for finding in found)


@pytest.mark.parametrize("amount", [0, -1, 2**63, 1.5, True, "700000"])
def test_amounts_are_positive_whole_minor_units(amount):
    assert "amount_not_positive" in codes(check(start_minor=amount))
    assert "amount_not_positive" in codes(check(increment_minor=amount))
    if amount != 0:
        assert "amount_not_positive" in codes(check(deposit_minor=amount))


def test_what_is_not_entered_yet_hides_nothing_else():
    """A form half filled in is told all its faults at once."""
    wrong = {"start_minor": 1, "increment_minor": 0, "deposit_minor": None, "ends_at": OPENS}
    assert codes(check(**wrong)) == {"start_below_floor", "amount_not_positive", "ends_not_after_opens"}
    late = {"start_minor": None, "opens_at": PUBLISHED - timedelta(days=1), "ends_at": None}
    assert codes(check(**late, parties_notified_at=PUBLISHED)) == {"opens_before_publication", "parties_notified_late"}
    nothing = dict.fromkeys(("start_minor", "increment_minor", "deposit_minor", "opens_at", "ends_at"))
    assert check(**nothing, valuation_date=legal_date(PUBLISHED)) == []


def test_notice_counts_shanghai_calendar_days_without_the_first():
    late_evening = datetime(2026, 1, 15, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai, still the 15th
    assert check(published_at=late_evening) == []
    (finding,) = check(published_at=late_evening + timedelta(minutes=1))  # the 16th
    assert finding.code == "notice_too_short"
    assert finding.params == {"days": 30, "unit": "days", "earliest": "2026-02-15"}
    assert finding.severity == "refuse"


def test_second_auction_needs_fifteen_days_of_notice_within_thirty_days_of_failure():
    second = {**SECOND, "start_minor": 560_000 * YUAN}
    assert check(**{**second, "published_at": OPENS - timedelta(days=15)}) == []
    assert codes(check(**{**second, "published_at": OPENS - timedelta(days=14)})) == {"notice_too_short"}
    assert check(**{**second, "previous_ended_at": OPENS - timedelta(days=30)}) == []
    assert codes(check(**{**second, "previous_ended_at": OPENS - timedelta(days=31)})) == {"reauction_too_late"}
    assert codes(check(**{**second, "previous_ended_at": None})) == {"previous_end_missing"}
    assert codes(check(**{**second, "previous_start_minor": None})) == {"previous_start_missing"}
    assert "opens_before_previous_end" in codes(check(**{**second, "previous_ended_at": OPENS + timedelta(days=1)}))


def test_bidding_lasts_a_day_and_ends_after_it_opens():
    assert codes(check(ends_at=OPENS + timedelta(hours=24) - timedelta(microseconds=1))) == {"duration_too_short"}
    assert codes(check(ends_at=OPENS)) == {"ends_not_after_opens"}
    assert "opens_before_publication" in codes(check(opens_at=PUBLISHED - timedelta(seconds=1)))


def test_a_round_past_the_ladder_is_unknown():
    assert codes(check(round_no=4)) == {"round_unknown"}
    assert codes(check(round_no=0)) == {"round_unknown"}


def test_internal_and_agreed_valuation_stop_at_ten_million_of_loan():
    ten = 10_000_000 * YUAN
    for basis in ("bank_internal", "bank_enterprise_agreed"):
        assert check(valuation_basis=basis, loan_principal_minor=ten) == []
        found = check(valuation_basis=basis, loan_principal_minor=ten + 1)
        assert codes(found) == {"internal_valuation_over_cap"} and refused(found)
        assert codes(check(valuation_basis=basis)) == {"loan_principal_missing"}
    assert check(valuation_basis="external_report", loan_principal_minor=10 * ten) == []
    assert check(valuation_basis="portfolio_overall") == []


def test_price_basis_lasts_a_year_and_a_noticed_sale_six_months_more():
    assert check(valuation_date=date(2025, 1, 15)) == []  # published on its last day
    assert codes(check(valuation_date=date(2025, 1, 14))) == {"price_basis_expired"}
    late = datetime(2026, 7, 16, 2, 0, tzinfo=UTC)
    assert codes(check(valuation_date=date(2025, 1, 15), opens_at=late - timedelta(days=1), ends_at=late)) == {
        "price_basis_too_old_for_sale"
    }
    assert "valuation_date_in_future" in codes(check(valuation_date=date(2027, 1, 1)))


def test_parties_are_notified_three_days_before_publication():
    assert check(parties_notified_at=PUBLISHED - timedelta(days=3)) == []
    assert codes(check(parties_notified_at=PUBLISHED - timedelta(days=2))) == {"parties_notified_late"}


def test_agreed_sale_refuses_by_its_own_published_rules_and_bankruptcy_only_warns():
    (finding,) = check(PLEDGEE_AGREED, start_minor=690_000 * YUAN)
    assert (finding.severity, finding.force) == ("refuse", "contract")
    (finding,) = check(BANKRUPTCY, start_minor=690_000 * YUAN)
    assert (finding.severity, finding.force) == ("warn", "guideline")


def test_commercial_sale_has_no_price_floor_but_seven_days_of_notice():
    usual = {"start_minor": 1_000, "increment_minor": 10, "deposit_minor": 0, "appraisal_minor": None}
    assert check(COMMERCIAL, **usual, published_at=OPENS - timedelta(days=7)) == []
    assert codes(check(COMMERCIAL, **usual, published_at=OPENS - timedelta(days=6))) == {"notice_too_short"}


def test_state_owned_seller_counts_working_days_and_needs_approval_below_ninety_percent():
    usual = {"start_minor": MILLION, "increment_minor": YUAN, "published_at": OPENS - timedelta(days=20)}
    assert check(STATE_OWNED, **usual) == []
    holidays = {date(2026, 2, day) for day in range(2, 14)}
    found = check(STATE_OWNED, **usual, is_workday=lambda day: day.weekday() < 5 and day not in holidays)
    assert codes(found) == {"notice_too_short"} and not refused(found)  # band up to 1m is unconfirmed
    large = {**usual, "start_minor": 20 * MILLION, "appraisal_minor": 20 * MILLION, "deposit_minor": MILLION}
    assert codes(check(STATE_OWNED, **large)) == {"notice_too_short"}
    assert refused(check(STATE_OWNED, **large))
    lower = {**usual, "round_no": 2, "previous_start_minor": MILLION, "start_minor": 890_000 * YUAN}
    assert codes(check(STATE_OWNED, **lower)) == {"approval_needed"}
    assert check(STATE_OWNED, **lower, written_approval=True) == []


def test_a_notice_in_working_days_warns_where_the_holidays_are_not_known():
    terms = {"start_minor": 20 * MILLION, "appraisal_minor": 20 * MILLION, "deposit_minor": 2 * MILLION}
    terms |= {
        "increment_minor": 1_000 * YUAN,
        "opens_at": OPENS + timedelta(days=30),
        "ends_at": OPENS + timedelta(days=40),
    }

    def found(until):
        return codes(check(STATE_OWNED, **terms, holidays_until=until))

    opening = date(2026, 2, 12)  # 20 working days after the 15th of January, Monday to Friday
    assert "holidays_unknown" not in found(None) | found(opening) | found(date(2026, 12, 31))
    assert "holidays_unknown" in found(opening - timedelta(days=1))
    calendar_days = check(holidays_until=date(2026, 1, 20))
    assert "holidays_unknown" not in codes(calendar_days)  # 30 days are 30 days


def test_sandbox_opens_at_once_with_a_warning_and_lasts_a_minute():
    now = {"opens_at": PUBLISHED, "ends_at": PUBLISHED + timedelta(minutes=1)}
    found = check(SANDBOX, **now)
    assert codes(found) == {"notice_too_short"} and not refused(found)
    assert found[0].params["sandbox"]  # told as what a real sale would need, not as a bound of the rehearsal
    assert check(SANDBOX, published_at=OPENS - timedelta(minutes=30), ends_at=OPENS + timedelta(minutes=1)) == []


def test_the_word_auction_needs_a_licence_and_an_auctioneer():
    def found(profile, labelled, licence=None, auctioneer=None):
        return codes(check_organizer(profile, labelled_auction=labelled, licence_no=licence, auctioneer=auctioneer))

    assert found(PLEDGEE_AGREED, True) == {"licence_missing", "auctioneer_missing"}
    assert found(PLEDGEE_AGREED, False) == set()
    assert found(COMMERCIAL, False, "鄂拍001") == {"auctioneer_missing"}
    assert found(COMMERCIAL, True, "鄂拍001", "王某") == set()
    assert found(JUDICIAL_ONLINE, True) == set()
