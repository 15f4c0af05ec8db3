"""Find a method's boundary by its key: for a precision target or a budget, with buckets locked or free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.errors import ConfigError
from engine.uncertainty.boundaries import (
    Path,
    greedy_merged_path,
    greedy_path,
    is_feasible,
    make_path,
    out_of_reach,
    single_path,
    solve_greedy,
)
from engine.uncertainty.exact import solve_frontier
from engine.uncertainty.grid import Grid, Ints
from engine.uncertainty.isotonic import best_of_path, isotonic_path, mist_group_path, mist_path
from engine.uncertainty.monotone import solve_monotone_frontier

Locks = Mapping[int, int]
"""Bucket to the cut that it keeps."""


class Family(Protocol):
    """A method's boundaries on one grid, from which one is looked up."""

    def solve(self, target: float) -> Ints:
        """Return the cuts for a precision target."""

    def within(self, budget: int) -> Ints:
        """Return the cuts for a number of rows."""

    def path(self) -> Path:
        """List the boundaries from nothing to everything."""


@dataclass(frozen=True, slots=True)
class GreedyFamily:
    """Solve every free bucket on its own; a budget follows the path of falling targets."""

    grid: Grid
    locks: Locks

    def solve(self, target: float) -> Ints:
        """Let each free bucket meet the target alone; locked ones may break it for all."""
        cuts = solve_greedy(self.grid, target)
        for bucket, cut in self.locks.items():
            cuts[bucket] = cut
        found = make_path(self.grid, cuts[None, :])
        if not is_feasible(found.positives, found.selected, target).all():
            raise out_of_reach(f"precision {target:g}")
        return cuts

    def within(self, budget: int) -> Ints:
        """Take the longest prefix of the path that keeps to the budget."""
        return self.path().within(budget)

    def path(self) -> Path:
        """List the boundaries for falling targets."""
        return locked_path(greedy_path, self.grid, self.locks)


PATHS: dict[str, Callable[[Grid], Path]] = {
    "single_threshold": single_path,
    "isotonic": isotonic_path,
    "greedy_merged": greedy_merged_path,
    "mist": mist_path,
    "mist_group": mist_group_path,
    "best_of": best_of_path,
}
SOLVED: dict[str, Callable[[Grid, Locks], Family]] = {
    "greedy": GreedyFamily,
    "exact_dp": solve_frontier,
    "monotone_dp": solve_monotone_frontier,
}
METHODS = (
    "mist",
    "best_of",
    "exact_dp",
    "monotone_dp",
    "mist_group",
    "greedy",
    "greedy_merged",
    "isotonic",
    "single_threshold",
)
"""Keys of all methods that work on counts alone."""


def locked_path(build: Callable[[Grid], Path], grid: Grid, locks: Locks) -> Path:
    """Build a path over the free buckets and hold the locked ones where they are.

    Parameters
    ----------
    build : callable
        Makes the path of a grid.
    grid : Grid
    locks : mapping of int to int
        Bucket to its cut, 0 .. L.

    Returns
    -------
    Path
        Counts include the rows of the locked buckets.
    """
    if not locks:
        return build(grid)
    free = [bucket for bucket in range(grid.shape[0]) if bucket not in locks]
    steps = build(Grid(grid.positives[free], grid.totals[free])).cuts if free else np.zeros((1, 0), dtype=np.int64)
    cuts = np.zeros((len(steps), grid.shape[0]), dtype=np.int64)
    cuts[:, free] = steps
    for bucket, cut in locks.items():
        cuts[:, bucket] = cut
    return make_path(grid, cuts)


class Solver:
    """Answer for one grid; without locks every method is solved once and then looked up.

    Parameters
    ----------
    grid : Grid
        Counts of the tuning rows.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._free: dict[str, Family] = {}

    def family(self, method: str, locks: Locks | None = None) -> Family:
        """Return a method's boundaries.

        Parameters
        ----------
        method : str
            One of `METHODS`.
        locks : mapping of int to int, optional
            Bucket to the cut that it keeps.

        Returns
        -------
        Family

        Raises
        ------
        ConfigError
            If the method is unknown or a lock lies outside the grid.
        """
        if method not in METHODS:
            raise ConfigError(f"'method' is '{method}'; allowed are {', '.join(METHODS)}.")
        if locks:
            return self._build(method, self._checked(locks))
        if method not in self._free:
            self._free[method] = self._build(method, {})
        return self._free[method]

    def _build(self, method: str, locks: Locks) -> Family:
        """Solve a method anew."""
        if method in SOLVED:
            return SOLVED[method](self._grid, locks)
        return locked_path(PATHS[method], self._grid, locks)

    def _checked(self, locks: Locks) -> Locks:
        """Refuse locks that are not on the grid."""
        n_buckets, n_bins = self._grid.shape
        for bucket, cut in locks.items():
            if not 0 <= bucket < n_buckets or not 0 <= cut <= n_bins:
                raise ConfigError(
                    f"'locks' holds bucket {bucket} with cut {cut}; allowed are buckets 0 to {n_buckets - 1} "
                    f"with cuts 0 to {n_bins}."
                )
        return locks
