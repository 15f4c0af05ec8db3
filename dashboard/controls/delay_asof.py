"""The log as of any day: what was known on it, and its cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.cache import Run, derived
from dashboard.controls.delay import (
    arrival_rows,
    axis_days,
    day_text,
    final_rows,
    has_truth,
    page_facts,
    segment_text,
    stored,
)
from dashboard.controls.delay_player import Day, own_day
from dashboard.layout import number
from dashboard.state import DELAY
from engine.metrics.calibration import wilson_interval


def choose_segment(run: Run) -> str:
    """Let the reader choose whose rates the cards and the chart by day show."""
    segments = list(dict.fromkeys(stored(run, "asof")["segment"]))
    chosen = st.selectbox(
        "Segment",
        segments,
        format_func=segment_text,
        key=DELAY["day_segment"],
        bind="query-params",
        disabled=len(segments) < 2,
        help="For the cards and the first chart.",
    )
    return chosen if chosen in segments else segments[0]


def rates(run: Run, segment: str) -> pd.DataFrame:
    """Return what was known of a segment on every day, with the days as an axis writes them."""
    table = stored(run, "asof")
    rows = table[table["segment"] == segment].sort_values("as_of")
    return rows.assign(when=axis_days(run, rows["as_of"]))


def facts_of(run: Run, day: Day, segment: str) -> Any:
    """Look up one day of a segment: one row with everything the cards show, Wilson's interval of the count included."""
    rows = rates(run, segment)
    row = rows[np.isclose(rows["as_of"], day.value)]
    low, high = wilson_interval(row["positives"].to_numpy(dtype=float), row["exposures"].to_numpy(dtype=float))
    return next(row.assign(rate_seen_low=low, rate_seen_high=high).itertuples())


def mark_of(run: Run, day: Day) -> str | float:
    """Return where a day stands on the axis of days."""
    return day.text if page_facts(run)["has_dates"] else day.value


def curves(run: Run, day: Day) -> pd.DataFrame:
    """Return the curves of arrival of all exposures as known on a day."""
    table = stored(run, "asof_curves")
    if table.empty:
        return table
    rows = table[np.isclose(table["as_of"], day.value)]
    return rows.assign(n=int(facts_of(run, day, "all").exposures))


def final_curve(run: Run) -> pd.DataFrame | None:
    """Return the arrival curve of all exposures by their final labels, where they are known."""
    return final_rows(run, "all")


