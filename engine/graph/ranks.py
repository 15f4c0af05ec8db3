"""Where a pair stands among all candidates of its source, and the best candidates of every node."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.pairs import Edges
from engine.graph.scoring import Scorer, Scores

_ROWS, _PAIRS = 512, 256
_SCORES = 2**26
"""Most scores held at a time, 256 MB; a large graph is scored in blocks of fewer rows."""
_GROUPS = 64
"""Groups of candidates, per place in a ranked list, whose best values bound the list from below."""


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
    for begin, end in _blocks(len(nodes), excluded.shape[0], _ROWS):
        block = nodes[begin:end]
        pairs = order[ends[begin] : ends[end]]
        row, target = np.searchsorted(block, edge_index[0, pairs]), edge_index[1, pairs]
        scores = scorer.rows(block)
        true = scores[row, target]
        _exclude(scores, block, excluded)
        for place in _blocks(len(pairs), excluded.shape[0], _PAIRS):
            some = slice(*place)
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
        -inf where fewer than k candidates are left. k is at most the number of nodes. Of equal scores the candidate
        that comes first among the nodes is taken first.
    """
    k = min(k, excluded.shape[0])
    found = [
        _best(_exclude(scorer.rows(nodes[begin:end]), nodes[begin:end], excluded), k)
        for begin, end in _blocks(len(nodes), excluded.shape[0], _ROWS)
    ]
    return np.concatenate([candidates for candidates, _ in found]), np.concatenate([scores for _, scores in found])


def _ranks_in(scores: Scores, target: NDArray[np.int64], true: Scores) -> NDArray[np.float64]:
    """Rank one true candidate per row; `scores` is overwritten at the true candidates."""
    scores[np.arange(len(target)), target] = true
    better = (scores > true[:, np.newaxis]).sum(axis=1)
    tied = (scores == true[:, np.newaxis]).sum(axis=1) - 1
    return 1.0 + better + tied / 2.0


def _blocks(count: int, num_nodes: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut rows of scores into blocks that fit into memory; at least one block, so that nothing in gives nothing out."""
    size = int(np.clip(_SCORES // num_nodes, 1, most))
    return ((begin, min(begin + size, count)) for begin in range(0, max(count, 1), size))


def _exclude(scores: Scores, nodes: NDArray[np.int64], excluded: sparse.csr_array) -> Scores:
    """Put -inf at the excluded candidates of score rows, in place."""
    row, column = excluded[nodes].nonzero()
    scores[row, column] = -np.inf
    return scores


def _best(scores: Scores, k: int) -> tuple[NDArray[np.int64], Scores]:
    """Return the k largest values of every row, ties by position."""
    row, column = np.nonzero(scores >= _low_bound(scores, k)[:, np.newaxis])
    value = scores[row, column]
    is_left = value > -np.inf
    row, column, value = row[is_left], column[is_left], value[is_left]
    order = np.lexsort((column, -value, row))
    row, column, value = row[order], column[order], value[order]
    place = np.arange(len(row)) - np.searchsorted(row, np.arange(len(scores)))[row]
    kept = place < k
    candidates = np.zeros((len(scores), k), dtype=np.int64)
    values = np.full((len(scores), k), -np.inf, dtype=scores.dtype)
    candidates[row[kept], place[kept]], values[row[kept], place[kept]] = column[kept], value[kept]
    return candidates, values


def _low_bound(scores: Scores, k: int) -> Scores:
    """Return a number per row that at least k of its values reach, and few more do: the k-th best group maximum.

    Finding it takes one pass over the row, where ordering the row takes several.
    """
    width = max(scores.shape[1] // (_GROUPS * k), 1)
    whole = scores.shape[1] // width * width
    best = scores[:, :whole].reshape(len(scores), whole // width, width).max(axis=2)
    bound: Scores = np.partition(best, best.shape[1] - k, axis=1)[:, best.shape[1] - k]
    return bound
