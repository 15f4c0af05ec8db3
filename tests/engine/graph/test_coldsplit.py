"""Nodes that arrive later: what training may know of them is nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.errors import NotEnoughDataError
from engine.graph.coldsplit import NodeSplit, split_by_nodes
from engine.graph.config import GraphConfig
from engine.graph.data import Dataset


@pytest.fixture(scope="module")
def split(dataset: Dataset, quick: GraphConfig) -> NodeSplit:
    """Cut the simulated graph by nodes."""
    return split_by_nodes(dataset, quick)


def test_the_nodes_are_divided_75_5_20(split, dataset):
    count = len(dataset.nodes)
    assert split.test.is_new.sum() == round(0.2 * count)
    assert split.validation.is_new.sum() == round(0.05 * count)
    assert not (split.test.is_new & split.validation.is_new).any()
    assert np.array_equal(split.seen, np.flatnonzero(~(split.test.is_new | split.validation.is_new)))


def test_training_knows_all_edges_among_its_nodes_and_no_other(split, dataset):
    seen = set(split.seen.tolist())
    expected = {(u, v) for u, v in dataset.edges[["source", "target"]].to_numpy().tolist() if u in seen and v in seen}
    assert set(map(tuple, split.edge_index.T.tolist())) == expected
    assert np.array_equal(split.seen[split.training.edge_index], split.edge_index)
    assert split.training.num_nodes == len(seen)
    # Every edge among them is trained on; none is left to choose by.
    assert split.training.validation_edge_index.shape == (2, 0)
    assert split.training.features.matrix.shape[0] == len(seen)


def test_every_edge_of_an_arrival_with_a_seen_node_is_revealed_or_tested(split, dataset):
    new, seen = split.test.is_new, np.isin(np.arange(split.num_nodes), split.seen)
    edges = dataset.edges[["source", "target"]].to_numpy().T
    crossing = edges[:, (new[edges[0]] & seen[edges[1]]) | (seen[edges[0]] & new[edges[1]])]
    both = np.concatenate([split.test.revealed(10_000), split.test.tested()], axis=1)
    assert sorted(map(tuple, both.T.tolist())) == sorted(map(tuple, crossing.T.tolist()))


def test_half_of_the_edges_of_an_arrival_may_become_known_one_after_another(split):
    known, tested = split.test.revealed(10_000), split.test.tested()
    for node in np.flatnonzero(split.test.is_new):
        able, hidden = (known == node).any(axis=0).sum(), (tested == node).any(axis=0).sum()
        assert able == (able + hidden) // 2
        counts = [(split.test.revealed(k) == node).any(axis=0).sum() for k in (0, 1, 2, 4)]
        assert counts == [min(k, able) for k in (0, 1, 2, 4)]
    assert set(map(tuple, split.test.revealed(1).T)) <= set(map(tuple, split.test.revealed(2).T))


def test_what_edges_arrivals_have_changes_nothing_in_training(split, dataset, quick):
    new = split.test.is_new | split.validation.is_new
    edges = dataset.edges.copy()
    touched = np.flatnonzero(new[edges["source"]] | new[edges["target"]])
    rng = np.random.default_rng(0)
    # Every edge of an arrival now belongs to another arrival and leads somewhere else.
    edges.loc[touched, "source"] = rng.choice(np.flatnonzero(new), size=len(touched))
    edges.loc[touched, "target"] = rng.choice(split.seen, size=len(touched))
    other = split_by_nodes(dataclasses.replace(dataset, edges=edges), quick)
    assert np.array_equal(other.training.edge_index, split.training.edge_index)
    for name in ("in_degree", "out_degree", "is_one_way"):
        assert np.array_equal(getattr(other.training, name), getattr(split.training, name))
    assert np.array_equal(other.training.features.matrix.toarray(), split.training.features.matrix.toarray())


def test_values_that_only_arrivals_have_are_no_features(split, dataset, quick):
    new = split.test.is_new | split.validation.is_new
    named = dataset.features.assign(category=np.where(new, "only later", dataset.features["category"]))
    other = split_by_nodes(dataclasses.replace(dataset, features=named), quick)
    assert "category: only later" not in other.features.names
    assert other.features.matrix[np.flatnonzero(new)].nnz == 0


def test_a_graph_without_edges_to_test_is_refused(dataset, quick):
    edges = dataset.edges[dataset.edges["source"].isin([0]) | dataset.edges["target"].isin([0])]
    with pytest.raises(NotEnoughDataError, match="leave none to train on, or none to test"):
        split_by_nodes(dataclasses.replace(dataset, edges=edges.iloc[:1]), quick)
