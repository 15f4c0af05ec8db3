"""Which rows each method trains on as of the snapshot, and with which weights: NumPy only, no network."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from engine.delay import corrections, weights
from engine.delay.counterfactual import counterfactual_rows
from engine.delay.data import Prepared

UNWEIGHTED = ("dfm", "nndf", "esdf")
"""Methods with a loss of their own, whose rows have no weights to look at."""


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
    """FNW and DEFER: the two columns are labels, and the weight follows from the model's own probability."""
    late: np.ndarray | None = None
    """DEFER: p_dp of each row, which its weights need besides."""
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
    flip_moved: np.ndarray
    """1 - p_rn(x) at that age from conversion and delay apart, moved with their drift, see `engine.delay.law`."""
    flip_moved_signals: np.ndarray
    """The same given the engagement state."""
    engaged_share: np.ndarray
    """G(x) = P(engaged by now | engaged by the waiting window); 1 from the waiting window on."""
    flip_segment: np.ndarray
    """1 - p_rn at that age from the Kaplan-Meier curve of the segment, without features."""
    seen_counterfactual: np.ndarray
    """F(x) = P(converted by that age | converts), learned at the counterfactual deadline."""
    flip_counterfactual: np.ndarray
    """1 - p_rn(x) at that age, learned at the counterfactual deadline."""


def streams(prepared: Prepared, outlook: Outlook, *, max_weight: float) -> dict[str, Stream]:
    """Build the training rows of every method that trains on weighted labels.

    Everything but `oracle` follows from what was visible on the snapshot day: its labels are conversions seen by
    then, and the auxiliary models know no later label either.

    Parameters
    ----------
    prepared : Prepared
    outlook : Outlook
    max_weight : float, >= 1
        Weights above are clipped.

    Returns
    -------
    dict of str to Stream
        In the order of `engine.delay.config.METHODS`, without `UNWEIGHTED`.

    Notes
    -----
    *oracle*: every exposure with its final label. *wait*: exposures whose window is over; a limited training
    window is shifted back by W. *pretrained*: exposures whose window was over one window before the snapshot, see
    `_pretrained`. *vanilla*: exposures older than the waiting window with the label so far.

    The rows that a stream had emitted by the snapshot day, in the training window by day of emission: *fnw* and
    *fnc*, a negative at the exposure and a positive at every conversion; *es_dfm*, *defuse* and, without weights,
    *vanilla_win*, the label at the waiting window and a positive at every later conversion; *defer*, the label at
    the waiting window and every exposure again with its final label, at the conversion or at the end of the
    window. Exposures still pending lack their second row, so these methods carry some of the delay that their
    weights remove from a stream that runs on.

    One row per exposure of *vanilla*: *fsiw*, with the inverse of the share seen and p_rn; *exact_joint*,
    *entire_space*, *dress_style*, *ulc* and *kaplan_meier*, weighted by w+ = 1, w- = p_rn at its own age and the
    conversion still pending by 1 - p_rn. They differ in where p_rn comes from: one model of matured exposures
    (*exact_joint*), conversion and delay of matured exposures moved with their drift, without (*entire_space*) and
    with the engagement state (*dress_style*, which also takes exposures that were engaged before their waiting
    window is over), the counterfactual deadline (*ulc*), the curve of the segment (*kaplan_meier*).
    """
    train = np.flatnonzero(prepared.train)
    recent = train[prepared.time[train] >= prepared.start]
    read = recent[prepared.age[recent] >= prepared.waiting[recent]]
    # Younger exposures show their state only once they are engaged.
    known = recent[(prepared.age[recent] >= prepared.waiting[recent]) | (prepared.state[recent] > 0)]
    shifted = train[prepared.time[train] >= prepared.start - prepared.window[train]]
    running = dataclasses.replace(prepared, start=_first_emission(prepared, train))
    cut = _es_dfm_rows(running, train)
    return {
        "oracle": _labelled(recent, prepared.label[recent]),
        "pretrained": _pretrained(prepared, train),
        "wait": _labelled(shifted[prepared.matured[shifted]], prepared.seen[shifted[prepared.matured[shifted]]]),
        "vanilla": _labelled(read, prepared.seen[read]),
        "vanilla_win": _labelled(np.concatenate((cut.first, cut.late)), cut.label),
        "fnw": _fnw(running, train, own_weight=True),
        "fnc": _fnw(running, train, own_weight=False),
        "es_dfm": _es_dfm(cut, outlook, max_weight),
        "exact_joint": _soft(prepared, read, outlook.flip_plain[read], max_weight),
        "defer": _defer(running, train, cut, outlook),
        "defuse": _defuse(cut, outlook, max_weight),
        "fsiw": _fsiw(prepared, read, outlook, max_weight),
        "ulc": _soft(prepared, read, outlook.flip_counterfactual[read], max_weight),
        "kaplan_meier": _soft(prepared, read, outlook.flip_segment[read], max_weight),
        "entire_space": _soft(prepared, read, outlook.flip_moved[read], max_weight),
        "dress_style": _soft(prepared, known, outlook.flip_moved_signals[known], max_weight),
    }


