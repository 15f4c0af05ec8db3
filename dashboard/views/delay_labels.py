"""Labels one by one: those that were open, what became of them, and what one flip does to the model."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import delay, delay_labels, delay_text
from dashboard.glossary import TERMS
from engine.figures.common import method_dots
from engine.figures.delay_labels import influence_scatter, score_changes

_HEIGHT = 400
_PERCENT: Any = st.column_config.NumberColumn(format="percent")
_POINTS: Any = st.column_config.NumberColumn(format="%+.3f", help="Percentage points.")


def draw_flips(run: Run) -> None:
    """Draw who foretells the flips, and the open labels with their score before and after.

    Parameters
    ----------
    run : Run
    """
    metrics = delay_labels.pending_metrics(run)
    if not len(metrics):
        layout.empty_state("No label was open on the snapshot day. Train with an earlier 'as_of_day'.")
        return
    if delay.stored(run, "flips").empty:
        _open_labels(run)
        layout.empty_state(f"This run holds no scores after the flip. {delay.AGAIN}")
    else:
        _changes(run)
    _foretold(run, metrics)


def _changes(run: Run) -> None:
    """Show labels that were open with their score before and after the final label."""
    which = delay_labels.choose_flips()
    rows = delay_labels.flip_examples(run, which)
    every = delay_labels.flip_examples(run)
    # At 1280 pixels the table needs this much for its last column.
    left, right = st.columns([0.37, 0.63], gap="medium")
    with left:
        layout.chart_card(
            score_changes(rows),
            rows,
            key="delay-changes",
            title="Score before and after",
            how_to_read="Each mark is a label that was open on the snapshot day. **Right**: the score of ours as of "
            "that day; **up**: of the same networks trained once more with all labels final. Flipped labels should "
            "move above the dotted line, the others below it. Listed are the flips and as many of the likeliest that "
            "did not.",
            alt=delay_labels.flip_sentence(every),
        )
    with right, st.container(border=True):
        st.markdown(f"**Open labels, flips first** · n {len(rows):,}")
        st.dataframe(
            delay_labels.flip_table(rows),
            hide_index=True,
            width="stretch",
            height=_HEIGHT,
            column_config=dict.fromkeys(("P(flip)", "Before", "After", "Vanilla"), _PERCENT)
            | {"Age": st.column_config.NumberColumn(format="%.0f", help="Days on the snapshot day.")},
        )
    st.caption(delay_labels.flip_sentence(every))


def _open_labels(run: Run) -> None:
    """List held-out labels that were open, likeliest flips first."""
    rows = delay_labels.pending_rows(run)
    with st.container(border=True):
        st.markdown(f"**Open labels of held-out units, likeliest flips first** · n {len(rows):,}")
        st.dataframe(
            rows,
            hide_index=True,
            width="stretch",
            height=_HEIGHT,
            column_config=dict.fromkeys(
                ("Flip probability", "Score, vanilla", "Score, ours", "Score, oracle"), _PERCENT
            ),
        )


def _foretold(run: Run, metrics: Any) -> None:
    """Show how well flips were foretold, and what the signals add."""
    left, right = st.columns([0.37, 0.63], gap="medium")
    with left:
        layout.chart_card(
            method_dots(metrics, axis_title="Log loss of the flip probability", height=230),
            metrics,
            key="delay-pending",
            title="Who foretells the flips?",
            how_to_read="All exposures still negative on the snapshot day, judged by whether they converted later. The "
            f"models learned from exposures whose window was over. {TERMS['log_loss'].help()}",
            alt=delay_text.signals_sentence(run),
        )
    with right:
        st.markdown(delay_text.signals_sentence(run))


def draw_influence(run: Run) -> None:
    """Draw what one flip does to the model, predicted and after training again.

    Parameters
    ----------
    run : Run
    """
    if delay.stored(run, "influence").empty:
        layout.empty_state(f"This run traced no single flips. {delay.AGAIN}")
        return
    model, quantity = delay_labels.choose_model(run)
    rows = delay_labels.influence_rows(run, model)
    sentence = delay_labels.influence_sentence(run, model)
    left, right = st.columns([0.42, 0.58], gap="medium")
    with left:
        layout.chart_card(
            influence_scatter(rows, quantity=quantity),
            rows,
            key="delay-influence",
            title="Predicted or trained again",
            how_to_read=f"{TERMS['influence'].help()}  \nOn the dotted line the prediction holds. Marks are flips that "
            "were checked by training again from the same state.",
            alt=sentence,
        )
    with right, st.container(border=True):
        st.markdown(
            f"**The flips that move the mean score most** · n {len(rows):,} traced",
            help="Change of the mean score and of the own score in percentage points, predicted and after training "
            "again. Empty: not trained again.",
        )
        st.dataframe(
            delay_labels.top_flips(rows),
            hide_index=True,
            width="stretch",
            height=_HEIGHT,
            column_config=dict.fromkeys(("Mean", "Mean, again", "Own", "Own, again"), _POINTS)
            | {"Age": st.column_config.NumberColumn(format="%.0f", help="Days on the snapshot day.")},
        )
    st.caption(f"{TERMS['influence'].formula} · {sentence}")
    checks = delay_labels.influence_checks(run, model)
    if len(checks):
        st.dataframe(checks, hide_index=True, width="stretch", height="content")
