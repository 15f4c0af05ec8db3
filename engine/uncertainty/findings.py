"""Say what a run found about estimators, recalibration and abstention, from its stored tables alone.

Light enough for a page: nothing here fits or resamples.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from engine.uncertainty.names import scorer_label

TREND = "positivity_trend"
PLACEBO = "placebo_trend"
GAIN = "recall_gain"
CORRELATION = "error_correlation"
CORRELATION_AT_SCORE = "error_correlation_at_equal_score"
AREA_GAIN = "abstention_gain"
AREA_PREFIX = "area_"
"""Prefix of the metric that is the mean height of a curve."""
RISK_LABEL = {
    "log_loss": "log loss",
    "brier": "Brier score",
    "error": "share of wrong decisions",
    "precision": "precision",
}
HIGHER_IS_BETTER = ("precision",)
REPAIR_LABEL = {"isotonic": "isotonic recalibration", "temperature": "temperature scaling"}


def informative(table: pd.DataFrame, *, metric: str = TREND) -> tuple[str, ...]:
    """Name the scorers whose uncertainty carries information at equal score; empty if none does.

    The intervals are widened for the number of scorers compared (Bonferroni, on the normal scale), as the
    best of many placebos would else often pass.

    Parameters
    ----------
    table : DataFrame
        As of `engine.uncertainty.estimators.estimator_table`.
    metric : str
        ``positivity_trend`` or ``error_correlation_at_equal_score``.

    Returns
    -------
    tuple of str
        In the order of the table.
    """
    rows = widened(table[(table["metric"] == metric) & table["value"].notna()])
    return tuple(rows.loc[(rows["ci_low"] > 0) | (rows["ci_high"] < 0), "scorer"])


def _widening(count: int) -> float:
    """Ratio of the half-width for ``count`` intervals at 95 % together to that of a single one."""
    z = [NormalDist().inv_cdf(1 - 0.025 / size) for size in (max(count, 1), 1)]
    return z[0] / z[1]


def information_sentence(table: pd.DataFrame) -> str:
    """Say whose uncertainty carries information at equal score, with the largest trend and its interval.

    Parameters
    ----------
    table : DataFrame
        As of `engine.uncertainty.estimators.estimator_table`.

    Returns
    -------
    str
        "None of ..." if no trend is beyond chance, given how many were looked at.
    """
    trends = table[(table["metric"] == TREND) & table["value"].notna()].set_index("scorer")
    if trends.empty:
        return "No scorer has an uncertainty that differs among rows of the same score."
    named = informative(table)
    size = trends["value"].abs()
    shown = size[list(named)].idxmax() if named else size.idxmax()
    row = trends.loc[shown]
    largest = (
        f"{scorer_label(str(shown))}: {row['value']:+.1f} points of positivity from the most to the least certain row "
        f"[{row['ci_low']:+.1f}, {row['ci_high']:+.1f}], n {int(row['n']):,}"
    )
    many = len(trends)
    if many == 1:
        told = "tells something about positivity" if named else "is not shown to tell anything"
        return f"At equal score its uncertainty {told}: {largest}."
    if not named:
        return f"None of {many} uncertainties tells more than the score does; the largest change is {largest}."
    which = f"{len(named)} of {many} uncertainties {'tells' if len(named) == 1 else 'tell'}"
    return f"At equal score {which} something about positivity, most of all {largest}."


def widened(rows: pd.DataFrame) -> pd.DataFrame:
    """Widen 95 % intervals so that all of them together hold at 95 % (Bonferroni, on the normal scale).

    Parameters
    ----------
    rows : DataFrame
        Columns ``value, ci_low, ci_high``.

    Returns
    -------
    DataFrame
        The same rows with wider ``ci_low`` and ``ci_high``.
    """
    factor = _widening(len(rows))
    low = rows["value"] - factor * (rows["value"] - rows["ci_low"])
    high = rows["value"] + factor * (rows["ci_high"] - rows["value"])
    return rows.assign(ci_low=low, ci_high=high)


def biased_buckets(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """Pick the uncertainty buckets whose mean score misses the observed rate beyond chance.

    Intervals are widened for the number of buckets, but returned as they were.

    Parameters
    ----------
    table : DataFrame
        Recalibration of one scorer: ``method, baseline, segment, metric, value, ci_low, ci_high``.
    method : {"raw", "temperature", "isotonic"}

    Returns
    -------
    DataFrame
        Rows of the table; empty if none is, or if there is one bucket only.
    """
    rows = _bias(table, method, pooled=False)
    wide = widened(rows)
    return rows[(wide["ci_low"] > 0) | (wide["ci_high"] < 0)]


def _bias(table: pd.DataFrame, method: str, *, pooled: bool) -> pd.DataFrame:
    """Pick the bias of a score by bucket that is judged, or of all rows; a handful has no interval."""
    own = table[(table["metric"] == "bias") & (table["method"] == method) & (table["baseline"] == "")]
    return own[((own["segment"] == "all") == pooled) & own["ci_low"].notna()]


def recalibration_sentence(table: pd.DataFrame) -> str:
    """Say whether a recalibration of the score alone repairs the bias that the uncertainty buckets show.

    Parameters
    ----------
    table : DataFrame
        Recalibration of one scorer, as `biased_buckets` takes it, with ``n``.

    Returns
    -------
    str
    """
    count = len(_bias(table, "raw", pooled=False))
    if count < 2:
        lead = "Only one uncertainty bucket holds enough test rows" if count else "There is one uncertainty bucket only"
        return f"{lead}, so there is nothing to repair apart: {_pooled_words(table)}."
    before = biased_buckets(table, "raw")
    if before.empty and all(biased_buckets(table, method).empty for method in REPAIR_LABEL):
        return f"No bucket of {count} is biased beyond chance, with or without recalibration: nothing to repair."
    left = {method: biased_buckets(table, method) for method in REPAIR_LABEL}
    best = min(left, key=lambda method: len(left[method]))
    lead = f"Before recalibration {len(before)} of {count} buckets {'is' if len(before) == 1 else 'are'} biased "
    lead += "beyond chance"
    if left[best].empty:
        return f"{lead}, after {REPAIR_LABEL[best]} none is: recalibrating the score alone repairs it."
    counts = ", ".join(f"{len(rows)} after {REPAIR_LABEL[method]}" for method, rows in left.items())
    worst = left[best].loc[left[best]["value"].abs().idxmax()]
    return (
        f"{lead}, {counts}: recalibrating the score alone does not repair it. After {REPAIR_LABEL[best]} the most is "
        f"left in {worst['segment']}, {_points(worst)}; {_pooled_words(table, best)}."
    )


def _points(row: pd.Series) -> str:
    """Write a bias in percentage points."""
    value, low, high = (100 * row[name] for name in ("value", "ci_low", "ci_high"))
    return f"{value:+.1f} points [{low:+.1f}, {high:+.1f}]"


def _pooled_words(table: pd.DataFrame, method: str = "isotonic") -> str:
    """Say how far all rows together are off, before or after a recalibration."""
    raw, after = (_bias(table, name, pooled=True) for name in ("raw", method))
    if raw.empty or after.empty:
        return "all rows together were not judged"
    return f"all rows together are off by {_points(after.iloc[0])}, {_points(raw.iloc[0])} before it"


def abstention_sentence(areas: pd.DataFrame, metric: str) -> str:
    """Say whether it is better to leave rows out by uncertainty, by the score's own ambiguity, or at random.

    Parameters
    ----------
    areas : DataFrame
        Abstention of one scorer: ``method, baseline, metric, value, ci_low, ci_high, n``.
    metric : str
        A key of `RISK_LABEL`.

    Returns
    -------
    str
        The winner follows from the paired intervals alone.
    """
    own = areas[areas["metric"] == AREA_PREFIX + metric]
    against = {row["baseline"]: row for _, row in own[own["baseline"] != ""].iterrows()}
    row, chance = against.get("score_ambiguity"), against.get("random")
    if row is None or chance is None or np.isnan(row["value"]):
        return f"What leaving rows out does to the {RISK_LABEL[metric]} cannot be said here."
    to_score, to_chance = (_winner(other, metric) for other in (row, chance))
    words = {
        "better": "Leaving out the least certain rows beats leaving out those whose score is ambiguous",
        "worse": "Leaving out rows whose score is ambiguous beats leaving out the least certain ones",
        "open": "Leaving out the least certain rows or those with an ambiguous score cannot be told apart",
    }[to_score]
    beside = {"better": "better than", "worse": "worse than", "open": "no different from"}[to_chance]
    return (
        f"{words}: mean {RISK_LABEL[metric]} over all shares kept differs by {_signed(row)}, uncertainty minus "
        f"ambiguity, n {int(row['n']):,}. "
        f"Uncertainty is {beside} leaving rows out at random ({_signed(chance)})."
    )


def _winner(row: pd.Series, metric: str) -> str:
    """Judge uncertainty against a rival from the interval of their difference."""
    low, high = row["ci_low"], row["ci_high"]
    if metric in HIGHER_IS_BETTER:
        low, high = -high, -low
    return "better" if high < 0 else "worse" if low > 0 else "open"


def _signed(row: pd.Series) -> str:
    """Write a difference with its sign and interval."""
    return f"{row['value']:+.3g} [{row['ci_low']:+.3g}, {row['ci_high']:+.3g}]"
