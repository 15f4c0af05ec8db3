"""Solve the boundary problem exactly among thresholds that never fall as uncertainty rises.

With counts from the top bins as in `exact`: F_i(t, q) = N_i(t) + min over t' >= t of
F_{i-1}(t', q - Pi_i(t)) is the smallest selection with exactly q positives in the first i buckets
whose last bucket takes t bins. The minimum over t' is a running one, so time and memory are
O(K L P). Most certain bucket first, so cuts fall and thresholds rise with uncertainty.

The best boundary need not have this shape, even where the true rates do: the constraint is a
regulariser against noise, not a theorem.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.uncertainty.boundaries import Path, is_feasible, make_path, out_of_reach, pareto, thinned
from engine.uncertainty.exact import UNREACHABLE
from engine.uncertainty.grid import Grid, Ints

MOST_STATES = 40_000_000
"""Entries of the largest table; beyond, only every second, third, ... cut is tried."""


@dataclass(frozen=True, slots=True)
class MonotoneFrontier:
    """Hold the solved program of one grid, over the cuts ``tried`` of shape (S,), ascending.

    ``selected`` of shape (S, P + 1) is F_K(t, q); ``came_from`` of shape (K, S, P + 1) is the
    place of the cut of the bucket before on the best way there.
    """

    grid: Grid
    tried: Ints
    selected: Ints
    came_from: NDArray[np.int16]
    unguided: tuple[int, ...] = ()
    """Buckets without rows that are not locked, the least certain first."""

    def solve(self, target: float) -> Ints:
        """Look up the monotone boundary with most positives at the target, fewest rows among equals.

        Returns
        -------
        ndarray of shape (K,), int64, bins from the top, never rising

        Raises
        ------
        ConfigError
            If no boundary reaches the target, which takes locked buckets.
        """
        q, rows = self._reached()
        return self._largest(q[is_feasible(q, rows, target)], f"precision {target:g}")

    def within(self, budget: int) -> Ints:
        """Look up the monotone boundary with most positives that selects at most ``budget`` rows."""
        q, rows = self._reached()
        return self._largest(q[rows <= budget], f"{budget:,} rows")

    def path(self) -> Path:
        """List the monotone boundaries that are best for some target."""
        q, rows = self._reached()
        return make_path(self.grid, self.backtrack(q[thinned(pareto(q, rows))]))

    def backtrack(self, q: Ints) -> Ints:
        """Recover the boundaries with exactly q positives each, shape (m, K)."""
        positives, _ = self.grid.from_top()
        left, place = q.copy(), np.argmin(self.selected[:, q], axis=0)
        cuts = np.zeros((q.size, self.grid.shape[0]), dtype=np.int64)
        for bucket in range(self.grid.shape[0] - 1, -1, -1):
            cuts[:, bucket] = self.tried[place]
            left = left - positives[bucket, cuts[:, bucket]]
            place = self.came_from[bucket, place, left]
        for bucket in self.unguided:
            # No row tells its cut: as few as the next bucket allows.
            cuts[:, bucket] = cuts[:, bucket + 1] if bucket + 1 < self.grid.shape[0] else 0
        return cuts

    def _reached(self) -> tuple[Ints, Ints]:
        """Numbers of positives that some monotone boundary has exactly, and their fewest rows."""
        best = self.selected.min(axis=0)
        q = np.flatnonzero(best < UNREACHABLE)
        return q, best[q]

    def _largest(self, q: Ints, wanted: str) -> Ints:
        """Recover the boundary with most of the allowed numbers of positives."""
        if q.size == 0:
            raise out_of_reach(wanted)
        return self.backtrack(q[-1:])[0]


def solve_monotone_frontier(grid: Grid, locks: Mapping[int, int] | None = None) -> MonotoneFrontier:
    """Run the program over the buckets of a grid, most certain first.

    Parameters
    ----------
    grid : Grid
        Any counts; bins may differ in size or be empty.
    locks : mapping of int to int, optional
        Bucket to the cut that it keeps.

    Returns
    -------
    MonotoneFrontier

    Notes
    -----
    Exact over the cuts it tries, which are all of them up to `MOST_STATES` table entries.
    """
    positives, totals = grid.from_top()
    locks = locks or {}
    size = int(positives[:, -1].sum()) + 1
    tried = _tried_cuts(grid, size, locks)
    positives, totals = positives[:, tried], totals[:, tried]
    came_from = np.zeros((grid.shape[0], tried.size, size), dtype=np.int16)
    selected = np.full((tried.size, size), UNREACHABLE, dtype=np.int64)
    for place in _allowed(tried, locks.get(0)):
        selected[place, positives[0, place]] = totals[0, place]
    for bucket in range(1, grid.shape[0]):
        best, came_from[bucket] = _best_at_or_above(selected)
        selected = np.full_like(selected, UNREACHABLE)
        for place in _allowed(tried, locks.get(bucket)):
            gain = int(positives[bucket, place])
            rows = best[place, : size - gain] + totals[bucket, place]
            selected[place, gain:] = np.minimum(rows, UNREACHABLE)
    empty = tuple(bucket for bucket in reversed(range(grid.shape[0])) if not totals[bucket, -1] and bucket not in locks)
    return MonotoneFrontier(grid=grid, tried=tried, selected=selected, came_from=came_from, unguided=empty)


def _tried_cuts(grid: Grid, size: int, locks: Mapping[int, int]) -> Ints:
    """List the cuts to try: all of them, unless the table would grow too large."""
    n_buckets, n_bins = grid.shape
    step = -(-(n_buckets * (n_bins + 1) * size) // MOST_STATES)
    kept = [*range(0, n_bins + 1, step), n_bins, *locks.values()]
    return np.unique(np.array(kept, dtype=np.int64))


def _allowed(tried: Ints, lock: int | None) -> list[int]:
    """Places of the cuts that a bucket may take."""
    return list(range(tried.size)) if lock is None else [int(np.searchsorted(tried, lock))]


def _best_at_or_above(selected: Ints) -> tuple[Ints, NDArray[np.int16]]:
    """Take the running minimum over cuts from the largest down, shape (S, P + 1), and its place."""
    best, place = selected.copy(), np.zeros(selected.shape, dtype=np.int16)
    place[-1] = len(selected) - 1
    for t in range(len(selected) - 2, -1, -1):
        better = selected[t] < best[t + 1]
        best[t] = np.where(better, selected[t], best[t + 1])
        place[t] = np.where(better, t, place[t + 1])
    return best, place
