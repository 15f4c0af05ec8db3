"""Rows that teach which unconverted exposures will yet convert: matured exposures, looked back at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.delay.data import Prepared

CLOCK_FEATURES = 4
"""Columns that `clock` adds."""
FLIP_GROUPS = ("without signals", "with signals")
"""Versions of every model of label arrival that may know the engagement state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """Matured training exposures at ages at which they had not converted: arrays of shape (n_landmarks,)."""

    exposure: np.ndarray
    elapsed: np.ndarray
    """Age looked at, days, in [0, window)."""
    engaged: np.ndarray
    """Engagement state at that age, frozen at the waiting window: 0.0 or 1.0."""
    flips: np.ndarray
    """Whether the exposure converted after that age, inside its window: 0.0 or 1.0."""


def landmarks(prepared: Prepared, *, count: int, rng: np.random.Generator) -> Landmarks:
    """Draw ages for every matured training exposure and keep those at which its label was still open.

    Parameters
    ----------
    prepared : Prepared
    count : int, >= 1
        Ages per exposure, one in each of as many equal parts of its window.
    rng : numpy.random.Generator

    Returns
    -------
    Landmarks
        Nothing in it happened after the snapshot day.
    """
    matured = np.flatnonzero(prepared.train & prepared.matured)
    exposure = np.repeat(matured, count)
    part = np.tile(np.arange(count), matured.size)
    elapsed = prepared.window[exposure] * (part + rng.random(exposure.size)) / count
    still_open = prepared.delay[exposure] > elapsed
    exposure, elapsed = exposure[still_open], elapsed[still_open]
    return Landmarks(
        exposure=exposure,
        elapsed=elapsed,
        engaged=frozen_state(prepared, exposure, elapsed),
        flips=np.isfinite(prepared.delay[exposure]).astype(np.float64),
    )


def frozen_state(prepared: Prepared, exposure: np.ndarray, elapsed: np.ndarray) -> np.ndarray:
    """Return the engagement state of exposures at an age, frozen at the waiting window: 0.0 or 1.0."""
    looked_at = np.minimum(elapsed, prepared.waiting[exposure])
    return (prepared.engage_delay[exposure] <= looked_at).astype(np.float64)


def clock(prepared: Prepared, exposure: np.ndarray, elapsed: np.ndarray) -> np.ndarray:
    """Return how far each window has run, as inputs of a network, shape (n, `CLOCK_FEATURES`), float32.

    Columns: share of the window gone by, its square root (hazards fall steeply at first), log of the days left,
    and how far engagement has been observed, min(elapsed, waiting) / waiting.
    """
    window, waiting = prepared.window[exposure], prepared.waiting[exposure]
    gone = np.clip(elapsed / window, 0.0, 1.0)
    left = np.log1p(np.maximum(window - elapsed, 0.0)) / np.log1p(window)
    watched = np.minimum(elapsed, waiting) / waiting
    return np.column_stack((gone, np.sqrt(gone), left, watched)).astype(np.float32) * 2 - 1


def flip_inputs(prepared: Prepared, exposure: np.ndarray, elapsed: np.ndarray) -> Tensor:
    """Join features, clock and engagement state, shape (n, n_features + CLOCK_FEATURES + 1), float32."""
    state = frozen_state(prepared, exposure, elapsed).astype(np.float32)[:, np.newaxis]
    return torch.from_numpy(np.hstack((prepared.x[exposure], clock(prepared, exposure, elapsed), state)))


def blind(x: Tensor) -> Tensor:
    """Hide the engagement state, the last column."""
    return torch.cat((x[..., :-1], torch.zeros_like(x[..., -1:])), dim=-1)
