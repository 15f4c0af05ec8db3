"""Cohorts against rows picked one by one, and their way through CSV."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.errors import ConfigError, DataError
from engine.uncertainty.cohort import (
    OUTCOMES,
    Cohort,
    cohort_rows,
    cohorts_from_csv,
    cohorts_to_csv,
    count_cohort,
)
from engine.uncertainty.editor import Editor
from engine.uncertainty.grid import Grid, Layout, grid_from_cells

LAYOUT = Layout(uncertainty_edges=np.array([0.2]), score_edges=np.array([0.25, 0.5, 0.75]))
CUTS = [2, 1]
"""Bucket 0 selects scores from 0.5, bucket 1 from 0.75."""


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    score = np.round(rng.random(600), 2)
    return pd.DataFrame(
        {
            "sample_id": np.arange(600),
            "y_true": (rng.random(600) < score).astype(int),
            "prob": score,
            "uncertainty": rng.choice([0.1, 0.2, 0.3], 600),
            "region": rng.choice(["north", "south"], 600),
        }
    )


@pytest.fixture(scope="module")
def editor(rows):
    cell = LAYOUT.cell(rows["prob"].to_numpy(), rows["uncertainty"].to_numpy())
    grid: Grid = grid_from_cells(cell, rows["y_true"].to_numpy(), np.ones(600, dtype=np.int64), shape=LAYOUT.shape)
    return Editor(LAYOUT, {"tune": grid, "test": grid}, {})


def test_stored_rows_of_float32_lie_where_the_rows_lay(rows, editor):
    wide, narrow = (
        cohort_rows(rows.astype({"prob": kind, "uncertainty": kind}), Cohort(name="all"), editor, CUTS).set_index(
            "sample_id"
        )
        for kind in ("float64", "float32")
    )
    columns = ["bucket", "selected", "outcome"]
    pd.testing.assert_frame_equal(wide[columns].sort_index(), narrow[columns].sort_index())


def picked(rows, cohort):
    """Pick row by row."""
    found = []
    for row in rows.itertuples():
        bucket = int(row.uncertainty > 0.2)
        selected = row.prob >= (0.5, 0.75)[bucket]
        outcome = {(1, True): "true_positive", (0, True): "false_positive", (1, False): "false_negative"}.get(
            (row.y_true, selected), "true_negative"
        )
        inside = cohort.score_low <= row.prob <= cohort.score_high
        if inside and cohort.bucket in (-1, bucket) and cohort.outcome in ("any", outcome):
            found.append(row.sample_id)
    return found


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("bucket", [-1, 0, 1])
def test_rows_of_a_cohort_equal_those_picked_one_by_one(rows, editor, outcome, bucket):
    cohort = Cohort(name="x", outcome=outcome, bucket=bucket, score_low=0.3, score_high=0.8)
    found = cohort_rows(rows, cohort, editor, CUTS)
    assert sorted(found["sample_id"]) == picked(rows, cohort)
    assert (np.diff(found["prob"]) <= 0).all()


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("bucket", [-1, 0, 1])
@pytest.mark.parametrize("cuts", [CUTS, [0, 4], [4, 0]])
def test_counts_of_a_cohort_equal_its_rows(rows, editor, outcome, bucket, cuts):
    counted = count_cohort(Cohort(name="x", outcome=outcome, bucket=bucket), editor, cuts)
    found = cohort_rows(rows, counted, editor, cuts)
    assert (counted.n, counted.positives) == (len(found), found["y_true"].sum())


def test_a_range_of_scores_is_widened_to_whole_bins(editor):
    counted = count_cohort(Cohort(name="x", score_low=0.3, score_high=0.6), editor, CUTS)
    assert (counted.score_low, counted.score_high) == (0.25, 0.75)
    assert counted.n == editor.grids["test"].totals[:, 1:3].sum()


def test_a_slice_is_picked_by_its_value(rows, editor):
    found = cohort_rows(rows, Cohort(name="x", column="region", value="north"), editor, CUTS)
    assert len(found) == (rows["region"] == "north").sum()
    with pytest.raises(ConfigError, match="'column' is 'colour'"):
        cohort_rows(rows, Cohort(name="x", column="colour", value="red"), editor, CUTS)


def test_the_rate_comes_with_its_interval():
    rate, low, high = Cohort(name="x", n=10, positives=8).rate()
    assert (rate, round(low, 3), round(high, 3)) == (0.8, 0.49, 0.943)
    assert all(np.isnan(v) for v in Cohort(name="x").rate())


def test_cohorts_survive_their_way_through_csv():
    cohorts = (
        Cohort(name='missed, "uncertain"', outcome="false_negative", bucket=2, score_low=0.1, score_high=0.4, n=9),
        Cohort(name="NA", column="region", value="null", n=3, positives=1),
    )
    assert cohorts_from_csv(cohorts_to_csv(cohorts)) == cohorts
    assert cohorts_from_csv(cohorts_to_csv([])) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": " "}, "'name'"),
        ({"name": "a\nb"}, "'name'"),
        ({"outcome": "lucky"}, "'outcome' is 'lucky'"),
        ({"score_low": 0.9, "score_high": 0.1}, "'score_low' is 0.9"),
        ({"n": 1, "positives": 2}, "'positives' is 2"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        Cohort(**({"name": "x"} | change))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,outcome\nx,any\n", "Column 'bucket' is missing"),
        ("", "no CSV table"),
        (cohorts_to_csv([Cohort(name="x")]).replace("any", "lucky"), "Row 1 of the cohorts is no cohort: 'outcome'"),
        (cohorts_to_csv([Cohort(name="x")]).replace("-1", "first"), "Row 1 of the cohorts is no cohort"),
    ],
)
def test_csv_that_holds_no_cohorts_is_refused(text, message):
    with pytest.raises(DataError, match=message):
        cohorts_from_csv(text)
