"""The drift of conversion and delay: recovered where it is, left at nothing where it is not or does not last."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.special import expit, logit

from engine.delay.config import SIGNIFICANT_GAIN
from engine.delay.data import Prepared
from engine.delay.drift import MOST_DRIFT, Drift, find_drift, looks

WINDOW, TODAY, WAITING = 20.0, 60.0, 3.0
RATE, STEEP = 0.4, 1.5


def share_of(elapsed: np.ndarray) -> np.ndarray:
    """Return F(e): log-logistic with the median at a quarter of the window, and all within it."""
    return np.clip(expit(STEEP * np.log(np.maximum(elapsed, 1e-9) / (WINDOW / 4))), 1e-6, 1 - 1e-6)


def exposures(*, conversion: float, delay: float, seed: int = 0, rows: int = 30_000, until: float = TODAY) -> Prepared:
    """Draw a log whose log odds of converting, and of having converted by an age, move with the day of exposure.

    The drift goes on until the day `until` and turns back to nothing afterwards.
    """
    rng = np.random.default_rng(seed)
    time = rng.uniform(0.0, TODAY, rows)
    centre = (TODAY - WINDOW) / 2
    since = np.where(time <= until, (time - centre) / WINDOW, 0.0)
    converts = rng.random(rows) < expit(logit(RATE) + conversion * since)
    # The inverse of sigmoid(STEEP log(4 e / W) + delay s).
    days = (WINDOW / 4) * np.exp((logit(rng.random(rows)) - delay * since) / STEEP)
    names = np.arange(rows).astype(str)
    return Prepared(
        as_of=TODAY, has_dates=False, start=-np.inf, observed_until=100.0, waiting=np.full(rows, WAITING),
        exposure_id=names, unit=np.arange(rows), segment=np.full(rows, "all"), time=time, window=np.full(rows, WINDOW),
        delay=np.where(converts & (days <= WINDOW), days, np.inf), engage_delay=np.full(rows, np.inf),
        x=np.zeros((rows, 1), np.float32), feature_names=("x",), train=np.ones(rows, bool),
        holdout=np.zeros(rows, bool), test=np.zeros(rows, bool), dropped=0,
    )  # fmt: skip


def found_in(prepared: Prepared) -> Drift:
    """Find the drift from the law without drift."""
    within = float(share_of(np.array([WINDOW]))[0])
    p = np.full(prepared.time.size, RATE * within)
    return find_drift(
        prepared,
        p=p,
        seen_share=lambda _, elapsed: share_of(elapsed) / within * (1 - 1e-6),
        rng=np.random.default_rng(0),
    )


@pytest.mark.parametrize("conversion", [0.5, -0.5])
def test_a_drift_of_conversion_is_found_and_not_taken_for_one_of_delay(conversion):
    drift = found_in(exposures(conversion=conversion, delay=0.0))
    assert drift.conversion == pytest.approx(conversion, abs=0.12)
    assert abs(drift.delay) < 0.12 and drift.gain > SIGNIFICANT_GAIN


@pytest.mark.parametrize("delay", [-0.5, -0.3])
def test_labels_that_come_later_are_not_taken_for_fewer_conversions(delay):
    drift = found_in(exposures(conversion=0.0, delay=delay, rows=120_000))
    assert drift.delay == pytest.approx(delay, abs=0.12) and abs(drift.conversion) < 0.15


@pytest.mark.parametrize("seed", range(4))
def test_without_a_drift_none_is_believed(seed):
    drift = found_in(exposures(conversion=0.0, delay=0.0, seed=seed))
    assert (drift.conversion, drift.delay) == (0.0, 0.0) and drift.gain < SIGNIFICANT_GAIN


def test_a_season_that_would_have_misled_half_a_window_ago_is_not_believed():
    """On six days nobody converts, and all who would have do on the day after: no drift, however sure it looks."""
    prepared = exposures(conversion=0.0, delay=0.0)
    day = prepared.time + prepared.delay
    closed = (day > 44.0) & (day < 50.0)
    rest = np.random.default_rng(1).random(day.size)
    drift = found_in(dataclasses.replace(prepared, delay=np.where(closed, 50.0 + rest - prepared.time, prepared.delay)))
    assert drift.gain > SIGNIFICANT_GAIN and (drift.conversion, drift.delay) == (0.0, 0.0)


def test_a_forecast_that_gains_what_chance_does_is_no_evidence():
    """In small logs a drift may look sure, and half a window ago it would have helped a little."""
    drifts = [found_in(exposures(conversion=0.3, delay=0.0, seed=seed, rows=4_000)) for seed in range(20)]
    for drift in drifts:
        believed = drift.gain >= SIGNIFICANT_GAIN and drift.forecast >= SIGNIFICANT_GAIN
        assert ((drift.conversion, drift.delay) != (0.0, 0.0)) == believed
    assert any(drift.gain >= SIGNIFICANT_GAIN and 0 < drift.forecast < SIGNIFICANT_GAIN for drift in drifts)
    assert any(drift.conversion > 0 for drift in drifts)


def test_a_drift_beyond_what_can_be_told_apart_is_not_believed():
    prepared = exposures(conversion=-0.8, delay=0.0)
    at_once = dataclasses.replace(prepared, delay=np.where(np.isfinite(prepared.delay), 0.1, np.inf))
    drift = found_in(at_once)
    assert drift.gain > SIGNIFICANT_GAIN
    assert max(abs(drift.conversion), abs(drift.delay)) <= MOST_DRIFT


def test_a_drift_moves_log_odds_by_the_windows_since_the_matured_exposures():
    drift = Drift(conversion=1.0, delay=-2.0, gain=9.0, forecast=9.0, centre=20.0, unit=20.0)
    prepared = dataclasses.replace(exposures(conversion=0, delay=0, rows=3), time=np.array([20.0, 30.0, 40.0]))
    p, share = drift.move(prepared, np.full(3, 0.5), np.full(3, 0.5))
    assert p == pytest.approx(expit([0.0, 0.5, 1.0])) and share == pytest.approx(expit([0.0, -1.0, -2.0]))


def test_a_small_log_gains_what_two_numbers_gain_by_chance():
    """The search leaves its start: 2 x gain has the mean 2 under no drift."""
    gains = [found_in(exposures(conversion=0.0, delay=0.0, seed=seed, rows=600)).gain for seed in range(20)]
    assert 0.4 < np.mean(gains) < 2.0 and min(gains) >= 0.0


def test_looks_are_at_open_training_exposures_between_their_waiting_window_and_a_while_back():
    prepared = exposures(conversion=0, delay=0, rows=500)
    prepared = dataclasses.replace(prepared, train=np.arange(500) % 2 == 0)
    exposure, elapsed = looks(prepared, back=np.full(500, 4.0), rng=np.random.default_rng(0))
    assert set(exposure % 2) == {0} and not prepared.matured[exposure].any()
    assert ((elapsed >= WAITING) & (elapsed <= prepared.age[exposure] - 4.0)).all()
    assert set(np.unique(exposure)) == set(
        np.flatnonzero(prepared.train & ~prepared.matured & (prepared.age - 4.0 >= WAITING))
    )


def test_labels_after_the_snapshot_day_do_not_change_what_is_found():
    prepared = exposures(conversion=0.5, delay=0.0)
    hidden = dataclasses.replace(prepared, delay=np.where(prepared.seen | prepared.matured, prepared.delay, np.inf))
    assert found_in(prepared) == found_in(hidden)


def test_a_log_without_open_exposures_has_no_drift():
    prepared = exposures(conversion=0.5, delay=0.0)
    over = dataclasses.replace(prepared, time=prepared.time - 2 * WINDOW)
    drift = found_in(over)
    assert (drift.conversion, drift.delay, drift.gain, drift.forecast) == (0.0, 0.0, 0.0, 0.0)
