"""Other people's ways to set thresholds, on the same rows: scikit-learn, MAPIE, venn-abers."""

from __future__ import annotations

import importlib
import itertools
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import TunedThresholdClassifierCV

from engine.benchmark.uncertainty_methods import Way, one_threshold
from engine.seeding import generator
from engine.uncertainty.boundaries import Bools, precision_fraction
from engine.uncertainty.grid import Floats, assign_buckets, uncertainty_edges
from engine.uncertainty.rows import Rows

NEEDS = {
    "venn_abers": ("venn_abers", "venn-abers==1.5.4"),
    "mapie_one": ("mapie", "mapie==1.6.0"),
    "mapie_buckets": ("mapie", "mapie==1.6.0"),
    "mapie_sequence": ("mapie", "mapie==1.6.0"),
}
"""Peer to the module and the requirement without which it is left out."""
CANDIDATES = np.linspace(0, 0.99, 100)
TAIL_SHARES = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Shares of a bucket's rows that the candidates of MAPIE select: 8 per bucket, chosen without labels."""
MOST_BUCKETS = 3
"""8 ** 3 = 512 vectors of candidates; with 10 buckets there would be a thousand million."""


def missing() -> dict[str, list[str]]:
    """Name the requirements that are not installed, with the peers that need them."""
    found: dict[str, list[str]] = {}
    for method, (module, requirement) in NEEDS.items():
        if find_spec(module) is None:
            found.setdefault(requirement, []).append(method)
    return found


def peer_ways(tune: Rows, targets: Sequence[float], *, buckets: Sequence[int], confidence: float) -> list[Way]:
    """Tune every peer that is installed.

    Parameters
    ----------
    tune : Rows
        Rows of weight 1.
    targets : sequence of float
    buckets : sequence of int
        Numbers of uncertainty buckets, for those that can have several thresholds.
    confidence : float
        Of MAPIE's guarantee.

    Returns
    -------
    list of Way
    """
    absent = {method for methods in missing().values() for method in methods}
    ways = [_tuned_classifier(tune, targets)]
    if "venn_abers" not in absent:
        ways += [_venn_abers(tune, targets, k) for k in buckets]
    if "mapie_one" not in absent:
        ways.append(mapie_one(tune, targets, confidence))
        ways += [mapie_buckets(tune, targets, k, confidence) for k in buckets if 1 < k <= MOST_BUCKETS]
    return ways


