"""What is wrong with exposures of any size names the reader's own column, the row and what to do."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from ibis import memtable

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
        ({"window": {1: 0.0}}, "Column 'window' of shop.csv has '0.0' in data row 2; allowed is a number of at least"),
        ({"window": {4: "week"}}, "Column 'window' of shop.csv has 'week' in data row 5; allowed is a number of at"),
    ],
)
def test_a_refusal_names_the_own_column_and_the_first_row(changes, sentence):
    assert sentence in refused(**changes)


def test_dates_beside_numbers_name_the_first_row_of_the_fewer():
    assert "has '2020-01-31' in data row 5; allowed is" in refused(shown_at={4: "2020-01-31"})
    dates = {row: f"2020-01-0{row + 1}" for row in (0, 1, 3, 4)}
    assert "has '2.0' in data row 3; allowed is" in refused(shown_at=dates)
