"""The gates of an offer as a table, and the notice from its data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.auctions.rules.catalogue import COMMERCIAL, JUDICIAL_ONLINE, PLEDGEE_AGREED, SANDBOX
from marketplace.listings import rules
from marketplace.listings.filters import read_filters
from marketplace.listings.notice import NoticeData, english_summary, notice_text

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
GOOD = rules.OfferFacts(
    profile=PLEDGEE_AGREED,
    at=AT,
    org_verified=True,
    case_approved=True,
    rights=(rules.RightFacts(1, "专利（ZL1）"),),
    texts=dict.fromkeys(rules.TEXTS, "有"),
    documents=frozenset({"price_basis"}),
    path_basis="质押合同第 12 条",
    bidder_conditions="法人",
    priority_holders="未发现",
    warned=frozenset(item.code for item in PLEDGEE_AGREED.warnings),
    start_minor=700_000_00,
    increment_minor=7_000_00,
    deposit_minor=70_000_00,
    balance_days=15,
    opens_at=AT + timedelta(days=30),
    ends_at=AT + timedelta(days=31),
    appraisal_minor=1_000_000_00,
    valuation_basis="bank_internal",
    loan_principal_minor=5_000_000_00,
    parties_notified_at=AT - timedelta(days=4),
)
GATES: list[tuple[dict[str, Any], str]] = [
    ({"org_verified": False}, "organisation_not_verified"),
    ({"case_approved": False}, "case_not_approved"),
    ({"rights": ()}, "rights_missing"),
    ({"rights": (rules.RightFacts(1, "甲", (("expired", "已届满", "专利法 art. 42"),)),)}, "right_blocked"),
    ({"rights": (rules.RightFacts(1, "甲", (), ("ZL-2026-000001",)),)}, "right_offered_elsewhere"),
    ({"texts": {}}, "text_missing"),
    ({"start_minor": None}, "term_missing"),
    ({"start_minor": 690_000_00}, "start_below_floor"),
    ({"deposit_minor": 1_00}, "deposit_too_low"),
    ({"deposit_minor": 200_000_00}, "deposit_too_high"),
    ({"opens_at": AT + timedelta(days=29)}, "notice_too_short"),
    ({"ends_at": AT + timedelta(days=30, hours=23)}, "duration_too_short"),
    ({"warned": frozenset()}, "warning_missing"),
    ({"priority_holders": " "}, "notice_item_missing"),
    ({"parties_notified_at": None}, "notice_item_missing"),
    ({"parties_notified_at": AT - timedelta(days=2)}, "parties_notified_late"),
    ({"documents": frozenset()}, "price_document_missing"),
    ({"valuation_basis": None}, "valuation_basis_missing"),
    ({"loan_principal_minor": 10_000_000_01}, "internal_valuation_over_cap"),
    ({"balance_days": 0}, "balance_days_range"),
    ({"profile": COMMERCIAL, "labelled_auction": True}, "licence_missing"),
]


def refused(facts: rules.OfferFacts) -> set[str]:
    return {finding.code for finding in rules.gates(facts) if finding.severity == "refuse"}


def test_a_complete_offer_passes() -> None:
    assert rules.gates(GOOD) == []


@pytest.mark.parametrize(("change", "code"), GATES, ids=[f"{code}-{n}" for n, (_c, code) in enumerate(GATES)])
def test_each_gate_closes_alone(change: dict[str, Any], code: str) -> None:
    assert code in refused(replace(GOOD, **change))


def test_the_guideline_on_increments_only_warns() -> None:
    found = rules.gates(replace(GOOD, increment_minor=7_000_01))
    assert [(f.code, f.severity) for f in found] == [("increment_above_guideline", "warn")]


def test_a_sandbox_may_open_at_once_without_a_price_document() -> None:
    facts = replace(
        GOOD,
        profile=SANDBOX,
        documents=frozenset(),
        opens_at=AT + timedelta(seconds=15),
        ends_at=AT + timedelta(minutes=2),
    )
    assert refused(facts) == set()


def test_a_real_sale_is_never_moved_and_a_rehearsal_keeps_its_length() -> None:
    late = (AT - timedelta(hours=1), AT + timedelta(hours=1))
    assert rules.rehearsal_times(PLEDGEE_AGREED, AT, *late) == late
    opens, ends = rules.rehearsal_times(SANDBOX, AT, *late)
    assert opens == AT + timedelta(seconds=10) and ends - opens == timedelta(hours=2)


def test_every_legal_path_has_a_profile() -> None:
    from marketplace.auctions.rules.catalogue import PROFILES
    from marketplace.cases.models import LEGAL_PATHS

    assert {rules.default_profile(path) for path in LEGAL_PATHS} <= set(PROFILES)
    assert rules.profile_choices("agreed_sale", demo_org=False) == ("pledgee_agreed",)


def data(**changes: Any) -> NoticeData:
    values: dict[str, Any] = {
        "number": "ZL-2026-000001", "title": "一种发明专利", "seller": "测试银行", "profile": JUDICIAL_ONLINE,
        "basis": "（2026）鄂01执1号", "rights": (("驱鸟装置", "ZL202010000001.X", "某公司", ("质押，测试银行",)),),
        "start_minor": 700_000_00, "increment_minor": 7_000_00, "deposit_minor": 70_000_00, "balance_days": 15,
        "appraisal_minor": 1_000_000_00, "appraisal_date": None, "valuation_basis": "external_report",
        "opens_at": AT, "ends_at": AT + timedelta(days=1), "published_at": AT,
        "currency": "CNY",
        "texts": {"summary": "一件", "known_defects": "未发现"},
        "bidder_conditions": "法人", "priority_holders": "未发现",
        "parties_notified_at": AT, "notification_note": "送达",
        "warned": ("capacity", "deposit_forfeit"), "account": "专户",
    }  # fmt: skip
    return NoticeData(**values | changes)


def test_the_notice_says_what_the_articles_demand() -> None:
    text = notice_text(data())
    for part in (
        "ZL-2026-000001", "ZL202010000001.X", "负担：质押，测试银行", "¥700,000.00", "¥7,000.00", "¥70,000.00",
        "未发现",
        "2026年03月02日 10:00:00", "顺延 5 分钟", "优先购买权人", "15 日内", "特别提示",
        "保证金不予退还", "（2026）鄂01执1号",
    ):  # fmt: skip
        assert part in text, part
    assert "身份将在成交确认书中公示" not in text  # not ticked


def test_the_notice_of_a_sandbox_says_so() -> None:
    assert "沙盒演练" in notice_text(data(profile=SANDBOX)) and "沙盒" not in notice_text(data())


def test_the_notice_of_a_rehearsal_says_how_long_its_periods_really_are() -> None:
    text = notice_text(data(profile=SANDBOX, balance_days=15))
    for part in (
        "结束前 10 秒（实际场次为 5 分钟）内有出价的",
        "竞价结束后 60 秒（实际场次为 24 小时）内退还",
        "成交之日起 15 分钟（实际场次为 15 天）内付至",
    ):
        assert part in text, part


def test_the_english_summary_has_the_same_figures() -> None:
    summary = dict(english_summary(data()))
    assert summary["Start price"] == "¥700,000.00" and "UTC+8" in summary["Bidding opens"]


def test_filters_make_the_address_they_were_read_from() -> None:
    args = {"q": "水 电", "kind": "invention_patent", "low": "1万", "sort": "ending", "page": "3"}
    read = read_filters(args)
    from urllib.parse import parse_qsl

    assert dict(parse_qsl(read.query(page=read.page))) == args
    assert read.low_minor == 10_000_00 and read.query(sort="new") == read.query(sort="new", page=1)
