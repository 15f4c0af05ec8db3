"""Rank bins by isotonic positive rates: MIST, one isotonic threshold, and the bound on any boundary.

The set of all bins whose isotonic rate is at least c maximises ``positives - c * selected`` over all
boundaries, so lowering c walks the corners of what is possible; between corners lies the linear bound.

Restated from public material on Arora et al. (2024), arXiv 2311.11723; see `boundaries`.
"""

from __future__ import annotations

import numpy as np

from engine.uncertainty.boundaries import (
    Path,
    is_feasible,
    make_path,
    merge_paths,
    path_by_key,
    precision_fraction,
    single_path,
)
from engine.uncertainty.grid import Floats, Grid, Ints


def mist_path(grid: Grid) -> Path:
    """Rank bins by the isotonic positive rate of their bucket, then lower one global threshold.

    Bins of equal isotonic rate enter by descending score (the lexicographic rule), which makes
    one bucket identical to score-only.

    References
    ----------
    Arora et al. (2024): "multi-isotonic single threshold"; the tie rule is ours.
    """
    return path_by_key(grid, isotonic_rates(grid))


def mist_group_path(grid: Grid) -> Path:
    """Follow MIST, but let all bins of an equal isotonic rate enter together (the group rule)."""
    return path_by_key(grid, isotonic_rates(grid), whole_groups=True)


def isotonic_path(grid: Grid) -> Path:
    """List the common thresholds that split no block of the isotonic fit to the score alone."""
    pooled = Grid(grid.positives.sum(axis=0, keepdims=True), grid.totals.sum(axis=0, keepdims=True))
    steps = mist_group_path(pooled).cuts
    return make_path(grid, np.repeat(steps, grid.shape[0], axis=1))


def best_of_path(grid: Grid) -> Path:
    """Keep of one threshold and MIST whatever finds more on these rows, target by target."""
    return merge_paths(single_path(grid), mist_path(grid))


def solve_mist(grid: Grid, target: float) -> Ints:
    """Find the best prefix of the isotonic ranking of bins."""
    return mist_path(grid).solve(target)


def upper_bound(grid: Grid, target: float) -> float:
    """Bound the positives of any boundary by the linear relaxation of the knapsack.

    Take whole groups of equal isotonic rate while feasible, then the share of the next group
    that meets the target with equality: "at most x % better is possible".

    Returns
    -------
    float, rows, >= the positives of every feasible boundary on this grid
    """
    sigma = float(precision_fraction(target))
    corners = mist_group_path(grid)
    outside = np.flatnonzero(~is_feasible(corners.positives, corners.selected, target))
    if outside.size == 0:
        return float(corners.positives[-1])
    first = int(outside[0])
    won = corners.positives[first - 1 : first + 1]
    slack = won - sigma * corners.selected[first - 1 : first + 1]
    return float(won[0] + slack[0] / (slack[0] - slack[1]) * (won[1] - won[0]))


def headroom(positives: int, bound: float) -> float:
    """Say by how many percent any boundary on the same bins could find more at most.

    Parameters
    ----------
    positives : int
        Positives that a boundary finds.
    bound : float
        `upper_bound` at the same target; its whole part counts, as positives are whole.

    Returns
    -------
    float, percent, >= 0
        Infinite if nothing is found where something may be.

    Examples
    --------
    >>> headroom(200, 203.9), headroom(0, 0.4), headroom(0, 1.0)
    (1.5, 0.0, inf)
    """
    most = max(int(np.floor(bound + 1e-9)), positives)
    if most == positives:
        return 0.0
    return 100 * (most - positives) / positives if positives else float("inf")


def isotonic_rates(grid: Grid) -> Floats:
    """Fit a positive rate that never falls with the score, bucket by bucket (pool adjacent).

    An empty bin takes the rate of the next higher filled one.

    Returns
    -------
    ndarray of shape (K, L), float64, in [0, 1]
    """
    n_buckets, n_bins = grid.shape
    rates = np.zeros((n_buckets, n_bins))
    for bucket in range(n_buckets):
        filled = np.flatnonzero(grid.totals[bucket])
        if filled.size == 0:
            continue
        pooled = _pool_adjacent(grid.positives[bucket, filled], grid.totals[bucket, filled])
        source = np.minimum(np.searchsorted(filled, np.arange(n_bins)), filled.size - 1)
        rates[bucket] = pooled[source]
    return rates


def _pool_adjacent(positives: Ints, totals: Ints) -> Floats:
    """Pool adjacent violators on counts > 0; equal rates are pooled too."""
    blocks: list[list[int]] = []  # positives, rows, bins
    for p, n in zip(positives.tolist(), totals.tolist(), strict=True):
        blocks.append([p, n, 1])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            p, n, size = blocks.pop()
            blocks[-1][0] += p
            blocks[-1][1] += n
            blocks[-1][2] += size
    return np.repeat([b[0] / b[1] for b in blocks], [b[2] for b in blocks])
