"""Flip probabilities without features: the Kaplan-Meier curve of each segment."""

from __future__ import annotations

import numpy as np

from engine.delay.data import Prepared
from engine.metrics.survival import kaplan_meier


def flip_of_segments(prepared: Prepared) -> np.ndarray:
    """Return 1 - S(W) / S(age), the chance that an exposure without conversion yet converts, from its segment's curve.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    ndarray of shape (n_rows,), float64, in [0, 1]
        At the exposure's own age and window; 0 where the window is over. Where the segment's curve does not reach
        up to the window, its last value is carried forward, which understates the flips.

    Notes
    -----
    The curve is that of the training exposures as of the snapshot day, each followed to its conversion, its age or
    the end of its window. A segment without training exposures takes the curve of all.
    """
    train = prepared.train
    elapsed = np.clip(prepared.age, 0.0, prepared.window)
    curve = _flip(prepared, train, elapsed)
    for name in sorted(set(prepared.segment[train])):
        mine = prepared.segment == name
        curve[mine] = _flip(prepared, train & mine, elapsed[mine], rows=mine)
    return curve


def _flip(prepared: Prepared, learn: np.ndarray, elapsed: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Fit one curve and read it at the ages and windows of some rows."""
    end = np.minimum(prepared.age, prepared.window)[learn]
    seen = prepared.seen[learn]
    curve = kaplan_meier(np.where(seen, np.minimum(prepared.delay[learn], end), end), seen.astype(np.float64))
    window = prepared.window if rows is None else prepared.window[rows]
    now, then = curve.survival_at(elapsed), curve.survival_at(window)
    return np.asarray(np.where(now > 0, 1.0 - then / np.where(now > 0, now, 1.0), 0.0))
