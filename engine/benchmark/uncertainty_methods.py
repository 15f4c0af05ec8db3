"""Every way of the uncertainty benchmark to set thresholds: ours and plain ones here, peers in `uncertainty_peers`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.uncertainty.boost import fit_boosted
from engine.uncertainty.boundaries import Bools, score_only_threshold
from engine.uncertainty.bucket_choice import FEWEST_COMPARED, choose_buckets
from engine.uncertainty.equal_weight import equal_weight_path, nested_layout
from engine.uncertainty.grid import Floats, uncertainty_edges
from engine.uncertainty.guaranteed import guaranteed_plane
from engine.uncertainty.isotonic import mist_path
from engine.uncertainty.methods import METHODS, Solver
from engine.uncertainty.planes import Folded, Plane
from engine.uncertainty.recalibrate import fit_recalibrator
from engine.uncertainty.rows import Rows
from engine.uncertainty.tuning import make_layout

ONE = "single_threshold"
OURS = "mist_chosen"
CEILING = "ceiling"
LABELS = {
    CEILING: "best possible score, one threshold",
    ONE: "one threshold (SO)",
    "isotonic": "isotonic, one threshold (IST)",
    "greedy": "greedy, each bucket alone",
    "greedy_merged": "greedy, merged",
    "mist": "MIST",
    OURS: "MIST, K by cross-fitting (default)",
    "mist_group": "MIST, ties as groups",
    "best_of": "best of one threshold and MIST",
    "equal_weight_dp": "equal-weight program",
    "exact_dp": "exact program",
    "monotone_dp": "exact program, monotone",
    "guaranteed": "guaranteed",
    "recalibrated": "logistic on both, one threshold",
    "boosted": "trees on both, one threshold",
    "placebo": "MIST, shuffled uncertainty",
    "venn_abers": "venn-abers p0, one threshold",
    "tuned_classifier": "scikit-learn TunedThresholdClassifierCV",
    "mapie_one": "MAPIE, one threshold",
    "mapie_buckets": "MAPIE, per bucket, Bonferroni-Holm",
    "mapie_sequence": "MAPIE, per bucket, split fixed sequence",
}
"""Keys of all ways, in display order, and what they are called."""
PER_BUCKET = [name for name in METHODS if name not in (ONE, "isotonic")]

Score = Callable[[Rows], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to set thresholds, tuned."""

    method: str
    buckets: int
    """Uncertainty buckets that it tells apart; 1 if it has one threshold."""
    seconds: float
    """Processor time to find the selection for one target."""
    select: Mapping[float, Callable[[Rows], Bools]]
    """Precision target to the selection."""
    order: Score | Plane | None
    """How it ranks: a score, or a plane that holds one path; None if that is another way's ranking."""


class Remembered:
    """A score that is computed once per rows.

    Parameters
    ----------
    score : callable
        Rows to one score per row.
    """

    def __init__(self, score: Score) -> None:
        self._score = score
        self._known: dict[int, tuple[Rows, Floats]] = {}

    def __call__(self, rows: Rows) -> Floats:
        """Return one score per row, shape (n,)."""
        if id(rows) not in self._known:
            # The rows are kept with their score, so that their number is not given to others.
            self._known[id(rows)] = rows, self._score(rows)
        return self._known[id(rows)][1]


def one_threshold(
    method: str, score: Score, tune: Rows, targets: Sequence[float], *, buckets: int = 1, spent: float = 0.0
) -> Way:
    """Give a score the one threshold that finds most on the tuning rows.

    Parameters
    ----------
    method : str
    score : callable
        Rows to one score per row.
    tune : Rows
    targets : sequence of float
    buckets : int
        Buckets that the score tells apart.
    spent : float
        Processor seconds that the score took to fit.

    Returns
    -------
    Way
    """
    start = time.process_time()
    score = Remembered(score)
    values = score(tune)
    scored = time.process_time()
    found = {target: score_only_threshold(values, tune.label, tune.weight, target) for target in targets}
    seconds = spent + scored - start + (time.process_time() - scored) / len(targets)
    select = {target: _above(score, threshold) for target, threshold in found.items()}
    return Way(method=method, buckets=buckets, seconds=seconds, select=select, order=score)


def _above(score: Score, threshold: float) -> Callable[[Rows], Bools]:
    """Select what reaches a threshold."""
    return lambda rows: score(rows) >= threshold


def plain_ways(tune: Rows, targets: Sequence[float]) -> list[Way]:
    """Tune what has no buckets: one threshold on the score, or on a score recalibrated with the uncertainty.

    Parameters
    ----------
    tune : Rows
    targets : sequence of float

    Returns
    -------
    list of Way
    """
    ways = [one_threshold(ONE, lambda rows: rows.score, tune, targets)]
    ways += _grid_ways(tune, 1, targets, ("isotonic",))
    fits: tuple[tuple[str, Callable[..., Folded]], ...] = (("recalibrated", fit_recalibrator), ("boosted", fit_boosted))
    for method, fit in fits:
        start = time.process_time()
        folded = fit(tune.score, tune.uncertainty, tune.label, tune.weight.astype(float))
        spent = time.process_time() - start
        ways.append(one_threshold(method, _folded(folded), tune, targets, spent=spent))
    return ways


