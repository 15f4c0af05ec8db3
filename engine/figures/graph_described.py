"""Figures of a graph that was described without a training: which way its edges, pairs and nodes point."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate, number, plain_text
from engine.figures.theme import GREY, LINE, OURS, SOURCE, TARGET, TRUTH, plotly_layout

SIDES = {"out": "mostly points out", "in": "mostly pointed at", "none": "neither beyond chance"}
"""Which way a node leans to what it is called."""
_SIDE_COLOR = {"out": SOURCE, "in": TARGET, "none": GREY}
_KIND = {"out_degree": ("edges out", SOURCE), "in_degree": ("edges in", TARGET)}
_STROKE = {"symbol": "line-ew-open", "size": 12, "color": TRUTH, "line": {"width": 2}}
_MOST_RANGES = 8
"""With more buckets their ticks show where each begins, and no n."""
_NONE = 0.5
"""Where a logarithmic axis shows 0."""


def shares_by_bucket(table: pd.DataFrame, *, x_title: str, y_title: str, chance: str, height: int = 400) -> go.Figure:
    """Draw a share by bucket with its interval, beside what chance gives.

    Parameters
    ----------
    table : DataFrame
        Columns ``bucket, value, ci_low, ci_high, n, expected`` in the order of the buckets; empty ones stay.
    x_title, y_title : str
    chance : str
        What the dashed line is called.
    height : int, default 400

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table["value"].notna().sum() == 0:
        return empty_figure("Nothing to compare in this graph.", height=height)
    places = list(range(len(table)))
    missing = table["ci_low"].isna()
    bars = [(row.ci_high - row.value, row.value - row.ci_low) for row in table.itertuples()]
    texts = [
        f"{estimate(row.value, row.ci_low, row.ci_high, row.n)}<br>{chance}: {number(row.expected)}"
        for row in table.itertuples()
    ]
    data = [
        {
            "x": places,
            "y": list(table["expected"]),
            "name": chance,
            "line": {"color": TRUTH, "width": 2, "dash": "dash"},
        }
        | {"type": "scatter", "mode": "lines", "hoverinfo": "skip"},
        {
            "type": "scatter",
            "x": places,
            "y": list(table["value"]),
            "mode": "lines+markers",
            "name": "observed",
            "line": {"color": OURS, "width": 2},
            "marker": {"size": 9, "symbol": ["circle-open" if is_open else "circle" for is_open in missing]},
            "error_y": error_bars(bars),
            "text": texts,
            "hovertemplate": "%{text}<extra></extra>",
        },
    ]
    is_tight = len(table) > _MOST_RANGES
    ticks = [
        f"{row.bucket.partition('–')[0].replace(',000', ' k')}{'–' if '–' in row.bucket else ''}"
        if is_tight
        else f"{row.bucket}<br>n {_short(row.n)}"
        for row in table.itertuples()
    ]
    layout = plotly_layout(
        height=height,
        xaxis={"title": {"text": x_title}, "tickvals": places, "ticktext": ticks, "tickangle": 0},
        yaxis={"title": {"text": y_title}, "range": [-0.03, 1.05]},
        **legend(),
    )
    layout["margin"] = layout["margin"] | {"t": 36}
    return go.Figure({"data": data, "layout": layout})


