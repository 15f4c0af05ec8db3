"""Count rows and positives per split, uncertainty bucket and score bin: one expression, any engine."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from engine.uncertainty.grid import Floats, Layout


def count_cells(rows: ir.Table, layout: Layout, *, by: Sequence[str] = ("split",)) -> ir.Table:
    """Express the counts of every non-empty cell as one aggregation.

    Parameters
    ----------
    rows : ibis table
        Columns ``label, weight, score, uncertainty`` and those of `by`; memory, Parquet or a cluster.
    layout : Layout
    by : sequence of str, default ("split",)
        Columns that cells are counted by, for example the split, a slice, a group of units.

    Returns
    -------
    ibis table
        The columns of `by` and ``bucket, bin, n, positives, score_sum``; sums of the weights, of those of positives,
        and of the weighted scores.
    """
    bucket = interval_of(rows.uncertainty, layout.uncertainty_edges, upper=True)
    score_bin = interval_of(rows.score, layout.score_edges, upper=False)
    return (
        rows.mutate(bucket=bucket, bin=score_bin)
        .group_by([*by, "bucket", "bin"])
        .aggregate(
            n=lambda t: t.weight.sum(),
            positives=lambda t: (t.weight * t.label).sum(),
            score_sum=lambda t: (t.weight * t.score).sum(),
        )
    )


def interval_of(value: ir.Column, edges: Floats, *, upper: bool, first: int = 0) -> ir.Value:
    """Express the index of the interval that a value lies in, by halving: eight comparisons find one of 256.

    Parameters
    ----------
    value : ibis column
    edges : ndarray of shape (m,), float64, ascending
    upper : bool
        Whether a value on an edge belongs to the interval below it, or else above.
    first : int, default 0
        Index of the lowest interval.

    Returns
    -------
    ibis value, int
        `first` .. `first` + m.
    """
    if edges.size == 0:
        return ibis.literal(first)
    middle = edges.size // 2
    edge = float(edges[middle])
    return ibis.ifelse(
        (value <= edge) if upper else (value < edge),
        interval_of(value, edges[:middle], upper=upper, first=first),
        interval_of(value, edges[middle + 1 :], upper=upper, first=first + middle + 1),
    )


def cell_table(rows: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Run the aggregation on rows in memory and fill in the empty cells.

    Returns
    -------
    DataFrame
        ``split, bucket, bin, n, positives, score_sum`` for every cell of every split, ordered;
        int64 but for ``score_sum``; bucket and bin count from 0, bins ascend in score.
    """
    # Arrow in and out: the detour through pandas relies on an option that pandas retires.
    table = ibis.memtable(pa.Table.from_pandas(rows, preserve_index=False))
    counted = count_cells(table, layout).to_pyarrow().to_pandas()
    n_buckets, n_bins = layout.shape
    splits = sorted(rows["split"].unique())
    full = pd.MultiIndex.from_product([splits, range(n_buckets), range(n_bins)], names=["split", "bucket", "bin"])
    filled = counted.set_index(["split", "bucket", "bin"]).reindex(full, fill_value=0)
    return filled.astype({"n": np.int64, "positives": np.int64, "score_sum": np.float64}).reset_index()
