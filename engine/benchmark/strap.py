"""STRAP-like factorisation of personalised PageRank on the graph and on its reversal."""

from __future__ import annotations

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
_LEAST_MASS = 1e-7


def personalised_pagerank(adjacency: sparse.csr_array, *, stop: float, threshold: float) -> sparse.csr_array:
    """Return the probability that a random walk from u stops at v, where it is at least a threshold.

    π = sum over k of stop (1 - stop)^k P^k, with P the row-normalised adjacency; a walk is lost where no edge leads on.

    Parameters
    ----------
    adjacency : csr_array of shape (num_nodes, num_nodes)
    stop, threshold : float, in (0, 1)

    Returns
    -------
    csr_array of shape (num_nodes, num_nodes), float64
    """
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    step = sparse.csr_array(sparse.diags_array(1 / np.maximum(degree, 1)) @ adjacency.astype(np.float64))
    terms = int(np.ceil(np.log(_LEAST_MASS) / np.log(1 - stop)))
    return sparse.vstack(
        [_block(step, begin, stop, threshold, terms) for begin in range(0, adjacency.shape[0], _ROWS)]
    ).tocsr()


def proximity(adjacency: sparse.csr_array, *, stop: float, threshold: float) -> sparse.csr_array:
    """Return log((π + π'ᵀ) / threshold) where it is positive, else 0; π' is the PageRank of the reversed graph."""
    ahead = personalised_pagerank(adjacency, stop=stop, threshold=threshold / 2)
    back = personalised_pagerank(sparse.csr_array(adjacency.T), stop=stop, threshold=threshold / 2)
    total = sparse.csr_array(ahead + back.T)
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
    fitted = (
        _factorised(proximity(adjacency, stop=stop, threshold=threshold), rank, start)
        for stop in STOPS
        for threshold in THRESHOLDS
    )
    return best_on_validation(fitted, training)


def _block(step: sparse.csr_array, begin: int, stop: float, threshold: float, terms: int) -> sparse.csr_array:
    """Return the PageRank rows of some nodes."""
    nodes = np.arange(begin, min(begin + _ROWS, step.shape[0]))
    walkers = np.zeros((len(nodes), step.shape[0]))
    walkers[np.arange(len(nodes)), nodes] = 1.0
    stopped = stop * walkers
    for _ in range(terms):
        walkers = (1 - stop) * (walkers @ step)
        stopped += stop * walkers
    stopped[stopped < threshold] = 0
    return sparse.csr_array(stopped)


def _factorised(matrix: sparse.csr_array, rank: int, start: np.ndarray) -> InnerProductScorer:
    """Return the best factorisation of one rank."""
    left, sigma, right = svds(matrix, k=rank, v0=start)
    root = np.sqrt(np.maximum(sigma, 0))
    nothing = np.zeros(matrix.shape[0], dtype=np.float32)
    return InnerProductScorer((left * root).astype(np.float32), (right.T * root).astype(np.float32), nothing, nothing)
