"""The figures of relevance, by hand."""

import math

import pytest

from bench.measures import interval, ndcg, percentile, recall, reciprocal_rank

GAINS = {"exact": 2, "below": 1, "other": 1}


def test_the_best_order_is_one_and_gains_are_linear():
    assert ndcg(["exact", "below", "other", "no"], GAINS) == pytest.approx(1)
    best = 2 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(["no", "exact"], GAINS) == pytest.approx((2 / math.log2(3)) / best)
    assert ndcg(["below"], GAINS) == pytest.approx(1 / best)


def test_only_the_first_ten_count():
    assert ndcg(["no"] * 10 + ["exact"], GAINS) == 0
    assert ndcg(["no"] * 9 + ["exact"], {"exact": 2}) == pytest.approx(1 / math.log2(11))
    assert ndcg([], GAINS) == ndcg(["exact"], {}) == 0
    # more relevant documents than places: ten right ones are perfect
    many = {str(n): 1 for n in range(40)}
    assert ndcg([str(n) for n in range(10)], many) == pytest.approx(1)


def test_recall_and_the_first_right_one():
    assert recall(["exact", "no", "below"], GAINS) == pytest.approx(2 / 3)
    assert recall(["no", "exact"], GAINS, depth=1) == 0
    assert reciprocal_rank(["no", "no", "below"], GAINS) == pytest.approx(1 / 3)
    assert reciprocal_rank(["no"], GAINS) == 0


def test_the_interval_holds_the_mean_narrows_with_more_and_is_the_same_each_time():
    few, many = [0.0, 1.0] * 10, [0.0, 1.0] * 500
    low, high = interval(few)
    assert low < 0.5 < high
    assert (low, high) == interval(few)
    # the mean of n values of a fair coin has the standard error 0.5 / sqrt(n)
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(20), rel=0.1)
    assert interval(many)[1] - interval(many)[0] == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(1000), rel=0.1)
    assert interval([0.25] * 9) == (0.25, 0.25)
    assert interval([]) == (0.0, 0.0)


def test_percentile_by_nearest_rank():
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([7], 0.95) == 7
    assert percentile([], 0.5) == 0
