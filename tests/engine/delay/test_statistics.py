"""The statistics of the delay window on data of known truth: which errors censoring makes, and which are repaired."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from engine.delay.counts import collect, exit_counts
from engine.delay.statistics import MAX_BINS, horizon_bin_of, statistics_tables
from engine.errors import ConfigError
from engine.metrics.survival import conditional_flip_rate, kaplan_meier

SHARE, MEAN, AGES, WINDOW = 0.3, 3.0, 30.0, 15.0
NEEDED = ["unit", "segment", "exposure_time", "engagement_time", "conversion_time", "window_days"]


def log(rows: int, seed: int) -> pd.DataFrame:
    """Draw p = .3, exponential delays of mean 3, ages uniform up to 30 on day 30."""
    rng = np.random.default_rng(seed)
    time = rng.uniform(0, AGES, rows)
    delay = np.where(rng.random(rows) < SHARE, rng.exponential(MEAN, rows), np.nan)
    return pd.DataFrame(
        {
            "unit": [f"u{k // 2}" for k in range(rows)],
            "segment": "one",
            "exposure_time": time,
            "engagement_time": np.nan,
            "conversion_time": time + delay,
            "window_days": WINDOW,
        }
    )


def table_of(frame: pd.DataFrame) -> ibis.Table:
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Return the tables of 60,000 exposures with bins of a tenth of a day."""
    return statistics_tables(
        table_of(log(60_000, 1)),
        as_of=AGES,
        final_day=60.0,
        other_days=(20.0, AGES),
        step_days=0.1,
        horizon_bin=150,
        waiting_bin=10,
    )


def snapshot(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    arrival = tables["arrival"]
    rows = arrival[(arrival["view"] == "snapshot") & (arrival["group"] == "all")]
    return rows.set_index(rows["elapsed_days"].round(6))


def test_the_plain_rate_misses_young_conversions_and_kaplan_meier_does_not(tables):
    last = snapshot(tables).loc[WINDOW]
    truth = SHARE * -np.expm1(-WINDOW / MEAN)
    # Ages below the window have seen only a part: the mean of F(min(age, W)) over U(0, 30).
    within = WINDOW - MEAN * -np.expm1(-WINDOW / MEAN)
    naive = SHARE * (within + (AGES - WINDOW) * -np.expm1(-WINDOW / MEAN)) / AGES
    assert (naive, truth) == pytest.approx((0.269, 0.298), abs=5e-4)
    assert last["converted_naive"] == pytest.approx(naive, abs=0.006)
    assert last["converted"] == pytest.approx(truth, abs=0.006)
    assert last["converted_low"] < truth < last["converted_high"]
    assert last["converted"] - last["converted_naive"] > 0.02


def test_delays_of_converters_alone_look_too_short_and_the_ratio_does_not(tables):
    row = snapshot(tables).loc[MEAN]
    truth = -np.expm1(-1.0) / -np.expm1(-WINDOW / MEAN)
    assert truth == pytest.approx(0.636, abs=5e-4)
    assert row["seen_naive"] == pytest.approx(0.678, abs=0.012)
    assert row["seen"] == pytest.approx(truth, abs=0.012)
    assert row["seen_low"] < truth < row["seen_high"]


def test_the_flip_rate_follows_the_law_never_rises_and_ends_at_zero(tables):
    rows = snapshot(tables)
    arrived = SHARE * -np.expm1(-rows["elapsed_days"] / MEAN)
    truth = (arrived.iloc[-1] - arrived) / (1 - arrived)
    assert rows["flip"].to_numpy() == pytest.approx(truth.to_numpy(), abs=0.008)
    assert (np.diff(rows["flip"]) <= 0).all() and rows["flip"].iloc[-1] == 0
    inside = (rows["flip_low"] <= truth) & (truth <= rows["flip_high"])
    assert inside.iloc[:100].mean() > 0.9


def test_the_hazard_is_that_of_the_law(tables):
    rows = snapshot(tables)
    arrived = SHARE * -np.expm1(-rows["elapsed_days"] / MEAN)
    truth = np.diff(arrived) / (1 - arrived.to_numpy()[:-1])
    found = rows.iloc[1:]
    covered = (found["hazard_low"] <= truth) & (truth <= found["hazard_high"])
    assert 0.9 <= covered.mean() <= 1.0
    assert found["hazard"].sum() == pytest.approx(truth.sum(), rel=0.05)


def test_hazards_multiply_to_the_curve(tables):
    rows = snapshot(tables)
    product = np.cumprod(1 - rows["hazard"].to_numpy(np.float64))
    assert 1 - product == pytest.approx(rows["converted"].to_numpy(np.float64), abs=1e-5)


def test_the_exponential_fit_finds_the_share_that_ever_converts(tables):
    cure = tables["cure"].set_index(["view", "law"])
    for law in ("exponential", "weibull"):
        row = cure.loc[("snapshot", law)]
        assert row["converted_low"] < SHARE < row["converted_high"]
        assert row["mean_delay"] == pytest.approx(MEAN, rel=0.05)
        assert row["gap_max"] < 0.005
    overlay = snapshot(tables)["cure_exponential"]
    assert overlay.iloc[-1] == pytest.approx(cure.loc[("snapshot", "exponential"), "converted_within"], rel=1e-5)


def test_the_curve_refitted_after_a_landmark_is_the_conditional_curve():
    rng = np.random.default_rng(2)
    time, event = rng.integers(1, 12, 500), rng.integers(0, 2, 500)
    whole = kaplan_meier(time, event)
    late = time > 4
    refitted = SurvfuncRight(time[late].astype(float), event[late])
    assert refitted.surv_prob == pytest.approx(whole.survival_at(refitted.surv_times) / whole.survival_at(4), abs=1e-12)
    flip, low, high = conditional_flip_rate(whole, 4, 10)
    again = conditional_flip_rate(kaplan_meier(time[late], event[late]), 0, 10)
    assert (flip, low, high) == pytest.approx(again, abs=1e-12)


def test_every_table_is_there_and_small(tables):
    assert list(tables) == ["arrival", "cure", "cohorts", "asof", "asof_curves", "asof_cohorts"]
    assert tables["arrival"]["flip"].dtype == np.float32 and tables["asof"]["rate_seen"].dtype == np.float32


def test_without_other_days_there_are_no_tables_of_days():
    found = statistics_tables(
        table_of(log(500, 1)), as_of=AGES, final_day=60.0, other_days=(), step_days=1.0, horizon_bin=15, waiting_bin=3
    )
    assert list(found) == ["arrival", "cure", "cohorts"]


def test_a_grid_too_fine_is_refused():
    assert horizon_bin_of(15.0, 0.1) == 150
    with pytest.raises(ConfigError, match="Choose a longer step"):
        horizon_bin_of(15.0, 15.0 / (MAX_BINS + 1))


def test_bins_of_any_width_keep_every_exposure():
    frame = log(2000, 3)
    for step in (0.1, 0.7, 1.0, 4.0):
        exits = collect(
            exit_counts(table_of(frame), as_of=AGES, step_days=step, horizon_bin=horizon_bin_of(WINDOW, step))
        )
        assert exits["n"].sum() == len(frame)
