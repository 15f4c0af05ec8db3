"""Overview: the keynote's claims, each measured on the chosen runs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import controls, layout
from dashboard.controls.overview import claim_lines, claims_of, claims_sentence, claims_table, overview_runs
from dashboard.glossary import TERMS
from dashboard.state import RUN_TITLE, Kind
from engine.figures.overview import claim_effects

_QUESTIONS: dict[Kind, str] = {
    "graph": "Which way does a recommendation point?",
    "delay": "Which labels will still change?",
    "uncertainty": "How far may a score be trusted?",
}


def render() -> None:
    """Draw the page."""
    st.title("Three questions every recommender must answer", anchor=False)
    runs, broken = overview_runs()
    if not runs and not broken:
        layout.empty_state("No run is stored yet. Open **Train** and start one; it takes about a minute.")
        return
    claims = claims_of(runs) if runs else None
    if claims is not None:
        st.markdown(f"##### {claims_sentence(claims)}")
    st.caption(
        "Seven claims of Rajeev Rastogi's RecSys keynote, tested as hypotheses on the runs below. A verdict follows "
        "from the 95 % interval alone; nothing is typed in.",
        help=TERMS["verdict"].help(),
    )
    for column, kind in zip(st.columns(3), _QUESTIONS, strict=True):
        with column:
            _question_card(kind, runs.get(kind), broken.get(kind), claims)
    if claims is not None and len(claims):
        _claims(claims)


def _question_card(kind: Kind, run: controls.Run | None, problem: Exception | None, claims: Any | None) -> None:
    """Show one of the three questions with its claims, their verdicts and the run they are measured on."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{_QUESTIONS[kind]}**")
        if problem is not None:
            layout.error_box(problem)
        elif run is None:
            layout.empty_state("No run yet. Open **Train** and start one.")
        else:
            for line in claim_lines(claims, kind):
                st.markdown(line)
            layout.link_to_run(kind, run.id, f"Open {RUN_TITLE[kind]}")
            st.caption(layout.context_line(run))


def _claims(claims: Any) -> None:
    """Show every measured effect, drawn and in figures."""
    layout.chart_card(
        claim_effects(claims),
        claims,
        key="overview-claims",
        title="Measured effect of every claim, with its 95 % interval",
        how_to_read="Each row is one effect, divided by the smallest effect worth having (dashed line at 1), so that "
        "different measures share one axis. **Right of 0 is what the claim predicts**; an effect whose claim names no "
        "direction is drawn there too. Red: the whole interval is left of 1, so an effect worth having is ruled out. "
        "Green: otherwise, the whole interval is right of 0. Hollow grey: the data cannot tell. Effects beyond ±12 "
        "are drawn at the edge; the table has the figures.",
        alt=claims_sentence(claims),
    )
    st.subheader("The same, in figures", anchor=False)
    st.table(claims_table(claims), border="horizontal")
