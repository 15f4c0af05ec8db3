"""Estimators: whose uncertainty tells more than its score, and what leaving doubtful rows out gains."""

from __future__ import annotations

import streamlit as st

from dashboard import layout
from dashboard.controls import uncertainty_estimators as controls
from dashboard.controls.thresholds import Choice
from dashboard.glossary import TERMS
from dashboard.state import ESTIMATORS
from engine.figures.uncertainty_abstain import abstention_areas, abstention_curves
from engine.figures.uncertainty_estimators import estimator_panels


def draw(choice: Choice) -> None:
    """Draw the tab: what the run found, then the parts that are open.

    Parameters
    ----------
    choice : Choice
        Run, scorer, precision target and editor of the page.
    """
    sentence = controls.information(choice.run)
    if sentence:
        st.markdown(f"##### {sentence}")
    _verdict(choice)
    parts = {"Side by side": _compared, "Leaving doubtful rows out": _abstention, "At equal score": _trends}
    tabs = st.tabs(list(parts), key=ESTIMATORS["part"], on_change="rerun", bind="query-params")
    for tab, part in zip(tabs, parts.values(), strict=True):
        if tab.open:
            with tab:
                part(choice)


def _verdict(choice: Choice) -> None:
    """Show the verdict of the chosen scorer."""
    word, color, sentence = controls.verdict(choice)
    if not word:
        return
    with st.container(border=True):
        st.badge(word.capitalize(), color=color, help=TERMS["recall_gain"].help())
        st.markdown(sentence)


def _compared(choice: Choice) -> None:
    """Put all estimators of the run side by side."""
    table = controls.comparison(choice.run)
    if table.empty:
        layout.empty_state(controls.OLDER)
        return
    sentence = controls.information(choice.run)
    layout.chart_card(
        estimator_panels(table, panels=controls.PANELS, names=controls.names(choice.run), chosen=choice.scorer),
        table,
        key="uncertainty-estimators",
        title="Estimators side by side, test rows",
        how_to_read="Blue is the score chosen above; bars are 95 % over units. The first two panels judge the score, "
        f"the others what its uncertainty adds. {TERMS['positivity_trend'].gloss} Hollow: the same with shuffled "
        f"uncertainty, which shows what chance does. {TERMS['recall_gain'].gloss} Last panel: right of 0, leaving out "
        "by uncertainty saves log loss over leaving out by the ambiguity of the score.",
        alt=sentence,
    )
    measures = controls.choose_measures(choice.run)
    if measures == controls.VERDICTS:
        _verdicts(choice)
        return
    layout.table_card(
        controls.measure_table(choice.run, measures),
        table[table["metric"].isin(controls.MEASURES[measures])],
        key="uncertainty-estimators-table",
        title=measures,
        how_to_read=controls.measure_words(choice.run, measures),
        alt=sentence,
    )


def _verdicts(choice: Choice) -> None:
    """List the verdict of every score."""
    layout.table_card(
        controls.verdict_table(choice.run),
        controls.stored(choice.run, "verdicts"),
        key="uncertainty-verdicts",
        title="Verdict of every score",
        how_to_read=controls.VERDICT_WORDS + f"  \n{TERMS['recall_gain'].help()}",
        alt="Verdict of every score with the recall gained by several thresholds.",
    )


def _abstention(choice: Choice) -> None:
    """Show what remains when doubtful rows are left out in three orders."""
    if controls.stored(choice.run, "abstention").empty or controls.stored(choice.run, "risk_coverage").empty:
        layout.empty_state(controls.OLDER)
        return
    risk = controls.choose_risk()
    sentence = controls.risk_sentence(choice, risk)
    st.markdown(sentence)
    curves, areas = controls.risk_rows(choice, risk), controls.area_rows(choice, risk)
    left, right = st.columns([0.6, 0.4], gap="small")
    with left:
        layout.chart_card(
            abstention_curves(curves, names=controls.ORDERS, axis_title=controls.risk_axis(risk)),
            curves,
            key="uncertainty-risk-coverage",
            title="What remains when doubtful rows are left out",
            how_to_read=f"{TERMS['risk_coverage'].gloss} Further right, more rows are left out. "
            f"{TERMS['score_ambiguity'].gloss} Uncertainty has to beat that, not only chance. Bands are 95 % over "
            "units. Test rows; ties are broken at random.",
            alt=sentence,
        )
    with right:
        layout.chart_card(
            abstention_areas(
                areas[areas["baseline"] == ""],
                names=controls.ORDERS,
                axis_title=f"Mean {controls.risk_label(risk)} over all shares",
            ),
            areas,
            key="uncertainty-abstention-areas",
            title="Mean of each curve",
            how_to_read=f"{TERMS['abstention_area'].gloss} The sentence above compares them in pairs on the same "
            "resamples, so it may tell apart what the bars here do not. Precision is averaged over the shares at which "
            "a kept row is selected.",
            alt=sentence,
        )


def _trends(choice: Choice) -> None:
    """Show how the rate of positives changes with uncertainty at equal score."""
    found = controls.trends(choice)
    st.caption(
        "Change in the rate of positives from the most to the least certain row when the score stays the same.",
        help=TERMS["positivity_trend"].help(),
    )
    for column, row in zip(st.columns(max(len(found), 1)), found, strict=False):
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
