"""Directed pairs as whole numbers, and pairs that are no known edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.errors import NotEnoughDataError

Edges = NDArray[np.int64]
"""Edge index of shape (2, n_edges): row 0 the sources, row 1 the targets."""

_ROUNDS = 100


def edge_codes(edge_index: Edges, num_nodes: int) -> NDArray[np.int64]:
    """Return one whole number per directed pair: source * num_nodes + target."""
    return edge_index[0] * num_nodes + edge_index[1]


def is_known(edge_index: Edges, known: NDArray[np.int64], num_nodes: int) -> NDArray[np.bool_]:
    """Say for each pair whether its code is among the sorted known codes."""
    codes = edge_codes(edge_index, num_nodes)
    if len(known) == 0:
        return np.zeros(len(codes), dtype=np.bool_)
    at = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return known[at] == codes


def uniform_non_edges(count: int, known: NDArray[np.int64], num_nodes: int, rng: np.random.Generator) -> Edges:
    """Draw uniform random pairs of different nodes that are no known edge.

    Parameters
    ----------
    count : int
    known : ndarray of shape (n_edges,), int64
        Sorted codes of all known edges.
    num_nodes : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (2, count), int64

    Raises
    ------
    NotEnoughDataError
        If more than half of the possible edges exist.
    """
    possible = num_nodes * (num_nodes - 1)
    if len(known) > 0.5 * possible:
        raise NotEnoughDataError(
            f"{len(known):,} of {possible:,} possible edges exist; with more than half of them, what is missing cannot "
            "be ranked. Keep only the strongest edges."
        )
    found = np.empty((2, 0), dtype=np.int64)
    while found.shape[1] < count:
        drawn = rng.integers(num_nodes, size=(2, 2 * count))
        keep = (drawn[0] != drawn[1]) & ~is_known(drawn, known, num_nodes)
        found = np.concatenate([found, drawn[:, keep]], axis=1)
    return found[:, :count]


def degree_corrected_non_edges(
    edge_index: Edges, uniform: Edges, known: NDArray[np.int64], num_nodes: int, rng: np.random.Generator
) -> Edges:
    """Pair every edge's source with the target of another edge, so that degrees alone tell edges from non-edges less.

    Parameters
    ----------
    edge_index : ndarray of shape (2, n), int64
        Edges whose sources and targets are mixed anew.
    uniform : ndarray of shape (2, n), int64
        Non-edge to keep where no mixed pair was found in 100 rounds: the source is linked to nearly every target.
    known : ndarray of shape (n_edges,), int64
        Sorted codes of all known edges.
    num_nodes : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (2, n), int64

    References
    ----------
    Aiyappa et al. (2025), Implicit degree bias in the link prediction task (ICML), arXiv 2405.14985: negatives drawn
    by degree. Deviation: the source is kept, the target is drawn from the targets of the same edges.
    """
    found = uniform.copy()
    missing = np.arange(edge_index.shape[1])
    for _ in range(_ROUNDS):
        drawn = np.stack([edge_index[0, missing], rng.choice(edge_index[1], size=len(missing))])
        keep = (drawn[0] != drawn[1]) & ~is_known(drawn, known, num_nodes)
        found[:, missing[keep]] = drawn[:, keep]
        missing = missing[~keep]
        if len(missing) == 0:
            break
    return found
