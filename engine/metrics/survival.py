"""How long a label takes to arrive: Kaplan-Meier curves, and the share of labels yet to flip."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import DataError
from engine.metrics.inputs import Floats, confidence_level, reject, vector, weights


@dataclass(frozen=True, slots=True, kw_only=True)
class KaplanMeier:
    """A Kaplan-Meier curve: the share without event by time, as a right-continuous step.

    Arrays have shape (n_times,); times are in the unit of the durations.
    """

    time: Floats
    """Increasing times of the rows."""
    at_risk: Floats
    """Weight of the rows with duration >= time (event and censoring not before)."""
    events: Floats
    """Weight of the events after the previous time and up to this one."""
    survival: Floats
    """Share without event after this time, S(time), in [0, 1], never increasing."""
    variance: Floats
    """Greenwood's variance of `survival`; 0 where nobody is left without event."""
    greenwood: Floats
    """Greenwood's sum of d / (n (n - d)) up to time: the variance of log S; infinite at S = 0."""
    follow_up: float
    """Longest duration observed; beyond it the curve is not known unless it has reached 0."""

    def survival_at(self, times: ArrayLike) -> Floats:
        """Return S at any times: 1 before the first row, the last value carried forward."""
        return _step(self.time, self.survival, times, before=1.0)

    def greenwood_at(self, times: ArrayLike) -> Floats:
        """Return Greenwood's sum at any times: 0 before the first row, then a step."""
        return _step(self.time, self.greenwood, times, before=0.0)

    def at_risk_after(self, times: ArrayLike) -> Floats:
        """Return the weight at risk in the first row after each time; 0 beyond the last row."""
        row = np.searchsorted(self.time, np.asarray(times, dtype=np.float64), side="right")
        return np.append(self.at_risk, 0.0)[row]


def kaplan_meier(
    durations: ArrayLike,
    events: ArrayLike,
    times: ArrayLike | None = None,
    *,
    sample_weight: ArrayLike | None = None,
) -> KaplanMeier:
    """Estimate the share of rows without event by time when some are not observed to the end.

    S(t) = product over event times u <= t of (1 - d_u / n_u),
    d_u events at u, n_u rows with duration >= u (a row censored at u is still at risk at u)

    Parameters
    ----------
    durations : array-like of shape (n_samples,), >= 0
        Time from exposure to the event or to the end of observation, min(delay, age, window).
    events : array-like of shape (n_samples,), 0 or 1
        1 if the event was seen at `durations`, 0 if the row was still waiting (censored).
    times : array-like of shape (n_times,), increasing, optional
        Report the curve at these times instead of at every distinct duration (a fixed grid for a
        bootstrap). Between grid times such a curve is coarser, not wrong at them.
    sample_weight : array-like of shape (n_samples,), >= 0, optional
        Taken as counts: a weight of 2 is the row twice, in the variance too.

    Returns
    -------
    KaplanMeier

    Raises
    ------
    DataError
        If lengths differ, a value is not allowed, or no row carries weight.

    Notes
    -----
    Assumes that censoring says nothing about the delay; check by cohort, as a campaign whose recent rows convert
    more slowly breaks it. The curve need not fall to 0: its plateau is the share of rows that never have the
    event. Greenwood's variance takes rows as independent: for several rows per unit, bootstrap over units.

    References
    ----------
    Kaplan and Meier (1958), Nonparametric estimation from incomplete observations.

    Examples
    --------
    >>> kaplan_meier([1, 2, 2, 3], [1, 1, 0, 0]).survival
    array([0.75, 0.5 , 0.5 ])
    """
    duration = vector("durations", durations)
    reject("durations", duration, (duration < 0) | np.isinf(duration), "durations are finite, >= 0")
    event = vector("events", events, length=duration.size)
    reject("events", event, (event != 0) & (event != 1), "events are 0 or 1")
    weight = weights(sample_weight, duration.size)
    kept = weight > 0
    if not kept.any():
        raise DataError("`durations` holds no row with weight; a curve needs at least one.")
    distinct, row = np.unique(duration[kept], return_inverse=True)
    leaving = np.bincount(row, weight[kept])
    seen = np.bincount(row, weight[kept] * event[kept]).astype(np.float64)
    at_risk = np.cumsum(leaving[::-1])[::-1].astype(np.float64)
    curve = _curve(distinct, at_risk, seen, follow_up=float(distinct[-1]))
    return curve if times is None else _on_grid(curve, _grid(times))


