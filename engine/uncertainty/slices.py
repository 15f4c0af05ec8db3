"""Counts per slice of the data (a country, a device): the same cells, one set per value of a column."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from engine.errors import DataError, RunError
from engine.uncertainty.cells import count_cells
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import Dataset, Prepared
from engine.uncertainty.grid import Layout
from engine.uncertainty.relation import MAX_SLICE_VALUES
from engine.uncertainty.reliability import BIN_COLUMNS, count_table, with_rates
from engine.uncertainty.train import Fitted

COLUMNS = ("column", "value", "split", "bucket", "bin", "n", "positives", "score_sum")
OTHER = "other"
MOST_VALUES = 12
"""Values of a column that are shown on their own; the rest of its rows are one slice."""


def slice_cells(rows: ir.Table, layout: Layout, columns: Sequence[str]) -> pd.DataFrame:
    """Count rows and positives per value of some columns and cell, one aggregation per column.

    Parameters
    ----------
    rows : ibis table
        Columns ``split, label, weight, score, uncertainty`` and the slice columns, as text.
    layout : Layout
    columns : sequence of str

    Returns
    -------
    DataFrame
        `COLUMNS`, without empty cells. The `MOST_VALUES` largest values of a column stand for themselves.
    """
    parts = [pd.DataFrame(columns=list(COLUMNS))]
    for column in columns:
        table = count_cells(rows, layout, by=("split", column)).to_pyarrow().to_pandas()
        sizes = table.groupby(column)["n"].sum().sort_values(ascending=False, kind="stable")
        own = set(sizes.index[: MOST_VALUES if len(sizes) > MOST_VALUES else None])
        table["value"] = [value if value in own else OTHER for value in table[column]]
        keys = ["value", "split", "bucket", "bin"]
        summed = table.groupby(keys, as_index=False)[["n", "positives", "score_sum"]].sum()
        parts.append(summed.assign(column=column))
    found = pd.concat(parts[1:] or parts, ignore_index=True)[list(COLUMNS)]
    return found.astype({"n": np.int64, "positives": np.int64, "score_sum": np.float64})


def run_slices(
    prepared: Prepared, fitted: Fitted, edges: pd.DataFrame, config: UncertaintyConfig
) -> dict[str, pd.DataFrame]:
    """Count the slices of a run on rows in memory.

    Parameters
    ----------
    prepared : Prepared
    fitted : Fitted
    edges : DataFrame
        Of the run: ``scorer, axis, index, edge``.
    config : UncertaintyConfig

    Returns
    -------
    dict of str to DataFrame
        ``slices``: `COLUMNS` and ``scorer``; empty if no column tells slices.

    Raises
    ------
    DataError
        If a column is not there or has more than `MAX_SLICE_VALUES` values.
    """
    columns = _slice_columns(prepared.dataset, config.slices)
    if not columns:
        return {}
    rows = prepared.dataset.rows
    kept = np.isin(prepared.split, ("tune", "test"))
    texts = {name: rows[name].astype("str").where(rows[name].notna(), "missing").to_numpy()[kept] for name in columns}
    parts = []
    for name, scored in fitted.scorers.items():
        numbers = {"label": prepared.label, "weight": prepared.weight, "split": prepared.split}
        numbers |= {"score": scored.score, "uncertainty": scored.uncertainty}
        table = pa.table({key: values[kept] for key, values in numbers.items()} | texts)
        parts.append(slice_cells(ibis.memtable(table), layout_of(edges, name), columns).assign(scorer=name))
    return {"slices": pd.concat(parts, ignore_index=True)}


def _slice_columns(dataset: Dataset, chosen: Sequence[str]) -> list[str]:
    """Return the columns that tell slices: those named, or with a given score those of text with few values."""
    features = dataset.features
    if not chosen:
        texts = (
            features.select_dtypes(["str", "object", "category", "bool"]) if dataset.has_score else features.iloc[:, :0]
        )
        return [str(name) for name in texts if 2 <= texts[name].nunique(dropna=False) <= MAX_SLICE_VALUES]
    for name in chosen:
        if name not in features.columns:
            listing = ", ".join(f"'{other}'" for other in list(features.columns)[:12]) or "none"
            raise DataError(
                f"'slices' names '{name}', which {dataset.info.name} has not; further columns are {listing}."
            )
        if features[name].nunique(dropna=False) > MAX_SLICE_VALUES:
            raise DataError(
                f"'slices' names '{name}', which has {features[name].nunique(dropna=False):,} values in "
                f"{dataset.info.name}; at most {MAX_SLICE_VALUES} are described. Name a coarser column."
            )
    return list(dict.fromkeys(chosen))


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
        `COLUMNS` and ``scorer``.
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
        `COLUMNS` and ``scorer``.
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
