"""The simulator keeps its promises: its truth columns are the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from engine.delay.simulate import SimulationConfig, simulate, write_parquet_folder
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


@pytest.mark.parametrize("shape", ["linear", "step"])
@pytest.mark.parametrize("drift", ["engagement_drift", "conversion_drift", "delay_drift"])
def test_the_truth_stays_exact_in_every_quarter_of_a_drifting_log(drift, shape):
    frame = simulate(60_000, SimulationConfig(**{drift: 1.5, "drift_shape": shape}))
    for part in np.array_split(np.arange(len(frame)), 4):
        rows = frame.iloc[part]
        error = np.sqrt((rows["true_p"] * (1 - rows["true_p"])).sum()) / len(rows)
        assert abs(rows["true_label"].mean() - rows["true_p"].mean()) < 4 * error
        engaged, chance = rows["engagement_time"].notna(), rows["true_p_engage"]
        assert abs(engaged.mean() - chance.mean()) < 4 * np.sqrt((chance * (1 - chance)).sum()) / len(rows)


def log_odds(values: pd.Series) -> np.ndarray:
    return np.log(values / (1 - values)).to_numpy()


def test_a_linear_drift_moves_the_log_odds_by_its_size_from_the_first_day_to_the_last():
    steady, moving = (
        simulate(4000, SimulationConfig(engagement_drift=drift, conversion_drift=drift)) for drift in (0.0, 2.0)
    )
    moved = log_odds(moving["true_p_engage"]) - log_odds(steady["true_p_engage"])
    expected = 2.0 * (steady["exposure_time"].to_numpy() / 120.0 - 0.5)
    assert moved == pytest.approx(expected, abs=1e-9)
    assert moved[0] == pytest.approx(-1.0, abs=0.01) and moved[-1] == pytest.approx(1.0, abs=0.01)


def test_a_step_drift_comes_at_once_on_the_middle_day():
    steady = simulate(4000)
    moved = simulate(4000, SimulationConfig(engagement_drift=2.0, drift_shape="step"))
    change = log_odds(moved["true_p_engage"]) - log_odds(steady["true_p_engage"])
    late = steady["exposure_time"].to_numpy() >= 60.0
    assert change[~late] == pytest.approx(-1.0) and change[late] == pytest.approx(1.0)


def test_a_delay_drift_multiplies_the_mean_delay():
    steady, slower = simulate(4000), simulate(4000, SimulationConfig(delay_drift=1.2, drift_shape="step"))
    factor = steady["true_delay_rate"] / slower["true_delay_rate"]
    expected = np.exp(np.where(steady["exposure_time"] >= 60.0, 0.6, -0.6))
    assert factor.to_numpy() == pytest.approx(expected)


def test_a_delay_far_shorter_than_the_engagement_days_keeps_a_finite_truth():
    frame = simulate(200, SimulationConfig(engaged_delay_days=0.01, engagement_days=20.0))
    assert frame["true_p"].between(0, 1).all()


def test_a_folder_of_parquet_files_holds_every_exposure_in_order_of_time(tmp_path):
    paths = write_parquet_folder(2500, tmp_path / "log", SimulationConfig(seed=2), chunk=1000)
    assert paths == sorted((tmp_path / "log").glob("*.parquet")) and len(paths) == 3
    frame = pq.read_table(tmp_path / "log").to_pandas()
    assert max(pq.read_metadata(path).num_rows for path in paths) <= 1000 and len(frame) == 2500
    assert frame["exposure_time"].is_monotonic_increasing and frame["exposure_time"].between(0, 120).all()
    assert list(frame) == [
        "segment", "unit", "exposure_time", "engagement_time", "conversion_time", "window_days",
    ]  # fmt: skip
    assert set(frame["segment"]) == {"A", "B", "C"} and frame["unit"].between(0, 624).all()
    assert (
        pq.read_table(paths[0])["conversion_time"].null_count > 0
        and not np.isnan(pq.read_table(paths[0])["conversion_time"].drop_null().to_numpy()).any()
    )


def test_a_folder_follows_the_law_of_the_table(tmp_path):
    config = SimulationConfig(engagement_drift=2.0)
    table = simulate(40_000, config)
    write_parquet_folder(40_000, tmp_path, config, chunk=7000)
    written = pq.read_table(tmp_path).to_pandas()
    for name in ("engagement_time", "conversion_time"):
        for half in (slice(0, 20_000), slice(20_000, 40_000)):
            share = [frame[name].iloc[half].notna().mean() for frame in (table, written)]
            assert share[0] == pytest.approx(share[1], abs=0.02)
    delays = [(frame["conversion_time"] - frame["exposure_time"]).median() for frame in (table, written)]
    assert delays[0] == pytest.approx(delays[1], rel=0.06)


def test_one_seed_writes_one_folder_and_its_files_differ_from_each_other(tmp_path):
    for name in ("one", "two"):
        write_parquet_folder(300, tmp_path / name, SimulationConfig(seed=5), chunk=100)
    one, two = (pq.read_table(tmp_path / name).to_pandas() for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two)
    lead = (one["engagement_time"] - one["exposure_time"]).dropna()
    assert lead.is_unique


@pytest.mark.parametrize("chunk", [0, True, 1.5])
def test_a_chunk_that_is_none_is_refused(chunk, tmp_path):
    with pytest.raises(ConfigError, match="'chunk' is"):
        write_parquet_folder(10, tmp_path, chunk=chunk)


def test_one_seed_one_log():
    pd.testing.assert_frame_equal(simulate(50, SimulationConfig(seed=4)), simulate(50, SimulationConfig(seed=4)))
    assert not simulate(50, SimulationConfig(seed=4)).equals(simulate(50, SimulationConfig(seed=5)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window_days": 0.0}, "'window_days' is 0.0"),
        ({"engagement_rate": 1.0}, "'engagement_rate' is 1.0"),
        ({"features": 0}, "'features' is 0"),
        ({"drift_shape": "sudden"}, "'drift_shape' is 'sudden'"),
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
