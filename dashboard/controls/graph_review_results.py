"""What the verdicts on a run say together: precision of the model, agreement of reviewers, the file to take away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.cache import Run
from dashboard.controls.graph_review import Desk, store
from dashboard.controls.graph_review_text import VERDICT_WORD
from dashboard.layout import escape_markdown, estimate, number, to_csv
from engine.graph.review import current
from engine.graph.review_summary import UNDECIDED, agreement, joint_verdicts, precision, precision_by_method

_SCOPE = {"new": "new to training", "seen": "seen in training"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One figure with what to compare it with; parts that come from data are escaped."""

    label: str
    value: float
    low: float
    high: float
    n: int
    baseline: str
    term: str


@dataclass(frozen=True, slots=True)
class Results:
    """What the verdicts on one run say together."""

    cards: list[Card]
    counts: str
    methods: pd.DataFrame
    """``method, value, ci_low, ci_high, n``: how often each method prefers what the reviewers call right."""
    agreements: pd.DataFrame
    """Written out for reading; no rows while no two reviewers share a pair."""


def results(desk: Desk) -> Results:
    """Sum the verdicts of all reviewers on a run up.

    Parameters
    ----------
    desk : Desk

    Returns
    -------
    Results
    """
    joint = joint_verdicts(desk.verdicts)
    is_new = desk.material.pairs["kind"] != "observed"
    table = precision(joint, is_new).set_index(["measure", "scope"])
    pairwise = agreement(desk.verdicts)
    scores = desk.material.scores
    methods = pd.DataFrame() if scores is None else precision_by_method(joint, scores)
    cards = [_precision_card(table, "all_verdicts"), _precision_card(table, "one_way"), _kappa_card(pairwise)]
    return Results(cards=cards, counts=_counts(joint, desk.verdicts), methods=methods, agreements=_written(pairwise))


def export(run: Run) -> bytes:
    """Return the history of all verdicts on a run as CSV that no spreadsheet takes for formulas.

    Parameters
    ----------
    run : Run

    Returns
    -------
    bytes
        Columns ``id, run, source, target, reviewer, verdict, note, time_utc, is_current``.
    """
    history = store().history(run.id)
    return to_csv(history.assign(is_current=np.where(history["id"].isin(current(history)["id"]), "yes", "no")))


def _precision_card(table: pd.DataFrame, measure: str) -> Card:
    """Return one reading of the precision, with the pairs that training knew apart from the others."""
    row = table.loc[(measure, "all")]
    apart = []
    for scope, words in _SCOPE.items():
        part = table.loc[(measure, scope)]
        shown = estimate(part["value"], part["ci_low"], part["ci_high"], int(part["n"])) if part["n"] else "none"
        apart.append(f"{words}: {shown}")
    coin = "a coin 0.5  \n" if measure == "one_way" else ""
    return Card(
        label="Judged right, of all verdicts" if measure == "all_verdicts" else "Judged right, of right and wrong",
        value=float(row["value"]),
        low=float(row["ci_low"]),
        high=float(row["ci_high"]),
        n=int(row["n"]),
        baseline=coin + "  \n".join(apart),
        term="review_precision" if measure == "all_verdicts" else "review_direction",
    )


def _kappa_card(pairwise: pd.DataFrame) -> Card:
    """Return the agreement of the two reviewers who share most pairs."""
    if pairwise.empty:
        missing = float("nan")
        words = "needs two reviewers on the same pair  \nchance 0"
        return Card(
            label="Cohen's κ", value=missing, low=missing, high=missing, n=0, baseline=words, term="cohen_kappa"
        )
    row = pairwise.iloc[0]
    undefined = "  \none verdict for everything: chance does the same" if np.isnan(row["value"]) else ""
    return Card(
        label="Cohen's κ",
        value=float(row["value"]),
        low=float(row["ci_low"]),
        high=float(row["ci_high"]),
        n=int(row["n"]),
        baseline=f"chance 0 · equal verdicts {number(row['equal'])}{undefined}",
        term="cohen_kappa",
    )


def _counts(joint: pd.Series, verdicts: pd.DataFrame) -> str:
    """Count the joint verdicts in words."""
    found = joint.value_counts()
    words = {**VERDICT_WORD, UNDECIDED: "Draw between reviewers"}
    counted = " · ".join(f"{word.lower()} {int(found.get(key, 0)):,}" for key, word in words.items())
    reviewers = verdicts["reviewer"].nunique()
    return (
        f"{len(joint):,} pair{'s' if len(joint) != 1 else ''} judged by {reviewers:,} "
        f"reviewer{'s' if reviewers != 1 else ''}: {counted}. Pairs were chosen for review, so these figures say "
        "nothing of other pairs."
    )


def _written(pairwise: pd.DataFrame) -> pd.DataFrame:
    """Write the agreement of every two reviewers out for reading, safe for markdown."""
    table = pd.DataFrame(
        {
            "Reviewers": [escape_markdown(f"{row.first} – {row.second}", limit=60) for row in pairwise.itertuples()],
            "κ [95 % interval]": [
                estimate(row.value, row.ci_low, row.ci_high, int(row.n)) for row in pairwise.itertuples()
            ],
            "Equal": [number(row.equal) for row in pairwise.itertuples()],
        }
    )
    return table.set_index("Reviewers")
