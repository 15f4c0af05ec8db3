"""Intervals and reliability bins by hand, and against statsmodels and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.calibration import calibration_curve
from statsmodels.stats.proportion import proportion_confint

from engine.errors import ConfigError, DataError, UndefinedMetricWarning
from engine.metrics.calibration import expected_calibration_error, reliability_table, wilson_interval

tied_probabilities = arrays(np.float64, 20, elements=st.sampled_from([0.0, 0.1, 0.3, 0.30000001, 0.9, 1.0]))
binary_labels = arrays(np.int64, 20, elements=st.integers(0, 1))
RNG = np.random.default_rng(3)
PROB = RNG.random(1000)
Y = (RNG.random(1000) < PROB).astype(int)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_wilson_equals_statsmodels(level):
    n = np.array([1, 5, 20, 1000, 7])
    successes = np.array([1, 2, 0, 999, 7])
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    np.testing.assert_allclose(wilson_interval(successes, n, level), (low, high), rtol=1e-10, atol=1e-12)


def test_wilson_without_trials_is_unknown():
    low, high = wilson_interval([0, 1], [0, 2])
    np.testing.assert_array_equal(np.isnan(low), [True, False])
    np.testing.assert_array_equal(np.isnan(high), [True, False])


def test_wilson_touches_the_edges_exactly():
    low, high = wilson_interval([0, 9], [9, 9])
    assert low[0] == 0.0
    assert high[1] == 1.0


def test_wilson_broadcasts_numbers_against_arrays():
    low, high = wilson_interval(1, [2, 200])
    assert low.shape == high.shape == (2,)
    assert wilson_interval(5, 10)[0].shape == ()


@given(st.integers(0, 50), st.integers(1, 50), st.floats(0.5, 0.99))
def test_wilson_holds_the_observed_share_and_mirrors(successes, extra, level):
    n = successes + extra
    low, high = wilson_interval(successes, n, level)
    assert 0 <= low <= successes / n <= high <= 1
    mirrored_low, mirrored_high = wilson_interval(n - successes, n, level)
    assert (mirrored_low, mirrored_high) == (pytest.approx(1 - high), pytest.approx(1 - low))


@pytest.mark.parametrize(
    ("successes", "n", "message"),
    [
        ([1, 3], [2, 2], "`successes` is 3.0 of n = 2.0 in entry 1"),
        ([-1], [2], "`successes` is -1.0"),
        ([np.nan], [2], "`successes` is nan"),
        ([1], [np.inf], "n = inf"),
    ],
)
def test_impossible_counts_are_refused(successes, n, message):
    with pytest.raises(DataError, match=message):
        wilson_interval(successes, n)


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_the_level_is_a_share(level):
    with pytest.raises(ConfigError, match="`level` is"):
        wilson_interval(1, 2, level)


def test_reliability_by_hand():
    # Two bins of three rows: {0.1, 0.2, 0.3} with one positive, {0.6, 0.8, 1.0} with two.
    table = reliability_table([0, 0, 1, 1, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.8, 1.0], n_bins=2)
    np.testing.assert_array_equal(table["bin"], [0, 1])
    np.testing.assert_array_equal(table["bin_low"], [0.1, 0.3])
    np.testing.assert_array_equal(table["bin_high"], [0.3, 1.0])
    np.testing.assert_array_equal(table["n"], [3, 3])
    np.testing.assert_array_equal(table["weight"], [3, 3])
    np.testing.assert_allclose(table["mean_predicted"], [0.2, 0.8], rtol=1e-15)
    np.testing.assert_allclose(table["observed_rate"], [1 / 3, 2 / 3], rtol=1e-15)
    low, high = wilson_interval([1, 2], [3, 3])
    np.testing.assert_allclose(table["ci_low"], low, rtol=1e-12)
    np.testing.assert_allclose(table["ci_high"], high, rtol=1e-12)


@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
@pytest.mark.parametrize("n_bins", [4, 10, 25])
def test_filled_bins_equal_scikit_learn(strategy, n_bins):
    rate, mean = calibration_curve(Y, PROB, n_bins=n_bins, strategy=strategy)
    table = reliability_table(Y, PROB, n_bins, strategy)
    filled = table["n"] > 0
    np.testing.assert_allclose(table["observed_rate"][filled], rate, rtol=1e-12)
    np.testing.assert_allclose(table["mean_predicted"][filled], mean, rtol=1e-12)


def test_uniform_bins_stay_when_they_are_empty():
    table = reliability_table([0, 1], [0.05, 0.95], n_bins=4, strategy="uniform")
    np.testing.assert_array_equal(table["n"], [1, 0, 0, 1])
    np.testing.assert_array_equal(table["bin_low"], [0, 0.25, 0.5, 0.75])
    np.testing.assert_array_equal(table["bin_high"], [0.25, 0.5, 0.75, 1])
    for column in ("mean_predicted", "observed_rate", "ci_low", "ci_high"):
        np.testing.assert_array_equal(np.isnan(table[column]), [False, True, True, False])


@pytest.mark.parametrize(("prob", "expected"), [(0.0, 0), (0.25, 0), (0.26, 1), (1.0, 3)])
def test_a_prediction_on_an_edge_belongs_to_the_bin_below(prob, expected):
    table = reliability_table([1], [prob], n_bins=4, strategy="uniform")
    assert table["n"].argmax() == expected


def test_quantile_bins_hold_equal_numbers_without_ties():
    table = reliability_table(Y, PROB, n_bins=8)
    np.testing.assert_array_equal(table["n"], [125] * 8)


def test_equal_predictions_make_one_bin():
    table = reliability_table([0, 1, 1], [0.4, 0.4, 0.4], n_bins=10)
    assert (table["n"], table["bin_low"], table["bin_high"]) == (3, 0.4, 0.4)
    assert table["observed_rate"] == pytest.approx(2 / 3)


@given(binary_labels, tied_probabilities, st.integers(1, 12))
def test_equal_predictions_share_a_bin_and_no_quantile_bin_is_empty(y, prob, n_bins):
    table = reliability_table(y, prob, n_bins)
    assert table["n"].min() >= 1
    assert table["n"].sum() == 20
    assert table["n"].size <= n_bins
    inside = (prob[:, None] > table["bin_low"]) & (prob[:, None] <= table["bin_high"])
    inside[:, 0] |= prob == table["bin_low"][0]
    np.testing.assert_array_equal(inside.sum(axis=1), 1)
    np.testing.assert_array_equal(inside.sum(axis=0), table["n"])


@given(binary_labels, tied_probabilities, arrays(np.int64, 20, elements=st.integers(0, 3)), st.integers(1, 8))
def test_a_weight_of_two_is_the_row_twice(y, prob, counts, n_bins):
    counts[0] = 1
    weighted = reliability_table(y, prob, n_bins, sample_weight=counts)
    repeated = reliability_table(np.repeat(y, counts), np.repeat(prob, counts), n_bins)
    for column in ("bin_low", "bin_high", "weight", "mean_predicted", "observed_rate"):
        np.testing.assert_allclose(weighted[column], repeated[column], rtol=1e-12)


def test_the_interval_of_unequal_weights_uses_the_effective_size():
    # Weights 3 and 1 are worth 16 / 10 = 1.6 rows.
    table = reliability_table([1, 0], [0.5, 0.5], sample_weight=[3, 1])
    low, high = wilson_interval(0.75 * 1.6, 1.6)
    np.testing.assert_allclose((table["ci_low"][0], table["ci_high"][0]), (low, high), rtol=1e-12)


def test_rows_without_weight_leave_no_trace():
    table = reliability_table([0, 1, 1], [0.2, 0.4, 0.9], n_bins=3, sample_weight=[1, 1, 0])
    assert table["n"].sum() == 2
    assert table["bin_high"].max() == 0.4


def test_calibration_error_is_zero_where_bins_keep_their_promise():
    prob = np.repeat([0.25, 0.75], 4)
    assert expected_calibration_error([0, 0, 0, 1, 0, 1, 1, 1], prob, n_bins=2) == 0.0


def test_calibration_error_by_hand():
    # Bin 0.2 (two rows, rate 0.5) is off by 0.3; bin 0.9 (one row, rate 1) by 0.1.
    error = expected_calibration_error([0, 1, 1], [0.2, 0.2, 0.9], n_bins=2)
    assert error == pytest.approx((2 * 0.3 + 0.1) / 3, rel=1e-12)


def test_calibration_error_equals_a_loop_over_uniform_bins():
    gaps = []
    for low, high in zip(np.arange(10) / 10, np.arange(1, 11) / 10, strict=True):
        rows = (PROB > low) & (PROB <= high)
        gaps.append(rows.mean() * abs(PROB[rows].mean() - Y[rows].mean()))
    error = expected_calibration_error(Y, PROB, 10, "uniform")
    assert error == pytest.approx(sum(gaps), rel=1e-12)


def test_one_bin_measures_the_overall_gap():
    error = expected_calibration_error(Y, PROB, n_bins=1)
    assert error == pytest.approx(abs(Y.mean() - PROB.mean()), rel=1e-12)


@given(binary_labels, tied_probabilities, st.sampled_from(["quantile", "uniform"]))
def test_calibration_error_lies_between_zero_and_one(y, prob, strategy):
    assert 0 <= expected_calibration_error(y, prob, 5, strategy) <= 1


def test_calibration_error_without_rows_is_undefined():
    with pytest.warns(UndefinedMetricWarning, match="no row carries weight"):
        assert np.isnan(expected_calibration_error([], []))


def test_a_table_without_rows_is_refused():
    with pytest.raises(DataError, match="at least one row"):
        reliability_table([], [])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n_bins": 0}, "`n_bins` is 0"), ({"strategy": "kmeans"}, '`strategy` is kmeans; choose "quantile"')],
)
def test_unknown_binnings_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        reliability_table([0, 1], [0.2, 0.4], **options)


def test_percentages_are_not_probabilities():
    with pytest.raises(DataError, match=r"`y_prob` is 40.0 in row 1"):
        reliability_table([0, 1], [0.2, 40])
