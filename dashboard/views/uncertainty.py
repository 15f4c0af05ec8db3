"""Prediction uncertainty: how far may a score be trusted, and what do several thresholds add."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.controls import EngineError, run_picker
from dashboard.controls import uncertainty as controls
from dashboard.glossary import TERMS
from dashboard.state import UNCERTAINTY
from engine.figures.common import method_dots
from engine.figures.uncertainty import reliability_curves
from engine.figures.uncertainty_map import decision_map


def render() -> None:
    """Draw the page."""
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
    """Show predicted against observed rates by uncertainty bucket."""
    slot = st.container()
    left, right = st.columns(2)
    with left:
        split = controls.split_choice()
    with right:
        scale = controls.axis_scale()
    table = controls.reliability(choice, split)
    with slot:
        layout.chart_card(
            reliability_curves(
                table,
                names=choice.editor.bucket_labels(),
                base_rate=controls.base_rate(choice, split),
                scale=scale,
                errors=controls.smooth_errors(choice, split),
            ),
            table,
            key="uncertainty-reliability",
            title="Does the score come true?",
            how_to_read="A curve on the dashed line comes true. Below it, the score promises too much. Each point is a "
            "bin with an equal number of tuning rows; the bar is its 95 % Wilson interval, hollow points have fewer "
            "than 30 rows, the strip below counts rows, positives in full colour. **If the curves part, one threshold "
            "treats rows of equal score but different chances alike.**",
            alt=controls.answer(choice),
        )


def _gains(choice: controls.Choice) -> None:
    """Show what every method finds beyond one threshold at the same achieved precision."""
    table = controls.gains(choice)
    layout.chart_card(
        method_dots(
            table,
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
    st.caption(f"One threshold finds {controls.baseline_recall(choice)} of the positives at this precision.")


def _editor(choice: controls.Choice) -> None:
    """Let the reader move thresholds; only this part runs again when one moves."""
    left, right = st.columns([0.36, 0.64], gap="medium")
    with left:
        method_slot, button_slot = st.columns([0.7, 0.3], vertical_alignment="bottom")
        with method_slot:
            method = controls.snap_method()
        with button_slot:
            controls.snap_button()
        cuts = controls.edited_cuts(choice, method)
    decisions = controls.decisions(choice, cuts)
    lines = controls.boundaries(choice, cuts)
    baseline = controls.decisions(choice, lines["single_threshold"])
    with right:
        kind, text = controls.target_notice(choice, decisions["test"])
        getattr(st, kind)(text)
        _cards(decisions, baseline)
    _map(choice, lines)
    _confusion(decisions, baseline)


def _cards(decisions: Any, baseline: Any) -> None:
    """Show precision and recall on both splits, one threshold beside."""
    for split, name in (("test", "test rows"), ("tune", "tuning rows")):
        left, right = st.columns(2)
        with left:
            _card("precision", name, decisions[split], baseline[split], decisions[split].selected)
        with right:
            _card("recall", name, decisions[split], baseline[split], decisions[split].positives)


def _card(metric: str, rows: str, mine: Any, baseline: Any, n: int) -> None:
    """Show one share of a decision with its interval and one threshold's beside it."""
    value, low, high = getattr(mine, metric)
    beside = controls.baseline_text(baseline, metric)
    layout.metric_card(f"{metric.capitalize()}, {rows}", value, low, high, n, baseline=beside, term=metric)


def _map(choice: controls.Choice, lines: Any) -> None:
    """Draw the boundary on the map of the tuning rows."""
    left, right = st.columns([0.4, 0.6], vertical_alignment="center")
    with left:
        shown = controls.map_choice()
    right.caption("Strong line: your boundary, right of it rows are selected. Dashed: the best single threshold.")
    table = choice.editor.map_table()
    layout.chart_card(
        decision_map(
            table,
            choice.editor.lines(lines),
            names=choice.editor.bucket_labels(),
            shown=shown,
            dark=controls.page_is_dark(),
        ),
        table,
        key="uncertainty-decision-map",
        title="The boundary on the tuning rows: score against uncertainty",
        how_to_read="Rows are uncertainty buckets, columns are score bins that widen downwards. The strong line is "
        "your boundary: what lies right of it is selected. The dashed line is the best single threshold for the same "
        "precision. **If cells in one column differ, a straight line is not the best boundary.** Cells in brackets "
        "hold fewer than 20 rows.",
        alt="Positive rate by score and uncertainty bucket with the chosen thresholds.",
    )


def _confusion(decisions: Any, baseline: Any) -> None:
    """Show the confusion matrix on both splits."""
    for column, (split, name) in zip(st.columns(2), (("test", "Test rows"), ("tune", "Tuning rows")), strict=True):
        with column, st.container(border=True):
            mine = decisions[split]
            st.markdown(f"**{name}** · n {mine.rows:,} · {100 * mine.coverage:.1f} % selected · (one threshold)")
            st.markdown(controls.confusion_markdown(mine, baseline[split]))


def _reliability_tab(choice: controls.Choice) -> None:
    """Show the calibration by bucket."""
    st.table(controls.calibration_table(choice), border="horizontal")


def _estimators_tab(choice: controls.Choice) -> None:
    """Show how the rate of positives changes with uncertainty at equal score."""
    st.caption(
        "Change in the rate of positives from the most to the least certain row when the score stays the same.",
        help=TERMS["positivity_trend"].help(),
    )
    for column, row in zip(st.columns(2), controls.trends(choice), strict=True):
        with column:
            layout.metric_card(
                row.segment,
                row.value,
                row.low,
                row.high,
                row.n,
                baseline=row.placebo,
                unit=" pp",
                term="positivity_trend",
            )


def _as_tuned(choice: controls.Choice) -> None:
    """Show every tuned boundary on both splits."""
    st.caption("Thresholds chosen on the tuning rows, judged on both splits; intervals resample whole units.")
    st.table(controls.tuned_table(choice), border="horizontal")


_TABS: dict[str, Callable[[controls.Choice], None]] = {
    "Thresholds": _editor,
    "Reliability": _reliability_tab,
    "Estimators": _estimators_tab,
    "As tuned": _as_tuned,
}
