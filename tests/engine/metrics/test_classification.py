"""Classifier metrics by hand, and against scikit-learn with ties and weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as reference

from engine.errors import ConfigError, DataError, UndefinedMetricWarning
from engine.metrics.classification import (
    SortedScores,
    average_precision,
    brier_score,
    calibration_ratio,
    confusion_counts,
    log_loss,
    log_loss_terms,
    roc_auc,
)

Y = np.array([0, 1, 1, 0, 1, 0])
TIED = np.array([0.1, 0.8, 0.4, 0.4, 0.9, 0.8])

tied_scores = arrays(np.float64, 12, elements=st.sampled_from([0.05, 0.2, 0.5, 0.8, 0.95]))
both_classes = arrays(np.int64, 12, elements=st.integers(0, 1)).filter(lambda y: 0 < y.sum() < 12)
row_weights = arrays(np.float64, 12, elements=st.floats(0.1, 10))


def test_auc_counts_ordered_pairs_and_half_of_the_ties():
    # 9 pairs: 0.8 beats 0.1 and 0.4, ties 0.8; 0.4 beats 0.1, ties 0.4, loses to 0.8; 0.9 beats all.
    assert roc_auc(Y, TIED) == (2.5 + 1.5 + 3) / 9


def test_average_precision_steps_over_tie_groups():
    # 0.9: 1 of 1; 0.8: 2 of 3; 0.4: 3 of 5; each adds a third of the recall.
    assert average_precision(Y, TIED) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3, rel=1e-15)


@given(both_classes, tied_scores, row_weights)
def test_auc_equals_scikit_learn_with_ties_and_weights(y, score, weight):
    expected = reference.roc_auc_score(y, score, sample_weight=weight)
    assert roc_auc(y, score, weight) == pytest.approx(expected, abs=1e-12)


@given(both_classes, tied_scores, row_weights)
def test_average_precision_equals_scikit_learn_with_ties_and_weights(y, score, weight):
    expected = reference.average_precision_score(y, score, sample_weight=weight)
    assert average_precision(y, score, weight) == pytest.approx(expected, abs=1e-12)


def test_curves_equal_scikit_learn_on_many_rows():
    rng = np.random.default_rng(1)
    y, score = rng.integers(0, 2, 5000), rng.normal(size=5000).round(2)
    weight = rng.exponential(size=5000)
    assert roc_auc(y, score) == pytest.approx(reference.roc_auc_score(y, score), abs=1e-12)
    assert roc_auc(y, score, weight) == pytest.approx(
        reference.roc_auc_score(y, score, sample_weight=weight), abs=1e-12
    )
    assert average_precision(y, score, weight) == pytest.approx(
        reference.average_precision_score(y, score, sample_weight=weight), abs=1e-12
    )


@given(both_classes, tied_scores)
def test_reversing_the_scores_turns_auc_around(y, score):
    assert roc_auc(y, -score) == pytest.approx(1 - roc_auc(y, score), abs=1e-12)


@given(both_classes, tied_scores)
def test_only_the_order_of_scores_matters(y, score):
    assert roc_auc(y, np.exp(3 * score)) == roc_auc(y, score)
    assert average_precision(y, np.exp(3 * score)) == average_precision(y, score)


@given(both_classes)
def test_a_constant_score_has_auc_one_half_and_the_base_rate_as_average_precision(y):
    assert roc_auc(y, np.ones(12)) == 0.5
    assert average_precision(y, np.ones(12)) == pytest.approx(y.mean(), rel=1e-15)


@given(both_classes, tied_scores, arrays(np.int64, 12, elements=st.integers(0, 3)))
def test_sorted_scores_under_counts_equal_the_repeated_rows(y, score, counts):
    repeated = np.repeat(y, counts)
    scores = SortedScores(y, score)
    auc, ap = scores.roc_auc(counts.astype(float)), scores.average_precision(counts.astype(float))
    if 0 < repeated.sum() < repeated.size:
        assert auc == pytest.approx(roc_auc(repeated, np.repeat(score, counts)), abs=1e-12)
        assert ap == pytest.approx(average_precision(repeated, np.repeat(score, counts)), abs=1e-12)
    else:
        assert np.isnan(auc)
        assert np.isnan(ap)


def test_sorted_scores_without_weights_weigh_every_row_once():
    scores = SortedScores(Y, TIED)
    assert scores.roc_auc() == roc_auc(Y, TIED)
    assert scores.average_precision() == average_precision(Y, TIED)


def test_infinite_scores_are_ordered():
    assert roc_auc([0, 1, 1], [-np.inf, 0.0, np.inf]) == 1.0


@pytest.mark.parametrize("metric", [roc_auc, average_precision])
@pytest.mark.parametrize(("y", "weight"), [([1, 1], None), ([0, 0], None), ([0, 1], [1, 0]), ([], None)])
def test_one_class_gives_nan_and_a_warning(metric, y, weight):
    with pytest.warns(UndefinedMetricWarning, match="one class only"):
        assert np.isnan(metric(y, np.linspace(0, 1, len(y)), weight))


def test_log_loss_by_hand():
    assert log_loss([1, 0], [0.8, 0.4]) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2, rel=1e-15)


@given(both_classes, tied_scores, row_weights)
def test_log_loss_and_brier_equal_scikit_learn(y, prob, weight):
    expected = reference.log_loss(y, prob, sample_weight=weight)
    assert log_loss(y, prob, weight) == pytest.approx(expected, abs=1e-12)
    expected = reference.brier_score_loss(y, prob, sample_weight=weight)
    assert brier_score(y, prob, weight) == pytest.approx(expected, abs=1e-12)


def test_a_certain_mistake_costs_the_log_of_the_clip():
    np.testing.assert_allclose(log_loss_terms([1, 0], [0.0, 1.0]), -np.log(1e-7), rtol=1e-9)
    assert log_loss([1], [0.0], eps=1e-3) == pytest.approx(-np.log(1e-3), rel=1e-12)


def test_log_loss_is_the_mean_of_its_terms():
    prob = TIED / 2 + 0.1
    assert log_loss(Y, prob) == pytest.approx(log_loss_terms(Y, prob).mean(), rel=1e-15)


def test_brier_by_hand():
    assert brier_score([1, 0, 0], [1.0, 0.5, 0.0]) == pytest.approx(0.25 / 3, rel=1e-15)


def test_calibration_ratio_is_predicted_over_observed_positives():
    assert calibration_ratio([1, 0, 0, 1], [0.5, 0.25, 0.25, 0.5]) == 0.75
    assert calibration_ratio([1, 0], [0.5, 0.5], [1, 3]) == 2.0


def test_calibration_ratio_without_positives_is_undefined():
    with pytest.warns(UndefinedMetricWarning, match="no observed positive"):
        assert np.isnan(calibration_ratio([0, 0], [0.1, 0.2]))


@pytest.mark.parametrize("metric", [log_loss, brier_score])
def test_a_mean_over_no_rows_is_undefined(metric):
    with pytest.warns(UndefinedMetricWarning, match="no row carries weight"):
        assert np.isnan(metric([], []))


def test_confusion_counts_by_hand():
    counts = confusion_counts(Y, TIED >= 0.8)
    assert tuple(counts) == (2, 1, 1, 2)
    assert (counts.precision, counts.recall, counts.coverage) == (2 / 3, 2 / 3, 0.5)


@given(both_classes, arrays(np.bool_, 12), row_weights)
def test_confusion_counts_equal_scikit_learn(y, decision, weight):
    counts = confusion_counts(y, decision, weight)
    table = reference.confusion_matrix(y, decision, sample_weight=weight, labels=[0, 1])
    expected = [table[1, 1], table[0, 1], table[1, 0], table[0, 0]]
    np.testing.assert_allclose(counts, expected, rtol=1e-12, atol=1e-12)


def test_rates_of_an_empty_selection_are_nan():
    nothing_selected = confusion_counts([1, 0], [0, 0])
    assert np.isnan(nothing_selected.precision)
    assert nothing_selected.recall == 0
    assert np.isnan(confusion_counts([0], [1]).recall)
    assert np.isnan(confusion_counts([], []).coverage)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: roc_auc([0, 2], [0.1, 0.2]), "`y_true` is 2.0 in row 1"),
        (lambda: roc_auc([0, 1], [0.1]), "`y_score` has 1 rows where 2 are expected"),
        (lambda: average_precision([0, 1], [0.1, np.nan]), "`y_score` is nan in row 1"),
        (lambda: roc_auc([0, 1], [0.1, 0.2], [1, np.inf]), "`sample_weight` is inf in row 1"),
        (lambda: log_loss([0, 1], [0.1, 1.2]), r"`y_prob` is 1.2 in row 1 .*\[0, 1\]"),
        (lambda: brier_score([0, 1], [-0.1, 0.2]), "`y_prob` is -0.1 in row 0"),
        (lambda: calibration_ratio([0, np.nan], [0.1, 0.2]), "`y_true` is nan in row 1"),
        (lambda: confusion_counts([0, 1], [0, 0.5]), "`decision` is 0.5 in row 1"),
        (lambda: confusion_counts([[0, 1]], [0, 1]), r"`y_true` has shape \(1, 2\)"),
    ],
)
def test_impossible_rows_are_refused_by_name_and_row(call, message):
    with pytest.raises(DataError, match=message):
        call()


@pytest.mark.parametrize("eps", [0.0, 0.5, -1.0, float("nan")])
def test_the_clip_lies_between_zero_and_one_half(eps):
    with pytest.raises(ConfigError, match="`eps` is"):
        log_loss([1], [0.5], eps=eps)
