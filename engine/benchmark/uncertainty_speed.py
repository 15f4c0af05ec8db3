"""How fast boundaries are found, beside scikit-learn, and how far metrics agree with other people's."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec

import numpy as np
import pandas as pd
from sklearn.metrics import brier_score_loss, precision_score, recall_score

from engine.benchmark.uncertainty_judge import PART_COLUMNS
from engine.benchmark.uncertainty_peers import constrained_recall, tuned_threshold
from engine.benchmark.uncertainty_simulated import SETTINGS, draw, rows_of
from engine.metrics.decomposition import corp_decomposition
from engine.metrics.smooth_calibration import smooth_calibration_error
from engine.seeding import generator
from engine.uncertainty.boundaries import is_feasible
from engine.uncertainty.exact import solve_frontier
from engine.uncertainty.grid import Grid
from engine.uncertainty.methods import Solver
from engine.uncertainty.planes import Plane
from engine.uncertainty.rows import Rows
from engine.uncertainty.tuning import make_layout

SETTING = "base rate .25, tau 1"
TARGET = 0.7
ROWS = 100_000
STEPS = 200
"""Different scores; both search all of them, so both must find the same selection."""
REPEATS = 5
EXACT = (10, 500)
"""Buckets and bins of the exact program."""
EXACT_ROWS = 500_000
AGREEMENT_ROWS = 100_000
ORACLES = {
    "relplot": ("relplot", "relplot==1.0.3"),
    "model-diagnostics": ("model_diagnostics", "model-diagnostics==1.5.0"),
}
"""Package to its module and requirement."""


def missing() -> dict[str, list[str]]:
    """Name the requirements that are not installed, with what is compared with them."""
    return {requirement: [name] for name, (module, requirement) in ORACLES.items() if find_spec(module) is None}


def measure(name: str, seed: int) -> pd.DataFrame:
    """Time the boundary with one bucket, the exact program, and compare metrics.

    Parameters
    ----------
    name : str
        Key of the settings of the simulation.
    seed : int

    Returns
    -------
    DataFrame
        Columns `engine.benchmark.uncertainty_judge.PART_COLUMNS`; draws hold one value per repeat.
    """
    found = _boundary_times(name, seed) | _exact_times(seed) | _agreement(name, seed)
    rows = [
        {"data": data, "scorer": name, "rows": rows, "buckets": buckets, "method": method, "metric": metric, "draws": v}
        for (data, rows, buckets, method, metric), v in found.items()
    ]
    return pd.DataFrame(rows).assign(target=f"{TARGET:.2f}")[list(PART_COLUMNS)]


Figures = dict[tuple[str, int, int, str, str], list[float]]


def our_threshold(rows: Rows, target: float) -> float:
    """Find one threshold the way a run does: edges, counts, MIST, lookup."""
    layout = make_layout(rows, 1, (target,))
    cuts = Solver(Plane(layout=layout).grid(rows)).family("mist").solve(target)
    return float(layout.thresholds(cuts)[0])


def _written_with_metrics(target: float) -> Callable[..., float]:
    """Score predictions by their recall at a least precision, in scikit-learn's own metrics."""

    def score(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        precise = precision_score(y_true, y_pred, zero_division=0.0) >= target
        return float(recall_score(y_true, y_pred)) if precise else 0.0

    return score


def _boundary_times(name: str, seed: int) -> Figures:
    """Time ours and `TunedThresholdClassifierCV` on the same scores, with a plain metric and with a lean one."""
    ways = {
        "mist": our_threshold,
        "tuned_classifier": lambda rows, target: _search(rows, _written_with_metrics(target)),
        "tuned_classifier, lean metric": lambda rows, target: _search(rows, constrained_recall(target)),
    }
    found: Figures = {}
    for repeat in range(REPEATS):
        rows = _coarse(rows_of(draw(SETTINGS[name], seed + repeat, ROWS)))
        selections = {}
        for method, way in ways.items():
            start = time.process_time()
            threshold = way(rows, TARGET)
            seconds = time.process_time() - start
            selections[method] = rows.score >= threshold
            found.setdefault(("speed", ROWS, 1, method, "seconds"), []).append(seconds)
            same = float(np.array_equal(selections[method], selections["mist"]))
            found.setdefault(("speed", ROWS, 1, method, "same_selection"), []).append(same)
    return found


def _coarse(rows: Rows) -> Rows:
    """Round the score down to `STEPS` steps."""
    score = np.floor(rows.score * STEPS) / STEPS
    return Rows(score, rows.uncertainty, rows.label, rows.weight, rows.unit)


def _search(rows: Rows, metric: Callable[..., float]) -> float:
    """Let scikit-learn try every different score."""
    return tuned_threshold(rows.score, rows.label, metric, np.unique(rows.score))


def _exact_times(seed: int) -> Figures:
    """Time the exact program on random counts with about 45,000 positives."""
    rng = generator(seed, "benchmark", "uncertainty", "exact")
    n_buckets, n_bins = EXACT
    totals = rng.multinomial(EXACT_ROWS, np.full(n_buckets * n_bins, 1 / (n_buckets * n_bins))).reshape(EXACT)
    rate = np.linspace(0, 1, n_bins) ** 10
    found: Figures = {}
    for _ in range(REPEATS):
        grid = Grid(positives=rng.binomial(totals, rate).astype(np.int64), totals=totals.astype(np.int64))
        start = time.process_time()
        frontier = solve_frontier(grid)
        cuts = frontier.solve(TARGET)
        seconds = time.process_time() - start
        positives, counts = grid.from_top()
        bucket = np.arange(n_buckets)
        kept = is_feasible(positives[bucket, cuts].sum(), counts[bucket, cuts].sum(), TARGET)
        key = ("speed", EXACT_ROWS, n_buckets, "exact_dp")
        found.setdefault((*key, "seconds"), []).append(seconds)
        found.setdefault((*key, "is_feasible"), []).append(float(kept))
    return found


def _agreement(name: str, seed: int) -> Figures:
    """Return by how much our metrics differ from other people's, as absolute differences."""
    found: Figures = {}
    present = {package for package, (module, _) in ORACLES.items() if find_spec(module) is not None}
    for repeat in range(REPEATS):
        rows = rows_of(draw(SETTINGS[name], seed + repeat, AGREEMENT_ROWS))
        if "relplot" in present:
            for metric, difference in _smooth_differences(rows).items():
                found.setdefault(("agreement", AGREEMENT_ROWS, 0, "relplot", metric), []).append(difference)
        if "model-diagnostics" in present:
            for part, difference in _corp_differences(rows).items():
                key = ("agreement", AGREEMENT_ROWS, 0, "model-diagnostics")
                found.setdefault((*key, part), []).append(difference)
    return found


def _smooth_differences(rows: Rows) -> Mapping[str, float]:
    """Compare the smooth calibration error, at each one's own bandwidth and at ours."""
    label = rows.label.astype(float)
    ours = smooth_calibration_error(rows.label, rows.score)
    theirs = float(importlib.import_module("relplot").smECE(rows.score, label))
    same = float(importlib.import_module("relplot.metrics").smooth_ece(rows.score, label, ours.bandwidth))
    return {
        "smooth error": abs(ours.value - theirs),
        "smooth error, same bandwidth": abs(ours.value - same),
    }


def _corp_differences(rows: Rows) -> Mapping[str, float]:
    """Compare CORP's parts of the Brier score."""
    scoring = importlib.import_module("model_diagnostics.scoring")
    theirs = scoring.decompose(rows.label.astype(float), rows.score, scoring_function=scoring.SquaredError())
    ours = corp_decomposition(rows.label, rows.score)
    parts = ("miscalibration", "discrimination", "uncertainty", "score")
    found = {part: abs(ours[part] - float(theirs[part][0])) for part in parts}
    return found | {"score, scikit-learn": abs(ours["score"] - brier_score_loss(rows.label, rows.score))}
