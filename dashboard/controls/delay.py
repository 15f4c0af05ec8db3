"""What the delayed-feedback page shows of labels over time: slices of the stored tables, chosen by the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.cache import Run, derived
from dashboard.state import DELAY

GROUPS = {"cohort": "Cohort", "engagement": "Engagement", "segment": "Segment", "all": "All"}
BANDS = {"greenwood": "Greenwood", "units": "by unit"}
AGAIN = "Open **Train** and start a delayed-feedback run on the same data."
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the reader chose above the charts."""

    waiting_days: float
    group: str
    segment: str
    band: str = "greenwood"


def stored(run: Run, name: str) -> pd.DataFrame:
    """Return a stored table; empty where an older version or too little data left it out."""
    return run.curve(name) if name in run.manifest["curves"] else pd.DataFrame()


def page_facts(run: Run) -> dict[str, Any]:
    """Return the one row of facts about the snapshot as a dict."""
    return {str(key): value for key, value in run.curve("snapshot").iloc[0].items()}


def day_text(day: float, has_dates: bool) -> str:
    """Write a day of the data: a date where the data has dates, else its number."""
    if not has_dates:
        return f"day {day:g}"
    return str(np.datetime64("1970-01-01") + int(np.floor(day)) * _DAY)


def axis_days(run: Run, days: pd.Series) -> list[Any]:
    """Write days for an axis: dates as text, which Plotly takes as such, else numbers."""
    if not page_facts(run)["has_dates"]:
        return [float(day) for day in days]
    return [day_text(day, True) for day in days]


def is_described(run: Run) -> bool:
    """Say whether the run was described from counts: no method was trained."""
    return not run.manifest["methods"]


def has_truth(run: Run) -> bool:
    """Say whether it is known what became of the labels that were open on the snapshot day."""
    return bool(page_facts(run).get("has_truth", True))


def in_the_end(run: Run, words: str) -> str:
    """Say what came in the end, or that it is not known yet."""
    return f"in the end {words}" if has_truth(run) else "what comes is not known yet"


def final_rows(run: Run, segment: str) -> pd.DataFrame | None:
    """Return the arrival curve by final labels; none at the end of the log, where it is the estimate itself."""
    return arrival_rows(run, segment, "final") if has_truth(run) else None


def has_engagement(run: Run) -> bool:
    """Say whether any exposure was ever engaged: without, no claim about signals is stored."""
    if (run.curve("claims")["claim"] == "C5").any():
        return True
    # A description stores the claim only where both states occur with known labels.
    table = stored(run, "snapshot")
    return "engaged" in table and bool(table["engaged"].iloc[0])


def segment_text(name: str) -> str:
    """Name a segment as the page does."""
    return "all exposures" if name == "all" else f"segment {name}"


def choose(run: Run) -> Choice:
    """Draw the slider of the waiting window, the grouping of the curves, their bands and the segment of the cards."""
    windows = run.curve("windows")
    days = [float(day) for day in windows.loc[windows["segment"] == "all", "waiting_days"]]
    segments = list(dict.fromkeys(windows["segment"]))
    left, middle, band, right = st.columns([0.3, 0.37, 0.165, 0.165], vertical_alignment="bottom", gap="small")
    start = min(days, key=lambda day: abs(day - page_facts(run)["waiting_days"]))
    with left:
        waiting = st.slider(
            "Waiting window: days until the label is read",
            min_value=days[0],
            max_value=days[-1],
            value=start,
            step=days[0],
            format="%g d",
            key=DELAY["window"],
            bind="query-params",
        )
    with middle:
        group = _choose_group(run)
    with band:
        method = _choose_band(run, group)
    with right:
        segment = st.selectbox(
            "Segment",
            segments,
            format_func=segment_text,
            key=DELAY["segment"],
            bind="query-params",
            disabled=len(segments) < 2,
            help="For the cards and the chart on the right.",
        )
    nearest = min(days, key=lambda day: abs(day - float(waiting)))
    return Choice(waiting_days=nearest, group=group, segment=segment or segments[0], band=method)


def _choose_group(run: Run) -> str:
    """Let the reader choose what the curves stand for."""
    known = set(run.curve("arrival")["group"]) - (set() if has_engagement(run) else {"engagement"})
    groups = [group for group in GROUPS if group in known]
    chosen = st.segmented_control(
        "Curves by",
        groups,
        default=groups[0],
        format_func=lambda name: GROUPS[name],
        required=True,
        key=DELAY["group"],
        bind="query-params",
    )
    return chosen or groups[0]


