"""End a run in a verdict per scorer: whether several thresholds help, and whether less would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from engine.claims import verdict
from engine.uncertainty.compare import paired
from engine.uncertainty.grid import Floats
from engine.uncertainty.names import BASELINE, MATCHED, MATCHED_PRIOR, RECALIBRATORS, RECALL_MARGIN
from engine.uncertainty.verdict_words import REPAIR, with_sentences

OURS = "mist"
VERDICTS = ("several thresholds help", "a repair does the same", "no gain", "open", "not judged", "one bucket")
Effect = dict[str, float]
_NONE: Effect = dict.fromkeys(("value", "ci_low", "ci_high"), np.nan)


def verdict_rows(table: pd.DataFrame, draws: Floats, scorers: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """Judge every scorer by its mean recall over the targets, at equal test precision.

    Parameters
    ----------
    table : DataFrame
        Test rows as returned by `engine.uncertainty.compare.measure_split`.
    draws : ndarray of shape (resamples, len(table))
    scorers : DataFrame
        ``scorer, buckets, undivided, ...``.
    choice : DataFrame
        ``scorer, buckets, chosen``: the cross-fitted number of buckets; may be empty.

    Returns
    -------
    DataFrame
        ``scorer, verdict, value, ci_low, ci_high`` (MIST minus one threshold, percentage points of
        recall), ``relative, relative_low, relative_high`` (percent of one threshold's recall), ``rival,
        rival_value, rival_low, rival_high`` (the best rival minus MIST, points), ``repair_value,
        repair_low, repair_high`` (`REPAIR` minus one threshold, points), ``undivided``, ``n``, ``sentence``.

    Notes
    -----
    The gain is judged as claim C7 is, with the same margin. Where it is supported, a rival with one
    threshold that the interval shows to be at most the margin behind MIST makes several thresholds
    unnecessary. Where it is not, a recalibration whose own gain is supported shows that uncertainty helps. Buckets
    that part no rows are not judged.
    """
    matched = table[table["metric"] == MATCHED]
    rows = []
    for found in scorers[["scorer", "buckets", "undivided"]].itertuples():
        scorer = str(found.scorer)
        places = {m: part.index.tolist() for m, part in matched[matched["scorer"] == scorer].groupby("method")}
        rivals = {m: places[m] for m in RECALIBRATORS if m in places}
        prior = matched.index[
            (matched["scorer"] == scorer.replace("_flat", "_matched")) & (matched["method"] == BASELINE)
        ].tolist()
        if scorer.endswith("_flat") and prior:
            rivals = {MATCHED_PRIOR: prior} | rivals
        gain = _points(paired(table, draws, places[OURS], places[BASELINE]))
        relative = paired(table, draws, places[OURS], places[BASELINE], relative=True)
        rival, against = _best(table, draws, rivals, places[OURS])
        _, repaired = _best(table, draws, {m: p for m, p in rivals.items() if m == REPAIR}, places[BASELINE])
        row = {"scorer": scorer, "verdict": _judge(found, gain, against, repaired)} | gain
        row |= _named("relative", relative, value="relative")
        row |= {"rival": rival} | _named("rival", against) | _named("repair", repaired)
        rows.append(row | {"undivided": found.undivided, "n": int(table["n"].iloc[0])})
    return with_sentences(pd.DataFrame(rows), choice, sorted(matched["target"].unique()))


def _best(
    table: pd.DataFrame, draws: Floats, rivals: Mapping[str, Sequence[int]], baseline: Sequence[int]
) -> tuple[str, Effect]:
    """Return the rival whose interval against a baseline begins highest, in points; no name if there is none."""
    found = {method: _points(paired(table, draws, place, baseline)) for method, place in rivals.items()}
    best = max(found, key=lambda method: found[method]["ci_low"]) if found else ""
    return best, found.get(best, _NONE)


def _named(name: str, effect: Effect, *, value: str = "") -> dict[str, float]:
    """Name the columns of an effect."""
    return {
        value or f"{name}_value": effect["value"],
        f"{name}_low": effect["ci_low"],
        f"{name}_high": effect["ci_high"],
    }


def _points(effect: Mapping[str, float]) -> Effect:
    """Turn shares into percentage points."""
    return {key: 100 * value for key, value in effect.items()}


def _judge(scorer: Any, gain: Effect, against: Effect, repaired: Effect) -> str:
    """Choose the verdict from intervals alone, where there is something to judge."""
    if scorer.buckets < 2:
        return "one bucket"
    if scorer.undivided:
        return "not judged"
    judged, repair = (verdict(e["ci_low"], e["ci_high"], margin=RECALL_MARGIN) for e in (gain, repaired))
    if judged == "supported":
        return "a repair does the same" if against["ci_low"] > -RECALL_MARGIN else "several thresholds help"
    if repair == "supported":
        return "a repair does the same"
    return "no gain" if judged == "not supported" else "open"
