"""The confusion matrix of both splits, and the rows behind one of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.controls import uncertainty as controls
from dashboard.controls import uncertainty_cohort as cohorts
from dashboard.glossary import TERMS


def draw(choice: controls.Choice, cuts: list[int], mine: Mapping[str, Any], single: Mapping[str, Any]) -> None:
    """Draw the matrices, the rows of the open cell and the cohorts that were named.

    Parameters
    ----------
    choice : Choice
    cuts : list of K int
    mine, single : mapping
        Split to the decision of the reader's boundary and of one threshold.
    """
    left, right = st.columns(2)
    with left, st.container(border=True):
        _heading("Test rows", mine["test"])
        _buttons(mine["test"], single["test"])
        st.caption("Press a count to see its rows. In brackets: one threshold.")
    with right, st.container(border=True):
        _heading("Tuning rows", mine["tune"])
        st.markdown(controls.confusion_markdown(mine["tune"], single["tune"]))
        st.caption("In brackets: one threshold.")
    cell = cohorts.chosen_cell()
    if cell is not None:
        _rows(choice, cell, cuts)
    _kept(choice)


def _heading(name: str, mine: Any) -> None:
    """Name a matrix and say how much is selected."""
    st.markdown(f"**{name}** · n {mine.rows:,} · {100 * mine.coverage:.1f} % selected")


def _buttons(mine: Any, single: Any) -> None:
    """Draw the matrix of the test rows as buttons."""
    widths = [0.22, 0.39, 0.39]
    heads = st.columns(widths)
    heads[1].markdown("selected")
    heads[2].markdown("left out")
    cells = list(cohorts.CELLS)
    for row, name in enumerate(("positive", "negative")):
        columns = st.columns(widths, vertical_alignment="center")
        columns[0].markdown(f"**{name}**")
        for column, cell in zip(columns[1:], cells[2 * row : 2 * row + 2], strict=True):
            with column:
                cohorts.cell_button(cell, mine, single)


def _rows(choice: controls.Choice, cell: Any, cuts: list[int]) -> None:
    """Show the rows of a cell, narrowed down, and let them be named."""
    with st.container(border=True):
        cohort = cohorts.narrow(choice, cell, cuts)
        st.markdown(cohorts.described(choice, cohort), help=TERMS["cohort"].help())
        rows = cohorts.stored_rows(choice, cohort, cuts)
        if rows is None:
            layout.empty_state(
                "This run stores no single rows for this score, so a cohort shows its counts only. Rows are stored "
                "for the first score of a run."
            )
        else:
            _table(rows)
        if complaint := cohorts.keep_inputs(cohort):
            layout.error_box(complaint)


def _table(rows: Any) -> None:
    """Show some stored rows, the highest score first, and offer all of them."""
    shown = min(len(rows), cohorts.MOST_SHOWN)
    st.dataframe(cohorts.shown_rows(rows), hide_index=True, height=min(38 + 35 * max(shown, 1), 320))
    left, right = st.columns([0.7, 0.3], vertical_alignment="center")
    left.caption(f"Showing {shown:,} of {len(rows):,} stored rows; a run stores a random part of its test rows.")
    right.download_button(
        "Rows (CSV)",
        data=lambda: cohorts.rows_csv(rows),
        file_name="cohort-rows.csv",
        mime="text/csv",
        key="uncertainty-cohort-rows",
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
    )


def _kept(choice: controls.Choice) -> None:
    """List the cohorts that were named."""
    if not cohorts.kept():
        return
    with st.container(border=True):
        st.markdown("**Named cohorts**, counted on all test rows at the time")
        st.table(cohorts.kept_table(choice), border="horizontal", hide_index=True)
        with st.container(horizontal=True):
            st.download_button(
                "Cohorts (CSV)",
                data=cohorts.kept_csv,
                file_name="cohorts.csv",
                mime="text/csv",
                key="uncertainty-cohorts-csv",
                on_click="ignore",
                icon=":material/download:",
            )
            st.button("Clear", key="uncertainty-cohorts-clear", on_click=cohorts.forget_kept, icon=":material/delete:")
