"""What the threshold editor says about a boundary: beside every slider, on both splits, and beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from dashboard import cache
from dashboard.controls.thresholds import Choice, Goal
from dashboard.layout import number
from engine.figures.uncertainty_editor import bucket_histogram
from engine.figures.uncertainty_frontier import POINT_COLUMNS
from engine.uncertainty.decision import FEW_ROWS, Decision, target_check
from engine.uncertainty.isotonic import headroom, upper_bound
from engine.uncertainty.objectives import utility
from engine.uncertainty.readings import (
    Share,
    difference,
    f1_score,
    rates_at_the_cut,
    rows_needed,
    score_histogram,
    share_selected,
)

SPLITS = {"test": "test rows", "tune": "tuning rows"}
CLAIM = 0.02
"""Half width of a precision that is worth stating; of one below a tenth, a fifth of it."""
LOW = 0.1
"""Precision below which half widths are judged beside it."""
FEW_TUNING = 20
"""Tuning rows below which a bucket is too small to place a threshold by."""
WIDE = 0.05
"""Half width from which on the number of selected rows is warned of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketView:
    """What stands beside the slider of one bucket."""

    name: str
    n: int
    base_rate: str
    at_cut: str
    picture: str
    """Its score histogram, an SVG document."""
    caution: str = ""
    """Why its rows hardly tell a threshold, or nothing."""


def bucket_views(choice: Choice, cuts: Sequence[int]) -> list[BucketView]:
    """Describe every bucket on the tuning rows."""
    editor = choice.editor
    grid = editor.grids["tune"]
    table: pd.DataFrame = cache.derived(choice.run, f"histogram of {choice.scorer}", lambda: score_histogram(grid))
    size = editor.layout.shape[1]
    at_cut = rates_at_the_cut(grid, cuts).to_dict("records")
    found = []
    for bucket, (name, n) in enumerate(zip(editor.bucket_labels(), editor.bucket_rows("tune"), strict=True)):
        row = at_cut[bucket]
        interval = f"[{_percent(row['ci_low'])}, {_percent(row['ci_high'])}]"
        positives = int(grid.positives[bucket].sum())
        base = positives / n if n else float("nan")
        found.append(
            BucketView(
                name=name,
                n=n,
                base_rate=f"{_percent(base)} %",
                at_cut=f"{_percent(row['rate'])} % {interval} · n {row['n']:,}",
                picture=bucket_histogram(table.iloc[bucket * size : (bucket + 1) * size], cuts[bucket]),
                caution=caution(n, positives),
            )
        )
    return found


def caution(n: int, positives: int) -> str:
    """Say why the tuning rows of a bucket hardly tell a threshold: none, few, or of one class.

    Examples
    --------
    >>> caution(500, 60), caution(0, 0)
    ('', 'No tuning row lies here, so nothing tells where the threshold belongs.')
    """
    if n == 0:
        return "No tuning row lies here, so nothing tells where the threshold belongs."
    found = []
    if n < FEW_TUNING:
        found.append(f"Only {n} tuning {'row lies' if n == 1 else 'rows lie'} here, fewer than {FEW_TUNING}")
    if positives in (0, n):
        which = "none is positive" if positives == 0 else "all are positive"
        found.append(which if found else f"Of {n:,} tuning rows {which}")
    return f"{', and '.join(found)}: too little to tell where the threshold belongs." if found else ""


def _percent(share: float) -> str:
    """Write a share in percent, without the sign."""
    return number(100 * share, 2 if 100 * share < 10 else 3)


def notice(choice: Choice, goal: Goal, decisions: Mapping[str, Decision]) -> tuple[str, str]:
    """Say whether the test rows bear out what was asked for on the tuning rows.

    Returns
    -------
    (str, str)
        ``error``, ``warning``, ``info`` or ``success``, and the sentence.
    """
    test = decisions["test"]
    if goal.mode == "budget":
        return _budget_notice(goal, decisions)
    if goal.mode == "cost":
        worth = {split: 1000 * utility(d, value=goal.value, cost=goal.cost) / d.rows for split, d in decisions.items()}
        return "info", (
            f"Worth {number(worth['test'])} per 1,000 test rows (n {test.rows:,}) and {number(worth['tune'])} per "
            f"1,000 tuning rows (n {decisions['tune'].rows:,})."
        )
    value, low, high = test.precision
    found = f"{number(value)} [{number(low)}, {number(high)}] · n {test.selected:,}"
    aim = f"the target of {goal.aim:.2f}"
    return {
        "nothing": ("info", "No test row is selected: lower a threshold."),
        "few": ("warning", f"Fewer than {FEW_ROWS} test rows are selected: precision {found} says little."),
        "missed": ("error", f"Test precision {found} lies below {aim}: it held on the tuning rows only, or not there."),
        "exceeded": ("warning", f"Test precision {found} lies above {aim}: recall is given away."),
        "met": ("success", f"Test precision {found} agrees with {aim}."),
    }[target_check(test, goal.aim)]


