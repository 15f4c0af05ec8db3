"""How long to wait: what waiting costs in freshness and what it buys in completeness."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure
from engine.figures.delay_parts import band, corner_label, window_marks
from engine.figures.theme import GREEN, OURS, RIVAL, SKY, plotly_layout

HEIGHT = 400
_STAR = f'<span style="color:{OURS}">★</span>'
_PARTS = (
    ("bias", "|bias|", RIVAL, "dot"),
    ("spread", "standard error", SKY, "dot"),
    ("staleness", "|staleness|", GREEN, "dot"),
    ("error", "error", OURS, "solid"),
)


def tradeoff_curves(table: pd.DataFrame, *, waiting_days: float) -> go.Figure:
    """Draw what the error of an estimated rate is made of, by waiting window, with the optimum marked.

    Parameters
    ----------
    table : DataFrame
        Rows of one estimator; columns ``waiting_days, bias, spread, staleness`` (absolute values),
        ``error, error_low, error_high, optimum``.
    waiting_days : float
        Window of the slider.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["error"].notna()]
    if rows.empty:
        return empty_figure("This estimator has no error here; choose another one or all exposures.", height=HEIGHT)
    horizon = float(rows["waiting_days"].max())
    corner = []
    traces: list[dict[str, Any]] = [band(rows, "error", OURS, x="waiting_days")]
    for place, (column, label, color, dash) in enumerate(_PARTS):
        traces.append(_part_line(rows, column, label, color, dash))
        corner.append(corner_label(f"<b>{label}</b>", color, 0.98 - 0.075 * place, "top"))
    best = rows[rows["optimum"].astype(bool)]
    # Beside the star it would lie on the curve.
    last = 0.98 - 0.075 * len(_PARTS)
    corner += [corner_label(f"{_STAR} best: {day:g} d", None, last, "top") for day in best["waiting_days"]]
    shapes, notes = window_marks(waiting_days, None, horizon, note_at=0.5, labels=corner)
    traces.append(
        {
            "type": "scatter",
            "x": best["waiting_days"].to_numpy(),
            "y": best["error"].to_numpy(),
            "mode": "markers",
            "name": "optimum",
            "marker": {"symbol": "star", "size": 15, "color": OURS, "line": {"color": "white", "width": 1}},
            "hovertemplate": "smallest error: window %{x:.3g} d, %{y:.2%}<extra></extra>",
        }
    )
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=HEIGHT,
            xaxis={"title": {"text": "Waiting window (days)"}, "range": [0, horizon * 1.02]},
            yaxis={
                "title": {"text": "Error of the rate (share of exposures)"},
                "tickformat": ".1%",
                "rangemode": "tozero",
            },
            shapes=shapes,
            annotations=[*corner, *notes],
            margin={"l": 8, "r": 16, "t": 26, "b": 8},
        ),
    )


def _part_line(rows: pd.DataFrame, column: str, label: str, color: str, dash: str) -> dict[str, Any]:
    """Draw one part of the error."""
    return {
        "type": "scatter",
        "x": rows["waiting_days"].to_numpy(),
        "y": rows[column].to_numpy(),
        # An estimator that waits for the whole window has one point only.
        "mode": "lines+markers",
        "marker": {"size": 5},
        "name": label,
        "line": {"color": color, "width": 3 if column == "error" else 2, "dash": dash},
        "hovertemplate": f"{label}<br>window %{{x:.3g}} d: %{{y:.2%}}<extra></extra>",
    }


def completeness_freshness(table: pd.DataFrame, *, waiting_days: float) -> go.Figure:
    """Draw, by waiting window, the share of positives that it sees and the share of exposures old enough for it.

    Parameters
    ----------
    table : DataFrame
        Columns ``waiting_days, seen, seen_low, seen_high, readable`` (share of the exposures whose label can be read
        on the snapshot day); one row per window.
    waiting_days : float
        Window of the slider, marked.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["seen"].notna()]
    if rows.empty:
        return empty_figure("Nobody was followed long enough here; choose all exposures.", height=HEIGHT)
    horizon = float(rows["waiting_days"].max())
    lines = (
        ("readable", "Fresh: exposures old enough to be read", GREEN),
        ("seen", "Complete: positives seen by then", OURS),
    )
    traces, corner = [band(rows, "seen", OURS, x="waiting_days")], []
    for place, (column, label, color) in enumerate(lines):
        traces.append(
            {
                "type": "scatter",
                "x": rows["waiting_days"].to_numpy(),
                "y": rows[column].to_numpy(),
                "mode": "lines",
                "name": label,
                "line": {"color": color, "width": 2.5},
                "hovertemplate": f"{label}<br>window %{{x:.3g}} d: %{{y:.1%}}<extra></extra>",
            }
        )
        corner.append(corner_label(f"<b>{label}</b>", color, 0.03 + 0.08 * place, "bottom"))
    shapes, notes = window_marks(waiting_days, None, horizon, note_at=0.5, labels=corner)
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=HEIGHT,
            xaxis={"title": {"text": "Waiting window (days)"}, "range": [0, horizon * 1.02]},
            yaxis={"title": {"text": "Share"}, "tickformat": ".0%", "range": [0, 1.03]},
            shapes=shapes,
            annotations=[*corner, *notes],
            margin={"l": 8, "r": 16, "t": 26, "b": 8},
        ),
    )
