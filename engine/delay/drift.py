"""How far conversion and its delay have moved since the exposures that have matured: two numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from engine.delay.config import SIGNIFICANT_GAIN
from engine.delay.data import Prepared

MOST_DRIFT = 3.0
"""Log odds per window, both numbers, beyond which no drift is believed: there F is hardly known apart from p."""
_MOST_EXPOSURES = 20_000
_AGES = 4
_TINY = 1e-9

SeenShare = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Exposures and elapsed days to F, each in (0, 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A drift of log odds, linear in the day of the exposure; 0 where it is not believed."""

    conversion: float
    """Change of the log odds of a conversion per mean attribution window."""
    delay: float
    """Change, per mean window, of the log odds that a conversion has come by a given age; below 0: slower."""
    gain: float
    """Nats of log likelihood that both numbers gained over no drift, whether believed or not."""
    forecast: float
    """Nats by which the same estimate, made half a window earlier, foretold the conversions since then better."""
    centre: float
    """Mean day of the matured exposures, where the drift is 0."""
    unit: float
    """Mean attribution window, days."""

    def move(self, prepared: Prepared, p: np.ndarray, seen_share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Move what matured exposures say to the day of each exposure.

        Parameters
        ----------
        prepared : Prepared
        p, seen_share : ndarray of shape (n_rows,), in (0, 1)

        Returns
        -------
        p, seen_share : ndarray of shape (n_rows,), in (0, 1)
        """
        since = (prepared.time - self.centre) / self.unit
        return expit(logit(p) + self.conversion * since), expit(logit(seen_share) + self.delay * since)


def looks(prepared: Prepared, *, back: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw ages, from the waiting window on, at which exposures are looked back at that are open on the snapshot day.

    Parameters
    ----------
    prepared : Prepared
    back : ndarray of shape (n_rows,), days, >= 0
        No look comes later than this long before the snapshot.
    rng : numpy.random.Generator

    Returns
    -------
    exposure : ndarray of shape (n,), int
        At most 20,000 exposures, four times each. Matured ones have taught p and F, which are too good there.
    elapsed : ndarray of shape (n,), days
    """
    last = prepared.age - back
    still = np.flatnonzero(prepared.train & ~prepared.matured & (last >= prepared.waiting))
    if still.size > _MOST_EXPOSURES:
        still = rng.choice(still, _MOST_EXPOSURES, replace=False)
    exposure, part = np.repeat(still, _AGES), np.tile(np.arange(_AGES), still.size)
    first = prepared.waiting[exposure]
    return exposure, first + (last[exposure] - first) * (part + rng.random(exposure.size)) / _AGES


def find_drift(prepared: Prepared, *, p: np.ndarray, seen_share: SeenShare, rng: np.random.Generator) -> Drift:
    """Find the drift under which the conversions seen so far in open exposures are the most likely.

    With s the windows since the matured exposures, a conversion has been seen at age e with probability
    sigmoid(logit p + conversion s) sigmoid(logit F(e) + delay s). The sum of these log likelihoods over the ages of
    an exposure is a composite likelihood (Varin, Reid and Firth 2011, An overview of composite likelihood methods),
    divided by their number.

    Parameters
    ----------
    prepared : Prepared
    p : ndarray of shape (n_rows,), in (0, 1)
        P(converts within the window | x[, a]) of matured exposures.
    seen_share : SeenShare
        F(e) = P(delay <= e | converts within the window, x[, a]) of matured exposures.
    rng : numpy.random.Generator

    Returns
    -------
    Drift
        Both numbers 0 unless they gain `SIGNIFICANT_GAIN`, stay within `MOST_DRIFT`, and the same estimate, made
        half a window earlier, gains as much on the conversions since then, which it would have forecast.

    Notes
    -----
    The two can be told apart because a change of conversion scales what is seen of one day at all ages alike, and a
    change of delay does not. Seasons do both without going on, hence the forecast. Nothing after the snapshot day is
    looked at.
    """
    matured = prepared.train & prepared.matured
    centre, unit = float(prepared.time[matured].mean()), float(prepared.window[prepared.train].mean())
    since, odds = (prepared.time - centre) / unit, logit(p)

    def likeliest(back: np.ndarray) -> tuple[np.ndarray, float]:
        exposure, elapsed = looks(prepared, back=back, rng=rng)
        seen, law = prepared.delay[exposure] <= elapsed, logit(seen_share(exposure, elapsed))
        return _likeliest(seen, odds[exposure], law, since[exposure])

    move, gain = likeliest(np.zeros(prepared.time.size))
    half = prepared.window / 2
    forecast = 0.0
    if gain >= SIGNIFICANT_GAIN and float(np.abs(move).max()) <= MOST_DRIFT:
        forecast = _forecast_gain(prepared, likeliest(half)[0], half, odds, seen_share, since)
    conversion, delay = move if forecast >= SIGNIFICANT_GAIN else np.zeros(2)
    return Drift(
        conversion=float(conversion), delay=float(delay), gain=gain, forecast=forecast, centre=centre, unit=unit
    )


def _likeliest(seen: np.ndarray, odds: np.ndarray, law: np.ndarray, since: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the likeliest pair of numbers and what it gains over no drift, in nats."""
    if not seen.size:
        return np.zeros(2), 0.0

    def loss(move: np.ndarray) -> float:
        share = np.clip(expit(odds + move[0] * since) * expit(law + move[1] * since), _TINY, 1.0 - _TINY)
        return -float(np.log(np.where(seen, share, 1.0 - share)).sum()) / _AGES

    # The default simplex around 0 is smaller than the tolerance.
    options = {"xatol": 1e-3, "fatol": 1e-3, "initial_simplex": [[0.0, 0.0], [0.25, 0.0], [0.0, 0.25]]}
    best = minimize(loss, np.zeros(2), method="Nelder-Mead", options=options)
    return np.asarray(best.x, dtype=np.float64), loss(np.zeros(2)) - float(best.fun)


def _forecast_gain(
    prepared: Prepared,
    move: np.ndarray,
    back: np.ndarray,
    odds: np.ndarray,
    seen_share: SeenShare,
    since: np.ndarray,
) -> float:
    """Return by how many nats a drift known a while back forecasts the conversions since then better than none."""
    then = prepared.age - back
    still = prepared.train & ~prepared.matured & (then >= prepared.waiting) & (prepared.delay > then)
    rows = np.flatnonzero(still)
    if not rows.size:
        return 0.0
    before, after = (logit(seen_share(rows, elapsed[rows])) for elapsed in (then, prepared.age))

    def score(move: np.ndarray) -> float:
        drifted = move[:, np.newaxis] * since[rows]
        p = expit(odds[rows] + drifted[0])
        first, last = (p * expit(law + drifted[1]) for law in (before, after))
        share = np.clip((last - first) / (1.0 - first), _TINY, 1.0 - _TINY)
        return float(np.log(np.where(prepared.seen[rows], share, 1.0 - share)).sum())

    return score(move) - score(np.zeros(2))
