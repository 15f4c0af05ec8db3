"""Mixture cure models: a share converts, after an exponential or a Weibull delay; the rest never does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from engine.errors import ConfigError, DataError

Law = Literal["exponential", "weibull"]
LAWS: tuple[Law, ...] = ("exponential", "weibull")
Floats = NDArray[np.float64]
_Z = 1.959963984540054
_WIDEST = 2.0
"""A standard error of logit P(ever) above this leaves odds open by a factor of about 2,500: not identified."""
_EDGE = 12.0
"""|logit P(ever)| beyond which the fit has run to 0 or 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CureFit:
    """A fitted mixture cure model, P(converted by t) = p (1 - exp(-(t / scale)^shape))."""

    law: Law
    converted: float
    """p = P(ever converts), in (0, 1); NaN if the data cannot tell."""
    converted_low: float
    converted_high: float
    scale: float
    """Scale of the delay; the mean delay if exponential."""
    shape: float
    """Weibull shape; 1 if exponential."""
    log_likelihood: float
    n: int
    reason: str
    """Why there is no fit; empty if there is one."""

    @property
    def mean_delay(self) -> float:
        """Mean delay of those that ever convert: scale Γ(1 + 1/shape)."""
        return float(self.scale * special.gamma(1.0 + 1.0 / self.shape))

    def converted_by(self, times: ArrayLike) -> Floats:
        """Return P(converted by t), NaN without a fit."""
        elapsed = np.asarray(times, dtype=np.float64)
        return np.asarray(-self.converted * np.expm1(-((elapsed / self.scale) ** self.shape)))