def _budget_notice(goal: Goal, decisions: Mapping[str, Decision]) -> tuple[str, str]:
    """Compare the share selected on the test rows with the budget."""
    tune = decisions["tune"]
    allowed = goal.budget / tune.rows
    value, low, high = share_selected(decisions["test"])
    found = f"{_percent(value)} % [{_percent(low)}, {_percent(high)}] of the test rows are selected"
    told = f"{found} (n {decisions['test'].rows:,}); the budget is {_percent(allowed)} %"
    if tune.selected > goal.budget:
        return "error", f"{told}, and the tuning rows break it with {tune.selected:,} of {goal.budget:,} rows."
    return ("error" if low > allowed else "success"), f"{told}."


READINGS: dict[str, str] = {"precision": "Precision", "recall": "Recall", "f1": "F1", "coverage": "Share selected"}
"""Key of the glossary to the name on the page."""


def reading(decision: Decision, metric: str) -> tuple[Share, int]:
    """Return one share of a decision with its interval, and the rows it is a share of."""
    if metric == "precision":
        return decision.precision, decision.selected
    if metric == "recall":
        return decision.recall, decision.positives
    if metric == "f1":
        return f1_score(decision), decision.selected + decision.false_negative
    return share_selected(decision), decision.rows


def beside(decision: Decision, metric: str) -> str:
    """Write what one threshold reaches, for comparison."""
    value, low, high = reading(decision, metric)[0]
    return f"one threshold {number(value)} [{number(low)}, {number(high)}]"


def optimism(decisions: Mapping[str, Decision]) -> str:
    """Write how much better the tuning rows look than the test rows."""
    parts = []
    for metric in ("precision", "recall"):
        value, low, high = (
            100 * v for v in difference(reading(decisions["tune"], metric)[0], reading(decisions["test"], metric)[0])
        )
        parts.append(f"{metric} {value:+.1f} points [{low:+.1f}, {high:+.1f}]" if value == value else f"{metric} –")
    return "Optimism, tuning minus test: " + " · ".join(parts)


def sample_size(decision: Decision) -> tuple[bool, str]:
    """Say how exactly the selected test rows tell the precision; true if that is worth a warning."""
    value, low, high = decision.precision
    if not decision.selected:
        return False, "No test row is selected, so there is no precision to tell."
    is_low = 0 < value < LOW
    claim = float(f"{value / 5:.1g}") if is_low else CLAIM
    needed = round(rows_needed(value if is_low else min(max(value, 0.05), 0.95), claim), -1)
    text = (
        f"{decision.selected:,} selected test rows tell a precision of {number(value, 2)} to "
        f"± {number((high - low) / 2, 2)}; ± {number(claim, 1)} takes about {needed:,} rows."
    )
    return (high - low) / 2 > (value / 2 if is_low else WIDE), text


def headroom_text(choice: Choice, goal: Goal, decision: Decision) -> str:
    """Say how much more any boundary of these bins could find at the precision asked for, on the tuning rows."""
    if goal.mode in ("budget", "cost"):
        return ""
    if not decision.selected or decision.precision[0] < goal.aim - 1e-12:
        return f"On the tuning rows this boundary does not reach {goal.aim:.2f}, so there is nothing to improve yet."
    bound: float = upper_bound(choice.editor.grids["tune"], goal.aim)
    more = headroom(decision.true_positive, bound)
    return f"At most {number(more, 2)} % better is possible on the tuning rows at precision {goal.aim:.2f}."


def has_frontier(choice: Choice) -> bool:
    """Say whether the run holds the frontier."""
    return "frontier" in choice.run.manifest["curves"]


def frontier_rows(choice: Choice) -> pd.DataFrame:
    """Return the frontier of the chosen score."""
    table = choice.run.curve("frontier")
    return table[table["scorer"] == choice.scorer]


def frontier_points(decisions: Mapping[str, Mapping[str, Decision]]) -> pd.DataFrame:
    """Place boundaries on the frontier: name to split to decision."""
    rows = [
        (split, name, d.recall[0], d.precision[0], *d.recall[1:], *d.precision[1:])
        for name, by_split in decisions.items()
        for split, d in by_split.items()
    ]
    return pd.DataFrame(rows, columns=list(POINT_COLUMNS))
