"""What every waiting window knows, counted by hand."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.delay.arrival import arrival_table
from engine.delay.counts import NEVER, collect, exit_counts
from engine.delay.relation import exposures_of
from engine.delay.window_counts import described_windows, window_cells

GRID = {"step_days": 1.0, "horizon_bin": 4}
# On day 10: converted on day 1; on day 3; never and over; open since 2 days and converting on day 3; made later.
FRAME = pd.DataFrame(
    {
        "exposure_time": [0.0, 0.0, 0.0, 8.0, 12.0],
        "conversion_time": [1.0, 3.0, np.nan, 11.0, 13.0],
        "window_days": [4.0, 4.0, 2.0, 4.0, 4.0],
    }
)


@pytest.fixture
def cells() -> pd.DataFrame:
    table = ibis.memtable(pa.Table.from_pandas(FRAME, preserve_index=False))
    exposures = exposures_of(table, {}, source="log", attribution_days=4.0).exposures
    return window_cells(exposures, as_of=10.0, **GRID).to_pyarrow().to_pandas()


@pytest.fixture
def arrival() -> pd.DataFrame:
    table = ibis.memtable(pa.Table.from_pandas(FRAME, preserve_index=False))
    exposures = exposures_of(table, {}, source="log", attribution_days=4.0).exposures
    views = [collect(exit_counts(exposures, as_of=day, **GRID)) for day in (10.0, 18.0)]
    return arrival_table(*views, waiting_bin=2, **GRID)


def test_exposures_are_counted_by_what_was_lived_through_and_when_they_convert(cells) -> None:
    found = sorted(zip(cells["read_bin"], cells["late_bin"], cells["n"], strict=True))
    assert found == [(2, 3, 1), (4, NEVER, 1), (4, 1, 1), (4, 3, 1)]


def test_a_window_reads_who_is_old_enough_and_sees_what_came_by_then(cells, arrival) -> None:
    table = described_windows(arrival, cells, has_truth=True, **GRID)
    assert table["waiting_days"].tolist() == [1.0, 2.0, 3.0, 4.0] and set(table["segment"]) == {"all"}
    assert table["read"].tolist() == [4, 4, 3, 3]
    assert table["negatives"].tolist() == [3, 3, 1, 1]
    assert table["flips_final"].tolist() == [2, 2, 0, 0]
    # The three that convert in the end, the open one among them.
    assert table["seen_final"].to_numpy() == pytest.approx([1 / 3, 1 / 3, 1, 1])
    assert table["flip_final"].to_numpy() == pytest.approx([2 / 3, 2 / 3, 0, 0])
    assert table["flips_expected"].to_numpy() == pytest.approx((table["flip"] * table["negatives"]).to_numpy())


def test_what_is_not_known_yet_is_left_open(cells, arrival) -> None:
    table = described_windows(arrival, cells, has_truth=False, **GRID)
    assert table[["seen_final", "flip_final", "flips_final"]].isna().all(axis=None)
    assert table["read"].tolist() == [4, 4, 3, 3]
