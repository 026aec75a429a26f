"""Two orders made one."""

import pytest

from search.fusion import reciprocal_rank_fusion


def test_what_both_orders_have_comes_before_what_one_has_first():
    fused = reciprocal_rank_fusion(["a", "b", "c"], ["d", "b", "e"])
    assert fused[0] == ("b", pytest.approx(2 / 62))
    assert [one for one, _ in fused[1:3]] == ["a", "d"]  # equal sums: by id
    assert dict(fused)["c"] == pytest.approx(1 / 63)


def test_one_order_stays_as_it_is_and_repeats_count_once():
    assert [one for one, _ in reciprocal_rank_fusion(["b", "a", "b", "c"], [])] == ["b", "a", "c"]
    assert dict(reciprocal_rank_fusion(["b", "b", "c"]))["c"] == pytest.approx(1 / 62)
    assert reciprocal_rank_fusion() == []


def test_k_says_how_much_the_first_place_is_worth():
    steep = reciprocal_rank_fusion(["a", "b", "c"], ["b", "c", "a"], k=0)
    assert dict(steep) == pytest.approx({"a": 1 + 1 / 3, "b": 1.5, "c": 1 / 3 + 1 / 2})
