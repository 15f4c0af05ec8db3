"""Say in one sentence what a run found about a scorer, from its stored tables alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.claims import verdict
from engine.uncertainty.names import (
    BASELINE,
    MATCHED,
    MATCHED_PRIOR,
    RECALL_MARGIN,
    RELATIVE,
    bucket_name,
    scorer_label,
    segment_of,
)


def gains(differences: pd.DataFrame, scorer: str, target: float, *, metric: str = MATCHED) -> pd.DataFrame:
    """Pick the gains over one threshold at a precision target.

    Returns
    -------
    DataFrame
        Rows of the table ``differences``, one per method.
    """
    kept = (differences["segment"] == segment_of(scorer, target)) & (differences["baseline"] == BASELINE)
    return differences[kept & (differences["metric"] == metric)].reset_index(drop=True)


def gains_in_points(differences: pd.DataFrame, scorer: str, target: float) -> pd.DataFrame:
    """Pick the gains in recall over one threshold at a precision target, in percentage points.

    Returns
    -------
    DataFrame
        ``method, value, ci_low, ci_high, n``; the matched prior stands beside a flat one.
    """
    rows = gains(differences, scorer, target)[["method", "value", "ci_low", "ci_high", "n"]]
    columns = ["value", "ci_low", "ci_high"]
    return rows.assign(**{name: 100 * rows[name] for name in columns})


def baseline_recall(metrics: pd.DataFrame, scorer: str, target: float) -> pd.Series:
    """Pick the recall of one threshold at equal test precision: ``value, ci_low, ci_high, n``."""
    rows = metrics[(metrics["metric"] == MATCHED) & (metrics["method"] == BASELINE)]
    return rows[rows["segment"] == segment_of(scorer, target)].iloc[0]


def answer(metrics: pd.DataFrame, differences: pd.DataFrame, scorer: str, target: float) -> str:
    """Answer how far a score may be trusted: its calibration, then what several thresholds add.

    Parameters
    ----------
    metrics, differences : DataFrame
        Tables of a run.
    scorer : str
    target : float
        One of the precision targets of the run.

    Returns
    -------
    str
    """
    if _buckets(metrics, scorer) < 2:
        same = "Its uncertainty is the same for all rows, so there is nothing to set several thresholds by."
        return f"{_calibration(metrics, scorer)} {same}"
    own = metrics[(metrics["metric"] == MATCHED) & (metrics["segment"] == segment_of(scorer, target))]
    if not (own["value"] > 0).any():
        return f"{_calibration(metrics, scorer)} No method reaches precision {target:.2f} on the test rows."
    return f"{_calibration(metrics, scorer)} {gain_sentence(differences, scorer, target)}"


def _buckets(metrics: pd.DataFrame, scorer: str) -> int:
    """Count the uncertainty buckets that a scorer's calibration was measured in."""
    own = metrics[(metrics["method"] == scorer) & (metrics["metric"] == "ece") & (metrics["split"] == "test")]
    return int((own["segment"] != "all").sum())


def _calibration(metrics: pd.DataFrame, scorer: str) -> str:
    """Say how far the score is off, and where it is off most and least."""
    ece = metrics[(metrics["method"] == scorer) & (metrics["metric"] == "ece") & (metrics["split"] == "test")]
    by_segment = dict(zip(ece["segment"], 100 * ece["value"], strict=True))
    overall = by_segment.pop("all")
    pooled = ece[ece["segment"] == "all"].iloc[0]
    interval = f"[{100 * pooled['ci_low']:.1f}, {100 * pooled['ci_high']:.1f}]"
    sentence = (
        f"{scorer_label(scorer)}: the score misses the observed rate by {overall:.1f} points {interval} on average"
    )
    if by_segment:
        # A bucket without test rows was not judged: the outermost that were are told of.
        values = [by_segment.get(bucket_name(k, len(by_segment)), np.nan) for k in range(len(by_segment))]
        judged = [value for value in values if value == value]
        if len(judged) > 1:
            sentence += f", {judged[0]:.1f} where it is most certain and {judged[-1]:.1f} where it is least"
    return sentence + "."


def gain_sentence(differences: pd.DataFrame, scorer: str, target: float) -> str:
    """Say what one threshold per bucket adds at equal test precision, and whether a better prior gives the same.

    The verdict follows from the interval of the difference in recall, as in `engine.claims`.
    """
    absolute = gains(differences, scorer, target).set_index("method")
    if "mist" not in absolute.index or np.isnan(absolute.loc["mist", "value"]):
        return f"At precision {target:.2f} nothing can be compared."
    row = absolute.loc["mist"]
    judged = verdict(100 * row["ci_low"], 100 * row["ci_high"], margin=RECALL_MARGIN)
    size = _size(differences, scorer, target, "mist")
    if judged == "supported":
        sentence = f"At precision {target:.2f} a threshold per uncertainty bucket changes recall by {size}"
        return sentence + _repair(differences, scorer, target) + "."
    reason = (
        f"a gain of {RECALL_MARGIN:g} points is ruled out" if judged == "not supported" else "the data cannot tell more"
    )
    return (
        f"No gain from uncertainty shown at precision {target:.2f}: a threshold per bucket changes recall by {size}; "
        f"{reason}."
    )


def _size(differences: pd.DataFrame, scorer: str, target: float, method: str) -> str:
    """Write a difference in recall with its interval in points, and its relative size."""
    row = gains(differences, scorer, target).set_index("method").loc[method]
    value, low, high = (100 * row[name] for name in ("value", "ci_low", "ci_high"))
    relative = gains(differences, scorer, target, metric=RELATIVE).set_index("method").loc[method, "value"]
    share = "" if np.isnan(relative) else f" ({relative:+.0f} % of it)"
    return f"{value:+.1f} points{share}, interval {low:+.1f} to {high:+.1f}, n {int(row['n']):,}"


def _repair(differences: pd.DataFrame, scorer: str, target: float) -> str:
    """Compare several thresholds with the same rate under a matched prior."""
    rows = differences[
        (differences["segment"] == segment_of(scorer, target))
        & (differences["method"] == MATCHED_PRIOR)
        & (differences["baseline"] == "mist")
        & (differences["metric"] == MATCHED)
    ]
    if rows.empty:
        return ""
    row = rows.iloc[0]
    low, high = 100 * row["ci_low"], 100 * row["ci_high"]
    told = f"a matched prior with one threshold {{}} ({100 * row['value']:+.1f} points [{low:+.1f}, {high:+.1f}])"
    if low > 0:
        return "; " + told.format("finds more still")
    return "; " + told.format("does worse" if high < 0 else "does as well")
