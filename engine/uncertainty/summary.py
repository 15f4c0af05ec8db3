"""Say in one sentence what a run found about a scorer, from its stored tables alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine.claims import MINIMUM_UNITS, verdict
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
from engine.uncertainty.verdict_words import tenths, verdict_words

RECALIBRATED = "recalibrated"
"""Method key of one threshold on the logistic recalibrator of score and uncertainty."""


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


def answer(
    metrics: pd.DataFrame,
    differences: pd.DataFrame,
    scorer: str,
    target: float,
    *,
    scorers: pd.DataFrame | None = None,
    verdicts: pd.DataFrame | None = None,
) -> str:
    """Answer how far a score may be trusted: its calibration, the run's verdict, and what one precision adds to it.

    Parameters
    ----------
    metrics, differences : DataFrame
        Tables of a run.
    scorer : str
    target : float
        One of the precision targets of the run.
    scorers : DataFrame, optional
        Table of the run that says why uncertainty parts no rows; one of an older version does not, then the metrics
        tell whether there are several buckets.
    verdicts : DataFrame, optional
        Table of the run. Without it the target alone is judged, which the sentence says.

    Returns
    -------
    str
    """
    calibration = _calibration(metrics, scorer)
    reason = undivided(metrics, scorer, scorers)
    if reason:
        # Where buckets part nothing, the reason says so itself.
        end = (
            " and several thresholds are not judged"
            if ", so " in reason
            else ", so there is nothing to set several thresholds by"
        )
        sentence = f"{calibration} {reason[0].upper()}{reason[1:]}{end}."
        repair = _recalibrated(differences, scorer, target)
        return f"{sentence} One threshold {repair} at precision {target:.2f}." if repair else sentence
    own = metrics[(metrics["metric"] == MATCHED) & (metrics["segment"] == segment_of(scorer, target))]
    is_reached = bool((own["value"] > 0).any())
    unreached = f"No method reaches precision {target:.2f} on the test rows."
    row = None if verdicts is None else verdicts[verdicts["scorer"] == scorer]
    if row is None or row.empty:
        return f"{calibration} {gain_sentence(differences, scorer, target) if is_reached else unreached}"
    targets = _targets(metrics, scorer)
    words = verdict_words({str(key): value for key, value in row.iloc[0].items()}, targets)
    at_target = unreached if not is_reached else _alone(differences, scorer, target) if len(targets) > 1 else ""
    return f"{calibration} {words[0].upper()}{words[1:]} {at_target}".rstrip()


def _targets(metrics: pd.DataFrame, scorer: str) -> Sequence[float]:
    """Return the precision targets that a scorer is judged at, rising."""
    own = metrics.loc[metrics["metric"] == MATCHED, "segment"].unique()
    lead = segment_of(scorer, 0.0).removesuffix("0.00")
    return sorted(float(segment.removeprefix(lead)) for segment in own if segment.startswith(lead))


def _alone(differences: pd.DataFrame, scorer: str, target: float) -> str:
    """Say what one precision shows; in numbers only, as the verdict is over all of them."""
    found = gains(differences, scorer, target).set_index("method")
    if "mist" not in found.index or np.isnan(found.loc["mist", "value"]):
        return f"At precision {target:.2f} alone nothing can be compared."
    words = f"At precision {target:.2f} alone: {_signed(found.loc['mist'])}"
    if not _gains_repaired(found):
        return f"{words}."
    return f"{words}; one threshold on a score recalibrated by uncertainty: {_signed(found.loc[RECALIBRATED])}."


def _signed(row: pd.Series) -> str:
    """Write a change in recall in points with its interval."""
    value, low, high = (tenths(100 * row[name]) for name in ("value", "ci_low", "ci_high"))
    return f"{value} points [{low}, {high}]"


def _gains_repaired(gained: pd.DataFrame) -> bool:
    """Tell whether one threshold on the recalibrated score gains beyond chance over one on the score."""
    return RECALIBRATED in gained.index and bool(gained.loc[RECALIBRATED, "ci_low"] > 0)


def undivided(metrics: pd.DataFrame, scorer: str, scorers: pd.DataFrame | None) -> str:
    """Return why uncertainty parts no rows of a scorer; empty if it parts some.

    Parameters
    ----------
    metrics, scorer, scorers
        As of `answer`.

    Returns
    -------
    str
        Begins in lower case, without a full stop.
    """
    if scorers is not None and "undivided" in scorers.columns:
        return str(scorers.set_index("scorer").loc[scorer, "undivided"])
    by_bucket = _ece(metrics, scorer).query("segment != 'all'")
    if by_bucket.empty:
        return "there is one uncertainty bucket"
    held = int((by_bucket["n"] > 0).sum())
    return "" if held > 1 else f"{held} of {len(by_bucket)} uncertainty buckets holds test rows"


def _ece(metrics: pd.DataFrame, scorer: str) -> pd.DataFrame:
    """Pick the calibration error of all test rows and of every bucket."""
    return metrics[(metrics["method"] == scorer) & (metrics["metric"] == "ece") & (metrics["split"] == "test")]


def _calibration(metrics: pd.DataFrame, scorer: str) -> str:
    """Say how far the score is off, and where it is off most and least."""
    by_segment = _ece(metrics, scorer).set_index("segment")
    pooled = by_segment.loc["all"]
    sentence = f"{scorer_label(scorer)}: the score misses the observed rate by {_points(pooled, ' points')} on average"
    size = len(by_segment) - 1
    # Too few rows give no interval; the outermost buckets that have one are told of.
    judged = [
        (k, row)
        for k in range(size)
        for row in [by_segment.loc[bucket_name(k, size)]]
        if row["n"] >= MINIMUM_UNITS and np.isfinite(row["ci_low"])
    ]
    if len(judged) > 1:
        (low, first), (high, last) = judged[0], judged[-1]
        ends = [_place(first, low, 0, size), _place(last, high, size - 1, size)]
        sentence += (
            f", {_points(first)} where it is most certain{ends[0]} and {_points(last)} where it is least{ends[1]}"
        )
        if (low, high) != (0, size - 1):
            sentence += f", leaving out buckets of fewer than {MINIMUM_UNITS}"
    return sentence + "."


def _points(row: pd.Series, unit: str = "") -> str:
    """Write a share with its interval in points."""
    value, low, high = (100 * row[name] for name in ("value", "ci_low", "ci_high"))
    return f"{value:.1f}{unit} [{low:.1f}, {high:.1f}]"


def _place(row: pd.Series, bucket: int, outermost: int, size: int) -> str:
    """Write how many rows a bucket holds, and which it is if it is not the outermost."""
    named = "" if bucket == outermost else f"bucket {bucket + 1} of {size}, "
    return f" ({named}n {int(row['n']):,})"


def gain_sentence(differences: pd.DataFrame, scorer: str, target: float) -> str:
    """Say what one threshold per bucket adds at equal test precision, and whether one on a repaired score does, too.

    The verdict follows from the interval of the difference in recall, as in `engine.claims`.
    """
    absolute = gains(differences, scorer, target).set_index("method")
    if "mist" not in absolute.index or np.isnan(absolute.loc["mist", "value"]):
        return f"At precision {target:.2f} nothing can be compared."
    row = absolute.loc["mist"]
    judged = verdict(100 * row["ci_low"], 100 * row["ci_high"], margin=RECALL_MARGIN)
    size = _size(differences, scorer, target)
    if judged == "supported":
        sentence = f"At precision {target:.2f} a threshold per uncertainty bucket changes recall by {size}"
        return sentence + _repair(differences, scorer, target) + "."
    reason = (
        f"a gain of {RECALL_MARGIN:g} points is ruled out" if judged == "not supported" else "the data cannot tell more"
    )
    repair = _recalibrated(differences, scorer, target)
    if repair:
        return (
            f"Uncertainty helps at precision {target:.2f}, but by recalibration: one threshold {repair}. "
            f"A threshold per bucket shows no gain: it changes recall by {size}; {reason}."
        )
    return (
        f"No gain from uncertainty shown at precision {target:.2f}: a threshold per bucket changes recall by {size}; "
        f"{reason}."
    )


def _recalibrated(differences: pd.DataFrame, scorer: str, target: float) -> str:
    """Say what one threshold on the recalibrated score gains over one on the score; empty unless beyond chance."""
    if not _gains_repaired(gains(differences, scorer, target).set_index("method")):
        return ""
    size = _size(differences, scorer, target, RECALIBRATED)
    return f"on a score recalibrated by uncertainty changes recall by {size}"


def _size(differences: pd.DataFrame, scorer: str, target: float, method: str = "mist") -> str:
    """Write a difference in recall with its interval in points, and its relative size."""
    row = gains(differences, scorer, target).set_index("method").loc[method]
    value, low, high = (tenths(100 * row[name]) for name in ("value", "ci_low", "ci_high"))
    relative = gains(differences, scorer, target, metric=RELATIVE).set_index("method").loc[method, "value"]
    share = "" if np.isnan(relative) else f" ({relative:+.0f} % of it)"
    return f"{value} points{share}, interval {low} to {high}, n {int(row['n']):,}"


def _repair(differences: pd.DataFrame, scorer: str, target: float) -> str:
    """Compare several thresholds with one on a repaired score: the rate under a matched prior, or recalibrated."""
    own = differences[
        (differences["segment"] == segment_of(scorer, target))
        & (differences["baseline"] == "mist")
        & (differences["metric"] == MATCHED)
    ].set_index("method")
    named = {MATCHED_PRIOR: "a matched prior with one threshold", RECALIBRATED: "one threshold on a recalibrated score"}
    shown = [method for method in named if method in own.index]
    if not shown:
        return ""
    row = own.loc[shown[0]]
    low, high = 100 * row["ci_low"], 100 * row["ci_high"]
    if low > 0:
        words = "finds more still"
    elif high < 0:
        words = "does worse"
    elif low > -RECALL_MARGIN:
        words = "does as well"
    else:
        words = "may do as well or worse"
    return f"; {named[shown[0]]} {words} ({_signed(row)})"
