"""Judge a policy on new rows, and write it as program text that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.errors import DataError
from engine.metrics.calibration import wilson_interval
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.uncertainty.decision import FEW_ROWS
from engine.uncertainty.grid import Floats, Ints
from engine.uncertainty.policy import METRICS, Policy, apply_policy

RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Hold what a policy achieved on new rows."""

    metrics: pd.DataFrame
    """``metric, value, ci_low, ci_high, n``: precision, recall and coverage; n counts rows, or units."""
    selected: int
    verdict: str
    """``nothing``, ``few``, ``missed``, ``met``, ``exceeded`` as `engine.uncertainty.decision.target_check`
    means them, or ``no target``."""


def judge_policy(policy: Policy, rows: pd.DataFrame, *, seed: int = 0) -> Judged:
    """Apply a policy to labelled rows and compare its precision with its target.

    Parameters
    ----------
    policy : Policy
    rows : DataFrame
        ``label, score, uncertainty`` and optionally ``weight`` (rows a line stands for) and ``unit``.
        With units intervals resample them; without, they are Wilson's and take rows as independent.
    seed : int

    Returns
    -------
    Judged

    Raises
    ------
    DataError
        If a column is absent or a value is not allowed; names the column, the value and its row.
    """
    missing = [name for name in ("label", "score", "uncertainty") if name not in rows.columns]
    if missing:
        raise DataError(f"Column '{missing[0]}' is missing; a policy is judged on label, score and uncertainty.")
    label = _checked(rows, "label", lambda v: np.isin(v, (0.0, 1.0)), "0 or 1")
    # On another scale, percent for one, every threshold would select something else.
    _checked(rows, "score", lambda v: (v >= 0) & (v <= 1), "a number from 0 to 1")
    score, uncertainty = (pd.to_numeric(rows[name], errors="coerce") for name in ("score", "uncertainty"))
    chosen = apply_policy(policy, score, uncertainty).astype(float)
    weight = np.ones(len(rows))
    if "weight" in rows.columns:
        weight = _checked(rows, "weight", lambda v: np.isfinite(v) & (v >= 0), "0 or more")
    parts = np.stack([weight * chosen * label, weight * chosen, weight * label, weight], axis=1)
    by_unit = parts
    if "unit" in rows.columns:
        if rows["unit"].isna().any():
            row = int(np.flatnonzero(rows["unit"].isna())[0])
            raise DataError(f"Column 'unit' has no value in row {row + 1}; name the unit or leave the column out.")
        by_unit = parts_by_unit(parts, pd.factorize(rows["unit"])[0].astype(np.int64))
    values = _ratios(parts.sum(axis=0))
    tp, n, positives, total = (round(float(v)) for v in parts.sum(axis=0))
    if len(by_unit) < len(parts):
        draws = bootstrap(
            lambda w: _ratios(w @ by_unit),
            np.arange(len(by_unit)),
            n_resamples=RESAMPLES,
            rng=np.random.default_rng(seed),
        )
        low, high = percentile_interval(draws)
    else:
        low, high = wilson_interval([tp, tp, n], [n, positives, total])
    count = len(by_unit) if len(by_unit) < len(parts) else total
    table = pd.DataFrame({"metric": METRICS, "value": values, "ci_low": low, "ci_high": high, "n": count})
    return Judged(metrics=table, selected=n, verdict=_verdict(policy.target, n, float(low[0]), float(high[0])))


def _checked(rows: pd.DataFrame, name: str, is_allowed: Callable[[Floats], NDArray[np.bool_]], wanted: str) -> Floats:
    """Read a column of numbers, and name the first that is not allowed."""
    values: Floats = pd.to_numeric(rows[name], errors="coerce").to_numpy(float)
    bad = np.flatnonzero(~is_allowed(values))
    if bad.size:
        found = rows[name].iloc[int(bad[0])]
        shown = "has no value" if pd.isna(found) else f"is '{str(found)[:40]}'"
        raise DataError(f"Column '{name}' {shown} in row {bad[0] + 1}; {wanted} is needed.")
    return values


def parts_by_unit(parts: Floats, unit: Ints) -> Floats:
    """Sum columns per unit: shapes (n, c) and (n,) give (units, c)."""
    return np.stack([np.bincount(unit, column) for column in parts.T], axis=1)


def _ratios(sums: Floats) -> Floats:
    """Precision, recall and coverage from the sums of hits, selected, positives and rows."""
    tp, n, positives, total = sums
    return np.array([a / b if b else np.nan for a, b in ((tp, n), (tp, positives), (n, total))])


def _verdict(target: float | None, selected: int, low: float, high: float) -> str:
    """Judge the target by the whole interval of the precision."""
    if target is None:
        return "no target"
    if selected < FEW_ROWS:
        return "few" if selected else "nothing"
    if high < target:
        return "missed"
    return "exceeded" if low > target else "met"


def policy_code(policy: Policy) -> str:
    """Write a policy as Python text that runs anywhere and decides row by row as `apply_policy` does.

    Returns
    -------
    str
        Defines ``select(score, uncertainty) -> bool``; needs the standard library alone.
    """
    # As a literal: whatever a name holds, it stays text.
    origin = {"scorer": policy.scorer, "method": policy.method, "target": policy.target, "run": policy.run}
    return f'''"""Thresholds on a score by its uncertainty."""

from bisect import bisect_left

ORIGIN = {origin!r}
EDGES = {_listed(policy.uncertainty_edges)}
THRESHOLDS = {_listed(policy.thresholds)}  # None: nothing is selected in this bucket


def select(score, uncertainty):
    """Tell whether a row is selected; both arguments are numbers, those of a float32 column NumPy's float32."""
    if score != score or uncertainty != uncertainty:
        raise ValueError("score and uncertainty must be numbers, not NaN")
    threshold = THRESHOLDS[bisect_left(EDGES, uncertainty)]
    return threshold is not None and score >= threshold
'''


def _listed(values: Sequence[float]) -> str:
    """Write numbers so that they are read back exactly."""
    texts = ["None" if v == math.inf else 'float("-inf")' if v == -math.inf else repr(float(v)) for v in values]
    return f"[{', '.join(texts)}]"
