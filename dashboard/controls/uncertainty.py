"""Widgets and tables of the page on prediction uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard.cache import Run
from dashboard.controls.thresholds import Choice, forget_cuts
from dashboard.layout import estimate, number
from dashboard.state import UNCERTAINTY as KEY
from engine.figures.theme import METHOD_LABEL
from engine.figures.uncertainty import Scale
from engine.uncertainty import summary
from engine.uncertainty.decision import Decision
from engine.uncertainty.editor import Editor, open_editor
from engine.uncertainty.names import MATCHED_PRIOR, RECALIBRATORS, scorer_label, segment_of
from engine.uncertainty.reliability import pick
from engine.uncertainty.reliability import smooth_errors as bucket_errors

FAR_POINTS = 10.0
"""A method whose whole interval lies this many points of recall below one threshold is named instead of drawn."""


ON_TEST = "Target, on test rows"
RARE = 0.02
"""Share of positives below which a linear axis would press the curves into a corner."""
ONE_THRESHOLD = ("isotonic", *RECALIBRATORS, MATCHED_PRIOR)
"""Methods with one threshold on another score than the given one."""


def choose(run: Run) -> Choice:
    """Let the reader choose scorer and precision target; both stand in the address bar."""
    left, right = st.columns([0.62, 0.38])
    scorers = run.curve("scorers")["scorer"].tolist()
    scorer = left.selectbox(
        "Score",
        scorers,
        format_func=scorer_label,
        key=KEY["scorer"],
        bind="query-params",
        on_change=forget_cuts,
        help="The rates score a row by its own short history alone. With the flat prior the keynote's effect is "
        "strong; the matched prior is its repair.",
    )
    scorer = scorer if scorer in scorers else scorers[0]
    editor = open_scorer(run, scorer)
    targets = precision_targets(run)
    target = right.selectbox(
        "Precision at least",
        targets,
        format_func=lambda value: _target_label(editor, value),
        key=KEY["target"],
        bind="query-params",
        on_change=forget_cuts,
        help="Share of positives among the selected rows that a boundary must reach on the tuning rows.",
    )
    return Choice(run, scorer, target if target in targets else targets[0], editor)


def open_scorer(run: Run, scorer: str) -> Editor:
    """Return the editor of one scorer, made once per server."""

    def make() -> Editor:
        return open_editor(run.curve("cells"), run.curve("edges"), scorer)

    editor: Editor = cache.derived(run, f"editor of {scorer}", make)
    return editor


def precision_targets(run: Run) -> list[float]:
    """Return the precision targets of a run, rising."""
    return sorted(run.curve("boundaries")["target"].unique().tolist())


def _target_label(editor: Editor, target: float) -> str:
    """Write a target, and say where it cannot be reached on the tuning rows."""
    if any(editor.snap("exact_dp", target)):
        return f"{target:.2f}"
    return f"{target:.2f} (no boundary reaches it)"


def answer(choice: Choice) -> str:
    """Answer the question of the page for this choice."""
    run = choice.run
    differences, scorers = run.curve("differences"), run.curve("scorers")
    verdicts = run.curve("verdicts") if "verdicts" in run.manifest["curves"] else None
    return summary.answer(run.metrics, differences, choice.scorer, choice.target, scorers=scorers, verdicts=verdicts)


def reliability(choice: Choice) -> pd.DataFrame:
    """Return the reliability bins of every bucket on the test rows."""
    table = pick(choice.run.curve("reliability"), scorer=choice.scorer, split="test")
    return table[table["bucket"] >= 0]


def smooth_errors(choice: Choice) -> pd.DataFrame:
    """Return the smooth calibration error of every bucket on the test rows, where the run has it."""
    return bucket_errors(choice.run.metrics, scorer=choice.scorer, split="test", n_buckets=choice.editor.n_buckets)


def axis_scale(choice: Choice) -> Scale:
    """Choose axes that spread rare positives out."""
    return "log" if base_rate(choice) < RARE else "linear"


def base_rate(choice: Choice) -> float:
    """Return the share of positives among the test rows."""
    grid = choice.editor.grids["test"]
    return float(grid.positives.sum() / grid.totals.sum())


def gains(choice: Choice) -> pd.DataFrame:
    """Return every method's gain in recall over one threshold at equal test precision, in points.

    Where uncertainty parts no rows, several thresholds are one and gain nothing; only other single thresholds stay.
    """
    table = summary.gains_in_points(choice.run.curve("differences"), choice.scorer, choice.target)
    return table if is_divided(choice) else table[table["method"].isin(ONE_THRESHOLD)]


def is_divided(choice: Choice) -> bool:
    """Tell whether the uncertainty of the chosen score parts the rows into several buckets."""
    return not summary.undivided(choice.run.metrics, choice.scorer, choice.run.curve("scorers"))


def far_off(table: pd.DataFrame) -> pd.DataFrame:
    """Return the methods that lose so much that drawing them would squeeze all others."""
    return table[table["ci_high"] < -FAR_POINTS]


def far_off_sentence(table: pd.DataFrame) -> str:
    """Name the methods that are not drawn, with their losses; empty if all are."""
    rows = far_off(table).itertuples()
    named = [
        f"{METHOD_LABEL.get(row.method, row.method)} {number(row.value)} [{number(row.ci_low)}, {number(row.ci_high)}]"
        for row in rows
    ]
    return f"Too far below to be drawn, in points: {'; '.join(named)}." if named else ""


def not_judged_sentence(choice: Choice) -> str:
    """Say that several thresholds are not drawn where there are none; empty otherwise."""
    return "" if is_divided(choice) else "Several thresholds are not judged: uncertainty parts next to no rows."


def baseline_recall(choice: Choice) -> str:
    """Write the recall of one threshold at equal test precision."""
    row = summary.baseline_recall(choice.run.metrics, choice.scorer, choice.target)
    return estimate(row["value"], row["ci_low"], row["ci_high"], int(row["n"]))


def decisions(choice: Choice, cuts: Sequence[int]) -> dict[str, Decision]:
    """Return the outcome of a boundary on the tuning and on the test rows."""
    return {split: choice.editor.decide(cuts, split) for split in ("tune", "test")}


def confusion_markdown(mine: Decision, baseline: Decision) -> str:
    """Write a confusion matrix, one threshold's counts beside ours."""

    def cell(name: str) -> str:
        return f"**{getattr(mine, name):,}** ({getattr(baseline, name):,})"

    return (
        "| | selected | left out |\n|:--|--:|--:|\n"
        f"| **positive** | {cell('true_positive')} | {cell('false_negative')} |\n"
        f"| **negative** | {cell('false_positive')} | {cell('true_negative')} |"
    )


