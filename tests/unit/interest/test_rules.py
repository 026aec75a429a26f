"""Why an offer may serve a need: each reason from its facts, and none without shared technology."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.interest.rules import Offer, Verdict, Wish, judge, shared_words

WISH = Wish(
    texts=("锂电池耐高温隔膜", "用于动力电池，要求隔膜收缩率低。"),
    ipc=("H01M",),
    industry="C3841",
    region="420115",
    wanted="purchase",
    high_minor=2_000_000_00,
)
OFFER = Offer(
    texts=("一种锂离子电池隔膜及其制备方法", "", "本发明涉及动力电池隔膜，耐高温。"),
    ipc=("H", "H01", "H01M", "H01M50/00", "H01M50/409"),
    industry=("C", "C38", "C384", "C3841"),
    region=("420000", "420100", "420111"),
    channel="auction",
    price_minor=1_500_000_00,
)


def codes(verdict: Verdict | None) -> list[str]:
    assert verdict is not None
    return [reason.code for reason in verdict.reasons]


def test_every_reason_that_holds_is_named_the_strongest_first() -> None:
    verdict = judge(WISH, OFFER)
    assert codes(verdict)[0] == "ipc_subclass"
    assert set(codes(verdict)) == {
        "ipc_subclass",
        "words",
        "industry",
        "region_city",
        "price_within",
        "wanted_purchase",
    }
    assert verdict is not None and verdict.score == sum(reason.points for reason in verdict.reasons)
    words = next(reason for reason in verdict.reasons if reason.code == "words").params["words"]
    assert "动力电池" in words and "耐高温" in words


@pytest.mark.parametrize(
    ("wish", "offer", "code"),
    [
        ({"ipc": ("H01B",)}, {}, "ipc_class"),
        ({"ipc": ("h01m 10/0525",)}, {}, "ipc_subclass"),
        ({"industry": "C3899"}, {}, "industry_division"),
        ({"industry": "3841"}, {}, "industry"),
        ({"region": "420500"}, {}, "region_province"),
        ({"region": "420000"}, {}, "region_province"),
        ({"region": "420100"}, {}, "region_city"),
        ({}, {"price_minor": 2_000_000_00}, "price_within"),
        ({}, {"price_minor": 2_000_000_01}, "price_above"),
        ({"wanted": "licence"}, {}, "only_sale"),
        ({}, {"channel": "licence"}, "only_licence"),
        ({"wanted": "licence"}, {"channel": "licence"}, "wanted_licence"),
    ],
)
def test_a_reason_follows_from_its_facts(wish: dict, offer: dict, code: str) -> None:  # type: ignore[type-arg]
    assert code in codes(judge(replace(WISH, **wish), replace(OFFER, **offer)))


def test_how_far_above_the_budget_is_rounded_up_and_stands_last() -> None:
    verdict = judge(WISH, replace(OFFER, price_minor=2_000_000_01))
    assert verdict is not None
    last = verdict.reasons[-1]
    assert (last.code, last.params["percent"], last.strength) == ("price_above", 1, "against")


@pytest.mark.parametrize(
    ("wish", "offer"),
    [
        ({}, {"currency": "USD"}),
        ({"high_minor": None}, {}),
        ({}, {"price_minor": None}),
    ],
)
def test_no_word_of_the_price_where_none_can_be_said(wish: dict, offer: dict) -> None:  # type: ignore[type-arg]
    assert not {"price_within", "price_above"} & set(codes(judge(replace(WISH, **wish), replace(OFFER, **offer))))


def test_without_shared_technology_price_and_region_say_nothing() -> None:
    other = replace(OFFER, texts=("一种桥梁振动的监测方法", "", "用于桥梁。"), ipc=("G", "G01", "G01M"))
    assert judge(WISH, other) is None
    assert judge(replace(WISH, ipc=("H01M",)), replace(OFFER, texts=("",))) is not None
    assert judge(Wish(texts=("一种方法",)), replace(OFFER, texts=("一种方法及其装置",), ipc=())) is None


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("lithium battery separators", "A lithium-ion battery's separator", {"lithium", "battery", "separators"}),
        ("求购石墨烯导热膜技术", "一种石墨烯导热膜的制备方法", {"石墨烯导热膜"}),
        ("石墨烯導熱膜", "一种石墨烯导热膜", {"石墨烯导热膜"}),
        ("一种装置及其制备方法", "一种装置及其制备方法", set()),
        ("the method and system", "a method, the system", set()),
        ("", "隔膜", set()),
    ],
)
def test_shared_words_leave_out_what_every_patent_says(one: str, other: str, shared: set[str]) -> None:
    assert set(shared_words((one,), (other,))) == shared


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_compared(one: str, other: str) -> None:
    words = shared_words((one,), (other,))
    assert len(words) <= 5 and all(len(word) > 1 for word in words)


@given(
    st.sampled_from(["", "H", "H01", "H01M", "X9", "h01m10/05"]),
    st.text("0123456789", max_size=7),
    st.one_of(st.none(), st.integers(0, 10**15)),
    st.one_of(st.none(), st.integers(0, 10**15)),
)
def test_any_facts_give_a_verdict(ipc: str, region: str, high: int | None, price: int | None) -> None:
    wish = replace(WISH, ipc=(ipc,) if ipc else (), region=region, high_minor=high)
    verdict = judge(wish, replace(OFFER, price_minor=price))
    assert verdict is not None and verdict.reasons
