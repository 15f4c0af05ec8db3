"""Survival curves by hand, against statsmodels, and the flip rate against its refit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.duration.survfunc import SurvfuncRight

from engine.errors import ConfigError, DataError
from engine.metrics.survival import (
    conditional_flip_rate,
    kaplan_meier,
    kaplan_meier_from_counts,
    log_log_interval,
)

# Six rows: events at 1, 2, 2; censored at 2, 3 and 5.
DURATIONS = np.array([1.0, 2.0, 2.0, 2.0, 3.0, 5.0])
EVENTS = np.array([1, 1, 1, 0, 0, 0])

some_durations = arrays(np.float64, 15, elements=st.integers(0, 8).map(float))
some_events = arrays(np.int64, 15, elements=st.integers(0, 1))


def test_the_curve_by_hand():
    curve = kaplan_meier(DURATIONS, EVENTS)
    np.testing.assert_array_equal(curve.time, [1, 2, 3, 5])
    np.testing.assert_array_equal(curve.at_risk, [6, 5, 2, 1])
    np.testing.assert_array_equal(curve.events, [1, 2, 0, 0])
    np.testing.assert_allclose(curve.survival, [5 / 6, 1 / 2, 1 / 2, 1 / 2], rtol=1e-15)
    greenwood = np.array([1 / 30, 1 / 30 + 2 / 15, 1 / 30 + 2 / 15, 1 / 30 + 2 / 15])
    np.testing.assert_allclose(curve.greenwood, greenwood, rtol=1e-15)
    np.testing.assert_allclose(curve.variance, curve.survival**2 * greenwood, rtol=1e-15)
    assert curve.follow_up == 5


def test_a_row_censored_at_an_event_time_is_still_at_risk_there():
    assert kaplan_meier([2, 2], [1, 0]).survival == 0.5


def test_without_censoring_the_curve_is_the_share_still_waiting():
    durations = np.array([4.0, 1.0, 3.0, 1.0])
    curve = kaplan_meier(durations, np.ones(4))
    np.testing.assert_allclose(curve.survival, [(durations > t).mean() for t in curve.time], atol=1e-15)


@given(some_durations, some_events)
def test_curve_and_standard_error_equal_statsmodels(durations, events):
    events[0] = 1
    reference = SurvfuncRight(durations, events)
    curve = kaplan_meier(durations, events)
    at = np.searchsorted(curve.time, reference.surv_times)
    np.testing.assert_array_equal(curve.at_risk[at], reference.n_risk)
    np.testing.assert_allclose(curve.survival[at], reference.surv_prob, atol=1e-12)
    left = curve.survival[at] > 0
    expected = np.asarray(reference.surv_prob_se)[left]
    np.testing.assert_allclose(np.sqrt(curve.variance[at][left]), expected, atol=1e-12)


@given(some_durations, some_events)
def test_the_curve_never_rises_and_stays_a_share(durations, events):
    curve = kaplan_meier(durations, events)
    assert np.all(np.diff(curve.survival) <= 0)
    assert np.all((curve.survival >= 0) & (curve.survival <= 1))
    assert np.all(np.isfinite(curve.variance) & (curve.variance >= 0))


@given(some_durations, some_events, arrays(np.int64, 15, elements=st.integers(0, 3)))
def test_a_weight_of_two_is_the_row_twice(durations, events, counts):
    counts[0] = 1
    weighted = kaplan_meier(durations, events, sample_weight=counts)
    repeated = kaplan_meier(np.repeat(durations, counts), np.repeat(events, counts))
    for name in ("time", "at_risk", "events", "survival", "variance", "greenwood"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-12)


@given(some_durations, some_events)
def test_counts_per_time_give_the_same_curve(durations, events):
    curve = kaplan_meier(durations, events)
    again = kaplan_meier_from_counts(curve.time, curve.at_risk, curve.events)
    np.testing.assert_array_equal(again.survival, curve.survival)
    np.testing.assert_array_equal(again.variance, curve.variance)
    assert again.follow_up == curve.follow_up


def test_the_curve_is_a_step_that_jumps_at_the_event():
    curve = kaplan_meier(DURATIONS, EVENTS)
    times = [0, 0.999, 1, 1.5, 2, 100]
    np.testing.assert_allclose(curve.survival_at(times), [1, 1, 5 / 6, 5 / 6, 0.5, 0.5], rtol=1e-15)
    np.testing.assert_allclose(curve.greenwood_at([0.5, 1]), [0, 1 / 30], rtol=1e-15)
    assert curve.survival_at(1.0).shape == ()


def test_rows_followed_beyond_a_time_are_counted():
    curve = kaplan_meier(DURATIONS, EVENTS)
    np.testing.assert_array_equal(curve.at_risk_after([0, 1, 2, 2.5, 3, 5]), [6, 5, 2, 2, 1, 0])


def test_a_grid_reports_the_same_curve():
    curve, grid = kaplan_meier(DURATIONS, EVENTS), [0.5, 2, 4, 6]
    on_grid = kaplan_meier(DURATIONS, EVENTS, grid)
    np.testing.assert_array_equal(on_grid.time, grid)
    np.testing.assert_array_equal(on_grid.at_risk, [6, 5, 1, 0])
    np.testing.assert_array_equal(on_grid.events, [0, 3, 0, 0])
    np.testing.assert_array_equal(on_grid.survival, curve.survival_at(grid))
    np.testing.assert_allclose(on_grid.variance, curve.survival_at(grid) ** 2 * curve.greenwood_at(grid))
    assert on_grid.follow_up == 5


def test_nobody_left_ends_the_curve_at_zero_without_noise_from_weights():
    curve = kaplan_meier([1, 2, 2], [1, 1, 1], sample_weight=[0.1, 0.2, 0.3])
    assert curve.survival[-1] == 0
    assert curve.variance[-1] == 0
    assert np.isposinf(curve.greenwood[-1])


def test_log_log_interval_by_hand():
    # theta = 1.959964 * 0.1 / (0.5 * ln 2) = 0.56551
    low, high = log_log_interval([0.5], [0.01])
    assert low[0] == pytest.approx(0.5 ** np.exp(0.565517), abs=1e-5)
    assert high[0] == pytest.approx(0.5 ** np.exp(-0.565517), abs=1e-5)


def test_log_log_interval_equals_recorded_values_of_another_library():
    # lifelines 0.30.3: KaplanMeierFitter().fit([1, 2, 2, 2, 3, 5], [1, 1, 1, 0, 0, 0]).confidence_interval_
    # (its default is the log-log interval), rows 1.0 and 2.0
    curve = kaplan_meier(DURATIONS, EVENTS)
    low, high = log_log_interval(curve.survival[:2], curve.variance[:2])
    np.testing.assert_allclose(low, [0.27312285, 0.11094826], atol=1e-8)
    np.testing.assert_allclose(high, [0.97471243, 0.80370924], atol=1e-8)


@given(st.floats(0.01, 0.99), st.floats(0, 0.2))
def test_the_interval_holds_the_estimate_and_stays_inside_the_unit_interval(survival, variance):
    low, high = log_log_interval([survival], [variance])
    assert 0 <= low[0] <= survival * (1 + 1e-12)
    assert survival * (1 - 1e-12) <= high[0] <= 1


def test_no_event_leaves_the_width_unknown():
    low, high = log_log_interval([0.0, 1.0, np.nan], [0.0, 0.0, 0.1])
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_the_flip_rate_by_hand():
    # Still waiting after 1: five rows, two of which have the event at 2.
    value, low, high = conditional_flip_rate(kaplan_meier(DURATIONS, EVENTS), [0, 1, 2, 5, 9], 5)
    np.testing.assert_allclose(value, [0.5, 0.4, 0, 0, 0], rtol=1e-12)
    expected_low, expected_high = log_log_interval([0.6], [0.36 * 2 / 15])
    np.testing.assert_allclose((low[1], high[1]), (1 - expected_high[0], 1 - expected_low[0]), rtol=1e-12)
    np.testing.assert_array_equal(np.isnan(low), [False, False, True, False, False])
    assert low[3] == high[3] == 0


@given(some_durations, some_events, st.integers(0, 8))
def test_the_flip_rate_is_that_of_the_curve_refitted_on_rows_still_waiting(durations, events, elapsed):
    durations[0] = 9.0
    events[0] = 0
    value, low, high = conditional_flip_rate(kaplan_meier(durations, events), elapsed, 9)
    later = durations > elapsed
    refit = kaplan_meier(durations[later], events[later])
    assert value == pytest.approx(1 - refit.survival[-1], abs=1e-12)
    expected_low, expected_high = log_log_interval(refit.survival[-1:], refit.variance[-1:])
    np.testing.assert_allclose((low, high), (1 - expected_high[0], 1 - expected_low[0]), atol=1e-9)


@given(some_durations, some_events)
def test_the_flip_rate_never_rises_with_elapsed_time_and_ends_at_zero(durations, events):
    durations[0] = 9.0
    events[0] = 0
    value, _, _ = conditional_flip_rate(kaplan_meier(durations, events), np.arange(10), 9)
    assert np.all(np.diff(value) <= 1e-12)
    assert value[-1] == 0


def test_a_horizon_that_nobody_reached_is_unknown():
    value, low, high = conditional_flip_rate(kaplan_meier(DURATIONS, EVENTS), [1, 6], 6)
    assert np.isnan([value[0], low[0], high[0]]).all()
    assert value[1] == 0


def test_a_table_of_event_times_can_state_its_follow_up():
    counts = kaplan_meier_from_counts([1, 2], [6, 5], [1, 2], follow_up=5)
    value, _, _ = conditional_flip_rate(counts, 1, 5)
    assert value == pytest.approx(0.4)


def test_nobody_waiting_has_no_flip_rate():
    curve = kaplan_meier([1, 2], [1, 1])
    value, _, _ = conditional_flip_rate(curve, [1.5, 2, 3], 30)
    np.testing.assert_array_equal(value, [1, np.nan, np.nan])


@pytest.mark.slow
def test_the_flip_rate_interval_covers_the_truth():
    # Defective exponential delays: P(ever) = 0.3, mean 3 days, ages uniform on (0, 30), window 15.
    rng, window, elapsed = np.random.default_rng(5), 15.0, 2.0
    still_waiting = 1 - 0.3 * (1 - np.exp(-elapsed / 3))
    truth = 1 - (1 - 0.3 * (1 - np.exp(-window / 3))) / still_waiting
    covered = []
    for _ in range(1000):
        delay = np.where(rng.random(400) < 0.3, rng.exponential(3, 400), np.inf)
        limit = np.minimum(rng.uniform(0, 30, 400), window)
        curve = kaplan_meier(np.minimum(delay, limit), delay <= limit)
        _, low, high = conditional_flip_rate(curve, elapsed, window)
        covered.append(low <= truth <= high)
    assert 0.93 <= np.mean(covered) <= 0.97


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kaplan_meier([1, -2], [1, 0]), "`durations` is -2.0 in row 1"),
        (lambda: kaplan_meier([1, np.inf], [1, 0]), "`durations` is inf in row 1"),
        (lambda: kaplan_meier([1, 2], [1]), "`events` has 1 rows where 2 are expected"),
        (lambda: kaplan_meier([1, 2], [1, 2]), "`events` is 2.0 in row 1"),
        (lambda: kaplan_meier([], []), "`durations` holds no row with weight"),
        (lambda: kaplan_meier([1, 2], [1, 0], sample_weight=[0, 0]), "no row with weight"),
        (lambda: kaplan_meier([1, 2], [1, 0], [2, 1]), "`time` is 1.0 in row 1 .*strictly increase"),
        (lambda: kaplan_meier([1, 2], [1, 0], []), "`time` is empty"),
        (lambda: kaplan_meier_from_counts([1, 1], [2, 1], [1, 0]), "`time` is 1.0 in row 1"),
        (lambda: kaplan_meier_from_counts([1, 2], [2, 0], [1, 0]), "`at_risk` is 0.0 in row 1"),
        (lambda: kaplan_meier_from_counts([1, 2], [2, 2], [1, 0]), "`at_risk` is 2.0 in row 1"),
        (lambda: kaplan_meier_from_counts([1], [2], [3]), "`events` is 3.0 in row 0"),
        (lambda: kaplan_meier_from_counts([1, 2], [2, 1], [1, 0], follow_up=1), "`follow_up` is 1.0"),
        (lambda: log_log_interval([0.5, 1.5], [0, 0]), "`survival` is 1.5 in row 1"),
        (lambda: log_log_interval([0.5], [-1]), "`variance` is -1.0 in row 0"),
        (lambda: log_log_interval([0.5], [0, 0]), r"`variance` has shape \(2,\)"),
        (lambda: conditional_flip_rate(kaplan_meier([1], [1]), [0, -1], 5), "`elapsed` is -1.0 in row 1"),
        (lambda: conditional_flip_rate(kaplan_meier([1], [1]), 0, np.nan), "`horizon` is nan"),
    ],
)
def test_impossible_histories_are_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()


def test_the_level_is_a_share():
    with pytest.raises(ConfigError, match="`level` is 95"):
        log_log_interval([0.5], [0.1], 95)


def test_curve_and_band_are_those_that_lifelines_and_scikit_survival_found():
    # Recorded with scikit-survival 0.28.0, and lifelines 0.30.3 agrees to 1e-14:
    #   kaplan_meier_estimator(np.array(event, bool), np.array(time, float), conf_type="log-log")
    time, event = [1, 2, 2, 3, 5, 5, 6, 8, 9, 9], [1, 1, 0, 1, 1, 1, 0, 1, 0, 0]
    curve = kaplan_meier(time, event)
    survival = [0.9, 0.8, 0.6857142857142857, 0.4571428571428572, 0.4571428571428572, 0.30476190476190484]
    low = [0.4730092713620503, 0.4086907816334043, 0.3045850742018473, 0.1429821627556124]
    high = [0.9852813933673431, 0.9458726458389115, 0.8871484950277075, 0.729779106015238]
    band = log_log_interval(curve.survival, curve.variance)
    assert curve.survival[:6] == pytest.approx(survival, abs=1e-12)
    assert band[0][:4] == pytest.approx(low, abs=1e-12)
    assert band[1][:4] == pytest.approx(high, abs=1e-12)
