"""The debiased calibration error by hand, by its reference's way of drawing at random, and by what it is for."""

import numpy as np
import pytest

from engine.errors import ConfigError, DataError, UndefinedMetricWarning
from engine.metrics.calibration import expected_calibration_error, reliability_table
from engine.metrics.debiased import debiased_calibration_error


def scored(n, seed, power=1.0):
    rng = np.random.default_rng(seed)
    prob = rng.beta(1.2, 4, n)
    return (rng.random(n) < prob**power).astype(float), prob


def test_the_root_mean_square_by_hand():
    # One bin: mean score .8, rate .5 of 10 rows: .3² - .25 / 9.
    found = debiased_calibration_error([0, 1] * 5, [0.8] * 10, n_bins=1, norm="root_mean_square")
    assert found == pytest.approx(np.sqrt(0.09 - 0.25 / 9))


def test_the_absolute_norm_equals_draws_of_normal_gaps():
    truth, prob = scored(500, 4, power=1.4)
    table = reliability_table(truth, prob)
    gap = np.abs(table["mean_predicted"] - table["observed_rate"])
    share = table["n"] / 500
    deviation = np.sqrt(table["observed_rate"] * (1 - table["observed_rate"]) / table["n"])
    drawn = np.abs(gap + deviation * np.random.default_rng(0).normal(size=(200_000, 10))) @ share
    expected = 2 * (share @ gap) - drawn.mean()
    assert debiased_calibration_error(truth, prob) == pytest.approx(expected, abs=3e-4)


def test_it_is_less_biased_than_the_plain_error_on_calibrated_scores():
    rows = [scored(300, seed) for seed in range(40)]
    plain = np.mean([expected_calibration_error(*part) for part in rows])
    for norm in ("absolute", "root_mean_square"):
        assert np.mean([debiased_calibration_error(*part, norm=norm) for part in rows]) < 0.75 * plain


def test_with_many_rows_it_is_the_plain_error():
    truth, prob = scored(200_000, 1, power=1.5)
    assert debiased_calibration_error(truth, prob) == pytest.approx(expected_calibration_error(truth, prob), rel=0.01)


def test_a_weight_counts_as_so_many_rows():
    truth, prob = scored(200, 2)
    weight = np.random.default_rng(3).integers(0, 4, 200)
    for norm in ("absolute", "root_mean_square"):
        one = debiased_calibration_error(truth, prob, norm=norm, sample_weight=weight)
        many = debiased_calibration_error(np.repeat(truth, weight), np.repeat(prob, weight), norm=norm)
        assert one == pytest.approx(many)


def test_without_weight_it_is_undefined():
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(debiased_calibration_error([0, 1], [0.1, 0.2], sample_weight=[0, 0]))


def test_an_unknown_norm_and_unequal_lengths_are_refused():
    with pytest.raises(ConfigError, match="norm"):
        debiased_calibration_error([0, 1], [0.1, 0.2], norm="cubic")
    with pytest.raises(DataError, match="2 are expected"):
        debiased_calibration_error([0, 1], [0.1])
