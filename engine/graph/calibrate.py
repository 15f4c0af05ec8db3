"""How sure a score is of a direction, as a probability that can be checked."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.graph.data import Prepared
from engine.graph.pairs import Edges, edge_codes, is_known
from engine.graph.scoring import Scorer
from engine.metrics.calibration import wilson_interval

CONFIDENCE_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Bins of the probability given to the likelier direction."""
_STEPS = 50
_PENALTY = 1e-3


def direction_scale(difference: NDArray[np.float64]) -> float:
    """Fit the factor that turns score differences of known one-way edges into a probability.

    P(u -> v | one way) = 1 / (1 + exp(-kappa (score(u, v) - score(v, u)))), kappa by maximum likelihood with a ridge
    penalty of 0.0005 kappa² per edge. No intercept: swapping the two nodes must turn p into 1 - p.

    Parameters
    ----------
    difference : ndarray of shape (n,), float64
        score(u, v) - score(v, u) of one-way edges u -> v.

    Returns
    -------
    float
        0 without an edge or a difference. Negative if the scores point the wrong way.
    """
    scale, unit = 0.0, float(np.abs(difference).max(initial=0.0))
    if unit == 0.0:
        return scale
    # Scores of unit size keep the Newton steps on a convex loss with one unknown short.
    scaled = difference / unit
    for _ in range(_STEPS):
        wrong = 1.0 / (1.0 + np.exp(np.clip(scale * scaled, -500, 500)))
        gradient = (wrong * scaled).mean() - _PENALTY * scale / unit**2
        curvature = (wrong * (1 - wrong) * scaled**2).mean() + _PENALTY / unit**2
        scale += float(np.clip(gradient / curvature, -5, 5))
    return scale / unit


def direction_calibration(scorer: Scorer, prepared: Prepared) -> pd.DataFrame:
    """Fit direction probabilities on one-way validation edges and check them on one-way test edges.

    Parameters
    ----------
    scorer : Scorer
    prepared : Prepared

    Returns
    -------
    DataFrame
        One row per bin of the probability of the likelier direction: ``low, high`` (limits), ``predicted`` (mean in
        the bin), ``observed`` (share of edges that point that way) with ``ci_low, ci_high`` (Wilson's 95 % interval),
        ``n`` (test edges), ``scale`` (kappa, the same in
        every row), ``n_fit`` (validation edges). Empty bins stay, with NaN.
    """
    training = prepared.training
    known = np.sort(
        edge_codes(np.concatenate([training.edge_index, training.validation_edge_index], axis=1), training.num_nodes)
    )
    validation = training.validation_edge_index
    validation = validation[:, ~is_known(validation[::-1], known, training.num_nodes)]
    test = prepared.heldout.edge_index[:, prepared.heldout.is_one_way]
    fitted_on = _difference(scorer, validation)
    scale = direction_scale(fitted_on)
    probability = 1.0 / (1.0 + np.exp(np.clip(-scale * _difference(scorer, test), -500, 500)))
    # A tie names neither direction: it is right half the time.
    confidence, is_right = np.maximum(probability, 1 - probability), np.sign(probability - 0.5) / 2 + 0.5
    bins = np.clip(np.searchsorted(CONFIDENCE_EDGES, confidence, side="right") - 1, 0, len(CONFIDENCE_EDGES) - 2)
    rows = []
    for place, (low, high) in enumerate(itertools.pairwise(CONFIDENCE_EDGES)):
        inside = bins == place
        count = int(inside.sum())
        predicted = float(confidence[inside].mean()) if count else float("nan")
        observed = float(is_right[inside].mean()) if count else float("nan")
        rows.append({"low": low, "high": high, "predicted": predicted, "observed": observed, "n": count})
    table = pd.DataFrame(rows)
    right = (table["observed"].fillna(0) * table["n"]).round()
    ci_low, ci_high = wilson_interval(right, table["n"])
    return table.assign(ci_low=ci_low, ci_high=ci_high, scale=scale, n_fit=len(fitted_on))


def _difference(scorer: Scorer, edge_index: Edges) -> NDArray[np.float64]:
    """Return score(u, v) - score(v, u)."""
    forward, backward = scorer.pairs(*edge_index), scorer.pairs(*edge_index[::-1])
    return forward.astype(np.float64) - backward.astype(np.float64)
