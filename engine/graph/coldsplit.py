"""A split by nodes: some nodes are never seen in training and arrive later, with features or with a few edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import NotEnoughDataError
from engine.graph.config import GraphConfig
from engine.graph.data import Dataset, TrainingGraph, training_graph
from engine.graph.features import NodeFeatures, node_features
from engine.graph.pairs import Edges
from engine.seeding import generator

_TESTED = -1


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Nodes that training never saw, and their edges with nodes that it saw."""

    is_new: NDArray[np.bool_]
    """Shape (num_nodes,)."""
    edge_index: Edges
    """Shape (2, n); one end of each is new, the other was seen in training."""
    order: NDArray[np.int64]
    """Shape (n,): 0 for the first edge of a node that may become known, 1 for the next, -1 for tested edges."""

    def revealed(self, count: int) -> Edges:
        """Return the first `count` edges of every new node that may become known; none where it has none."""
        return self.edge_index[:, (self.order >= 0) & (self.order < count)]

    def tested(self) -> Edges:
        """Return the edges that stay hidden, whatever becomes known."""
        return self.edge_index[:, self.order == _TESTED]


@dataclass(frozen=True, slots=True)
class NodeSplit:
    """A graph cut by nodes. Positions are those of the data set, but for `training`."""

    seen: NDArray[np.int64]
    """Ascending positions of the nodes of training; node i of `training` is ``seen[i]``."""
    training: TrainingGraph
    """The edges among them; knows no other node."""
    edge_index: Edges
    """The same edges by positions in the data set."""
    features: NodeFeatures | None
    """Of all nodes; which values and scales there are is learned from the nodes of training."""
    validation: Arrivals
    test: Arrivals

    @property
    def num_nodes(self) -> int:
        """All nodes, seen or not."""
        return len(self.test.is_new)


def split_by_nodes(dataset: Dataset, config: GraphConfig) -> NodeSplit:
    """Cut the nodes at random into those of training and those that arrive later.

    Parameters
    ----------
    dataset : Dataset
    config : GraphConfig
        `validation_share` and `test_share` are shares of the nodes here; `seed` and `features` are read, too.

    Returns
    -------
    NodeSplit
        Half of the edges of an arriving node (rounded down) may become known, in random order; the others are
        tested. So the tested edges are the same however many are revealed, and a node with one edge has it tested.
        Edges between two arriving nodes are left out: neither end has anything to be known by.

    Raises
    ------
    NotEnoughDataError
        If no edge is left to train on or to test.

    References
    ----------
    Virinchi et al. (2022), arXiv 2211.11583 (DAEMON): cold start on 75/5/20 of the nodes. Revealed edges are ours.
    """
    rng = generator(config.seed, "graph", "split by nodes")
    count = len(dataset.nodes)
    order = rng.permutation(count)
    test = round(count * config.test_share)
    validation = round(count * config.validation_share)
    part = np.zeros(count, dtype=np.int8)
    part[order[:test]], part[order[test : test + validation]] = 2, 1
    edge_index = dataset.edges[["source", "target"]].to_numpy(dtype=np.int64).T
    inside = edge_index[:, (part[edge_index] == 0).all(axis=0)]
    arrivals = [_arrivals(edge_index, part == 0, part == place, rng) for place in (1, 2)]
    if inside.shape[1] == 0 or arrivals[1].tested().shape[1] == 0:
        raise NotEnoughDataError(
            f"{edge_index.shape[1]:,} edges leave none to train on, or none to test, when {config.test_share:.0%} of "
            "the nodes arrive later; add edges."
        )
    seen = np.flatnonzero(part == 0)
    place = np.full(count, -1, dtype=np.int64)
    place[seen] = np.arange(len(seen))
    features = node_features(dataset.features, config.features, known=part == 0)
    own = None if features is None else NodeFeatures(features.matrix[seen], features.names)
    return NodeSplit(
        seen=seen,
        training=training_graph(place[inside], place[inside][:, :0], len(seen), own),
        edge_index=inside,
        features=features,
        validation=arrivals[0],
        test=arrivals[1],
    )


def _arrivals(
    edge_index: Edges, is_seen: NDArray[np.bool_], is_new: NDArray[np.bool_], rng: np.random.Generator
) -> Arrivals:
    """Collect the edges of new nodes with seen ones, and put those that may become known in random order."""
    crossing = edge_index[
        :, (is_new[edge_index[0]] & is_seen[edge_index[1]]) | (is_seen[edge_index[0]] & is_new[edge_index[1]])
    ]
    crossing = crossing[:, rng.permutation(crossing.shape[1])]
    node = np.where(is_new[crossing[0]], crossing[0], crossing[1])
    by_node = np.argsort(node, kind="stable")
    crossing, node = crossing[:, by_node], node[by_node]
    place = np.arange(len(node)) - np.searchsorted(node, node)
    half = np.bincount(node, minlength=len(is_new))[node] // 2
    return Arrivals(is_new=is_new, edge_index=crossing, order=np.where(place < half, place, _TESTED))
