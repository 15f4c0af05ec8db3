"""Look around in a trained graph: find a node, and what stands around it in both directions.

Reads the tables that `engine.graph.scene` stored; needs NumPy and pandas alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

LinkKind = Literal["observed", "held_out", "predicted"]
LINK_KINDS: tuple[LinkKind, ...] = ("observed", "held_out", "predicted")
"""A training or validation edge; a test edge, which training never saw; a pair without an edge whose target the model
lists after its source."""

MIDDLE_NODES = 6
"""Most two-way neighbours above and below the centre; more labels would overlap."""

PAIR_COLUMNS = ("score", "rank", "back_score", "back_rank")
_LINK_COLUMNS = ("other", "role", "kind", "is_two_way", *PAIR_COLUMNS)
_NO_EVIDENCE = {"source", "target", "split", "is_mutual", *PAIR_COLUMNS}


@dataclass(frozen=True)
class Scene:
    """The stored tables of one run, by position of the node."""

    nodes: pd.DataFrame
    """See `scene.node_table`."""
    edges: pd.DataFrame
    """See `scene.edge_table`."""
    lists: pd.DataFrame
    """See `scene.ranked_lists`."""
    form: str
    """The shown form: its lists carry scores and ranks."""

    @cached_property
    def names(self) -> list[str]:
        """What every node is called on a page: its label, with the name where labels repeat; all different."""
        labels = self.nodes["label"].astype(str)
        twice = labels.duplicated(keep=False).to_numpy()
        names = np.where(twice, labels + " (" + self.nodes["name"].astype(str) + ")", labels)
        return [str(name) for name in names]

    @cached_property
    def edge_names(self) -> np.ndarray:
        """What every edge is called: source, target and the evidence of the input, for example its relation."""
        names = np.array(self.names, dtype=object)
        text = names[self.edges["source"]] + " → " + names[self.edges["target"]]
        for column in self.edges.columns:
            if column not in _NO_EVIDENCE:
                text = text + f" · {column.replace('_', ' ')} " + self.edges[column].astype(str).to_numpy(dtype=object)
        return np.asarray(text)

    @cached_property
    def list_length(self) -> int:
        """Length of the ranked lists."""
        return int(self.lists["place"].max()) if len(self.lists) else 0

    @cached_property
    def position(self) -> dict[str, int]:
        """Name on a page to position of the node."""
        return {name: place for place, name in enumerate(self.names)}


def default_node(scene: Scene) -> int:
    """Return a node with a story on both sides: the most edges in the direction in which it has fewer.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    int
        Position; the first of equals. Where some pair of nodes points both ways, only nodes of such pairs count.
    """
    linked = _both_sides(scene)
    in_pair = np.isin(np.arange(len(linked)), scene.edges.loc[scene.edges["is_mutual"], "source"])
    return int(np.where(in_pair | ~in_pair.any(), linked, -1).argmax())


def example_nodes(scene: Scene, count: int) -> list[int]:
    """Return well-linked nodes, one per category.

    Parameters
    ----------
    scene : Scene
    count : int
        At most this many.

    Returns
    -------
    list of int
        Positions, the best linked first; the best of each category, then the next best of all.
    """
    order = np.argsort(-_both_sides(scene), kind="stable")
    category = scene.nodes["category"].to_numpy()[order]
    first = np.unique(category, return_index=True)[1]
    rest = np.setdiff1d(np.arange(len(order)), first)
    return [int(order[place]) for place in np.concatenate([np.sort(first), rest])[:count]]


def linked_nodes(scene: Scene) -> list[int]:
    """Return the positions of the nodes that have an edge."""
    return [int(node) for node in np.flatnonzero(scene.nodes["in_degree"] + scene.nodes["out_degree"])]


def links(scene: Scene, node: int) -> pd.DataFrame:
    """Return every known edge of a node and every predicted pair, seen from the node.

    Parameters
    ----------
    scene : Scene
    node : int

    Returns
    -------
    DataFrame
        ``other``; ``role``, what it is to the node (target or source); ``kind``, one of `LINK_KINDS`; ``is_two_way``,
        whether the table also holds the pair the other way; ``score, rank, back_score, back_rank`` of the pair as it
        points (see `scene.pair_table`). Best score first.
    """
    edges, lists = scene.edges, scene.lists
    parts = []
    for role, end, other in (("target", "source", "target"), ("source", "target", "source")):
        known = edges[edges[end] == node]
        kind = np.where(known["split"] == "test", "held_out", "observed")
        parts.append(known.assign(other=known[other], role=role, kind=kind))
        listed = lists[(lists["node"] == node) & (lists["role"] == role) & (lists["method"] == scene.form)]
        # The best sources of a node may still rank it low; only those whose own list holds it predict it.
        new = listed[(listed["split"] == "none") & (listed["rank"] <= scene.list_length)]
        parts.append(new.assign(role=role, kind="predicted"))
    table = pd.concat([part.reindex(columns=list(_LINK_COLUMNS)) for part in parts if len(part)] or [_no_links()])
    table = table.sort_values(["score", "other"], ascending=[False, True], ignore_index=True)
    return table.assign(is_two_way=table.duplicated("other", keep=False))


def neighbourhood(scene: Scene, node: int, *, k: int, kinds: Iterable[str] = LINK_KINDS) -> pd.DataFrame:
    """Choose the links to draw around a node.

    Parameters
    ----------
    scene : Scene
    node : int
    k : int
        Most links per role. A third of them goes first to neighbours that point both ways, as they are rare. Then the
        kinds take turns, each with its best score first, so that none crowds out another.
    kinds : iterable of str
        Kinds to draw.

    Returns
    -------
    DataFrame
        As `links`; a chosen pair whose other direction is among the kinds as well is drawn both ways.
    """
    table = links(scene, node)
    table = table[table["kind"].isin(list(kinds))]
    both_ways = table.loc[table.duplicated("other", keep=False), "other"].drop_duplicates()[: max(k // 3, 1)]
    late = ~table["other"].isin(both_ways)
    turn = table.groupby(["role", "kind"], sort=False).cumcount()
    ordered = table.assign(late=late, turn=turn).sort_values(
        ["late", "turn", "score"], ascending=[True, True, False], kind="stable"
    )
    chosen = ordered[ordered.groupby("role", sort=False).cumcount() < k]
    kept = table[table["other"].isin(chosen["other"])].reset_index(drop=True)
    return kept.assign(is_two_way=kept.duplicated("other", keep=False))


def placed_nodes(scene: Scene, node: int, drawn: pd.DataFrame) -> pd.DataFrame:
    """Place a node in the middle, its sources left, its targets right, and two-way neighbours above and below.

    Parameters
    ----------
    scene : Scene
    node : int
    drawn : DataFrame
        From `neighbourhood`.

    Returns
    -------
    DataFrame
        ``node, name, category, in_degree, out_degree``; ``is_two_way``; ``side`` (centre, source, target, above,
        below); ``x, y`` in [-1, 1]. The centre comes first. Beyond `MIDDLE_NODES` two-way neighbours stand with the
        role of their better score.
    """
    first = drawn.drop_duplicates("other")
    is_two_way = first["is_two_way"].to_numpy(dtype=bool)
    middle = is_two_way & (np.cumsum(is_two_way) <= MIDDLE_NODES)
    vertical = np.where(np.cumsum(middle) % 2 == 1, "above", "below")
    side = np.where(middle, vertical, first["role"].astype(str))
    x, y = np.zeros(len(side)), np.zeros(len(side))
    for name, direction in (("source", -1.0), ("target", 1.0)):
        rows = np.flatnonzero(side == name)
        y[rows] = _spread(len(rows))
        x[rows] = direction * (1.0 - 0.25 * y[rows] ** 2)
    for name, direction in (("above", 1.0), ("below", -1.0)):
        rows = np.flatnonzero(side == name)
        x[rows] = -0.5 * _spread(len(rows))
        # Neighbouring labels stand at different heights.
        y[rows] = direction * np.where(np.arange(len(rows)) % 2 == 0, 1.0, 0.76)
    table = pd.DataFrame({"node": first["other"].to_numpy(dtype=np.int64), "side": side, "is_two_way": is_two_way})
    centre = pd.DataFrame({"node": [node], "side": ["centre"], "is_two_way": [False], "x": [0.0], "y": [0.0]})
    table = pd.concat([centre, table.assign(x=x, y=y)], ignore_index=True)
    about = scene.nodes.iloc[table["node"]][["category", "in_degree", "out_degree"]].reset_index(drop=True)
    return pd.concat([table.assign(name=[scene.names[place] for place in table["node"]]), about], axis=1)


def _both_sides(scene: Scene) -> np.ndarray:
    """Return the smaller of the two degrees of every node; of equals, the one with more edges in all comes first."""
    inward, outward = scene.nodes["in_degree"].to_numpy(), scene.nodes["out_degree"].to_numpy()
    total = inward + outward
    return np.asarray(np.minimum(inward, outward) + total / (total.max() + 1))


def _no_links() -> pd.DataFrame:
    """Return an empty table of links."""
    return pd.DataFrame({name: [] for name in _LINK_COLUMNS}).astype({"other": np.int64, "score": np.float64})


def _spread(count: int) -> np.ndarray:
    """Return evenly spaced heights from the top down, a single one in the middle."""
    return np.linspace(1.0, -1.0, count) if count > 1 else np.zeros(count)