def kaplan_meier_from_counts(
    time: ArrayLike, at_risk: ArrayLike, events: ArrayLike, *, follow_up: float | None = None
) -> KaplanMeier:
    """Estimate the curve from a table of counts, as an aggregate over many rows delivers it.

    Parameters
    ----------
    time : array-like of shape (n_times,), strictly increasing, >= 0
    at_risk : array-like of shape (n_times,), > 0
        Rows with duration >= time.
    events : array-like of shape (n_times,), in [0, at_risk]
        Events at that time. With binned times all events of the bin are put at its time.
    follow_up : float, >= the last time, optional
        Longest duration observed. Say it if the table lists event times only; else it is the last time.

    Returns
    -------
    KaplanMeier

    Raises
    ------
    DataError
        If lengths differ or a count is impossible; names the first bad row.

    Examples
    --------
    >>> kaplan_meier_from_counts([1, 2], [4, 3], [1, 1]).survival
    array([0.75, 0.5 ])
    """
    grid = _grid(time)
    risk = vector("at_risk", at_risk, length=grid.size)
    reject("at_risk", risk, (risk <= 0) | np.isinf(risk), "at least one row must be at risk")
    count = vector("events", events, length=grid.size)
    reject("events", count, (count < 0) | (count > risk), "events lie between 0 and `at_risk`")
    still = np.append(np.inf, (risk - count)[:-1])
    reject("at_risk", risk, risk > still * (1 + 1e-9), "at most the rows left by the previous time can be at risk")
    last = float(grid[-1]) if follow_up is None else float(follow_up)
    if not last >= grid[-1]:
        raise DataError(f"`follow_up` is {last}, before the last time {grid[-1]}; it cannot be.")
    return _curve(grid, risk, count, follow_up=last)


