"""Factorisations with nodes as users and as items."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("implicit", exc_type=ImportError)

from engine.benchmark import factors
from engine.benchmark.factors import fit_als, fit_bpr


def test_als_solves_its_normal_equations(prepared, monkeypatch):
    """The last half step solves every target vector exactly: (SᵀC_vS + λI) t = SᵀC_v p, with C = 1 + α per edge."""
    monkeypatch.setattr(factors, "ALS_WEIGHTS", (3.0,))
    monkeypatch.setattr(factors, "ALS_PENALTIES", (0.5,))
    training = prepared.training
    scorer = fit_als(training, dimension=5, seed=0)
    adjacency = training.adjacency().toarray().astype(float)
    source = scorer.source.astype(float)
    errors = []
    for v in np.flatnonzero(training.in_degree):
        confidence = np.where(adjacency[:, v] > 0, 3.0, 1.0)
        left = source.T @ (confidence[:, np.newaxis] * source) + 0.5 * np.eye(5)
        exact = np.linalg.solve(left, source.T @ (confidence * adjacency[:, v]))
        errors.append(np.abs(scorer.target[v] - exact).max())
    # The package takes three steps of conjugate gradients in place of a solver.
    assert np.median(errors) < 0.02


@pytest.mark.parametrize("fit", [fit_als, fit_bpr])
def test_edges_score_above_other_pairs(prepared, fit):
    training = prepared.training
    scores = fit(training, dimension=16, seed=0).rows(np.arange(training.num_nodes))
    is_edge = training.adjacency().toarray() > 0
    assert np.median(scores[is_edge]) > np.quantile(scores[~is_edge], 0.9)
