"""What a training makes of the columns that play no role is told before it starts."""

import numpy as np
import pandas as pd
import pytest

from engine.inspection.report import inspect

ROWS = 400


@pytest.fixture
def notes(tmp_path):
    """Return the sentences about one column, as a feature of labelled rows or of exposures."""

    def _notes(values, kind="uncertainty"):
        rng = np.random.default_rng(0)
        frame = pd.DataFrame({"label": rng.integers(0, 2, ROWS), "age": rng.integers(18, 60, ROWS)})
        if kind == "delay":
            start = rng.integers(0, 120, ROWS)
            late = np.where(rng.random(ROWS) < 0.4, start + rng.integers(0, 25, ROWS), np.nan)
            frame = pd.DataFrame({"exposure_time": start, "conversion_time": late})
        frame.assign(own=values).to_csv(tmp_path / "t.csv", index=False)
        found = inspect(tmp_path / "t.csv", kind).findings
        return dict(found[found["column"] == "own"][["sentence", "severity"]].itertuples(index=False, name=None))

    return _notes


def test_categories_that_are_not_told_apart_are_told(notes):
    few = [f"v{k % 40}" for k in range(ROWS)]
    assert notes(few) == {}
    assert notes([f"v{k % 4}" if k < 388 else f"v{k}" for k in range(ROWS)]) == {}, "3 % are few"
    many = [f"v{k % 20}" if k < 100 else f"v{k // 2}" for k in range(ROWS)]
    assert list(notes(many).items()) == [
        (
            "Column 'own' of t.csv has about 170 values; a training tells those apart that 5 of its training rows "
            "have; those in 5 rows at all cover 25 % of the rows, and all others count as one.",
            "note",
        )
    ]
    ((told, _),) = notes(few, "delay").items()
    assert "tells the 30 most frequent of its training rows apart, which here cover 75 % of the rows" in told


def test_a_number_for_every_row_is_noted(notes):
    ((told, severity),) = notes([f"{k:06d}" for k in range(ROWS)]).items()
    assert "has another whole number in nearly every row, as an id has, and is read as a number" in told
    assert severity == "note"
    assert notes(np.arange(ROWS) % 300) == {}


def test_dates_as_text_are_names_of_categories(notes):
    found = notes([f"2024-01-{1 + k % 28:02d}" for k in range(ROWS)])
    assert [told for told in found if "holds dates, which are read as names of categories" in told] == list(found)


def test_a_column_that_is_left_out_is_not_read_otherwise(notes):
    assert notes([""] * ROWS) == {"Column 'own' of t.csv is empty and is not used as a feature.": "drops"}
    ((told, severity),) = notes([f"id {k}" for k in range(ROWS)], "delay").items()
    assert "as an id has, and is not used as a feature" in told and severity == "drops"


def test_of_many_columns_of_text_only_the_first_are_counted(tmp_path):
    many = {f"c{k}": [f"v{row}" for row in range(60)] for k in range(25)}
    pd.DataFrame({"label": np.arange(60) % 2} | many).to_csv(tmp_path / "t.csv", index=False)
    told = inspect(tmp_path / "t.csv", "uncertainty").findings
    assert sum("count as one" in sentence for sentence in told["sentence"]) == 21
    assert told[told["column"] == "c20"]["sentence"].str.contains("and 5 columns of text in all were not counted").any()
