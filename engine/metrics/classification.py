"""Metrics of binary classifiers: ranking quality, probability quality and decision counts.

All take the truth first and optional row weights. For a bootstrap use what needs no second pass over the
rows' order or checks: `SortedScores` (one sort, then linear time per weighting) and `log_loss_terms`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.inputs import (
    Floats,
    labels,
    probabilities,
    reject,
    require,
    undefined,
    vector,
    weighted_mean,
    weights,
)
from engine.metrics.ordering import SortedScores

__all__ = [
    "ConfusionCounts",
    "SortedScores",
    "average_precision",
    "brier_score",
    "calibration_ratio",
    "confusion_counts",
    "log_loss",
    "log_loss_terms",
    "roc_auc",
]

ONE_CLASS = "the weighted rows hold one class only"


def roc_auc(y_true: ArrayLike, y_score: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the chance that a random positive scores above a random negative, ties counting half.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_score : array-like of shape (n_samples,), higher means more likely 1
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    float in [0, 1]
        NaN with `UndefinedMetricWarning` if only one class carries weight.

    Raises
    ------
    DataError
        If lengths differ or a value is not allowed; names the first bad row.

    Examples
    --------
    >>> roc_auc([0, 1, 1, 0], [0.1, 0.8, 0.4, 0.4])
    0.875
    """
    scores = SortedScores(y_true, y_score)
    value = scores.roc_auc(weights(sample_weight, scores.n_samples))
    return undefined("roc_auc", ONE_CLASS) if np.isnan(value) else value


def average_precision(y_true: ArrayLike, y_score: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the step-wise area under the precision-recall curve.

    AP = sum over distinct scores, from the highest, of (recall_i - recall_(i-1)) * precision_i

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_score : array-like of shape (n_samples,), higher means more likely 1
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    float in (0, 1]
        NaN with `UndefinedMetricWarning` if only one class carries weight (scikit-learn gives 0
        without positives and 1 without negatives: neither says anything about the scores).

    Raises
    ------
    DataError
        If lengths differ or a value is not allowed; names the first bad row.

    Examples
    --------
    >>> average_precision([1, 0, 1], [0.9, 0.5, 0.5])
    0.8333333333333333
    """
    scores = SortedScores(y_true, y_score)
    value = scores.average_precision(weights(sample_weight, scores.n_samples))
    return undefined("average_precision", ONE_CLASS) if np.isnan(value) else value


def log_loss_terms(y_true: ArrayLike, y_prob: ArrayLike, eps: float = 1e-7) -> Floats:
    """Return each row's log loss, -log of the probability given to what happened.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
        Probability of 1, clipped to [eps, 1 - eps].
    eps : float, in (0, 0.5)
        The default is the resolution of the float32 networks that make the probabilities, so that
        one saturated row costs at most 16.1 instead of infinity.

    Returns
    -------
    ndarray of shape (n_samples,), float64, nats, >= 0

    Raises
    ------
    DataError
        If lengths differ or a value is not allowed; names the first bad row.
    ConfigError
        If eps is not between 0 and 0.5.

    Examples
    --------
    >>> log_loss_terms([1, 0], [0.5, 0.0]).round(4)
    array([0.6931, 0.    ])
    """
    require("eps", eps, ok=0 < eps < 0.5, allowed="a value between 0 and 0.5 is needed")
    truth = labels(y_true)
    prob = np.clip(probabilities(y_prob, length=truth.size), eps, 1 - eps)
    return -np.log(np.where(truth == 1, prob, 1 - prob))


def log_loss(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    eps: float = 1e-7,
) -> float:
    """Return the mean log loss (cross-entropy) of predicted probabilities.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    sample_weight : array-like of shape (n_samples,), >= 0, optional
    eps : float, in (0, 0.5)
        Probabilities are clipped to [eps, 1 - eps]; see `log_loss_terms`.

    Returns
    -------
    float, nats, >= 0
        NaN with `UndefinedMetricWarning` if no row carries weight.

    Raises
    ------
    DataError
        If lengths differ or a value is not allowed; names the first bad row.
    ConfigError
        If eps is not between 0 and 0.5.

    Examples
    --------
    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)
    0.6931
    """
    terms = log_loss_terms(y_true, y_prob, eps)
    return weighted_mean("log_loss", terms, weights(sample_weight, terms.size))


def brier_score(y_true: ArrayLike, y_prob: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the mean squared distance between predicted probability and outcome.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    float in [0, 1]
        NaN with `UndefinedMetricWarning` if no row carries weight.

    Raises
    ------
    DataError
        If lengths differ or a value is not allowed; names the first bad row.

    Examples
    --------
    >>> brier_score([1, 0], [0.5, 1.0])
    0.625
    """
    truth = labels(y_true)
    prob = probabilities(y_prob, length=truth.size)
    return weighted_mean("brier_score", (prob - truth) ** 2, weights(sample_weight, truth.size))


def calibration_ratio(y_true: ArrayLike, y_prob: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the predicted number of positives divided by the observed number.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    float, >= 0
        Below 1 the model promises too little, above 1 too much; 1 does not yet mean calibrated in
        every segment. NaN with `UndefinedMetricWarning` if no positive carries weight.

    Raises
    ------
    DataError
        If lengths differ or a value is not allowed; names the first bad row.

    Examples
    --------
    >>> calibration_ratio([1, 0, 0], [0.5, 0.5, 0.5])
    1.5
    """
    truth = labels(y_true)
    prob = probabilities(y_prob, length=truth.size)
    weight = weights(sample_weight, truth.size)
    observed = float(weight @ truth)
    if observed == 0:
        return undefined("calibration_ratio", "no observed positive carries weight")
    return float(weight @ prob) / observed


class ConfusionCounts(NamedTuple):
    """Weighted counts of the four outcomes of a decision, with the rates that follow from them."""

    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float

    @property
    def precision(self) -> float:
        """Share of selected rows that are positive; NaN if nothing is selected."""
        return _share(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """Share of positive rows that are selected; NaN if there is no positive."""
        return _share(self.true_positive, self.true_positive + self.false_negative)

    @property
    def coverage(self) -> float:
        """Share of all rows that are selected; NaN if there are no rows."""
        return _share(self.true_positive + self.false_positive, sum(self))


def confusion_counts(y_true: ArrayLike, decision: ArrayLike, sample_weight: ArrayLike | None = None) -> ConfusionCounts:
    """Count the outcomes of a yes/no decision.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    decision : array-like of shape (n_samples,), 0 or 1 (or bool)
        1 where the row is selected.
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    ConfusionCounts
        Floats, summing to the total weight.

    Raises
    ------
    DataError
        If lengths differ or a value is not allowed; names the first bad row.

    Examples
    --------
    >>> counts = confusion_counts([1, 1, 0, 0], [1, 0, 1, 0])
    >>> counts.precision, counts.recall
    (0.5, 0.5)
    """
    truth = labels(y_true)
    chosen = vector("decision", decision, length=truth.size)
    reject("decision", chosen, (chosen != 0) & (chosen != 1), "decisions are 0 or 1")
    weight = weights(sample_weight, truth.size)
    return ConfusionCounts(
        true_positive=float(weight @ (truth * chosen)),
        false_positive=float(weight @ ((1 - truth) * chosen)),
        false_negative=float(weight @ (truth * (1 - chosen))),
        true_negative=float(weight @ ((1 - truth) * (1 - chosen))),
    )


def _share(part: float, whole: float) -> float:
    """Part of a whole; NaN if the whole is empty."""
    return part / whole if whole > 0 else float("nan")