def node_balance(nodes: pd.DataFrame, *, height: int = 400) -> go.Figure:
    """Draw edges out against edges in of every node, coloured by the side it leans to.

    Parameters
    ----------
    nodes : DataFrame
        Columns ``name, in_degree, out_degree, mutual_degree, side`` (a key of `SIDES`).
    height : int, default 400

    Returns
    -------
    plotly.graph_objects.Figure
        Every point carries the name of its node as ``customdata``, for clicks.
    """
    if nodes.empty:
        return empty_figure("No node is stored.", height=height)
    largest = float(max(nodes["in_degree"].max(), nodes["out_degree"].max(), 1))
    diagonal = {"x": [_NONE, largest], "y": [_NONE, largest], "mode": "lines", "hoverinfo": "skip", "showlegend": False}
    data = [diagonal | {"type": "scatter", "line": {"color": LINE, "dash": "dot"}}]
    for side in ("none", "out", "in"):
        rows = nodes[nodes["side"] == side]
        if len(rows):
            data.append(_balance_trace(rows, side))
    ticks = [_NONE, *(10**power for power in range(10) if 10**power <= 3 * largest)]
    axis = {"type": "log", "tickvals": ticks, "ticktext": ["0", *(f"{tick:,}" for tick in ticks[1:])]}
    layout = plotly_layout(
        height=height,
        xaxis=axis | {"title": {"text": "Edges in"}},
        yaxis=axis | {"title": {"text": "Edges out"}},
        clickmode="event+select",
        hovermode="closest",
        **legend(),
    )
    layout["margin"] = layout["margin"] | {"t": 36}
    return go.Figure({"data": data, "layout": layout})


def _balance_trace(rows: pd.DataFrame, side: str) -> dict[str, Any]:
    """Draw the nodes of one side."""
    return {
        "type": "scattergl",
        "x": list(rows["in_degree"].clip(lower=_NONE)),
        "y": list(rows["out_degree"].clip(lower=_NONE)),
        "mode": "markers",
        "name": f"{SIDES[side]} · {len(rows):,}",
        "marker": {"color": _SIDE_COLOR[side], "size": 7, "opacity": 0.35 if side == "none" else 0.7},
        "customdata": [[name] for name in rows["name"]],
        "text": [
            f"<b>{plain_text(row.label)}</b><br>{row.out_degree:,} edges out, {row.in_degree:,} in, "
            f"{row.mutual_degree:,} both ways"
            for row in rows.assign(label=rows["name"]).itertuples()
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "unselected": {"marker": {"opacity": 0.5}},
    }


def degree_tails(table: pd.DataFrame, *, height: int = 400) -> go.Figure:
    """Draw the share of nodes with at least so many edges, out and in, on logarithmic axes.

    Parameters
    ----------
    table : DataFrame
        Columns ``kind`` (out_degree, in_degree), ``degree, nodes, share_at_least``.
    height : int, default 400

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["degree"] > 0]
    if rows.empty:
        return empty_figure("No node has an edge.", height=height)
    data = []
    for kind, (label, color) in _KIND.items():
        part = rows[rows["kind"] == kind]
        data.append(
            {
                "type": "scatter",
                "x": list(part["degree"]),
                "y": list(part["share_at_least"]),
                "mode": "lines+markers",
                "name": label,
                "line": {"color": color, "width": 2},
                "marker": {"size": 5},
                "text": [f"{row.nodes:,} nodes with exactly {row.degree:,} {label}" for row in part.itertuples()],
                "hovertemplate": "%{y:.3g} of the nodes have %{x:,} or more<br>%{text}<extra></extra>",
            }
        )
    layout = plotly_layout(
        height=height,
        xaxis={"title": {"text": "Edges of a node"}, "type": "log", "dtick": 1},
        yaxis={
            "title": {"text": "Share of nodes with at least so many"},
            "type": "log",
            "tickformat": ".1g",
            "dtick": 1,
        },
        **legend(),
    )
    layout["margin"] = layout["margin"] | {"t": 36}
    return go.Figure({"data": data, "layout": layout})


def error_bars(bars: list[tuple[float, float]]) -> dict[str, Any]:
    """Return error bars from lengths above and below."""
    above, below = ([None if end != end else max(end, 0.0) for end in ends] for ends in zip(*bars, strict=True))
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "width": 0, "thickness": 2}


def legend() -> dict[str, Any]:
    """Return a legend above the chart."""
    return {"showlegend": True, "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}}


def _short(n: int) -> str:
    """Write a count so that it fits under a tick.

    Examples
    --------
    >>> _short(950), _short(12_345), _short(3_411_853)
    ('950', '12 k', '3.4 M')
    """
    if n < 10_000:
        return f"{n:,}"
    return f"{n / 1000:.0f} k" if n < 1_000_000 else f"{n / 1e6:.1f} M"
