"""STRAP-like factorisation of personalised PageRank on the graph and on its reversal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from engine.benchmark.choice import best_on_validation
from engine.graph.data import TrainingGraph
from engine.graph.scoring import InnerProductScorer
from engine.seeding import generator

STOPS = (0.2, 0.5)
"""Candidates for the probability that a walk stops at a step."""
THRESHOLDS = (1e-5, 1e-4, 1e-3)
"""Candidates for the proximity below which a pair counts as unrelated."""
_ROWS = 512


def personalised_pagerank(adjacency: sparse.csr_array, *, stop: float, threshold: float) -> sparse.csr_array:
    """Return the probability that a random walk from u stops at v, where it is at least a threshold.

    π = sum over k of stop (1 - stop)^k P^k, with P the row-normalised adjacency; a walk is lost where no edge leads on.

    Parameters
    ----------
    adjacency : csr_array of shape (num_nodes, num_nodes)
    stop, threshold : float, in (0, 1)

    Returns
    -------
    csr_array of shape (num_nodes, num_nodes), float32
    """
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    step = sparse.csr_array((sparse.diags_array(1 / np.maximum(degree, 1)) @ adjacency).T, dtype=np.float32)
    # What is left of a walk after these steps is a tenth of the threshold.
    terms = int(np.ceil(np.log(threshold / 10) / np.log(1 - stop)))
    begins = range(0, adjacency.shape[0], _ROWS)
    return sparse.csr_array(sparse.vstack([_block(step, begin, stop, threshold, terms) for begin in begins]))


def proximity(ahead: sparse.csr_array, back: sparse.csr_array, *, threshold: float) -> sparse.csr_array:
    """Return log((π + π'ᵀ) / threshold) where it is positive, else 0.

    Parameters
    ----------
    ahead, back : csr_array of shape (num_nodes, num_nodes)
        π of the graph, π' of the reversed graph.
    threshold : float, in (0, 1)
        A summand below half of it is left out.

    Returns
    -------
    csr_array of shape (num_nodes, num_nodes), float64
    """
    total = sparse.csr_array(_cut(ahead, threshold / 2) + _cut(back, threshold / 2).T, dtype=np.float64)
    total.data = np.log(np.maximum(total.data / threshold, 1.0))
    total.eliminate_zeros()
    return total


def fit_strap(training: TrainingGraph, *, dimension: int, seed: int) -> InnerProductScorer:
    """Factorise the proximity of a directed graph into source and target vectors.

    M ~ U diag(sigma) Vᵀ, source = U sqrt(sigma), target = V sqrt(sigma).

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose among `STOPS` and `THRESHOLDS`.
    dimension : int
        Length per role; at most num_nodes - 2 are used.
    seed : int

    Returns
    -------
    InnerProductScorer

    References
    ----------
    Yin and Wei (2019), Scalable graph embeddings via sparse transpose proximities (KDD), arXiv 1905.07245.
    Deviations: power iteration instead of backward push, a Lanczos instead of a randomised factorisation.
    """
    adjacency = training.adjacency()
    start = generator(seed, "benchmark", "strap").standard_normal(training.num_nodes)
    rank = min(dimension, training.num_nodes - 2)

    def candidates() -> Iterator[InnerProductScorer]:
        for stop in STOPS:
            ahead, back = (
                personalised_pagerank(sparse.csr_array(matrix), stop=stop, threshold=min(THRESHOLDS) / 2)
                for matrix in (adjacency, adjacency.T)
            )
            for threshold in THRESHOLDS:
                yield _factorised(proximity(ahead, back, threshold=threshold), rank, start)

    return best_on_validation(candidates(), training)


def _block(step: sparse.csr_array, begin: int, stop: float, threshold: float, terms: int) -> sparse.csr_array:
    """Return the PageRank rows of some nodes; `step` is the transposed transition matrix."""
    nodes = np.arange(begin, min(begin + _ROWS, step.shape[0]))
    walkers = np.zeros((step.shape[0], len(nodes)), dtype=np.float32)
    walkers[nodes, np.arange(len(nodes))] = 1.0
    stopped = stop * walkers
    for _ in range(terms):
        walkers = (1 - stop) * (step @ walkers)
        stopped += stop * walkers
    return _cut(sparse.csr_array(stopped.T), threshold)


def _cut(matrix: sparse.csr_array, threshold: float) -> sparse.csr_array:
    """Drop the entries below a threshold."""
    kept = matrix.copy()
    kept.data[kept.data < threshold] = 0
    kept.eliminate_zeros()
    return kept


def _factorised(matrix: sparse.csr_array, rank: int, start: np.ndarray) -> InnerProductScorer:
    """Return the best factorisation of one rank."""
    left, sigma, right = svds(matrix, k=rank, v0=start)
    root = np.sqrt(np.maximum(sigma, 0))
    nothing = np.zeros(matrix.shape[0], dtype=np.float32)
    return InnerProductScorer((left * root).astype(np.float32), (right.T * root).astype(np.float32), nothing, nothing)
