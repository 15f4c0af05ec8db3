"""Graph networks of others propagate as their equations say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse

from engine.benchmark.digae import DirectedAutoencoder, SimpleDirectedAutoencoder
from engine.benchmark.gae import GraphAutoencoder
from engine.benchmark.propagation import normalised_adjacency, undirected
from engine.graph.data import training_graph
from engine.graph.features import NodeFeatures

ADJACENCY = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]])


def scaled(adjacency: np.ndarray, out_power: float, in_power: float) -> np.ndarray:
    """Return D_out^-a (A + I) D_in^-b with loops over the entries."""
    looped = adjacency + np.eye(len(adjacency))
    result = np.zeros_like(looped)
    for u in range(len(looped)):
        for v in range(len(looped)):
            result[u, v] = looped[u, v] / (looped[u].sum() ** out_power * looped[:, v].sum() ** in_power)
    return result


def numbers(parameter: torch.Tensor) -> np.ndarray:
    """Return a parameter as an array."""
    return parameter.detach().numpy()


def test_the_adjacency_is_scaled_by_degrees_with_the_self_loop(five):
    found = normalised_adjacency(five.edge_index, 5, out_power=0.2, in_power=0.7).toarray()
    assert found == pytest.approx(scaled(ADJACENCY, 0.2, 0.7), abs=1e-6)


def test_an_undirected_graph_has_every_pair_once_in_each_direction(five):
    pairs = set(map(tuple, undirected(five.edge_index).T.tolist()))
    assert pairs == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1), (2, 3), (3, 2)}
    assert undirected(five.edge_index).shape[1] == 8


def test_digae_passes_target_vectors_ahead_and_source_vectors_back(five):
    network = DirectedAutoencoder(five, dimension=3, alpha=0.3, beta=0.6)
    source, target = network(*network.operators(five.edge_index))
    ahead = scaled(ADJACENCY, 0.6, 0.3)
    s = t = numbers(network.input.free)
    for place in range(2):
        source_weight = numbers(network.source_layer[place].weight).T
        target_weight = numbers(network.target_layer[place].weight).T
        s, t = ahead @ t @ target_weight, ahead.T @ s @ source_weight
        s, t = (np.maximum(s, 0), np.maximum(t, 0)) if place == 0 else (s, t)
    assert numbers(source) == pytest.approx(s, abs=1e-6)
    assert numbers(target) == pytest.approx(t, abs=1e-6)


def test_sdgae_adds_weighted_steps_to_vectors_that_are_mapped_once(five):
    network = SimpleDirectedAutoencoder(five, dimension=3, steps=2, layers=1)
    with torch.no_grad():
        network.source_weight.copy_(torch.tensor([0.5, 2.0]))
        network.target_weight.copy_(torch.tensor([-1.0, 0.3]))
    source, target = network(*network.operators(five.edge_index))
    ahead = scaled(ADJACENCY, 0.5, 0.5)
    given = torch.from_numpy(numbers(network.input.free))
    s, t = numbers(network.source_map(given)), numbers(network.target_map(given))
    for w, v in ((0.5, -1.0), (2.0, 0.3)):
        s, t = s + w * ahead @ t, t + v * ahead.T @ s
    assert numbers(source) == pytest.approx(s, abs=1e-5)
    assert numbers(target) == pytest.approx(t, abs=1e-5)


def test_the_graph_autoencoder_sees_no_direction(five):
    network = GraphAutoencoder(five, dimension=3, layers=2)
    both = ((ADJACENCY + ADJACENCY.T) > 0).astype(float)
    hidden = numbers(network.input.free)
    for place in range(2):
        hidden = scaled(both, 0.5, 0.5) @ hidden @ numbers(network.layer[place].weight).T
        hidden = np.maximum(hidden, 0) if place == 0 else hidden
    source, target = network(*network.operators(five.edge_index))
    assert numbers(source) == pytest.approx(hidden, abs=1e-6)
    assert numbers(target) == pytest.approx(hidden, abs=1e-6)
    reversed_source, _ = network(*network.operators(five.edge_index[::-1]))
    assert torch.equal(source, reversed_source)


def test_features_enter_the_input_through_a_learned_map(five):
    matrix = sparse.csr_array(np.array([[3, 4], [0, 0], [1, 0], [0, 2], [0, 0]], dtype=np.float32))
    known = training_graph(five.edge_index, five.validation_edge_index, 5, NodeFeatures(matrix, ("a", "b")))
    network = GraphAutoencoder(known, dimension=3, layers=1)
    unit = np.array([[0.6, 0.8], [0, 0], [1, 0], [0, 1], [0, 0]])
    expected = numbers(network.input.free) + unit @ numbers(network.input.feature_map)
    assert numbers(network.input()) == pytest.approx(expected, abs=1e-6)


def test_dirgnn_averages_along_and_against_the_edges(five):
    pytest.importorskip("torch_geometric", exc_type=ImportError)
    from engine.benchmark.dirgnn import DirectionalNetwork

    network = DirectionalNetwork(five, dimension=3, layers=1)
    layer, given = network.layer[0], numbers(network.input.free)
    ahead = ADJACENCY / np.maximum(ADJACENCY.sum(axis=1, keepdims=True), 1)
    back = ADJACENCY.T / np.maximum(ADJACENCY.T.sum(axis=1, keepdims=True), 1)

    def mapped(conv: torch.nn.Module, values: np.ndarray) -> np.ndarray:
        return values @ numbers(conv.lin_l.weight).T + numbers(conv.lin_l.bias)

    hidden = 0.5 * mapped(layer.conv_out, ahead @ given) + 0.5 * mapped(layer.conv_in, back @ given)
    hidden += given @ numbers(layer.lin.weight).T + numbers(layer.lin.bias)
    source, target = network(*network.operators(five.edge_index))
    assert numbers(source) == pytest.approx(hidden @ numbers(network.source_map.weight).T, abs=1e-5)
    assert numbers(target) == pytest.approx(hidden @ numbers(network.target_map.weight).T, abs=1e-5)
