"""Read the slices of a run: their names, their cells for the editor, their reliability; light enough for a page."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.errors import RunError
from engine.uncertainty.grid import Layout
from engine.uncertainty.reliability import BIN_COLUMNS, count_table, with_rates


def layout_of(edges: pd.DataFrame, scorer: str) -> Layout:
    """Return the edges that a run has frozen for a scorer.

    Parameters
    ----------
    edges : DataFrame
        ``scorer, axis, index, edge``.
    scorer : str

    Returns
    -------
    Layout
    """
    axes = edges[edges["scorer"] == scorer].sort_values("index")
    found = {axis: axes.loc[axes["axis"] == axis, "edge"].to_numpy(float) for axis in ("uncertainty", "score")}
    return Layout(uncertainty_edges=found["uncertainty"], score_edges=found["score"])


def slice_names(slices: pd.DataFrame) -> list[tuple[str, str, int]]:
    """List the slices of a run: column, value and rows, columns in their order, the largest value first."""
    sizes = slices.groupby(["column", "value"], sort=False)["n"].sum().reset_index()
    order = {name: place for place, name in enumerate(dict.fromkeys(slices["column"]))}
    sizes = sizes.assign(place=sizes["column"].map(order)).sort_values(["place", "n"], ascending=[True, False])
    return [(row.column, row.value, int(row.n)) for row in sizes.itertuples()]


def cells_of_slice(slices: pd.DataFrame, layout: Layout, *, scorer: str, column: str, value: str) -> pd.DataFrame:
    """Return the cells of one slice in the shape of the cells of a run, empty ones filled in.

    Parameters
    ----------
    slices : DataFrame
        Of a run: `engine.uncertainty.slices.COLUMNS` and ``scorer``.
    layout : Layout
        Edges of the scorer.
    scorer, column, value : str

    Returns
    -------
    DataFrame
        ``scorer, split, bucket, bin, n, positives, score_sum``, every cell of both splits: what
        `engine.uncertainty.editor.open_editor` reads, so that editor and map show the slice.

    Raises
    ------
    RunError
        If the run has no such slice.
    """
    own = slices[(slices["scorer"] == scorer) & (slices["column"] == column) & (slices["value"] == value)]
    if own.empty:
        raise RunError(f"This run has no slice '{value}' of '{column}'.")
    n_buckets, n_bins = layout.shape
    keys = ["split", "bucket", "bin"]
    full = pd.MultiIndex.from_product([["tune", "test"], range(n_buckets), range(n_bins)], names=keys)
    filled = own.set_index(keys)[["n", "positives", "score_sum"]].reindex(full, fill_value=0).reset_index()
    return filled.astype({"n": np.int64, "positives": np.int64, "score_sum": np.float64}).assign(scorer=scorer)


def slice_reliability(slices: pd.DataFrame, layout: Layout, *, scorer: str, column: str, n_bins: int) -> pd.DataFrame:
    """Tabulate the observed rate per score bin for every value of a column.

    Score bins of the layout are pooled into `n_bins` of about equal row count over the tuning rows of all values, so
    that slices have their bins in common; a bin without rows stays, with n = 0.

    Parameters
    ----------
    slices : DataFrame
        Of a run: `engine.uncertainty.slices.COLUMNS` and ``scorer``.
    layout : Layout
    scorer, column : str
    n_bins : int

    Returns
    -------
    DataFrame
        ``split, value`` and `engine.uncertainty.reliability.BIN_COLUMNS`.
    """
    own = slices[(slices["scorer"] == scorer) & (slices["column"] == column)]
    size = layout.shape[1]
    tune = own[own["split"] == "tune"]
    rows = np.bincount(tune["bin"].astype(int), tune["n"], minlength=size)
    before = np.cumsum(rows) - rows
    group = np.minimum((before / max(rows.sum(), 1) * n_bins).astype(int), n_bins - 1)
    group = np.unique(group, return_inverse=True)[1]
    edges = layout.score_edges[np.flatnonzero(np.diff(group))]
    parts = []
    for (value, split), part in own.groupby(["value", "split"], sort=False):
        index = group[part["bin"].astype(int)]
        sums = (np.bincount(index, part[name], minlength=edges.size + 1) for name in ("n", "positives", "score_sum"))
        n, positives, score_sum = (values.astype(np.float64) for values in sums)
        counted = count_table(edges, n, positives, score_sum)
        parts.append(counted.assign(binning="equal_mass", split=split, value=value))
    return with_rates(pd.concat(parts, ignore_index=True))[["split", "value", *BIN_COLUMNS]]
