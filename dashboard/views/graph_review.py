"""The asymmetry review: one pair, its evidence, four verdicts; below, what the verdicts say together."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import (
    EngineError,
    graph_review,
    graph_review_desk,
    graph_review_results,
    graph_review_text,
)
from dashboard.glossary import TERMS
from engine.figures.common import method_dots
from engine.figures.graph_review import category_dots, explanation_bars

_CATEGORIES = 16


def draw(run: Run) -> None:
    """Draw the review of a run.

    Parameters
    ----------
    run : Run
    """
    try:
        desk = graph_review.open_desk(run)
    except EngineError as error:
        layout.error_box(error)
        return
    left, right = st.columns([0.32, 0.68], gap="medium")
    with left:
        _queue(desk)
    with right, st.container(border=True):
        _pair(desk)
    _results(desk)
    _categories(desk)


def _queue(desk: Any) -> None:
    """Show how far the reviewer has come, and the pairs around the one on the desk."""
    st.caption(graph_review_text.QUEUE_HELP[desk.name])
    if not len(desk.whole):
        layout.empty_state(graph_review_text.nothing(desk))
        return
    told = f"**{len(desk.whole):,} pairs** wait: enter your name to begin"
    if desk.reviewer:
        told = f"**{desk.done:,} of {len(desk.whole):,}** reviewed by {layout.escape_markdown(desk.reviewer)}"
    st.progress(desk.done / len(desk.whole), text=told)
    if desk.at is None:
        layout.empty_state(graph_review_text.nothing(desk))
        return
    graph_review_desk.pair_list(desk)


def _pair(desk: Any) -> None:
    """Show the pair on the desk: the question, the answers, and what speaks for which."""
    if desk.at is None:
        st.markdown("**No pair on the desk**")
        return
    scene, pair = desk.material.scene, desk.material.pairs.loc[desk.at]
    st.markdown(graph_review_text.headline(scene, pair))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(graph_review_text.origin(pair), width="content")
        with st.popover("How to judge", icon=":material/info:", width="content", type="tertiary"):
            st.markdown(graph_review_text.HOW_TO_JUDGE)
    graph_review_desk.verdict_buttons(desk)
    if not desk.reviewer:
        st.caption("Enter your name above to give a verdict.")
    others = graph_review_text.others(desk, desk.at)
    if others:
        st.caption(others)
    st.markdown(
        graph_review_text.claim(scene, pair, desk.run.curve("direction_calibration")),
        help=TERMS["direction_probability"].help(),
    )
    _evidence(desk, pair)
    st.markdown("**What each method says**", help=graph_review_text.METHODS_HELP)
    st.dataframe(graph_review_text.methods(desk, desk.at), hide_index=True, width="stretch")
    if desk.material.scores is None:
        st.caption("This run holds no scores of the other methods; train it again to see them.")
    graph_review_desk.ways_to_explore(desk)


def _evidence(desk: Any, pair: Any) -> None:
    """Show what the data count in both directions, and what carries the difference."""
    scene, found = desk.material.scene, graph_review_desk.evidence(desk, desk.at)
    st.markdown("**What the data say**", help=graph_review_text.EVIDENCE_HELP)
    st.markdown(graph_review_text.explanation(scene, pair, found), help=TERMS["asymmetry_factor"].help())
    told = found.explanation
    if told is None:
        return
    st.table(graph_review_text.directions(scene, pair, found), border="horizontal")
    if told.basis == "events":
        st.plotly_chart(
            explanation_bars(told.terms, labels=graph_review_text.TERM_LABEL, carrier=told.key),
            key=f"review-terms-{desk.at}",
            alt=f"Factors of the asymmetry of this pair: {graph_review_text.factors(told.terms)}",
            width="stretch",
            config={"displayModeBar": False},
        )


def _results(desk: Any) -> None:
    """Show precision, agreement and the file of verdicts."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown("#### What the verdicts say", width="content")
        st.download_button(
            "Verdicts (CSV)",
            data=lambda: graph_review_results.export(desk.run),
            file_name=f"verdicts-{desk.run.id}.csv",
            mime="text/csv",
            key="review-export",
            on_click="ignore",
            icon=":material/download:",
            disabled=desk.verdicts.empty,
        )
    if desk.verdicts.empty:
        layout.empty_state(
            "No verdict on this run yet. Enter your name, judge the first pair above, and ask a colleague to judge the "
            "same ones: precision and agreement appear here."
        )
        return
    found = graph_review_results.results(desk)
    for column, card in zip(st.columns(len(found.cards)), found.cards, strict=True):
        with column:
            layout.metric_card(
                card.label, card.value, card.low, card.high, card.n, baseline=card.baseline, term=card.term
            )
    st.caption(found.counts)
    columns = st.columns([0.6, 0.4]) if len(found.agreements) else [st.container()]
    if len(found.methods):
        with columns[0]:
            layout.chart_card(
                method_dots(found.methods, axis_title="Share of judged pairs", reference=0.5, x_range=(-0.02, 1.02)),
                found.methods,
                key="review-methods",
                title="Whose direction do the reviewers confirm?",
                how_to_read=f"{TERMS['review_direction'].help()} The pairs were chosen by our form, so "
                "this compares methods on these pairs only. A method that prefers neither way counts as not right. "
                "Dotted: a coin.",
                alt=graph_review_text.confirmed(found.methods),
            )
    if len(found.agreements):
        with columns[-1], st.container(border=True):
            st.markdown("**Do two reviewers agree?**", help=TERMS["cohen_kappa"].help())
            st.table(found.agreements, border="horizontal")


def _categories(desk: Any) -> None:
    """Show in which categories the model claims directions."""
    table = desk.material.shares
    shown = table.head(_CATEGORIES)
    more = f" The {len(shown) - 1} largest of {len(table) - 1:,} are drawn." if len(table) > len(shown) else ""
    layout.chart_card(
        category_dots(shown),
        table,
        key="review-categories",
        title="Where is the asymmetry? Share of linked pairs with a claimed direction, by category",
        how_to_read=f"{TERMS['claimed_share'].help()} The diamond is the share of the same pairs that are an edge one "
        f"way only, in the data: where the dot lies far from it, the model claims more, or less, than is there.{more}",
        alt=graph_review_text.claimed(shown),
    )
