"""Cohorts: the rows behind a cell of the confusion matrix, chosen, counted, named and taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard.controls.thresholds import Choice
from dashboard.layout import escape_markdown, number, to_csv
from dashboard.state import EDITOR
from engine.errors import ConfigError
from engine.uncertainty.cohort import MOST_NAME, Cohort, Outcome, cohort_rows, cohorts_to_csv, count_cohort
from engine.uncertainty.decision import Decision

CELLS: dict[Outcome, str] = {
    "true_positive": "Positive and selected",
    "false_negative": "Positive and left out",
    "false_positive": "Negative and selected",
    "true_negative": "Negative and left out",
}
"""Cells of the confusion matrix, row by row."""
SHORT: dict[Outcome, str] = {
    "true_positive": "TP",
    "false_negative": "FN",
    "false_positive": "FP",
    "true_negative": "TN",
}
"""What a cell is called in formulas."""
MOST_SHOWN = 200
"""Rows of a cohort that are sent to the browser."""
MOST_KEPT = 30
"""Cohorts that a session keeps."""
_NEEDED = {"y_true", "prob", "uncertainty"}


def cell_button(cell: Outcome, mine: Decision, single: Decision) -> None:
    """Draw one cell of the matrix: its count, one threshold's in brackets; pressing it opens or closes its rows."""
    open_cell = chosen_cell()
    st.button(
        f"{SHORT[cell]} **{getattr(mine, cell):,}** ({getattr(single, cell):,})",
        key=f"{EDITOR['cell']}-{cell}",
        type="primary" if cell == open_cell else "secondary",
        on_click=_toggle,
        args=(cell,),
        width="stretch",
        help=f"{CELLS[cell]}: show the rows",
    )


def _toggle(cell: Outcome) -> None:
    """Open a cell, or close it if it is open."""
    state = st.session_state
    state[EDITOR["cell"]] = None if state.get(EDITOR["cell"]) == cell else cell


def chosen_cell() -> Outcome | None:
    """Return the cell whose rows are shown."""
    cell = st.session_state.get(EDITOR["cell"])
    return next((known for known in CELLS if known == cell), None)


def narrow(choice: Choice, cell: Outcome, cuts: Sequence[int]) -> Cohort:
    """Let the reader narrow a cell down to a bucket and a range of scores, and count it on all test rows."""
    left, right = st.columns([0.5, 0.5])
    names = ["All", *choice.editor.bucket_labels()]
    place = left.selectbox("Uncertainty", range(len(names)), format_func=names.__getitem__, key=EDITOR["cell_bucket"])
    place = place if place in range(len(names)) else 0
    low, high = right.slider("Score from, to", 0.0, 1.0, (0.0, 1.0), step=0.01, key=EDITOR["cell_scores"])
    cohort = Cohort(name=CELLS[cell], outcome=cell, bucket=place - 1, score_low=float(low), score_high=float(high))
    return count_cohort(cohort, choice.editor, cuts)


def described(choice: Choice, cohort: Cohort) -> str:
    """Say what a cohort holds."""
    where = "" if cohort.bucket < 0 else f", uncertainty {choice.editor.bucket_labels()[cohort.bucket]}"
    positives = choice.editor.grids["test"].totals.sum()
    share = 100 * cohort.n / positives if positives else float("nan")
    return (
        f"**{escape_markdown(cohort.name)}**{where} · scores {number(cohort.score_low)} to "
        f"{number(cohort.score_high)} (whole bins) · **n {cohort.n:,}** test rows, {number(share)} % of all"
    )


def stored_rows(choice: Choice, cohort: Cohort, cuts: Sequence[int]) -> pd.DataFrame | None:
    """Return the stored rows of a cohort, or None if the run stores none for this score."""
    scorers = choice.run.curve("scorers")["scorer"]
    predictions = choice.run.predictions
    if choice.scorer != scorers.iloc[0] or predictions.empty or not set(predictions.columns) >= _NEEDED:
        return None
    return cohort_rows(predictions, cohort, choice.editor, cuts)


def shown_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the first rows of a cohort with names for reading."""
    names = {"sample_id": "Row", "y_true": "Label", "prob": "Score", "uncertainty": "Uncertainty"}
    first = rows.head(MOST_SHOWN).assign(bucket=lambda part: part["bucket"] + 1)
    hidden = ["split", "selected", "outcome"]
    return first.drop(columns=hidden, errors="ignore").rename(
        columns=names | {"bucket": "Bucket", "threshold": "Threshold"}
    )


def rows_csv(rows: pd.DataFrame) -> bytes:
    """Write the stored rows of a cohort as CSV."""
    return to_csv(rows)


def keep_inputs(cohort: Cohort) -> str:
    """Let the reader name the cohort and keep it; return a complaint, or nothing."""
    left, right = st.columns([0.7, 0.3], vertical_alignment="bottom")
    name = left.text_input(
        "Name of the cohort", key=EDITOR["cohort"], max_chars=MOST_NAME, placeholder=cohort.name.lower()
    )
    pressed = right.button("Keep", key="uncertainty-keep", icon=":material/bookmark_add:", width="stretch")
    if not pressed:
        return ""
    try:
        named = replace(cohort, name=(name or cohort.name).strip())
    except ConfigError as error:
        return str(error)
    others = [one for one in kept() if one.name != named.name]
    st.session_state[EDITOR["cohorts"]] = [*others, named][-MOST_KEPT:]
    return ""


def kept() -> list[Cohort]:
    """Return the cohorts that this session has named."""
    found: list[Cohort] = st.session_state.get(EDITOR["cohorts"], [])
    return found


def kept_table(choice: Choice) -> pd.DataFrame:
    """Write the named cohorts: what they hold, and their share of positives."""
    lines = []
    for cohort in kept():
        value, low, high = cohort.rate()
        lines.append(
            {
                "Cohort": cohort.name,
                "Cell": CELLS.get(cohort.outcome, "Any"),
                "Uncertainty": "all" if cohort.bucket < 0 else f"bucket {cohort.bucket + 1}",
                "Scores": f"{number(cohort.score_low)} to {number(cohort.score_high)}",
                "n": cohort.n,
                "Positives": cohort.positives,
                "Share of positives": f"{number(value)} [{number(low)}, {number(high)}]",
            }
        )
    return pd.DataFrame(lines)


def kept_csv() -> bytes:
    """Write the named cohorts as CSV that this program reads back."""
    return cohorts_to_csv(kept()).encode()


def forget_kept() -> None:
    """Drop the named cohorts."""
    st.session_state[EDITOR["cohorts"]] = []
