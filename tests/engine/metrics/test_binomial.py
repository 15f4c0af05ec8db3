"""The exact interval against statsmodels, by hand, and by what it promises."""

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from engine.errors import ConfigError, DataError
from engine.metrics.binomial import clopper_pearson_interval
from engine.metrics.calibration import wilson_interval

SUCCESSES = np.array([0, 1, 5, 50, 999, 7, 3, 200_000])
TRIALS = np.array([10, 10, 7, 100, 1000, 7, 1_000_000, 1_000_000])


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_the_interval_equals_statsmodels(level):
    expected = proportion_confint(SUCCESSES, TRIALS, alpha=1 - level, method="beta")
    np.testing.assert_allclose(clopper_pearson_interval(SUCCESSES, TRIALS, level), expected, rtol=1e-9, atol=1e-12)


def test_no_success_leaves_the_low_end_at_zero_and_the_high_end_at_the_root_of_the_tail():
    # (1 - p)^10 = 0.025
    low, high = clopper_pearson_interval(0, 10)
    assert float(low) == 0.0
    assert float(high) == pytest.approx(1 - 0.025**0.1)


def test_without_trials_nothing_is_known():
    assert np.isnan(clopper_pearson_interval([0], [0])).all()


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_it_covers_at_least_as_often_as_it_says_where_wilson_does_not_always(share):
    x = np.arange(31)
    low, high = clopper_pearson_interval(x, 30)
    coverage = binom.pmf(x, 30, share)[(low <= share) & (share <= high)].sum()
    assert coverage >= 0.95
    shorter_low, shorter_high = wilson_interval(x, 30)
    assert (shorter_high - shorter_low).mean() < (high - low).mean()


def test_more_successes_than_trials_are_refused():
    with pytest.raises(DataError, match="in entry 1"):
        clopper_pearson_interval([1, 3], [2, 2])


def test_a_level_of_one_is_refused():
    with pytest.raises(ConfigError, match="level"):
        clopper_pearson_interval(1, 2, 1.0)
