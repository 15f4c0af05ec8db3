"""A node with its arrows: sources left, targets right, two-way neighbours above and below, a second step outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, number
from engine.figures.graph_nodes import DASH, KIND_LABEL, legend_traces, node_trace, plain, ring_trace, shortened
from engine.figures.theme import GREY, MUTUAL, SOURCE, TARGET, plotly_layout

__all__ = ["DASH", "KIND_LABEL", "bow", "neighbourhood", "plain"]

ROLE_COLOR = {"source": SOURCE, "target": TARGET}

_BEND = 0.16
"""Height of a pair edge's bow, as a share of its length."""
_GAP = 0.06
"""Room between the end of an arrow and the middle of its node."""
_CENTRE_HEIGHT = 0.1
"""Half the height of the ellipse that holds the name of the centre."""
_CHARACTER = 0.021
"""Half the width of a character in it, on a narrow screen."""
_STEPS = 60
_ROW = 17
"""Pixels for a row of labels in a picture of two steps."""


def neighbourhood(
    nodes: pd.DataFrame,
    links: pd.DataFrame,
    *,
    color_by: str = "role",
    empty: str = "",
    height: int = 560,
    texts: Sequence[str] | None = None,
) -> go.Figure:
    """Draw the placed neighbourhood of one node with an arrow per link.

    Solid arrows are observed edges, dotted ones held-out edges, dashed ones predictions. Blue arrows come in from
    sources, orange ones lead to targets; where known edges go both ways they are purple. Links both ways are bent
    apart, so each shows its own stroke: an edge whose reverse is only predicted keeps the colour of its role.

    Parameters
    ----------
    nodes : DataFrame
        Columns ``node, name, text, hop, side, is_two_way, is_marked, x, y, category, in_degree, out_degree``; the
        centre first.
    links : DataFrame
        Columns ``node, other, role, hop, kind, relation, is_pair, is_two_way, score, rank, back_score, back_rank,
        probability`` (of the direction).
    color_by : {"role", "category", "degree"}
        What the colour of a node tells.
    empty : str, default ""
        What to say if there is no link.
    height : int, default 560
        Pixels; a second step takes more where its labels need it.
    texts : sequence of str, optional
        What the hover of every link says, with texts from data already `plain`; scores and ranks by default.

    Returns
    -------
    plotly.graph_objects.Figure
        The trace named ``nodes`` carries the name of every node as ``customdata``, for clicks.
    """
    if links.empty:
        return empty_figure(empty or "No link of the chosen kinds at this node.", height=height)
    place = {int(row.node): (float(row.x), float(row.y)) for row in nodes.itertuples()}
    names = dict(zip(nodes["node"], nodes["name"], strict=True))
    half = _half_width(str(nodes["name"].iloc[0]))
    paths = [_path(row, place, half) for row in links.itertuples()]
    data = [_arrows(links, paths, style) for style in links[list(_STYLE)].drop_duplicates().itertuples(index=False)]
    texts = [_link_text(row, names) for row in links.itertuples()] if texts is None else texts
    data += [_link_hovers(texts, paths), ring_trace(nodes), node_trace(nodes, color_by)]
    data += legend_traces(nodes, links, color_by)
    is_wide = bool((nodes["hop"] == 2).any())
    return go.Figure({"data": data, "layout": _layout(nodes, half, height=height, is_wide=is_wide)})


def bow(start: tuple[float, float], end: tuple[float, float], bend: float, *, half_width: float) -> np.ndarray:
    """Return points from one node to another, bent to the left of the way, ending short of both.

    Parameters
    ----------
    start, end : tuple of float
        Positions of the two nodes; the centre is at (0, 0).
    bend : float
        Height of the bow as a share of the length; 0 is a straight line.
    half_width : float
        Half the width of the ellipse around the centre that the line stays out of.

    Returns
    -------
    ndarray of shape (n_points, 2)
    """
    first, last = np.array(start), np.array(end)
    way = last - first
    control = (first + last) / 2 + 2 * bend * np.array([-way[1], way[0]])
    t = np.linspace(0, 1, _STEPS)[:, np.newaxis]
    points = (1 - t) ** 2 * first + 2 * t * (1 - t) * control + t**2 * last
    is_clear = np.minimum(np.hypot(*(points - first).T), np.hypot(*(points - last).T)) > _GAP
    is_outside = np.hypot(points[:, 0] / half_width, points[:, 1] / _CENTRE_HEIGHT) > 1.05
    points = np.asarray(points[is_clear & is_outside])
    # Every point is an element on the page: a straight line needs two, a bow a few.
    kept = [0, -1] if bend == 0 else [*range(0, len(points) - 1, 4), -1]
    return points[kept] if len(points) > 1 else np.array([first, last])


