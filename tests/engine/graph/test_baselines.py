"""Peers do what their names say, whatever the nodes are called."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from engine.graph.baselines import degree_head, fit_baseline, hope, popularity
from engine.graph.data import training_graph
from engine.graph.scoring import CocitationScorer


def test_popularity_is_the_training_in_degree_for_every_query(five):
    assert popularity(five).rows(np.array([0, 4])).tolist() == [[0, 1, 3, 1, 0]] * 2


def test_hope_rebuilds_the_katz_series_at_full_rank(prepared):
    training = prepared.training
    scorer = hope(training, dimension=training.num_nodes, rng=np.random.default_rng(0))
    adjacency = training.adjacency().toarray().astype(float)
    largest = np.linalg.svd(adjacency, compute_uv=False)[0]
    errors = []
    for decay in (0.1, 0.5, 0.9):
        series = sum(np.linalg.matrix_power(decay / largest * adjacency, k) for k in range(1, 11))
        approximation = scorer.rows(np.arange(training.num_nodes))
        errors.append(np.abs(approximation - series).max() / np.abs(series).max())
    assert min(errors) < 1e-3


def test_the_degree_head_is_a_logistic_regression_on_one_way_validation_edges(prepared):
    training = prepared.training
    known = set(map(tuple, np.concatenate([training.edge_index, training.validation_edge_index], axis=1).T))
    features = np.stack(
        [
            np.log1p(training.in_degree),
            np.log1p(training.out_degree),
            training.in_degree == 0,
            training.out_degree == 0,
        ],
        axis=1,
    ).astype(float)
    edges = np.array([(u, v) for u, v in training.validation_edge_index.T if (v, u) not in known])
    difference = features[edges[:, 1]] - features[edges[:, 0]]
    both = np.concatenate([difference, -difference])
    label = np.repeat([1, 0], len(difference))
    # Every difference stands in the data twice, mirrored; so the penalty counts double.
    reference = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10, max_iter=1000).fit(both, label)
    potential = features @ reference.coef_[0]
    scorer = degree_head(training)
    assert scorer.target_offset == pytest.approx(potential, abs=1e-4)
    assert scorer.source_offset == pytest.approx(-potential, abs=1e-4)


def test_the_degree_head_without_a_one_way_validation_edge_is_silent():
    edges = np.array([[0, 1, 1, 2], [1, 0, 2, 1]])
    graph = training_graph(edges[:, :3], edges[:, 3:], 3)
    assert degree_head(graph).rows(np.arange(3)).tolist() == [[0, 0, 0]] * 3


def test_cocitation_counts_the_nodes_that_share_a_target_with_the_query_and_lead_to_the_candidate(five):
    dense = five.adjacency().toarray()
    naive = [
        [sum(dense[u, w] * dense[x, w] * dense[x, v] for w in range(5) for x in range(5)) for v in range(5)]
        for u in range(5)
    ]
    scorer = CocitationScorer.of(five)
    assert scorer.rows(np.arange(5)).tolist() == naive
    # 0 leads to 1 and 2: itself shares both and leads to 2; 1 and 3 share 2 and lead to 2.
    assert naive[0] == [0, 2, 4, 0, 0]
    source, target = np.divmod(np.arange(25), 5)
    assert scorer.pairs(source, target).tolist() == np.ravel(naive).tolist()


@pytest.mark.parametrize("method", ["popularity", "cocitation", "hope", "degree_head"])
def test_relabelling_nodes_permutes_the_scores(prepared, method):
    training = prepared.training
    order = np.random.default_rng(0).permutation(training.num_nodes)
    place = np.argsort(order)
    relabelled = training_graph(place[training.edge_index], place[training.validation_edge_index], training.num_nodes)
    nodes = np.arange(training.num_nodes)
    before = fit_baseline(method, training, dimension=20, seed=0).rows(nodes)
    after = fit_baseline(method, relabelled, dimension=20, seed=0).rows(nodes)
    assert after == pytest.approx(before[np.ix_(order, order)], abs=2e-4 * float(np.abs(before).max()))
