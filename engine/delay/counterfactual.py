"""What earlier exposures say about labels to come: look at them from a day in the past, and again from the snapshot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.delay.data import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterfactualRows:
    """Training exposures that existed at the pretended deadline T - tau: arrays of shape (n,)."""

    exposure: np.ndarray
    elapsed: np.ndarray
    """Age at the deadline, days, >= 0."""
    moved: np.ndarray
    """Day on which an exposure of this age at the snapshot came: its own day plus tau."""
    by_deadline: np.ndarray
    """Whether the conversion was visible at the deadline."""
    by_snapshot: np.ndarray
    """Whether it was visible on the snapshot day T. Nothing later is looked at."""


def counterfactual_rows(prepared: Prepared, *, days: float | None) -> CounterfactualRows:
    """Return the training exposures before a deadline in the past, with what was visible then and is now.

    Parameters
    ----------
    prepared : Prepared
    days : float, optional
        tau, days from the snapshot back to the deadline. None: the window of each exposure, so that what is visible
        on the snapshot day is its final label.

    Returns
    -------
    CounterfactualRows

    Notes
    -----
    The labels are those of FSIW (Yasui et al. 2020), read as of the snapshot: "never converted" means by the snapshot
    day. With tau below the window, conversions that take longer count as none, which biases every method
    built on them towards too few conversions; published runs take 5 to 7 days of a window of 30.
    """
    back = prepared.window if days is None else np.full(prepared.time.size, days)
    elapsed = prepared.age - back
    rows = np.flatnonzero(prepared.train & (elapsed >= 0))
    return CounterfactualRows(
        exposure=rows,
        elapsed=elapsed[rows],
        moved=prepared.time[rows] + back[rows],
        by_deadline=prepared.delay[rows] <= elapsed[rows],
        by_snapshot=prepared.seen[rows],
    )
