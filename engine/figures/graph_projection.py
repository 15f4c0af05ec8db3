"""Both spaces of a graph: side by side or in one frame, with the way from source to target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from engine.figures.graph_network import plain
from engine.figures.theme import CATEGORIES, DEGREES, GREEN, GREY, MUTUAL, SOURCE, TARGET, VERMILION, plotly_layout

Arrangement = Literal["side", "overlaid"]
Palette = Literal["role", "category", "degree"]

ROLES = (("source", "As a source", SOURCE), ("target", "As a target", TARGET))
PART_COLOR = {"source": SOURCE, "target": TARGET, "both": MUTUAL, "selected": VERMILION}
_SYMBOL = {"source": "circle", "target": "diamond"}
SEGMENTS = 40
"""Most lassoed nodes whose way from source to target is drawn."""


def projections(
    points: pd.DataFrame,
    marked: pd.DataFrame,
    lassoed: pd.DataFrame,
    legend: pd.DataFrame,
    *,
    palette: Palette,
    arrangement: Arrangement = "side",
    axes: Sequence[str] = ("Axis 1", "Axis 2"),
) -> go.Figure:
    """Draw nodes as sources and as targets on the same two axes, with a selection marked in both roles.

    Parameters
    ----------
    points : DataFrame
        Columns ``node, name, group, source_x, source_y, target_x, target_y``; `group` is a row of `legend`.
    marked : DataFrame
        ``node, name``, the coordinates and ``part``: selected, or what a drawn neighbour is to it (source, target,
        both).
    lassoed : DataFrame
        ``node, name`` and the coordinates of nodes that the reader circled, in whichever panel.
    legend : DataFrame
        Columns ``label, n``; one row per group.
    palette : {"role", "category", "degree"}
        What colours tell apart.
    arrangement : {"side", "overlaid"}
        A panel per role on shared axes, or one frame in which circles are sources and diamonds are targets.
    axes : sequence of str
        Titles of the two axes.

    Returns
    -------
    plotly.graph_objects.Figure
        Every point carries the position of its node as ``customdata``, for clicks and lassos.
    """
    is_side = arrangement == "side"
    figure = _panels(is_side)
    # Once for both roles, and as an array, which Plotly takes as it is.
    points = points.assign(said=np.array([plain(name) for name in points["name"]], dtype=object))
    # Thousands of points veil one another, a few hundred need more ink.
    opacity = min(max(900 / max(len(points), 1), 0.16), 0.5) * (1 if palette == "role" else 2)
    for column, (role, _, _) in enumerate(ROLES, start=1):
        place = {"row": 1, "col": column if is_side else 1}
        for trace in _clouds(points, legend, role, palette, opacity, symbol="circle" if is_side else _SYMBOL[role]):
            figure.add_trace(trace, **place)
        if palette == "role" or role == "source":
            figure.add_traces(_keys(legend, role, palette, "circle" if is_side else _SYMBOL[role]))
    for column, (role, _, _) in enumerate(ROLES, start=1):
        place = {"row": 1, "col": column if is_side else 1}
        figure.add_trace(_rings(lassoed, role), **place)
        for part in ("source", "target", "both"):
            rows = marked[marked["part"] == part]
            # In one frame, each neighbour stands only in the role in which it is near.
            near = rows if is_side or part in (role, "both") else rows[:0]
            figure.add_trace(_marks(near, role, part, symbol="circle" if is_side else _SYMBOL[role]), **place)
    chosen = marked[marked["part"] == "selected"]
    _selected(figure, chosen, is_side)
    ways = [way for panel in ((1, 2) if is_side else (1,)) for way in _ways(chosen, VERMILION, width=2, panel=panel)]
    if not is_side:
        ways = [*ways, *_ways(lassoed[:SEGMENTS], GREEN, width=1)]
    figure.layout.annotations += tuple(go.layout.Annotation(way) for way in ways)
    if not is_side and palette != "role":
        figure.add_traces([_key(f"{title[0].lower()}{title[1:]}", GREY, _SYMBOL[role]) for role, title, _ in ROLES])
    _lay_out(figure, axes, is_side)
    return figure


def _panels(is_side: bool) -> go.Figure:
    """Return an empty figure with a panel per role, or one for both."""
    if not is_side:
        return make_subplots(1, 1)
    titles = [title for _, title, _ in ROLES]
    return make_subplots(1, 2, shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.03, subplot_titles=titles)


def _clouds(
    points: pd.DataFrame, legend: pd.DataFrame, role: str, palette: Palette, opacity: float, *, symbol: str
) -> list[go.Scattergl]:
    """Draw all points in one role, a trace per group."""
    traces = []
    # The smaller groups come last, so that the rest does not cover them.
    for place, group in reversed(list(enumerate(legend.itertuples()))):
        rows = points[points["group"] == place]
        color = _color(role, place, palette)
        label = f"{role}s" if palette == "role" else plain(group.label)
        traces.append(
            go.Scattergl(
                x=rows[f"{role}_x"],
                y=rows[f"{role}_y"],
                mode="markers",
                name=f"{label} as {role}",
                legendgroup=label,
                showlegend=False,
                marker={"color": color, "size": 4, "opacity": opacity, "symbol": symbol},
                text=rows["said"].to_numpy(dtype=object),
                customdata=rows["node"].to_numpy(dtype=np.int64),
                hovertemplate=f"%{{text}}, as a {role}<extra></extra>",
                selected={"marker": {"opacity": opacity}},
                unselected={"marker": {"opacity": opacity}},
            )
        )
    return traces


def _keys(legend: pd.DataFrame, role: str, palette: Palette, symbol: str) -> list[go.Scatter]:
    """Return what the legend shows: a group with its count, in full colour, as the points are nearly transparent."""
    labels = [f"{role}s" if palette == "role" else plain(label) for label in legend["label"]]
    return [
        _key(f"{label} ({count:,})", _color(role, place, palette), symbol).update(legendgroup=label)
        for place, (label, count) in enumerate(zip(labels, legend["n"], strict=True))
    ]


def _key(name: str, color: str, symbol: str) -> go.Scatter:
    """Return an entry of the legend without points."""
    marker = {"color": color, "size": 10, "symbol": symbol}
    return go.Scatter(x=[None], y=[None], mode="markers", name=name, marker=marker)


def _color(role: str, place: int, palette: Palette) -> str:
    """Return the colour of a group in a role."""
    if palette == "role":
        return PART_COLOR[role]
    colors = CATEGORIES if palette == "category" else DEGREES
    return colors[place] if place < len(colors) else GREY


def _rings(rows: pd.DataFrame, role: str) -> go.Scattergl:
    """Ring the lassoed nodes in one role."""
    # Many rings would hide what they mark.
    size, width = (10, 2) if len(rows) <= 200 else (7, 1)
    marker = {"color": GREEN, "size": size, "symbol": "circle-open", "line": {"width": width, "color": GREEN}}
    if len(rows) > 500:
        marker = {"color": GREEN, "size": 4, "symbol": "circle", "opacity": 0.7}
    return go.Scattergl(name=f"lassoed as {role}", marker=marker, **_spots(rows, role))


def _marks(rows: pd.DataFrame, role: str, part: str, *, symbol: str) -> go.Scattergl:
    """Draw the neighbours of one part in one role, above the cloud."""
    line = {"color": "#FFFFFF", "width": 1.5}
    marker = {"color": PART_COLOR[part], "size": 10, "symbol": symbol, "line": line}
    return go.Scattergl(name=f"{part} as {role}", marker=marker, **_spots(rows, role))


def _spots(rows: pd.DataFrame, role: str) -> dict[str, Any]:
    """Return what a trace of single nodes in one role is made of."""
    return {
        "x": rows[f"{role}_x"],
        "y": rows[f"{role}_y"],
        "mode": "markers",
        "text": [plain(name) for name in rows["name"]],
        "customdata": rows["node"].to_numpy(dtype=np.int64),
        "hovertemplate": f"%{{text}}, as a {role}<extra></extra>",
        "showlegend": False,
        "unselected": {"marker": {"opacity": 1}},
    }


def _selected(figure: go.Figure, rows: pd.DataFrame, is_side: bool) -> None:
    """Draw the selected node as a star per role, with the way between them; panels show the other end hollow."""
    for column, (role, _, _) in enumerate(ROLES, start=1):
        place = {"row": 1, "col": column if is_side else 1}
        for end in ("target", "source") if is_side else (role,):
            figure.add_trace(_star(rows, end, is_here=end == role), **place)
        for row in rows.rename(columns={"name": "label"}).to_dict("records"):
            said = plain(row["label"]) if is_side else f"as a {role}"
            figure.add_annotation(
                x=row[f"{role}_x"],
                y=row[f"{role}_y"],
                text=f"<b>{said}</b>",
                ay=-70 if role == "source" or is_side else 70,
                ax=0,
                font={"size": 14},
                arrowcolor=VERMILION,
                standoff=8,
                **place,
            )


def _star(rows: pd.DataFrame, role: str, *, is_here: bool) -> go.Scattergl:
    """Draw one end of the selected node: full in the panel of its role, hollow in the other."""
    marker = {"color": VERMILION, "size": 12, "symbol": "star-open", "line": {"width": 1.5, "color": VERMILION}}
    if is_here:
        marker |= {"size": 19, "symbol": "star", "line": {"width": 1.5, "color": "#FFFFFF"}}
    name = f"selected as {role}" if is_here else f"selected, its {role} end"
    return go.Scattergl(name=name, marker=marker, **_spots(rows, role))


def _ways(rows: pd.DataFrame, color: str, *, width: float, panel: int = 1) -> list[dict[str, Any]]:
    """Return an arrow per node from its source to its target position.

    Annotations, as points drawn by the graphics card cover every line that is not.
    """
    suffix = "" if panel == 1 else str(panel)
    x, y = f"x{suffix}", f"y{suffix}"
    return [
        {
            "name": f"way {row.node}",
            "x": row.target_x,
            "y": row.target_y,
            "ax": row.source_x,
            "ay": row.source_y,
            "xref": x,
            "yref": y,
            "axref": x,
            "ayref": y,
            "text": "",
            "showarrow": True,
            "arrowhead": 2,
            "arrowwidth": width,
            "arrowcolor": color,
        }
        for row in rows.itertuples()
    ]


def _lay_out(figure: go.Figure, axes: Sequence[str], is_side: bool) -> None:
    """Give both panels the same quiet axes, a legend below, and the lasso as the tool at hand."""
    layout = plotly_layout(height=500 if is_side else 620, hovermode="closest")
    axis = layout["xaxis"] | {"zeroline": False, "showticklabels": False}
    layout["xaxis"] = axis | {"title": {"text": axes[0]}}
    layout["yaxis"] = axis | {"title": {"text": axes[1]}}
    if is_side:
        layout["xaxis2"], layout["yaxis2"] = layout["xaxis"], axis
    layout["margin"] |= {"t": 44}
    layout |= {"showlegend": True, "dragmode": "lasso"}
    layout["legend"] = {"orientation": "h", "y": -0.1, "yanchor": "top", "x": 0, "itemsizing": "constant"}
    figure.update_layout(layout)
