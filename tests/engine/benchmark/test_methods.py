"""Every method keeps the rules: no test edge, the same result twice, names that mean nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.benchmark import methods as methods_module
from engine.benchmark.digae import DirectedAutoencoder, SimpleDirectedAutoencoder
from engine.benchmark.gae import GraphAutoencoder
from engine.benchmark.magnet import MagneticNetwork
from engine.benchmark.methods import METHODS, chosen_methods, fit_method, missing_packages
from engine.benchmark.strap import fit_strap
from engine.errors import ConfigError
from engine.graph.data import training_graph

INSTALLED = [method for method in METHODS.values() if not missing_packages([method])]
ENCODERS = [
    lambda graph: GraphAutoencoder(graph, dimension=4, layers=2),
    lambda graph: DirectedAutoencoder(graph, dimension=4, alpha=0.3, beta=0.6),
    lambda graph: SimpleDirectedAutoencoder(graph, dimension=4, steps=2, layers=2),
]


@pytest.mark.slow
@pytest.mark.parametrize("method", INSTALLED, ids=lambda method: method.name)
def test_no_method_sees_a_test_edge_and_every_method_repeats_itself(prepared, method, haste):
    other = dataclasses.replace(
        prepared,
        heldout=dataclasses.replace(
            prepared.heldout,
            edge_index=prepared.heldout.edge_index[::-1] * 0,
            non_edge_index=prepared.heldout.non_edge_index[::-1],
        ),
    )
    nodes = np.arange(prepared.training.num_nodes)
    scores = [fit_method(method, one, seed=5).rows(nodes) for one in (prepared, other)]
    assert np.array_equal(scores[0], scores[1])
    assert np.isfinite(scores[0]).all()
    # The literal form may die on a graph as small as this: its vectors are all zero.
    assert method.name == "paper" or np.ptp(scores[0]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["als", "bpr", "gae", "gae_published", "digae", "sdgae", "dirgnn", "strap", "hope"])
def test_a_method_with_two_vectors_has_64_per_role_and_one_with_one_has_128(prepared, name, haste):
    if missing_packages([METHODS[name]]):
        pytest.skip("its package is not installed")
    scorer = fit_method(METHODS[name], prepared, seed=0)
    rank = prepared.training.num_nodes - 2
    assert scorer.source.shape == scorer.target.shape
    # A factorisation has no more vectors than the matrix, and BPR appends a bias.
    assert scorer.source.shape[1] in (
        {"gae": {128}, "gae_published": {128}, "bpr": {65}}.get(name, {64, min(64, rank)})
    )


def relabelled(training, order):
    """Return the graph with node order[i] called i."""
    place = np.argsort(order)
    return training_graph(place[training.edge_index], place[training.validation_edge_index], training.num_nodes)


def test_relabelling_nodes_permutes_the_scores_of_strap(prepared):
    training = prepared.training
    order = np.random.default_rng(0).permutation(training.num_nodes)
    nodes = np.arange(training.num_nodes)
    before = fit_strap(training, dimension=20, seed=0).rows(nodes)
    after = fit_strap(relabelled(training, order), dimension=20, seed=0).rows(nodes)
    assert after == pytest.approx(before[np.ix_(order, order)], abs=1e-3 * float(np.abs(before).max()))


@pytest.mark.parametrize("build", ENCODERS, ids=["gae", "digae", "sdgae"])
def test_relabelling_nodes_and_their_inputs_permutes_the_vectors(prepared, build):
    training = dataclasses.replace(prepared.training, features=None)
    order = np.random.default_rng(0).permutation(training.num_nodes)
    network, renamed = build(training), build(relabelled(training, order))
    renamed.load_state_dict(network.state_dict())
    with torch.no_grad():
        renamed.input.free.copy_(network.input.free[order])
    before = network(*network.operators(training.edge_index))
    after = renamed(*renamed.operators(np.argsort(order)[training.edge_index]))
    for one, other in zip(before, after, strict=True):
        assert torch.allclose(one[order], other, atol=1e-5)


@pytest.mark.parametrize("build", ENCODERS[1:], ids=["digae", "sdgae"])
def test_reversing_the_edges_and_swapping_the_roles_swaps_the_vectors(five, build):
    network = build(five)
    source, target = network(*network.operators(five.edge_index))
    swapped = build(five)
    exchange = {"source": "target", "target": "source"}
    state = {}
    for name, value in network.state_dict().items():
        role, _, rest = name.partition("_")
        state[f"{exchange[role]}_{rest}" if role in exchange else name] = value
    swapped.load_state_dict(state)
    if isinstance(swapped, DirectedAutoencoder):
        swapped.alpha, swapped.beta = network.beta, network.alpha
    other_source, other_target = swapped(*swapped.operators(five.edge_index[::-1].copy()))
    assert torch.allclose(source, other_target, atol=1e-6) and torch.allclose(target, other_source, atol=1e-6)


def test_a_network_of_complex_numbers_has_as_many_numbers_as_two_vectors(five):
    assert MagneticNetwork(five, dimension=64).source_class.in_features == 128


def test_methods_come_in_one_order_whatever_is_asked():
    assert [method.name for method in chosen_methods(["hope", "dual"])] == ["dual", "hope"]
    assert chosen_methods([]) == list(METHODS.values())


def test_an_unknown_method_is_refused():
    with pytest.raises(ConfigError, match="'--methods gravity' is unknown; allowed are dual, "):
        chosen_methods(["hope", "gravity"])


def test_a_missing_package_is_named_with_the_methods_that_need_it(monkeypatch):
    monkeypatch.setattr(methods_module, "find_spec", lambda name: None)
    missing = missing_packages(list(METHODS.values()))
    assert missing == {"implicit==0.7.3": ["ALS", "BPR"], "torch-geometric==2.8.1": ["Dir-GNN"]}


def test_the_requirements_of_the_methods_are_those_of_the_file(request):
    path = request.config.rootpath / "engine" / "benchmark" / "requirements.txt"
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(lines) == sorted({method.requirement for method in METHODS.values() if method.requirement})