def log_log_interval(survival: ArrayLike, variance: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return an interval for survival shares that stays inside (0, 1).

    S ** exp(± z * sqrt(V) / (S log S)), normal on the scale log(-log S)

    Parameters
    ----------
    survival : array-like of shape (n_times,), in [0, 1]
    variance : array-like of shape (n_times,), >= 0
        Variance of `survival`, for instance Greenwood's.
    level : float, in (0, 1)

    Returns
    -------
    low, high : ndarrays of shape (n_times,), float64, in (0, 1)
        NaN where survival is 0, 1 or missing: with no event, or nobody left, the width is unknown.

    Raises
    ------
    DataError
        If shapes differ, a share lies outside [0, 1] or a variance is negative.
    ConfigError
        If level is not between 0 and 1.

    References
    ----------
    Kalbfleisch and Prentice (2002), The statistical analysis of failure time data, section 1.4.

    Examples
    --------
    >>> low, high = log_log_interval([0.5, 1.0], [0.01, 0.0])
    >>> low.round(3), high.round(3)
    (array([0.295,   nan]), array([0.675,   nan]))
    """
    share = np.asarray(survival, dtype=np.float64)
    spread = np.asarray(variance, dtype=np.float64)
    if share.shape != spread.shape:
        raise DataError(f"`variance` has shape {spread.shape}; {share.shape} is expected.")
    reject("survival", share.ravel(), ((share < 0) | (share > 1)).ravel(), "shares lie in [0, 1]")
    reject("variance", spread.ravel(), (spread < 0).ravel(), "variances are not negative")
    z = NormalDist().inv_cdf(0.5 + confidence_level(level) / 2)
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)
    reach = z * np.sqrt(np.where(inside, spread, 0.0)) / np.abs(safe * np.log(safe))
    low, high = safe ** np.exp(reach), safe ** np.exp(-reach)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def conditional_flip_rate(
    curve: KaplanMeier, elapsed: ArrayLike, horizon: float, *, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Return the share of rows, still negative after some time, that will yet turn positive.

    phi(e) = 1 - S(W) / S(e), with e the elapsed time and W the horizon (attribution window)

    Parameters
    ----------
    curve : KaplanMeier
    elapsed : array-like of shape (n_elapsed,) or a number, >= 0
        Time since exposure at which the label is read.
    horizon : float, >= 0
        Time after which an event no longer counts.
    level : float, in (0, 1)

    Returns
    -------
    value, low, high : ndarrays of the shape of `elapsed`, float64, in [0, 1]
        At `elapsed` >= `horizon` all three are exactly 0. NaN if nobody is without event at `elapsed`, or if no
        row was followed up to `horizon` (the future is not in the data). The interval alone is NaN if no event,
        or every possible one, was seen in between.

    Raises
    ------
    DataError
        If an elapsed time or the horizon is missing or negative.
    ConfigError
        If level is not between 0 and 1.

    Notes
    -----
    The curve refitted on the rows with duration > e equals S(.) / S(e), so Greenwood's sum over (e, W] is the
    variance of its logarithm; the interval is the log-log one of that curve. phi never increases in e.

    Examples
    --------
    >>> curve = kaplan_meier([1, 2, 3, 9, 9], [1, 1, 1, 0, 0])
    >>> conditional_flip_rate(curve, [0, 2], 9)[0]
    array([0.6       , 0.33333333])
    """
    since, window = np.asarray(elapsed, dtype=np.float64), np.float64(horizon)
    reject("elapsed", since.ravel(), ~(since >= 0).ravel(), "elapsed times are not negative")
    if not window >= 0:
        raise DataError(f"`horizon` is {window}; a time of at least 0 is needed.")
    start, end = curve.survival_at(since), curve.survival_at(window)
    known = window <= curve.follow_up or end == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(known & (start > 0), end / start, np.nan)
        variance = ratio**2 * (curve.greenwood_at(window) - curve.greenwood_at(since))
    low, high = log_log_interval(ratio, variance, level)
    value, low, high = np.where(since >= window, 0.0, 1 - np.stack((ratio, high, low)))
    return value, low, high


def _curve(time: Floats, at_risk: Floats, events: Floats, *, follow_up: float) -> KaplanMeier:
    """Product-limit estimate and Greenwood's sum from counts per time."""
    # Sums of unequal weights can differ by an ulp where the last row at risk has its event.
    staying = np.where(np.isclose(events, at_risk, rtol=1e-12, atol=0.0), 0.0, at_risk - events)
    survival = np.cumprod(staying / at_risk).astype(np.float64)
    with np.errstate(divide="ignore"):
        greenwood = np.cumsum(np.where(events > 0, events / (at_risk * staying), 0.0))
    variance = np.where(survival > 0, survival**2 * np.where(survival > 0, greenwood, 0.0), 0.0)
    counts = {"time": time, "at_risk": at_risk, "events": events}
    return KaplanMeier(**counts, survival=survival, variance=variance, greenwood=greenwood, follow_up=follow_up)


def _on_grid(curve: KaplanMeier, times: Floats) -> KaplanMeier:
    """Read a curve at given times."""
    seen = _step(curve.time, np.cumsum(curve.events), times, before=0.0)
    row = np.searchsorted(curve.time, times, side="left")
    return KaplanMeier(
        time=times,
        at_risk=np.append(curve.at_risk, 0.0)[row],
        events=np.diff(seen, prepend=0.0),
        survival=curve.survival_at(times),
        variance=_step(curve.time, curve.variance, times, before=0.0),
        greenwood=curve.greenwood_at(times),
        follow_up=curve.follow_up,
    )


def _grid(times: ArrayLike) -> Floats:
    """Strictly increasing, non-negative times, at least one."""
    grid = vector("time", times)
    if grid.size == 0:
        raise DataError("`time` is empty; at least one time is needed.")
    reject("time", grid, (grid < 0) | np.isinf(grid), "times are finite, >= 0")
    reject("time", grid, np.diff(grid, prepend=-1.0) <= 0, "times must strictly increase")
    return grid


def _step(time: Floats, value: Floats, at: ArrayLike, *, before: float) -> Floats:
    """Right-continuous step function through (time, value)."""
    row = np.searchsorted(time, np.asarray(at, dtype=np.float64), side="right")
    return np.concatenate(([before], value))[row]