def snapshot_rows(prepared: Prepared, *, counterfactual_days: float | None) -> dict[str, Stream]:
    """Build the rows of the methods that have a risk of their own instead of weighted labels.

    Parameters
    ----------
    prepared : Prepared
    counterfactual_days : float, optional
        See `engine.delay.counterfactual.counterfactual_rows`.

    Returns
    -------
    dict of str to Stream
        Keys `UNWEIGHTED`; the two columns are terms of the method's loss. *dfm*: every exposure before the snapshot
        with the label so far. *esdf*: those older than the waiting window, as engagement is read there. *nndf*: the
        rows of *dfm*, and those that converted between deadline and snapshot once more, see
        `engine.delay.losses.nonnegative_loss`; as many came in the last tau days as will come in the next, if
        exposures arrive evenly.
    """
    train = np.flatnonzero(prepared.train)
    recent = train[prepared.time[train] >= prepared.start]
    read = recent[prepared.age[recent] >= prepared.waiting[recent]]
    past = counterfactual_rows(prepared, days=counterfactual_days)
    again = past.exposure[past.by_snapshot & ~past.by_deadline & (past.moved >= prepared.start)]
    seen = np.concatenate((prepared.seen[recent].astype(np.float64), np.ones(again.size)))
    down = np.concatenate((1.0 - prepared.seen[recent], -np.ones(again.size)))
    return {
        "dfm": _labelled(recent, prepared.seen[recent]),
        "nndf": Stream(exposure=np.concatenate((recent, again)), positive=seen, negative=down),
        "esdf": _labelled(read, prepared.seen[read]),
    }


