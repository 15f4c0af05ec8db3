"""Cheap peers that every trained method has to beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, svds

from engine.graph.data import TrainingGraph
from engine.graph.heads import degree_features, fit_direction
from engine.graph.ranks import excluded_candidates, pair_ranks
from engine.graph.scoring import CocitationScorer, InnerProductScorer, Scorer, offset_scorer
from engine.seeding import generator

KATZ_DECAYS = (0.1, 0.5, 0.9)
"""Candidates for the decay of HOPE, as a share of the largest value at which its series converges."""
CHOICE_EDGES = 5000
"""Most validation edges that are ranked to choose the decay."""
_KATZ_TERMS = 10


def fit_baseline(method: str, training: TrainingGraph, *, dimension: int, seed: int) -> Scorer:
    """Fit one baseline by its name.

    Parameters
    ----------
    method : {"popularity", "cocitation", "hope", "degree_head"}
    training : TrainingGraph
    dimension : int
        Length of HOPE's vectors per role.
    seed : int

    Returns
    -------
    Scorer
    """
    if method == "popularity":
        return popularity(training)
    if method == "cocitation":
        return CocitationScorer.of(training)
    if method == "degree_head":
        return degree_head(training)
    return hope(training, dimension=dimension, rng=generator(seed, "graph", "hope"))


def popularity(training: TrainingGraph) -> InnerProductScorer:
    """Score every target by its in-degree, whatever the query.

    Parameters
    ----------
    training : TrainingGraph

    Returns
    -------
    InnerProductScorer
    """
    return offset_scorer(training.in_degree.astype(np.float64), np.zeros(training.num_nodes))


def hope(training: TrainingGraph, *, dimension: int, rng: np.random.Generator) -> InnerProductScorer:
    """Factorise the Katz proximity of the directed graph into source and target vectors.

    S = sum over k = 1..10 of (beta A)^k, S ~ U diag(sigma) Vᵀ, source = U sqrt(sigma), target = V sqrt(sigma).

    Parameters
    ----------
    training : TrainingGraph
        beta is the candidate of `KATZ_DECAYS` with the best mean reciprocal rank on its validation edges,
        or on `CHOICE_EDGES` random ones of more.
    dimension : int
        Vectors per role; at most num_nodes - 2 are used.
    rng : numpy.random.Generator
        Start vector of the factorisation.

    Returns
    -------
    InnerProductScorer

    References
    ----------
    Ou et al. (2016), Asymmetric transitivity preserving graph embedding (KDD), eq. 5 with Katz. Deviation: the
    series is cut after 10 terms instead of inverting I - beta A.
    """
    adjacency = training.adjacency().astype(np.float64)
    start = rng.standard_normal(training.num_nodes)
    rank = min(dimension, training.num_nodes - 2)
    largest = svds(adjacency, k=1, v0=start, return_singular_vectors=False)[0]
    fitted = [_katz_vectors(adjacency, decay / largest, rank, start) for decay in KATZ_DECAYS]
    excluded = excluded_candidates(training.edge_index, training.num_nodes)
    asked = training.validation_edge_index
    if asked.shape[1] > CHOICE_EDGES:
        asked = asked[:, rng.permutation(asked.shape[1])[:CHOICE_EDGES]]
    quality = [(1 / pair_ranks(scorer, asked, excluded)).mean() for scorer in fitted]
    return fitted[int(np.argmax(quality))]


def degree_head(training: TrainingGraph) -> InnerProductScorer:
    """Fit a potential p of the degrees alone, so that one-way edges climb it: score(u, v) = p_v - p_u.

    p_u = w . (log(1 + d_in), log(1 + d_out), [d_in = 0], [d_out = 0]); w by logistic regression on one-way
    validation edges, which are not in the degrees themselves.

    Parameters
    ----------
    training : TrainingGraph

    Returns
    -------
    InnerProductScorer
        Scores only direction: its ranking of targets is that of the potential. All 0 without a one-way validation
        edge.
    """
    nothing = np.zeros(training.num_nodes)
    _, weight = fit_direction(offset_scorer(nothing, nothing), training)
    potential = degree_features(training) @ weight
    return offset_scorer(potential, -potential)


def _katz_vectors(
    adjacency: sparse.csr_array, decay: float, rank: int, start: NDArray[np.float64]
) -> InnerProductScorer:
    """Factorise the cut Katz series at one decay."""
    transposed = sparse.csr_array(adjacency.T)

    def series(matrix: sparse.csr_array, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        total = term = decay * (matrix @ vector)
        for _ in range(_KATZ_TERMS - 1):
            term = decay * (matrix @ term)
            total = total + term
        return total

    operator = LinearOperator(
        adjacency.shape,
        matvec=lambda vector: series(adjacency, vector),
        rmatvec=lambda vector: series(transposed, vector),
        dtype=np.float64,
    )
    left, sigma, right = svds(operator, k=rank, v0=start)
    root = np.sqrt(np.maximum(sigma, 0))
    nothing = np.zeros(adjacency.shape[0], dtype=np.float32)
    return InnerProductScorer((left * root).astype(np.float32), (right.T * root).astype(np.float32), nothing, nothing)
