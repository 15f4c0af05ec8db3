"""One sort, many weightings."""

import numpy as np

from engine.metrics.ordering import SortedScores, rank_quality


def test_weights_by_hand():
    scores = SortedScores([1, 0, 1], [0.9, 0.5, 0.5])
    # The tied pair counts half: (2 * 1 + 3 * 0.5) / 5.
    assert scores.roc_auc(np.array([2.0, 1.0, 3.0])) == 0.7
    # 0.9 finds 2 of 5 at precision 1; 0.5 the other 3 at precision 5/6.
    np.testing.assert_allclose(scores.average_precision(np.array([2.0, 1.0, 3.0])), 0.4 + 0.6 * 5 / 6, rtol=1e-15)


def test_a_replicate_without_one_class_is_nan_and_silent():
    scores = SortedScores([1, 0], [0.9, 0.5])
    for weight in ([1.0, 0.0], [0.0, 1.0], [0.0, 0.0]):
        assert np.isnan(scores.roc_auc(np.array(weight)))
        assert np.isnan(scores.average_precision(np.array(weight)))


def test_evaluating_one_weighting_leaves_no_trace_in_the_next():
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 2, 40), rng.random(40).round(1)
    scores, weight = SortedScores(y, score), rng.integers(0, 3, 40).astype(float)
    first = (scores.roc_auc(), scores.average_precision())
    scores.roc_auc(weight)
    scores.average_precision(weight)
    assert (scores.roc_auc(), scores.average_precision()) == first


def test_many_weightings_at_once_are_each_weighting_alone_ties_and_lone_classes_included():
    rng = np.random.default_rng(1)
    y, score = rng.integers(0, 2, 60), rng.random(60).round(1)
    weights = rng.integers(0, 3, (8, 60)).astype(float)
    weights[6], weights[7] = y, 0.0
    scores = SortedScores(y, score)
    expected = [(scores.roc_auc(row), scores.average_precision(row)) for row in weights]
    np.testing.assert_allclose(rank_quality(y, score, weights), expected, rtol=1e-12)
    assert np.isnan(rank_quality(y, score, weights)[6:]).all()