def label_weights(stream: Stream, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights that a stream trains with once its model says this; only FNW's and DEFER's depend on it.

    Parameters
    ----------
    stream : Stream
    probability : ndarray of shape (n_exposures,)
        Of the method, over all prepared exposures.

    Returns
    -------
    positive, negative : ndarrays of shape (n_rows,)
    """
    if not stream.own_weight:
        return stream.positive, stream.negative
    f = probability[stream.exposure]
    # By definition p_dp <= p; a model that says otherwise is held to it.
    up, down = weights.fnw(f) if stream.late is None else weights.defer(f, np.minimum(stream.late, f))
    return stream.positive * up, stream.negative * down


def _labelled(rows: np.ndarray, label: np.ndarray) -> Stream:
    """Give every row one label with weight 1."""
    positive = np.asarray(label, dtype=np.float64)
    return Stream(exposure=rows, positive=positive, negative=1.0 - positive)


def _pretrained(prepared: Prepared, train: np.ndarray) -> Stream:
    """Take what a model trained one window ago and then frozen would have had: exposures older than two windows.

    A limited training window is shifted back by two windows. In a log too short for that, the older half of the
    matured exposures.
    """
    window, age = prepared.window[train], prepared.age[train]
    old = train[(age >= 2 * window) & (prepared.time[train] >= prepared.start - 2 * window)]
    if not prepared.seen[old].any():
        matured = train[age >= window]
        old = matured[prepared.time[matured] <= np.median(prepared.time[matured])]
    return _labelled(old, prepared.seen[old])


def _first_emission(prepared: Prepared, train: np.ndarray) -> float:
    """Return the day from which emissions are learned from: streams run in for the first window of the log.

    Late positives of exposures before the log are missing there, as those of pending exposures are at its end; left
    out, both ends balance where exposures arrive evenly. At least the last window of emissions stays.
    """
    window = float(prepared.window[train].max())
    return max(prepared.start, min(float(prepared.time[train].min()) + window, prepared.as_of - window))


def _late_rows(prepared: Prepared, train: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return exposures whose conversion came later than `after` days and was emitted in the training window."""
    delay = prepared.delay[train]
    arrived = prepared.seen[train] & (delay > after[train])
    # Streams are ordered by emission: a late conversion belongs to the day on which it came.
    return train[arrived & (prepared.time[train] + np.where(arrived, delay, 0.0) >= prepared.start)]


def _fnw(prepared: Prepared, train: np.ndarray, *, own_weight: bool) -> Stream:
    """Emit a negative at the exposure and a positive at every conversion."""
    first = train[prepared.time[train] >= prepared.start]
    late = _late_rows(prepared, train, np.full(prepared.time.size, -1.0))
    label = np.concatenate((np.zeros(first.size), np.ones(late.size)))
    return Stream(exposure=np.concatenate((first, late)), positive=label, negative=1.0 - label, own_weight=own_weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """Rows of a stream with the label at the waiting window and a positive at every later conversion."""

    first: np.ndarray
    late: np.ndarray
    label: np.ndarray
    """Of the first rows, then of the late ones."""


def _es_dfm_rows(prepared: Prepared, train: np.ndarray) -> _Cut:
    """Emit the label at the waiting window, and a positive at every later conversion."""
    due = prepared.time[train] + prepared.waiting[train]
    first = train[(prepared.age[train] >= prepared.waiting[train]) & (due >= prepared.start)]
    late = _late_rows(prepared, train, prepared.waiting)
    by_then = prepared.delay[first] <= prepared.waiting[first]
    return _Cut(first=first, late=late, label=np.concatenate((by_then.astype(np.float64), np.ones(late.size))))


def _es_dfm(cut: _Cut, outlook: Outlook, max_weight: float) -> Stream:
    """Weight by features alone: a multiplier that knows the engagement state is biased for a model without it."""
    exposure = np.concatenate((cut.first, cut.late))
    pair = weights.es_dfm(outlook.late[exposure], 1.0 - outlook.flip_at_waiting[exposure])
    return _weighted(exposure, cut.label * pair[0], (1.0 - cut.label) * pair[1], max_weight)


def _defuse(cut: _Cut, outlook: Outlook, max_weight: float) -> Stream:
    """Split the label of every negative read at the waiting window; late positives have weight 1."""
    exposure = np.concatenate((cut.first, cut.late))
    seen, fake, real = corrections.defuse(outlook.late[exposure], outlook.flip_at_waiting[exposure])
    is_late = np.arange(exposure.size) >= cut.first.size
    positive = np.where(is_late, 1.0, np.where(cut.label > 0, seen, fake))
    return _weighted(exposure, positive, np.where(cut.label > 0, 0.0, real), max_weight)


def _defer(prepared: Prepared, train: np.ndarray, cut: _Cut, outlook: Outlook) -> Stream:
    """Add every exposure again with its final label, at its conversion or at the end of its window."""
    converted = _late_rows(prepared, train, np.full(prepared.time.size, -1.0))
    over = prepared.time[train] + prepared.window[train]
    never = train[prepared.matured[train] & ~prepared.seen[train] & (over >= prepared.start)]
    exposure = np.concatenate((cut.first, converted, never))
    label = np.concatenate((cut.label[: cut.first.size], np.ones(converted.size), np.zeros(never.size)))
    return Stream(exposure=exposure, positive=label, negative=1.0 - label, own_weight=True, late=outlook.late[exposure])


def _fsiw(prepared: Prepared, rows: np.ndarray, outlook: Outlook, max_weight: float) -> Stream:
    """Weight the label so far of every exposure; there is no second row."""
    seen = prepared.seen[rows].astype(np.float64)
    up, down = weights.fsiw(outlook.seen_counterfactual[rows], 1.0 - outlook.flip_counterfactual[rows])
    return _weighted(rows, seen * up, (1.0 - seen) * down, max_weight)


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
