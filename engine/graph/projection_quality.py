"""How far neighbours on a map are neighbours in the full space, with a random map to compare."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.metrics.resampling import bootstrap, percentile_interval
from engine.seeding import generator

Vectors = NDArray[np.float64]

NEIGHBOURS = 10
"""Neighbours per vector whose places are compared."""
JUDGED_NODES = 1_000
"""Most nodes that are judged; of a larger graph, a uniform seeded sample, whose members are each other's candidates."""
_RESAMPLES = 500


def quality_table(stacked: Vectors, placed: Vectors, *, seed: int) -> pd.DataFrame:
    """Judge a map of both spaces.

    Parameters
    ----------
    stacked : ndarray of shape (2 num_nodes, dimension), float64
        Source vectors of all nodes, then their target vectors, as they were mapped.
    placed : ndarray of shape (2 num_nodes, 2), float64
        Their positions on the map.
    seed : int, >= 0

    Returns
    -------
    DataFrame
        ``measure``: trustworthiness (are neighbours on the map near in the full space?) or neighbour_overlap (share
        of the nearest that stay among the nearest); ``role``: source, target, or source_to_target (a source vector
        and the target vectors around it, overlap only); ``value`` in [0, 1] with ``ci_low, ci_high`` (95 %, over
        nodes); ``random``, the value after the positions were shuffled among the nodes; ``neighbours``; ``n`` judged
        nodes. Empty for fewer than 3 nodes.

    Notes
    -----
    Distances are Euclidean between unit vectors, which order as the cosine does. Scores add the popularity of a node,
    so its best targets need not be its nearest ones.

    References
    ----------
    Venna and Kaski (2001), Neighborhood preservation in nonlinear projection methods (trustworthiness).
    """
    num_nodes = len(stacked) // 2
    rng = generator(seed, "graph", "projection quality")
    nodes = np.sort(rng.choice(num_nodes, size=min(JUDGED_NODES, num_nodes), replace=False))
    # Trustworthiness is defined for fewer neighbours than half of the points.
    k = min(NEIGHBOURS, (len(nodes) - 1) // 2)
    rows: list[dict[str, object]] = []
    if k < 1:
        return pd.DataFrame(
            rows, columns=["measure", "role", "value", "ci_low", "ci_high", "random", "neighbours", "n"]
        )
    full = {"source": stacked[nodes], "target": stacked[nodes + num_nodes]}
    flat = {"source": placed[nodes], "target": placed[nodes + num_nodes]}
    shuffled = rng.permutation(len(nodes))
    for query, candidate in (("source", "source"), ("target", "target"), ("source", "target")):
        within = query == candidate
        ranks = _ranks(full[query], full[candidate])
        near = _nearest(flat[query], flat[candidate], k)
        by_chance = _nearest(flat[query][shuffled], flat[candidate][shuffled], k)
        role = query if within else f"{query}_to_{candidate}"
        kept, chance = ((np.take_along_axis(ranks, found, axis=1) <= k).mean(axis=1) for found in (near, by_chance))
        rows.append(_row("neighbour_overlap", role, kept, chance, k, rng))
        if within:
            trust, chance = (trustworthiness_of(ranks, found) for found in (near, by_chance))
            rows.append(_row("trustworthiness", role, trust, chance, k, rng))
    return pd.DataFrame(rows)


def trustworthiness_of(ranks: NDArray[np.int64], near: NDArray[np.int64]) -> Vectors:
    """Return what every point adds to the trustworthiness; its mean is the trustworthiness of the map.

    t_i = 1 - 2 / (k (2 n - 3 k - 1)) * sum over the k map neighbours j of max(rank(i, j) - k, 0)

    Parameters
    ----------
    ranks : ndarray of shape (n, n), int64
        Place of j among the others by distance to i in the full space, from 1; 0 for i itself.
    near : ndarray of shape (n, k), int64
        The k nearest of every point on the map.

    Returns
    -------
    ndarray of shape (n,), float64, <= 1
    """
    n, k = near.shape
    beyond = np.maximum(np.take_along_axis(ranks, near, axis=1) - k, 0).sum(axis=1)
    return np.asarray(1 - 2 * beyond / (k * (2 * n - 3 * k - 1)))


def _squared(query: Vectors, candidate: Vectors) -> Vectors:
    """Return squared distances; a node is no neighbour of itself, in whichever role."""
    squared = (query**2).sum(axis=1)[:, np.newaxis] + (candidate**2).sum(axis=1) - 2 * query @ candidate.T
    np.fill_diagonal(squared, np.inf)
    return np.asarray(squared)


def _ranks(query: Vectors, candidate: Vectors) -> NDArray[np.int64]:
    """Return the place of every candidate by distance, from 1; 0 for the node itself."""
    order = np.argsort(_squared(query, candidate), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, len(candidate) + 1)[np.newaxis, :], axis=1)
    np.fill_diagonal(ranks, 0)
    return ranks


def _nearest(query: Vectors, candidate: Vectors, k: int) -> NDArray[np.int64]:
    """Return the k nearest candidates of every row."""
    return np.argsort(_squared(query, candidate), axis=1, kind="stable")[:, :k]


def _row(
    measure: str, role: str, values: Vectors, chance: Vectors, k: int, rng: np.random.Generator
) -> dict[str, object]:
    """Average over nodes, with an interval that resamples them."""
    draws = bootstrap(
        lambda weight: weight @ values / weight.sum(), np.arange(len(values)), n_resamples=_RESAMPLES, rng=rng
    )
    low, high = percentile_interval(draws)
    return {
        "measure": measure,
        "role": role,
        "value": float(values.mean()),
        "ci_low": float(low[0]),
        "ci_high": float(high[0]),
        "random": float(chance.mean()),
        "neighbours": k,
        "n": len(values),
    }