class GivenScore(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose probability is its one feature."""

    def fit(self, x: Floats, y: Any) -> GivenScore:
        """Learn nothing."""
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, x: Floats) -> Floats:
        """Return both probabilities, shape (n, 2)."""
        return np.stack([1 - x[:, 0], x[:, 0]], axis=1)

    def predict(self, x: Floats) -> np.ndarray:
        """Return the likelier class."""
        return (x[:, 0] >= 0.5).astype(np.int64)


def constrained_recall(target: float) -> Callable[[Any, Any], float]:
    """Score predictions by their recall, 0 where their precision is below the target."""
    sigma = precision_fraction(target)

    def score(y_true: Any, y_pred: Any) -> float:
        won, taken = int(np.count_nonzero(y_true & y_pred)), int(np.count_nonzero(y_pred))
        return won / max(int(np.count_nonzero(y_true)), 1) if sigma.denominator * won >= sigma.numerator * taken else 0

    return score


def tuned_threshold(score: Floats, label: np.ndarray, metric: Callable[..., float], thresholds: Any) -> float:
    """Return the threshold of `TunedThresholdClassifierCV` on given scores; infinite if its metric is 0 everywhere.

    Parameters
    ----------
    score, label : ndarray of shape (n,)
    metric : callable
        Labels and predictions to a number.
    thresholds : int or ndarray
        As that class takes them.

    Returns
    -------
    float
    """
    from sklearn.metrics import make_scorer

    tuned = TunedThresholdClassifierCV(
        GivenScore().fit(score[:, None], label),
        scoring=make_scorer(metric),
        thresholds=thresholds,
        cv="prefit",
        refit=False,
    ).fit(score[:, None], label)
    return float(tuned.best_threshold_) if tuned.best_score_ > 0 else float("inf")


def _tuned_classifier(tune: Rows, targets: Sequence[float]) -> Way:
    """Search 100 thresholds, as scikit-learn does by default, with a lean metric."""
    start = time.process_time()
    found = {target: tuned_threshold(tune.score, tune.label, constrained_recall(target), 100) for target in targets}
    seconds = (time.process_time() - start) / len(targets)
    select = {target: _score_above(threshold) for target, threshold in found.items()}
    return Way(method="tuned_classifier", buckets=1, seconds=seconds, select=select, order=None)


def _score_above(threshold: float) -> Callable[[Rows], Bools]:
    """Select scores from a threshold on."""
    return lambda rows: rows.score >= threshold


def _venn_abers(tune: Rows, targets: Sequence[float], buckets: int) -> Way:
    """Take the lower of both calibrated probabilities as score, fitted bucket by bucket."""
    module = importlib.import_module("venn_abers")
    start = time.process_time()
    edges = uncertainty_edges(tune.uncertainty, buckets, tune.weight)
    bucket = assign_buckets(tune.uncertainty, edges)
    fitted = {
        int(k): module.VennAbers().fit(_both(tune.score[bucket == k]), tune.label[bucket == k])
        for k in np.unique(bucket)
    }

    def score(rows: Rows) -> Floats:
        found = np.zeros(rows.score.size)
        place = assign_buckets(rows.uncertainty, edges)
        for k, model in fitted.items():
            inside = place == k
            if inside.any():
                found[inside] = model.predict_proba(_both(rows.score[inside]))[1][:, 0]
        return found

    spent = time.process_time() - start
    return one_threshold("venn_abers", score, tune, targets, buckets=buckets, spent=spent)


def _both(score: Floats) -> Floats:
    """Return the probabilities of both classes, shape (n, 2)."""
    return np.stack([1 - score, score], axis=1)


def mapie_one(tune: Rows, targets: Sequence[float], confidence: float) -> Way:
    """Control precision with one threshold out of MAPIE's 100 default candidates; parameters as `mapie_buckets`.

    Candidates above every score are left out: a single one that selects nothing has no p-value, and then none passes.
    """
    start = time.process_time()
    candidates = CANDIDATES[CANDIDATES <= tune.score.max()]
    select = {}
    for target in targets:
        found = _calibrated(
            _controller(target, confidence, _default_predict, candidates), tune.score[:, None], tune.label
        )
        select[target] = _score_above(float("inf") if found is None else float(found[0]))
    seconds = (time.process_time() - start) / len(targets)
    return Way(method="mapie_one", buckets=1, seconds=seconds, select=select, order=None)


def _default_predict(x: Floats) -> Floats:
    """Return both probabilities of a given score."""
    return _both(x[:, 0])


@dataclass(frozen=True, slots=True)
class BucketThresholds:
    """Predict by the threshold of a row's bucket; columns are score and bucket."""

    def __call__(self, x: Floats, *thresholds: float) -> np.ndarray:
        """Return 0 or 1 per row."""
        return (x[:, 0] >= np.asarray(thresholds, dtype=float)[x[:, 1].astype(np.int64)]).astype(np.int8)


def mapie_buckets(
    tune: Rows, targets: Sequence[float], buckets: int, confidence: float, *, seed: int | None = None
) -> Way:
    """Control precision with a threshold per bucket.

    Parameters
    ----------
    tune : Rows
        Rows of weight 1.
    targets : sequence of float
    buckets : int
    confidence : float
    seed : int, optional
        Seed of the halves of the split fixed sequence, which learns on one half of the units and tests on the other;
        none: Bonferroni-Holm on all rows, which is MAPIE's default.

    Returns
    -------
    Way
    """
    start = time.process_time()
    edges = uncertainty_edges(tune.uncertainty, buckets, tune.weight)
    bucket = assign_buckets(tune.uncertainty, edges)
    x = np.stack([tune.score, bucket.astype(float)], axis=1)
    vectors = candidate_vectors(tune.score, bucket)
    select = {}
    for target in targets:
        controller = _controller(target, confidence, BucketThresholds(), vectors, sequence=seed is not None)
        kept = np.ones(tune.label.size, dtype=bool)
        if seed is not None:
            kept = tune.split_units(2, generator(seed, "benchmark", "uncertainty", "mapie")) == 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                controller.learn_fixed_sequence_order(x[~kept], tune.label[~kept], binary=True)
        found = _calibrated(controller, x[kept], tune.label[kept])
        select[target] = _bucket_above(edges, np.full(edges.size + 1, np.inf) if found is None else found)
    seconds = (time.process_time() - start) / len(targets)
    method = "mapie_buckets" if seed is None else "mapie_sequence"
    return Way(method=method, buckets=buckets, seconds=seconds, select=select, order=None)


def candidate_vectors(score: Floats, bucket: np.ndarray) -> Floats:
    """Combine the candidate thresholds of all buckets.

    Parameters
    ----------
    score : ndarray of shape (n,), float64
    bucket : ndarray of shape (n,), int64
        0 .. K - 1, each of them present.

    Returns
    -------
    ndarray of shape (8 ** K or fewer, K), float64
        Every bucket's thresholds select `TAIL_SHARES` of its rows.
    """
    parts = [
        np.unique(np.quantile(score[bucket == k], 1 - np.array(TAIL_SHARES), method="higher"))
        for k in range(int(bucket.max()) + 1)
    ]
    return np.array(list(itertools.product(*parts)))


def _bucket_above(edges: Floats, thresholds: Floats) -> Callable[[Rows], Bools]:
    """Select what reaches the threshold of its bucket."""
    return lambda rows: rows.score >= thresholds[assign_buckets(rows.uncertainty, edges)]


def _controller(
    target: float, confidence: float, predict: Callable[..., Any], candidates: Floats, *, sequence: bool = False
) -> Any:
    """Set up MAPIE's controller of precision."""
    control = importlib.import_module("mapie.risk_control")
    own = {"fwer_method": "split_fixed_sequence"} if sequence else {}
    return control.BinaryClassificationController(
        predict,
        "precision",
        target_level=float(target),
        confidence_level=confidence,
        list_predict_params=candidates,
        **own,
    )


def _calibrated(controller: Any, x: Floats, label: np.ndarray) -> Floats | None:
    """Return the thresholds that the controller chooses, or None if it finds none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        controller.calibrate(x, label)
    found = controller.best_predict_param
    return None if found is None else np.atleast_1d(np.asarray(found, dtype=float))
