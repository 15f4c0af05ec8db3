"""Matrix factorisation with nodes as users and as items: implicit ALS and BPR."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from engine.benchmark.choice import best_on_validation
from engine.graph.data import TrainingGraph
from engine.graph.scoring import InnerProductScorer
from engine.seeding import generator

ALS_WEIGHTS = (1.0, 10.0, 40.0)
"""Candidates for the confidence of an edge against a pair without one."""
ALS_PENALTIES = (0.1, 1.0, 10.0)
ALS_ROUNDS = 15
BPR_RATES = (0.02, 0.1)
BPR_PENALTIES = (0.003, 0.03)
BPR_ROUNDS = (100, 400)


def fit_als(training: TrainingGraph, *, dimension: int, seed: int) -> InnerProductScorer:
    """Fit alternating least squares to the adjacency matrix: source vectors as users, target vectors as items.

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose among `ALS_WEIGHTS` and `ALS_PENALTIES`.
    dimension : int
        Length per role.
    seed : int

    Returns
    -------
    InnerProductScorer

    References
    ----------
    Hu, Koren and Volinsky (2008), Collaborative filtering for implicit feedback datasets (ICDM), by the package
    `implicit`.
    """
    from implicit.cpu.als import AlternatingLeastSquares

    seeded = int(generator(seed, "benchmark", "als").integers(2**31))
    return best_on_validation(
        (
            _factors(
                AlternatingLeastSquares(
                    factors=dimension,
                    alpha=weight,
                    regularization=penalty,
                    iterations=ALS_ROUNDS,
                    num_threads=1,
                    random_state=seeded,
                ),
                training,
            )
            for weight, penalty in product(ALS_WEIGHTS, ALS_PENALTIES)
        ),
        training,
    )


def fit_bpr(training: TrainingGraph, *, dimension: int, seed: int) -> InnerProductScorer:
    """Fit Bayesian personalised ranking: the targets of a node above the nodes that it does not point to.

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose among `BPR_RATES`, `BPR_PENALTIES` and `BPR_ROUNDS`.
    dimension : int
        Length per role; the package appends a bias per item.
    seed : int

    Returns
    -------
    InnerProductScorer

    References
    ----------
    Rendle et al. (2009), BPR: Bayesian personalized ranking from implicit feedback (UAI), by the package `implicit`.
    """
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    seeded = int(generator(seed, "benchmark", "bpr").integers(2**31))
    return best_on_validation(
        (
            _factors(
                BayesianPersonalizedRanking(
                    factors=dimension,
                    learning_rate=rate,
                    regularization=penalty,
                    iterations=rounds,
                    num_threads=1,
                    random_state=seeded,
                ),
                training,
            )
            for rate, penalty, rounds in product(BPR_RATES, BPR_PENALTIES, BPR_ROUNDS)
        ),
        training,
    )


def _factors(model: Any, training: TrainingGraph) -> InnerProductScorer:
    """Fit a model of the package to the training edges and return its vectors."""
    with threadpool_limits(limits=1, user_api="blas"):
        model.fit(sparse.csr_matrix(training.adjacency()), show_progress=False)
    nothing = np.zeros(training.num_nodes, dtype=np.float32)
    return InnerProductScorer(model.user_factors, model.item_factors, nothing, nothing)
