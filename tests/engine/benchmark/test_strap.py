"""STRAP against the dense inverse that it approximates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from engine.benchmark.strap import fit_strap, personalised_pagerank, proximity


def dense_pagerank(adjacency: np.ndarray, stop: float) -> np.ndarray:
    """Return stop (I - (1 - stop) P)^-1."""
    degree = np.maximum(adjacency.sum(axis=1, keepdims=True), 1)
    return stop * np.linalg.inv(np.eye(len(adjacency)) - (1 - stop) * adjacency / degree)


def test_pagerank_is_the_inverse_of_the_walk(prepared):
    adjacency = prepared.training.adjacency()
    exact = dense_pagerank(adjacency.toarray(), 0.3)
    found = personalised_pagerank(adjacency, stop=0.3, threshold=1e-7).toarray()
    assert found == pytest.approx(exact, abs=2e-7)


def test_pagerank_below_the_threshold_is_left_out(prepared):
    adjacency = prepared.training.adjacency()
    exact = dense_pagerank(adjacency.toarray(), 0.3)
    found = personalised_pagerank(adjacency, stop=0.3, threshold=0.01).toarray()
    assert found[exact < 0.0099].max() == 0
    assert found[exact > 0.0111] == pytest.approx(exact[exact > 0.0111], abs=1.1e-3)


def test_a_walk_on_a_chain_stops_at_every_step_with_one_probability():
    chain = sparse.csr_array(np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=np.float32))
    found = personalised_pagerank(chain, stop=0.5, threshold=1e-6).toarray()
    assert found == pytest.approx(np.array([[0.5, 0.25, 0.125], [0, 0.5, 0.25], [0, 0, 0.5]]), abs=1e-6)


def test_the_proximity_adds_the_walks_of_the_reversed_graph_and_takes_the_logarithm():
    ahead = sparse.csr_array(np.array([[0.5, 0.2], [0.0, 0.5]], dtype=np.float32))
    back = sparse.csr_array(np.array([[0.5, 0.0], [0.1, 0.004]], dtype=np.float32))
    found = proximity(ahead, back, threshold=0.01).toarray()
    expected = [[np.log(100), np.log(30)], [0, np.log(50)]]
    assert found == pytest.approx(np.array(expected), abs=1e-5)


def test_the_vectors_rebuild_the_proximity_at_full_rank(prepared):
    training = prepared.training
    scorer = fit_strap(training, dimension=training.num_nodes, seed=0)
    nodes = np.arange(training.num_nodes)
    errors = []
    for stop in (0.2, 0.5):
        for threshold in (1e-5, 1e-4, 1e-3):
            exact = dense_pagerank(training.adjacency().toarray(), stop)
            back = dense_pagerank(training.adjacency().toarray().T, stop)
            half = threshold / 2
            total = np.where(exact >= half, exact, 0) + np.where(back >= half, back, 0).T
            matrix = np.log(np.maximum(total / threshold, 1))
            errors.append(np.abs(scorer.rows(nodes) - matrix).mean() / matrix.mean())
    assert min(errors) < 0.05
