"""Count rows and positives by uncertainty bucket x score bin, on edges frozen on the tuning rows.

Every boundary solver works on these counts alone. Equal scores always fall in one bin, so that a
boundary on the grid is a threshold on the score, and all buckets share one list of score edges, so
that one common threshold (score-only) is a boundary of the same grid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Number = TypeVar("Number", np.int64, np.float64)

NARROW = ("float16", "float32")
"""Types of numbers that hold fewer digits than those they are compared with."""
TAIL_START = 10
TAIL_GROWTH = 1.2


@dataclass(frozen=True, slots=True)
class Grid:
    """Hold counts per uncertainty bucket (rows, K) and score bin (columns, L, ascending score).

    ``positives`` and ``totals`` are integer arrays of shape (K, L) with
    ``0 <= positives <= totals``; empty bins stay, with a count of 0.
    """

    positives: Ints
    totals: Ints

    @property
    def shape(self) -> tuple[int, int]:
        """Number of uncertainty buckets K and of score bins L."""
        n_buckets, n_bins = self.totals.shape
        return int(n_buckets), int(n_bins)

    def from_top(self) -> tuple[Ints, Ints]:
        """Cumulate from the highest score: column t counts the top t bins, t = 0..L.

        Returns
        -------
        positives, totals : ndarray of shape (K, L + 1), int64, rows
        """
        return cumulate_from_top(self.positives), cumulate_from_top(self.totals)


def cumulate_from_top(counts: NDArray[Number]) -> NDArray[Number]:
    """Cumulate counts of shape (K, L) from the last bin down, with a leading zero column."""
    n_buckets, n_bins = counts.shape
    cumulated = np.zeros((n_buckets, n_bins + 1), dtype=counts.dtype)
    np.cumsum(counts[:, ::-1], axis=1, out=cumulated[:, 1:])
    return cumulated


def tail_edges(
    score: Floats, weight: Ints | None = None, *, start: int = TAIL_START, growth: float = TAIL_GROWTH
) -> Floats:
    """Cut a sample of scores at ranks that grow geometrically from the highest score down.

    Equal-weight bins put the few rows that matter at a high precision into one bin; these bins
    hold ``start``, ``start * growth``, ... rows from the top. An edge is always a score that
    occurs and belongs to the bin above it, so ties are never split.

    Parameters
    ----------
    score : ndarray of shape (n,), float64
    weight : ndarray of shape (n,), int64, optional
        How many rows each line stands for; 1 if absent.
    start : int
        Rows in the topmost bin, >= 1.
    growth : float
        Ratio of the sizes of neighbouring bins, > 1.

    Returns
    -------
    ndarray of shape (m,), float64, ascending, distinct
        Lower edges. The lowest score is not among them: the bottom bin is open.
    """
    if score.size == 0:
        return np.empty(0)
    order = np.argsort(-score, kind="stable")
    filled = np.cumsum(_rows_of(score, weight)[order])
    steps = int(np.ceil(np.log1p(filled[-1] * (growth - 1) / start) / np.log(growth)))
    ranks = np.floor(start * (growth ** np.arange(1, steps + 1) - 1) / (growth - 1)).astype(np.int64)
    chosen = score[order][np.searchsorted(filled, np.minimum(ranks, filled[-1]))]
    return np.setdiff1d(chosen, score[order[-1:]])


def _rows_of(values: Floats, weight: Ints | None) -> Ints:
    """Rows that each line stands for, shape (n,)."""
    return np.ones(values.size, dtype=np.int64) if weight is None else weight.astype(np.int64)


def score_edges(
    score: Floats,
    bucket: Ints,
    weight: Ints | None = None,
    *,
    extra: Iterable[float] = (),
    max_distinct: int = 60,
) -> Floats:
    """Choose one list of score edges for all buckets from the tuning rows.

    With at most ``max_distinct`` different scores every one of them starts a bin. Otherwise the
    list is the union of the tail-refined edges of all rows, those of each bucket, and ``extra``
    (the thresholds of score-only, so that it is a boundary of the grid).

    Parameters
    ----------
    score : ndarray of shape (n,), float64
    bucket : ndarray of shape (n,), int64
        Bucket of each row, any labels.
    weight : ndarray of shape (n,), int64, optional
        How many rows each line stands for; 1 if absent.
    extra : iterable of float
        Further edges; infinite ones are ignored.
    max_distinct : int
        Number of different scores up to which the grid is exact.

    Returns
    -------
    ndarray of shape (L - 1,), float64, ascending, distinct
        Inner edges of L bins; bin j holds ``edges[j - 1] <= score < edges[j]``.
    """
    distinct = np.unique(score)
    if distinct.size <= max_distinct:
        return distinct[1:]
    rows = _rows_of(score, weight)
    inside = [bucket == b for b in np.unique(bucket)]
    parts = [tail_edges(score, rows), *(tail_edges(score[own], rows[own]) for own in inside)]
    more = np.array([edge for edge in extra if np.isfinite(edge)], dtype=float)
    return np.setdiff1d(np.unique(np.concatenate([*parts, more])), distinct[:1])


def quantile_edges(values: Floats, n_parts: int, weight: Ints | None = None) -> Floats:
    """Return the values at ranks i / n_parts, i = 1 .. n_parts - 1, without the largest value.

    Parameters
    ----------
    values : ndarray of shape (n,), float64, n >= 1
    n_parts : int, >= 1
    weight : ndarray of shape (n,), int64, optional

    Returns
    -------
    ndarray of shape (m,), float64, ascending, distinct, m < n_parts
        The smallest value with at least that share of the rows at or below it; in integers, so that a
        weight of w equals w copies.
    """
    order = np.argsort(values, kind="stable")
    filled = np.cumsum(_rows_of(values, weight)[order])
    needed = np.arange(1, n_parts) * filled[-1]
    place = np.searchsorted(n_parts * filled, needed)
    return np.setdiff1d(values[order][place], values[order[-1:]])


def uncertainty_edges(
    uncertainty: Floats, n_buckets: int, weight: Ints | None = None, *, min_rows: int = 200
) -> Floats:
    """Cut uncertainty at its tuning quantiles into at most ``n_buckets`` buckets, ties unsplit.

    An uncertainty with few values (counts of visits) would give lopsided quantiles: up to
    ``n_buckets + 2`` different values each get a bucket of their own, and values with fewer than
    ``min_rows`` rows join the next higher one.

    Returns
    -------
    ndarray of shape (K - 1,), float64, ascending, distinct
        Upper edges; bucket k holds ``edges[k - 1] < uncertainty <= edges[k]``.
    """
    values, index = np.unique(uncertainty, return_inverse=True)
    if n_buckets == 1 or values.size == 1:
        return np.empty(0)
    rows = _rows_of(uncertainty, weight)
    if values.size <= n_buckets + 2:
        counts = np.rint(np.bincount(index, rows)).astype(np.int64)
        return _merged_values(values, counts, min(min_rows, int(rows.sum()) // values.size))
    return quantile_edges(uncertainty, n_buckets, rows)


def _merged_values(values: Floats, counts: Ints, min_rows: int) -> Floats:
    """Close a bucket at each value once it holds ``min_rows`` rows; a short last one joins down."""
    edges, filled = [], 0
    for value, count in zip(values, counts, strict=True):
        filled += int(count)
        if filled >= min_rows:
            edges.append(value)
            filled = 0
    if filled and edges:
        edges.pop()
    return np.array([edge for edge in edges if edge < values[-1]], dtype=float)


def precision_of(column: Any) -> str:
    """Name the precision of a column (or array, or list): ``float16``, ``float32``, or else ``float64``."""
    name = str(getattr(column, "dtype", "float64")).lower()
    return name if name in NARROW else "float64"


def in_precision(limits: Floats, precision: str) -> Floats:
    """Round edges or thresholds as a column of some precision has rounded its values.

    Parameters
    ----------
    limits : ndarray of float64
    precision : str
        See `precision_of`.

    Returns
    -------
    ndarray of the same shape, float64
        Values of such a column lie on a limit if they did before they were rounded; finite limits stay finite.

    Examples
    --------
    >>> float(np.float32(0.1)) <= 0.1, bool(np.float32(0.1) <= in_precision(np.array([0.1]), "float32")[0])
    (False, True)
    """
    if precision not in NARROW:
        return limits
    most = float(np.finfo(precision).max)
    inside = np.where(np.isfinite(limits), np.clip(limits, -most, most), limits)
    rounded: Floats = inside.astype(precision).astype(np.float64)
    return rounded


def assign_buckets(uncertainty: Floats, edges: Floats) -> Ints:
    """Index the bucket of each row, 0 (most certain) .. K - 1, from edges of the tuning rows."""
    edges = in_precision(edges, precision_of(uncertainty))
    return np.searchsorted(edges, uncertainty, side="left").astype(np.int64)


def assign_bins(score: Floats, edges: Floats) -> Ints:
    """Index the score bin of each row, 0 .. L - 1, from edges of the tuning rows."""
    return np.searchsorted(edges, score, side="right").astype(np.int64)


def grid_from_cells(cell: Ints, label: Ints, weight: Ints, *, shape: tuple[int, int]) -> Grid:
    """Sum weights and positive weights per cell ``bucket * L + bin``.

    Parameters
    ----------
    cell, label, weight : ndarray of shape (n,), int64
        Cell index, label 0 or 1, and how many rows each line stands for.
    shape : (int, int)
        K and L.
    """
    size = shape[0] * shape[1]
    totals = np.bincount(cell, weights=weight, minlength=size)
    positives = np.bincount(cell, weights=weight * label, minlength=size)
    return Grid(
        positives=np.rint(positives).astype(np.int64).reshape(shape),
        totals=np.rint(totals).astype(np.int64).reshape(shape),
    )


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
