"""Bias, variance and freshness of the current positive rate, for every waiting window and way to read labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.delay.config import DelayConfig
from engine.delay.data import Prepared
from engine.delay.tradeoff_sums import NETWORKS, Sums, kept_rows, segment_sums
from engine.seeding import generator

ESTIMATORS = ("vanilla", "wait", "kaplan_meier", "exact_joint", "dress_style")
MAX_WINDOWS = 16
"""Waiting windows that are worked out."""
_SHARES = ("value", "bias", "staleness", "variance", "error", "error_low", "error_high", "lag_days")
_HELD = "curve held fixed"
FlipOf = Callable[[np.ndarray, np.ndarray], Mapping[str, np.ndarray]]
"""Exposures and elapsed days to the flip probability of every network, as `engine.delay.auxiliary.FlipModel.flip`."""


def tradeoff_table(
    prepared: Prepared, config: DelayConfig, *, horizon_bin: int, flip_of: FlipOf | None = None
) -> pd.DataFrame:
    """Predict, as of the snapshot day, how wrong an estimate of the current positive rate is.

    Parameters
    ----------
    prepared : Prepared
    config : DelayConfig
    horizon_bin : int
        Bin in which the longest window ends.
    flip_of : callable, optional
        Flip probabilities of a network; without it there are no rows for the methods that need one.

    Returns
    -------
    DataFrame
        One row per ``segment``, ``waiting_days`` and ``estimator``: ``value``, the estimate; its ``bias``,
        ``staleness`` and ``variance``; ``error`` with ``error_low, error_high``; ``lag_days`` until the first label;
        ``rows`` behind it; ``optimum``, whether the error is the smallest of the segment's estimator, and
        ``is_apart``, whether the paired interval of what it errs more than that one lies above 0.

    Notes
    -----
    Target: the positive rate of the exposures of the last L days, L the training window but at most the longest
    attribution window. An estimator reads each label at e, at most the exposure's own window, and therefore takes
    exposures between e and e + L days old. With v the label at e:

        vanilla       mean of v
        wait          vanilla at the end of the window, one row
        others        mean of v + (1 − v) φ(e), φ = P(flips | unconverted at e) of the segment's Kaplan-Meier curve or
                      of a network, without (exact_joint) and with (dress_style) the engagement state

    Let S(e) be the Kaplan-Meier curve, p = 1 − S(W), ρ = (S(e) − S(W)) / p the share of the conversions that are
    late, b the drift of the rate per day, and A the mean age of the exposures that taught φ. To first order

        bias          vanilla −ρ p, others 0
        staleness     vanilla −(1 − ρ) b e;  others −b e − (ρ / S(e)) b (A − e − L/2)
        error²        (bias + staleness)² + variance

    The second term of the others is a stale φ: with the rate, flips become more frequent (dφ/dp = ρ / S(e)²,
    S(e) = 1 − p (1 − ρ)). In ρ p the p is that of the last L days, p + b (A − L/2).
    b is the least-squares slope of matured labels on time, taken to continue; in all of this its square is replaced by
    max(0, b² − se²), unbiased for the square of the true drift where positive, so that a slope no larger than its
    standard error counts as no drift. Drift of the delay law is not in it, nor that a network may be wrong.
    variance, se and the interval come from one bootstrap of (groups of) units and networks; a draw of b carries its
    noise twice, so twice se² is taken off there. The interval is widened to hold the point where the rule cuts it off.
    A network is not trained again in a draw; to its variance comes what learning φ adds to that of the Kaplan-Meier
    estimator (drawn with its curve, minus drawn with the curve held fixed). Differences between campaigns beyond a
    drift that is linear in time are not in it.
    """
    period = min(config.training_days or np.inf, float(prepared.window.max()))
    waiting = waiting_grid(horizon_bin, config)
    rows, share = kept_rows(prepared)
    names = sorted(set(prepared.segment[rows]))
    parts = {
        name: segment_sums(
            prepared, rows[prepared.segment[rows] == name], config, waiting, period, horizon_bin, flip_of
        )
        for name in names
    }
    return tradeoff_of(parts, waiting, period, config, share=share)


def tradeoff_of(
    parts: Mapping[str, Sums], waiting: np.ndarray, period: float, config: DelayConfig, *, share: float = 1.0
) -> pd.DataFrame:
    """Work the table of `tradeoff_table` out from sums.

    Parameters
    ----------
    parts : mapping of str to Sums
        Segment to its sums by groups of units, the same groups in all.
    waiting : ndarray of shape (windows,), days
        See `waiting_grid`.
    period : float, days
        Length L of the cohort.
    config : DelayConfig
    share : float, default 1
        Share of the exposures behind the sums.

    Returns
    -------
    DataFrame
    """
    names = sorted(parts)
    groups = next(iter(parts.values())).groups
    rng = generator(config.seed, "tradeoff")
    taken = rng.multinomial(groups, np.full(groups, 1.0 / groups), size=config.resamples).astype(np.float64)
    taken = np.vstack((np.ones(groups), taken))  # the first draw is the sample itself
    picked = _picked(parts, config.resamples, rng)
    drawn = {name: part.under(taken) for name, part in parts.items()}
    flips = {name: _estimates(part, picked) for name, part in drawn.items()}
    tables = [_segment(drawn, flips, names, waiting, period, config, share).assign(segment="all")]
    if len(names) > 1:
        tables += [_segment(drawn, flips, [n], waiting, period, config, share).assign(segment=n) for n in names]
    order = ["segment", "waiting_days", "estimator", "value", "bias", "staleness", "variance", "error"]
    order += ["error_low", "error_high", "lag_days", "rows", "optimum", "is_apart"]
    found = [table for table in tables if not table.empty]
    if not found:
        return pd.DataFrame(columns=order)
    return pd.concat(found, ignore_index=True)[order].astype(dict.fromkeys(_SHARES, np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Law:
    """How labels arrive and drift, in the sample (row 0) and in every draw: shape (draws, windows) or (draws, 1)."""

    late_share: np.ndarray
    survival: np.ndarray
    rate: np.ndarray
    curve_age: np.ndarray
    """Mean age of the exposures that the curve learned the conversions after e from."""
    matured_age: np.ndarray
    drift: np.ndarray
    """Shrunk drift of the rate per day."""


def waiting_grid(horizon_bin: int, config: DelayConfig) -> np.ndarray:
    """Return waiting windows, denser early: multiples of the step, with the setting's own and the horizon."""
    bins = np.unique(np.ceil(horizon_bin * np.linspace(0.0, 1.0, MAX_WINDOWS + 1)[1:] ** 1.7).astype(int))
    days = np.append(bins * config.step_days, config.waiting_days)
    return np.unique(days.round(9))


