"""The nodes of a neighbourhood: their colours, their names, and a legend that counts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from engine.figures.theme import BLUE, GREEN, GREY, MUTUAL, ORANGE, PURPLE, SKY, SOURCE, TARGET, VERMILION

KIND_LABEL = {
    "observed": "Observed edge",
    "held_out": "Held-out edge",
    "predicted": "Prediction",
}
DASH = {"observed": "solid", "held_out": "dot", "predicted": "dash"}
DEGREE_BUCKETS = (
    (0, "0–3 edges", GREY),
    (4, "4–15 edges", SKY),
    (16, "16–63 edges", BLUE),
    (64, "64+ edges", VERMILION),
)
"""Least number of edges in both directions, what a bucket is called, and its colour, from pale to strong."""

_CATEGORY_COLORS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
_ROLE_NAMES = (("Source", SOURCE), ("Target", TARGET), ("Edges both ways", MUTUAL))
_LABEL_LIMIT = 26
_OUTER_LABELS = 70
"""Most nodes of a second step on one side whose names fit beside them."""
_CLEAR = 0.07
"""Height within which nodes outside a node leave no room for its name beside it."""
_TEXT_POSITION = {
    "centre": "middle center",
    "source": "middle left",
    "target": "middle right",
    "above": "top center",
    "below": "bottom center",
}


def node_groups(nodes: pd.DataFrame, color_by: str) -> tuple[list[int], list[tuple[str, str]]]:
    """Divide the nodes around a centre by what their colour is to tell.

    Parameters
    ----------
    nodes : DataFrame
        Columns ``side, is_two_way, x, category, in_degree, out_degree``; the centre first.
    color_by : {"role", "category", "degree"}
        Role towards the centre; the six most frequent categories in the picture, and the others as one; or the number
        of known edges in both directions.

    Returns
    -------
    group : list of int
        Place in `groups` of every node but the centre.
    groups : list of (str, str)
        Name and colour.
    """
    around = nodes.iloc[1:]
    if color_by == "category":
        names = [str(name) for name in around["category"].value_counts().index]
        shown = names[: len(_CATEGORY_COLORS)]
        groups = list(zip(shown, _CATEGORY_COLORS, strict=False))
        rest = names[len(shown) :]
        if rest:
            groups.append((f"{len(rest)} other categor{'y' if len(rest) == 1 else 'ies'}", GREY))
        return [shown.index(name) if name in shown else len(shown) for name in around["category"].astype(str)], groups
    if color_by == "degree":
        least = [bucket[0] for bucket in DEGREE_BUCKETS]
        degree = (around["in_degree"] + around["out_degree"]).to_numpy()
        place = np.searchsorted(least, degree, side="right") - 1
        return place.tolist(), [(name, color) for _, name, color in DEGREE_BUCKETS]
    role = np.where(around["is_two_way"], 2, np.where(around["x"] < 0, 0, 1))
    return role.tolist(), list(_ROLE_NAMES)


def node_trace(nodes: pd.DataFrame, color_by: str) -> dict[str, Any]:
    """Draw all nodes with their labels; the whole name is on hover and in the click."""
    group, groups = node_groups(nodes, color_by)
    size = [1, *np.where(nodes["hop"].iloc[1:] == 2, 9, 13).tolist()]
    return {
        "type": "scatter",
        "x": nodes["x"].tolist(),
        "y": nodes["y"].tolist(),
        "mode": "markers+text",
        "name": "nodes",
        "text": _texts(nodes),
        "textposition": _text_positions(nodes),
        "textfont": {"size": [15 if hop == 0 else 12 if hop == 1 else 11 for hop in nodes["hop"]]},
        "marker": {
            "color": [GREY, *(groups[place][1] for place in group)],
            "size": size,
            "opacity": [0, *[1] * len(group)],
            "line": {"width": 0},
        },
        "customdata": [[name] for name in nodes["name"]],
        "hovertext": [
            f"<b>{plain(row.name_)}</b><br>{plain(row.category)}<br>{row.in_degree:,} edges in, {row.out_degree:,} out"
            for row in nodes.rename(columns={"name": "name_"}).itertuples()
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "cliponaxis": False,
        "unselected": {"marker": {"opacity": 1}},
        "showlegend": False,
    }


def ring_trace(nodes: pd.DataFrame) -> dict[str, Any]:
    """Put a ring around the marked nodes."""
    rows = nodes[nodes["is_marked"]]
    return {
        "type": "scatter",
        "x": rows["x"].tolist(),
        "y": rows["y"].tolist(),
        "mode": "markers",
        "name": "marked",
        "marker": {"size": 22, "color": "rgba(0,0,0,0)", "line": {"color": GREEN, "width": 2.5}},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def legend_traces(nodes: pd.DataFrame, links: pd.DataFrame, color_by: str) -> list[dict[str, Any]]:
    """Name and count strokes and colours; traces without points, so that the picture itself stays as it is."""
    group, groups = node_groups(nodes, color_by)
    traces = [
        _entry(f"{label} · {count}", mode="lines", line={"color": GREY, "width": 2, "dash": DASH[kind]})
        for kind, label in KIND_LABEL.items()
        if (count := int((links["kind"] == kind).sum()))
    ]
    counts = np.bincount(np.array(group, dtype=np.int64), minlength=len(groups))
    traces += [
        _entry(f"{plain(name)} · {count}", mode="markers", marker={"color": color, "size": 11})
        for (name, color), count in zip(groups, counts.tolist(), strict=True)
        if count
    ]
    marked = int(nodes["is_marked"].sum())
    if marked:
        ring = {"color": "rgba(0,0,0,0)", "size": 12, "line": {"color": GREEN, "width": 2.5}}
        traces.append(_entry(f"In the lasso · {marked}", mode="markers", marker=ring))
    return traces


def plain(text: object) -> str:
    """Make text from data safe for Plotly, which reads a few HTML tags."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: object) -> str:
    """Cut a long label; the hover has it whole."""
    full = str(text)
    return full if len(full) <= _LABEL_LIMIT else full[: _LABEL_LIMIT - 1] + "…"


def _entry(name: str, **style: Any) -> dict[str, Any]:
    """Return a trace that only its legend shows."""
    return {"type": "scatter", "x": [None], "y": [None], "name": name, "showlegend": True, "hoverinfo": "skip"} | style


def _text_positions(nodes: pd.DataFrame) -> list[str]:
    """Return where names stand: outside, or above where a neighbour has neighbours of its own there."""
    outer = nodes[nodes["hop"] == 2]
    return [
        "top center"
        if row.hop == 1 and ((outer["x"] * row.x > 0) & ((outer["y"] - row.y).abs() < _CLEAR)).any()
        else _TEXT_POSITION[row.side]
        for row in nodes.itertuples()
    ]


def _texts(nodes: pd.DataFrame) -> list[str]:
    """Return the labels to draw; a crowded second step is left to the hover."""
    crowded = nodes[nodes["hop"] == 2].groupby("side").size().max() > _OUTER_LABELS
    texts = [plain(shortened(text)) for text in nodes["text"]]
    texts[0] = f"<b>{plain(shortened(nodes['name'].iloc[0]))}</b>"
    return ["" if crowded and hop == 2 else text for text, hop in zip(texts, nodes["hop"], strict=True)]