def _choose_band(run: Run, group: str) -> str:
    """Let the reader choose what the bands treat as independent, where both are stored."""
    bands = [band for band in BANDS if band == "greenwood" or has_unit_bands(run, group)]
    chosen = st.selectbox(
        "Bands",
        bands,
        format_func=lambda name: BANDS[name],
        key=DELAY["band"],
        bind="query-params",
        disabled=len(bands) < 2,
        help="**Greenwood** takes exposures as independent. **By unit** resamples households or users with all their "
        "exposures: wider where the same people answer alike. The cards of the flips follow; the share of positives "
        "seen has Greenwood's band only, the effective sample share always that by unit.",
    )
    return chosen if chosen in bands else "greenwood"


def has_unit_bands(run: Run, group: str) -> bool:
    """Say whether bands that resample units are stored for a grouping."""
    arrival = run.curve("arrival")
    if "flip_unit_low" not in arrival:
        return False
    rows = arrival[(arrival["view"] == "final") & (arrival["group"] == group)]
    return bool(rows["flip_unit_low"].notna().any())


def window_row(run: Run, choice: Choice) -> Any:
    """Look up the chosen window: one row with everything the cards show, the flips with the chosen band if stored."""
    windows = run.curve("windows")
    place = (windows["segment"] == choice.segment) & (windows["waiting_days"] == choice.waiting_days)
    row: Any = next(windows[place].itertuples())
    arrival = arrival_rows(run, choice.segment, "snapshot")
    if choice.band != "units" or "flip_unit_low" not in arrival:
        return row
    here = arrival[np.isclose(arrival["elapsed_days"], choice.waiting_days)].iloc[0]
    low, high = float(here["flip_unit_low"]), float(here["flip_unit_high"])
    if np.isnan(low) or np.isnan(high):
        return row
    flips = {"flips_expected_low": low * row.negatives, "flips_expected_high": high * row.negatives}
    return row._replace(flip_low=low, flip_high=high, **flips)


def flip_rows(run: Run, group: str, band: str = "greenwood") -> pd.DataFrame:
    """Return the curves of one grouping from the whole log, periods named by their dates, with the chosen band."""
    return derived(run, f"delay flips {group} {band}", lambda: _flip_rows(run, group, band))


def _flip_rows(run: Run, group: str, band: str) -> pd.DataFrame:
    """Cut and name the curves of one grouping."""
    arrival = run.curve("arrival")
    rows = arrival[(arrival["view"] == "final") & (arrival["group"] == group)]
    if band == "units" and has_unit_bands(run, group):
        rows = rows.assign(flip_low=rows["flip_unit_low"], flip_high=rows["flip_unit_high"])
    if group == "engagement":
        every = arrival[(arrival["view"] == "final") & (arrival["group"] == "all")].set_index("elapsed_days")
        # Every age is a landmark with exposures of its own: name the number at the waiting window of the run.
        at_window = rows[np.isclose(rows["elapsed_days"], page_facts(run)["waiting_days"])].set_index("key")["at_risk"]
        return rows.assign(
            visible_share=rows["elapsed_days"].map(every["visible_share"]), n=rows["key"].map(at_window).fillna(0)
        )
    if group == "cohort":
        has_dates = bool(page_facts(run)["has_dates"])
        return rows.assign(key=[_period(key, has_dates) for key in rows["key"]])
    return rows.assign(key=rows["key"].replace("all", "all exposures"))


def _period(key: str, has_dates: bool) -> str:
    """Name a period ``first–last`` by its days."""
    first, last = (float(part) for part in key.split("–"))
    if not has_dates:
        return f"days {first:g}–{last:g}"
    start, end = (np.datetime64("1970-01-01") + int(day) * _DAY for day in (first, last))
    return f"{start.item():%d %b} – {end.item():%d %b %Y}"


def arrival_rows(run: Run, segment: str, view: str) -> pd.DataFrame:
    """Return the arrival curve of all exposures or of one segment, in one view."""
    return derived(run, f"delay arrival {segment} {view}", lambda: _arrival_rows(run, segment, view))


def _arrival_rows(run: Run, segment: str, view: str) -> pd.DataFrame:
    """Cut one curve out of the table."""
    arrival = run.curve("arrival")
    group = "all" if segment == "all" else "segment"
    return arrival[(arrival["view"] == view) & (arrival["group"] == group) & (arrival["key"] == segment)]


def immature_from(run: Run, segment: str = "all") -> float | None:
    """Return the age in days from which on a tenth of the exposures had not lived that long on the snapshot day."""
    rows = arrival_rows(run, segment, "snapshot")
    young = rows["observed_share"].to_numpy() <= 0.9
    # The share of a row is that of the bin before it: an exposure counts until its age is over.
    return float(rows["elapsed_days"].to_numpy()[max(int(young.argmax()) - 1, 0)]) if young.any() else None