def _picked(parts: Mapping[str, Sums], resamples: int, rng: np.random.Generator) -> np.ndarray | None:
    """Draw networks: how often each counts, shape (1 + resamples, members), rows adding up to 1."""
    members = next(iter(parts.values())).members
    if members == 0:
        return None
    drawn = rng.multinomial(members, np.full(members, 1.0 / members), size=resamples)
    return np.vstack((np.ones(members), drawn)) / members


def _estimates(part: Sums, picked: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return the expected positives of a segment's cohort, shape (draws, windows) per estimator."""
    survival = part.survival()
    open_still = survival[:, part.bins]
    with np.errstate(invalid="ignore", divide="ignore"):
        flip = np.where(open_still > 0, 1.0 - survival[:, -1:] / open_still, 0.0)
    found = {
        "vanilla": part.seen,
        "kaplan_meier": part.seen + part.open * flip,
        _HELD: part.seen + part.open * flip[:1],
    }
    if picked is not None:
        for method, flips in part.flips.items():  # (draws, members, windows)
            found[method] = part.seen + np.einsum("dm,dme->de", picked, flips)
    return found


def _segment(
    drawn: Mapping[str, Sums],
    flips: Mapping[str, Mapping[str, np.ndarray]],
    names: list[str],
    waiting: np.ndarray,
    period: float,
    config: DelayConfig,
    share: float,
) -> pd.DataFrame:
    """Return the rows of one segment, or of all together."""
    whole = Sums.added([drawn[name] for name in names])
    lag = whole.due[0] / np.where(whole.n[0] > 0, whole.n[0], np.nan)
    law = _law(whole, period)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {name: sum(flips[part][name] for part in names) / whole.n for name in flips[names[0]]}
    known = np.isfinite(values["vanilla"]).sum(axis=0) > 2
    if not known.any():
        return pd.DataFrame(columns=["estimator", "optimum"])
    variances = {name: np.nanvar(value[1:, known], axis=0, ddof=1) * share for name, value in values.items()}
    learning = np.maximum(variances["kaplan_meier"] - variances.pop(_HELD), 0.0)
    tables = []
    for estimator, variance in variances.items():
        bias, staleness = (part[:, known] for part in _systematic(estimator, law, lag, period))
        if estimator in NETWORKS:
            variance = variance + learning
        error = np.sqrt((bias + staleness) ** 2 + variance)
        low, high = np.nanquantile(error[1:], [0.025, 0.975], axis=0)
        columns = {
            "waiting_days": waiting[known],
            "value": values[estimator][0, known],
            "bias": bias[0],
            "staleness": staleness[0],
            "variance": variance,
            "error": error[0],
            "error_low": np.fmin(low, error[0]),
            "error_high": np.fmax(high, error[0]),
            "is_apart": apart_from_best(error),
            "lag_days": lag[known],
            "rows": (whole.n[0, known] / share).round().astype(int),
        }
        table = pd.DataFrame(columns).dropna(subset="value").assign(estimator=estimator)
        tables.append(table)
        if estimator == "vanilla":
            tables.append(table[table["waiting_days"] == waiting[-1]].assign(estimator="wait"))
    found = pd.concat(tables, ignore_index=True)
    best = found.groupby("estimator")["error"].idxmin()
    return found.assign(optimum=found.index.isin(best))


def apart_from_best(error: np.ndarray) -> np.ndarray:
    """Say which windows err more than the best one in at least 97.5 % of the draws.

    Parameters
    ----------
    error : ndarray of shape (1 + draws, windows)
        The sample first, whose smallest error is the best.

    Returns
    -------
    ndarray of shape (windows,), bool
    """
    more = error - error[:, [int(np.nanargmin(error[0]))]]
    return np.asarray(np.nanquantile(more[1:], 0.025, axis=0) > 0, dtype=bool)


def _law(whole: Sums, period: float) -> _Law:
    """Read the law of label arrival and the drift off the sums."""
    survival = whole.survival()
    end = survival[:, -1:]
    late = survival[:, whole.bins] - end
    slope = whole.slope()
    noise = np.nanvar(slope[1:], ddof=1)
    # The sample's square is too large by the noise, a draw's by twice as much.
    off = np.where(np.arange(slope.size) == 0, noise, 2 * noise)
    drift = (np.sign(slope) * np.sqrt(np.maximum(slope**2 - off, 0.0)))[:, np.newaxis]
    ages = whole.curve_age()
    rate = np.clip(1.0 - end + drift * (ages[:, :1] - period / 2), 0.0, 1.0)
    return _Law(
        late_share=np.divide(late, 1.0 - end, out=np.zeros_like(late), where=end < 1.0),
        survival=survival[:, whole.bins],
        rate=rate,
        curve_age=ages[:, 1 + whole.bins],
        matured_age=whole.matured_age()[:, np.newaxis],
        drift=drift,
    )


def _systematic(estimator: str, law: _Law, lag: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    """Return bias and staleness, shape (draws, windows)."""
    if estimator == "vanilla":
        return -law.late_share * law.rate, -(1.0 - law.late_share) * law.drift * lag
    learned = law.curve_age if estimator == "kaplan_meier" else law.matured_age
    stale = np.divide(
        law.late_share * (learned - lag - period / 2),
        law.survival,
        out=np.zeros_like(law.late_share),
        where=law.late_share > 0,
    )
    return np.zeros_like(law.late_share), -law.drift * (lag + stale)


__all__ = ["ESTIMATORS", "FlipOf", "tradeoff_of", "tradeoff_table", "waiting_grid"]
