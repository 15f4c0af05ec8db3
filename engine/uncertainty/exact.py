"""Solve the boundary problem exactly, for every precision target at once.

The dynamic program is indexed by true positives, which are few where positives are rare:
F_0(0) = 0; F_i(q) = min over cuts t with Pi_i(t) <= q of F_{i-1}(q - Pi_i(t)) + N_i(t), where
Pi_i(t) and N_i(t) count positives and rows in the top t bins of bucket i. F_K(q) is the smallest
selection with exactly q positives, so one table answers every target: the largest q with
q >= sigma * F_K(q). Time O(K L P), memory O(K P), P = number of positives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.uncertainty.boundaries import Path, is_feasible, make_path
from engine.uncertainty.grid import Grid, Ints

# Larger than any row count and still far from overflow when two of them are added.
UNREACHABLE = np.int64(2**62)


@dataclass(frozen=True, slots=True)
class ExactFrontier:
    """Hold the solved dynamic program of one grid.

    ``selected`` of shape (P + 1,) is F_K(q), UNREACHABLE where no boundary has exactly q
    positives; ``choice`` of shape (K, P + 1) is the cut of each bucket on the best way to q.
    """

    grid: Grid
    selected: Ints
    choice: Ints

    def solve(self, target: float) -> Ints:
        """Look up the boundary with most positives at the target.

        Returns
        -------
        ndarray of shape (K,), int64, bins from the top
        """
        q = np.arange(self.selected.size)
        feasible = (self.selected < UNREACHABLE) & is_feasible(q, np.minimum(self.selected, 2**40), target)
        return self.backtrack(np.flatnonzero(feasible)[-1:])[0]

    def backtrack(self, q: Ints) -> Ints:
        """Recover the boundaries with exactly q positives each.

        Parameters
        ----------
        q : ndarray of shape (m,), int64, reachable numbers of positives

        Returns
        -------
        ndarray of shape (m, K), int64, bins from the top
        """
        positives, _ = self.grid.from_top()
        left = q.copy()
        cuts = np.zeros((q.size, self.grid.shape[0]), dtype=np.int64)
        for bucket in range(self.grid.shape[0] - 1, -1, -1):
            cuts[:, bucket] = self.choice[bucket, left]
            left = left - positives[bucket, cuts[:, bucket]]
        return cuts

    def path(self) -> Path:
        """List the boundaries that are optimal for some target, from nothing to everything."""
        q = np.flatnonzero(self.selected < UNREACHABLE)
        precision = q / np.maximum(self.selected[q], 1)
        precision[self.selected[q] == 0] = 1.0
        # Keep q only if no larger q is at least as precise.
        later_best = np.append(np.maximum.accumulate(precision[::-1])[::-1][1:], -1.0)
        return make_path(self.grid, self.backtrack(q[precision > later_best]))


def solve_frontier(grid: Grid) -> ExactFrontier:
    """Run the dynamic program over the buckets of a grid.

    Parameters
    ----------
    grid : Grid
        Any counts; bins may differ in size or be empty.

    Returns
    -------
    ExactFrontier
        Best number of selected rows for every number of positives.
    """
    positives, totals = grid.from_top()
    size = int(positives[:, -1].sum()) + 1
    selected = np.full(size, UNREACHABLE, dtype=np.int64)
    selected[0] = 0
    choice = np.zeros((grid.shape[0], size), dtype=np.int64)
    reached = 0
    for bucket in range(grid.shape[0]):
        # Cuts that add rows but no positives are never on a best way: keep the first of each.
        _, useful = np.unique(positives[bucket], return_index=True)
        best = np.full(size, UNREACHABLE, dtype=np.int64)
        for t in useful:
            gain = int(positives[bucket, t])
            candidate = selected[: reached + 1] + totals[bucket, t]
            window = slice(gain, gain + reached + 1)
            better = candidate < best[window]
            best[window][better] = candidate[better]
            choice[bucket, window][better] = t
        reached += int(positives[bucket, -1])
        selected = np.minimum(best, UNREACHABLE)
    return ExactFrontier(grid=grid, selected=selected, choice=choice)
