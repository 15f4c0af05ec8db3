"""A known reversal counts by the in-degree of the source, at the level that held-out edges ask for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import logsumexp

from engine.graph import reciprocity
from engine.graph.batches import epochs
from engine.graph.data import adjacency, training_graph
from engine.graph.model import DirectedEncoder
from engine.graph.ranks import excluded_candidates
from engine.graph.reciprocity import reversal_bonus, with_level
from engine.graph.scoring import InnerProductScorer
from engine.graph.train import _losses
from engine.graph.train_common import sampler


@pytest.fixture
def bare(fitted):
    """Return the scorer of the dual form without what is the same for all targets of a source."""
    scorer = fitted.scorers["dual"]
    return replace(scorer, source_offset=np.zeros_like(scorer.source_offset), direction_head=None)


def with_gain(scorer, extra):
    """Return a scorer whose every known reversal counts more."""
    bonus = scorer.pair_bonus.copy()
    bonus.data = bonus.data + np.float32(extra)
    return replace(scorer, pair_bonus=bonus)


def held_out_by_hand(scorer, training):
    """Return factor and gain that minimise the documented loss, written out edge by edge."""
    known = set(map(tuple, training.edge_index.T.tolist()))
    heldout = training.validation_edge_index.T.tolist()
    left_out = known | set(map(tuple, heldout))
    cases = []
    for u, v in heldout:
        others = [k for k in range(training.num_nodes) if k != u and (u, k) not in left_out]
        candidates = np.array([v, *others])
        answers = np.array([(k, u) in known for k in candidates], dtype=float)
        cases.append((scorer.pairs(np.full(len(candidates), u), candidates).astype(float), answers))

    def loss(found):
        scores = [found[0] * score + found[1] * answers for score, answers in cases]
        terms = sum(logsumexp(score) - score[0] for score in scores)
        return terms + ((found[0] - 1) ** 2 + found[1] ** 2) / 2

    return minimize(loss, np.array([1.0, 0.0]), method="BFGS").x


def test_the_bonus_of_the_hand_drawn_graph(five):
    bonus = reversal_bonus(five.edge_index, five.in_degree, level=2.0, slope=-0.5)
    # Edges 0 -> 1, 0 -> 2, 1 -> 2, 2 -> 3, 3 -> 2: in-degrees 0, 1, 3, 1, 0; rows are the sources of the reversals.
    one, three = 2 - 0.5 * np.log(2), 2 - 0.5 * np.log(4)
    expected = np.zeros((5, 5))
    expected[1, 0] = expected[3, 2] = one
    expected[2, [0, 1, 3]] = three
    assert bonus.toarray() == pytest.approx(expected)


@given(pairs=st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1), level=st.floats(-3, 3))
def test_without_a_slope_every_reversal_counts_the_same(pairs, level):
    edges = np.array(sorted(pairs), dtype=np.int64).T
    in_degree = np.bincount(edges[1], minlength=7)
    bonus = reversal_bonus(edges, in_degree, level=level, slope=0.0)
    assert bonus.toarray() == pytest.approx((adjacency(edges[::-1], 7) * np.float32(level)).toarray())
    assert bonus.nnz == len(pairs)


@pytest.mark.parametrize("extra", [0.0, 3.0])
def test_the_shift_minimises_the_loss_of_validation_edges(bare, prepared, extra):
    scorer = with_gain(bare, extra)
    factor, gain = held_out_by_hand(scorer, prepared.training)
    _, shift = with_level(scorer, prepared.training, np.random.default_rng(0))
    assert shift == pytest.approx(gain / factor, abs=1e-3)
    assert extra == 0 or shift < -0.5


def test_only_pairs_with_a_known_reversal_move_and_all_alike(bare, prepared):
    moved, shift = with_level(bare, prepared.training, np.random.default_rng(0))
    nodes = np.arange(prepared.training.num_nodes)
    change = moved.rows(nodes) - bare.rows(nodes)
    back = adjacency(prepared.training.edge_index[::-1], len(nodes)).toarray() > 0
    assert abs(shift) > 0.01
    assert change[back] == pytest.approx(shift, abs=1e-4) and not change[~back].any()


def test_what_is_the_same_for_all_targets_of_a_source_does_not_count(bare, prepared):
    rng = np.random.default_rng(1)
    offset = rng.normal(size=prepared.training.num_nodes).astype(np.float32)
    _, expected = with_level(bare, prepared.training, np.random.default_rng(0))
    _, shift = with_level(replace(bare, source_offset=offset), prepared.training, np.random.default_rng(0))
    assert shift == pytest.approx(expected, abs=1e-4)


def test_without_validation_edges_the_level_stays(bare, prepared):
    training = replace(prepared.training, validation_edge_index=np.empty((2, 0), dtype=np.int64))
    scorer, shift = with_level(bare, training, np.random.default_rng(0))
    assert shift == 0 and scorer is bare


def test_a_graph_of_which_nobody_leads_to_a_source_keeps_its_level(bare):
    users, items = np.array([[0, 0, 1, 1], [2, 3, 2, 4]])
    training = training_graph(np.array([users, items]), np.array([[0], [4]]), 5)
    parts = {name: getattr(bare, name)[:5] for name in ("source", "target", "source_offset", "target_offset")}
    bonus = reversal_bonus(training.edge_index, training.in_degree, level=1.0, slope=0.0)
    _, shift = with_level(replace(bare, **parts, pair_bonus=bonus), training, np.random.default_rng(0))
    assert shift == pytest.approx(0.0, abs=1e-9)


def test_the_level_tells_a_graph_that_answers_from_one_that_does_not():
    # Sources 0 to 29 lead to 30 to 59 each; the held-out edges of the latter lead back, or to some third node.
    first, second = np.arange(30), np.arange(30, 60)
    forward = np.stack([first, second])
    nothing = np.zeros((60, 2), dtype=np.float32)
    shifts = []
    for ends in (first, np.roll(first, 7)):
        training = training_graph(forward, np.stack([second, ends]), 60)
        bonus = reversal_bonus(forward, training.in_degree, level=0.0, slope=0.0)
        scorer = InnerProductScorer(nothing, nothing, nothing[:, 0], nothing[:, 0], bonus)
        shifts.append(with_level(scorer, training, np.random.default_rng(0))[1])
    assert shifts[0] > 4 and shifts[1] < -0.3


def test_drawn_candidates_and_queries_find_the_level_of_all(bare, prepared, monkeypatch):
    training = prepared.training
    scorer = with_gain(bare, 3.0)
    _, expected = with_level(scorer, training, np.random.default_rng(0))
    monkeypatch.setattr(reciprocity, "CANDIDATES", training.num_nodes // 2)
    found = [with_level(scorer, training, np.random.default_rng(seed))[1] for seed in range(20)]
    assert len(set(found)) > 10 and with_level(scorer, training, np.random.default_rng(3))[1] == found[3]
    assert np.mean(found) == pytest.approx(expected, abs=0.15)
    queries = np.unique(training.validation_edge_index[0])
    monkeypatch.setattr(reciprocity, "QUERIES", len(queries) // 2)
    compared = reciprocity._compared(scorer, training, np.random.default_rng(0))
    assert len(compared.others) == len(queries) // 2
    assert set(compared.edge_query.tolist()) == set(range(len(queries) // 2))


def test_the_first_step_moves_what_the_in_degree_does_to_reciprocity(prepared, quick):
    training = prepared.training
    encoder = DirectedEncoder(training.num_nodes, dimension=4, scale=3.0, is_dual=True)
    known = excluded_candidates(training.edge_index, training.num_nodes)
    batch = next(next(epochs(training, known, sampler(training, quick, "full"), quick)))
    _losses(encoder, batch, quick)["ranking"].backward()
    assert encoder.reciprocity_slope.grad is not None and abs(float(encoder.reciprocity_slope.grad)) > 1e-4
