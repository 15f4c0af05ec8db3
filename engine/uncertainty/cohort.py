"""Cohorts: the rows behind a cell of the confusion matrix, as a table and as counts that can be kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from io import StringIO
from typing import Literal

import numpy as np
import pandas as pd

from engine.errors import ConfigError, DataError
from engine.metrics.calibration import wilson_interval
from engine.uncertainty.editor import Editor
from engine.uncertainty.grid import assign_buckets, in_precision, precision_of

Outcome = Literal["true_positive", "false_positive", "false_negative", "true_negative", "any"]
OUTCOMES: tuple[Outcome, ...] = ("true_positive", "false_positive", "false_negative", "true_negative", "any")
MOST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Say which rows a cohort holds: an outcome under thresholds, a bucket, a range of scores, a slice."""

    name: str
    outcome: Outcome = "any"
    bucket: int = -1
    """Uncertainty bucket; -1 for all."""
    score_low: float = 0.0
    """Lowest score, included."""
    score_high: float = 1.0
    """Highest score, included."""
    column: str = ""
    """Slice column; empty for all rows."""
    value: str = ""
    """Value of the slice column."""
    n: int = 0
    positives: int = 0
    """Rows and positives on the test rows of the run when the cohort was named."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not 0 < len(self.name.strip()) <= MOST_NAME or not self.name.isprintable():
            raise ConfigError(f"'name' is {self.name!r}; a cohort needs one line of 1 to {MOST_NAME} characters.")
        if self.outcome not in OUTCOMES:
            raise ConfigError(f"'outcome' is '{self.outcome}'; allowed are {', '.join(OUTCOMES)}.")
        if not 0 <= self.score_low <= self.score_high <= 1:
            raise ConfigError(
                f"'score_low' is {self.score_low} and 'score_high' {self.score_high}; 0 <= low <= high <= 1 is needed."
            )
        if not 0 <= self.positives <= self.n:
            raise ConfigError(f"'positives' is {self.positives} of n = {self.n}; 0 <= positives <= n is needed.")

    def rate(self) -> tuple[float, float, float]:
        """Return the share of positives with Wilson's 95 % interval; NaN without rows."""
        low, high = wilson_interval(self.positives, self.n)
        return (self.positives / self.n if self.n else float("nan")), float(low), float(high)


def cohort_rows(predictions: pd.DataFrame, cohort: Cohort, editor: Editor, cuts: Sequence[int]) -> pd.DataFrame:
    """Pick the stored rows of a cohort.

    Parameters
    ----------
    predictions : DataFrame
        Of a run: ``sample_id, y_true, prob, uncertainty`` and slice columns; a sample of the test rows.
    cohort : Cohort
    editor : Editor
        Of the scorer that the predictions come from.
    cuts : sequence of K int
        The boundary that outcomes are told by.

    Returns
    -------
    DataFrame
        The rows with ``bucket, threshold, selected, outcome``, the highest score first.

    Raises
    ------
    ConfigError
        If the cuts are not on the grid, or the predictions have no such slice column.
    """
    thresholds = editor.thresholds_of(cuts)
    score, spread = (predictions[name].to_numpy() for name in ("prob", "uncertainty"))
    bucket = assign_buckets(spread, editor.layout.uncertainty_edges)
    selected = score >= in_precision(thresholds, precision_of(score))[bucket]
    outcome = outcome_of(predictions["y_true"].to_numpy(), selected)
    kept = (score >= cohort.score_low) & (score <= cohort.score_high)
    if cohort.bucket >= 0:
        kept &= bucket == cohort.bucket
    if cohort.outcome != "any":
        kept &= outcome == cohort.outcome
    if cohort.column:
        if cohort.column not in predictions.columns:
            raise ConfigError(f"'column' is '{cohort.column}', which the stored predictions of this run do not have.")
        kept &= (predictions[cohort.column].astype("str") == cohort.value).to_numpy()
    found = predictions.assign(bucket=bucket, threshold=thresholds[bucket], selected=selected, outcome=outcome)
    return found[kept].sort_values("prob", ascending=False, kind="stable").reset_index(drop=True)


