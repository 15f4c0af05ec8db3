"""End a run in a verdict per scorer: whether several thresholds help, and whether less would do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from engine.claims import verdict
from engine.uncertainty.compare import paired
from engine.uncertainty.grid import Floats
from engine.uncertainty.names import BASELINE, MATCHED, MATCHED_PRIOR, RECALIBRATORS, RECALL_MARGIN, scorer_label

OURS = "mist"
RIVAL_LABEL = {
    MATCHED_PRIOR: "a matched prior",
    "recalibrated": "recalibration on score and uncertainty",
    "boosted": "boosted trees on score and uncertainty",
}
VERDICTS = ("several thresholds help", "a repair does the same", "no gain", "open", "one bucket")


def verdict_rows(table: pd.DataFrame, draws: Floats, scorers: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """Judge every scorer by its mean recall over the targets, at equal test precision.

    Parameters
    ----------
    table : DataFrame
        Test rows as returned by `engine.uncertainty.compare.measure_split`.
    draws : ndarray of shape (resamples, len(table))
    scorers : DataFrame
        ``scorer, buckets, ...``.
    choice : DataFrame
        ``scorer, buckets, chosen``: the cross-fitted number of buckets; may be empty.

    Returns
    -------
    DataFrame
        ``scorer, verdict, value, ci_low, ci_high`` (MIST minus one threshold, percentage points of
        recall), ``relative, relative_low, relative_high`` (percent of one threshold's recall), ``rival,
        rival_value, rival_low, rival_high`` (the best rival minus MIST, points), ``n``, ``sentence``.

    Notes
    -----
    The gain is judged as claim C7 is, with the same margin. Where it is supported, a rival with one
    threshold that the interval shows to be at most the margin behind MIST makes several thresholds
    unnecessary.
    """
    matched = table[table["metric"] == MATCHED]
    chosen = {} if choice.empty else dict(choice.loc[choice["chosen"], ["scorer", "buckets"]].to_numpy())
    rows = []
    for scorer, buckets in zip(scorers["scorer"], scorers["buckets"], strict=True):
        places = {
            method: part.index.tolist() for method, part in matched[matched["scorer"] == scorer].groupby("method")
        }
        gain = _points(paired(table, draws, places[OURS], places[BASELINE]))
        relative = paired(table, draws, places[OURS], places[BASELINE], relative=True)
        rivals = {m: places[m] for m in RECALIBRATORS if m in places}
        prior = matched.index[
            (matched["scorer"] == scorer.replace("_flat", "_matched")) & (matched["method"] == BASELINE)
        ].tolist()
        if scorer.endswith("_flat") and prior:
            rivals = {MATCHED_PRIOR: prior} | rivals
        behind = {m: _points(paired(table, draws, own, places[OURS])) for m, own in rivals.items()}
        rival = max(behind, key=lambda m: behind[m]["ci_low"]) if behind else ""
        against = behind.get(rival, dict.fromkeys(("value", "ci_low", "ci_high"), np.nan))
        row = {"scorer": scorer, "verdict": _judge(int(buckets), gain, against)} | gain
        row |= {f"relative{key.removeprefix('value').removeprefix('ci')}": v for key, v in relative.items()}
        row |= {"rival": rival, "rival_value": against["value"]}
        row |= {"rival_low": against["ci_low"], "rival_high": against["ci_high"], "n": int(table["n"].iloc[0])}
        rows.append(row | {"sentence": verdict_sentence(row, chosen.get(scorer))})
    return pd.DataFrame(rows)


def _points(effect: Mapping[str, float]) -> dict[str, float]:
    """Turn shares into percentage points."""
    return {key: 100 * value for key, value in effect.items()}


def _judge(buckets: int, gain: Mapping[str, float], against: Mapping[str, float]) -> str:
    """Choose the verdict from intervals alone."""
    if buckets < 2:
        return "one bucket"
    judged = verdict(gain["ci_low"], gain["ci_high"], margin=RECALL_MARGIN)
    if judged == "supported":
        return "a repair does the same" if against["ci_low"] > -RECALL_MARGIN else "several thresholds help"
    return "no gain" if judged == "not supported" else "open"


def verdict_sentence(row: Mapping[str, object], chosen: int | None) -> str:
    """Write a verdict for reading.

    Parameters
    ----------
    row : mapping
        A row of `verdict_rows` without its sentence.
    chosen : int or None
        Cross-fitted number of buckets, if one was chosen.

    Returns
    -------
    str
    """
    name = scorer_label(str(row["scorer"]))
    if row["verdict"] == "one bucket":
        return f"{name}: its uncertainty is the same for all rows, so one threshold is all there is."
    size = (
        f"{row['value']:+.1f} points of recall [{row['ci_low']:+.1f}, {row['ci_high']:+.1f}] at equal test precision, "
        f"n {row['n']:,}"
    )
    if row["verdict"] in ("several thresholds help", "a repair does the same"):
        share = f"{row['relative']:+.0f} % [{row['relative_low']:+.0f}, {row['relative_high']:+.0f}]"
        rival = RIVAL_LABEL.get(str(row["rival"]), "")
        beside = f"{row['rival_value']:+.1f} points [{row['rival_low']:+.1f}, {row['rival_high']:+.1f}]"
        if row["verdict"] == "a repair does the same":
            return (
                f"{name}: uncertainty helps by {share} ({size}), but one threshold with {rival} gives the same: "
                f"{beside} beside several thresholds."
            )
        last = f"; one threshold with {rival}: {beside} beside them" if rival else ""
        return f"{name}: several thresholds help here by {share} ({size}){last}."
    note = " Cross-fitting on the tuning rows chose one threshold, too." if chosen == 1 else ""
    if row["verdict"] == "no gain":
        return f"{name}: no gain from uncertainty here ({size}; a gain of {RECALL_MARGIN:g} points is ruled out).{note}"
    return f"{name}: no gain from uncertainty shown ({size}); the data cannot tell more.{note}"
