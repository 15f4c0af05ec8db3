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
    n = round(cells.total)
    if cells.distinct < size:
        return _nothing(law, n, f"events at {cells.distinct} distinct times cannot fix {size} parameters")
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
    """Counts by bounds, apart for intervals, exact times and rows still waiting."""

    start: Floats
    """Log of the start of every interval, -inf at 0."""
    end: Floats
    in_interval: Floats
    """Rows of the intervals."""
    moment: Floats
    """Log of every exact time."""
    at_moment: Floats
    since: Floats
    """Log of the time up to which every waiting row had no event."""
    waiting: Floats
    middle: float
    """Mean time of the events, taken at the middle of their intervals."""
    distinct: int
    """Distinct times of events."""

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
        low, high, rows = (part[rows > 0] for part in (low, high, rows))
        seen, exact = np.isfinite(high), low == high
        wide = seen & ~exact
        with np.errstate(divide="ignore"):
            logs, ends = np.log(low), np.log(high)
        return cls(
            start=logs[wide],
            end=ends[wide],
            in_interval=rows[wide],
            moment=logs[exact],
            at_moment=rows[exact],
            since=logs[~seen],
            waiting=rows[~seen],
            middle=float(np.average((low[seen] + high[seen]) / 2, weights=rows[seen])) if seen.any() else np.nan,
            distinct=len(np.unique(high[seen])),
        )

    @property
    def events(self) -> float:
        """Rows with an event."""
        return float(self.in_interval.sum() + self.at_moment.sum())

    @property
    def total(self) -> float:
        """All rows."""
        return self.events + float(self.waiting.sum())

    def log_likelihood(self, theta: Floats) -> tuple[float, Floats]:
        """Return log L and its gradient at (logit p, log scale[, log shape])."""
        shape = float(np.exp(theta[2])) if len(theta) == 3 else 1.0
        share = float(special.expit(theta[0]))
        events = (self._intervals(theta[1], shape), self._moments(theta[1], shape))
        value, *slopes = np.sum((*events, self._waiting(theta[0], theta[1], shape)), axis=0)
        value += self.events * float(special.log_expit(theta[0]))
        # An event moves logit p by 1 - p, a waiting row by its chance to convert yet, less p.
        slopes[0] += self.events - self.total * share
        return float(value), np.array(slopes[: len(theta)])

    def _intervals(self, log_scale: float, shape: float) -> tuple[float, float, float, float]:
        """Return log(S0(l) - S0(u)) and its slopes by logit p (here 0), log scale and log shape."""
        low, low_rate = _hazard(self.start, log_scale, shape)
        high, high_rate = _hazard(self.end, log_scale, shape)
        # Far from the optimum both hazards can round to one number.
        step = np.maximum(high - low, 1e-100)
        with np.errstate(over="ignore"):
            pull = 1.0 / np.expm1(step)
        rows = self.in_interval
        return (
            float(rows @ (np.log(-np.expm1(-step)) - low)),
            0.0,
            float(rows @ (pull * (low - high) + low)) * shape,
            float(rows @ (pull * (high_rate - low_rate) - low_rate)),
        )

    def _moments(self, log_scale: float, shape: float) -> tuple[float, float, float, float]:
        """Return log f0(t) and its slopes."""
        hazard, rate = _hazard(self.moment, log_scale, shape)
        power, rows = shape * (self.moment - log_scale), self.at_moment
        return (
            float(rows @ (np.log(shape) + power - self.moment - hazard)),
            0.0,
            float(rows @ (hazard - 1.0)) * shape,
            float(rows @ (1.0 + power - rate)),
        )

    def _waiting(self, logit: float, log_scale: float, shape: float) -> tuple[float, float, float, float]:
        """Return log(1 - p + p S0(l)) and its slopes."""
        hazard, rate = _hazard(self.since, log_scale, shape)
        # The chance that a waiting row will convert.
        later, rows = special.expit(logit - hazard), self.waiting
        value = np.logaddexp(special.log_expit(-logit), special.log_expit(logit) - hazard)
        return (
            float(rows @ value),
            float(rows @ later),
            float(rows @ (later * hazard)) * shape,
            -float(rows @ (later * rate)),
        )


def _hazard(log_time: Floats, log_scale: float, shape: float) -> tuple[Floats, Floats]:
    """Return the cumulative hazard H = (t / scale)^shape and H log H, its slope by log shape; both 0 at 0."""
    power = np.clip(shape * (log_time - log_scale), -200.0, 50.0)
    hazard = np.where(np.isneginf(log_time), 0.0, np.exp(power))
    return hazard, hazard * power


def _maximise(cells: _Cells, size: int) -> Floats:
    """Climb from several starts, since the likelihood need not have one peak, and polish by Newton steps."""
    rate = float(np.clip(cells.events / cells.total, 1e-6, 1 - 1e-6))

    def loss(theta: Floats) -> tuple[float, Floats]:
        value, slope = cells.log_likelihood(np.clip(theta, -40.0, 40.0))
        return -value / cells.total, -slope / cells.total

    starts = [
        np.array([special.logit(min(rate * more, 0.95)), np.log(cells.middle * longer), 0.0][:size])
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
    steps = np.eye(len(theta)) * width
    matrix = np.array([cells.log_likelihood(theta + s)[1] - cells.log_likelihood(theta - s)[1] for s in steps])
    matrix /= 2 * width
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
