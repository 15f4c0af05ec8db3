"""Fix edges, boundaries and rivals of one scorer from its tuning rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from engine.uncertainty.boost import fit_boosted
from engine.uncertainty.boundaries import Path, score_only_threshold, single_path
from engine.uncertainty.bucket_choice import FEWEST_COMPARED, choose_buckets
from engine.uncertainty.bucket_cut import EQUAL_COUNTS, BucketCut, bucket_cut
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.equal_weight import equal_weight_path, nested_layout
from engine.uncertainty.grid import Floats, Layout, assign_buckets, score_edges
from engine.uncertainty.guaranteed import guaranteed_plane
from engine.uncertainty.isotonic import mist_path
from engine.uncertainty.methods import METHODS, Solver
from engine.uncertainty.planes import Folded, Plane
from engine.uncertainty.recalibrate import fit_recalibrator
from engine.uncertainty.rows import Rows

BUCKETS_BY_ROWS = ((50_000, 3), (100_000, 5))
MOST_BUCKETS = 10
TARGET_ODDS = (3.0, 5.0, 8.0, 12.0)
"""Precision targets as multiples of the odds of a positive, so that they suit any base rate."""
SHUFFLES = 3
"""Shuffles of the uncertainty that the placebo averages."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """Hold what was fixed for one scorer."""

    layout: Layout
    """Edges of score x uncertainty."""
    planes: tuple[Plane, ...]
    """The plain plane of score x uncertainty first."""
    choice: pd.DataFrame
    """How the number of buckets was chosen, see `bucket_choice`; empty if it was given."""


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


def buckets_by_rows(total: int) -> int:
    """Choose K without labels: few buckets when rows are few, because a finer boundary then overfits."""
    return next((k for limit, k in BUCKETS_BY_ROWS if total < limit), MOST_BUCKETS)


def make_layout(rows: Rows, k: int, targets: Sequence[float], cut: BucketCut = EQUAL_COUNTS) -> Layout:
    """Freeze the edges of buckets and score bins; score-only thresholds become edges too."""
    edges = cut.edges(rows.uncertainty, k, rows.weight)
    bucket = assign_buckets(rows.uncertainty, edges)
    return Layout(edges, score_edges(rows.score, bucket, rows.weight, extra=_single_thresholds(rows, targets)))


def tune(rows: Rows, config: UncertaintyConfig, targets: Sequence[float], cut: BucketCut | None = None) -> Tuned:
    """Solve every method for every target on the tuning rows of one scorer.

    Parameters
    ----------
    rows : Rows
        Tuning rows; nothing else is seen here.
    config : UncertaintyConfig
    targets : sequence of float
        Precision targets, ascending.
    cut : BucketCut, optional
        How uncertainty is cut; by default as the settings say for a given score.

    Returns
    -------
    Tuned
        Planes in this order: plain, nested equal-weight bins, guaranteed, two recalibrators, placebos.
    """
    cut = cut or bucket_cut(config)
    choice = pd.DataFrame()
    k = config.buckets or FEWEST_COMPARED
    if config.buckets is None and not cut.own:
        choice = choose_buckets(rows, targets, seed=config.seed, cut=cut)
        best = int(choice.loc[choice["chosen"], "buckets"].iloc[0])
        k = FEWEST_COMPARED if best == 1 else best
    layout = make_layout(rows, k, targets, cut)
    weight = rows.weight.astype(float)
    planes = (
        _plain_plane(rows, layout, targets),
        _nested_plane(rows, layout.uncertainty_edges, targets),
        guaranteed_plane(
            rows,
            targets,
            buckets=config.buckets or buckets_by_rows(int(rows.weight.sum()) // 2),
            cut=cut,
            confidence=config.confidence,
            seed=config.seed,
        ),
        _folded_plane(
            "recalibrated", fit_recalibrator(rows.score, rows.uncertainty, rows.label, weight), rows, targets
        ),
        _folded_plane("boosted", fit_boosted(rows.score, rows.uncertainty, rows.label, weight), rows, targets),
        *(_placebo_plane(rows, layout, targets, (config.seed, number)) for number in range(SHUFFLES)),
    )
    return Tuned(layout=layout, planes=planes, choice=choice)


def _plain_plane(rows: Rows, layout: Layout, targets: Sequence[float]) -> Plane:
    """Solve every method that works on the counts of score x uncertainty."""
    solver = Solver(Plane(layout=layout).grid(rows))
    families = {method: solver.family(method) for method in METHODS}
    return Plane(
        layout=layout,
        paths={method: family.path() for method, family in families.items()},
        cuts={method: np.stack([family.solve(t) for t in targets]) for method, family in families.items()},
    )


def _nested_plane(rows: Rows, edges: Floats, targets: Sequence[float]) -> Plane:
    """Solve the equal-weight program on bins nested in the buckets."""
    plane = Plane(layout=nested_layout(rows.score, rows.uncertainty, rows.weight, edges))
    n_buckets, n_bins = plane.layout.shape
    path = equal_weight_path(plane.grid(rows), int(rows.weight.sum()) / (n_buckets * n_bins))
    return _with_path(plane, "equal_weight_dp", path, targets)


def _folded_plane(method: str, recalibrator: Folded, rows: Rows, targets: Sequence[float]) -> Plane:
    """Fold score and uncertainty into one score and give it one threshold."""
    folded = replace(rows, score=recalibrator.predict(rows.score, rows.uncertainty))
    one = np.zeros(folded.score.size, dtype=np.int64)
    edges = score_edges(folded.score, one, rows.weight, extra=_single_thresholds(folded, targets))
    plane = Plane(layout=Layout(np.empty(0), edges), recalibrator=recalibrator)
    return _with_path(plane, method, single_path(plane.grid(rows)), targets)


def _placebo_plane(rows: Rows, layout: Layout, targets: Sequence[float], shuffle: tuple[int, int]) -> Plane:
    """Solve MIST on a shuffled uncertainty."""
    plane = Plane(layout=layout, shuffle=shuffle)
    return _with_path(plane, "placebo", mist_path(plane.grid(rows)), targets)


def _with_path(plane: Plane, method: str, path: Path, targets: Sequence[float]) -> Plane:
    """Attach one method's path and its cuts to a plane."""
    cuts = {method: np.stack([path.solve(target) for target in targets])}
    return replace(plane, paths={method: path}, cuts=cuts)


def _single_thresholds(rows: Rows, targets: Sequence[float]) -> list[float]:
    """Best single threshold of each target."""
    return [score_only_threshold(rows.score, rows.label, rows.weight, target) for target in targets]
