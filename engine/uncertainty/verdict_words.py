"""Write the verdict on a scorer for reading, from its stored row alone; light enough for a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from engine.claims import verdict
from engine.uncertainty.names import MATCHED_PRIOR, RECALL_MARGIN, scorer_label

RIVAL_LABEL = {
    MATCHED_PRIOR: "a matched prior",
    "recalibrated": "recalibration on score and uncertainty",
    "boosted": "boosted trees on score and uncertainty",
}
REPAIR = "recalibrated"
"""Rival whose own gain over one threshold says that uncertainty helps: linear in the log-odds of the score, it cannot
bend the score itself as boosted trees can; a matched prior gives another score."""


def with_sentences(verdicts: pd.DataFrame, choice: pd.DataFrame, targets: Sequence[float]) -> pd.DataFrame:
    """Write the sentence of every verdict.

    Parameters
    ----------
    verdicts : DataFrame
        As of `engine.uncertainty.verdicts.verdict_rows`; a column ``sentence`` is written anew.
    choice : DataFrame
        ``scorer, buckets, chosen``: the cross-fitted number of buckets; may be empty.
    targets : sequence of float, ascending
        Precisions that the verdict is the mean over.

    Returns
    -------
    DataFrame
    """
    chosen = {} if choice.empty else dict(choice.loc[choice["chosen"], ["scorer", "buckets"]].to_numpy())
    rows = [{str(key): value for key, value in row.items()} for row in verdicts.to_dict("records")]
    return verdicts.assign(sentence=[verdict_sentence(row, targets, chosen.get(row["scorer"])) for row in rows])


def verdict_sentence(row: Mapping[str, Any], targets: Sequence[float], chosen: int | None = None) -> str:
    """Write a verdict with the name of its scorer.

    Parameters
    ----------
    row : mapping
        A row of `engine.uncertainty.verdicts.verdict_rows`, a sentence of its own is not read.
    targets : sequence of float, ascending
        Precisions that the verdict is the mean over.
    chosen : int, optional
        Cross-fitted number of buckets, if one was chosen.

    Returns
    -------
    str
    """
    note = " Cross-fitting on the tuning rows chose one threshold, too."
    is_told = chosen == 1 and row["verdict"] in ("no gain", "open")
    return f"{scorer_label(str(row['scorer']))}: {verdict_words(row, targets)}{note if is_told else ''}"


def verdict_words(row: Mapping[str, Any], targets: Sequence[float]) -> str:
    """Write a verdict without the name of its scorer, beginning in lower case.

    Parameters
    ----------
    row, targets
        As of `verdict_sentence`.

    Returns
    -------
    str
        Says which precisions the verdict is over.
    """
    kind = row["verdict"]
    if kind == "one bucket":
        return f"{row['undivided']}, so one threshold is all there is."
    if kind == "not judged":
        return f"{row['undivided']}; what several thresholds would gain is not judged."
    size = f"{_effect(row)} {over(targets)}, n {row['n']:,}"
    if verdict(row["ci_low"], row["ci_high"], margin=RECALL_MARGIN) == "supported":
        return _helps(row, size)
    if kind == "a repair does the same":
        return (
            f"uncertainty helps, but by a repair: one threshold with {RIVAL_LABEL[REPAIR]} gains "
            f"{_effect(row, 'repair')}; several thresholds show no gain ({size})."
        )
    if kind == "no gain":
        size += f"; a gain of {RECALL_MARGIN:g} points is ruled out"
        if not row.get("repair_high", 0.0) >= RECALL_MARGIN:
            return f"no gain from uncertainty here ({size})."
        return (
            f"no gain from several thresholds here ({size}); one threshold with {RIVAL_LABEL[REPAIR]}: "
            f"{_effect(row, 'repair')}, so that the data leave open whether uncertainty helps by it."
        )
    return f"no gain from uncertainty shown ({size}); the data cannot tell more."


def over(targets: Sequence[float]) -> str:
    """Say which precisions a gain is measured at.

    Parameters
    ----------
    targets : sequence of float, ascending, at least one

    Returns
    -------
    str

    Examples
    --------
    >>> over([0.5]), over([0.3, 0.4, 0.6])
    ('at test precision 0.50', 'as the mean over test precisions 0.30 to 0.60')
    """
    if len(targets) == 1:
        return f"at test precision {targets[0]:.2f}"
    return f"as the mean over test precisions {targets[0]:.2f} to {targets[-1]:.2f}"


def tenths(value: float) -> str:
    """Write a change with its sign and one digit; what rounds to nothing has no minus.

    Examples
    --------
    >>> tenths(1.26), tenths(-0.04)
    ('+1.3', '+0.0')
    """
    return f"{round(value, 1) + 0.0:+.1f}"


def _helps(row: Mapping[str, Any], size: str) -> str:
    """Write how much several thresholds help, and whether a rival with one gives the same."""
    relative = [row[name] for name in ("relative", "relative_low", "relative_high")]
    # One threshold that reaches the precision nowhere has no recall to be set against.
    known = all(math.isfinite(value) for value in relative)
    by = f" by {relative[0]:+.0f} % [{relative[1]:+.0f}, {relative[2]:+.0f}]" if known else ""
    rival = RIVAL_LABEL.get(row["rival"], "")
    value, low, high = (tenths(row[name]) for name in ("rival_value", "rival_low", "rival_high"))
    beside = f"{value} points [{low}, {high}]"
    if row["verdict"] == "a repair does the same":
        return (
            f"uncertainty helps{by} ({size}), but one threshold with {rival} gives the same: "
            f"{beside} beside several thresholds."
        )
    last = f"; one threshold with {rival}: {beside} beside them" if rival else ""
    return f"several thresholds help here{by} ({size}){last}."


def _effect(row: Mapping[str, Any], name: str = "") -> str:
    """Write a difference in recall with its interval."""
    keys = (f"{name}_value", f"{name}_low", f"{name}_high") if name else ("value", "ci_low", "ci_high")
    value, low, high = (tenths(row[key]) for key in keys)
    return f"{value} points of recall [{low}, {high}]"
