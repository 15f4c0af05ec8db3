"""Details of labels over time: how long to wait, which law the delays follow, and the funnel behind them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import delay, delay_described, delay_labels, delay_window
from dashboard.glossary import TERMS
from dashboard.views.delay_described import needs_training
from engine.figures.delay import hazard_curves
from engine.figures.delay_arrival import cure_curves
from engine.figures.delay_labels import funnel_bars
from engine.figures.delay_tradeoff import completeness_freshness, tradeoff_curves

_PERCENT: Any = st.column_config.NumberColumn(format="percent")


def draw_tradeoff(run: Run, choice: delay.Choice) -> None:
    """Draw what waiting buys and costs."""
    left, right = st.columns(2, gap="medium")
    with left:
        _completeness(run, choice)
    with right:
        if not delay_window.has_tradeoff(run, choice.segment):
            layout.empty_state(
                "Too few exposures here to say what a window is off by. Choose all exposures, or describe a longer log."
                if len(delay.stored(run, "tradeoff")) or delay.is_described(run)
                else f"This run does not know the error of a window. {delay.AGAIN}"
            )
        else:
            _tradeoff(run, choice)


def _completeness(run: Run, choice: delay.Choice) -> None:
    """Draw completeness against freshness."""
    table = delay_window.completeness_rows(run, choice.segment)
    sentence = delay_window.completeness_sentence(run, choice)
    layout.chart_card(
        completeness_freshness(table, waiting_days=choice.waiting_days),
        table,
        key="delay-completeness",
        title="Completeness against freshness",
        how_to_read="**Blue** rises: the longer the window, the more of the final positives are seen when the label is "
        "read. **Green** falls: fewer exposures are old enough to be read at all, so training looks at an older world. "
        f"{TERMS['seen_share'].help()}",
        alt=sentence,
    )
    st.caption(sentence)


def _tradeoff(run: Run, choice: delay.Choice) -> None:
    """Draw the parts of the error of a window."""
    slot = st.container()
    estimator = delay_window.choose_estimator(run, choice.segment)
    table = delay_window.tradeoff_rows(run, choice.segment, estimator)
    sentence = delay_window.tradeoff_sentence(run, choice, estimator)
    with slot:
        layout.chart_card(
            tradeoff_curves(table, waiting_days=choice.waiting_days),
            table,
            key="delay-tradeoff",
            title="Bias, variance and freshness",
            how_to_read="What an estimate of the present conversion rate is off by when the label is read at each "
            f"window. {TERMS['window_error'].help()}  \nThe star marks the smallest error; the band is 95 %, widened "
            "to hold the value where a drift within its standard error counts as none. Paired draws judge whether "
            "another window errs more." + delay_described.draws_note(run),
            alt=sentence.replace("**", ""),
        )
        st.caption(sentence)


def draw_law(run: Run, choice: delay.Choice) -> None:
    """Draw the hazard, and how well two delay laws fit."""
    left, right = st.columns(2, gap="medium")
    with left:
        _hazard(run, choice)
    with right:
        table = delay_window.cure_rows(run, choice.segment)
        if table.empty:
            layout.empty_state(f"This run fitted no delay law. {delay.AGAIN}")
            return
        sentence = delay_window.cure_sentence(run, choice.segment)
        layout.chart_card(
            cure_curves(table, immature_from=delay.immature_from(run, choice.segment)),
            table,
            key="delay-cure",
            title=f"Two delay laws, {layout.escape_markdown(delay.segment_text(choice.segment))}",
            how_to_read=f"{TERMS['mixture_cure'].help()}  \n**Below**: law minus curve; within the band the data "
            "cannot tell them apart. The exponential one is DFM without features.",
            alt=sentence,
        )
    st.caption(sentence)
    summary = delay_window.cure_summary(run, choice.segment)
    if len(summary):
        st.dataframe(
            summary,
            hide_index=True,
            width="stretch",
            column_config=dict.fromkeys(
                ("Converts ever", "Within the window", "Kaplan–Meier", "Largest miss"), _PERCENT
            )
            | {"n": st.column_config.NumberColumn(format="localized")},
        )


def _hazard(run: Run, choice: delay.Choice) -> None:
    """Draw the hazard by group."""
    group = "cohort" if choice.group == "engagement" else choice.group
    table = delay_window.hazard_rows(run, group)
    if table.empty:
        layout.empty_state(f"This run holds no hazards. {delay.AGAIN}")
        return
    layout.chart_card(
        hazard_curves(table, group=group, waiting_days=choice.waiting_days, immature_from=delay.immature_from(run)),
        table,
        key="delay-hazard",
        title="Weekly flip hazard, " + ("all exposures" if group == "all" else f"by {delay.GROUPS[group].lower()}"),
        how_to_read=f"{TERMS['flip_hazard'].help()}  \nA bump near the end of the window means that people convert "
        "before an offer expires: then no exponential law fits.",
        alt="Share of the exposures still negative at the start of a week that convert within it",
    )


def draw_funnel(run: Run) -> None:
    """Draw the funnel with the check of the entire space."""
    if delay.stored(run, "funnel").empty:
        layout.empty_state(
            "No exposure from the snapshot day on has a final label, so no funnel can be counted. Describe an earlier "
            "day with --as-of."
            if delay.is_described(run)
            else f"This run holds no funnel. {delay.AGAIN}"
        )
        return
    is_described = delay.is_described(run)
    left, right = st.columns([0.6, 0.4], gap="medium")
    with right:
        segment = delay_labels.choose_funnel(run)
        rows = delay_labels.funnel_rows(run, segment)
        sentence = delay_described.funnel_sentence(run, rows) if is_described else delay_labels.funnel_sentence(rows)
        name = layout.escape_markdown(delay.segment_text(segment))
        st.markdown(sentence)
    with left:
        layout.chart_card(
            funnel_bars(rows),
            rows,
            key="delay-funnel-chart",
            title=f"From exposure to conversion, {name}",
            how_to_read=("" if is_described else f"{TERMS['entire_space_product'].help()}  \n")
            + "**Grey**: observed, with 95 % intervals. "
            + ("" if is_described else "**Blue**: the mean of what ours promised. ")
            + "The parts add up: converted = engaged and converted + not engaged and converted.",
            alt=sentence,
        )
    if is_described:
        needs_training(run, "Promises for these stages, and what learning from engaged exposures alone costs,")
    else:
        _selection(run)


def _selection(run: Run) -> None:
    """Show what it costs to learn from engaged exposures alone."""
    table = delay_labels.selection_rows(run)
    st.markdown("**Learning from engaged exposures alone**", help=TERMS["selection_gap"].help())
    if table.empty:
        layout.empty_state("Too few engaged exposures to learn from them alone.")
        return
    st.dataframe(table, hide_index=True, width="stretch", height="content")
