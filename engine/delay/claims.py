"""The keynote's claims about late labels, measured on one run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from engine.claims import CLAIM_COLUMNS, claim_row
from engine.delay.data import Prepared
from engine.delay.panel import CALIBRATION_ERROR, Measured
from engine.metrics.resampling import bootstrap, percentile_interval

FLIP_MARGIN = 0.01
"""One label in a hundred: below it, a wrong label is lost among ordinary labelling errors."""
LOG_LOSS_MARGIN = 0.002
"""Nats. Published methods differ by 0.001 to 0.01 on the common benchmarks; less is not worth a second pipeline."""
CALIBRATION_MARGIN = 0.03
"""Three percent of the predicted volume, a usual tolerance for forecasts that budgets are made from."""

_BASELINE_WORDS = {
    "exact_joint": "exact weights without signals",
    "entire_space": "same network, weights without signals",
}


def claims_table(
    prepared: Prepared, test: Measured, pending: Measured | None, *, resamples: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Measure claims C3, C4 and C5.

    Parameters
    ----------
    prepared : Prepared
    test : Measured
        Methods on the exposures from the snapshot day on.
    pending : Measured, optional
        Flip probabilities of the exposures still without conversion on that day; absent if there is none.
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        Columns `CLAIM_COLUMNS`; no row for C5 where no exposure was ever engaged.
    """
    rows = [*_recent_labels(prepared, resamples, rng), *_repair(test)]
    if not np.isfinite(prepared.engage_delay).any():
        # Without any engagement there is no signal to judge.
        return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))
    rows += _signals(prepared, test, resamples, rng)
    if pending is not None:
        rows.append(_log_loss(pending, "exact_joint", claim="C5", effect="Log loss of which labels will flip"))
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))


