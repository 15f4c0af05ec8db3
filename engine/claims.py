"""The keynote's claims as hypotheses: what is measured, and how a verdict follows from the interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from engine.errors import ConfigError
from engine.result import Kind

Verdict = Literal["supported", "not supported", "inconclusive"]

MINIMUM_UNITS = 20
"""With fewer units a bootstrap interval is too narrow to judge by (see `engine.metrics.resampling.bootstrap`)."""
SPREADLESS_UNITS = 100
"""With fewer units an interval of no width says that no unit differed, not that none would."""
CLAIM_COLUMNS = (
    "claim",
    "effect",
    "comparison",
    "baseline",
    "segment",
    "unit",
    "value",
    "ci_low",
    "ci_high",
    "n",
    "n_unit",
    "sign",
    "margin",
    "verdict",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of the keynote."""

    key: str
    kind: Kind
    text: str
    """The claim in one sentence."""


CLAIMS: dict[str, Claim] = {
    claim.key: claim
    for claim in (
        Claim(key="C1", kind="graph", text="One embedding cannot express one-way relations; dual embeddings can."),
        Claim(
            key="C2",
            kind="graph",
            text="Low-degree nodes do better when they get larger neighbourhoods and high-degree nodes smaller ones.",
        ),
        Claim(key="C3", kind="delay", text="Recent labels are wrong and will flip."),
        Claim(key="C4", kind="delay", text="Importance weights repair them; waiting loses freshness."),
        Claim(key="C5", kind="delay", text="Pre-conversion signals help to know which labels will flip."),
        Claim(key="C6", kind="uncertainty", text="At equal score, positivity changes with uncertainty."),
        Claim(key="C7", kind="uncertainty", text="Several thresholds give more recall at equal precision."),
    )
}


def verdict(ci_low: float, ci_high: float, *, margin: float, sign: int = 1) -> Verdict:
    """Judge a claim from the interval of its effect alone.

    With effects turned so that the claim predicts a positive one: *not supported* if the whole interval is below
    `margin`, the smallest effect worth having, even where it is above 0; otherwise *supported* if the whole interval
    is above 0; otherwise *inconclusive*. A narrower interval inside one that is *not supported* always is, too.

    Parameters
    ----------
    ci_low, ci_high : float
        Interval of the effect, in its unit.
    margin : float, > 0
        Smallest effect worth having, in the same unit.
    sign : {1, -1, 0}
        Direction that the claim predicts; 0 means any difference from 0 counts, in which case *not supported*
        means that the whole interval lies within (-margin, margin).

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        If `margin` is not positive or `sign` is not -1, 0 or 1.

    Examples
    --------
    >>> verdict(0.01, 0.05, margin=0.02)
    'supported'
    >>> verdict(-0.01, 0.005, margin=0.02)
    'not supported'
    >>> verdict(0.003, 0.005, margin=0.02)
    'not supported'
    >>> verdict(-0.01, 0.05, margin=0.02)
    'inconclusive'
    """
    if not margin > 0:
        raise ConfigError(f"'margin' is {margin}; it must be above 0.")
    if sign not in (-1, 0, 1):
        raise ConfigError(f"'sign' is {sign}; allowed are -1, 0 and 1.")
    if not (np.isfinite(ci_low) and np.isfinite(ci_high)):
        return "inconclusive"
    low, high = (-ci_high, -ci_low) if sign == -1 else (ci_low, ci_high)
    if high < margin and (sign != 0 or low > -margin):
        return "not supported"
    return "supported" if low > 0 or (sign == 0 and high < 0) else "inconclusive"


def has_no_spread(ci_low: float, ci_high: float, n: int) -> bool:
    """Tell whether an interval has no width and too few units to rule an effect out.

    Examples
    --------
    >>> has_no_spread(0.0, 0.0, 35), has_no_spread(0.0, 0.0, 100), has_no_spread(-0.01, 0.0, 35)
    (True, False, False)
    """
    return n < SPREADLESS_UNITS and ci_low == ci_high


def as_shown(claims: pd.DataFrame) -> pd.DataFrame:
    """Return stored effects with the verdicts to show: *inconclusive* where `has_no_spread`.

    Stored verdicts stay what the run computed.

    Parameters
    ----------
    claims : DataFrame
        Columns ``ci_low, ci_high, n, verdict``; a row without a verdict keeps none.

    Returns
    -------
    DataFrame
    """
    is_open = [
        bool(row.verdict) and has_no_spread(row.ci_low, row.ci_high, row.n)
        for row in claims[["ci_low", "ci_high", "n", "verdict"]].itertuples()
    ]
    return claims.assign(verdict=claims["verdict"].mask(pd.Series(is_open, claims.index, dtype=bool), "inconclusive"))


def claim_row(  # noqa: PLR0913 - one argument per column of the table
    claim: str,
    *,
    effect: str,
    comparison: str,
    baseline: str,
    segment: str,
    value: float,
    ci_low: float,
    ci_high: float,
    n: int,
    n_unit: str,
    margin: float,
    unit: str = "",
    sign: int = 1,
) -> dict[str, Any]:
    """Return one row of the ``claims`` table with its computed verdict.

    With fewer than `MINIMUM_UNITS` units it is *inconclusive*, whatever the interval.

    Parameters
    ----------
    claim : str
        Key in `CLAIMS`.
    effect : str
        What was measured, readable: ``"HitRate@10 on one-way edges"``.
    comparison, baseline : str
        The effect is comparison minus baseline (for a rate without a comparison, say what 0 means).
    segment : str
        Rows or scorer it was measured on.
    value, ci_low, ci_high : float
    n : int
        Number of natural units behind the interval.
    n_unit : str
        What `n` counts: ``"queries"``, ``"households"``, ``"rows"``.
    margin : float, > 0
        See `verdict`.
    unit : str
        Unit of the effect, ``""`` for none, ``"%"`` for relative changes in percent.
    sign : {1, -1, 0}
        See `verdict`.

    Returns
    -------
    dict
        Keys `CLAIM_COLUMNS`.

    Raises
    ------
    ConfigError
        If the claim is unknown.
    """
    if claim not in CLAIMS:
        raise ConfigError(f"'claim' is '{claim}'; allowed are {', '.join(CLAIMS)}.")
    return {
        "claim": claim,
        "effect": effect,
        "comparison": comparison,
        "baseline": baseline,
        "segment": segment,
        "unit": unit,
        "value": float(value),
        "ci_low": float(ci_low),
        "ci_high": float(ci_high),
        "n": int(n),
        "n_unit": n_unit,
        "sign": int(sign),
        "margin": float(margin),
        "verdict": verdict(ci_low, ci_high, margin=margin, sign=sign) if n >= MINIMUM_UNITS else "inconclusive",
    }


def summary(claims: pd.DataFrame) -> str:
    """Say in one sentence how many of the measured effects support their claims.

    Parameters
    ----------
    claims : DataFrame
        Columns `CLAIM_COLUMNS`.

    Returns
    -------
    str
    """
    counts = claims["verdict"].value_counts()
    supported, not_supported, inconclusive = (
        int(counts.get(key, 0)) for key in ("supported", "not supported", "inconclusive")
    )
    return (
        f"Of {_count(len(claims), 'effect')} measured for {_count(claims['claim'].nunique(), 'claim')}, "
        f"{supported} {'is' if supported == 1 else 'are'} supported, {not_supported} not supported and "
        f"{inconclusive} inconclusive."
    )


def _count(number: int, noun: str) -> str:
    """Write a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
