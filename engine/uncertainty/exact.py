"""Solve the boundary problem exactly, for every precision target at once.

The dynamic program is indexed by true positives, which are few where positives are rare:
F_0(0) = 0; F_i(q) = min over cuts t with Pi_i(t) <= q of F_{i-1}(q - Pi_i(t)) + N_i(t), where
Pi_i(t) and N_i(t) count positives and rows in the top t bins of bucket i. F_K(q) is the smallest
selection with exactly q positives, so one table answers every target (the largest q with
q >= sigma * F_K(q)) and every budget (the largest q with F_K(q) <= budget). A locked bucket has
one cut to choose from. Time O(K L P), memory O(K P), P = number of positives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.uncertainty.boundaries import Path, is_feasible, make_path, out_of_reach, pareto, thinned
from engine.uncertainty.grid import Grid, Ints

# Larger than any row count, and twice it still fits the type.
UNREACHABLE = np.int64(2**62)
NARROW_UNREACHABLE = np.int32(2**30)


@dataclass(frozen=True, slots=True)
class ExactFrontier:
    """Hold the solved dynamic program of one grid.

    ``selected`` of shape (K + 1, P + 1) is F_i(q), at or above ``unreachable`` where no boundary
    of the first i buckets has exactly q positives. The cuts of bucket i to choose from are
    ``choices[i]``, ascending.
    """

    grid: Grid
    selected: Ints
    choices: tuple[Ints, ...]
    unreachable: int

    def solve(self, target: float) -> Ints:
        """Look up the boundary with most positives at the target, fewest rows among equals.

        Returns
        -------
        ndarray of shape (K,), int64, bins from the top

        Raises
        ------
        ConfigError
            If no boundary reaches the target, which takes locked buckets.
        """
        q = self._reached()
        return self._largest(q[is_feasible(q, self.selected[-1, q].astype(np.int64), target)], f"precision {target:g}")

    def within(self, budget: int) -> Ints:
        """Look up the boundary with most positives that selects at most ``budget`` rows."""
        q = self._reached()
        return self._largest(q[self.selected[-1, q] <= budget], f"{budget:,} rows")

    def path(self) -> Path:
        """List the boundaries that are optimal for some target, from nothing to everything."""
        q = self._reached()
        best = q[thinned(pareto(q, self.selected[-1, q].astype(np.int64)))]
        return make_path(self.grid, self.backtrack(best))

    def backtrack(self, q: Ints) -> Ints:
        """Recover the boundaries with exactly q positives each, smallest cuts first among equals.

        Parameters
        ----------
        q : ndarray of shape (m,), int64, reachable numbers of positives

        Returns
        -------
        ndarray of shape (m, K), int64, bins from the top
        """
        positives, totals = self.grid.from_top()
        left = q.copy()
        cuts = np.zeros((q.size, self.grid.shape[0]), dtype=np.int64)
        for bucket in range(self.grid.shape[0] - 1, -1, -1):
            t = self.choices[bucket]
            rest = left[:, None] - positives[bucket, t]
            rows = self.selected[bucket, np.maximum(rest, 0)] + totals[bucket, t]
            rows[rest < 0] = np.iinfo(rows.dtype).max
            cuts[:, bucket] = t[np.argmin(rows, axis=1)]
            left = left - positives[bucket, cuts[:, bucket]]
        return cuts

    def _reached(self) -> Ints:
        """Numbers of positives that some boundary has exactly."""
        return np.flatnonzero(self.selected[-1] < self.unreachable)

    def _largest(self, q: Ints, wanted: str) -> Ints:
        """Recover the boundary with most of the allowed numbers of positives."""
        if q.size == 0:
            raise out_of_reach(wanted)
        return self.backtrack(q[-1:])[0]


def solve_frontier(grid: Grid, locks: Mapping[int, int] | None = None) -> ExactFrontier:
    """Run the dynamic program over the buckets of a grid.

    Parameters
    ----------
    grid : Grid
        Any counts; bins may differ in size or be empty.
    locks : mapping of int to int, optional
        Bucket to the cut that it keeps.

    Returns
    -------
    ExactFrontier
        Best number of selected rows for every number of positives.
    """
    positives, totals = grid.from_top()
    size = int(positives[:, -1].sum()) + 1
    # Half the width is twice the speed, and fits a billion rows.
    unreachable = NARROW_UNREACHABLE if int(totals[:, -1].sum()) < NARROW_UNREACHABLE else UNREACHABLE
    selected = np.full((grid.shape[0] + 1, size), unreachable, dtype=unreachable.dtype)
    selected[0, 0] = 0
    spare = np.empty(size, dtype=unreachable.dtype)
    choices, reached = [], 1
    for bucket in range(grid.shape[0]):
        choices.append(useful_cuts(positives[bucket], bucket, locks))
        before, best, candidate = selected[bucket, :reached], selected[bucket + 1], spare[:reached]
        for t in choices[-1].tolist():
            gain = int(positives[bucket, t])
            window = best[gain : gain + reached]
            np.add(before, totals[bucket, t].astype(unreachable.dtype), out=candidate)
            np.minimum(window, candidate, out=window)
        reached += int(positives[bucket, choices[-1][-1]])
    return ExactFrontier(grid=grid, selected=selected, choices=tuple(choices), unreachable=int(unreachable))


def useful_cuts(positives: Ints, bucket: int, locks: Mapping[int, int] | None) -> Ints:
    """List the cuts of a bucket worth trying, ascending.

    Cuts that add rows but no positives are never on a best way: the first of each stays. A locked
    bucket has one.
    """
    if locks and bucket in locks:
        return np.array([locks[bucket]], dtype=np.int64)
    _, first = np.unique(positives, return_index=True)
    return first.astype(np.int64)