_STYLE = ("kind", "role", "is_two_way", "hop")


def _arrows(links: pd.DataFrame, paths: list[np.ndarray], style: Any) -> dict[str, Any]:
    """Draw the links of one style as one trace; gaps part them, and only last points show an arrowhead."""
    chosen = (links[list(_STYLE)] == list(style)).all(axis=1).to_numpy()
    x: list[float | None] = []
    y: list[float | None] = []
    size: list[int] = []
    head = 11 if style.hop == 1 else 8
    for points in (path for path, is_chosen in zip(paths, chosen, strict=True) if is_chosen):
        x += [*points[:, 0].round(4).tolist(), None]
        y += [*points[:, 1].round(4).tolist(), None]
        size += [0] * (len(points) - 1) + [head, 0]
    color = MUTUAL if style.is_two_way else ROLE_COLOR[style.role]
    role = "both ways" if style.is_two_way else style.role
    width = (1.4 if style.kind == "predicted" else 2) * (1 if style.hop == 1 else 0.7)
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines+markers",
        "name": f"{KIND_LABEL[style.kind]} ({role}){'' if style.hop == 1 else ', second step'}",
        "line": {"color": color, "width": width, "dash": DASH[style.kind]},
        "marker": {"symbol": "arrow", "angleref": "previous", "size": size, "color": color, "opacity": 1},
        "opacity": (0.75 if style.kind == "predicted" else 1) * (1 if style.hop == 1 else 0.8),
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _path(row: Any, place: dict[int, tuple[float, float]], half: float) -> np.ndarray:
    """Return the points of a link as it points."""
    near, far = place[int(row.node)], place[int(row.other)]
    ends = (far, near) if row.role == "source" else (near, far)
    return bow(*ends, _BEND if row.is_pair else 0.0, half_width=half)


def _half_width(name: str) -> float:
    """Return half the width of the ellipse that holds the name of the centre."""
    return 0.07 + _CHARACTER * len(shortened(name))


def _link_hovers(texts: Sequence[str], paths: list[np.ndarray]) -> dict[str, Any]:
    """Put an unseen point on the middle of every link, to be read on hover."""
    middle = [path[len(path) // 2] if len(path) > 2 else path.mean(axis=0) for path in paths]
    return {
        "type": "scatter",
        "x": [round(float(point[0]), 4) for point in middle],
        "y": [round(float(point[1]), 4) for point in middle],
        "mode": "markers",
        "name": "links",
        "marker": {"size": 16, "color": "rgba(0,0,0,0)"},
        "text": list(texts),
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }


def _link_text(row: Any, names: dict[int, str]) -> str:
    """Say what a link is, with scores and ranks both ways."""
    near, far = names[row.node], names[row.other]
    start, end = (far, near) if row.role == "source" else (near, far)
    relation = f": {plain(row.relation)}" if row.relation else ""
    return (
        f"<b>{plain(start)} → {plain(end)}</b><br>{KIND_LABEL[row.kind]}{relation}"
        f"<br>this way: score {row.score:.2f}, rank {_rank(row.rank)}"
        f"<br>the other way: score {row.back_score:.2f}, rank {_rank(row.back_rank)}"
        f"<br>points this way, if one-way: {number(100 * row.probability, 2)} %"
    )


def _rank(rank: float) -> str:
    """Write a rank; a tied one may end in one half."""
    return f"{rank:,.1f}".removesuffix(".0")


def _layout(nodes: pd.DataFrame, half: float, *, height: int, is_wide: bool) -> dict[str, Any]:
    """Return axes without marks, the ellipse of the centre, and a legend on top."""
    rows = np.bincount((nodes["x"].iloc[1:] > 0).astype(int)).max() if is_wide else 0
    hidden = {"visible": False, "fixedrange": True}
    wide = 2.05 if is_wide else 1.85
    layout = plotly_layout(
        height=max(height, 120 + _ROW * int(rows)),
        xaxis=hidden | {"range": [-wide, wide]},
        yaxis=hidden | {"range": [-1.16, 1.16]},
        clickmode="event+select",
        hovermode="closest",
        showlegend=True,
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
            "font": {"size": 12},
        },
    )
    ellipse = {
        "type": "circle",
        "x0": -half,
        "x1": half,
        "y0": -_CENTRE_HEIGHT,
        "y1": _CENTRE_HEIGHT,
        "line": {"color": GREY, "width": 1.5},
        "fillcolor": "rgba(138, 148, 160, 0.18)",
        "layer": "below",
    }
    return layout | {"shapes": [ellipse], "margin": layout["margin"] | {"t": 36}}
