"""Neighbourhoods shrink with degree, are drawn by weight without replacement, and cost the same in total."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph import sampling as sampling_module
from engine.graph.data import adjacency, training_graph
from engine.graph.sampling import (
    draw,
    equal_budget,
    fan_out,
    fan_out_of,
    operators,
    power_law_exponent,
    row_normalised,
)
from engine.graph.two_steps import second_neighbours

SIZES = {"max_neighbours": 20, "min_neighbours": 5, "neighbour_bias": 1.0}


def test_the_exponent_has_its_value_by_hand():
    # Degrees 1, 2, 8 of the linked nodes: alpha = 1 + 3 / (ln 2 + ln 4 + ln 16) = 1 + 3 / (7 ln 2)
    assert power_law_exponent(np.array([0, 1, 2, 8])) == pytest.approx(1 + 3 / (7 * math.log(2)))
    assert power_law_exponent(np.zeros(3, dtype=np.int64)) == 2.0


def test_a_heavier_tail_has_a_smaller_exponent():
    uniform = 1 - np.random.default_rng(0).random(20_000)
    fitted = [power_law_exponent(np.rint(uniform ** (-1 / (alpha - 1))).astype(np.int64)) for alpha in (2.0, 2.5, 3.5)]
    assert fitted == sorted(fitted) and fitted[0] < fitted[-1] - 0.3


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50), st.floats(1.01, 5))
def test_neighbourhoods_never_grow_with_degree_and_stay_in_their_limits(degrees, exponent):
    degree = np.sort(np.array(degrees))
    size = fan_out(degree, exponent, max_neighbours=20, min_neighbours=5)
    assert (np.diff(size) <= 0).all() and size.min() >= 5 and size.max() <= 20


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.data())
def test_an_equal_budget_is_spent_exactly_with_sizes_that_differ_by_one(available, data):
    free = np.array(available)
    budget = data.draw(st.integers(0, int(free.sum())))
    size = equal_budget(free, budget, np.random.default_rng(0))
    assert np.minimum(size, free).sum() == budget
    assert size.max() - size.min() <= 1


def test_adaptive_and_fixed_neighbourhoods_take_equally_many_nodes_in_total(prepared):
    training = prepared.training
    taken, sizes = {}, {}
    for sampling in ("adaptive", "uniform"):
        fan = fan_out_of(training, sampling, **SIZES)
        drawn = operators(training.edge_index, training.num_nodes, fan, np.random.default_rng(1))
        taken[sampling] = [matrix.nnz for matrix in drawn]
        sizes[sampling] = np.diff(drawn[0].indptr)
    assert taken["adaptive"] == taken["uniform"]
    assert (sizes["adaptive"] != sizes["uniform"]).any()
    # The adaptive sampler gives the hub less and the rarely linked more than the equal one does, on average.
    hubs = training.in_degree >= np.quantile(training.in_degree, 0.9)
    rare = training.in_degree <= np.quantile(training.in_degree, 0.25)
    assert sizes["adaptive"][hubs].mean() < sizes["uniform"][hubs].mean()
    assert sizes["adaptive"][rare].mean() > sizes["uniform"][rare].mean()


def test_neighbours_come_before_second_neighbours():
    first = adjacency(np.array([[0, 1, 1], [1, 2, 3]]), 4)
    second = second_neighbours(first)
    assert np.stack(second.nonzero()).tolist() == [[0, 0], [2, 3]]
    for seed in range(20):
        two = draw(first, second, np.full(4, 2), np.ones(4), np.random.default_rng(seed))
        columns = two[[0]].nonzero()[1]
        assert len(columns) == 2 and 1 in columns


def test_the_node_itself_and_its_neighbours_are_no_second_neighbours():
    # 0 <-> 1, 1 -> 2, 0 -> 2
    second = second_neighbours(adjacency(np.array([[0, 1, 1, 0], [1, 0, 2, 2]]), 3))
    assert second.nnz == 0


def test_neighbours_are_drawn_in_proportion_to_their_weight():
    first = adjacency(np.array([[0, 0, 0], [1, 2, 3]]), 4)
    none = adjacency(np.empty((2, 0), dtype=np.int64), 4)
    weight = np.array([1.0, 1.0, 2.0, 5.0])
    rng = np.random.default_rng(0)
    counts = np.zeros(4)
    for _ in range(4000):
        counts[draw(first, none, np.array([1, 0, 0, 0]), weight, rng).nonzero()[1]] += 1
    # 4,000 draws: three standard errors are below 0.024.
    assert counts[1:] / counts.sum() == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=0.024)


def test_drawing_two_of_three_follows_the_successive_probabilities():
    first = adjacency(np.array([[0, 0, 0], [1, 2, 3]]), 4)
    none = adjacency(np.empty((2, 0), dtype=np.int64), 4)
    weight = np.array([1.0, 1.0, 2.0, 5.0])
    rng = np.random.default_rng(1)
    left_out = np.zeros(4)
    for _ in range(4000):
        drawn = draw(first, none, np.array([2, 0, 0, 0]), weight, rng).nonzero()[1]
        left_out[np.setdiff1d([1, 2, 3], drawn)] += 1
    p = {1: 1 / 8, 2: 2 / 8, 3: 5 / 8}

    def misses(out):
        a, b = (i for i in p if i != out)
        return p[a] * p[b] / (1 - p[a]) + p[b] * p[a] / (1 - p[b])

    assert left_out[1:] / 4000 == pytest.approx([misses(i) for i in p], abs=0.024)


def test_full_neighbourhoods_are_row_averages_of_both_directions(five):
    out_neighbours, in_neighbours = operators(
        five.edge_index, 5, fan_out_of(five, "full", **SIZES), np.random.default_rng(0)
    )
    assert out_neighbours.toarray()[0].tolist() == [0, 0.5, 0.5, 0, 0]
    assert in_neighbours.toarray()[2].tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3, 0])
    assert out_neighbours.toarray()[4].sum() == 0


def test_zero_rows_stay_zero_when_normalised(five):
    normal = row_normalised(five.adjacency())
    assert normal.sum(axis=1).tolist() == [1, 1, 1, 1, 0]


@pytest.mark.parametrize("sampling", ["adaptive", "uniform"])
def test_sampled_neighbourhoods_keep_the_two_directions_apart(sampling):
    # 0 -> 1 -> 2, one neighbour each: out-neighbours follow the arrows, in-neighbours go against them.
    path = training_graph(np.array([[0, 1], [1, 2]]), np.empty((2, 0), dtype=np.int64), 3)
    fan = fan_out_of(path, sampling, max_neighbours=1, min_neighbours=1, neighbour_bias=1.0)
    out_neighbours, in_neighbours = operators(path.edge_index, 3, fan, np.random.default_rng(0))
    assert out_neighbours.toarray().tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert in_neighbours.toarray().tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("role", [0, 1])
def test_targets_are_drawn_by_in_degree_and_sources_by_out_degree(role):
    # Star 0 -> 1, 0 -> 2, with 1 -> 3, 4, 5 and 3, 4 -> 2. In-degrees of 1 and 2: 1 and 3; out-degrees: 3 and 0.
    star = np.array([[0, 0, 1, 1, 1, 3, 4], [1, 2, 3, 4, 5, 2, 2]])
    copies = 600
    edges = np.concatenate([star + 6 * copy for copy in range(copies)], axis=1)
    # Role 1 is the mirror image: every edge reversed, and node 0 draws among its sources.
    graph = training_graph(edges[::-1] if role else edges, edges[:, :0], 6 * copies)
    fan = fan_out_of(graph, "adaptive", max_neighbours=1, min_neighbours=1, neighbour_bias=1.0)
    drawn = operators(graph.edge_index, graph.num_nodes, fan, np.random.default_rng(0))[role]
    chosen = drawn[np.arange(0, 6 * copies, 6)].nonzero()[1] % 6
    assert len(chosen) == copies and set(chosen) == {1, 2}
    # Weights 1 and 3; three standard errors of 600 draws are 0.053.
    assert (chosen == 2).mean() == pytest.approx(3 / 4, abs=0.053)


def test_without_bias_every_neighbour_is_equally_likely_and_sizes_stay_those_of_the_sampler(prepared):
    training = prepared.training
    drawn = {}
    for bias in (0.0, 1.0):
        fan = fan_out_of(training, "adaptive", max_neighbours=20, min_neighbours=5, neighbour_bias=bias)
        assert (fan.target_weight == 1).all() == (bias == 0)
        drawn[bias] = operators(training.edge_index, training.num_nodes, fan, np.random.default_rng(0))[0]
    sizes = [np.diff(matrix.indptr) for matrix in drawn.values()]
    assert (sizes[0] == sizes[1]).all()
    # The bias switches by itself: it moves the draw to nodes of higher in-degree.
    reached = {bias: training.in_degree[matrix.indices].mean() for bias, matrix in drawn.items()}
    assert reached[1.0] > reached[0.0]


@pytest.mark.parametrize("sampling", ["adaptive", "uniform"])
def test_a_large_graph_takes_as_many_neighbours_but_follows_a_sample_of_paths(prepared, monkeypatch, sampling):
    training = prepared.training
    exact = fan_out_of(training, sampling, **SIZES)
    monkeypatch.setattr(sampling_module, "EXACT_PATHS", 0)
    sampled = fan_out_of(training, sampling, **SIZES)
    assert exact.paths is None and sampled.paths == 60
    full, _ = operators(training.edge_index, training.num_nodes, exact, np.random.default_rng(0))
    some, _ = operators(training.edge_index, training.num_nodes, sampled, np.random.default_rng(0))
    first = training.adjacency()
    reach = ((first + first @ first) > 0).toarray()
    assert not (some.toarray() > 0)[~reach].any()
    # Sixty paths leave a place of a row open only where few nodes lie at two steps.
    assert 0.97 * full.nnz < some.nnz <= full.nnz
    if sampling == "adaptive":
        assert (np.diff(some.indptr) <= exact.adaptive).all()


def test_drawing_in_small_blocks_takes_neighbours_first_and_keeps_every_size(prepared, monkeypatch):
    monkeypatch.setattr("engine.graph.two_steps._BLOCK", 50)
    first = prepared.training.adjacency()
    second = second_neighbours(first)
    size = np.arange(first.shape[0]) % 7
    drawn = draw(first, second, size, np.ones(first.shape[0]), np.random.default_rng(0))
    near, far = np.diff(first.indptr), np.diff(second.indptr)
    assert (np.diff(drawn.indptr) == np.minimum(size, near + far)).all()
    assert (drawn.multiply(first).sum(axis=1) == np.minimum(size, near)).all()
    assert drawn.has_sorted_indices


def test_without_propagation_every_row_is_empty(five):
    fan = fan_out_of(five, "none", max_neighbours=20, min_neighbours=5, neighbour_bias=1.0)
    out_neighbours, in_neighbours = operators(five.edge_index, 5, fan, np.random.default_rng(0))
    assert out_neighbours.shape == in_neighbours.shape == (5, 5)
    assert out_neighbours.nnz == in_neighbours.nnz == 0