def highest_rate(run: Run) -> float:
    """Return the end of the axis of converted shares, the same for every day."""
    tables = [stored(run, "asof_curves"), arrival_rows(run, "all", "final")]
    columns = [table[name].max() for table in tables for name in ("converted", "converted_high") if name in table]
    return 1.05 * float(np.nanmax(columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Triangle:
    """The cells of one day and what all days have in common."""

    cells: pd.DataFrame
    """Columns ``label, cohort, age_days, stage, rate, ci_low, ci_high, n``."""
    labels: list[str]
    """Every week of the log."""
    ages: list[float]
    top: float
    """Rate at the end of the scale."""
    highest: float
    """End of the axis of one week's rates."""


def _all_cells(run: Run) -> pd.DataFrame:
    """Return the cells of all days, and the final ones without a day."""
    past, cohorts = stored(run, "asof_cohorts"), run.curve("cohorts")
    final = cohorts[cohorts["stage"] == "final"].assign(as_of=np.nan)
    if past.empty:
        past = cohorts[cohorts["stage"] != "final"].assign(as_of=own_day(run).value)
    table = pd.concat([past, final], ignore_index=True)
    has_dates = bool(page_facts(run)["has_dates"])
    return table.assign(label=[day_text(float(day), has_dates) for day in table["cohort"]])


def triangle(run: Run, day: Day) -> Triangle:
    """Return the cohort triangle as of a day, with what came in the end beside it.

    Parameters
    ----------
    run : Run
    day : Day

    Returns
    -------
    Triangle
    """
    table = derived(run, "delay cells", lambda: _all_cells(run))
    weeks = table.sort_values("cohort", kind="stable")
    shown = table["as_of"].isna() | np.isclose(table["as_of"], day.value)
    # Few exposures make a rate of anything: the scale ends where the weeks of some size do.
    usual = table.loc[table["n"] >= table["n"].median(), "rate"]
    return Triangle(
        cells=table[shown & table["rate"].notna()],
        labels=list(dict.fromkeys(weeks["label"])),
        ages=sorted(float(age) for age in set(table["age_days"])),
        top=float(usual.max()),
        highest=1.15 * float(table["rate"].max()),
    )


def choose_cohort(shown: Triangle) -> str:
    """Let the reader choose a week; a click on a cell does the same."""
    key = DELAY["cohort"]
    if st.session_state.get(key) not in shown.labels:
        asked = st.query_params.get(key, "")
        st.session_state[key] = asked if asked in shown.labels else _middle_week(shown)
    return st.selectbox(
        "Week of exposure, from",
        shown.labels,
        key=key,
        bind="query-params",
        help="Or click a cell of the triangle.",
    )


def _middle_week(shown: Triangle) -> str:
    """Return the last week that was partly seen on the day, where one was."""
    stages = shown.cells[shown.cells["stage"] != "final"]
    both = set(stages.loc[stages["stage"] == "seen", "label"]) & set(stages.loc[stages["stage"] != "seen", "label"])
    known = [label for label in shown.labels if label in both]
    return known[-1] if known else shown.labels[-1]


def follow_click(key: str, labels: list[str]) -> None:
    """Open the week of the clicked cell."""
    event: Any = st.session_state.get(key)
    label = clicked_week(event)
    if label in labels:
        st.session_state[DELAY["cohort"]] = label


def clicked_week(event: Any) -> str | None:
    """Read the week from the event of a click on the triangle; none where the click took a choice back."""
    points = (event or {}).get("selection", {}).get("points", [])
    data = points[0].get("customdata") if points else None
    if isinstance(data, dict):
        data = list(data.values())
    return str(data[0]) if data else None


def cohort_sentence(shown: Triangle, label: str) -> str:
    """Say what was seen of a week, what was projected, and what came."""
    rows = shown.cells[shown.cells["label"] == label]
    parts = []
    for stage, words in (("seen", "seen by day"), ("projected", "projected to day"), ("final", "came by day")):
        last = rows[rows["stage"] == stage].sort_values("age_days").tail(1)
        for row in last.itertuples():
            parts.append(
                f"{words} {row.age_days:g}: {number(100 * row.rate)} % [{number(100 * row.ci_low)}, "
                f"{number(100 * row.ci_high)}]"
            )
    n = f" · n {int(rows['n'].max()):,} exposures" if len(rows) else ""
    return f"Week from {label}: {'; '.join(parts) or 'nothing known yet'}{n}."


def came_of(row: Any, words: str) -> str:
    """Say what came in the end of the exposures of a day, or that labels of theirs are open at the end of the log."""
    return "what comes is not known yet" if np.isnan(row.rate_final) else f"in the end {words}"


def day_sentence(run: Run, day: Day, segment: str) -> str:
    """Say what counting and estimating gave on a day, and what came of it."""
    row = facts_of(run, day, segment)
    estimated = (
        "no estimate was possible"
        if np.isnan(row.rate_estimated)
        else f"the estimate was {number(100 * row.rate_estimated)} % [{number(100 * row.rate_estimated_low)}, "
        f"{number(100 * row.rate_estimated_high)}]"
    )
    return (
        f"On {day.text}, {number(100 * row.rate_seen)} % of {int(row.exposures):,} exposures had converted; "
        f"{estimated}; {came_of(row, f'{number(100 * row.rate_final)} % of them did')}."
    )


def projection_sentence(run: Run) -> str:
    """Say how far the projection of the immature weeks was from what came, as of the snapshot day."""
    table = run.curve("cohorts")
    last = table["age_days"].max()
    end = table[table["age_days"] == last].pivot_table(index=["cohort", "n"], columns="stage", values="rate")
    if "projected" not in end or end["projected"].isna().all():
        return "Every week was fully seen on the snapshot day."
    n = end.index.get_level_values("n").to_numpy(dtype=float)
    open_ = end["projected"].notna().to_numpy()
    projected = np.average(end["projected"].to_numpy()[open_], weights=n[open_])
    said = (
        f"Over {int(open_.sum())} weeks that were not finished on the snapshot day (n {n[open_].sum():,.0f}), the "
        f"curves of earlier weeks projected {number(100 * projected)} % conversions"
    )
    if not has_truth(run):
        return f"{said}."
    return f"{said}; {number(100 * np.average(end['final'].to_numpy()[open_], weights=n[open_]))} % came."
