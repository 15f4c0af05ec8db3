"""Sums by groups of units, against the sums of a training and against counting one by one."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.delay.config import DelayConfig
from engine.delay.data import load, prepare
from engine.delay.draws import GROUPS, exit_ages, read_sums, sums_of, unit_facts, with_unit
from engine.delay.relation import exposures_of
from engine.delay.simulate import SimulationConfig, simulate
from engine.delay.tradeoff import waiting_grid
from engine.delay.tradeoff_sums import segment_sums
from engine.result import DatasetInfo

CONFIG = DelayConfig()
LINEAR = ("n", "seen", "open", "due", "leaving", "events", "aged", "line")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return simulated exposures whose window was over by the end."""
    found = simulate(1500, SimulationConfig(seed=2))
    end = found[["exposure_time", "engagement_time", "conversion_time"]].max().max()
    return found[found["exposure_time"] + found["window_days"] <= end].reset_index(drop=True)


@pytest.fixture(scope="module")
def exposures(frame) -> ibis.Table:
    """Return the same as a relation."""
    return exposures_of(
        ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False)), {}, source="log", attribution_days=30.0
    ).exposures


def test_the_sums_of_a_window_are_those_of_a_training(frame, exposures) -> None:
    info = DatasetInfo(name="made", origin="simulated", data_id="0")
    prepared = prepare(load(frame, info=info), CONFIG)
    horizon = int(prepared.window.max())
    waiting = waiting_grid(horizon, CONFIG)
    read = read_sums(exposures, waiting, as_of=prepared.as_of, period=30.0).to_pyarrow().to_pandas()
    exits = exit_ages(exposures, as_of=prepared.as_of, step_days=1.0, horizon_bin=horizon).to_pyarrow().to_pandas()
    ours = sums_of(read, exits, waiting, step_days=1.0, horizon_bin=horizon)
    assert set(ours) == set(frame["segment"])
    for segment, found in ours.items():
        rows = np.flatnonzero(~prepared.test & (prepared.segment == segment))
        expected = segment_sums(prepared, rows, CONFIG, waiting, 30.0, horizon, None)
        assert found.groups <= GROUPS and (found.bins == expected.bins).all() and found.members == 0
        for name in LINEAR:
            assert getattr(found, name).sum(axis=0) == pytest.approx(getattr(expected, name).sum(axis=0)), name


def test_a_unit_stays_in_one_group_in_both_tables(exposures) -> None:
    waiting = np.array([7.0])
    read = read_sums(exposures, waiting, as_of=90.0, period=30.0).to_pyarrow().to_pandas()
    one = exposures.filter(exposures.unit == exposures.unit.min())
    draw = exit_ages(one, as_of=1e6, step_days=1.0, horizon_bin=30).to_pyarrow().to_pandas()["draw"]
    assert len(set(draw)) == 1 and set(draw) <= set(read["draw"])


def test_what_became_of_open_labels_is_counted_as_one_would_by_hand(frame, exposures) -> None:
    as_of = 80.0
    table = unit_facts(exposures, as_of=as_of, waiting_days=7.0).to_pyarrow().to_pandas()
    age, delay = as_of - frame["exposure_time"], frame["conversion_time"] - frame["exposure_time"]
    label = delay <= frame["window_days"]
    recent = (age > 0) & (age < frame["window_days"])
    still = recent & ~(label & (delay <= age))
    late = ~(label & (delay <= 7.0))
    engaged = frame["engagement_time"] - frame["exposure_time"] <= 7.0
    expected = {
        "recent": recent.sum(),
        "open": still.sum(),
        "flipped": (still & label).sum(),
        "waiting": late.sum(),
        "engaged": (late & engaged).sum(),
        "flips": (late & label).sum(),
        "engaged_flips": (late & engaged & label).sum(),
        "units": frame["unit"].nunique(),
        "recent_units": frame.loc[recent, "unit"].nunique(),
        "waiting_units": frame.loc[late, "unit"].nunique(),
    }
    assert {name: table[name].sum() for name in expected} == expected
    assert (table["youngest"].min(), table["oldest"].max()) == pytest.approx((age[recent].min(), age[recent].max()))


def test_without_units_exposures_of_one_moment_are_drawn_together() -> None:
    frame = pd.DataFrame({"exposure_time": [1.0, 1.0, 1.00001, 2.5], "conversion_time": [np.nan] * 4})
    log = exposures_of(
        ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False)), {}, source="log", attribution_days=30.0
    )
    units = with_unit(log.exposures).unit.to_pyarrow().to_pylist()
    assert units == ["86400", "86400", "86401", "216000"]
    assert with_unit(with_unit(log.exposures)).columns == with_unit(log.exposures).columns
