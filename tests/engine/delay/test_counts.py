"""The aggregate against a loop over exposures, and its Kaplan-Meier curve against statsmodels."""

from __future__ import annotations

import math

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from engine.delay.arrival import curve_of
from engine.delay.counts import EXIT_COLUMNS, NEVER, collect, exit_counts


def log(rows: int = 300, seed: int = 1, *, whole_days: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 60, rows))
    delay, engage = rng.exponential(6.0, rows), rng.exponential(5.0, rows)
    if whole_days:
        time, delay, engage = np.floor(time), np.floor(delay), np.floor(engage)
    return pd.DataFrame(
        {
            "segment": rng.choice(["a", "b"], rows),
            "exposure_time": time,
            "engagement_time": np.where(rng.random(rows) < 0.5, time + engage, np.nan),
            "conversion_time": np.where(rng.random(rows) < 0.6, time + delay, np.nan),
            "window_days": rng.choice([10.0, 14.0], rows),
        }
    )


def table_of(frame: pd.DataFrame) -> ibis.Table:
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def naive(frame: pd.DataFrame, as_of: float, step: float, horizon: int) -> dict[tuple[object, ...], int]:
    """Walk over the exposures one by one."""
    found: dict[tuple[object, ...], int] = {}
    for row in frame.itertuples():
        if row.exposure_time >= as_of:
            continue
        age = as_of - row.exposure_time
        complete = age >= row.window_days
        lived = math.floor(min(age, row.window_days) / step + 1e-9)
        delay, engage = row.conversion_time - row.exposure_time, row.engagement_time - row.exposure_time
        there = not math.isnan(delay) and delay <= min(row.window_days, age)
        event = math.ceil(delay / step - 1e-9) if there else 0
        converted = there and (complete or event <= lived)
        leaves = min(event if converted else horizon if complete else lived, horizon)
        engaged = not math.isnan(engage) and engage <= min(age, row.window_days)
        engage_bin = math.ceil(engage / step - 1e-9) if engaged else NEVER
        key = (row.segment, math.floor(row.exposure_time / 7) * 7.0, engage_bin, leaves, int(converted))
        found[key] = found.get(key, 0) + 1
    return found


@pytest.mark.parametrize("whole_days", [False, True])
@pytest.mark.parametrize(("as_of", "step"), [(40.0, 1.0), (40.0, 2.5), (500.0, 1.0), (33.3, 0.7)])
def test_the_aggregate_counts_what_a_loop_counts(as_of, step, whole_days):
    frame = log(whole_days=whole_days)
    horizon = math.ceil(14.0 / step)
    table = collect(exit_counts(table_of(frame), as_of=as_of, step_days=step, horizon_bin=horizon))
    assert list(table.columns) == list(EXIT_COLUMNS)
    counted = {tuple(row[:-1]): row[-1] for row in table.itertuples(index=False, name=None)}
    assert counted == naive(frame, as_of, step, horizon)
    assert table["n"].sum() == (frame["exposure_time"] < as_of).sum()


def test_nothing_after_the_day_changes_the_aggregate():
    frame = log()
    day = 40.0
    hidden = frame.assign(
        **{name: frame[name].where(frame[name] <= day) for name in ("engagement_time", "conversion_time")}
    )
    hidden = hidden[hidden["exposure_time"] < day]
    seen, blind = (
        collect(exit_counts(table_of(table), as_of=day, step_days=1.0, horizon_bin=14)) for table in (frame, hidden)
    )
    pd.testing.assert_frame_equal(seen, blind)


@pytest.mark.parametrize("seed", [1, 2])
def test_kaplan_meier_and_greenwood_from_the_aggregate_agree_with_statsmodels(seed):
    frame = log(400, seed, whole_days=True).assign(window_days=14.0)
    exits = collect(exit_counts(table_of(frame), as_of=45.0, step_days=1.0, horizon_bin=14))
    curve = curve_of(exits, 14)
    rows = exits.loc[exits.index.repeat(exits["n"])]
    oracle = SurvfuncRight(rows["exit_bin"].to_numpy(float), rows["converted"].to_numpy())
    assert curve.survival_at(oracle.surv_times) == pytest.approx(oracle.surv_prob, abs=1e-12)
    spread = np.sqrt(curve.greenwood_at(oracle.surv_times)) * curve.survival_at(oracle.surv_times)
    assert spread == pytest.approx(oracle.surv_prob_se, abs=1e-12)


def test_an_empty_part_has_no_curve():
    exits = collect(exit_counts(table_of(log()), as_of=40.0, step_days=1.0, horizon_bin=14))
    assert curve_of(exits[exits["segment"] == "nobody"], 14) is None
