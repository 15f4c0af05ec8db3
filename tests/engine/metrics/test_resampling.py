"""Resampling whole units: what a draw is, pairedness, and coverage of a known mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError, DataError
from engine.metrics.resampling import bootstrap, percentile_interval

HOUSEHOLDS = ["b", "a", "b", "c", "b", "a"]


def draw(statistic, units, n_resamples=200, seed=0):
    return bootstrap(statistic, units, n_resamples=n_resamples, rng=np.random.default_rng(seed))


def test_every_draw_takes_as_many_units_as_there_are_and_keeps_their_rows_together():
    weights = draw(lambda w: w, HOUSEHOLDS)
    assert weights.shape == (200, 6)
    np.testing.assert_array_equal(weights[:, [0, 0]], weights[:, [2, 4]])  # household b
    np.testing.assert_array_equal(weights[:, 1], weights[:, 5])  # household a
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(axis=1), 3)
    assert weights.min() == 0
    assert np.all(weights == weights.round())


def test_units_are_taken_equally_often():
    counts = draw(lambda w: w, np.arange(4), n_resamples=4000)
    # Multinomial counts: mean 1, variance 3/4; the mean of 4,000 has standard error 0.014.
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.06)
    np.testing.assert_allclose(counts.var(axis=0), 0.75, atol=0.08)


def test_the_same_seed_gives_the_same_draws():
    values = np.arange(6.0)
    np.testing.assert_array_equal(draw(lambda w: w @ values, HOUSEHOLDS), draw(lambda w: w @ values, HOUSEHOLDS))


def test_the_difference_of_identical_methods_is_exactly_zero():
    values = np.random.default_rng(1).random(6)

    def both(weight):
        ours, theirs = weight @ values / weight.sum(), weight @ values / weight.sum()
        return [ours, theirs, ours - theirs]

    assert np.all(draw(both, HOUSEHOLDS)[:, 2] == 0)


def test_a_constant_advantage_has_an_interval_of_no_width():
    values = np.array([0.0, 1.0, 2.0, 4.0])
    low, high = percentile_interval(draw(lambda w: w @ (values + 0.5) / 4 - w @ values / 4, np.arange(4)))
    assert (low, high) == (0.5, 0.5)


def test_one_number_makes_one_column():
    assert draw(lambda w: float(w.sum()), [7, 7, 8]).shape == (200, 1)


def test_labels_of_units_may_be_numbers_or_text():
    by_text = draw(lambda w: w, ["x", "y", "x"])
    np.testing.assert_array_equal(by_text, draw(lambda w: w, [1, 2, 1]))
    np.testing.assert_array_equal(by_text, draw(lambda w: w, np.array(["x", "y", "x"], dtype=object)))


@pytest.mark.slow
def test_the_interval_covers_a_known_mean_for_rows_that_depend_on_their_household():
    rng, covered = np.random.default_rng(2), {"household": 0, "row": 0}
    for _ in range(200):
        household = np.repeat(np.arange(60), 5)
        values = rng.normal(size=60)[household] + 0.2 * rng.normal(size=300)
        for unit, units in (("household", household), ("row", np.arange(300))):
            draws = bootstrap(lambda w: w @ values / w.sum(), units, n_resamples=200, rng=rng)  # noqa: B023
            low, high = percentile_interval(draws)
            covered[unit] += int(low[0] <= 0 <= high[0])
    assert 0.90 <= covered["household"] / 200 <= 0.98
    assert covered["row"] / 200 < 0.75  # what resampling rows would pretend


def test_percentiles_by_hand():
    low, high = percentile_interval(np.arange(101.0), level=0.9)
    np.testing.assert_allclose((low[0], high[0]), (5, 95), rtol=1e-12)


def test_undefined_draws_are_left_out():
    draws = np.column_stack([np.append(np.arange(101.0), [np.nan] * 50), np.full(151, np.nan)])
    low, high = percentile_interval(draws, level=0.9)
    np.testing.assert_allclose(low, [5, np.nan], rtol=1e-12)
    np.testing.assert_allclose(high, [95, np.nan], rtol=1e-12)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(0.1, 0.9))
def test_a_higher_level_never_narrows_the_interval(values, level):
    low, high = percentile_interval(values, level)
    wider_low, wider_high = percentile_interval(values, (1 + level) / 2)
    assert wider_low <= low <= high <= wider_high


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([], r"`units` has shape \(0,\)"),
        ([[1, 2]], r"`units` has shape \(1, 2\)"),
        ([1.0, np.nan], "`units` is missing in row 1"),
        (np.array(["a", None], dtype=object), "`units` is missing in row 1"),
    ],
)
def test_every_row_needs_a_unit(units, message):
    with pytest.raises(DataError, match=message):
        draw(np.sum, units)


def test_a_statistic_keeps_its_number_of_values():
    lengths = iter([2, 2, 3])
    with pytest.raises(DataError, match=r"`statistic` returned shape \(3,\) in draw 2"):
        draw(lambda w: np.zeros(next(lengths)), [1, 2], n_resamples=3)


def test_a_statistic_returns_numbers_not_tables():
    with pytest.raises(DataError, match=r"`statistic` returned shape \(1, 1\) in draw 0"):
        draw(lambda w: [[1.0]], [1, 2])


def test_at_least_one_draw_is_needed():
    with pytest.raises(ConfigError, match="`n_resamples` is 0"):
        draw(np.sum, [1, 2], n_resamples=0)


@pytest.mark.parametrize("draws", [[], np.zeros((0, 3)), np.zeros((2, 2, 2))])
def test_an_interval_needs_a_table_of_draws(draws):
    with pytest.raises(DataError, match="`draws` has shape"):
        percentile_interval(draws)


def test_the_level_is_a_share():
    with pytest.raises(ConfigError, match=r"`level` is 1\.5"):
        percentile_interval([1.0], 1.5)
