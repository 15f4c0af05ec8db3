"""What was known on each day: nothing of the future, and right about it on average."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.delay.arrival import curve_of, describe_part
from engine.delay.asof import CURVE_COLUMNS, MAX_POINTS, asof_days, asof_tables, expected_flips
from engine.delay.cohorts import cohort_triangle
from engine.delay.counts import collect, day_counts, exit_counts, exit_counts_by_day
from engine.metrics.survival import kaplan_meier

WINDOW = 10.0
GRID = {"step_days": 1.0, "horizon_bin": 10}


def log(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Draw exposures over 60 days, a window of 10, 40 % converting after 3 days on average."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 60, rows))
    return pd.DataFrame(
        {
            "segment": rng.choice(["a", "b"], rows),
            "exposure_time": time,
            "engagement_time": np.nan,
            "conversion_time": np.where(rng.random(rows) < 0.4, time + rng.exponential(3.0, rows), np.nan),
            "window_days": WINDOW,
        }
    )


def table_of(frame: pd.DataFrame) -> ibis.Table:
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


@given(first=st.floats(-100, 100), length=st.floats(0, 400), place=st.floats(0, 1), count=st.integers(1, 16))
def test_days_increase_hold_the_own_day_and_are_no_more_than_asked_for(first, length, place, count):
    own = first + place * length
    days = asof_days(first, first + length, own, count)
    assert own in days and 1 <= len(days) <= count and (np.diff(days) > 0).all()
    assert all(day == np.ceil(day) for day in days if day != own)


def test_all_days_in_one_scan_count_what_one_day_at_a_time_counts():
    days = (20.0, 33.3, 100.0)
    together = collect(exit_counts_by_day(table_of(log()), days, **GRID))
    for day in days:
        alone = collect(exit_counts(table_of(log()), as_of=day, **GRID))
        found = together[together["as_of"] == day].drop(columns="as_of").reset_index(drop=True)
        pd.testing.assert_frame_equal(found, alone)


def test_counts_of_days_are_those_of_a_loop():
    frame = log()
    wide = day_counts(table_of(frame), (20.0, 33.3), final_day=50.0).to_pyarrow().to_pandas().set_index("segment")
    delay = frame["conversion_time"] - frame["exposure_time"]
    final = (delay <= WINDOW) & (frame["conversion_time"] <= 50.0)
    for place, day in enumerate((20.0, 33.3)):
        for segment in ("a", "b"):
            there = (frame["segment"] == segment) & (frame["exposure_time"] < day)
            assert wide.loc[segment, f"exposures_{place}"] == there.sum()
            assert wide.loc[segment, f"matured_{place}"] == (there & (day - frame["exposure_time"] >= WINDOW)).sum()
            assert wide.loc[segment, f"positives_{place}"] == (there & final).sum()


def test_a_day_knows_nothing_of_what_came_after_it():
    frame, day = log(), 30.0
    hidden = frame[frame["exposure_time"] < day]
    hidden = hidden.assign(conversion_time=hidden["conversion_time"].where(hidden["conversion_time"] <= day))
    seen, blind = (asof_tables(table_of(rows), (day,), final_day=100.0, **GRID) for rows in (frame, hidden))
    future = ["rate_final", "flips_final"]
    pd.testing.assert_frame_equal(seen["asof"].drop(columns=future), blind["asof"].drop(columns=future))
    assert (seen["asof"]["rate_final"] > blind["asof"]["rate_final"]).any()
    for name in ("asof_curves", "asof_cohorts"):
        pd.testing.assert_frame_equal(seen[name], blind[name])


def test_the_parts_of_a_day_add_up():
    found = asof_tables(table_of(log()), (12.0, 30.0, 80.0), final_day=80.0, **GRID)["asof"]
    whole = found[found["segment"] == "all"].reset_index(drop=True)
    parts = found[found["segment"] != "all"].groupby("as_of", as_index=False).sum(numeric_only=True)
    counted = ["exposures", "matured", "positives", "pending", "flips_final"]
    pd.testing.assert_frame_equal(whole[counted], parts[counted])
    assert whole["rate_seen"].to_numpy() == pytest.approx(whole["positives"] / whole["exposures"])
    assert (whole["flips_final"] <= whole["pending"]).all()
    last = whole.iloc[-1]
    assert last["pending"] == last["flips_final"] == last["flips_expected"] == 0
    assert last["rate_seen"] == last["rate_estimated"] == last["rate_final"]


def test_the_estimate_is_right_where_the_plain_rate_is_too_low():
    # Every segment is a log of its own.
    logs = pd.concat([log(800, seed).assign(segment=f"log {seed}") for seed in range(60)], ignore_index=True)
    found = asof_tables(table_of(logs), (40.0,), final_day=100.0, **GRID)["asof"]
    found = found[found["segment"] != "all"]
    truth = 0.4 * -np.expm1(-WINDOW / 3)
    assert len(found) == 60
    assert found["rate_estimated"].mean() == pytest.approx(truth, abs=0.006)
    assert found["rate_final"].mean() == pytest.approx(truth, abs=0.006)
    assert found["rate_seen"].mean() < truth - 0.02
    assert found["flips_expected"].mean() == pytest.approx(found["flips_final"].mean(), rel=0.06)
    assert found["flips_final"].between(found["flips_expected_low"], found["flips_expected_high"]).mean() >= 0.88


def test_expected_flips_by_hand():
    # S(1) = 0.8, S(2) = 0.6 by the horizon; 10 wait at 0, 5 at 1.
    curve = kaplan_meier([1, 1, 2, 2, *[3] * 6], [1, 1, 1, 1, *[0] * 6])
    value, low, high = expected_flips(curve, np.array([10.0, 5.0, 0.0, 0.0]), 3)
    assert value == pytest.approx(10 * 0.4 + 5 * 0.25)
    g1, g2 = 2 / (10 * 8), 2 / (8 * 6)
    variance = g1 * 6.0**2 + g2 * (6.0 + 3.75) ** 2 + 10 * 0.4 * 0.6 + 5 * 0.25 * 0.75
    assert high - value == pytest.approx(1.959964 * variance**0.5, rel=1e-6)
    assert low == 0.0 or value - low == pytest.approx(high - value)


def test_flips_are_unknown_before_anything_has_matured_and_none_if_nobody_waits():
    short = kaplan_meier([1, 2], [1, 0])
    assert np.isnan(expected_flips(short, np.array([3.0, 0, 0, 0]), 3)).all()
    assert np.isnan(expected_flips(None, np.array([3.0, 0, 0, 0]), 3)).all()
    assert expected_flips(short, np.zeros(4), 3) == (0.0, 0.0, 0.0)


def test_curves_and_triangle_are_those_of_the_day_thinned():
    found = asof_tables(table_of(log()), (25.0, 50.0), final_day=100.0, step_days=0.25, horizon_bin=40)
    exits = collect(exit_counts(table_of(log()), as_of=25.0, step_days=0.25, horizon_bin=40))
    curves = found["asof_curves"][found["asof_curves"]["as_of"] == 25.0]
    assert len(curves) == MAX_POINTS and curves["elapsed_days"].iloc[[0, -1]].tolist() == [0.0, 10.0]
    full = describe_part(exits, 40, 0.25).set_index("elapsed_days").loc[curves["elapsed_days"]]
    for name in CURVE_COLUMNS:
        assert curves[name].to_numpy() == pytest.approx(full[name].to_numpy(), rel=1e-5, nan_ok=True)
    triangle = found["asof_cohorts"]
    assert set(triangle["stage"]) == {"seen", "projected"}
    whole = cohort_triangle(exits, exits, step_days=0.25, horizon_bin=40)
    expected = whole[whole["stage"] != "final"]["rate"].to_numpy()
    assert triangle[triangle["as_of"] == 25.0]["rate"].to_numpy() == pytest.approx(expected, rel=1e-5)
    assert curve_of(exits, 40).follow_up == 40
