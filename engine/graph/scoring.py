"""What every method comes down to: a score for each directed pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.data import TrainingGraph

Scores = NDArray[np.float32]

_PAIRS = 2**18
"""Pairs whose vectors are gathered at a time."""


class Scorer(Protocol):
    """Score of u -> v, higher is more likely an edge."""

    def rows(self, nodes: NDArray[np.int64]) -> Scores:
        """Return the scores of every target for some sources, shape (len(nodes), num_nodes)."""

    def pairs(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> Scores:
        """Return the scores of some pairs, shape (len(source),)."""


@dataclass(frozen=True, slots=True)
class DirectionHead:
    """``log-odds(u -> v | one way) = scale (s_u @ t_v - s_v @ t_u) + potential[v] - potential[u]``.

    Swapping the two nodes changes the sign, so both directions of a pair have probabilities that add up to 1.
    """

    scale: np.float32
    potential: NDArray[np.float32]
    """How much a node is a target rather than a source, by its degrees, shape (num_nodes,)."""


@dataclass(frozen=True, slots=True)
class InnerProductScorer:
    """``score(u, v) = source[u] @ target[v] + target_offset[v] + source_offset[u] + pair_bonus[u, v]``.

    The source offset is the same for every target of a query, so it changes no ranking; it makes scores of different
    sources comparable.
    """

    source: NDArray[np.float32]
    """Source embedding, shape (num_nodes, dimension); the dimension may be 0."""
    target: NDArray[np.float32]
    """Target embedding, shape (num_nodes, dimension)."""
    target_offset: NDArray[np.float32]
    """Shape (num_nodes,)."""
    source_offset: NDArray[np.float32]
    """Shape (num_nodes,)."""
    pair_bonus: sparse.csr_array | None = None
    """What single pairs get on top, shape (num_nodes, num_nodes), few entries: those whose reversal is an edge."""
    direction_head: DirectionHead | None = None
    """What tells the direction of a pair; without it the scores of both directions do."""

    def rows(self, nodes: NDArray[np.int64]) -> Scores:
        """Return the scores of every target for some sources, shape (len(nodes), num_nodes)."""
        scores: Scores = self.source[nodes] @ self.target.T
        scores += self.target_offset
        scores += self.source_offset[nodes, np.newaxis]
        if self.pair_bonus is not None:
            bonus = self.pair_bonus[nodes]
            scores[np.repeat(np.arange(len(nodes)), np.diff(bonus.indptr)), bonus.indices] += bonus.data
        return scores

    def pairs(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> Scores:
        """Return the scores of some pairs, shape (len(source),)."""
        inner = self.inner_products(source, target)
        scores: Scores = inner + self.target_offset[target] + self.source_offset[source]
        return scores if self.pair_bonus is None else scores + entries(self.pair_bonus, source, target)

    def direction(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> Scores:
        """Return the log-odds that some pairs point this way, given that they point one way only.

        Shape (len(source),). Without a head: the score of the pair less that of its reversal, on no scale.
        """
        if self.direction_head is None:
            return self.pairs(source, target) - self.pairs(target, source)
        head = self.direction_head
        inner = self.inner_products(source, target) - self.inner_products(target, source)
        logit: Scores = head.scale * inner + head.potential[target] - head.potential[source]
        return logit

    def inner_products(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> Scores:
        """Return what the embeddings alone say of some pairs, without the offsets, shape (len(source),)."""
        inner: Scores = np.empty(len(source), dtype=np.result_type(self.source, self.target))
        for begin in range(0, len(source), _PAIRS):
            some = slice(begin, begin + _PAIRS)
            inner[some] = np.einsum("ij,ij->i", self.source[source[some]], self.target[target[some]])
        return inner

    def transposed(self) -> InnerProductScorer:
        """Return the scorer of the reversed graph: its rows hold the scores of every source for some targets."""
        bonus = None if self.pair_bonus is None else sparse.csr_array(self.pair_bonus.T)
        return InnerProductScorer(self.target, self.source, self.source_offset, self.target_offset, bonus)


def offset_scorer(target_offset: NDArray[np.float64], source_offset: NDArray[np.float64]) -> InnerProductScorer:
    """Return a scorer without embeddings: one number per node and role.

    Parameters
    ----------
    target_offset, source_offset : ndarray of shape (num_nodes,)

    Returns
    -------
    InnerProductScorer
    """
    empty = np.zeros((len(target_offset), 0), dtype=np.float32)
    return InnerProductScorer(empty, empty, target_offset.astype(np.float32), source_offset.astype(np.float32))


def entries(matrix: sparse.csr_array, row: NDArray[np.int64], column: NDArray[np.int64]) -> Scores:
    """Return single entries of a sparse matrix, 0 where none is stored.

    Parameters
    ----------
    matrix : csr_array of shape (n, n)
        Without repeated entries.
    row, column : ndarray of shape (m,), int64

    Returns
    -------
    ndarray of shape (m,), float32
    """
    if len(row) == 0:
        return np.zeros(0, dtype=np.float32)
    found: Scores = np.asarray(matrix[row, column], dtype=np.float32).ravel()
    return found


@dataclass(frozen=True, slots=True)
class CocitationScorer:
    """``score(u, v) = (A Aᵀ A)[u, v]``: how often nodes that share targets with u lead to v."""

    adjacency: sparse.csr_array
    transposed: sparse.csr_array
    """A Aᵀ is never held as a whole: a target of many makes as many pairs of sources as the square of its degree."""

    @classmethod
    def of(cls, training: TrainingGraph) -> CocitationScorer:
        """Count over the training edges."""
        adjacency = training.adjacency()
        return cls(adjacency, sparse.csr_array(adjacency.T))

    def rows(self, nodes: NDArray[np.int64]) -> Scores:
        """Return the scores of every target for some sources, shape (len(nodes), num_nodes)."""
        scores: Scores = (self.adjacency[nodes] @ self.transposed @ self.adjacency).toarray()
        return scores

    def pairs(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> Scores:
        """Return the scores of some pairs, shape (len(source),)."""
        shared_targets = self.adjacency[source] @ self.transposed
        scores: Scores = shared_targets.multiply(self.transposed[target]).sum(axis=1)
        return np.asarray(scores, dtype=np.float32).ravel()
