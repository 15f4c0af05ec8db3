"""Read ranked lists, marked projections and asymmetric pairs out of a scene.

Needs NumPy and pandas alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from engine.graph.explore import PAIR_COLUMNS, Scene
from engine.graph.neighbourhood import one_per_node


def ranked_list(scene: Scene, node: int, role: Literal["target", "source"]) -> pd.DataFrame:
    """Return what to recommend after a node (targets), or what it is recommended after (sources).

    Parameters
    ----------
    scene : Scene
    node : int
    role : {"target", "source"}

    Returns
    -------
    DataFrame
        ``place, node, name``, the columns of `scene.pair_table`, ``is_hit`` (the pair is a test edge) and ``reverse``
        (observed, held-out, or none: whether the opposite direction is a known edge). The score falls from place to
        place.
    """
    lists = scene.lists
    rows = lists[(lists["node"] == node) & (lists["role"] == role) & (lists["method"] == scene.form)]
    rows = rows.sort_values("place", ignore_index=True)
    back = rows["back_split"].astype(str)
    return pd.DataFrame(
        {
            "place": rows["place"],
            "node": rows["other"],
            "name": [scene.names[place] for place in rows["other"]],
            **{name: rows[name] for name in PAIR_COLUMNS},
            "is_hit": (rows["split"] == "test").to_numpy(dtype=bool),
            "reverse": np.where(back == "none", "none", np.where(back == "test", "held-out", "observed")),
        }
    )


@dataclass(frozen=True, slots=True)
class MethodList:
    """What one method lists after a node, against what is held out and what another method lists."""

    rows: pd.DataFrame
    """``place, node, name, is_hit`` (the pair is a test edge) and ``is_shared`` (the first method lists it too)."""
    hits: int
    """Held-out targets of the node in the list."""
    held_out: int
    """Held-out targets of the node."""


def compared_lists(scene: Scene, node: int, methods: Sequence[str]) -> dict[str, MethodList]:
    """Return the targets that several methods list after a node.

    Parameters
    ----------
    scene : Scene
    node : int
    methods : sequence of str
        The first is the one that the others are compared with.

    Returns
    -------
    dict of str to MethodList
        Methods without lists are left out.
    """
    lists, edges = scene.lists, scene.edges
    rows = lists[(lists["node"] == node) & (lists["role"] == "target")]
    held_out = int(((edges["source"] == node) & (edges["split"] == "test")).sum())
    ours = set(rows.loc[rows["method"] == methods[0], "other"])
    found = {}
    for method in methods:
        part = rows[rows["method"] == method].sort_values("place", ignore_index=True)
        if len(part):
            is_hit = (part["split"] == "test").to_numpy(dtype=bool)
            table = pd.DataFrame(
                {
                    "place": part["place"],
                    "node": part["other"],
                    "name": [scene.names[place] for place in part["other"]],
                    "is_hit": is_hit,
                    "is_shared": part["other"].isin(ours),
                }
            )
            found[method] = MethodList(table, int(is_hit.sum()), held_out)
    return found


def marked_points(points: pd.DataFrame, node: int, drawn: pd.DataFrame) -> pd.DataFrame:
    """Choose the points to mark in both projections: a node and the neighbours that are drawn around it.

    Parameters
    ----------
    points : DataFrame
        One row per node.
    node : int
    drawn : DataFrame
        Columns ``other, role, kind, is_two_way, hop``, best score first; only the first step is marked.

    Returns
    -------
    DataFrame
        Rows of `points` with ``part``: source, target, both, or selected (the last row).
    """
    first = one_per_node(drawn[drawn["hop"] == 1])
    part = np.where(first["is_two_way"], "both", first["role"].astype(str))
    others = first["other"].to_numpy(dtype=np.int64)
    return points.iloc[[*others, node]].assign(part=[*part, "selected"])


def asymmetry(scene: Scene, node: int, part: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the known edges of one part of the split, and those of a node among them.

    Parameters
    ----------
    scene : Scene
    node : int
    part : {"train", "validation", "test"}

    Returns
    -------
    edges, selected : DataFrame
        ``score, back_score, is_mutual, text``: what the edge is called, with the evidence of the input.
    """
    edges = scene.edges[scene.edges["split"] == part]
    text = scene.edge_names[edges.index]
    table = edges[["score", "back_score", "is_mutual"]].assign(text=text).reset_index(drop=True)
    is_selected = ((edges["source"] == node) | (edges["target"] == node)).to_numpy()
    return table, table[is_selected].reset_index(drop=True)


def direction_probability(pairs: pd.DataFrame) -> np.ndarray:
    """Return P(a pair points this way | it points one way only).

    Parameters
    ----------
    pairs : DataFrame
        Column ``direction``: the log-odds (see `scene.pair_table`).

    Returns
    -------
    ndarray of shape (n_pairs,), float64, in (0, 1)

    Examples
    --------
    >>> direction_probability(pd.DataFrame({"direction": [0.0, 1.0]})).round(3).tolist()
    [0.5, 0.731]
    """
    logit = np.clip(pairs["direction"].to_numpy(dtype=np.float64), -50, 50)
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))
