"""Ranks and ranking metrics against hand-counted rows and a naive loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.errors import ConfigError, DataError, UndefinedMetricWarning
from engine.metrics.ranking import (
    filtered_ranks,
    hit_at,
    hit_rate,
    mrr,
    ndcg,
    ndcg_at,
    recall,
    reciprocal_rank_at,
)

# Three queries over four items.
SCORES = np.array([[0.9, 0.5, 0.5, 0.1], [0.2, 0.2, 0.2, 0.2], [0.1, 0.2, 0.3, 0.4]])
TRUTH = np.array([1, 0, 3])


def naive_ranks(scores, truth, excluded):
    """Average the rank over all orders of tied candidates, by counting."""
    ranks = []
    for query, true_item in enumerate(truth):
        others = [i for i in range(scores.shape[1]) if i != true_item and not excluded[query, i]]
        better = sum(scores[query, i] > scores[query, true_item] for i in others)
        tied = sum(scores[query, i] == scores[query, true_item] for i in others)
        ranks.append(np.mean(np.arange(better + 1, better + tied + 2)))
    return np.array(ranks)


def test_ranks_count_better_items_and_half_of_the_tied_ones():
    np.testing.assert_array_equal(filtered_ranks(SCORES, TRUTH), [2.5, 2.5, 1.0])


def test_excluded_items_do_not_compete():
    excluded = np.zeros((3, 4), dtype=bool)
    excluded[0, 0] = True  # the only better item
    excluded[1, 1:3] = True  # two of three tied items
    np.testing.assert_array_equal(filtered_ranks(SCORES, TRUTH, excluded), [1.5, 1.5, 1.0])


def test_the_true_item_takes_part_even_if_it_is_marked_as_excluded():
    excluded = np.ones((3, 4), dtype=bool)
    np.testing.assert_array_equal(filtered_ranks(SCORES, TRUTH, excluded), [1.0, 1.0, 1.0])


def test_a_constant_score_ranks_everything_in_the_middle():
    np.testing.assert_array_equal(filtered_ranks(np.zeros((2, 101)), [0, 100]), [51.0, 51.0])


def test_items_masked_by_minus_infinity_rank_last():
    assert filtered_ranks([[-np.inf, 1.0, 2.0]], [1]) == 2.0


def test_equal_float32_scores_stay_tied():
    scores = np.array([[0.1, 0.1, 0.3]], dtype=np.float32)
    assert filtered_ranks(scores, [0]) == 2.5


def test_integer_scores_are_accepted():
    assert filtered_ranks([[3, 2, 1]], [1]) == 2.0


@given(
    scores=arrays(np.float64, (5, 7), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    truth=arrays(np.int64, 5, elements=st.integers(0, 6)),
    excluded=arrays(np.bool_, (5, 7)),
)
def test_ranks_equal_a_naive_loop(scores, truth, excluded):
    np.testing.assert_array_equal(filtered_ranks(scores, truth, excluded), naive_ranks(scores, truth, excluded))


@given(arrays(np.float64, (3, 6), elements=st.floats(-5, 5)), st.permutations(range(6)))
def test_relabelling_the_items_changes_no_rank(scores, order):
    truth = np.array([0, 2, 5])
    renamed = np.array([order.index(item) for item in truth])
    np.testing.assert_array_equal(filtered_ranks(scores[:, order], renamed), filtered_ranks(scores, truth))


def test_inputs_are_left_untouched():
    scores, excluded = SCORES.copy(), np.eye(3, 4, dtype=bool)
    before = excluded.copy()
    filtered_ranks(scores, TRUTH, excluded)
    np.testing.assert_array_equal(scores, SCORES)
    np.testing.assert_array_equal(excluded, before)


def test_no_query_gives_no_rank():
    assert filtered_ranks(np.zeros((0, 4)), np.zeros(0, dtype=int)).shape == (0,)


@pytest.mark.parametrize(
    ("scores", "truth", "excluded", "message"),
    [
        ([0.1, 0.2], [0], None, r"`scores` has shape \(2,\)"),
        ([[0.1, np.nan]], [0], None, "`scores` is missing in row 0, column 1"),
        (SCORES, [0, 1], None, r"`truth` has shape \(2,\)"),
        (SCORES, [0, 4, 1], None, "`truth` is 4 in row 1 .*columns 0 to 3 exist"),
        (SCORES, [0, -1, 1], None, "`truth` is -1 in row 1"),
        (SCORES, [0.0, 1.0, 1.0], None, "`truth` has type float64"),
        (SCORES, TRUTH, np.zeros((3, 3), dtype=bool), r"`excluded` is bool of shape \(3, 3\)"),
        (SCORES, TRUTH, np.zeros((3, 4)), "`excluded` is float64"),
    ],
)
def test_impossible_rankings_are_refused(scores, truth, excluded, message):
    with pytest.raises(DataError, match=message):
        filtered_ranks(scores, truth, excluded)


RANKS = np.array([1.0, 2.5, 3.0, 10.5])


def test_a_tied_rank_of_ten_and_a_half_is_no_hit_at_ten():
    np.testing.assert_array_equal(hit_at(RANKS, 10), [1, 1, 1, 0])
    np.testing.assert_array_equal(hit_at(RANKS, 2), [1, 0, 0, 0])


def test_reciprocal_ranks_are_zero_beyond_k():
    np.testing.assert_allclose(reciprocal_rank_at(RANKS, 3), [1, 0.4, 1 / 3, 0], rtol=1e-15)
    np.testing.assert_allclose(reciprocal_rank_at(RANKS), [1, 0.4, 1 / 3, 2 / 21], rtol=1e-15)


def test_discounted_gain_halves_at_rank_three():
    np.testing.assert_allclose(ndcg_at(RANKS, 3), [1, 1 / np.log2(3.5), 0.5, 0], rtol=1e-15)


def test_aggregates_are_means_of_their_contributions():
    assert hit_rate(RANKS, 2) == 0.25
    assert mrr([1, 2, 4, 8], 4) == pytest.approx(1.75 / 4, rel=1e-15)
    assert mrr([1, 2, 4, 8]) == pytest.approx(1.875 / 4, rel=1e-15)
    assert ndcg([1, 3, 7, 7], 6) == 0.375


def test_recall_counts_every_query_once():
    ranks, queries = [1, 99, 99, 1], ["a", "a", "a", "b"]
    assert recall(ranks, 10, queries) == pytest.approx((1 / 3 + 1) / 2, rel=1e-15)
    assert hit_rate(ranks, 10) == 0.5


def test_recall_equals_the_hit_rate_if_every_query_has_one_item():
    assert recall(RANKS, 3, np.arange(4)) == hit_rate(RANKS, 3)


def test_a_weight_of_two_is_the_row_twice():
    twice, weight = np.repeat(RANKS, [2, 1, 1, 1]), [2, 1, 1, 1]
    assert hit_rate(RANKS, 3, weight) == hit_rate(twice, 3)
    assert mrr(RANKS, 3, weight) == pytest.approx(mrr(twice, 3), rel=1e-15)
    assert ndcg(RANKS, 3, weight) == pytest.approx(ndcg(twice, 3), rel=1e-15)


def test_recall_under_query_weights_is_the_weighted_mean_of_query_recalls():
    ranks, queries = [1, 99, 1, 99], ["a", "a", "b", "c"]
    assert recall(ranks, 10, queries, [3, 3, 1, 0]) == pytest.approx((3 * 0.5 + 1 * 1) / 4, rel=1e-15)


@given(arrays(np.float64, 8, elements=st.integers(2, 60).map(lambda half: half / 2)), st.integers(1, 30))
def test_gains_fall_with_the_rank_and_never_exceed_a_hit(ranks, k):
    hits, order = hit_at(ranks, k), np.argsort(ranks, kind="stable")
    for gain in (hits, reciprocal_rank_at(ranks, k), ndcg_at(ranks, k)):
        assert np.all(np.diff(gain[order]) <= 0)
        assert np.all((gain >= 0) & (gain <= hits))


@given(arrays(np.float64, 6, elements=st.integers(1, 40).map(float)))
def test_hit_rate_never_falls_with_k(ranks):
    assert np.all(np.diff([hit_rate(ranks, k) for k in (1, 5, 10, 20)]) >= 0)


@pytest.mark.parametrize(
    "metric",
    [
        lambda: hit_rate([], 5),
        lambda: mrr([1, 2], 5, [0, 0]),
        lambda: ndcg([], 5),
        lambda: recall([], 5, []),
    ],
)
def test_a_mean_over_nothing_is_undefined_not_zero(metric):
    with pytest.warns(UndefinedMetricWarning, match="no row carries weight"):
        assert np.isnan(metric())


@pytest.mark.parametrize("k", [0, -1, 2.5, True])
def test_k_counts_items(k):
    with pytest.raises(ConfigError, match="`k` is"):
        hit_at(RANKS, k)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hit_at([1, 0.5], 5), "`ranks` is 0.5 in row 1"),
        (lambda: mrr([1, np.nan]), "`ranks` is nan in row 1"),
        (lambda: ndcg([1, 2], 5, [1]), "`sample_weight` has 1 rows where 2 are expected"),
        (lambda: hit_rate([1, 2], 5, [1, -2]), r"`sample_weight` is -2.0 in row 1"),
        (lambda: recall([1, 2], 5, ["a"]), r"`queries` has shape \(1,\)"),
        (lambda: hit_at([[1, 2]], 5), r"`ranks` has shape \(1, 2\)"),
        (lambda: hit_at(["first"], 5), "`ranks` holds values that are not numbers"),
    ],
)
def test_impossible_ranks_and_weights_are_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
