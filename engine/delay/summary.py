"""What the statistics of the delay window say, in a few lines for people and one record for programs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

_RISK_POINTS = 6
"""Columns of the numbers at risk, the same as below the curves of the page."""


def summary_of(tables: dict[str, pd.DataFrame], *, waiting_days: float, window_days: float) -> dict[str, Any]:
    """Read the answer of every segment at the waiting window from the tables.

    Parameters
    ----------
    tables : dict of str to DataFrame
        From `engine.delay.statistics.statistics_tables`.
    waiting_days, window_days : float
        Waiting window and longest attribution window.

    Returns
    -------
    dict
        ``waiting_days, window_days`` and ``groups``, one record for all exposures and for every segment: ``segment,
        n, converted_naive, converted, converted_low, converted_high`` at the window; ``flip, flip_low, flip_high,
        flip_unit_low, flip_unit_high, seen, seen_low, seen_high, seen_naive, at_risk`` at the waiting window;
        ``numbers_at_risk``, pairs of elapsed days and exposures that are still negative and observed after that day;
        ``cure``, the records of the fits. None for NaN.
    """
    arrival, cure = tables["arrival"], tables["cure"]
    known = arrival[(arrival["view"] == "snapshot") & arrival["group"].isin(("all", "segment"))]
    groups = [
        _group(str(key), rows, cure[(cure["view"] == "snapshot") & (cure["key"] == key)], waiting_days)
        for key, rows in known.groupby("key", sort=False)
    ]
    return {"waiting_days": waiting_days, "window_days": window_days, "groups": groups}


def _group(key: str, rows: pd.DataFrame, cure: pd.DataFrame, waiting_days: float) -> dict[str, Any]:
    """Return the record of one group."""
    place = int(np.searchsorted(rows["elapsed_days"].to_numpy(), waiting_days + 1e-9, side="right")) - 1
    wait, last = rows.iloc[max(place, 0)], rows.iloc[-1]
    # After the last day every window is over: nobody is followed, whatever became of them.
    followed = int(np.flatnonzero(rows["at_risk"].to_numpy() > 0).max(initial=0)) + 1
    points = range(0, followed, -(-followed // _RISK_POINTS))
    at_wait = ["flip", "seen", "seen_naive", "at_risk"]
    at_wait += [name for name in rows.columns if name.startswith(("flip_", "seen_")) and name not in at_wait]
    at_end = ["converted_naive", "converted", "converted_low", "converted_high"]
    laws = cure.drop(columns=["view", "group", "key"]).to_dict("records")
    return {
        "segment": key,
        "n": int(last["n"]),
        **{name: _plain(last[name]) for name in at_end},
        **{name: _plain(wait[name]) for name in at_wait},
        "numbers_at_risk": [[float(rows["elapsed_days"].iloc[k]), int(rows["at_risk"].iloc[k])] for k in points],
        "cure": [{name: _plain(value) for name, value in law.items()} for law in laws],
    }


def _plain(value: Any) -> Any:
    """Return a number that JSON can hold; None for NaN."""
    if isinstance(value, str):
        return value
    number = float(value)
    return None if np.isnan(number) else number


def text_of(summary: dict[str, Any]) -> str:
    """Lay out the summary for reading.

    Parameters
    ----------
    summary : dict
        From `summary_of`.

    Returns
    -------
    str
    """
    return "\n\n".join(_paragraph(group, summary) for group in summary["groups"])


def _paragraph(group: dict[str, Any], summary: dict[str, Any]) -> str:
    """Return the lines of one group."""
    wait, window = summary["waiting_days"], summary["window_days"]
    title = "All exposures" if group["segment"] == "all" else f"Segment {group['segment']}"
    risk = ", ".join(f"{count:,} after day {day:g}" for day, count in group["numbers_at_risk"])
    units = _range(group.get("flip_unit_low"), group.get("flip_unit_high"))
    lines = [
        f"{title} · n {group['n']:,}",
        f"  converted within {window:g} days: plain {_share(group['converted_naive'])}, Kaplan–Meier "
        f"{_share(group['converted'])} {_range(group['converted_low'], group['converted_high'])}",
        f"  will still flip after {wait:g} days: {_share(group['flip'])} "
        f"{_range(group['flip_low'], group['flip_high'])}; with whole units as draws {units}; "
        f"{group['at_risk'] or 0:,.0f} at risk then",
        f"  of the final positives seen by {wait:g} days: {_share(group['seen'])} "
        f"{_range(group['seen_low'], group['seen_high'])}; among conversions so far {_share(group['seen_naive'])}",
        *(f"  {_cure(law)}" for law in group["cure"]),
        f"  at risk (still negative and observed): {risk}",
    ]
    return "\n".join(lines)


def _cure(law: dict[str, Any]) -> str:
    """Return the line of one fit."""
    if law["reason"]:
        return f"{law['law']} cure: no fit; {law['reason']}"
    shape = f", shape {law['shape']:.3g}" if law["law"] == "weibull" else ""
    return (
        f"{law['law']} cure: ever converts {_share(law['converted'])} "
        f"{_range(law['converted_low'], law['converted_high'])}, mean delay {law['mean_delay']:.3g} days{shape}, "
        f"largest distance from Kaplan–Meier {_share(law['gap_max'])}"
    )


def _share(value: float | None) -> str:
    """Return three digits, or say that there is no value."""
    return "unknown" if value is None else f"{value:.4f}"


def _range(low: float | None, high: float | None) -> str:
    """Return an interval, or say that there is none."""
    return "[no interval]" if low is None or high is None else f"[{low:.4f}, {high:.4f}]"
