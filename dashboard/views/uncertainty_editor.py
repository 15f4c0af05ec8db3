"""Thresholds: one per uncertainty bucket, what they achieve on both splits, and what could be achieved at most."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.controls import thresholds
from dashboard.controls import uncertainty as controls
from dashboard.controls import uncertainty_editor as widgets
from dashboard.controls import uncertainty_outcome as outcome
from dashboard.glossary import TERMS
from dashboard.views import uncertainty_cohort, uncertainty_shift
from engine.figures.uncertainty_frontier import frontier
from engine.figures.uncertainty_map import decision_map

MANY = 5
"""Buckets from which on their sliders scroll."""


def draw(choice: controls.Choice) -> None:
    """Draw the tab.

    Parameters
    ----------
    choice : Choice
    """
    thresholds.prepare(choice)
    left, right = st.columns([0.44, 0.56], gap="medium")
    with left:
        mode = widgets.mode_choice(choice)
        widgets.method_choice(choice, mode)
        widgets.goal_inputs(choice, mode)
        buttons = st.container()
        cuts = thresholds.current_cuts(choice)
        with buttons:
            widgets.action_buttons(choice)
        _sliders(choice, cuts, mode)
    thresholds.write_address(choice, cuts)
    goal = thresholds.goal_of(choice)
    lines = thresholds.boundaries(choice, cuts)
    mine, single = (controls.decisions(choice, lines[name]) for name in (thresholds.EDITED, thresholds.SINGLE))
    with right:
        _achieved(choice, goal, mine, single)
    left, right = st.columns([0.36, 0.64], vertical_alignment="center")
    with left:
        picture = widgets.picture_choice()
    if picture == "map":
        _map(choice, lines, beside=right)
    else:
        _frontier(choice, goal, mine, single)
    uncertainty_cohort.draw(choice, cuts, mine, single)
    uncertainty_shift.draw(choice, mine)


def _sliders(choice: controls.Choice, cuts: list[int], mode: str) -> None:
    """Draw the sliders, each below the scores that it divides."""
    if said := thresholds.told():
        layout.error_box(said)
    if mode == "free":
        widgets.move_all_slider(choice)
    views = outcome.bucket_views(choice, cuts)
    with st.container(height=720 if len(views) > MANY else "content", border=False):
        for bucket, view in enumerate(views):
            _bucket(choice, bucket, view)


def _bucket(choice: controls.Choice, bucket: int, view: Any) -> None:
    """Draw one bucket: histogram and slider on the left, typed threshold and lock beside them."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**Uncertainty {view.name}** · n {view.n:,}", help=TERMS["uncertainty_bucket"].help())
        left, right = st.columns([0.72, 0.28], vertical_alignment="bottom")
        with left:
            st.image(
                view.picture,
                width="stretch",
                alt=f"Tuning rows by score, positives in blue; right of the line selected. At the cut {view.at_cut}.",
            )
            widgets.bucket_slider(choice, bucket, view.name, view.n)
        with right:
            widgets.bucket_lock(bucket, view.name)
            widgets.bucket_entry(choice, bucket, view.name)
        if view.caution:
            st.caption(f":material/warning: {view.caution}")
        if not view.n:
            return
        told = f"Positive: {view.base_rate} in all · at the cut {view.at_cut}"
        st.caption(told, help=TERMS["rate_at_the_cut"].help())


def _achieved(choice: controls.Choice, goal: Any, mine: Any, single: Any) -> None:
    """Show every share on test and tuning rows side by side, and what to beware of."""
    kind, text = outcome.notice(choice, goal, mine)
    getattr(st, kind)(text)
    for metric, label in outcome.READINGS.items():
        for column, (split, rows) in zip(st.columns(2), outcome.SPLITS.items(), strict=True):
            (value, low, high), n = outcome.reading(mine[split], metric)
            with column:
                layout.metric_card(
                    f"{label}, {rows}",
                    value,
                    low,
                    high,
                    n,
                    baseline=outcome.beside(single[split], metric),
                    term=metric,
                )
    few, told = outcome.sample_size(mine["test"])
    (st.warning if few else st.caption)(told)
    st.caption(outcome.optimism(mine), help=TERMS["optimism"].help())
    if room := outcome.headroom_text(choice, goal, mine["tune"]):
        st.caption(room, help=TERMS["headroom"].help())


def _map(choice: controls.Choice, lines: Any, *, beside: Any) -> None:
    """Draw the boundary on the map of the tuning rows."""
    with beside:
        shown = widgets.map_choice()
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
        "goal. **If cells in one column differ by more than their intervals, one threshold treats different chances "
        "alike.** Cells in brackets hold fewer than 20 rows. Bias is the observed minus the predicted rate in points; "
        "the interval is that of the rate, in percent.",
        alt="Positive rate by score and uncertainty bucket with the chosen thresholds.",
    )


def _frontier(choice: controls.Choice, goal: Any, mine: Any, single: Any) -> None:
    """Draw what families of boundaries reach, and where the reader's lies."""
    if not outcome.has_frontier(choice):
        layout.empty_state(
            "This run was made before frontiers were kept, so the curve of precision against recall is missing. "
            "Train it again to see it."
        )
        return
    table = outcome.frontier_rows(choice)
    points = outcome.frontier_points({"single_threshold": single, "edited": mine})
    aimed = goal.mode in ("free", "precision")
    layout.chart_card(
        frontier(table, points, target=goal.aim if aimed else None),
        table,
        key="uncertainty-frontier",
        title="What can be reached: precision against recall",
        how_to_read="Each curve is a family of boundaries fixed on the tuning rows, from few rows selected on the left "
        "to all on the right. On the right they are judged on the rows they were chosen on; on the left on the test "
        "rows, with 95 % bands from resampled units. The dashed bound is what no boundary of these buckets and bins "
        "can pass on the tuning rows. The diamond is your boundary, the ring the best single threshold. **Uncertainty "
        "helps where, on the test rows, a curve of several thresholds lies above that of one beyond the bands; on the "
        "tuning rows it does so by choice alone.**",
        alt="Precision against recall of one threshold, MIST and the exact program on test and tuning rows.",
    )