def fit_cure(lower: ArrayLike, upper: ArrayLike, count: ArrayLike, *, law: Law) -> CureFit:
    """Fit a mixture cure model by maximum likelihood to counts of events and of rows still waiting.

    S0(t) = exp(-(t / scale)^shape), the survival of those that ever convert; one row adds to log L
    event in (l, u]:  log p + log(S0(l) - S0(u));   event at exactly t:  log p + log f0(t);
    no event by l:  log(1 - p + p S0(l))

    Parameters
    ----------
    lower : array-like of shape (n_cells,), >= 0
        Start of the interval of the event, its exact time, or the time up to which there was none.
    upper : array-like of shape (n_cells,), >= lower
        End of the interval; equal to `lower` for an exact time, infinite if there was no event.
    count : array-like of shape (n_cells,), >= 0
        Rows with these bounds.
    law : {"exponential", "weibull"}

    Returns
    -------
    CureFit
        All values NaN, with the reason, where the data do not identify p: no event, fewer distinct times than
        parameters, p at 0 or 1, a likelihood without curvature, or a standard error of logit p above 2. The usual
        cause is a follow-up that is short against the delay: a slow conversion then looks like none.

    Raises
    ------
    DataError
        If lengths differ, a count is negative, bounds are not ordered, or an exact time is 0.
    ConfigError
        If the law is unknown.

    Notes
    -----
    With exact times, the exponential law is the delayed-feedback model without features: its loss of a positive is
    -log p - log λ + λ d, of a row unconverted at age e -log(1 - p + p exp(-λ e)), λ = 1 / scale. With bins the
    likelihood of the interval is exact; no event is moved to a mid-point. The interval of p is normal on the logit
    scale, from the inverse of the observed information at the maximum (its gradient in closed form, differenced).
    Rows count as independent: rows of one household make it too narrow.

    References
    ----------
    Boag (1949), Maximum likelihood estimates of the proportion of patients cured by cancer therapy.
    Chapelle (2014), Modeling delayed feedback in display advertising, for the exponential law with features.
    """
    if law not in LAWS:
        raise ConfigError(f"'law' is '{law}'; allowed are {', '.join(LAWS)}.")
    cells = _Cells.of(lower, upper, count)
    size = 2 if law == "exponential" else 3
    n = round(float(cells.count.sum()))
    events = cells.count[np.isfinite(cells.upper)] > 0
    distinct = len(np.unique(cells.upper[np.isfinite(cells.upper)][events]))
    if distinct < size:
        return _nothing(law, n, f"events at {distinct} distinct times cannot fix {size} parameters")
    theta = _maximise(cells, size)
    value, slope = cells.log_likelihood(theta)
    information = -_hessian(cells, theta)
    spread = _spread(information)
    if abs(theta[0]) > _EDGE:
        return _nothing(law, n, "the share that ever converts ran to 0 or 1")
    if not np.abs(slope).max() < 1e-5 * n or not spread[0] <= _WIDEST:
        return _nothing(law, n, "the follow-up is too short to tell slow conversions from none")
    low, share, high = special.expit(theta[0] + spread[0] * np.array([-_Z, 0.0, _Z]))
    return CureFit(
        law=law,
        converted=float(share),
        converted_low=float(low),
        converted_high=float(high),
        scale=float(np.exp(theta[1])),
        shape=float(np.exp(theta[2])) if size == 3 else 1.0,
        log_likelihood=float(value),
        n=n,
        reason="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Counts by bounds, and their likelihood at (logit p, log scale[, log shape])."""

    lower: Floats
    upper: Floats
    count: Floats

    @classmethod
    def of(cls, lower: ArrayLike, upper: ArrayLike, count: ArrayLike) -> _Cells:
        """Check the input and drop empty cells."""
        low, high, rows = (np.asarray(part, dtype=np.float64).ravel() for part in (lower, upper, count))
        if not low.size == high.size == rows.size:
            raise DataError(f"Bounds and counts have lengths {low.size}, {high.size} and {rows.size}; equal ones go.")
        if not (rows >= 0).all():
            raise DataError("A count is negative or missing; counts are at least 0.")
        if not ((low >= 0) & (high >= low)).all():
            raise DataError("A lower bound is negative, missing or above its upper bound; times run upwards from 0.")
        if ((high == 0) & (rows > 0)).any():
            raise DataError("An exact event time is 0, where a delay has no density; give it an interval.")
        kept = rows > 0
        return cls(lower=low[kept], upper=high[kept], count=rows[kept])

    def log_likelihood(self, theta: Floats) -> tuple[float, Floats]:
        """Return log L and its gradient."""
        shape = float(np.exp(theta[2])) if len(theta) == 3 else 1.0
        share = special.expit(theta[0])
        exact, waiting = self.lower == self.upper, np.isinf(self.upper)
        hazard_low, rate_low = _hazard(self.lower, theta[1], shape)
        hazard_high, rate_high = _hazard(np.where(waiting, 1.0, self.upper), theta[1], shape)
        # Far from the optimum both hazards can round to one number.
        step = np.where(exact | waiting, 1.0, np.maximum(hazard_high - hazard_low, 1e-100))
        later = special.expit(theta[0] - hazard_low)  # of those waiting: will convert
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            pull = 1.0 / np.expm1(step)
            density = np.log(shape) + np.log(hazard_low) - np.log(self.lower) - hazard_low
        value = np.where(
            waiting,
            np.logaddexp(special.log_expit(-theta[0]), special.log_expit(theta[0]) - hazard_low),
            special.log_expit(theta[0]) + np.where(exact, density, -hazard_low + np.log(-np.expm1(-step))),
        )
        by_low = np.where(waiting, -later, np.where(exact, -1.0, -1.0 - pull))
        by_high = np.where(waiting | exact, 0.0, pull)
        # Both hazards move by -shape H with log scale and by H log H with log shape.
        by_scale = -shape * (by_low * hazard_low + by_high * hazard_high) - np.where(exact, shape, 0.0)
        by_shape = by_low * rate_low + by_high * rate_high + np.where(exact, 1.0 + _log(hazard_low), 0.0)
        slopes = [np.where(waiting, later, 1.0) - share, by_scale, by_shape][: len(theta)]
        return float(self.count @ value), np.array([self.count @ slope for slope in slopes])


def _hazard(time: Floats, log_scale: float, shape: float) -> tuple[Floats, Floats]:
    """Return the cumulative hazard H = (t / scale)^shape and H log H, both 0 at 0."""
    hazard = np.exp(np.clip(shape * (_log(time) - log_scale), -200.0, 50.0)) * (time > 0)
    return hazard, hazard * _log(hazard)


def _log(value: Floats) -> Floats:
    """Return the logarithm, 0 at 0."""
    return np.log(np.where(value > 0, value, 1.0))


def _maximise(cells: _Cells, size: int) -> Floats:
    """Climb from several starts, since the likelihood need not have one peak, and polish by Newton steps."""
    total = cells.count.sum()
    seen = np.isfinite(cells.upper)
    middle = (cells.lower[seen] + cells.upper[seen]) / 2
    mean = float(np.average(middle, weights=cells.count[seen]))
    rate = float(np.clip(cells.count[seen].sum() / total, 1e-6, 1 - 1e-6))

    def loss(theta: Floats) -> tuple[float, Floats]:
        value, slope = cells.log_likelihood(np.clip(theta, -40.0, 40.0))
        return -value / total, -slope / total

    starts = [
        np.array([special.logit(min(rate * more, 0.95)), np.log(mean * longer), 0.0][:size])
        for more, longer in ((1.0, 1.0), (1.5, 2.0), (3.0, 4.0))
    ]
    found = [optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-6}) for start in starts]
    best = np.clip(min(found, key=lambda result: result.fun).x, -40.0, 40.0)
    for _ in range(3):
        value, slope = cells.log_likelihood(best)
        try:
            moved = best - np.linalg.solve(_hessian(cells, best), slope)
        except np.linalg.LinAlgError:
            break
        if not cells.log_likelihood(np.clip(moved, -40.0, 40.0))[0] >= value:
            break
        best = np.clip(moved, -40.0, 40.0)
    return best


def _hessian(cells: _Cells, theta: Floats) -> Floats:
    """Return second derivatives of log L by central differences of its gradient."""
    width = 1e-5
    rows = [
        (cells.log_likelihood(theta + step)[1] - cells.log_likelihood(theta - step)[1]) / (2 * width)
        for step in np.eye(len(theta)) * width
    ]
    matrix = np.array(rows)
    return np.asarray((matrix + matrix.T) / 2)


def _spread(information: Floats) -> Floats:
    """Return standard errors, NaN where the information is not positive definite."""
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= 0:
        return np.full(len(information), np.nan)
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(information))))


def _nothing(law: Law, n: int, reason: str) -> CureFit:
    """Return a fit that says why there is none."""
    unknown = float("nan")
    return CureFit(
        law=law,
        converted=unknown,
        converted_low=unknown,
        converted_high=unknown,
        scale=unknown,
        shape=unknown,
        log_likelihood=unknown,
        n=n,
        reason=reason,
    )
