"""Prediction uncertainty: how far may a score be trusted, and what do several thresholds add."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import layout
from dashboard.controls import EngineError, run_picker
from dashboard.controls import uncertainty as controls
from dashboard.controls import uncertainty_own as own_scores
from dashboard.state import UNCERTAINTY
from dashboard.views import (
    uncertainty_editor,
    uncertainty_estimators,
    uncertainty_own,
    uncertainty_policy,
    uncertainty_reliability,
)
from engine.figures.common import method_dots
from engine.figures.uncertainty import reliability_curves


def render() -> None:
    """Draw the page."""
    own_scores.open_run()
    run = run_picker("uncertainty")
    header = st.container()
    choice = controls.choose(run)
    with header:
        layout.page_header("How far may a score be trusted?", controls.answer(choice), run)
    left, right = st.columns(2)
    with left:
        _reliability(choice)
    with right:
        _gains(choice)
    tabs = st.tabs(list(_TABS), key=UNCERTAINTY["tab"], on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, _TABS.values(), strict=True):
        if tab.open:
            with tab:
                _tab(draw, choice)


@st.fragment
def _tab(draw: Callable[[controls.Choice], None], choice: controls.Choice) -> None:
    """Draw one tab; what happens in it leaves the rest of the page alone."""
    try:
        draw(choice)
    except EngineError as error:
        layout.error_box(error)


def _reliability(choice: controls.Choice) -> None:
    """Show predicted against observed rates by uncertainty bucket; what is to be chosen is in the tab."""
    table = controls.reliability(choice)
    layout.chart_card(
        reliability_curves(
            table,
            names=choice.editor.bucket_labels("test"),
            base_rate=controls.base_rate(choice),
            scale=controls.axis_scale(choice),
            errors=controls.smooth_errors(choice),
        ),
        table,
        key="uncertainty-reliability",
        title="Does the score come true?",
        how_to_read="Test rows. A curve on the dashed line comes true. Below it, the score promises too much. Each "
        "point is a bin with an equal number of tuning rows; the bar is its 95 % Wilson interval, hollow points have "
        "fewer than 30 rows, the strip below counts rows, positives in full colour. Where positives are rare, the axes "
        "are logarithmic. **If the curves part beyond their bars, one threshold treats rows of equal score but "
        "different chances alike.** The tab *Reliability* has every bucket by itself, tuning rows, slices, other bins "
        "and axes.",
        alt=controls.answer(choice),
    )


def _gains(choice: controls.Choice) -> None:
    """Show what every method finds beyond one threshold at the same achieved precision."""
    table = controls.gains(choice)
    layout.chart_card(
        method_dots(
            table.drop(controls.far_off(table).index),
            axis_title=f"Points of recall gained at precision {choice.target:.2f}",
            rival="recalibrated",
            reference=0.0,
            height=430,
        ),
        table,
        key="uncertainty-gains",
        title="Recall gained over one threshold",
        how_to_read="Every method's threshold is set on the test rows themselves, so all have the same precision and "
        "only the ranking differs; intervals resample whole units, the same for both methods of a pair. MIST, the "
        "exact program and greedy set a threshold per uncertainty bucket. The recalibrator folds uncertainty into the "
        "score. **The placebo shuffles the uncertainty: what it gains is luck.**",
        alt=controls.answer(choice),
    )
    st.caption(
        f"One threshold finds {controls.baseline_recall(choice)} of the positives at this precision. "
        f"{controls.far_off_sentence(table)}{controls.not_judged_sentence(choice)}"
    )


def _as_tuned(choice: controls.Choice) -> None:
    """Show every tuned boundary on both splits."""
    st.caption(
        "Thresholds chosen on the tuning rows, judged on both splits; intervals resample whole units. A target is "
        "missed or exceeded where the whole interval of the precision on test rows lies below or above it."
    )
    st.table(controls.tuned_table(choice), border="horizontal")


_TABS: dict[str, Callable[[controls.Choice], None]] = {
    "Thresholds": uncertainty_editor.draw,
    "Reliability": uncertainty_reliability.draw,
    "Estimators": uncertainty_estimators.draw,
    "As tuned": _as_tuned,
    "Policy": uncertainty_policy.draw,
    "Own scores": uncertainty_own.draw,
}
