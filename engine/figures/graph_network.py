"""A node with its arrows: sources left, targets right, two-way neighbours above and below."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, number
from engine.figures.theme import GREY, MUTUAL, SOURCE, TARGET, plotly_layout

KIND_LABEL = {
    "observed": "Observed edge",
    "held_out": "Held-out edge",
    "predicted": "Prediction",
}
DASH = {"observed": "solid", "held_out": "dot", "predicted": "dash"}
ROLE_COLOR = {"source": SOURCE, "target": TARGET}

_LABEL_LIMIT = 26
_TEXT_POSITION = {
    "centre": "middle center",
    "source": "middle left",
    "target": "middle right",
    "above": "top center",
    "below": "bottom center",
}
_BEND = 0.16
"""Height of a pair edge's bow, as a share of its length."""
_GAP = 0.06
"""Room between the end of an arrow and the middle of its node."""
_CENTRE_HEIGHT = 0.1
"""Half the height of the ellipse that holds the name of the centre."""
_CHARACTER = 0.021
"""Half the width of a character in it, on a narrow screen."""
_STEPS = 60


def neighbourhood(nodes: pd.DataFrame, links: pd.DataFrame, *, height: int = 560) -> go.Figure:
    """Draw the placed neighbourhood of one node with an arrow per link.

    Solid arrows are observed edges, dotted ones held-out edges, dashed ones predictions. Blue arrows come in from
    sources, orange ones lead to targets; pairs with links both ways are purple and bent apart.

    Parameters
    ----------
    nodes : DataFrame
        Columns ``node, name, side, is_two_way, x, y, category, in_degree, out_degree``; the centre first.
    links : DataFrame
        Columns ``other, role, kind, is_two_way, score, rank, back_score, back_rank, probability`` (of the direction).
    height : int, default 560

    Returns
    -------
    plotly.graph_objects.Figure
        The trace named ``nodes`` carries the name of every node as ``customdata``, for clicks.
    """
    if links.empty:
        return empty_figure("No link of the chosen kinds at this node.", height=height)
    figure = go.Figure()
    place = nodes.set_index("node")
    for style in links[["kind", "role", "is_two_way"]].drop_duplicates().itertuples(index=False):
        group = links[(links[["kind", "role", "is_two_way"]] == list(style)).all(axis=1)]
        figure.add_trace(_arrows(group, place, kind=style.kind, role=style.role, is_two_way=bool(style.is_two_way)))
    figure.add_trace(_link_hovers(links, place))
    figure.add_trace(_nodes(nodes))
    half = _half_width(place)
    figure.add_shape(
        type="circle",
        x0=-half,
        x1=half,
        y0=-_CENTRE_HEIGHT,
        y1=_CENTRE_HEIGHT,
        line={"color": GREY, "width": 1.5},
        fillcolor="rgba(138, 148, 160, 0.18)",
        layer="below",
    )
    hidden = {"visible": False, "fixedrange": True}
    figure.update_layout(
        plotly_layout(
            height=height,
            xaxis=hidden | {"range": [-1.85, 1.85]},
            yaxis=hidden | {"range": [-1.2, 1.2]},
            clickmode="event+select",
            hovermode="closest",
        )
    )
    return figure


