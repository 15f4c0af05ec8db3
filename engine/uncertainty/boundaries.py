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

import heapq
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from engine.errors import ConfigError
from engine.uncertainty.grid import Floats, Grid, Ints

Bools = NDArray[np.bool_]
MOST_STEPS = 1000
"""Boundaries that a path recovered from a dynamic program lists; its lookups use all of them."""


@dataclass(frozen=True, slots=True)
class Path:
    """Hold a family of boundaries, from selecting nothing to selecting all, with its counts.

    Shapes: ``cuts`` (S, K), ``positives`` (S,) and ``selected`` (S,), all int64, rows of the grid
    the path was made on.
    """

    cuts: Ints
    positives: Ints
    selected: Ints

    def solve(self, target: float) -> Ints:
        """Take the boundary with most positives at a precision target, fewest rows among equals.

        Returns
        -------
        ndarray of shape (K,), int64, bins from the top

        Raises
        ------
        ConfigError
            If no boundary reaches the target, which takes locked buckets.
        """
        return self._best(is_feasible(self.positives, self.selected, target), f"precision {target:g}")

    def within(self, budget: int) -> Ints:
        """Take the boundary with most positives among those that select at most ``budget`` rows."""
        return self._best(self.selected <= budget, f"{budget:,} rows")

    def path(self) -> Path:
        """Return itself."""
        return self

    def _best(self, allowed: Bools, wanted: str) -> Ints:
        """Most positives, then fewest rows, among allowed boundaries."""
        places = np.flatnonzero(allowed)
        if places.size == 0:
            raise out_of_reach(wanted)
        order = np.lexsort((self.selected[places], -self.positives[places]))
        chosen: Ints = self.cuts[places[order[0]]]
        return chosen


def out_of_reach(wanted: str) -> ConfigError:
    """Say that locked buckets leave no boundary."""
    return ConfigError(f"With these buckets locked no boundary keeps to {wanted}; unlock one or move its threshold.")


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


def greedy_path(grid: Grid) -> Path:
    """Follow the greedy solution as its target falls: each bucket on its own, nothing shared."""
    return path_by_key(grid, _largest_precision_below(grid))


def solve_single(grid: Grid, target: float) -> Ints:
    """Find the best common threshold."""
    return single_path(grid).solve(target)


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


def _largest_precision_below(grid: Grid) -> Floats:
    """Best precision a bucket reaches at this bin or lower: greedy enters a bin at that target."""
    positives, totals = grid.from_top()
    precision = positives[:, 1:] / np.maximum(totals[:, 1:], 1)
    precision[totals[:, 1:] == 0] = 1.0
    # A bucket without any row promises nothing: it enters last.
    precision[totals[:, -1] == 0] = 0.0
    from_top = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return from_top[:, ::-1]  # back to ascending score


def path_by_key(grid: Grid, key: Floats, *, whole_groups: bool = False) -> Path:
    """Enter bins one by one in descending key, then descending score, then ascending bucket.

    Parameters
    ----------
    grid : Grid
    key : ndarray of shape (K, L), float64
        Never rising towards lower scores inside a bucket, so that every prefix is a boundary.
    whole_groups : bool
        Enter all bins of an equal key in one step.

    Returns
    -------
    Path
    """
    n_buckets, n_bins = grid.shape
    bucket, score_bin = np.divmod(np.arange(n_buckets * n_bins), n_bins)
    order = np.lexsort((bucket, -score_bin, -key.ravel()))
    entered = bucket[order][:, None] == np.arange(n_buckets)
    cuts = np.zeros((order.size + 1, n_buckets), dtype=np.int64)
    np.cumsum(entered, axis=0, out=cuts[1:])
    if whole_groups:
        ends = np.flatnonzero(np.diff(key.ravel()[order]) != 0) + 1
        cuts = cuts[np.concatenate([[0], ends, [order.size]])]
    return make_path(grid, cuts)


def greedy_merged_path(grid: Grid) -> Path:
    """Extend, step by step, the bucket whose next filled bin holds the largest share of positives.

    Unlike `greedy_path` all buckets share one precision; unlike MIST a poor bin hides the good
    ones below it.
    """
    n_buckets, n_bins = grid.shape
    waiting: list[tuple[float, int, int]] = []

    def wait(bucket: int, cut: int) -> None:
        below = np.flatnonzero(grid.totals[bucket, : n_bins - cut])
        if below.size:
            place = int(below[-1])
            rate = float(grid.positives[bucket, place] / grid.totals[bucket, place])
            heapq.heappush(waiting, (-rate, bucket, n_bins - place))

    for bucket in range(n_buckets):
        wait(bucket, 0)
    cuts = [[0] * n_buckets]
    while waiting:
        _, bucket, cut = heapq.heappop(waiting)
        cuts.append([*cuts[-1][:bucket], cut, *cuts[-1][bucket + 1 :]])
        wait(bucket, cut)
    return make_path(grid, np.array(cuts, dtype=np.int64))


def pareto(positives: Ints, selected: Ints) -> NDArray[np.intp]:
    """Find the boundaries that are best for some precision target.

    Parameters
    ----------
    positives, selected : ndarray of shape (S,), int64, rows

    Returns
    -------
    ndarray of shape (m,), int64
        Places with more positives than any boundary at least as precise, by rising positives.
    """
    order = np.lexsort((-selected, positives))
    precision = positives[order] / np.maximum(selected[order], 1)
    precision[selected[order] == 0] = 1.0
    later_best = np.append(np.maximum.accumulate(precision[::-1])[::-1][1:], -1.0)
    return order[precision > later_best]


def thinned(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Keep at most `MOST_STEPS` of many boundaries, evenly, first and last among them."""
    if places.size <= MOST_STEPS:
        return places
    return places[np.linspace(0, places.size - 1, MOST_STEPS).astype(np.intp)]


def merge_paths(*paths: Path) -> Path:
    """Keep of several families of boundaries what is best for some target."""
    cuts = np.concatenate([path.cuts for path in paths])
    positives = np.concatenate([path.positives for path in paths])
    selected = np.concatenate([path.selected for path in paths])
    kept = pareto(positives, selected)
    return Path(cuts=cuts[kept], positives=positives[kept], selected=selected[kept])


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