def _folded(folded: Folded) -> Score:
    """Read score and uncertainty as one score."""
    return lambda rows: folded.predict(rows.score, rows.uncertainty)


def bucket_ways(tune: Rows, buckets: int, targets: Sequence[float], *, seed: int, confidence: float) -> list[Way]:
    """Tune every way of ours with a number of uncertainty buckets.

    Parameters
    ----------
    tune : Rows
    buckets : int
    targets : sequence of float
    seed : int
        Of the shuffle and of the halves of the guarantee.
    confidence : float
        Of the guarantee.

    Returns
    -------
    list of Way
    """
    ways = _grid_ways(tune, buckets, targets, PER_BUCKET)
    ways.append(_equal_weight(tune, buckets, targets))
    ways.append(guaranteed_way(tune, buckets, targets, seed=seed, confidence=confidence))
    if buckets > 1:
        ways.append(_placebo(tune, buckets, targets, seed))
    return ways


def guaranteed_way(tune: Rows, buckets: int, targets: Sequence[float], *, seed: int, confidence: float) -> Way:
    """Tune the guaranteed mode; parameters as `bucket_ways`."""
    start = time.process_time()
    plane = guaranteed_plane(tune, targets, buckets=buckets, confidence=confidence, seed=seed, count_by="units")
    spent = (time.process_time() - start) / len(targets)
    return _on_plane("guaranteed", buckets, plane, targets, spent)


def chosen_way(tune: Rows, targets: Sequence[float], *, seed: int) -> Way:
    """Tune MIST as a run does by default: cross-fitting chooses the number of buckets.

    Parameters
    ----------
    tune : Rows
    targets : sequence of float
    seed : int

    Returns
    -------
    Way
        With 1 as its buckets, which only means that it stands once in the table.
    """
    start = time.process_time()
    choice = choose_buckets(tune, targets, seed=seed)
    best = int(choice.loc[choice["chosen"], "buckets"].iloc[0])
    spent = time.process_time() - start
    (way,) = _grid_ways(tune, FEWEST_COMPARED if best == 1 else best, targets, ("mist",))
    return replace(way, method=OURS, buckets=1, seconds=way.seconds + spent)


def _grid_ways(tune: Rows, buckets: int, targets: Sequence[float], methods: Sequence[str]) -> list[Way]:
    """Tune methods that share a grid; each is charged for the grid, as it would need it alone."""
    start = time.process_time()
    layout = make_layout(tune, buckets, targets)
    solver = Solver(Plane(layout=layout).grid(tune))
    shared = time.process_time() - start
    ways = []
    for method in methods:
        start = time.process_time()
        family = solver.family(method)
        family.solve(targets[0])
        spent = shared + time.process_time() - start
        cuts = np.stack([family.solve(target) for target in targets])
        plane = Plane(layout=layout, paths={method: family.path()}, cuts={method: cuts})
        ways.append(_on_plane(method, buckets, plane, targets, spent))
    return ways


def _equal_weight(tune: Rows, buckets: int, targets: Sequence[float]) -> Way:
    """Tune the equal-weight program on its nested bins."""
    start = time.process_time()
    edges = uncertainty_edges(tune.uncertainty, buckets, tune.weight)
    plane = Plane(layout=nested_layout(tune.score, tune.uncertainty, tune.weight, edges))
    n_buckets, n_bins = plane.layout.shape
    path = equal_weight_path(plane.grid(tune), int(tune.weight.sum()) / (n_buckets * n_bins))
    cuts = np.stack([path.solve(target) for target in targets])
    spent = time.process_time() - start
    plane = replace(plane, paths={"equal_weight_dp": path}, cuts={"equal_weight_dp": cuts})
    return _on_plane("equal_weight_dp", buckets, plane, targets, spent)


def _placebo(tune: Rows, buckets: int, targets: Sequence[float], seed: int) -> Way:
    """Tune MIST on an uncertainty that was shuffled."""
    plane = Plane(layout=make_layout(tune, buckets, targets), shuffle=(seed, 0))
    path = mist_path(plane.grid(tune))
    cuts = np.stack([path.solve(target) for target in targets])
    plane = replace(plane, paths={"placebo": path}, cuts={"placebo": cuts})
    return _on_plane("placebo", buckets, plane, targets, float("nan"))


def _on_plane(method: str, buckets: int, plane: Plane, targets: Sequence[float], seconds: float) -> Way:
    """Wrap what was solved on a plane."""
    select = {target: _inside(plane, plane.cuts[method][place]) for place, target in enumerate(targets)}
    return Way(method=method, buckets=buckets, seconds=seconds, select=select, order=plane)


def _inside(plane: Plane, cuts: np.ndarray) -> Callable[[Rows], Bools]:
    """Select the top bins of every bucket."""

    def select(rows: Rows) -> Bools:
        bucket, score_bin = np.divmod(plane.cell(rows), plane.layout.shape[1])
        chosen: Bools = score_bin >= plane.layout.shape[1] - cuts[bucket]
        return chosen

    return select
