"""Counts per slice of the data (a country, a device): the same cells, one set per value of a column."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from engine.errors import DataError
from engine.uncertainty.cells import count_cells
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import Dataset, Prepared
from engine.uncertainty.grid import Layout
from engine.uncertainty.relation import MAX_SLICE_VALUES
from engine.uncertainty.slice_view import layout_of
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