def bow(start: tuple[float, float], end: tuple[float, float], bend: float, *, half_width: float) -> np.ndarray:
    """Return points from one node to another, bent to the left of the way, ending short of both.

    Parameters
    ----------
    start, end : tuple of float
        Positions of the two nodes; one of them is the centre at (0, 0).
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
    neighbour = last if start == (0.0, 0.0) else first
    is_clear = np.hypot(*(points - neighbour).T) > _GAP
    is_outside = np.hypot(points[:, 0] / half_width, points[:, 1] / _CENTRE_HEIGHT) > 1.05
    return np.asarray(points[is_clear & is_outside])


def _arrows(group: pd.DataFrame, place: pd.DataFrame, *, kind: str, role: str, is_two_way: bool) -> go.Scatter:
    """Draw the links of one style as one trace; gaps part them, and only last points show an arrowhead."""
    x: list[float | None] = []
    y: list[float | None] = []
    size: list[int] = []
    for other in group["other"]:
        points = _path(place, int(other), role, is_two_way)
        x += [*points[:, 0].tolist(), None]
        y += [*points[:, 1].tolist(), None]
        size += [0] * (len(points) - 1) + [11, 0]
    color = MUTUAL if is_two_way else ROLE_COLOR[role]
    return go.Scatter(
        x=x,
        y=y,
        mode="lines+markers",
        name=f"{KIND_LABEL[kind]} ({'both ways' if is_two_way else role})",
        line={"color": color, "width": 1.4 if kind == "predicted" else 2, "dash": DASH[kind]},
        marker={"symbol": "arrow", "angleref": "previous", "size": size, "color": color, "opacity": 1},
        opacity=0.75 if kind == "predicted" else 1,
        hoverinfo="skip",
    )


def _path(place: pd.DataFrame, other: int, role: str, is_two_way: bool) -> np.ndarray:
    """Return the points of a link between the centre and a neighbour, as it points."""
    there = (float(place.loc[other, "x"]), float(place.loc[other, "y"]))
    ends = (there, (0.0, 0.0)) if role == "source" else ((0.0, 0.0), there)
    return bow(*ends, _BEND if is_two_way else 0.0, half_width=_half_width(place))


def _half_width(place: pd.DataFrame) -> float:
    """Return half the width of the ellipse that holds the name of the centre."""
    name = _shortened(place.loc[place["side"] == "centre", "name"].iloc[0])
    return 0.07 + _CHARACTER * len(name)


def _link_hovers(links: pd.DataFrame, place: pd.DataFrame) -> go.Scatter:
    """Put an unseen point on the middle of every link, to be read on hover."""
    paths = [_path(place, int(row.other), row.role, bool(row.is_two_way)) for row in links.itertuples()]
    middle = [path[len(path) // 2].tolist() for path in paths]
    centre = str(place.loc[place["side"] == "centre", "name"].iloc[0])
    text = [_link_text(row, centre, str(place.loc[row.other, "name"])) for row in links.itertuples()]
    return go.Scatter(
        x=[point[0] for point in middle],
        y=[point[1] for point in middle],
        mode="markers",
        name="links",
        marker={"size": 16, "color": "rgba(0,0,0,0)"},
        text=text,
        hovertemplate="%{text}<extra></extra>",
    )


def _link_text(row: Any, centre: str, other: str) -> str:
    """Say what a link is, with scores and ranks both ways."""
    start, end = (other, centre) if row.role == "source" else (centre, other)
    return (
        f"<b>{plain(start)} → {plain(end)}</b><br>{KIND_LABEL[row.kind]}"
        f"<br>this way: score {row.score:.2f}, rank {_rank(row.rank)}"
        f"<br>the other way: score {row.back_score:.2f}, rank {_rank(row.back_rank)}"
        f"<br>points this way, if one-way: {number(100 * row.probability, 2)} %"
    )


def _rank(rank: float) -> str:
    """Write a rank; a tied one may end in one half."""
    return f"{rank:,.1f}".removesuffix(".0")


def _nodes(nodes: pd.DataFrame) -> go.Scatter:
    """Draw all nodes with their labels."""
    color = [
        GREY if row.side == "centre" else MUTUAL if row.is_two_way else ROLE_COLOR.get(row.side, MUTUAL)
        for row in nodes.itertuples()
    ]
    names = [plain(_shortened(name)) for name in nodes["name"]]
    return go.Scatter(
        x=nodes["x"],
        y=nodes["y"],
        mode="markers+text",
        name="nodes",
        text=[f"<b>{name}</b>" if place == 0 else name for place, name in enumerate(names)],
        textposition=[_TEXT_POSITION[side] for side in nodes["side"]],
        textfont={"size": [15 if side == "centre" else 12 for side in nodes["side"]]},
        marker={
            "color": color,
            "size": [1 if side == "centre" else 13 for side in nodes["side"]],
            "opacity": [0 if side == "centre" else 1 for side in nodes["side"]],
            "line": {"width": 0},
        },
        customdata=[[name] for name in nodes["name"]],
        hovertext=[
            f"<b>{plain(row.name_)}</b><br>{plain(row.category)}<br>{row.in_degree:,} edges in, {row.out_degree:,} out"
            for row in nodes.rename(columns={"name": "name_"}).itertuples()
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        cliponaxis=False,
        unselected={"marker": {"opacity": 1}},
    )


def plain(text: object) -> str:
    """Make text from data safe for Plotly, which reads a few HTML tags."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shortened(text: object) -> str:
    """Cut a long label; the hover has it whole."""
    full = str(text)
    return full if len(full) <= _LABEL_LIMIT else full[: _LABEL_LIMIT - 1] + "…"
