"""The log as of any day: what was known, what could be estimated, and what came; played, stepped or slid through."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import delay, delay_asof, delay_player
from dashboard.glossary import TERMS
from dashboard.state import DELAY
from engine.figures.delay_arrival import seen_curves
from engine.figures.delay_asof import asof_rates
from engine.figures.delay_cohorts import cohort_curves, cohort_triangle


def draw(run: Run) -> None:
    """Draw the tab; while the player runs, a clock draws it again.

    Parameters
    ----------
    run : Run
    """
    if delay_player.is_playing():
        _played(run)
    else:
        _panel(run)


@st.fragment(run_every=delay_player.TICK_SECONDS)
def _played(run: Run) -> None:
    """Draw the panel of the next day; at the end, or after a pause, the page without a clock."""
    if not delay_player.tick(run):
        # The whole page: only that takes the clock of this fragment away.
        st.rerun()
    _panel(run)


def _panel(run: Run) -> None:
    """Draw everything that belongs to one day."""
    if delay.stored(run, "asof").empty:
        layout.empty_state(f"This run holds the day of its snapshot only. To move the day: {delay.AGAIN}")
        _triangle(run, delay_player.own_day(run))
        return
    day, segment = _controls(run)
    _cards(run, day, segment)
    left, right = st.columns(2, gap="medium")
    with left:
        _rates(run, day, segment)
    with right:
        _curves(run, day)
    _triangle(run, day)


def _controls(run: Run) -> tuple[delay_player.Day, str]:
    """Draw the player, the slider of days and the segment."""
    day = delay_player.chosen_day(run)
    known = [one.text for one in delay_player.days(run)]
    buttons, slider, segment = st.columns([0.33, 0.47, 0.2], vertical_alignment="bottom", gap="medium")
    playing = delay_player.is_playing()
    with buttons, st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.button(
            "Back", icon=":material/skip_previous:", key="delay-back", help="One day back",
            on_click=delay_player.step_by, args=(run, -1), disabled=day.text == known[0],
        )  # fmt: skip
        st.button(
            "Pause" if playing else "Play",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            key="delay-play",
            type="primary",
            on_click=delay_player.pause if playing else delay_player.play,
            args=() if playing else (run,),
            disabled=len(known) < 2,
        )
        st.button(
            "Next", icon=":material/skip_next:", key="delay-next", help="One day on",
            on_click=delay_player.step_by, args=(run, 1), disabled=day.text == known[-1],
        )  # fmt: skip
    with slider:
        st.select_slider("As of", known, key=DELAY["day"], bind="query-params", disabled=len(known) < 2)
    with segment:
        chosen = delay_asof.choose_segment(run)
    return delay_player.chosen_day(run), chosen


def _cards(run: Run, day: delay_player.Day, segment: str) -> None:
    """Show what was known on the day, what could be estimated, and what came."""
    row: Any = delay_asof.facts_of(run, day, segment)
    rate = f"{layout.number(100 * row.rate_final)} %"
    first, second, third = st.columns(3)
    with first:
        layout.metric_card(
            "Conversions counted so far",
            100 * row.rate_seen,
            100 * row.rate_seen_low,
            100 * row.rate_seen_high,
            int(row.exposures),
            unit=" %",
            baseline=f"{delay_asof.came_of(row, rate)} · {int(row.matured):,} exposures are matured",
            term="rate_seen",
        )
    with second:
        layout.metric_card(
            "Honest estimate that day",
            100 * row.rate_estimated,
            100 * row.rate_estimated_low,
            100 * row.rate_estimated_high,
            int(row.exposures),
            unit=" %",
            baseline=delay_asof.came_of(row, rate),
            term="rate_estimated",
        )
    with third:
        layout.metric_card(
            "Labels that will still flip",
            row.flips_expected,
            row.flips_expected_low,
            row.flips_expected_high,
            int(row.pending),
            baseline=delay_asof.came_of(row, f"{layout.number(row.flips_final)} of the open labels flipped"),
            term="flips_expected",
        )


def _rates(run: Run, day: delay_player.Day, segment: str) -> None:
    """Draw counted, estimated and final rate by day."""
    table = delay_asof.rates(run, segment)
    layout.chart_card(
        asof_rates(table, day=delay_asof.mark_of(run, day)),
        table,
        key="delay-rates",
        title=f"Conversion rate by day, {layout.escape_markdown(delay.segment_text(segment))}",
        how_to_read="All exposures up to each day. **Red** divides the conversions so far by the exposures so far; "
        "**blue** is Kaplan–Meier's estimate of the rate within the window from the same day, with its 95 % band; "
        "**dashed grey** is what these exposures did in the end.",
        alt=delay_asof.day_sentence(run, day, segment),
    )


def _curves(run: Run, day: delay_player.Day) -> None:
    """Draw the curves of arrival as known on the day."""
    table = delay_asof.curves(run, day)
    layout.chart_card(
        seen_curves(
            table,
            delay_asof.final_curve(run),
            name="converted",
            waiting_days=None,
            immature_from=None,
            top=delay_asof.highest_rate(run),
            height=330,
        ),
        table,
        key="delay-asof-curves",
        title="Converted by age, all exposures",
        how_to_read="**Red** divides by all exposures, those too young to have converted included. **Blue** looks, at "
        "every age, only at exposures that had reached it by that day. **Dashed grey**: the whole log with its final "
        "labels. Below: exposures at risk: still negative and observed after that day.",
        alt=delay_asof.day_sentence(run, day, "all"),
    )


def _triangle(run: Run, day: delay_player.Day) -> None:
    """Draw the cohort triangle of the day, and the week that is open."""
    shown = delay_asof.triangle(run, day)
    left, right = st.columns([0.62, 0.38], gap="medium")
    with right:
        label = delay_asof.choose_cohort(shown)
        _cohort(shown, label)
    with left:
        # The day is part of the key: with a constant one the old click would stay on the new picture.
        key = f"{DELAY['triangle']}-{day.value:g}"
        layout.chart_card(
            cohort_triangle(shown.cells, labels=shown.labels, ages=shown.ages, top=shown.top, chosen=label),
            shown.cells,
            key=key,
            title=f"Cohorts as of {day.text}: week of exposure by age",
            how_to_read="Each row is a week of exposures, each column an age; the colour is the share converted by "
            "then. **Hatched** cells were immature on that day: they are projected with the curves of earlier weeks "
            "in the same segments. Weeks that began later are empty. **Right**: what came in the end. Click a cell to "
            f"open its week.  \n{TERMS['cohort_projection'].help()}",
            alt=delay_asof.cohort_sentence(shown, label),
            on_select=lambda: delay_asof.follow_click(key, shown.labels),
        )
    st.caption(f"As of the snapshot day: {delay_asof.projection_sentence(run)}")


def _cohort(shown: delay_asof.Triangle, label: str) -> None:
    """Draw one week: seen, projected, final."""
    rows = shown.cells[shown.cells["label"] == label]
    sentence = delay_asof.cohort_sentence(shown, label)
    layout.chart_card(
        cohort_curves(rows, top=shown.highest),
        rows,
        key="delay-cohort-curve",
        title=f"Week from {layout.escape_markdown(label)}",
        how_to_read="**Solid**: counted on that day, where the whole week was old enough. **Dotted**: projected, with "
        "its 95 % band. **Dashed grey**: what came.",
        alt=sentence,
    )
    st.markdown(layout.escape_markdown(sentence, limit=400))
