"""The simulator keeps its promises: its truth columns are the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.delay.simulate import SimulationConfig, simulate
from engine.errors import ConfigError


def test_the_true_probability_is_the_rate_of_the_label():
    frame = simulate(60_000)
    order = frame["true_p"].rank(method="first").to_numpy() * 10 // 60_001
    for part in range(10):
        rows = frame[order == part]
        error = np.sqrt((rows["true_p"] * (1 - rows["true_p"])).sum()) / len(rows)
        assert abs(rows["true_label"].mean() - rows["true_p"].mean()) < 4 * error
    engaged = frame["engagement_time"].notna()
    assert engaged.mean() == pytest.approx(frame["true_p_engage"].mean(), abs=0.01)


def test_the_label_is_a_conversion_inside_the_window():
    frame = simulate(3000)
    delay = frame["conversion_time"] - frame["exposure_time"]
    assert (frame["true_label"] == (delay <= frame["window_days"])).all()
    assert (delay.dropna() >= 0).all() and (delay > frame["window_days"]).any()
    lead = frame["engagement_time"] - frame["exposure_time"]
    assert lead.dropna().between(0, 1).all() and (delay[lead.notna()].dropna() >= lead[delay.notna()].dropna()).all()


def test_delays_follow_their_rate():
    frame = simulate(40_000, SimulationConfig(window_days=500.0))
    late = frame[frame["conversion_time"].notna() & frame["engagement_time"].isna()]
    scaled = (late["conversion_time"] - late["exposure_time"]) * late["true_delay_rate"]
    assert scaled.mean() == pytest.approx(1.0, abs=4 / np.sqrt(len(scaled)))


def test_drift_moves_the_rates_from_the_first_day_to_the_last():
    frame = simulate(20_000, SimulationConfig(engagement_drift=2.0))
    first, last = frame.iloc[:10_000], frame.iloc[10_000:]
    assert last["true_p_engage"].mean() - first["true_p_engage"].mean() > 0.1
    steady = simulate(20_000)
    assert abs(steady["true_p"].iloc[10_000:].mean() - steady["true_p"].iloc[:10_000].mean()) < 0.01


def test_one_seed_one_log():
    pd.testing.assert_frame_equal(simulate(50, SimulationConfig(seed=4)), simulate(50, SimulationConfig(seed=4)))
    assert not simulate(50, SimulationConfig(seed=4)).equals(simulate(50, SimulationConfig(seed=5)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window_days": 0.0}, "'window_days' is 0.0"),
        ({"engagement_rate": 1.0}, "'engagement_rate' is 1.0"),
        ({"features": 0}, "'features' is 0"),
        ({"engagement_days": 30.0}, "must be below 'window_days'"),
    ],
)
def test_knobs_outside_their_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        SimulationConfig(**change)


@pytest.mark.parametrize("rows", [0, -1, True, 1.5])
def test_a_number_of_rows_that_is_none_is_refused(rows):
    with pytest.raises(ConfigError, match="'rows' is"):
        simulate(rows)