def outcome_of(label: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """Name the cell of the confusion matrix of every row."""
    names = np.array([["true_negative", "false_positive"], ["false_negative", "true_positive"]])
    return names[label.astype(int), selected.astype(int)]


def count_cohort(cohort: Cohort, editor: Editor, cuts: Sequence[int]) -> Cohort:
    """Count a cohort on all test rows of a run.

    Parameters
    ----------
    cohort : Cohort
        Its range of scores is widened to whole bins. A slice is counted by the editor of the slice, see
        `engine.uncertainty.slices.cells_of_slice`.
    editor : Editor
    cuts : sequence of K int

    Returns
    -------
    Cohort
        With ``n, positives``, and the range of scores that they belong to.
    """
    grid, layout = editor.grids["test"], editor.layout
    low = np.concatenate([[0.0], layout.score_edges])
    high = np.concatenate([layout.score_edges, [1.0]])
    # A bin counts if the range reaches into it; the topmost holds a score of 1.
    inside = (high > cohort.score_low) & (low <= cohort.score_high)
    inside[-1] |= cohort.score_low == 1.0
    above = low[None, :] >= editor.thresholds_of(cuts)[:, None]
    above[:, 0] |= np.isneginf(editor.thresholds_of(cuts))
    chosen = np.broadcast_to(inside, grid.totals.shape).copy()
    if cohort.bucket >= 0:
        chosen &= np.arange(layout.shape[0])[:, None] == cohort.bucket
    won = grid.positives
    lost = grid.totals - won
    takes = {
        "any": (chosen, chosen),
        "true_positive": (chosen & above, chosen & False),
        "false_positive": (chosen & False, chosen & above),
        "false_negative": (chosen & ~above, chosen & False),
        "true_negative": (chosen & False, chosen & ~above),
    }[cohort.outcome]
    positives, negatives = int(won[takes[0]].sum()), int(lost[takes[1]].sum())
    return replace(
        cohort,
        score_low=float(low[inside].min()),
        score_high=float(high[inside].max()),
        n=positives + negatives,
        positives=positives,
    )


def cohorts_to_csv(cohorts: Sequence[Cohort]) -> str:
    """Write cohorts as CSV text, one line each."""
    columns = [field.name for field in fields(Cohort)]
    text: str = pd.DataFrame([asdict(cohort) for cohort in cohorts], columns=columns).to_csv(index=False)
    return text


def cohorts_from_csv(text: str) -> tuple[Cohort, ...]:
    """Read cohorts from CSV text.

    Raises
    ------
    DataError
        If a column is missing or a value is not allowed; names the row.
    """
    try:
        frame = pd.read_csv(StringIO(text), keep_default_na=False)
    except ValueError as error:
        raise DataError("The cohorts are no CSV table with a header; write them with this program.") from error
    names = [field.name for field in fields(Cohort)]
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise DataError(f"Column '{missing[0]}' is missing in the cohorts; needed are {', '.join(names)}.")
    found = []
    for number, row in enumerate(frame[names].to_dict("records"), 1):
        try:
            found.append(_cohort(row))
        except ValueError as error:
            raise DataError(f"Row {number} of the cohorts is no cohort: {error}") from error
    return tuple(found)


def _cohort(row: Mapping[str, object]) -> Cohort:
    """Make a cohort of a row of text and numbers."""
    texts = {name: str(row[name]) for name in ("name", "column", "value")}
    wholes = {name: int(str(row[name])) for name in ("bucket", "n", "positives")}
    ends = {name: float(str(row[name])) for name in ("score_low", "score_high")}
    outcome = str(row["outcome"])
    known = next((name for name in OUTCOMES if name == outcome), None)
    if known is None:
        raise ConfigError(f"'outcome' is '{outcome}'; allowed are {', '.join(OUTCOMES)}.")
    return Cohort(outcome=known, **texts, **wholes, **ends)  # type: ignore[arg-type]  # keys are known, types by group
