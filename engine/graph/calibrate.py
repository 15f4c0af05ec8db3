"""How sure a score is of a direction, as a probability that can be checked."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from engine.graph.data import Prepared
from engine.graph.heads import one_way_validation
from engine.graph.scoring import InnerProductScorer
from engine.metrics.calibration import wilson_interval

CONFIDENCE_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Bins of the probability given to the likelier direction."""


def direction_calibration(scorer: InnerProductScorer, prepared: Prepared) -> pd.DataFrame:
    """Check the probabilities of a direction, which validation edges were used to fit, on one-way test edges.

    Parameters
    ----------
    scorer : InnerProductScorer
        With a direction head.
    prepared : Prepared

    Returns
    -------
    DataFrame
        One row per bin of the probability of the likelier direction: ``low, high`` (limits), ``predicted`` (mean in
        the bin), ``observed`` (share of edges that point that way) with ``ci_low, ci_high`` (Wilson's 95 % interval),
        ``n`` (test edges), ``n_fit`` (one-way validation edges, the same in every row). Empty bins stay, with NaN.
    """
    test = prepared.heldout.edge_index[:, prepared.heldout.is_one_way]
    logit = scorer.direction(*test).astype(np.float64)
    probability = 1.0 / (1.0 + np.exp(np.clip(-logit, -500, 500)))
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
    n_fit = one_way_validation(prepared.training).shape[1]
    return table.assign(ci_low=ci_low, ci_high=ci_high, n_fit=n_fit)
