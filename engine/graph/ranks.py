"""Where a pair stands among all candidates of its source, and the best candidates of every node."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.pairs import Edges
from engine.graph.scoring import Scorer, Scores

_ROWS, _PAIRS = 512, 256


def excluded_candidates(edge_index: Edges, num_nodes: int) -> sparse.csr_array:
    """Return what must not be recommended to a query: its known targets and itself.

    Parameters
    ----------
    edge_index : ndarray of shape (2, n_edges), int64
        Known edges.
    num_nodes : int

    Returns
    -------
    csr_array of shape (num_nodes, num_nodes), bool
    """
    row = np.concatenate([edge_index[0], np.arange(num_nodes)])
    column = np.concatenate([edge_index[1], np.arange(num_nodes)])
    return sparse.csr_array((np.ones(len(row), dtype=np.bool_), (row, column)), shape=(num_nodes, num_nodes))


def pair_ranks(scorer: Scorer, edge_index: Edges, excluded: sparse.csr_array) -> NDArray[np.float64]:
    """Rank the target of every pair among the candidates of its source.

    rank = 1 + #(candidates scored higher) + #(other candidates with the same score) / 2

    Parameters
    ----------
    scorer : Scorer
    edge_index : ndarray of shape (2, n_pairs), int64
        Pairs to rank. The target of a pair takes part even if it is excluded, all other excluded candidates do not.
    excluded : csr_array of shape (num_nodes, num_nodes), bool
        See `excluded_candidates`.

    Returns
    -------
    ndarray of shape (n_pairs,), float64, >= 1
        In the order of the pairs; ties take their mean rank.
    """
    ranks = np.empty(edge_index.shape[1])
    order = np.argsort(edge_index[0], kind="stable")
    nodes, first = np.unique(edge_index[0, order], return_index=True)
    ends = np.append(first, len(order))
    for begin in range(0, len(nodes), _ROWS):
        block = nodes[begin : begin + _ROWS]
        pairs = order[ends[begin] : ends[min(begin + _ROWS, len(nodes))]]
        row, target = np.searchsorted(block, edge_index[0, pairs]), edge_index[1, pairs]
        scores = scorer.rows(block)
        true = scores[row, target]
        _exclude(scores, block, excluded)
        for place in range(0, len(pairs), _PAIRS):
            some = slice(place, place + _PAIRS)
            ranks[pairs[some]] = _ranks_in(scores[row[some]], target[some], true[some])
    return ranks


def top_candidates(
    scorer: Scorer, nodes: NDArray[np.int64], k: int, excluded: sparse.csr_array
) -> tuple[NDArray[np.int64], Scores]:
    """Return the best candidates of some nodes, best first.

    Parameters
    ----------
    scorer : Scorer
    nodes : ndarray of shape (n,), int64
    k : int
    excluded : csr_array of shape (num_nodes, num_nodes), bool

    Returns
    -------
    candidates : ndarray of shape (n, k), int64
    scores : ndarray of shape (n, k), float32
        -inf where fewer than k candidates are left. k is at most the number of nodes.
    """
    k = min(k, excluded.shape[0])
    found = [_best(_exclude(scorer.rows(block), block, excluded), k) for block in _blocks(nodes)]
    return np.concatenate([candidates for candidates, _ in found]), np.concatenate([scores for _, scores in found])


def _ranks_in(scores: Scores, target: NDArray[np.int64], true: Scores) -> NDArray[np.float64]:
    """Rank one true candidate per row; `scores` is overwritten at the true candidates."""
    scores[np.arange(len(target)), target] = true
    better = (scores > true[:, np.newaxis]).sum(axis=1)
    tied = (scores == true[:, np.newaxis]).sum(axis=1) - 1
    return 1.0 + better + tied / 2.0


def _blocks(nodes: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Cut nodes into blocks whose score rows fit into memory."""
    for begin in range(0, len(nodes), _ROWS):
        yield nodes[begin : begin + _ROWS]


def _exclude(scores: Scores, nodes: NDArray[np.int64], excluded: sparse.csr_array) -> Scores:
    """Put -inf at the excluded candidates of score rows, in place."""
    row, column = excluded[nodes].nonzero()
    scores[row, column] = -np.inf
    return scores


def _best(scores: Scores, k: int) -> tuple[NDArray[np.int64], Scores]:
    """Return the k largest values of every row, ties by position."""
    chosen = np.sort(np.argpartition(-scores, k - 1, axis=1)[:, :k], axis=1)
    values = np.take_along_axis(scores, chosen, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1), np.take_along_axis(values, order, axis=1)
