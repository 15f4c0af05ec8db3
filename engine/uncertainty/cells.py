"""Count rows and positives per split, uncertainty bucket and score bin: one expression, any engine."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from engine.uncertainty.grid import Floats, Grid, Ints, assign_bins, assign_buckets


@dataclass(frozen=True, slots=True)
class Layout:
    """Hold the frozen edges of a scorer: K - 1 uncertainty edges, L - 1 score edges, ascending."""

    uncertainty_edges: Floats
    score_edges: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Number of buckets K and score bins L."""
        return self.uncertainty_edges.size + 1, self.score_edges.size + 1

    def cell(self, score: Floats, uncertainty: Floats) -> Ints:
        """Index the cell ``bucket * L + bin`` of each row."""
        return assign_buckets(uncertainty, self.uncertainty_edges) * self.shape[1] + assign_bins(
            score, self.score_edges
        )

    def thresholds(self, cuts: Ints) -> Floats:
        """Turn cuts (bins from the top) into score thresholds; infinite where nothing is selected."""
        lower = np.concatenate([[-np.inf], self.score_edges, [np.inf]])
        return lower[self.shape[1] - cuts]


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
        ``split, bucket, bin, n, positives``; n and positives sum the weights.
    """
    bucket = _steps(rows.uncertainty, layout.uncertainty_edges, upper=True)
    score_bin = _steps(rows.score, layout.score_edges, upper=False)
    return (
        rows.mutate(bucket=bucket, bin=score_bin)
        .group_by(["split", "bucket", "bin"])
        .aggregate(n=lambda t: t.weight.sum(), positives=lambda t: (t.weight * t.label).sum())
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
        ``split, bucket, bin, n, positives`` for every cell of every split, int64; bucket and bin
        count from 0, bins ascend in score.
    """
    counted = count_cells(ibis.memtable(rows), layout).execute()
    n_buckets, n_bins = layout.shape
    splits = sorted(rows["split"].unique())
    full = pd.MultiIndex.from_product([splits, range(n_buckets), range(n_bins)], names=["split", "bucket", "bin"])
    filled = counted.set_index(["split", "bucket", "bin"]).reindex(full, fill_value=0)
    return filled.astype(np.int64).reset_index()


def grid_of(cells: pd.DataFrame, split: str, layout: Layout) -> Grid:
    """Read the grid of one split from a full cell table."""
    part = cells.loc[cells["split"] == split]
    return Grid(
        positives=part["positives"].to_numpy(np.int64).reshape(layout.shape),
        totals=part["n"].to_numpy(np.int64).reshape(layout.shape),
    )
