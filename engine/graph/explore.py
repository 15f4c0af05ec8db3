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
from numpy.typing import NDArray

LinkKind = Literal["observed", "held_out", "predicted"]
LINK_KINDS: tuple[LinkKind, ...] = ("observed", "held_out", "predicted")
"""A training or validation edge; a test edge, which training never saw; a pair without an edge whose target the model
lists after its source."""
ROLES = (("target", "source", "target"), ("source", "target", "source"))
"""What a neighbour is to a node, the end of the edge where the node stands, and the end where the neighbour stands."""

SEPARATOR = " · "
"""Stands between a name and an id."""
PAIR_COLUMNS = ("score", "rank", "back_score", "back_rank", "direction")
_LINK_COLUMNS = ("node", "other", "role", "kind", "relation", *PAIR_COLUMNS)
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

    @cached_property
    def position_of_id(self) -> dict[str, int]:
        """Name in the input to position of the node."""
        return {str(name): place for place, name in enumerate(self.nodes["name"])}

    @cached_property
    def search_texts(self) -> dict[str, str]:
        """Name on a page to what a search offers: the name, and the id of the input where that is another word."""
        ids = self.nodes["name"].astype(str)
        return {
            name: name if own in name else f"{name}{SEPARATOR}{own}" for name, own in zip(self.names, ids, strict=True)
        }

    @cached_property
    def relations(self) -> list[str]:
        """Kinds of edges that the input tells apart in a column `relation`; empty without one."""
        return sorted(self.edges["relation"].astype(str).unique()) if "relation" in self.edges.columns else []

    @cached_property
    def categories(self) -> list[str]:
        """Categories of the nodes, the most frequent first."""
        return [str(name) for name in self.nodes["category"].value_counts().index]

    @cached_property
    def predicted(self) -> dict[str, pd.DataFrame]:
        """Role to the listed pairs of the shown form that are predictions: no known edge, and in the source's list."""
        lists = self.lists[(self.lists["method"] == self.form) & (self.lists["split"] == "none")]
        # The best sources of a node may still rank it low; only those whose own list holds it predict it.
        lists = lists[lists["rank"] <= self.list_length]
        return {role: lists[lists["role"] == role] for role, _, _ in ROLES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which links to look at; what is left empty lets all through."""

    kinds: Iterable[str] = LINK_KINDS
    least_score: float = -np.inf
    """Smallest score of a link, as it points."""
    categories: tuple[str, ...] = ()
    """Categories of the neighbour."""
    relations: tuple[str, ...] = ()
    """Relations of a known edge; predictions have none and pass."""


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


def links(scene: Scene, node: int, filters: Filters | None = None) -> pd.DataFrame:
    """Return the known edges of a node and the predicted pairs, seen from the node.

    Parameters
    ----------
    scene : Scene
    node : int
    filters : Filters, optional
        Which of them; all by default.

    Returns
    -------
    DataFrame
        ``node``, the given one; ``other``; ``role``, what the other is to the node (target or source); ``kind``, one
        of `LINK_KINDS`; ``relation`` of a known edge, or empty; ``score, rank, back_score, back_rank`` of the pair as
        it points (see `scene.pair_table`); ``is_pair``, whether the table also holds the pair the other way;
        ``is_two_way``, whether it holds both ways as known edges. Best score first.
    """
    both = pd.concat([links_in_role(scene, [node], role, filters) for role, _, _ in ROLES], ignore_index=True)
    return _with_pairs(both.sort_values(["score", "other"], ascending=[False, True], ignore_index=True))


def links_in_role(scene: Scene, nodes: Iterable[int], role: str, filters: Filters | None = None) -> pd.DataFrame:
    """Return the links from several nodes to their neighbours in one role.

    Parameters
    ----------
    scene : Scene
    nodes : iterable of int
    role : {"target", "source"}
        What the neighbour is to the node.
    filters : Filters, optional

    Returns
    -------
    DataFrame
        Columns of `links` without the last two.
    """
    wanted = np.fromiter(nodes, dtype=np.int64)
    end, other = next((end, other) for name, end, other in ROLES if name == role)
    known = scene.edges[scene.edges[end].isin(wanted)]
    known = known.assign(
        node=known[end], other=known[other], kind=np.where(known["split"] == "test", "held_out", "observed")
    )
    listed = scene.predicted[role]
    new = listed[listed["node"].isin(wanted)].assign(kind="predicted")
    parts = [part.assign(role=role).reindex(columns=list(_LINK_COLUMNS)) for part in (known, new) if len(part)]
    if not parts:
        return pd.DataFrame({name: [] for name in _LINK_COLUMNS}).astype(
            {"node": np.int64, "other": np.int64, "score": np.float64}
        )
    table = pd.concat(parts, ignore_index=True)
    table["relation"] = table["relation"].astype(object).where(table["relation"].notna(), "").astype(str)
    return table if filters is None else table[_passes(scene, table, filters)].reset_index(drop=True)


def _passes(scene: Scene, table: pd.DataFrame, filters: Filters) -> NDArray[np.bool_]:
    """Tell which links pass."""
    passes = table["kind"].isin(list(filters.kinds)) & (table["score"] >= filters.least_score)
    if filters.categories:
        category = scene.nodes["category"].astype(str).to_numpy()[table["other"].to_numpy(dtype=np.int64)]
        passes &= np.isin(category, filters.categories)
    if filters.relations:
        passes &= (table["kind"] == "predicted") | table["relation"].isin(list(filters.relations))
    return passes.to_numpy(dtype=bool)


def _with_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Tell which links of one node come with the opposite one, and which of these are known edges both."""
    known = table[table["kind"] != "predicted"]
    both = known.loc[known.duplicated("other", keep=False), "other"]
    return table.assign(
        is_pair=table.duplicated("other", keep=False),
        is_two_way=table["other"].isin(both) & (table["kind"] != "predicted"),
    )


def _both_sides(scene: Scene) -> np.ndarray:
    """Return the smaller of the two degrees of every node; of equals, the one with more edges in all comes first."""
    inward, outward = scene.nodes["in_degree"].to_numpy(), scene.nodes["out_degree"].to_numpy()
    total = inward + outward
    return np.asarray(np.minimum(inward, outward) + total / (total.max() + 1))
