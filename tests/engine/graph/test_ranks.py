"""Ranks and lists agree with naive loops, ties included."""

from __future__ import annotations

import numpy as np
import pytest

from engine.graph.ranks import excluded_candidates, pair_ranks, top_candidates
from engine.graph.scoring import CocitationScorer, InnerProductScorer, offset_scorer
from engine.metrics.ranking import filtered_ranks


def naive_rank(scores, source, target, known):
    """Rank one pair by looking at every candidate."""
    others = [v for v in range(len(scores)) if v not in (source, target) and (source, v) not in known]
    better = sum(scores[source][v] > scores[source][target] for v in others)
    tied = sum(scores[source][v] == scores[source][target] for v in others)
    return 1 + better + tied / 2


@pytest.fixture
def scorer():
    """Whole-number vectors, so that ties are exact and frequent."""
    rng = np.random.default_rng(0)
    source, target = rng.integers(-1, 2, size=(2, 30, 2)).astype(np.float32)
    return InnerProductScorer(source, target, *rng.integers(0, 2, size=(2, 30)).astype(np.float32))


@pytest.fixture
def edges():
    """Known edges and pairs to rank, some of them known."""
    rng = np.random.default_rng(1)
    source, target = np.nonzero(~np.eye(30, dtype=bool))
    chosen = rng.permutation(len(source))
    pairs = np.stack([source, target])
    return pairs[:, chosen[:150]], pairs[:, chosen[100:300]]


def test_filtered_ranks_agree_with_a_naive_loop(scorer, edges):
    known, asked = edges
    ranks = pair_ranks(scorer, asked, excluded_candidates(known, 30))
    scores, pairs = scorer.rows(np.arange(30)), set(map(tuple, known.T))
    assert ranks.tolist() == [naive_rank(scores, u, v, pairs) for u, v in asked.T]
    assert (ranks % 1 == 0.5).any()


def test_filtered_ranks_agree_with_the_metrics_library(scorer, edges):
    known, asked = edges
    excluded = excluded_candidates(known, 30)
    expected = filtered_ranks(scorer.rows(asked[0]), asked[1], excluded[asked[0]].toarray())
    assert pair_ranks(scorer, asked, excluded).tolist() == expected.tolist()


def test_many_sources_are_ranked_block_by_block_like_few():
    rng = np.random.default_rng(2)
    count = 1100
    scorer = offset_scorer(rng.integers(0, 50, count).astype(float), np.zeros(count))
    asked = np.stack([rng.permutation(count), rng.permutation(count)])
    asked = asked[:, asked[0] != asked[1]]
    excluded = excluded_candidates(np.empty((2, 0), dtype=np.int64), count)
    value = scorer.target_offset
    expected = [
        1
        + (value > value[v]).sum()
        - (value[u] > value[v])
        + ((value == value[v]).sum() - 1 - (value[u] == value[v])) / 2
        for u, v in asked.T
    ]
    assert pair_ranks(scorer, asked, excluded).tolist() == expected


def test_top_candidates_are_the_best_that_are_not_excluded(scorer, edges):
    known, _ = edges
    candidates, values = top_candidates(scorer, np.arange(30), 5, excluded_candidates(known, 30))
    scores, pairs = scorer.rows(np.arange(30)), set(map(tuple, known.T))
    for u in range(30):
        left = sorted((scores[u][v] for v in range(30) if v != u and (u, v) not in pairs), reverse=True)
        assert values[u].tolist() == left[:5]
        assert all((u, v) not in pairs and v != u for v in candidates[u])
        assert [scores[u][v] for v in candidates[u]] == left[:5]


@pytest.mark.parametrize("count", [3, 700, 5000])
def test_lists_in_small_blocks_are_those_of_a_full_sort_with_ties_by_position(monkeypatch, count):
    monkeypatch.setattr("engine.graph.ranks._SCORES", 2 * count)
    rng = np.random.default_rng(count)
    source, target = rng.integers(-2, 3, size=(2, count, 2)).astype(np.float32)
    nothing = np.zeros(count, dtype=np.float32)
    scorer = InnerProductScorer(source, target, nothing, nothing)
    nodes, known = np.arange(min(count, 40)), rng.integers(count, size=(2, 2 * count))
    excluded = excluded_candidates(known, count)
    candidates, values = top_candidates(scorer, nodes, 7, excluded)
    scores = np.where(excluded[nodes].toarray(), -np.inf, scorer.rows(nodes))
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :7]
    assert (values == np.take_along_axis(scores, expected, axis=1)).all()
    assert (candidates == expected)[np.isfinite(values)].all()


def test_no_nodes_have_no_lists(scorer):
    candidates, values = top_candidates(scorer, np.arange(0), 5, excluded_candidates(np.empty((2, 0), np.int64), 30))
    assert candidates.shape == values.shape == (0, 5)


def test_ranks_do_not_depend_on_the_block(scorer, edges, monkeypatch):
    known, asked = edges
    whole = pair_ranks(scorer, asked, excluded_candidates(known, 30))
    monkeypatch.setattr("engine.graph.ranks._SCORES", 60)
    assert pair_ranks(scorer, asked, excluded_candidates(known, 30)).tolist() == whole.tolist()


def test_a_node_with_too_few_candidates_has_a_short_list():
    scorer = offset_scorer(np.arange(4.0), np.zeros(4))
    known = np.array([[0, 0], [1, 2]])
    candidates, values = top_candidates(scorer, np.array([0]), 10, excluded_candidates(known, 4))
    assert candidates[0, 0] == 3 and np.isfinite(values[0]).tolist() == [True, False, False, False]


def test_the_transposed_scorer_ranks_sources(scorer):
    assert (scorer.transposed().rows(np.arange(30)) == scorer.rows(np.arange(30)).T).all()


def test_co_citation_counts_paths_out_back_and_out(five):
    scorer = CocitationScorer.of(five)
    dense = five.adjacency().toarray()
    expected = dense @ dense.T @ dense
    assert (scorer.rows(np.arange(5)) == expected).all()
    source, target = np.divmod(np.arange(25), 5)
    assert (scorer.pairs(source, target) == expected.ravel()).all()
    assert expected[1, 1] == 1  # 1 -> 2 <- 0 -> 1
