"""When each method's stream emits which row: exposure, label as known then, and moment of emission."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Emissions:
    """Rows of a stream in order of emission: arrays of shape (n_rows,); an exposure may come more than once."""

    exposure: np.ndarray
    """Row of the exposure in the arrays that were given."""
    label: np.ndarray
    """Label as known at the emission, 0.0 or 1.0."""
    time: np.ndarray
    """Moment of emission, in the unit of the exposure times, never decreasing."""
    first: np.ndarray
    """Whether it is the first row of its exposure, bool."""

    def between(self, start: float, end: float) -> Emissions:
        """Return the rows emitted from `start` up to, but not at, `end`."""
        low, high = np.searchsorted(self.time, (start, end), side="left")
        return Emissions(
            exposure=self.exposure[low:high],
            label=self.label[low:high],
            time=self.time[low:high],
            first=self.first[low:high],
        )


Emit = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], Emissions]
"""Exposure times, delays (inf without conversion inside the window), waiting and attribution windows to rows."""


def final_label(time: np.ndarray, delay: np.ndarray, waiting: np.ndarray, window: np.ndarray) -> Emissions:
    """Emit the final label at the exposure: the oracle's stream, the only one that sees the future.

    Parameters
    ----------
    time, delay, waiting, window : ndarrays of shape (n,)
        See `Emit`; one unit of time for all four.

    Returns
    -------
    Emissions
    """
    return _ordered((np.arange(time.size), np.isfinite(delay), time, True))


def waited_label(time: np.ndarray, delay: np.ndarray, waiting: np.ndarray, window: np.ndarray) -> Emissions:
    """Emit one row when the attribution window is over; arguments as for `final_label`."""
    return _ordered((np.arange(time.size), np.isfinite(delay), time + window, True))


def early_label(time: np.ndarray, delay: np.ndarray, waiting: np.ndarray, window: np.ndarray) -> Emissions:
    """Emit one row at the waiting window with the label so far, for good; arguments as for `final_label`."""
    return _ordered((np.arange(time.size), delay <= waiting, time + waiting, True))


def early_and_late(time: np.ndarray, delay: np.ndarray, waiting: np.ndarray, window: np.ndarray) -> Emissions:
    """Emit the label at the waiting window, and a positive at a later conversion; arguments as for `final_label`.

    Notes
    -----
    The stream of ES-DFM (Yang et al. 2021). The first row comes at exposure + waiting window and not at the
    exposure: its label is not known before.
    """
    late = np.flatnonzero(np.isfinite(delay) & (delay > waiting))
    return _ordered(
        (np.arange(time.size), delay <= waiting, time + waiting, True),
        (late, np.ones(late.size), time[late] + delay[late], False),
    )


def fake_negative(time: np.ndarray, delay: np.ndarray, waiting: np.ndarray, window: np.ndarray) -> Emissions:
    """Emit a negative at the exposure, and a positive at the conversion; arguments as for `final_label`.

    Notes
    -----
    The stream of Ktena et al. (2019), for FNW and FNC.
    """
    converts = np.flatnonzero(np.isfinite(delay))
    return _ordered(
        (np.arange(time.size), np.zeros(time.size), time, True),
        (converts, np.ones(converts.size), time[converts] + delay[converts], False),
    )


def every_label_twice(time: np.ndarray, delay: np.ndarray, waiting: np.ndarray, window: np.ndarray) -> Emissions:
    """Emit the label at the waiting window, and every exposure again once its final label is known.

    Parameters
    ----------
    time, delay, waiting, window : ndarrays of shape (n,)
        See `Emit`.

    Returns
    -------
    Emissions
        Each exposure exactly twice.

    Notes
    -----
    The stream of DEFER (Gu et al. 2021). The second row comes at the conversion, or at the end of the attribution
    window without one. A conversion inside the waiting window is final when it is first read, so both rows come
    then; the authors' code delays the second by a further window, which would only add lag.
    """
    final = np.isfinite(delay)
    settled = np.where(final, np.maximum(np.where(final, delay, 0.0), waiting), window)
    every = np.arange(time.size)
    return _ordered((every, delay <= waiting, time + waiting, True), (every, final, time + settled, False))


STREAM_OF: dict[str, Emit] = {
    "oracle": final_label,
    "wait": waited_label,
    "vanilla": early_label,
    "vanilla_win": early_and_late,
    "fnw": fake_negative,
    "fnc": fake_negative,
    "es_dfm": early_and_late,
    "exact_joint": early_and_late,
    "defer": every_label_twice,
    "defuse": early_and_late,
    "kaplan_meier": early_and_late,
    "entire_space": early_and_late,
    "dress_style": early_and_late,
}
"""Method to its stream; a frozen method has none."""


def _ordered(*parts: tuple[np.ndarray, np.ndarray, np.ndarray, bool]) -> Emissions:
    """Join (exposure, label, time, first) parts and sort them by time; first rows go first among equals."""
    exposure = np.concatenate([part[0] for part in parts])
    label = np.concatenate([np.asarray(part[1], dtype=np.float64) for part in parts])
    time = np.concatenate([part[2] for part in parts])
    first = np.concatenate([np.full(part[0].size, part[3]) for part in parts])
    order = np.argsort(time, kind="stable")
    return Emissions(exposure=exposure[order], label=label[order], time=time[order], first=first[order])
