"""The cohort triangle as a heat map of bars, which can be hatched and clicked, and one cohort of it as curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure
from engine.figures.delay_parts import band, corner_label
from engine.figures.theme import LINE, OURS, TEXT, TRUTH, plotly_layout

_SCALE = "Viridis"
_PANELS = (("seen", "projected"), ("final",))
_TITLES = ("Seen · hatched: projected", "What came in the end")
_HATCH = {"shape": "/", "size": 6, "solidity": 0.22, "fgcolor": "rgba(255, 255, 255, 0.9)", "fillmode": "overlay"}
_CELL = 0.94
_CURVE_HEIGHT = 330


def cohort_triangle(
    table: pd.DataFrame, *, labels: Sequence[str], ages: Sequence[float], top: float, chosen: str | None = None
) -> go.Figure:
    """Draw one cell per week of exposures and age: seen, projected (hatched), and final on the right.

    Parameters
    ----------
    table : DataFrame
        Columns ``label, age_days, stage, rate, ci_low, ci_high, n``; ``stage`` is ``seen``, ``projected`` or
        ``final``. A cell without a row stays empty.
    labels : sequence of str
        All weeks in order, those included that begin after the day, so that the height never changes.
    ages : sequence of float
        All ages in days.
    top : float
        Rate at the end of the colour scale.
    chosen : str, optional
        Week whose row is framed.

    Returns
    -------
    plotly.graph_objects.Figure
        A cell carries its week in ``customdata[0]``.
    """
    height = 120 + 20 * len(labels)
    if table.empty:
        return empty_figure("No week of exposures was complete on this day; choose a later one.", height=height)
    column = {float(age): place for place, age in enumerate(ages)}
    traces = []
    for panel, stages in enumerate(_PANELS):
        rows = table[table["stage"].isin(stages)]
        if len(rows):
            traces.append(_cells(rows, column, top, axis="x" if panel == 0 else "x2", with_scale=panel == 0))
    axis = {
        "tickvals": list(column.values())[::2],
        "ticktext": [f"{age:g}" for age in ages][::2],
        "range": [-0.5, len(column) - 0.5],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickangle": 0,
        "title": {"text": "Days since exposure"},
    }
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=height,
            barmode="overlay",
            clickmode="event+select",
            xaxis=axis | {"domain": [0.0, 0.485]},
            xaxis2=axis | {"domain": [0.515, 1.0], "automargin": True},
            yaxis={
                # Plotly takes dates for a time axis unless told otherwise.
                "type": "category",
                "categoryorder": "array",
                "categoryarray": list(labels),
                "range": [len(labels) - 0.5, -0.5],
                "showgrid": False,
                "fixedrange": True,
                "title": {"text": "Week of exposure, from"},
            },
            annotations=_titles(),
            shapes=[_frame(place) for place, label in enumerate(labels) if label == chosen],
            margin={"l": 8, "r": 8, "t": 28, "b": 8},
        ),
    )


def _titles() -> list[dict[str, Any]]:
    """Return the titles of both panels."""
    place = {"y": 1.0, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False}
    place |= {"font": {"color": TEXT}}
    return [place | {"text": title, "x": 0.515 * panel} for panel, title in enumerate(_TITLES)]


def _cells(rows: pd.DataFrame, column: dict[float, int], top: float, *, axis: str, with_scale: bool) -> dict[str, Any]:
    """Return the cells of one panel as bars of width one."""
    places = np.array([column[float(age)] for age in rows["age_days"]])
    bar = {"title": {"text": "Converted<br>by that age"}, "tickformat": ".0%", "thickness": 12, "len": 0.9}
    return {
        "type": "bar",
        "orientation": "h",
        "base": places - _CELL / 2,
        "x": np.full(len(rows), _CELL),
        "y": rows["label"].to_numpy(),
        "xaxis": axis,
        "width": 0.9,
        "name": "final" if axis == "x2" else "seen or projected",
        "marker": {
            "color": rows["rate"].to_numpy(),
            "colorscale": _SCALE,
            "cmin": 0.0,
            "cmax": top,
            "line": {"width": 0},
            "showscale": with_scale,
            "colorbar": bar,
            "pattern": _HATCH | {"shape": ["/" if stage == "projected" else "" for stage in rows["stage"]]},
        },
        # A click opens the week; it must not make the other cells fade.
        "unselected": {"marker": {"opacity": 1.0}},
        "customdata": rows[["label", "age_days", "stage", "rate", "ci_low", "ci_high", "n"]].to_numpy(),
        "hovertemplate": (
            "<b>week from %{customdata[0]}</b>, day %{customdata[1]:.0f}<br>%{customdata[2]}: %{customdata[3]:.1%} "
            "[%{customdata[4]:.1%}, %{customdata[5]:.1%}]<br>n %{customdata[6]:,} exposures<extra></extra>"
        ),
    }


def _frame(place: int) -> dict[str, Any]:
    """Return the frame around the row of a week, over both panels."""
    frame = {"type": "rect", "xref": "paper", "x0": 0.0, "x1": 1.0, "y0": place - 0.5, "y1": place + 0.5}
    return frame | {"line": {"color": OURS, "width": 2}, "fillcolor": "rgba(0,0,0,0)"}


def cohort_curves(table: pd.DataFrame, *, top: float) -> go.Figure:
    """Draw one week of exposures over its age: what was seen on the day, what was projected, what came.

    Parameters
    ----------
    table : DataFrame
        Rows of one week; columns ``age_days, stage, rate, ci_low, ci_high, n``.
    top : float
        End of the vertical axis, the same for every week.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty:
        return empty_figure("This week has no exposures on this day.", height=_CURVE_HEIGHT)
    looks = (
        ("final", "Final", TRUTH, "dash"),
        ("projected", "Projected", OURS, "dot"),
        ("seen", "Seen", OURS, "solid"),
    )
    traces: list[dict[str, Any]] = []
    notes = []
    for place, (stage, label, color, dash) in enumerate(looks):
        rows = table[table["stage"] == stage]
        if rows.empty:
            continue
        if stage != "final":
            limits = rows.assign(rate_low=rows["ci_low"], rate_high=rows["ci_high"])
            traces.append(band(limits, "rate", color, x="age_days"))
        traces.append(
            {
                "type": "scatter",
                "x": rows["age_days"].to_numpy(),
                "y": rows["rate"].to_numpy(),
                "mode": "lines+markers",
                "name": label,
                "line": {"color": color, "width": 2.5, "dash": dash},
                "marker": {"size": 7, "symbol": "circle-open" if stage == "projected" else "circle"},
                "hovertemplate": f"{label}<br>day %{{x:.0f}}: %{{y:.1%}}<extra></extra>",
            }
        )
        text = f"<b>{label}</b> · n {int(rows['n'].max()):,}"
        notes.append(corner_label(text, color, 0.02 + 0.085 * place, "bottom"))
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=_CURVE_HEIGHT,
            xaxis={"title": {"text": "Days since exposure"}, "range": [0, float(table["age_days"].max()) * 1.03]},
            yaxis={
                "title": {"text": "Converted"},
                "tickformat": ".0%",
                "range": [0, top],
                # A line of the grid would run through the names of the curves.
                "showgrid": False,
                "zerolinecolor": LINE,
            },
            annotations=notes,
        ),
    )
