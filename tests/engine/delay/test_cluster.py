"""Household bands of the flip rate: against a plain unit bootstrap, and by coverage on planted clusters."""

from __future__ import annotations

import hashlib

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.datasets import load
from engine.delay.arrival import arrival_table, curve_of
from engine.delay.cluster import unit_band, with_unit_bands
from engine.delay.config import DelayConfig
from engine.delay.counts import UNIT_COLUMNS, collect, exit_counts, unit_exit_counts
from engine.delay.data import prepare
from engine.delay.statistics import exposure_table
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.metrics.survival import conditional_flip_rate

HORIZON = 10


def exits_of(unit: np.ndarray, delay: np.ndarray, follow: np.ndarray) -> pd.DataFrame:
    """Count rows by unit as the aggregate does, each unit a group of its own; bins of length 1."""
    seen = np.ceil(delay) <= np.floor(follow)
    leaves = np.where(seen, np.ceil(delay), np.floor(follow)).astype(int)
    frame = pd.DataFrame({"segment": "a", "unit_group": unit, "exit_bin": leaves, "converted": seen.astype(int)})
    return frame.groupby(list(frame.columns)).size().rename("n").reset_index()


def households(seed: int, *, units: int, size: int, within: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw rows whose propensity to convert is shared in a household: Beta, mean .3, correlation `within`."""
    rng = np.random.default_rng(seed)
    strength = (1 - within) / within
    share = rng.beta(0.3 * strength, 0.7 * strength, units)
    unit = np.repeat(np.arange(units), size)
    delay = np.where(rng.random(unit.size) < share[unit], rng.exponential(3.0, unit.size), np.inf)
    return unit, delay, np.minimum(rng.uniform(0, 30, unit.size), HORIZON)


def truth(elapsed: float) -> float:
    """Return P(converts by the horizon | not by e) under `households`."""
    early, late = (0.3 * -np.expm1(-t / 3) for t in (elapsed, HORIZON))
    return (late - early) / (1 - early)


def test_households_widen_the_band_to_what_it_claims_and_greenwood_stays_too_narrow():
    ours, greenwood = [], []
    for seed in range(300):
        drawn = exits_of(*households(seed, units=150, size=8, within=0.3))
        low, high = unit_band(drawn, HORIZON)
        ours.append(low[2] <= truth(2.0) <= high[2])
        _, low_g, high_g = conditional_flip_rate(curve_of(drawn, HORIZON), 2.0, HORIZON)
        greenwood.append(low_g <= truth(2.0) <= high_g)
    assert 0.92 <= np.mean(ours) <= 0.98
    assert np.mean(greenwood) < 0.85


def test_independent_rows_get_greenwoods_band():
    _, delay, follow = households(5, units=1200, size=1, within=0.3)
    drawn = exits_of(np.arange(1200) % 256, delay, follow)
    ours = np.array(unit_band(drawn, HORIZON))[:, :6]
    plain = np.array(conditional_flip_rate(curve_of(drawn, HORIZON), np.arange(6), HORIZON)[1:])
    assert (ours[1] - ours[0]) / (plain[1] - plain[0]) == pytest.approx(np.ones(6), rel=0.2)


def test_two_groups_by_hand():
    # Group x: 10 rows, 2 convert in bin 1; group y: 10 rows, 4 convert. R(0) = S(W) = 1 - 6 / 20 = 0.7.
    rows = [("a", "x", 1, 1, 2), ("a", "x", 2, 0, 8), ("a", "y", 1, 1, 4), ("a", "y", 2, 0, 6)]
    low, high = unit_band(pd.DataFrame(rows, columns=list(UNIT_COLUMNS)), 2)
    variance = 0.5 * (np.log(0.6 / 0.7) ** 2 + np.log(0.8 / 0.7) ** 2)
    # Student's t with one degree of freedom; d log(-log R) = d log R / log R.
    reach = 12.706204736 * np.sqrt(variance) / -np.log(0.7)
    assert 1 - low[0] == pytest.approx(0.7 ** np.exp(-reach), rel=1e-9)
    assert 1 - high[0] == pytest.approx(0.7 ** np.exp(reach), rel=1e-9)
    assert (low[2], high[2]) == (0, 0)
    assert np.isnan([low[1], high[1]]).all()  # no conversion lies after bin 1


def test_one_group_or_nobody_followed_to_the_horizon_has_no_band():
    one = pd.DataFrame([("a", "x", 1, 1, 2), ("a", "x", 2, 0, 8)], columns=list(UNIT_COLUMNS))
    short = pd.DataFrame([("a", "x", 1, 1, 2), ("a", "y", 1, 0, 8)], columns=list(UNIT_COLUMNS))
    for exits in (one, short, one.iloc[:0]):
        assert np.isnan(np.array(unit_band(exits, 2))[:, :2]).all()


@pytest.mark.slow
def test_groups_of_coupon_households_give_the_band_of_a_plain_household_bootstrap():
    config = DelayConfig()
    prepared = prepare(load("delay", "journey-coupons"), config)
    horizon = int(prepared.window.max())
    exits = collect(
        unit_exit_counts(exposure_table(prepared), as_of=prepared.as_of, step_days=1.0, horizon_bin=horizon)
    )
    ours = np.array(unit_band(exits, horizon))[:, [0, 7, 14]]
    before = prepared.time < prepared.as_of
    age, window, delay = prepared.age[before], prepared.window[before], prepared.delay[before]
    converted = delay <= age
    leaves = np.where(converted, delay, np.where(age >= window, horizon, age)).astype(int)

    def flip(weight: np.ndarray) -> np.ndarray:
        leaving = np.bincount(leaves, weight, minlength=horizon + 1)
        events = np.bincount(leaves, weight * converted, minlength=horizon + 1)
        survival = np.cumprod(1 - events / np.cumsum(leaving[::-1])[::-1])
        return 1 - survival[-1] / survival[[0, 7, 14]]

    draws = bootstrap(flip, prepared.unit[before], n_resamples=800, rng=np.random.default_rng(0))
    low, high = percentile_interval(draws)
    assert (ours[1] - ours[0]) / (high - low) == pytest.approx(np.ones(3), abs=0.15)
    assert ours == pytest.approx(np.array([low, high]), abs=0.004)


def table() -> ibis.Table:
    """Return 400 exposures of 80 units in two segments."""
    rng = np.random.default_rng(4)
    time = rng.uniform(0, 40, 400)
    frame = pd.DataFrame(
        {
            "unit": [f"u{k}" for k in rng.integers(0, 80, 400)],
            "segment": rng.choice(["a", "b"], 400),
            "exposure_time": time,
            "engagement_time": np.nan,
            "conversion_time": np.where(rng.random(400) < 0.4, time + rng.exponential(3.0, 400), np.nan),
            "window_days": 10.0,
        }
    )
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def test_groups_hold_whole_units_and_sum_to_the_ungrouped_aggregate():
    grid = {"as_of": 30.0, "step_days": 1.0, "horizon_bin": HORIZON}
    grouped, plain = (collect(count(table(), **grid)) for count in (unit_exit_counts, exit_counts))
    assert list(grouped.columns) == list(UNIT_COLUMNS)
    keys = ["segment", "exit_bin", "converted"]
    pd.testing.assert_series_equal(grouped.groupby(keys)["n"].sum(), plain.groupby(keys)["n"].sum())
    # 80 units in 256 groups: none is split, so there are at most 80, and hardly fewer.
    assert 60 <= grouped["unit_group"].nunique() <= 80
    assert set(grouped["unit_group"]) <= {hashlib.md5(f"u{k}".encode()).hexdigest()[:2] for k in range(80)}


def test_the_bands_go_to_the_rows_of_all_exposures_and_of_segments():
    grid = {"step_days": 1.0, "horizon_bin": HORIZON}
    plain = [collect(exit_counts(table(), as_of=day, **grid)) for day in (30.0, 60.0)]
    grouped = [collect(unit_exit_counts(table(), as_of=day, **grid)) for day in (30.0, 60.0)]
    found = with_unit_bands(arrival_table(*plain, waiting_bin=3, **grid), *grouped)
    for view, exits in zip(("snapshot", "final"), grouped, strict=True):
        for key, part in (("all", exits), ("a", exits[exits["segment"] == "a"])):
            rows = found[(found["view"] == view) & (found["key"] == key)]
            low, high = unit_band(part, HORIZON)
            assert rows["flip_unit_low"].to_numpy() == pytest.approx(low, rel=1e-6, nan_ok=True)
            assert rows["flip_unit_high"].to_numpy() == pytest.approx(high, rel=1e-6, nan_ok=True)
            inside = rows[rows["flip_unit_low"].notna()]
            assert (inside["flip_unit_low"] <= inside["flip"] + 1e-6).all()
            assert (inside["flip"] <= inside["flip_unit_high"] + 1e-6).all()
    assert found[found["group"].isin(["cohort", "engagement"])]["flip_unit_low"].isna().all()
