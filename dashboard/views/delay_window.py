"""Labels over time: what a waiting window knows, what will flip, and why."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import delay, delay_text
from dashboard.state import DELAY
from dashboard.views import delay_law
from engine.figures.delay import flip_curves
from engine.figures.delay_arrival import seen_curves


def draw(run: Run) -> None:
    """Draw the tab: the slider of the window, four cards, two charts, and details below them.

    Parameters
    ----------
    run : Run
    """
    choice = delay.choose(run)
    _cards(run, choice)
    left, right = st.columns(2, gap="medium")
    with left:
        _flips(run, choice)
    with right:
        _arrival(run, choice)
    parts = {
        "How long to wait": lambda: delay_law.draw_tradeoff(run, choice),
        "Hazard and delay law": lambda: delay_law.draw_law(run, choice),
        "Naive or honest": lambda: _naive(run, choice),
        "Funnel": lambda: delay_law.draw_funnel(run),
    }
    tabs = st.tabs(list(parts), key=DELAY["detail"], on_change="rerun", bind="query-params")
    for tab, part in zip(tabs, parts.values(), strict=True):
        if tab.open:
            with tab:
                part()


def _cards(run: Run, choice: delay.Choice) -> None:
    """Show what is known at the window, what will flip, and what the weights cost or what counting misses."""
    row: Any = delay.window_row(run, choice)
    # Unlike columns, what stands in a horizontal container goes on to a second row where a window is narrow.
    with st.container(horizontal=True):
        layout.metric_card(
            f"Positives seen by day {row.waiting_days:g}",
            100 * row.seen,
            100 * row.seen_low,
            100 * row.seen_high,
            int(row.read),
            unit=" %",
            baseline=delay.in_the_end(run, f"{layout.number(100 * row.seen_final)} %"),
            term="seen_share",
        )
        layout.metric_card(
            f"Flip rate after day {row.waiting_days:g}",
            100 * row.flip,
            100 * row.flip_low,
            100 * row.flip_high,
            int(row.negatives),
            unit=" %",
            baseline=delay.in_the_end(run, f"{layout.number(100 * row.flip_final)} %")
            + " · unripe = negative assumes 0",
            term="flip_rate",
        )
        layout.metric_card(
            "Expected flips",
            row.flips_expected,
            row.flips_expected_low,
            row.flips_expected_high,
            int(row.negatives),
            baseline=delay.in_the_end(run, f"{layout.number(row.flips_final)} of these negatives flipped"),
            term="flips_expected",
        )
        if delay.is_described(run):
            _rate_card(run, choice.segment)
            return
        layout.metric_card(
            "Effective sample share",
            100 * row.ess_share_dress_style,
            100 * row.ess_share_dress_style_low,
            100 * row.ess_share_dress_style_high,
            int(row.weight_rows),
            unit=" %",
            baseline=f"labels read at day {row.waiting_days:g} · "
            f"without signals {layout.number(100 * row.ess_share_exact_joint)} % · unweighted 100 % · "
            f"mean weight {layout.number(row.weight_mean_dress_style)}",
            term="ess_share",
        )


def _rate_card(run: Run, segment: str) -> None:
    """Show the conversion rate as estimated, beside what counting says."""
    last: Any = next(delay.arrival_rows(run, segment, "snapshot").tail(1).itertuples())
    final = delay.final_rows(run, segment)
    came = "" if final is None else f" · {layout.number(100 * float(final['converted'].iloc[-1]))} % over the whole log"
    layout.metric_card(
        f"Converts within {last.elapsed_days:g} days",
        100 * last.converted,
        100 * last.converted_low,
        100 * last.converted_high,
        int(last.n),
        unit=" %",
        baseline=f"counted {layout.number(100 * last.converted_naive)} %{came}",
        term="rate_estimated",
    )


def _flips(run: Run, choice: delay.Choice) -> None:
    """Draw the flip rate over the delay window."""
    table = delay.flip_rows(run, choice.group, choice.band)
    bands = "by resampling units" if choice.band == "units" else "Greenwood, log-log"
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
        f"of them convert before their window ends. Bands are 95 % ({bands}). Below: exposures at risk: "
        "still negative and observed after that day. **Shaded**: ages that over 10 % had not reached on the snapshot "
        "day; **dotted**: most of a group was not that old yet, so the line comes from the whole log. By engagement, "
        "each age looks at the state at that age, frozen at the waiting window of the run.",
        alt=delay_text.flip_sentence(table, choice),
    )


def _arrival(run: Run, choice: delay.Choice) -> None:
    """Draw how positives arrive: honest, naive and final."""
    snapshot = delay.arrival_rows(run, choice.segment, "snapshot")
    final = delay.final_rows(run, choice.segment)
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
        "says; it differs from blue where later exposures convert at another pace. Below: exposures at risk: "
        "still negative and observed after that day.",
        alt=delay_text.seen_sentence(run, choice),
    )


def _naive(run: Run, choice: delay.Choice) -> None:
    """Compare the naive conversion rate with the honest one."""
    snapshot, final = delay.arrival_rows(run, choice.segment, "snapshot"), delay.final_rows(run, choice.segment)
    sentence = delay_text.naive_sentence(run, choice.segment)
    layout.chart_card(
        seen_curves(
            snapshot,
            final,
            name="converted",
            waiting_days=choice.waiting_days,
            immature_from=delay.immature_from(run, choice.segment),
        ),
        snapshot,
        key="delay-converted",
        title="Conversion rate by age: counted, estimated, final",
        how_to_read="**Red** divides the conversions so far by all exposures, those included that are too young to "
        "have converted: too low. **Blue** looks, at every age, only at exposures that have reached it. **Dashed "
        "grey**: all exposures of the log with their final labels; a gap to blue is a change over time.",
        alt=sentence,
    )
    st.markdown(sentence)
