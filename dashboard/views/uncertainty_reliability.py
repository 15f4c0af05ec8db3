"""Reliability: does the score come true, bucket by bucket or slice by slice, and does recalibration repair it."""

from __future__ import annotations

import streamlit as st

from dashboard import layout
from dashboard.controls import uncertainty_reliability as controls
from dashboard.controls.thresholds import Choice
from dashboard.glossary import TERMS
from dashboard.state import RELIABILITY
from engine.figures.uncertainty import reliability_curves
from engine.figures.uncertainty_multiples import reliability_panels
from engine.figures.uncertainty_recalibration import recalibration_dumbbells

_APART = "Every panel has the same axes; its base rate is the dotted line."
_SLICES = (
    "Curves per country, device or any other column: train with the setting **slices** and the names of columns with "
    "few values, for example `slices=country,device`. With scores of your own, columns of text are taken by themselves."
)


def draw(choice: Choice) -> None:
    """Draw the tab: the curves with their controls, then metrics and recalibration by bucket.

    Parameters
    ----------
    choice : Choice
        Run, scorer, precision target and editor of the page.
    """
    _curves(choice)
    parts = {"Metrics by bucket": _metrics, "Before and after recalibration": _recalibration}
    tabs = st.tabs(list(parts), key=RELIABILITY["part"], on_change="rerun", bind="query-params")
    for tab, part in zip(tabs, parts.values(), strict=True):
        if tab.open:
            with tab:
                part(choice)


def _curves(choice: Choice) -> None:
    """Show predicted against observed rates."""
    view = controls.choose_view(choice)
    drawn = controls.curves(choice, view)
    sentence = controls.curves_sentence(drawn, view)
    st.markdown(sentence)
    if view.apart:
        figure = reliability_panels(
            drawn.table,
            names=drawn.names,
            base_rates=drawn.base_rates,
            scale=view.scale,
            corp=drawn.corp,
            errors=drawn.errors,
        )
    else:
        figure = reliability_curves(
            drawn.table,
            names=drawn.names,
            base_rate=drawn.base_rate,
            scale=view.scale,
            corp=drawn.corp,
            errors=drawn.errors,
            height=520,
        )
    layout.chart_card(
        figure,
        drawn.table,
        key="uncertainty-reliability-curves",
        title=f"Predicted against observed rate, {controls.SPLITS[view.split].lower()}",
        how_to_read="On the dashed line the score comes true; below it the score promises too much. A point is a bin: "
        "its place is the mean score, its bar the 95 % Wilson interval; hollow points have fewer than 30 rows. The "
        "strip counts rows, positives in full colour; a cross marks an empty bin. Bins of equal count are cut on the "
        "tuning rows. smECE is the smooth calibration error on test rows. "
        + (_APART if view.apart else "The dotted level line is the base rate.")
        + (f"  \n{TERMS['corp_curve'].help()}" if view.isotonic else ""),
        alt=sentence,
    )
    if not controls.slice_columns(choice.run):
        st.caption(_SLICES)


def _metrics(choice: Choice) -> None:
    """List what the score is worth as a probability, bucket by bucket."""
    group = controls.choose_group()
    table = controls.metric_table(choice, group)
    if table.empty:
        layout.empty_state(controls.OLDER)
        return
    layout.table_card(
        table,
        controls.metric_rows(choice, group),
        key="uncertainty-metrics-table",
        title=f"{group}, test rows",
        how_to_read=controls.metric_words(choice.run, group),
        alt=f"{group} of the score by uncertainty bucket, with intervals.",
    )


def _recalibration(choice: Choice) -> None:
    """Show what two recalibrations of the score alone change in every bucket."""
    table = controls.recalibration(choice)
    if table.empty:
        layout.empty_state(controls.OLDER)
        return
    sentence = controls.repair_sentence(table)
    st.markdown(sentence)
    metric = controls.choose_repair_metric()
    rows = controls.repair_rows(table, metric)
    layout.chart_card(
        recalibration_dumbbells(
            rows,
            segments=controls.segments(choice),
            repairs=controls.REPAIRS,
            axis_title=controls.repair_axis(metric),
            reference=0.0 if metric in controls.IN_POINTS else None,
        ),
        rows,
        key="uncertainty-recalibration",
        title="Before and after recalibration, test rows",
        how_to_read="Both recalibrations are fitted on all tuning rows at once, as is usual, and see the score alone. "
        "What stays away from 0 in a bucket cannot be repaired by a function of the score. "
        f"{TERMS['isotonic_repair'].gloss} {TERMS['temperature_repair'].gloss} {TERMS['bias'].gloss} "
        "The sentence widens the intervals for the number of buckets.",
        alt=sentence,
    )
    layout.table_card(
        controls.repair_table(choice, table, metric),
        table[table["metric"] == metric],
        key="uncertainty-recalibration-table",
        title=controls.repair_axis(metric),
        how_to_read=controls.repair_words(choice.run),
        alt=sentence,
    )
