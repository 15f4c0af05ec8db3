"""Fix edges, boundaries and rivals of one scorer from its tuning rows alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.seeding import generator
from engine.uncertainty.boundaries import (
    Path,
    greedy_path,
    mist_path,
    score_only_threshold,
    single_path,
    solve_greedy,
    solve_on_path,
)
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.exact import solve_frontier
from engine.uncertainty.grid import (
    Floats,
    Grid,
    Ints,
    Layout,
    assign_buckets,
    grid_from_cells,
    score_edges,
    uncertainty_edges,
)
from engine.uncertainty.recalibrate import Recalibrator, fit_recalibrator

BUCKETS_BY_ROWS = ((50_000, 3), (100_000, 5))
MOST_BUCKETS = 10
TARGET_ODDS = (3.0, 5.0, 8.0, 12.0)
"""Precision targets as multiples of the odds of a positive, so that they suit any base rate."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Hold scored rows of one split: arrays of shape (n,); weight is how many rows a line stands for."""

    score: Floats
    uncertainty: Floats
    label: Ints
    weight: Ints
    unit: Ints


@dataclass(frozen=True, slots=True)
class Plane:
    """Hold one coordinate system with the boundaries solved on it.

    The plain plane is score x uncertainty. The recalibrator folds both into one score, so its
    plane has a single bucket; the placebo keeps the score and shuffles the uncertainty.
    """

    layout: Layout
    paths: Mapping[str, Path]
    """Method to its boundaries from nothing to everything, made on the tuning rows."""
    cuts: Mapping[str, Ints]
    """Method to its cuts, shape (T, K), one row per precision target."""
    recalibrator: Recalibrator | None = None
    shuffle_seed: int | None = None

    def cell(self, rows: Rows) -> Ints:
        """Index the cell of each row, shape (n,); labels are not read."""
        if self.recalibrator is not None:
            folded = self.recalibrator.predict(rows.score, rows.uncertainty)
            return self.layout.cell(folded, np.zeros_like(folded))
        if self.shuffle_seed is not None:
            return self.layout.cell(rows.score, shuffled(rows.uncertainty, self.shuffle_seed))
        return self.layout.cell(rows.score, rows.uncertainty)

    def grid(self, rows: Rows) -> Grid:
        """Count the rows of a split on this plane."""
        return grid_from_cells(self.cell(rows), rows.label, rows.weight, shape=self.layout.shape)


def shuffled(values: Floats, seed: int) -> Floats:
    """Permute values, the same way for the same seed and length."""
    return generator(seed, "uncertainty", "placebo").permutation(values)


def default_targets(rows: Rows) -> tuple[float, ...]:
    """Choose precision targets from the base rate of the tuning rows.

    Returns
    -------
    tuple of float
        3, 5, 8 and 12 times the odds of a positive as precisions, rounded to 0.05 from 0.2 up and
        to 0.01 below; rising, without repeats, within [0.01, 0.99].
    """
    share = float(rows.weight @ rows.label) / float(rows.weight.sum())
    odds = np.array(TARGET_ODDS) * share / (1 - share)
    precision = odds / (1 + odds)
    step = np.where(precision >= 0.2, 0.05, 0.01)
    rounded = np.round(np.round(precision / step) * step, 2)
    return tuple(np.unique(np.clip(rounded, 0.01, 0.99)).tolist())


def n_buckets(rows: Rows, config: UncertaintyConfig) -> int:
    """Choose K: few buckets when tuning rows are few, because a finer boundary then overfits."""
    if config.buckets is not None:
        return config.buckets
    total = int(rows.weight.sum())
    return next((k for limit, k in BUCKETS_BY_ROWS if total < limit), MOST_BUCKETS)


def make_layout(rows: Rows, k: int, targets: tuple[float, ...]) -> Layout:
    """Freeze the edges of buckets and score bins; score-only thresholds become edges too."""
    edges = uncertainty_edges(rows.uncertainty, k)
    bucket = assign_buckets(rows.uncertainty, edges)
    extra = [score_only_threshold(rows.score, rows.label, rows.weight, target) for target in targets]
    return Layout(uncertainty_edges=edges, score_edges=score_edges(rows.score, bucket, extra=extra))


def tune(rows: Rows, config: UncertaintyConfig, targets: tuple[float, ...]) -> tuple[Plane, ...]:
    """Solve every method for every target on the tuning rows of one scorer.

    Parameters
    ----------
    rows : Rows
        Tuning rows; nothing else is seen here.
    config : UncertaintyConfig
    targets : tuple of float
        Precision targets, ascending.

    Returns
    -------
    tuple of Plane
        The plain plane first, then those of the recalibrator and of the placebo.
    """
    layout = make_layout(rows, n_buckets(rows, config), targets)
    placebo = Plane(layout=layout, paths={}, cuts={}, shuffle_seed=config.seed)
    return (
        _plain_plane(rows, layout, targets),
        _recalibrated_plane(rows, targets),
        _with_path(placebo, "placebo", mist_path(placebo.grid(rows)), targets),
    )


def _plain_plane(rows: Rows, layout: Layout, targets: tuple[float, ...]) -> Plane:
    """Solve one threshold, greedy, MIST and the exact program on score x uncertainty."""
    grid = Plane(layout=layout, paths={}, cuts={}).grid(rows)
    frontier = solve_frontier(grid)
    paths = {"single_threshold": single_path(grid), "greedy": greedy_path(grid), "mist": mist_path(grid)}
    cuts = {name: np.stack([solve_on_path(path, target) for target in targets]) for name, path in paths.items()}
    cuts["greedy"] = np.stack([solve_greedy(grid, target) for target in targets])
    cuts["exact_dp"] = np.stack([frontier.solve(target) for target in targets])
    return Plane(layout=layout, paths=paths | {"exact_dp": frontier.path()}, cuts=cuts)


def _recalibrated_plane(rows: Rows, targets: tuple[float, ...]) -> Plane:
    """Fold score and uncertainty into one score and give it one threshold."""
    recalibrator = fit_recalibrator(rows.score, rows.uncertainty, rows.label, rows.weight.astype(float))
    folded = recalibrator.predict(rows.score, rows.uncertainty)
    one = np.zeros(folded.size, dtype=np.int64)
    extra = [score_only_threshold(folded, rows.label, rows.weight, target) for target in targets]
    layout = Layout(uncertainty_edges=np.empty(0), score_edges=score_edges(folded, one, extra=extra))
    plane = Plane(layout=layout, paths={}, cuts={}, recalibrator=recalibrator)
    return _with_path(plane, "recalibrated", single_path(plane.grid(rows)), targets)


def _with_path(plane: Plane, method: str, path: Path, targets: tuple[float, ...]) -> Plane:
    """Attach one method's path and its cuts to a plane."""
    return Plane(
        layout=plane.layout,
        paths={method: path},
        cuts={method: np.stack([solve_on_path(path, target) for target in targets])},
        recalibrator=plane.recalibrator,
        shuffle_seed=plane.shuffle_seed,
    )
