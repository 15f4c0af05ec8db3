"""The aggregate of cells against a naive loop over the rows."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.uncertainty.cells import cell_table, count_cells
from engine.uncertainty.grid import Layout, grid_from_cells


def naive_counts(rows, layout):
    """Count row by row which bucket and which bin it falls into."""
    counts = {}
    for row in rows.itertuples():
        bucket = sum(row.uncertainty > edge for edge in layout.uncertainty_edges)
        score_bin = sum(row.score >= edge for edge in layout.score_edges)
        n, positives, scores = counts.get((row.split, bucket, score_bin), (0, 0, 0.0))
        counts[row.split, bucket, score_bin] = (
            n + row.weight,
            positives + row.weight * row.label,
            scores + row.weight * row.score,
        )
    return counts


@st.composite
def frames(draw):
    """Rows on few values, so that many lie exactly on an edge."""
    n = draw(st.integers(1, 30))
    values = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
    return pd.DataFrame(
        {
            "split": draw(st.lists(st.sampled_from(["tune", "test"]), min_size=n, max_size=n)),
            "label": draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)),
            "weight": draw(st.lists(st.integers(1, 5), min_size=n, max_size=n)),
            "score": draw(st.lists(values, min_size=n, max_size=n)),
            "uncertainty": draw(st.lists(values, min_size=n, max_size=n)),
        }
    )


LAYOUT = Layout(uncertainty_edges=np.array([0.1, 0.5]), score_edges=np.array([0.25, 0.5, 0.75]))


@given(frames())
@settings(max_examples=20)
def test_cells_equal_a_naive_loop_and_every_other_cell_is_zero(rows):
    table = cell_table(rows, LAYOUT)
    counts = naive_counts(rows, LAYOUT)
    assert len(table) == rows["split"].nunique() * 3 * 4
    for row in table.itertuples():
        n, positives, scores = counts.get((row.split, row.bucket, row.bin), (0, 0, 0.0))
        assert (row.n, row.positives) == (n, positives)
        assert row.score_sum == pytest.approx(scores)


@given(frames())
@settings(max_examples=20)
def test_the_aggregate_and_the_solvers_grid_agree(rows):
    table = cell_table(rows, LAYOUT)
    for split, part in rows.groupby("split"):
        cell = LAYOUT.cell(part["score"].to_numpy(), part["uncertainty"].to_numpy())
        grid = grid_from_cells(cell, part["label"].to_numpy(), part["weight"].to_numpy(), shape=LAYOUT.shape)
        own = table[table["split"] == split]
        assert own["n"].to_numpy().reshape(LAYOUT.shape).tolist() == grid.totals.tolist()
        assert own["positives"].to_numpy().reshape(LAYOUT.shape).tolist() == grid.positives.tolist()


def test_a_scorer_without_edges_has_one_cell_per_split():
    rows = pd.DataFrame({"split": ["tune"] * 3, "label": [1, 0, 1], "weight": [1, 2, 3], "score": [0.2, 0.4, 0.4]})
    table = cell_table(rows.assign(uncertainty=0.1), Layout(np.empty(0), np.empty(0)))
    assert table.to_dict("records") == [
        {"split": "tune", "bucket": 0, "bin": 0, "n": 6, "positives": 4, "score_sum": pytest.approx(2.2)}
    ]


def test_cells_are_one_expression_that_other_engines_can_run():
    columns = {"split": "string", "label": "int64", "weight": "int64", "score": "float64", "uncertainty": "float64"}
    sql = ibis.to_sql(count_cells(ibis.table(columns, name="rows"), LAYOUT), dialect="postgres")
    assert "GROUP BY" in sql and '"rows"' in sql


def test_thresholds_of_cuts_run_from_infinite_for_none_to_minus_infinite_for_all():
    assert LAYOUT.thresholds(np.array([0, 1, 3, 4])).tolist() == [np.inf, 0.75, 0.25, -np.inf]
