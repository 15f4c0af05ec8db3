"""Place one threshold per uncertainty bucket: as much recall as possible at a precision.

A boundary is a vector ``cuts`` of shape (K,): bucket i selects its top ``cuts[i]`` score bins.
Feasible at the target sigma = num / den when ``den * positives >= num * selected``, compared in
integers; selecting nothing counts as feasible. Among boundaries with equal positives the one with
fewer selected rows wins.

Restated from the public abstract and reviews of Arora et al. (2024), "Leveraging uncertainty
estimates to improve classifier performance", arXiv 2311.11723; the text of the algorithms was not
at hand, so MIST, greedy and the dynamic program are reconstructions, tested against brute force.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from engine.uncertainty.grid import Floats, Grid, Ints

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Path:
    """Hold a family of boundaries, from selecting nothing to selecting all, with its counts.

    Shapes: ``cuts`` (S, K), ``positives`` (S,) and ``selected`` (S,), all int64, rows of the grid
    the path was made on.
    """

    cuts: Ints
    positives: Ints
    selected: Ints


def precision_fraction(target: float) -> Fraction:
    """Write a precision target as an exact fraction, so that the constraint needs no floats."""
    return Fraction(target).limit_denominator(10_000)


def is_feasible(positives: Ints, selected: Ints, target: float) -> Bools:
    """Tell where ``positives / selected >= target``, in integers; an empty selection is feasible."""
    sigma = precision_fraction(target)
    return sigma.denominator * positives >= sigma.numerator * selected


def count_selected(grid: Grid, cuts: Ints) -> tuple[Ints, Ints]:
    """Count positives and rows selected by each boundary.

    Parameters
    ----------
    grid : Grid
    cuts : ndarray of shape (..., K), int64, bins from the top, 0 .. L

    Returns
    -------
    positives, selected : ndarray of shape (...), int64, rows
    """
    positives, totals = grid.from_top()
    bucket = np.arange(grid.shape[0])
    return positives[bucket, cuts].sum(axis=-1), totals[bucket, cuts].sum(axis=-1)


def make_path(grid: Grid, cuts: Ints) -> Path:
    """Attach the counts of a grid to a family of boundaries."""
    positives, selected = count_selected(grid, cuts)
    return Path(cuts=cuts, positives=positives, selected=selected)


def single_path(grid: Grid) -> Path:
    """List all boundaries with one common threshold (score-only)."""
    n_buckets, n_bins = grid.shape
    steps = np.arange(n_bins + 1, dtype=np.int64)
    return make_path(grid, np.repeat(steps[:, None], n_buckets, axis=1))


def mist_path(grid: Grid) -> Path:
    """Rank bins by the isotonic positive rate of their bucket, then lower one global threshold.

    Bins of equal isotonic rate enter by descending score (the lexicographic rule), which makes
    one bucket identical to score-only.

    References
    ----------
    Arora et al. (2024): "multi-isotonic single threshold"; the tie rule is ours.
    """
    return _path_by_key(grid, isotonic_rates(grid))


def greedy_path(grid: Grid) -> Path:
    """Follow the greedy solution as its target falls: each bucket on its own, nothing shared."""
    return _path_by_key(grid, _largest_precision_below(grid))


def solve_on_path(path: Path, target: float) -> Ints:
    """Take the boundary of a path with most positives at the target; fewest rows among equals.

    Returns
    -------
    ndarray of shape (K,), int64, bins from the top
    """
    feasible = is_feasible(path.positives, path.selected, target)
    best = path.positives[feasible].max()
    candidates = np.flatnonzero(feasible & (path.positives == best))
    chosen: Ints = path.cuts[candidates[np.argmin(path.selected[candidates])]]
    return chosen


def solve_single(grid: Grid, target: float) -> Ints:
    """Find the best common threshold."""
    return solve_on_path(single_path(grid), target)


def solve_mist(grid: Grid, target: float) -> Ints:
    """Find the best prefix of the isotonic ranking of bins."""
    return solve_on_path(mist_path(grid), target)


def solve_greedy(grid: Grid, target: float) -> Ints:
    """Let each bucket meet the target on its own with as many rows as it can.

    Feasible as a whole by the mediant inequality, but slack in one bucket is never spent in
    another, so it can do worse than one common threshold.
    """
    positives, totals = grid.from_top()
    feasible = is_feasible(positives, totals, target)
    best = np.where(feasible, positives, -1).max(axis=1, keepdims=True)
    # The first column that reaches the most positives selects the fewest rows.
    return np.argmax(feasible & (positives == best), axis=1).astype(np.int64)


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


def _largest_precision_below(grid: Grid) -> Floats:
    """Best precision a bucket reaches at this bin or lower: greedy enters a bin at that target."""
    positives, totals = grid.from_top()
    precision = positives[:, 1:] / np.maximum(totals[:, 1:], 1)
    precision[totals[:, 1:] == 0] = 1.0
    from_top = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return from_top[:, ::-1]  # back to ascending score


def _path_by_key(grid: Grid, key: Floats) -> Path:
    """Enter bins one by one in descending key, then descending score, then ascending bucket."""
    n_buckets, n_bins = grid.shape
    bucket, score_bin = np.divmod(np.arange(n_buckets * n_bins), n_bins)
    order = np.lexsort((bucket, -score_bin, -key.ravel()))
    entered = bucket[order][:, None] == np.arange(n_buckets)
    cuts = np.zeros((order.size + 1, n_buckets), dtype=np.int64)
    np.cumsum(entered, axis=0, out=cuts[1:])
    return make_path(grid, cuts)


def upper_bound(grid: Grid, target: float) -> float:
    """Bound the positives of any boundary by the linear relaxation of the knapsack.

    Take whole groups of equal isotonic rate while feasible, then the share of the next group
    that meets the target with equality: "at most x % better is possible".

    Returns
    -------
    float, rows, >= the positives of every feasible boundary on this grid
    """
    sigma = float(precision_fraction(target))
    rates = isotonic_rates(grid)
    inside = (0, 0)
    for rate in np.unique(rates)[::-1]:
        positives, selected = (int(v) for v in count_selected(grid, (rates >= rate).sum(axis=1)))
        if not is_feasible(np.array(positives), np.array(selected), target):
            slack = inside[0] - sigma * inside[1]
            cost = sigma * (selected - inside[1]) - (positives - inside[0])
            return inside[0] + slack / cost * (positives - inside[0])
        inside = (positives, selected)
    return float(inside[0])


def score_only_threshold(score: Floats, label: Ints, weight: Ints, target: float) -> float:
    """Find the best single threshold on raw tuning rows, ties included as a whole.

    Returns
    -------
    float
        Select ``score >= threshold``; infinite if no selection reaches the target.
    """
    order = np.argsort(-score, kind="stable")
    positives = np.cumsum((label * weight)[order])
    selected = np.cumsum(weight[order])
    group_end = np.append(np.diff(score[order]) != 0, True)
    feasible = np.flatnonzero(group_end & is_feasible(positives, selected, target))
    if feasible.size == 0:
        return float(np.inf)
    first = feasible[np.argmax(positives[feasible])]
    return float(score[order][first])
