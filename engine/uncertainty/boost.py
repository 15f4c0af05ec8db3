"""A second competitor of several thresholds: gradient boosted trees on (score, uncertainty)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from engine.uncertainty.grid import Floats, Ints

TREES, LEAVES, STEP = 40, 8, 0.1
LEAST_ROWS_IN_LEAF = 50
LARGEST = 1e12
MOST_ROWS = 30_000
"""Rows that the trees are grown on; of more, every second, third, ... one, which is plenty for 40 small trees."""


@dataclass(frozen=True, slots=True)
class BoostedRecalibrator:
    """Trees that rise with the score and may bend with the uncertainty."""

    trees: HistGradientBoostingClassifier

    def predict(self, score: Floats, uncertainty: Floats) -> Floats:
        """Return the recalibrated score, shape (n,), in (0, 1)."""
        found: Floats = self.trees.predict_proba(_design(score, uncertainty))[:, 1]
        return found


def fit_boosted(score: Floats, uncertainty: Floats, label: Ints, weight: Floats) -> BoostedRecalibrator:
    """Fit on tuning rows.

    Parameters
    ----------
    score, uncertainty : ndarray of shape (n,), float64
    label : ndarray of shape (n,), 0 or 1, both present
    weight : ndarray of shape (n,), rows

    Returns
    -------
    BoostedRecalibrator
        40 trees of 8 leaves, monotone in the score, without a random part.
    """
    kept = slice(None, None, -(-label.size // MOST_ROWS))
    if np.unique(label[kept]).size < np.unique(label).size:
        kept = slice(None)
    trees = HistGradientBoostingClassifier(
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        learning_rate=STEP,
        min_samples_leaf=LEAST_ROWS_IN_LEAF,
        monotonic_cst=[1, 0],
        early_stopping=False,
        random_state=0,
    )
    return BoostedRecalibrator(
        trees.fit(_design(score[kept], uncertainty[kept]), label[kept], sample_weight=weight[kept])
    )


def _design(score: Floats, uncertainty: Floats) -> NDArray[np.float64]:
    """Columns of the trees, shape (n, 2)."""
    return np.stack([score, np.clip(uncertainty, -LARGEST, LARGEST)], axis=1)
