"""What is wrong with exposures of any size names the reader's own column, the row and what to do."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis import memtable

from engine.backends import open_table
from engine.delay.relation import exposures_of
from engine.errors import DataError

ROLES = {"exposure_time": "shown at", "conversion_time": "bought at", "window_days": "window"}
GOOD = pd.DataFrame({"shown at": np.arange(5.0), "bought at": [np.nan, 2.0, np.nan, 3.5, 9.0], "window": 7.0})


def refused(**changes) -> str:
    """Return the refusal of the good table with some values changed: column to row and value."""
    frame = GOOD.astype(object)
    for column, values in changes.items():
        for row, value in values.items():
            frame.loc[row, column.replace("_", " ")] = value
    table = memtable(
        pa.table({name: pa.array([None if pd.isna(v) else str(v) for v in frame[name]]) for name in frame})
    )
    with pytest.raises(DataError) as error:
        exposures_of(table, ROLES, source="shop.csv", attribution_days=30.0)
    return str(error.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"shown_at": {2: None}},
            "Column 'shown at' of shop.csv has no value in data row 3; allowed is a value in every row. Correct",
        ),
        (
            {"bought_at": {3: 0.5}},
            "Column 'bought at' of shop.csv is 2.5 days before 'shown at' in data row 4; an event cannot precede its",
        ),
        (
            {"bought_at": {1: 0.0, 4: 3.0}},
            "Column 'bought at' of shop.csv is 1 day before 'shown at' in data row 2 (2 rows in all); an event cannot",
        ),
        ({"bought_at": {3: 300_000_000}}, "has '300000000' in data row 4; allowed is an ISO 8601 date (2020-01-31)"),
        ({"bought_at": {3: 300_000_000}}, "and not seconds. If the column holds seconds, divide it by 86,400."),
        ({"shown_at": {0: "soon"}}, "Column 'shown at' of shop.csv has 'soon' in data row 1; allowed is an ISO 8601"),
        ({"window": {1: 0.0}}, "Column 'window' of shop.csv has '0.0' in data row 2; allowed is a number of days from"),
        ({"window": {4: "week"}}, "Column 'window' of shop.csv has 'week' in data row 5; allowed is a number of days"),
        (
            {"window": {1: 6e11}},
            "has '600000000000.0' in data row 2; allowed is a number of days from 0.01 to 1,000,000",
        ),
    ],
)
def test_a_refusal_names_the_own_column_and_the_first_row(changes, sentence):
    assert sentence in refused(**changes)


def test_dates_beside_numbers_name_the_first_row_of_the_fewer():
    assert "has '2020-01-31' in data row 5; allowed is" in refused(shown_at={4: "2020-01-31"})
    dates = {row: f"2020-01-0{row + 1}" for row in (0, 1, 3, 4)}
    assert "has '2.0' in data row 3; allowed is" in refused(shown_at=dates)


def test_an_empty_window_is_the_default_however_it_is_empty():
    windows = pa.array(["7", "  ", "", "NaN", None])
    table = pa.table(
        {name: pa.array(GOOD[name].to_numpy()) for name in ("shown at", "bought at")} | {"window": windows}
    )
    log = exposures_of(memtable(table), ROLES, source="shop.csv", attribution_days=30.0)
    assert log.exposures.order_by("exposure_time").window_days.to_pyarrow().to_pylist() == [7.0, 30.0, 30.0, 30.0, 30.0]


@pytest.mark.parametrize("empty", [pa.float64(), pa.int32(), pa.null()])
def test_a_column_without_a_time_has_no_form_whatever_its_type(empty, tmp_path):
    shown = pa.array(pd.date_range("2024-01-01", periods=5))
    table = pa.table({"exposure_time": shown, "conversion_time": shown, "engagement_time": pa.nulls(5, empty)})
    pq.write_table(table, tmp_path / "t.parquet")
    log = exposures_of(open_table(tmp_path / "t.parquet"), {}, source="t", attribution_days=30.0)
    assert log.has_dates and log.exposures.engagement_time.count().to_pyarrow().as_py() == 0
