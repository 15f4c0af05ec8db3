"""Overview: the keynote's claims, each measured on the chosen runs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import controls, layout
from dashboard.glossary import TERMS
from dashboard.state import RUN, RUN_TITLE, Kind
from engine.figures.overview import claim_effects

_QUESTIONS: dict[Kind, str] = {
    "graph": "Which way does a recommendation point?",
    "delay": "Which labels will still change?",
    "uncertainty": "How far may a score be trusted?",
}


def render() -> None:
    """Draw the page."""
    st.title("Three questions every recommender must answer", anchor=False)
    runs = controls.overview_runs()
    if not runs:
        layout.empty_state("No run is stored yet. Open **Train** and start one; it takes about a minute.")
        return
    claims = controls.claims_of(runs)
    st.markdown(f"##### {controls.claims_sentence(claims)}")
    st.caption(
        "Seven claims of Rajeev Rastogi's RecSys keynote, tested as hypotheses on the runs below. A verdict follows "
        "from the 95 % interval alone; nothing is typed in.",
        help=TERMS["verdict"].help(),
    )
    _question_cards(runs)
    layout.chart_card(
        claim_effects(claims),
        claims,
        key="overview-claims",
        title="Measured effect of every claim, with its 95 % interval",
        how_to_read="Each row is one effect, divided by the smallest effect worth having (dashed line at 1), so that "
        "different measures share one axis. **Right of 0 is what the claim predicts.** Green: the whole interval is "
        "right of 0. Red: the whole interval is left of 1, so an effect worth having is ruled out. Hollow grey: "
        "the data cannot tell. Effects beyond ±12 are drawn at the edge; the table has the figures.",
        alt=controls.claims_sentence(claims),
    )
    st.subheader("The same, in figures", anchor=False)
    _claims_table(claims)


def _question_cards(runs: dict[str, controls.Run]) -> None:
    """Show the three questions, each with the run it is answered on."""
    for column, (kind, question) in zip(st.columns(3), _QUESTIONS.items(), strict=True):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{question}**")
            if kind not in runs:
                layout.empty_state("No run yet. Open **Train** and start one.")
                continue
            st.caption(layout.context_line(runs[kind]))
            page = controls.page_of(kind)
            if page is not None:
                label = f"Open {RUN_TITLE[kind]}"
                st.page_link(
                    page, label=label, icon=":material/arrow_forward:", query_params={RUN[kind]: runs[kind].id}
                )


def _claims_table(claims: Any) -> None:
    """List each effect with baseline, interval, n and verdict."""
    st.dataframe(
        controls.claims_table(claims),
        hide_index=True,
        width="stretch",
        height="content",
        column_config={
            "Claim": st.column_config.TextColumn(width="medium"),
            "Effect [95 % interval]": st.column_config.TextColumn(width="medium"),
        },
    )
