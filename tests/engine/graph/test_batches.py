"""An epoch deals its supervised edges out to steps and workers, and cuts the messages to the nodes of a step."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.distributed import Workers
from engine.errors import ConfigError
from engine.graph.batches import batch_size_of, epochs, local_operators
from engine.graph.ranks import excluded_candidates
from engine.graph.sampling import fan_out_of, operators

SIZES = {"max_neighbours": 6, "min_neighbours": 2, "neighbour_bias": 1.0}


@pytest.fixture
def training(prepared):
    """Return the training graph."""
    return prepared.training


def epochs_of(training, config, sampling="full"):
    """Return the epochs of a training."""
    known = excluded_candidates(training.edge_index, training.num_nodes)
    return epochs(training, known, fan_out_of(training, sampling, **SIZES), config)


def test_the_steps_of_an_epoch_hold_every_supervised_edge_once(training, quick):
    config = dataclasses.replace(quick, batch_size=64)
    carried = set()
    for steps in (list(epoch) for epoch in epochs_of(training, config)):
        edges = np.concatenate([batch.nodes[batch.edges.numpy()] for batch in steps], axis=1)
        supervised = set(map(tuple, edges.T.tolist()))
        assert len(supervised) == edges.shape[1] == sum(batch.edge_count for batch in steps)
        assert supervised <= set(map(tuple, training.edge_index.T.tolist()))
        assert max(batch.edge_count for batch in steps) <= 64 and len(steps) > 3
        carried.add(frozenset(supervised))
    assert len(carried) == config.epochs


def test_a_step_masks_known_targets_and_names_the_nodes_of_its_edges(training, quick):
    known = set(map(tuple, training.edge_index.T.tolist()))
    for batch in next(epochs_of(training, dataclasses.replace(quick, batch_size=100), "adaptive")):
        queries, negatives = batch.nodes[batch.queries.numpy()], batch.nodes[batch.negatives.numpy()]
        naive = [[v == u or (u, v) in known for v in negatives.tolist()] for u in queries.tolist()]
        assert batch.is_masked.tolist() == naive
        assert (queries[batch.query.numpy()] == batch.nodes[batch.edges[0].numpy()]).all()


@pytest.mark.parametrize("size", [0, 100])
def test_degrees_and_reversals_count_message_edges_alone(training, quick, size):
    steps = list(next(epochs_of(training, dataclasses.replace(quick, batch_size=size, message_share=0.4))))
    everyone = np.arange(training.num_nodes)
    taking_part = [everyone if batch.nodes is None else batch.nodes for batch in steps]
    supervised = {
        pair
        for nodes, batch in zip(taking_part, steps, strict=True)
        for pair in map(tuple, nodes[batch.edges.numpy()].T.tolist())
    }
    messages = set(map(tuple, training.edge_index.T.tolist())) - supervised
    share = len(messages) / training.edge_index.shape[1]
    assert share == pytest.approx(0.4, abs=0.01)
    in_degree = np.array([sum(v == node for _, v in messages) for node in everyone])
    found = []
    for nodes, batch in zip(taking_part, steps, strict=True):
        assert batch.in_degree.numpy() == pytest.approx(in_degree[nodes] / share)
        edges = nodes[batch.edges.numpy()].T.tolist()
        queries, negatives = nodes[batch.queries.numpy()].tolist(), nodes[batch.negatives.numpy()].tolist()
        assert batch.reversed_edge.tolist() == [float((v, u) in messages) for u, v in edges]
        naive = [[float((v, u) in messages) for v in negatives] for u in queries]
        assert batch.reversed_negative.tolist() == naive
        found += batch.reversed_edge.tolist() + [value for row in naive for value in row]
    assert 0 < np.mean(found) < 1


def test_local_operators_keep_rows_of_seeds_and_columns_in_use(five):
    drawn = operators(five.edge_index, 5, fan_out_of(five, "full", **SIZES), np.random.default_rng(0))
    # Node 3 leads to 2 and is led to by 2; node 4 is alone.
    nodes, out_neighbours, in_neighbours = local_operators(np.array([3, 4]), *drawn)
    assert nodes.tolist() == [3, 4, 2]
    assert out_neighbours.to_dense().tolist() == [[0, 0, 1], [0, 0, 0]]
    assert in_neighbours.to_dense().tolist() == [[0, 0, 1], [0, 0, 0]]


def test_large_graphs_take_several_steps_unless_told_otherwise(quick):
    assert batch_size_of(quick, 1_000_000) == 0
    assert batch_size_of(quick, 1_000_001) == 65_536
    assert batch_size_of(dataclasses.replace(quick, batch_size=0), 10_000_000) == 0
    assert batch_size_of(dataclasses.replace(quick, batch_size=500), 100) == 500


def test_workers_share_the_edges_of_every_step_and_agree_on_all_else(training, quick, monkeypatch):
    config = dataclasses.replace(quick, batch_size=100)
    monkeypatch.setattr("engine.graph.batches.workers", Workers)
    alone = list(next(epochs_of(training, config)))
    dealt = []
    for rank in range(3):
        monkeypatch.setattr("engine.graph.batches.workers", lambda rank=rank: Workers(rank=rank, size=3))
        dealt.append(list(next(epochs_of(training, config))))
    for whole, *shares in zip(alone, *dealt, strict=True):
        edges = [batch.nodes[batch.edges.numpy()] for batch in (whole, *shares)]
        assert sorted(edges[0].T.tolist()) == sorted(np.concatenate(edges[1:], axis=1).T.tolist())
        assert sum(batch.share for batch in shares) == pytest.approx(1)
        one_way = [int(batch.is_one_way.sum()) for batch in shares]
        assert [batch.one_way_share for batch in shares] == pytest.approx(np.array(one_way) / sum(one_way))
        assert [batch.share for batch in shares] == [batch.edges.shape[1] / whole.edge_count for batch in shares]
        assert {batch.edge_count for batch in (whole, *shares)} == {whole.edge_count}
        negatives = [batch.nodes[batch.negatives.numpy()].tolist() for batch in (whole, *shares)]
        assert negatives[1:] == [negatives[0]] * 3


def test_more_workers_than_edges_of_a_step_are_refused(training, quick, monkeypatch):
    monkeypatch.setattr("engine.graph.batches.workers", lambda: Workers(rank=0, size=64))
    with pytest.raises(ConfigError, match=r"64 workers are more than the 15 supervised edges of a step; start fewer"):
        next(epochs_of(training, dataclasses.replace(quick, batch_size=16)))
