"""Figures of pairs of nodes: which way each points, and what returns in another half of the users."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate, interval_bar, number, plain_text
from engine.figures.graph_described import error_bars, legend
from engine.figures.graph_nodes import shortened
from engine.figures.theme import LINE, OURS, TEXT, TRUTH, plotly_layout

_TICKS = [factor * 10**power for power in range(7) for factor in (1, 2, 5)]
_LOG = {"type": "log", "tickvals": _TICKS, "ticktext": [f"{tick:,}" for tick in _TICKS]}


def pair_dots(
    table: pd.DataFrame, *, axis_title: str, reference: float, is_log: bool = False, height: int = 400
) -> go.Figure:
    """Draw one dot with its interval per pair of nodes, first row on top.

    Parameters
    ----------
    table : DataFrame
        Columns ``source, target`` (labels), ``value, ci_low, ci_high`` (NaN without an interval), ``text`` (hover).
    axis_title : str
    reference : float
        Value of a pair that points neither way.
    is_log : bool, default False
    height : int, default 400

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty:
        return empty_figure("No pair was seen more than once.", height=height)
    data = [
        {
            "type": "scatter",
            "x": [row.value],
            "y": [place],
            "mode": "markers",
            "marker": {"color": OURS, "size": 10, "symbol": "circle" if row.ci_low == row.ci_low else "circle-open"},
            "error_x": interval_bar(row.value, row.ci_low, row.ci_high, OURS) if row.ci_low == row.ci_low else None,
            "text": [row.text],
            "hovertemplate": "%{text}<extra></extra>",
        }
        for place, row in enumerate(table.itertuples())
    ]
    names = [
        f"{plain_text(_cut(row.source))} <span style='color:{TEXT}'>→</span> {plain_text(_cut(row.target))}"
        for row in table.itertuples()
    ]
    line = {"type": "line", "x0": reference, "x1": reference, "y0": 0, "y1": 1, "yref": "y domain"}
    layout = plotly_layout(
        height=height,
        xaxis={"title": {"text": axis_title}} | (_LOG if is_log else {"range": [-0.02, 1.02]}),
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
        shapes=[line | {"line": {"color": LINE, "width": 1.5, "dash": "dot"}}],
    )
    return go.Figure({"data": data, "layout": layout})


def replication_dots(table: pd.DataFrame, *, height: int = 320) -> go.Figure:
    """Draw what returns in the other half of the users, with its interval, beside its value by chance.

    Parameters
    ----------
    table : DataFrame
        Columns ``label, value, ci_low, ci_high, n, n_unit, by_chance``, first row on top.
    height : int, default 320

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["value"].notna()]
    if rows.empty:
        return empty_figure("No pair has enough users in both halves.", height=height)
    found = {
        "type": "scatter",
        "x": list(rows["value"]),
        "y": list(rows["label"]),
        "mode": "markers",
        "name": "found",
        "marker": {"color": OURS, "size": 11},
        "error_x": error_bars([(row.ci_high - row.value, row.value - row.ci_low) for row in rows.itertuples()]),
        "text": [
            f"{estimate(row.value, row.ci_low, row.ci_high, row.n)} {row.n_unit}<br>by chance {number(row.by_chance)}"
            for row in rows.itertuples()
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }
    chance = {
        "type": "scatter",
        "x": list(rows["by_chance"]),
        "y": list(rows["label"]),
        "mode": "markers",
        "name": "by chance",
        "marker": {"color": TRUTH, "size": 13, "symbol": "line-ns-open", "line": {"width": 2}},
        "hoverinfo": "skip",
    }
    layout = plotly_layout(
        height=height,
        xaxis={"title": {"text": "Correlation between the halves, or share of edges"}},
        yaxis={"autorange": "reversed", "showgrid": False},
        **legend(),
    )
    layout["margin"] = layout["margin"] | {"t": 36}
    return go.Figure({"data": [chance, found], "layout": layout})


def _cut(text: object) -> str:
    """Cut a label so that two of them fit beside a chart."""
    short = shortened(text)
    return short if len(short) <= 18 else short[:17] + "…"