def tuned_table(choice: Choice) -> pd.DataFrame:
    """Write what every tuned boundary reaches on tuning and test rows, for every target; n stands in the heading."""
    metrics = choice.run.metrics
    found: dict[tuple[float, str], dict[str, str]] = {}
    splits = {"tune": "tuning", "test": "test"}
    for target in precision_targets(choice.run):
        own = metrics[metrics["segment"] == segment_of(choice.scorer, target)]
        for row in own[own["metric"].isin(["precision", "recall"])].itertuples():
            heading = f"{row.metric.capitalize()}, {splits[row.split]} (n {row.n:,})"
            interval = f"{number(row.value)} [{number(row.ci_low)}, {number(row.ci_high)}]"
            line = found.setdefault((target, row.method), {})
            line[heading] = interval if row.value == row.value else "nothing selected"
            if (row.metric, row.split) == ("precision", "test"):
                line[ON_TEST] = _held(row, target)
    lines = [
        {"": f"≥ {target:.2f}", "Method": METHOD_LABEL.get(method, method), **line}
        for (target, method), line in found.items()
    ]
    return pd.DataFrame(lines).set_index("")


def _held(row: Any, target: float) -> str:
    """Say whether a precision on test rows bears its target out; red where its interval excludes the target."""
    if row.value != row.value:
        return "–"
    if row.ci_high < target:
        return ":red[**missed**]"
    return "exceeded" if row.ci_low > target else "agrees"


def page_is_dark() -> bool:
    """Say whether the reader's theme is dark."""
    return bool(st.context.theme.type == "dark")


__all__ = [
    "far_off",
    "far_off_sentence",
    "Choice",
    "answer",
    "axis_scale",
    "base_rate",
    "baseline_recall",
    "choose",
    "confusion_markdown",
    "decisions",
    "gains",
    "is_divided",
    "not_judged_sentence",
    "page_is_dark",
    "reliability",
    "smooth_errors",
    "tuned_table",
]
