"""Count rows and positives per split, uncertainty bucket and score bin: one expression, any engine."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from engine.uncertainty.grid import Floats, Layout


def count_cells(rows: ir.Table, layout: Layout) -> ir.Table:
    """Express the counts of every non-empty cell as one aggregation.

    Parameters
    ----------
    rows : ibis table
        Columns ``split, label, weight, score, uncertainty``; memory, Parquet or a cluster.
    layout : Layout

    Returns
    -------
    ibis table
        ``split, bucket, bin, n, positives, score_sum``; sums of the weights, of those of positives,
        and of the weighted scores.
    """
    bucket = _steps(rows.uncertainty, layout.uncertainty_edges, upper=True)
    score_bin = _steps(rows.score, layout.score_edges, upper=False)
    return (
        rows.mutate(bucket=bucket, bin=score_bin)
        .group_by(["split", "bucket", "bin"])
        .aggregate(
            n=lambda t: t.weight.sum(),
            positives=lambda t: (t.weight * t.label).sum(),
            score_sum=lambda t: (t.weight * t.score).sum(),
        )
    )


def _steps(value: ir.Column, edges: Floats, *, upper: bool) -> ir.Value:
    """Index of the interval of each value; an edge belongs below it (``upper``) or above it."""
    if edges.size == 0:
        return ibis.literal(0)
    branches = [((value <= float(edge)) if upper else (value < float(edge)), index) for index, edge in enumerate(edges)]
    return ibis.cases(*branches, else_=int(edges.size))


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
