"""Scores sorted once and evaluated under many row weightings, in linear time each."""

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.inputs import Floats, labels, vector


class SortedScores:
    """Scores sorted once, to be evaluated under many row weightings.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_score : array-like of shape (n_samples,), higher means more likely 1

    Raises
    ------
    DataError
        If lengths differ, a label is not 0 or 1, or a score is missing.

    Notes
    -----
    The methods return NaN silently where one class has no weight, because a bootstrap replicate may
    well lack a class; `roc_auc` and `average_precision` warn. Weights are trusted here.

    Examples
    --------
    >>> scores = SortedScores([0, 1, 1], [0.2, 0.2, 0.7])
    >>> scores.roc_auc(np.array([1.0, 1.0, 1.0])), scores.roc_auc(np.array([1.0, 0.0, 2.0]))
    (0.75, 1.0)
    """

    def __init__(self, y_true: ArrayLike, y_score: ArrayLike) -> None:
        truth = labels(y_true)
        score = vector("y_score", y_score, length=truth.size)
        # Level 0 is the highest score; equal scores share a level, so ties are exact.
        _, level = np.unique(-score, return_inverse=True)
        self.n_samples = truth.size
        self._n_levels = int(level.max()) + 1 if truth.size else 0
        self._positive = np.flatnonzero(truth == 1)
        self._negative = np.flatnonzero(truth == 0)
        self._positive_level = level[self._positive]
        self._negative_level = level[self._negative]

    def roc_auc(self, sample_weight: Floats | None = None) -> float:
        """Return the weighted area under the ROC curve; NaN if a class has no weight."""
        positive, negative = self._level_weights(sample_weight)
        total = float(positive.sum()) * float(negative.sum())
        if total == 0:
            return float("nan")
        above = np.cumsum(positive) - positive / 2
        return float(above @ negative) / total

    def average_precision(self, sample_weight: Floats | None = None) -> float:
        """Return the weighted average precision; NaN if a class has no weight."""
        positive, negative = self._level_weights(sample_weight)
        total = float(positive.sum())
        if total == 0 or not negative.any():
            return float("nan")
        true_positive = np.cumsum(positive)
        selected = true_positive + np.cumsum(negative)
        precision = np.divide(true_positive, selected, out=np.zeros_like(selected), where=selected > 0)
        return float(positive @ precision) / total

    def _level_weights(self, sample_weight: Floats | None) -> tuple[Floats, Floats]:
        """Weight of positives and of negatives at each level, from the highest score down."""
        weight = np.ones(self.n_samples) if sample_weight is None else sample_weight
        size = self._n_levels
        positive = np.bincount(self._positive_level, weight[self._positive], minlength=size)
        negative = np.bincount(self._negative_level, weight[self._negative], minlength=size)
        return positive.astype(np.float64), negative.astype(np.float64)


def rank_quality(y_true: ArrayLike, y_score: ArrayLike, sample_weights: Floats) -> Floats:
    """Return ROC AUC and average precision under several row weightings, from one sort and one pass for all.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_score : array-like of shape (n_samples,), higher means more likely 1
    sample_weights : ndarray of shape (k, n_samples), >= 0
        Trusted, like the weights of `SortedScores`, whose values these are.

    Returns
    -------
    ndarray of shape (k, 2), float64
        NaN where a class has no weight.

    Raises
    ------
    DataError
        If lengths differ, a label is not 0 or 1, or a score is missing.

    Examples
    --------
    >>> rank_quality([0, 1, 1], [0.2, 0.2, 0.7], np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 2.0]])).tolist()
    [[0.75, 0.8333333333333333], [1.0, 1.0]]
    """
    truth = labels(y_true)
    score = vector("y_score", y_score, length=truth.size)
    order = np.argsort(-score)
    ranked = score[order]
    first = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))  # equal scores share a level
    weight = sample_weights[:, order]
    positive = np.add.reduceat(weight * truth[order], first, axis=1)
    negative = np.add.reduceat(weight * (1.0 - truth[order]), first, axis=1)
    true_positive, false_positive = np.cumsum(positive, axis=1), np.cumsum(negative, axis=1)
    total, other = true_positive[:, -1], false_positive[:, -1]
    selected = true_positive + false_positive
    with np.errstate(invalid="ignore", divide="ignore"):
        auc = ((true_positive - positive / 2) * negative).sum(axis=1) / (total * other)
        precision = np.where(selected > 0, true_positive / selected, 0.0)
        average = (positive * precision).sum(axis=1) / total
    return np.where(((total > 0) & (other > 0))[:, np.newaxis], np.column_stack((auc, average)), np.nan)
