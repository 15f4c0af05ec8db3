"""Which rows each method trains on as of the snapshot, and with which weights: NumPy only, no network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.delay import weights
from engine.delay.data import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Rows of one method: arrays of shape (n_rows,); an exposure may come more than once."""

    exposure: np.ndarray
    """Row of the exposure in the prepared arrays."""
    positive: np.ndarray
    """Weight of the label 1, >= 0."""
    negative: np.ndarray
    """Weight of the label 0, >= 0; both are positive where the label is soft."""
    own_weight: bool = False
    """FNW: the two columns are labels, and the weight follows from the model's own probability."""
    clipped_share: float = 0.0
    """Share of the weights that hit `max_weight`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the auxiliary models, fitted on matured rows, say of every exposure: shape (n_rows,), in [0, 1]."""

    late: np.ndarray
    """p_dp(x) = P(converts after the waiting window)."""
    flip_at_waiting: np.ndarray
    """1 - p_rn(x) at the waiting window, without signals."""
    flip_plain: np.ndarray
    """1 - p_rn(x) at the exposure's own age on the snapshot day, without signals."""
    flip_signals: np.ndarray
    """1 - p_rn(x, a) at that age, given the engagement state."""


def streams(prepared: Prepared, outlook: Outlook, *, max_weight: float) -> dict[str, Stream]:
    """Build the training rows of every method.

    Everything but `oracle` follows from what was visible on the snapshot day: its labels are conversions seen by
    then, and the auxiliary models know matured exposures alone.

    Parameters
    ----------
    prepared : Prepared
    outlook : Outlook
    max_weight : float, >= 1
        Weights above are clipped.

    Returns
    -------
    dict of str to Stream
        In the order of `engine.delay.config.METHODS`.

    Notes
    -----
    *oracle*: every exposure with its final label. *wait*: exposures whose window is over; a limited training
    window is shifted back by W. *vanilla*: exposures older than the waiting window with the label so far.
    *fnw*, *es_dfm*: the rows that their streams had emitted by the snapshot day. *exact_joint*, *dress_style*: one
    row per exposure of *vanilla*, its label so far weighted by w+ = 1, w- = p_rn at its own age, and the
    conversion still pending by 1 - p_rn; without and with the engagement state.
    """
    train = np.flatnonzero(prepared.train)
    recent = train[prepared.time[train] >= prepared.start]
    read = recent[prepared.age[recent] >= prepared.waiting[recent]]
    shifted = train[prepared.time[train] >= prepared.start - prepared.window[train]]
    return {
        "oracle": _labelled(recent, prepared.label[recent]),
        "wait": _labelled(shifted[prepared.matured[shifted]], prepared.seen[shifted[prepared.matured[shifted]]]),
        "vanilla": _labelled(read, prepared.seen[read]),
        "fnw": _fnw(prepared, train),
        "es_dfm": _es_dfm(prepared, train, outlook, max_weight),
        "exact_joint": _soft(prepared, read, outlook.flip_plain[read], max_weight),
        "dress_style": _soft(prepared, read, outlook.flip_signals[read], max_weight),
    }


def _labelled(rows: np.ndarray, label: np.ndarray) -> Stream:
    """Give every row one label with weight 1."""
    positive = np.asarray(label, dtype=np.float64)
    return Stream(exposure=rows, positive=positive, negative=1.0 - positive)


def _late_rows(prepared: Prepared, train: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return exposures whose conversion came later than `after` days and was emitted in the training window."""
    delay = prepared.delay[train]
    arrived = prepared.seen[train] & (delay > after[train])
    # Streams are ordered by emission: a late conversion belongs to the day on which it came.
    return train[arrived & (prepared.time[train] + np.where(arrived, delay, 0.0) >= prepared.start)]


def _fnw(prepared: Prepared, train: np.ndarray) -> Stream:
    """Emit a negative at the exposure and a positive at every conversion."""
    first = train[prepared.time[train] >= prepared.start]
    late = _late_rows(prepared, train, np.full(prepared.time.size, -1.0))
    label = np.concatenate((np.zeros(first.size), np.ones(late.size)))
    return Stream(exposure=np.concatenate((first, late)), positive=label, negative=1.0 - label, own_weight=True)


def _es_dfm(prepared: Prepared, train: np.ndarray, outlook: Outlook, max_weight: float) -> Stream:
    """Emit the label at the waiting window, and a positive at every later conversion."""
    due = prepared.time[train] + prepared.waiting[train]
    first = train[(prepared.age[train] >= prepared.waiting[train]) & (due >= prepared.start)]
    late = _late_rows(prepared, train, prepared.waiting)
    exposure = np.concatenate((first, late))
    by_then = prepared.delay[first] <= prepared.waiting[first]
    label = np.concatenate((by_then.astype(np.float64), np.ones(late.size)))
    pair = weights.es_dfm(outlook.late[exposure], 1.0 - outlook.flip_at_waiting[exposure])
    return _weighted(exposure, label * pair[0], (1.0 - label) * pair[1], max_weight)


def _soft(prepared: Prepared, rows: np.ndarray, flip: np.ndarray, max_weight: float) -> Stream:
    """Weight the label so far exactly, and add the conversion that may still come."""
    seen = prepared.seen[rows].astype(np.float64)
    # A matured negative is final: its real-negative share is 1 whatever the flip model says.
    p_rn = np.where(prepared.matured[rows], 1.0, 1.0 - flip)
    positive, negative = weights.exact_joint(p_rn)
    pending = (1.0 - seen) * weights.pending_positive(p_rn)
    return _weighted(rows, seen * positive + pending, (1.0 - seen) * negative, max_weight)


def _weighted(exposure: np.ndarray, positive: np.ndarray, negative: np.ndarray, max_weight: float) -> Stream:
    """Clip the weights and note how many were above the limit."""
    every = np.concatenate((positive[positive > 0], negative[negative > 0]))
    return Stream(
        exposure=exposure,
        positive=np.minimum(positive, max_weight),
        negative=np.minimum(negative, max_weight),
        clipped_share=float(np.mean(every > max_weight)) if every.size else 0.0,
    )
