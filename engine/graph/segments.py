"""Which test edges are ranked, and the groups they are reported by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.graph.config import GraphConfig
from engine.graph.data import Prepared
from engine.graph.pairs import Edges
from engine.seeding import generator

DEGREE_BOUNDS = (0, 1, 2, 4, 8, 16, 32)
"""Smallest degree of every bucket; each reaches to the next bound, the last is open."""
DEGREE_BUCKETS = ("0", "1", "2-3", "4-7", "8-15", "16-31", "32+")


@dataclass(frozen=True, slots=True)
class TestEdges:
    """The test edges that are ranked, with one non-edge of each kind per edge."""

    __test__ = False

    edge_index: Edges
    non_edge_index: Edges
    degree_corrected_index: Edges
    is_one_way: NDArray[np.bool_]
    query: NDArray[np.int64]
    """Position of an edge's source among the distinct sources, shape (n_edges,)."""
    segments: dict[str, NDArray[np.bool_]]
    """Segment to membership of the edges: ``all, one_way, mutual, out_degree:…`` (of the query) and
    ``in_degree:…`` (of the target), by training degrees. Empty buckets stay."""


def ranked_test_edges(prepared: Prepared, config: GraphConfig) -> TestEdges:
    """Choose the test edges to rank and sort them into segments.

    Parameters
    ----------
    prepared : Prepared
    config : GraphConfig
        With more than `max_queries` test edges, query nodes are taken in random order until their edges reach that
        number; a query node is ranked with all its test edges or not at all.

    Returns
    -------
    TestEdges
    """
    heldout = prepared.heldout
    kept = _sampled(heldout.edge_index[0], config)
    edge_index, is_one_way = heldout.edge_index[:, kept], heldout.is_one_way[kept]
    training = prepared.training
    buckets = {
        "out_degree": training.out_degree[edge_index[0]],
        "in_degree": training.in_degree[edge_index[1]],
    }
    segments = {"all": np.ones(len(is_one_way), dtype=np.bool_), "one_way": is_one_way, "mutual": ~is_one_way}
    for name, degree in buckets.items():
        bucket = degree_bucket(degree)
        segments |= {f"{name}:{label}": bucket == place for place, label in enumerate(DEGREE_BUCKETS)}
    return TestEdges(
        edge_index=edge_index,
        non_edge_index=heldout.non_edge_index[:, kept],
        degree_corrected_index=heldout.degree_corrected_index[:, kept],
        is_one_way=is_one_way,
        query=np.unique(edge_index[0], return_inverse=True)[1],
        segments=segments,
    )


def degree_bucket(degree: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position in `DEGREE_BUCKETS` of every degree.

    Examples
    --------
    >>> degree_bucket(np.array([0, 1, 3, 4, 100])).tolist()
    [0, 1, 2, 3, 6]
    """
    return np.searchsorted(np.array(DEGREE_BOUNDS), degree, side="right") - 1


def _sampled(source: NDArray[np.int64], config: GraphConfig) -> NDArray[np.int64]:
    """Return the positions of the edges to rank, in their order."""
    if len(source) <= config.max_queries:
        return np.arange(len(source))
    nodes, node, count = np.unique(source, return_inverse=True, return_counts=True)
    order = generator(config.seed, "graph", "queries").permutation(len(nodes))
    taken = order[np.cumsum(count[order]) <= config.max_queries]
    # A single query with more edges than allowed is still ranked: nothing would be left otherwise.
    chosen = taken if len(taken) else order[:1]
    return np.flatnonzero(np.isin(node, chosen))
