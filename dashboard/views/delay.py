"""Delayed feedback: which labels will still change, and what to do about it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import controls, layout
from dashboard.controls import delay, delay_text
from dashboard.glossary import TERMS
from dashboard.views import delay_details
from engine.figures.delay import flip_curves, seen_curves


def render() -> None:
    """Draw the page."""
    run = controls.run_picker("delay")
    layout.page_header("Which labels will still change?", delay_text.answer(run), run)
    st.caption(delay_text.method_note(run), help=TERMS["dress_style"].help())
    _window(run)
    delay_details.render(run)


@st.fragment
def _window(run: controls.Run) -> None:
    """Let the reader move the waiting window and see what it means: cards, flip rates, arrival."""
    choice = delay.choose(run)
    row = delay.window_row(run, choice)
    _cards(row)
    left, right = st.columns(2, gap="medium")
    with left:
        _flips(run, choice)
    with right:
        _arrival(run, choice)


def _cards(row: Any) -> None:
    """Show what is known at the window, what will flip, and what the weights cost."""
    first, second, third, fourth = st.columns(4)
    with first:
        layout.metric_card(
            f"Positives seen by day {row.waiting_days:g}",
            100 * row.seen,
            100 * row.seen_low,
            100 * row.seen_high,
            int(row.read),
            unit=" %",
            baseline=f"in the end {layout.number(100 * row.seen_final)} %",
            term="seen_share",
        )
    with second:
        layout.metric_card(
            f"Flip rate after day {row.waiting_days:g}",
            100 * row.flip,
            100 * row.flip_low,
            100 * row.flip_high,
            int(row.negatives),
            unit=" %",
            baseline=f"in the end {layout.number(100 * row.flip_final)} % · unripe = negative assumes 0",
            term="flip_rate",
        )
    with third:
        layout.metric_card(
            "Expected flips",
            row.flips_expected,
            row.flips_expected_low,
            row.flips_expected_high,
            int(row.negatives),
            baseline=f"in the end {int(row.flips_final):,} of these negatives flipped",
            term="flips_expected",
        )
    with fourth:
        layout.metric_card(
            "Effective sample share",
            100 * row.ess_share_dress_style,
            100 * row.ess_share_dress_style_low,
            100 * row.ess_share_dress_style_high,
            int(row.weight_rows),
            unit=" %",
            baseline=f"without signals {layout.number(100 * row.ess_share_exact_joint)} % · unweighted 100 % · "
            f"mean weight {layout.number(row.weight_mean_dress_style)}",
            term="ess_share",
        )


def _flips(run: controls.Run, choice: delay.Choice) -> None:
    """Draw the flip rate over the delay window."""
    table = delay.flip_rows(run, choice.group)
    layout.chart_card(
        flip_curves(
            table,
            group=choice.group,
            waiting_days=choice.waiting_days,
            immature_from=delay.immature_from(run),
        ),
        table,
        key="delay-flips",
        title="Labels still to flip, "
        + ("all exposures" if choice.group == "all" else f"by {delay.GROUPS[choice.group].lower()}"),
        how_to_read="Take the exposures that have not converted so many days after they began: the curve says how many "
        "of them convert before their window ends. Bands are 95 % (Greenwood, log-log). Below: how many exposures "
        "are still negative and observed. **Shaded**: ages that over 10 % had not reached on the snapshot day; "
        "**dotted**: most of a group was not that old yet, so the line comes from the whole log. By engagement, "
        "each age looks at the state at that age, frozen at the waiting window of the run.",
        alt=delay_text.flip_sentence(table, choice),
    )


def _arrival(run: controls.Run, choice: delay.Choice) -> None:
    """Draw how positives arrive: honest, naive and final."""
    snapshot = delay.arrival_rows(run, choice.segment, "snapshot")
    final = delay.arrival_rows(run, choice.segment, "final")
    layout.chart_card(
        seen_curves(
            snapshot,
            final,
            name="seen",
            waiting_days=choice.waiting_days,
            immature_from=delay.immature_from(run, choice.segment),
        ),
        snapshot,
        key="delay-seen",
        title="Positives already seen, "
        + ("all exposures" if choice.segment == "all" else f"segment {layout.escape_markdown(choice.segment)}"),
        how_to_read="Share of the final positives that have converted by each age. **Red** counts the conversions so "
        "far only: young exposures show nothing but early ones, so labels seem to arrive faster than they do. **Blue** "
        "is the Kaplan–Meier estimate from the same day, with its 95 % band. **Dashed grey** is what the whole log "
        "says; it differs from blue where later exposures convert at another pace.",
        alt=delay_text.seen_sentence(run, choice),
    )
