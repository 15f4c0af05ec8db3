"""Solve the boundary problem exactly among thresholds that never fall as uncertainty rises.

With counts from the top bins as in `exact`: F_i(t, q) = N_i(t) + min over t' >= t of
F_{i-1}(t', q - Pi_i(t)) is the smallest selection with exactly q positives in the first i buckets
whose last bucket takes t bins. The minimum over t' is a running one, so time and memory are
O(K L P). Most certain bucket first, so cuts fall and thresholds rise with uncertainty.

The best boundary need not have this shape, even where the true rates do: the constraint is a
regulariser against noise, not a theorem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.uncertainty.boundaries import is_feasible
from engine.uncertainty.exact import UNREACHABLE
from engine.uncertainty.grid import Grid, Ints


@dataclass(frozen=True, slots=True)
class MonotoneFrontier:
    """Hold the solved program of one grid.

    ``selected`` of shape (L + 1, P + 1) is F_K(t, q); ``came_from`` of shape (K, L + 1, P + 1) is
    the cut of the bucket before on the best way there.
    """

    grid: Grid
    selected: Ints
    came_from: NDArray[np.int16]

    def solve(self, target: float) -> Ints:
        """Look up the monotone boundary with most positives at the target, fewest rows among equals.

        Returns
        -------
        ndarray of shape (K,), int64, bins from the top, never rising
        """
        best = self.selected.min(axis=0)
        q = np.arange(best.size)
        feasible = (best < UNREACHABLE) & is_feasible(q, np.minimum(best, 2**40), target)
        left = int(np.flatnonzero(feasible)[-1])
        positives, _ = self.grid.from_top()
        cut = int(np.argmin(self.selected[:, left]))
        cuts = np.zeros(self.grid.shape[0], dtype=np.int64)
        for bucket in range(self.grid.shape[0] - 1, -1, -1):
            cuts[bucket] = cut
            left -= int(positives[bucket, cut])
            if bucket:
                cut = int(self.came_from[bucket, cut, left])
        return cuts


def solve_monotone_frontier(grid: Grid) -> MonotoneFrontier:
    """Run the program over the buckets of a grid, most certain first.

    Parameters
    ----------
    grid : Grid
        Any counts; bins may differ in size or be empty.

    Returns
    -------
    MonotoneFrontier
    """
    positives, totals = grid.from_top()
    n_buckets, n_bins = grid.shape
    size = int(positives[:, -1].sum()) + 1
    came_from = np.zeros((n_buckets, n_bins + 1, size), dtype=np.int16)
    selected = np.full((n_bins + 1, size), UNREACHABLE, dtype=np.int64)
    selected[np.arange(n_bins + 1), positives[0]] = totals[0]
    for bucket in range(1, n_buckets):
        best, place = _best_at_or_above(selected)
        selected = np.full_like(selected, UNREACHABLE)
        for t in range(n_bins + 1):
            gain = int(positives[bucket, t])
            selected[t, gain:] = np.minimum(best[t, : size - gain] + totals[bucket, t], UNREACHABLE)
        came_from[bucket] = place
    return MonotoneFrontier(grid=grid, selected=selected, came_from=came_from)


def _best_at_or_above(selected: Ints) -> tuple[Ints, NDArray[np.int16]]:
    """Take the running minimum over cuts from the largest down, shape (L + 1, P + 1), and its place."""
    best, place = selected.copy(), np.zeros(selected.shape, dtype=np.int16)
    place[-1] = len(selected) - 1
    for t in range(len(selected) - 2, -1, -1):
        better = selected[t] < best[t + 1]
        best[t] = np.where(better, selected[t], best[t + 1])
        place[t] = np.where(better, t, place[t + 1])
    return best, place
