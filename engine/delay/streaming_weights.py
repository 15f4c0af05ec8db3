"""Weights of the rows of a stream, from what the models of label arrival say of their exposures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.delay import corrections, weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What is known of how labels arrive after the first read: arrays of shape (n_rows,), in [0, 1]."""

    late: np.ndarray
    """p_dp(x) = P(converts after the first read)."""
    plain: np.ndarray
    """p_rn(x) = P(never converts | negative when first read)."""
    signals: np.ndarray
    """p_rn(x, a): the same given the engagement state at the first read."""
    segment: np.ndarray
    """p_rn from the Kaplan-Meier curve of the segment."""


def row_weights(
    method: str, *, label: np.ndarray, first: np.ndarray, arrival: Arrival
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of the positive and of the negative label of every row.

    Parameters
    ----------
    method : str
        Of `engine.delay.emission.STREAM_OF`.
    label : ndarray of shape (n_rows,), 0.0 or 1.0
    first : ndarray of shape (n_rows,), bool
        Whether the row is the first of its exposure.
    arrival : Arrival

    Returns
    -------
    positive, negative : ndarrays of shape (n_rows,), >= 0
        Both are positive where DEFUSE splits a negative. Methods without weights, and those whose weights depend on
        the model as it learns (FNW, DEFER), get the labels.

    Notes
    -----
    DRESS-style is exact-joint with p_rn(x, a): the engagement state is frozen at the first read and stays that of
    every later row. Its positives weigh 1, so there is nothing to copy for them but the state that picks their head.
    """
    if method == "es_dfm":
        up, down = weights.es_dfm(arrival.late, arrival.plain)
    elif method == "defuse":
        return _defuse(label, first, arrival)
    elif method in _REAL_NEGATIVES:
        up, down = weights.exact_joint(getattr(arrival, _REAL_NEGATIVES[method]))
    else:
        return label, 1.0 - label
    return label * up, (1.0 - label) * down


_REAL_NEGATIVES = {
    "exact_joint": "plain",
    "entire_space": "plain",
    "dress_style": "signals",
    "kaplan_meier": "segment",
}


def _defuse(label: np.ndarray, first: np.ndarray, arrival: Arrival) -> tuple[np.ndarray, np.ndarray]:
    """Split the label of every negative; late positives have weight 1."""
    early, fake, real = corrections.defuse(arrival.late, 1.0 - arrival.plain)
    return np.where(label > 0, np.where(first, early, 1.0), fake), (1.0 - label) * real
