"""End a run in a verdict per scorer: whether several thresholds help, and whether less would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
REPAIR = "recalibrated"
"""Rival whose own gain over one threshold says that uncertainty helps: linear in the log-odds of the score, it cannot
bend the score itself as boosted trees can; a matched prior gives another score."""
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
    return with_sentences(pd.DataFrame(rows), choice)


def with_sentences(verdicts: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """Write the sentence of every verdict.

    Parameters
    ----------
    verdicts : DataFrame
        As of `verdict_rows`; a column ``sentence`` is written anew.
    choice : DataFrame
        As `verdict_rows` takes it.

    Returns
    -------
    DataFrame
    """
    chosen = {} if choice.empty else dict(choice.loc[choice["chosen"], ["scorer", "buckets"]].to_numpy())
    rows = [{str(key): value for key, value in row.items()} for row in verdicts.to_dict("records")]
    return verdicts.assign(sentence=[verdict_sentence(row, chosen.get(row["scorer"])) for row in rows])


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


def verdict_sentence(row: Mapping[str, Any], chosen: int | None) -> str:
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
    name, kind = scorer_label(str(row["scorer"])), row["verdict"]
    if kind == "one bucket":
        return f"{name}: {row['undivided']}, so one threshold is all there is."
    if kind == "not judged":
        return f"{name}: {row['undivided']}; what several thresholds would gain is not judged."
    size = f"{_effect(row)} at equal test precision, n {row['n']:,}"
    is_shown = verdict(row["ci_low"], row["ci_high"], margin=RECALL_MARGIN) == "supported"
    if is_shown:
        return _helps(row, name, size)
    if kind == "a repair does the same":
        return (
            f"{name}: uncertainty helps, but by a repair: one threshold with {RIVAL_LABEL[REPAIR]} gains "
            f"{_effect(row, 'repair')}; several thresholds show no gain ({size})."
        )
    note = " Cross-fitting on the tuning rows chose one threshold, too." if chosen == 1 else ""
    if kind == "no gain":
        return f"{name}: no gain from uncertainty here ({size}; a gain of {RECALL_MARGIN:g} points is ruled out).{note}"
    return f"{name}: no gain from uncertainty shown ({size}); the data cannot tell more.{note}"


def _helps(row: Mapping[str, Any], name: str, size: str) -> str:
    """Write how much several thresholds help, and whether a rival with one gives the same."""
    share = f"{row['relative']:+.0f} % [{row['relative_low']:+.0f}, {row['relative_high']:+.0f}]"
    rival = RIVAL_LABEL.get(row["rival"], "")
    beside = f"{row['rival_value']:+.1f} points [{row['rival_low']:+.1f}, {row['rival_high']:+.1f}]"
    if row["verdict"] == "a repair does the same":
        return (
            f"{name}: uncertainty helps by {share} ({size}), but one threshold with {rival} gives the same: "
            f"{beside} beside several thresholds."
        )
    last = f"; one threshold with {rival}: {beside} beside them" if rival else ""
    return f"{name}: several thresholds help here by {share} ({size}){last}."


def _effect(row: Mapping[str, Any], name: str = "") -> str:
    """Write a difference in recall with its interval."""
    keys = (f"{name}_value", f"{name}_low", f"{name}_high") if name else ("value", "ci_low", "ci_high")
    value, low, high = (row[key] for key in keys)
    return f"{value:+.1f} points of recall [{low:+.1f}, {high:+.1f}]"
