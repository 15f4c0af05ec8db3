"""What is known about a node besides its edges, as a sparse matrix with named columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from engine.errors import DataError

MAXIMUM_FEATURES = 1000
"""Most feature columns; beyond it the values of the most nodes are kept, and numbers before them."""
MINIMUM_NODES = 3
"""A value or a flag on fewer nodes is dropped: it could tie almost nothing together."""
_LARGEST = 3.0
"""Standardised numbers are cut here, so that one outlier does not outweigh all other features of its node."""
_SKEWED = 1.0
"""Numbers of at least this skewness and without a negative value enter as log(1 + x)."""
_ROUNDING = 1e-9
"""Numbers that differ by less than this share of the largest are one number."""
_TRUTH = "true_"


@dataclass(frozen=True, slots=True)
class NodeFeatures:
    """Features of every node."""

    matrix: sparse.csr_array
    """Shape (num_nodes, n_features), float32; a node of which nothing is known has a zero row."""
    names: tuple[str, ...]
    """One per matrix column: ``tags: game::strategy``, ``installed_size_kb (log, standardised)``, ``tags: missing``."""

    def row_normalised(self) -> sparse.csr_array:
        """Return the matrix with rows of Euclidean length 1, so that many tags weigh no more than one; zeros stay."""
        length = np.sqrt(np.asarray(self.matrix.multiply(self.matrix).sum(axis=1)).ravel())
        inverse = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
        return sparse.csr_array(sparse.diags_array(inverse.astype(np.float32)) @ self.matrix)


def node_features(
    table: pd.DataFrame | None, columns: tuple[str, ...], *, known: NDArray[np.bool_] | None = None
) -> NodeFeatures | None:
    """Encode the columns of a node table that the settings name.

    Parameters
    ----------
    table : DataFrame with one row per node, or None
        `Dataset.features`: every column of the node table but the node's name and label.
    columns : tuple of str
        Column names; ``("auto",)`` takes every text column; ``("none",)`` takes nothing.
    known : ndarray of shape (num_nodes,), bool, optional
        Rows from which values, means and deviations are learned; all rows without it. A node outside of it is
        encoded with what they taught: a value of its own is not known.

    Returns
    -------
    NodeFeatures or None
        None if nothing is left to encode.

    Raises
    ------
    DataError
        If a named column does not exist or holds the truth of a simulation.

    Notes
    -----
    *Text* becomes one column of 0 and 1 per value; a cell may hold several values, separated by semicolons.
    *Numbers* are standardised, after log(1 + x) where they are skewed and never negative. *Missing* cells give zeros
    and a flag. Values and flags on fewer than `MINIMUM_NODES` nodes, or on all, are dropped. Names and labels are no
    features: they are different for every node.

    *Leakage*: a number in a node table may be a count over the log that the edges were drawn from, as are the purchases
    and households of the Complete Journey tables. Such a count follows the degree over all edges, test edges included,
    and would hand their popularity to the model and to no peer. Nothing in a table tells a count from a size or a
    price, so "auto" takes no number; whoever knows that one was fixed before the edges names it. A group or a tag is
    not a count, though a text such as "bestseller" would be one in disguise: name the columns if there is one.
    """
    chosen = _chosen(table, columns)
    if table is None or not chosen:
        return None
    seen = np.ones(len(table), dtype=bool) if known is None else known
    numbers, values = [], []
    for name in chosen:
        if _is_number(table[name]):
            numbers += _number_columns(name, table[name], seen)
        values += _value_columns(name, table[name], seen)
    # The most frequent values first; the sort is stable, so ties keep the order of columns and values.
    values.sort(key=lambda column: -int(column[1][seen].sum()))
    kept = (numbers + values)[:MAXIMUM_FEATURES]
    if not kept:
        return None
    matrix = sparse.hstack([sparse.csc_array(column[:, np.newaxis]) for _, column in kept], format="csr")
    return NodeFeatures(matrix=sparse.csr_array(matrix, dtype=np.float32), names=tuple(name for name, _ in kept))


def _chosen(table: pd.DataFrame | None, columns: tuple[str, ...]) -> list[str]:
    """Return the names of the columns to encode."""
    if columns == ("none",):
        return []
    available = [] if table is None else [str(name) for name in table.columns if not str(name).startswith(_TRUTH)]
    if columns == ("auto",):
        return [name for name in available if table is not None and not _is_number(table[name])]
    for name in columns:
        if name not in available:
            truth = "holds the truth of a simulation" if name.startswith(_TRUTH) else "is no column of the node table"
            raise DataError(
                f"'features' names '{name}', which {truth}; allowed are auto, none"
                f"{''.join(f', {column}' for column in available)}."
            )
    return list(columns)


def _is_number(values: pd.Series) -> bool:
    """Say whether a column holds numbers; yes/no columns and columns without any value count as text."""
    if pd.api.types.is_bool_dtype(values.dtype) or not values.notna().any():
        return False
    if pd.api.types.is_numeric_dtype(values.dtype):
        return True
    text = values.dropna().astype(str).str.strip()
    return bool(pd.to_numeric(text[text != ""], errors="coerce").notna().all()) and bool((text != "").any())


def _number_columns(name: str, values: pd.Series, seen: NDArray[np.bool_]) -> list[tuple[str, NDArray[np.float32]]]:
    """Standardise one numeric column; a constant one says nothing."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    present = numbers[seen & ~np.isnan(numbers)]
    if present.size < MINIMUM_NODES:
        return []
    # In units of the largest, sums of huge numbers stay finite.
    unit = max(float(np.abs(present).max()), np.finfo(np.float64).tiny)
    if np.ptp(present / unit) < _ROUNDING:
        return []
    from scipy.stats import skew  # takes a second, and many graphs have no numbers

    is_log = bool(present.min() >= 0 and skew(present / unit) >= _SKEWED)
    if is_log:
        numbers, present = np.log1p(np.maximum(numbers, 0)), np.log1p(present)
    else:
        numbers, present = numbers / unit, present / unit
    standard = np.clip((numbers - present.mean()) / present.std(), -_LARGEST, _LARGEST)
    suffix = "log, standardised" if is_log else "standardised"
    return [(f"{name} ({suffix})", np.nan_to_num(standard).astype(np.float32))]


def _value_columns(name: str, values: pd.Series, seen: NDArray[np.bool_]) -> list[tuple[str, NDArray[np.float32]]]:
    """Return a 0/1 column per value of a text column, and one for missing cells of any column."""
    cells = values.reset_index(drop=True).astype("string").str.strip().fillna("")
    flags = {"missing": (cells == "").to_numpy(dtype=bool)}
    if not _is_number(values):
        parts = cells.str.split(";").explode().str.strip()
        parts = parts[parts != ""]
        for value, rows in sorted(parts.groupby(parts).groups.items()):
            flag = np.zeros(len(cells), dtype=bool)
            flag[np.asarray(rows)] = True
            flags[str(value) if str(value) != "missing" else "'missing'"] = flag
    return [
        (f"{name}: {value}", flag.astype(np.float32))
        for value, flag in flags.items()
        if MINIMUM_NODES <= flag[seen].sum() < seen.sum()
    ]