def _recent_labels(prepared: Prepared, resamples: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """C3: what became of the labels that were immature on the snapshot day."""
    recent = ~prepared.test & ~prepared.matured
    if not recent.any():
        return []
    label, seen = prepared.label[recent], prepared.seen[recent].astype(np.float64)
    open_still, unit, ages = 1.0 - seen, prepared.unit[recent], prepared.age[recent]
    terms = np.column_stack((open_still, label * open_still, np.ones(label.size), label - seen))
    span = (float(ages.min()), float(ages.max()))
    return recent_claims(terms, unit, ages=span, n=np.unique(unit).size, resamples=resamples, rng=rng)


def recent_claims(
    terms: np.ndarray,
    unit: np.ndarray,
    *,
    ages: tuple[float, float],
    n: int,
    n_unit: str = "units",
    resamples: int,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Measure C3 on sums over rows, units or groups of units.

    Parameters
    ----------
    terms : ndarray of shape (rows, 4)
        Exposures that were immature on the snapshot day: negatives on it, those of them that flipped, all, and the
        final minus the seen positives.
    unit : ndarray of shape (rows,)
        What the bootstrap draws.
    ages : tuple of float
        Least and largest age in days on that day.
    n : int
        Units behind the sums.
    n_unit : str, default "units"
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    list of dict
        Rows of the claims.
    """

    def statistic(weight: np.ndarray) -> np.ndarray:
        still, flipped, total, risen = weight @ terms
        return np.array([flipped / still if still > 0 else np.nan, risen / total if total > 0 else np.nan])

    point = statistic(np.ones(len(terms)))
    low, high = percentile_interval(bootstrap(statistic, unit, n_resamples=resamples, rng=rng))
    common: dict[str, Any] = {
        "segment": f"exposures {ages[0]:.0f} to {ages[1]:.0f} days old on the snapshot day",
        "n": n,
        "n_unit": n_unit,
        "margin": FLIP_MARGIN,
    }
    names = (
        ("Share of negatives that flipped later", "flipped by the end of the window", "none"),
        ("Positive rate: final − seen so far", "final rate", "rate on the snapshot day"),
    )
    return [
        claim_row(
            "C3", effect=effect, comparison=comparison, baseline=baseline, value=point[k], ci_low=low[k],
            ci_high=high[k], **common,
        )
        for k, (effect, comparison, baseline) in enumerate(names)
    ]  # fmt: skip


def _repair(test: Measured) -> list[dict[str, Any]]:
    """C4: ours against taking unripe labels as negatives, and against waiting."""
    rows = []
    for baseline in ("vanilla", "wait"):
        rows.append(_log_loss(test, baseline, claim="C4", effect="Log loss"))
        found = test.difference("dress_style", baseline, CALIBRATION_ERROR)
        rows.append(_difference_row(found, claim="C4", effect="Calibration error", margin=CALIBRATION_MARGIN))
    return rows


def _log_loss(measured: Measured, baseline: str, *, claim: str, effect: str) -> dict[str, Any]:
    """Return ours minus a baseline in log loss."""
    found = measured.difference("dress_style", baseline, "log_loss")
    return _difference_row(found, claim=claim, effect=effect, margin=LOG_LOSS_MARGIN, unit=" nats")


def _difference_row(found: dict[str, Any], *, claim: str, effect: str, margin: float, unit: str = "") -> dict[str, Any]:
    """Turn a row of differences, lower is better, into a claim."""
    where = {"test": "later exposures", "pending": "negatives on the snapshot day"}[found["split"]]
    return claim_row(
        claim,
        effect=effect,
        comparison="ours, with signals" if claim == "C5" else "DRESS-style (ours)",
        baseline=_BASELINE_WORDS.get(found["baseline"], found["baseline"]),
        segment=where,
        value=found["value"],
        ci_low=found["ci_low"],
        ci_high=found["ci_high"],
        n=found["n"],
        n_unit="units",
        margin=margin,
        unit=unit,
        sign=-1,
    )


def _signals(prepared: Prepared, test: Measured, resamples: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """C5: whether engagement tells which labels will flip, raw and in the final model."""
    # The same network on both sides: against exact_joint, signals and entire space would be one number.
    rows = [_log_loss(test, "entire_space", claim="C5", effect="Log loss")]
    still = prepared.delay > prepared.waiting
    engaged = prepared.engaged_by(prepared.waiting)[still]
    label = prepared.label[still]
    if not 0.0 < engaged.mean() < 1.0:
        return rows
    unit = prepared.unit[still]
    terms = np.column_stack((engaged, engaged * label, 1.0 - engaged, (1.0 - engaged) * label))
    return [engagement_claim(terms, unit, n=np.unique(unit).size, resamples=resamples, rng=rng), *rows]


def engagement_claim(
    terms: np.ndarray,
    unit: np.ndarray,
    *,
    n: int,
    n_unit: str = "units",
    resamples: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Measure C5 without a model on sums over rows, units or groups of units.

    Parameters
    ----------
    terms : ndarray of shape (rows, 4)
        Negatives at the waiting window: the engaged, those of them that flip, the others, those of them that flip.
    unit, n, n_unit, resamples, rng
        As for `recent_claims`.

    Returns
    -------
    dict
        A row of the claims.
    """

    def statistic(weight: np.ndarray) -> float:
        with_n, with_flips, without_n, without_flips = weight @ terms
        return with_flips / with_n - without_flips / without_n if with_n > 0 and without_n > 0 else float("nan")

    low, high = percentile_interval(bootstrap(statistic, unit, n_resamples=resamples, rng=rng))
    return claim_row(
        "C5",
        effect="Flip rate by engagement, before features are taken into account",
        comparison="engaged by the waiting window",
        baseline="not engaged",
        segment="negatives at the waiting window",
        value=statistic(np.ones(len(terms))),
        ci_low=low[0],
        ci_high=high[0],
        n=n,
        n_unit=n_unit,
        margin=FLIP_MARGIN,
        sign=0,
    )
