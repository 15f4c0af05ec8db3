"""The report on own data: its numbers, what stops or drops rows, and the rows that give offence."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.controls import data_report

_WIDTHS = {
    "Column": st.column_config.TextColumn(width=140),
    "Role": st.column_config.TextColumn(width=120),
    "Missing": st.column_config.ProgressColumn(format="percent", min_value=0.0, max_value=1.0, width="small"),
    "Distinct": st.column_config.NumberColumn(format="localized", width="small"),
}

_FEW = 10
"""Rows of a table that are all shown at once."""


def draw(found: Any) -> None:
    """Draw the card.

    Parameters
    ----------
    found : Inspection
    """
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown("**What is in the file**", width="content")
            st.download_button(
                "Data card",
                data=lambda: data_report.data_card(found),
                file_name="data-card.md",
                mime="text/markdown",
                key="data-card",
                on_click="ignore",
                icon=":material/download:",
                type="tertiary",
                help="A page in Markdown to keep with the data: what they hold, and the hash of their content.",
            )
        shown = data_report.figures(found)
        for column, figure in zip(st.columns(len(shown)), shown, strict=True):
            column.metric(figure.label, figure.value)
            column.caption(figure.note)
        _findings(found)
        _tables(found)
        st.caption(f"Content hash `{found.content_hash[:16]}`")


def _findings(found: Any) -> None:
    """Write what there is to know, what stops first."""
    lines, more = data_report.lines(found)
    if not lines:
        st.markdown(":green-badge[all well] Every row can be used as it is.")
    for line in lines:
        st.markdown(line)
    if more:
        st.caption(f"{more:,} more in the data card.")


def _tables(found: Any) -> None:
    """Show columns, offending rows and what is left out."""
    tables = {
        "Columns": data_report.columns_table(found),
        "First offending rows": data_report.offending_table(found),
        "Left out": data_report.dropped_table(found),
    }
    tables = {name: table for name, table in tables.items() if len(table)}
    for tab, (name, table) in zip(st.tabs(list(tables)), tables.items(), strict=True):
        with tab:
            st.dataframe(
                table,
                hide_index=True,
                width="stretch",
                height="content" if len(table) <= _FEW else 388,
                column_config={key: config for key, config in _WIDTHS.items() if key in table.columns},
                alt=f"{name} of the file",
            )
