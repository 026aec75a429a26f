import json
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta

import pytest

from marketplace.auctions.rules.catalogue import (
    COMMERCIAL,
    JUDICIAL_ONLINE,
    PLEDGEE_AGREED,
    PROFILES,
    SANDBOX,
    get_profile,
)
from marketplace.auctions.rules.findings import Term
from marketplace.auctions.rules.profiles import Profile, scaled, span
from marketplace.auctions.rules.texts import check_checklists


def terms(value):
    if isinstance(value, Term):
        yield value
    elif is_dataclass(value):
        for member in fields(value):
            yield from terms(getattr(value, member.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from terms(item)


@pytest.mark.parametrize("code", sorted(PROFILES))
def test_profile_survives_json_and_keeps_every_source(code):
    profile = get_profile(code)
    assert Profile.from_json(json.loads(json.dumps(profile.to_json()))) == profile
    for term in terms(profile):
        assert term.source, term
    for item in (*profile.warnings, *profile.notice_items, *profile.may_not_bid):
        assert item.source and item.text_zh


def test_profile_with_a_missing_extra_or_ill_typed_member_is_refused():
    data = JUDICIAL_ONLINE.to_json()
    for broken in (
        {**data, "surprise": 1},
        {k: v for k, v in data.items() if k != "rounds"},
        {**data, "version": "1"},
        {**data, "start_floor": {**data["start_floor"], "force": "rumour"}},
        {**data, "rounds": "none"},
    ):
        with pytest.raises(ValueError, match="profile"):
            Profile.from_json(broken)


def test_a_rule_value_is_never_a_float():
    with pytest.raises(ValueError, match="float"):
        Term(0.7, "bp", "somewhere", "law")


def test_law_and_contract_refuse_while_guideline_and_practice_warn():
    severity = {f: Term(1, "days", "x", f).severity for f in ("law", "contract", "guideline", "practice")}
    assert severity == {"law": "refuse", "contract": "refuse", "guideline": "warn", "practice": "warn"}


def test_a_legal_day_of_the_sandbox_is_a_minute_and_an_extension_can_still_be_seen():
    assert scaled(timedelta(days=1), SANDBOX) == timedelta(minutes=1)
    assert span(SANDBOX.extension_length, SANDBOX) == timedelta(seconds=10)
    assert scaled(timedelta(seconds=3), SANDBOX) == timedelta(seconds=3)
    assert scaled(timedelta(days=1), PLEDGEE_AGREED) == timedelta(days=1)
    assert SANDBOX.sandbox
    assert not any(p.sandbox or p.clock_rate != 1 for c, p in PROFILES.items() if c != "sandbox")


def test_a_scaled_duration_rounds_down_to_whole_microseconds():
    profile = replace(SANDBOX, clock_rate=7, clock_floor_seconds=0)
    assert scaled(timedelta(microseconds=20), profile) == timedelta(microseconds=2)


def test_checklists_name_every_item_not_ticked():
    assert len(check_checklists(JUDICIAL_ONLINE, set(), set())) == len(JUDICIAL_ONLINE.warnings) + len(
        JUDICIAL_ONLINE.notice_items
    )
    every = {item.code for item in (*JUDICIAL_ONLINE.warnings, *JUDICIAL_ONLINE.notice_items)}
    assert check_checklists(JUDICIAL_ONLINE, every, every) == []
    (missing,) = check_checklists(JUDICIAL_ONLINE, every - {"agent"}, every)
    assert (missing.code, missing.severity, missing.source) == (
        "warning_missing",
        "refuse",
        "网拍规定 art. 14",
    )


def test_only_a_sale_that_publishes_the_buyer_warns_of_it():
    assert "identity_published" in {item.code for item in PLEDGEE_AGREED.warnings}
    assert "identity_published" not in {item.code for item in COMMERCIAL.warnings}
