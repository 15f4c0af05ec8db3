"""MagNet's Laplacian and layers against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from engine.benchmark.magnet import MagneticNetwork, PairClassScorer, magnetic_laplacian
from engine.graph.model import sparse_tensor


@given(
    st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda p: p[0] != p[1]), min_size=1),
    st.floats(0, 0.25),
)
def test_the_laplacian_is_hermitian_with_eigenvalues_from_0_to_2(pairs, charge):
    laplacian = magnetic_laplacian(np.array(sorted(pairs)).T, 7, charge).toarray()
    assert np.abs(laplacian - laplacian.conj().T).max() < 1e-12
    values = np.linalg.eigvalsh(laplacian)
    assert values.min() > -1e-9 and values.max() < 2 + 1e-9


def test_the_laplacian_of_a_one_way_edge_turns_by_the_charge():
    laplacian = magnetic_laplacian(np.array([[0], [1]]), 3, 0.25).toarray()
    assert laplacian == pytest.approx(np.array([[1, -1j, 0], [1j, 1, 0], [0, 0, 1]]), abs=1e-12)


def test_the_laplacian_of_a_mutual_pair_is_real_at_every_charge():
    laplacian = magnetic_laplacian(np.array([[0, 1], [1, 0]]), 2, 0.15).toarray()
    assert laplacian == pytest.approx(np.array([[1, -1], [-1, 1]]), abs=1e-12)


def test_without_charge_it_is_the_laplacian_of_the_undirected_graph(five):
    both = np.zeros((5, 5))
    both[five.edge_index[0], five.edge_index[1]] = 1
    both = (both + both.T) / 2
    root = np.diag([1 / np.sqrt(d) if d > 0 else 0 for d in both.sum(axis=1)])
    found = magnetic_laplacian(five.edge_index, 5, 0.0).toarray()
    assert found == pytest.approx(np.eye(5) - root @ both @ root, abs=1e-7)


def test_the_layers_compute_with_complex_numbers(five):
    network = MagneticNetwork(five, dimension=3)
    shifted = magnetic_laplacian(five.edge_index, 5, 0.2).toarray() - np.eye(5)
    z = network.input.free.detach().numpy().astype(complex)
    for own, other in zip(network.own, network.shifted, strict=True):
        bias = own.bias.detach().numpy() * (1 + 1j)
        z = z @ own.weight.detach().numpy().T + bias + shifted @ z @ other.weight.detach().numpy().T
        z = np.where(z.real >= 0, z, 0)
    unwound = torch.from_numpy(np.concatenate([z.real, z.imag], axis=1)).float()
    operators = (sparse_tensor(sparse.csr_array(shifted.real)), sparse_tensor(sparse.csr_array(shifted.imag)))
    source, target = network(*operators)
    assert torch.allclose(source, network.source_class(unwound), atol=1e-5)
    assert torch.allclose(target, network.target_class(unwound), atol=1e-5)


def test_the_score_is_the_logarithm_of_the_chance_of_an_edge_ahead():
    scorer = PairClassScorer(np.array([[1.0, 0, 0], [0, 0, 0]]), np.array([[0, 0, 0], [0, np.log(2), 0]]))
    ahead = np.exp(scorer.pairs(np.array([0, 1]), np.array([1, 1])))
    assert ahead == pytest.approx([np.e / (np.e + 3), 1 / 4], abs=1e-6)
    assert scorer.rows(np.array([0]))[0, 1] == pytest.approx(scorer.pairs(np.array([0]), np.array([1]))[0])
