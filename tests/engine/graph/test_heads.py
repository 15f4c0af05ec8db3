"""Heads are maximum-likelihood readings on validation edges: no ranking moves, and swapped nodes swap the odds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from engine.graph.baselines import degree_head
from engine.graph.data import training_graph
from engine.graph.heads import (
    RANDOM_PAIRS,
    direction_scale,
    fit_direction,
    one_way_validation,
    ridge_logistic,
    with_heads,
)
from engine.graph.scoring import DirectionHead, InnerProductScorer, entries


@pytest.fixture
def bare(fitted):
    """Return the scorer of the dual form as it leaves the training, in units of its own."""
    scorer = fitted.scorers["dual"]
    return replace(scorer, source_offset=np.zeros_like(scorer.source_offset), direction_head=None)


def test_the_scale_is_that_of_a_logistic_regression_without_intercept():
    rng = np.random.default_rng(0)
    difference = rng.normal(1.0, 2.0, size=400)
    both, label = np.concatenate([difference, -difference])[:, np.newaxis], np.repeat([1, 0], 400)
    # Penalty 0.0005 kappa² per edge: C = 1 / (2 × 0.0005 × 2 × 400) on the doubled data.
    reference = LogisticRegression(C=1 / 0.8, fit_intercept=False, tol=1e-10).fit(both, label).coef_[0, 0]
    assert direction_scale(difference) == pytest.approx(reference, rel=1e-3)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_the_scale_is_finite_for_edges_that_all_point_the_same_way(size):
    scale = direction_scale(np.array([1.0, 2.0, 3.0]) * size)
    assert np.isfinite(scale) and scale > 0


def test_scores_that_point_the_wrong_way_turn_the_scale_negative():
    assert direction_scale(np.array([-1.0, -2.0, 0.5])) < 0
    assert direction_scale(np.empty(0)) == 0.0


def test_scores_without_a_difference_have_no_scale():
    assert direction_scale(np.zeros(5)) == 0.0 == direction_scale(np.empty(0))


def test_ridge_logistic_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    features, weight = rng.normal(size=(300, 3)), rng.uniform(0.2, 2.0, size=300)
    label = np.where(features @ [1.0, -0.5, 0.2] + rng.logistic(size=300) > 0, 1.0, -1.0)
    reference = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10, max_iter=1000)
    reference.fit(features, label, sample_weight=weight)
    assert ridge_logistic(features, label, weight) == pytest.approx(reference.coef_[0], rel=1e-4)


def test_ridge_logistic_stays_finite_where_the_classes_part():
    found = ridge_logistic(np.array([[1e3], [2e3]]), np.ones(2))
    assert np.isfinite(found).all() and found[0] > 0
    assert ridge_logistic(np.empty((0, 2)), np.empty(0)).tolist() == [0, 0]


def test_the_edge_head_moves_no_ranking(bare, prepared):
    read, _ = with_heads(bare, prepared.training, np.random.default_rng(0))
    nodes = np.arange(prepared.training.num_nodes)
    before, after = bare.rows(nodes), read.rows(nodes)
    assert np.argsort(-before, axis=1, kind="stable").tolist() == np.argsort(-after, axis=1, kind="stable").tolist()


def test_the_score_is_the_log_odds_of_an_edge_against_a_random_pair(bare, prepared):
    training = prepared.training
    read, weights = with_heads(bare, training, np.random.default_rng(0))
    edges = training.validation_edge_index
    random = np.random.default_rng(5).integers(training.num_nodes, size=(2, 4000))
    odds = [1 / (1 + np.exp(-read.pairs(*pairs))) for pairs in (edges, random)]
    # Weighted to equal frequency, the mean probability given to both kinds together is one half.
    assert (odds[0].mean() + odds[1].mean()) / 2 == pytest.approx(0.5, abs=0.03)
    assert odds[0].mean() > odds[1].mean() + 0.03
    assert float(weights["edge_scale"]) > 0


def test_the_edge_head_is_a_logistic_regression_on_validation_edges_and_unknown_random_pairs(bare, prepared):
    training = prepared.training
    rng = np.random.default_rng(3)
    # Offsets of the sources, and what they would say, are not looked at.
    shifted = replace(bare, source_offset=rng.normal(size=training.num_nodes).astype(np.float32))
    _, weights = with_heads(shifted, training, np.random.default_rng(0))
    edges = training.validation_edge_index.T.tolist()
    known = set(map(tuple, [*training.edge_index.T.tolist(), *edges]))
    drawn = np.random.default_rng(0).integers(training.num_nodes, size=(2, RANDOM_PAIRS * len(edges))).T.tolist()
    others = [(u, v) for u, v in drawn if u != v and (u, v) not in known]
    assert len(others) < len(drawn) - 10
    out_degree = np.bincount(training.edge_index[0], minlength=training.num_nodes)
    rows = [
        (bare.rows(np.array([u]))[0, v], np.log1p(out_degree[u]), out_degree[u] == 0, 1.0) for u, v in [*edges, *others]
    ]
    reference = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10, max_iter=10_000)
    share = np.repeat([1.0, len(edges) / len(others)], [len(edges), len(others)])
    reference.fit(np.array(rows), np.repeat([1, 0], [len(edges), len(others)]), sample_weight=share)
    found = [float(weights["edge_scale"]), *weights["activity_weight"]]
    assert found == pytest.approx(reference.coef_[0], rel=1e-3, abs=1e-4)


def test_of_two_nodes_the_one_that_many_point_to_is_the_target():
    # 1 to 20 lead to 0 in training, 21 to 30 in validation; 0 leads to no one.
    ends = np.arange(1, 31)
    edges = np.stack([ends, np.zeros_like(ends)])
    graph = training_graph(edges[:, :20], edges[:, 20:], 31)
    nothing = np.zeros((31, 2), dtype=np.float32)
    read, _ = with_heads(
        InnerProductScorer(nothing, nothing, nothing[:, 0], nothing[:, 0]), graph, np.random.default_rng(0)
    )
    assert (read.direction(ends, np.zeros_like(ends)) > 1).all()
    assert degree_head(graph).pairs(np.array([25, 0]), np.array([0, 25])).tolist() == pytest.approx(
        read.direction(np.array([25, 0]), np.array([0, 25])).tolist(), abs=1e-5
    )


def test_the_direction_of_a_pair_and_of_its_reversal_are_opposite(fitted, prepared):
    edges = prepared.heldout.edge_index
    for method in ("dual", "single", "paper"):
        scorer = fitted.scorers[method]
        assert scorer.direction(*edges) == pytest.approx(-scorer.direction(*edges[::-1]), abs=1e-4)


def test_tied_embeddings_leave_the_direction_to_the_degrees(fitted, prepared):
    peer = degree_head(prepared.training)
    edges = prepared.heldout.edge_index
    expected = peer.target_offset[edges[1]] - peer.target_offset[edges[0]]
    assert fitted.scorers["single"].direction(*edges) == pytest.approx(expected, abs=1e-3)


def test_tied_embeddings_whose_products_cancel_out_prefer_no_direction_by_their_rounding(fitted, prepared):
    """Of vectors at right angles nothing but rounding is left, which is large beside the product."""
    rng = np.random.default_rng(0)
    tied = np.sign(rng.normal(size=fitted.scorers["single"].source.shape)).astype(np.float32)
    rounded = (tied * (1 + 1e-7 * rng.normal(size=tied.shape))).astype(np.float32)
    scorer = replace(fitted.scorers["single"], source=tied, target=rounded)
    source, target = one_way_validation(prepared.training)
    ahead, back = scorer.inner_products(source, target), scorer.inner_products(target, source)
    assert ((ahead != back) & (np.abs(ahead) < 1e-3)).any(), "some products cancel out"
    assert fit_direction(scorer, prepared.training)[0] == 0.0


def test_the_direction_head_adds_what_the_embeddings_prefer():
    # Degrees are alike for all nodes of this ring, so only the vectors can tell that u leads to u + 1.
    count = 40
    ring = np.stack([np.arange(count), (np.arange(count) + 1) % count])
    graph = training_graph(ring[:, ::2], ring[:, 1::2], count)
    ahead = np.eye(count, dtype=np.float32)
    nothing = np.zeros(count, dtype=np.float32)
    # Row v of the targets is the source vector of v - 1.
    scorer = InnerProductScorer(ahead, np.roll(ahead, 1, axis=0), nothing, nothing)
    scale, weight = fit_direction(scorer, graph)
    head = DirectionHead(np.float32(scale), np.zeros(count, dtype=np.float32))
    assert scale > 0 and (replace(scorer, direction_head=head).direction(*ring) > 0.5).all()
    # Ends of training edges have one of the two degrees, the others too: the ring is not quite even.
    assert np.abs(weight).max() < 2 * scale


def test_the_direction_weighs_the_difference_of_the_products_and_adds_that_of_the_potentials():
    rows = np.array([[1.0, 0.0], [2.0, 1.0]], dtype=np.float32)
    nothing = np.zeros(2, dtype=np.float32)
    head = DirectionHead(np.float32(0.5), np.array([0.25, 2.0], dtype=np.float32))
    scorer = InnerProductScorer(rows, rows[:, ::-1].copy(), nothing, nothing, direction_head=head)
    # s_0 t_1 = 1 and s_1 t_0 = 1 x 1 = 1; with s_0 doubled the first is 2.
    assert scorer.direction(np.array([0]), np.array([1])).tolist() == [1.75]
    longer = replace(scorer, source=rows * np.array([[2], [1]], dtype=np.float32))
    assert longer.direction(np.array([0, 1]), np.array([1, 0])).tolist() == [2.25, -2.25]


def test_only_one_way_validation_edges_teach_a_direction():
    edges = np.array([[0, 1, 1, 2, 3], [1, 0, 2, 1, 0]])
    graph = training_graph(edges[:, :1], edges[:, 1:], 4)
    assert one_way_validation(graph).T.tolist() == [[3, 0]]


def test_a_bonus_reaches_rows_pairs_and_the_reversed_graph_alike(fitted):
    scorer = fitted.scorers["dual"]
    assert scorer.pair_bonus is not None and scorer.pair_bonus.nnz > 0
    nodes = np.arange(len(scorer.source))
    rows = scorer.rows(nodes)
    without = replace(scorer, pair_bonus=None).rows(nodes)
    assert rows - without == pytest.approx(scorer.pair_bonus.toarray(), abs=1e-4)
    source, target = np.meshgrid(nodes, nodes, indexing="ij")
    assert scorer.pairs(source.ravel(), target.ravel()) == pytest.approx(rows.ravel(), abs=1e-4)
    assert scorer.transposed().rows(nodes) == pytest.approx(rows.T, abs=1e-4)


def test_entries_of_a_sparse_matrix_are_read_one_by_one():
    matrix = sparse.csr_array(np.array([[0, 2], [3, 0]], dtype=np.float32))
    assert entries(matrix, np.array([0, 1, 1]), np.array([1, 1, 0])).tolist() == [2, 0, 3]
    assert entries(matrix, np.array([], dtype=int), np.array([], dtype=int)).tolist() == []
