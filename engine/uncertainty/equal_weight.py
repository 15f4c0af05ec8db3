"""Place thresholds on nested equal-weight bins by a small dynamic program over bins.

Uncertainty is cut at quantiles, then the score at quantiles inside each bucket, so that every bin
holds about c = N / (K L) rows. With Pi_i(t) positives in the top t bins of bucket i,
R_i(m) = max over t of Pi_i(t) + R_{i-1}(m - t) is the most positives in m bins of the first i buckets:
time O(K^2 L^2), whatever the number of rows. Ties and remainders make bins unequal, so a bin counts as
the nearest whole number of c rows, and what comes back is judged by its exact counts.

References
----------
Arora et al. (2024), arXiv 2311.11723, name it the equi-weight dynamic program (EW-DPMT); the
recurrence is a reconstruction, tested against brute force.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.uncertainty.boundaries import Path, make_path
from engine.uncertainty.grid import Floats, Grid, Ints, assign_buckets, quantile_edges

MOST_BINS = 100
FEWEST_ROWS = 20
"""Rows per bin below which bins are made fewer."""
UNREACHABLE = -1


@dataclass(frozen=True, slots=True)
class NestedLayout:
    """Hold frozen edges of which every uncertainty bucket has its own in the score, ascending.

    Bins are counted from the top, so a bucket with fewer edges (ties) has empty bins at the bottom.
    """

    uncertainty_edges: Floats
    score_edges: tuple[Floats, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of buckets K and of score bins L of the finest bucket."""
        return len(self.score_edges), max(edges.size for edges in self.score_edges) + 1

    def cell(self, score: Floats, uncertainty: Floats) -> Ints:
        """Index the cell ``bucket * L + bin`` of each row."""
        bucket = assign_buckets(uncertainty, self.uncertainty_edges)
        n_bins = self.shape[1]
        cell = np.empty(score.size, dtype=np.int64)
        for k, edges in enumerate(self.score_edges):
            inside = bucket == k
            found = np.searchsorted(edges, score[inside], side="right")
            cell[inside] = k * n_bins + n_bins - 1 - edges.size + found
        return cell

    def thresholds(self, cuts: Ints) -> Floats:
        """Turn one cut per bucket, shape (K,), into score thresholds; infinite where nothing is selected."""
        found = []
        for edges, cut in zip(self.score_edges, cuts, strict=True):
            from_top = np.concatenate([[np.inf], edges[::-1], [-np.inf]])
            found.append(from_top[min(int(cut), edges.size + 1)])
        return np.array(found)


def nested_layout(score: Floats, uncertainty: Floats, weight: Ints, edges: Floats) -> NestedLayout:
    """Cut the score at quantiles inside each uncertainty bucket.

    Parameters
    ----------
    score, uncertainty : ndarray of shape (n,), float64
    weight : ndarray of shape (n,), int64, rows
    edges : ndarray of shape (K - 1,), float64, upper edges of the buckets

    Returns
    -------
    NestedLayout
        100 bins per bucket, or fewer so that a bin holds about 20 rows.
    """
    bucket = assign_buckets(uncertainty, edges)
    n_buckets = edges.size + 1
    n_bins = int(np.clip(int(weight.sum()) // (n_buckets * FEWEST_ROWS), 1, MOST_BINS))
    parts = []
    for k in range(n_buckets):
        inside = bucket == k
        own = quantile_edges(-score[inside], n_bins, weight[inside]) if inside.any() else np.empty(0)
        parts.append(-own[::-1])
    return NestedLayout(uncertainty_edges=edges, score_edges=tuple(parts))


def equal_weight_path(grid: Grid, bin_rows: float) -> Path:
    """List the best boundary for every number of bins, with its exact counts.

    Parameters
    ----------
    grid : Grid
        Counts on bins of about equal weight.
    bin_rows : float, > 0
        Rows of a full bin, c.

    Returns
    -------
    Path
        `Path.solve` on it re-checks the target with exact counts and drops to fewer bins where the
        rounding broke it.
    """
    positives, totals = grid.from_top()
    units = np.rint(totals / bin_rows).astype(np.int64)
    best = np.zeros(1, dtype=np.int64)
    choices = []
    for bucket in range(grid.shape[0]):
        longer = np.full(best.size + int(units[bucket, -1]), UNREACHABLE, dtype=np.int64)
        choice = np.zeros(longer.size, dtype=np.int64)
        for t in range(grid.shape[1] + 1):
            window = slice(int(units[bucket, t]), int(units[bucket, t]) + best.size)
            found = np.where(best >= 0, best + positives[bucket, t], UNREACHABLE)
            better = found > longer[window]
            longer[window][better] = found[better]
            choice[window][better] = t
        best = longer
        choices.append(choice)
    left = np.flatnonzero(best >= 0)
    cuts = np.zeros((left.size, grid.shape[0]), dtype=np.int64)
    for bucket in range(grid.shape[0] - 1, -1, -1):
        cuts[:, bucket] = choices[bucket][left]
        left = left - units[bucket, cuts[:, bucket]]
    return make_path(grid, np.concatenate([np.zeros((1, grid.shape[0]), dtype=np.int64), cuts]))
