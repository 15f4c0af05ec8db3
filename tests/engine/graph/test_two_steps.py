"""Two-step neighbours are those of the squared matrix, or a sample of them where there are too many paths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph import two_steps
from engine.graph.data import adjacency
from engine.graph.two_steps import row_blocks, second_neighbours, two_step_paths


@st.composite
def graphs(draw):
    """Return the edges and the size of a graph without loops and repeats."""
    size = draw(st.integers(2, 12))
    pairs = draw(st.sets(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=40))
    edges = sorted(pair for pair in pairs if pair[0] != pair[1])
    return np.array(edges, dtype=np.int64).reshape(-1, 2).T, size


def squared(first):
    """Return the same by the square of the dense matrix."""
    dense = first.toarray() > 0
    reached = (dense.astype(int) @ dense.astype(int)) > 0
    return reached & ~dense & ~np.eye(len(dense), dtype=bool)


@given(graphs(), st.integers(1, 6))
def test_two_step_neighbours_are_those_of_the_squared_matrix_whatever_the_block(graph, block):
    edges, size = graph
    first = adjacency(edges, size)
    before, two_steps._BLOCK = two_steps._BLOCK, block
    try:
        second = second_neighbours(first)
    finally:
        two_steps._BLOCK = before
    assert (second.toarray() > 0).tolist() == squared(first).tolist()
    assert second.data.tolist() == [1.0] * second.nnz


@given(graphs())
def test_paths_are_counted_as_the_squared_matrix_sums(graph):
    edges, size = graph
    dense = adjacency(edges, size).toarray()
    assert two_step_paths(edges, size) == (dense @ dense).sum()


@given(graphs(), st.integers(1, 5), st.integers(0, 3))
def test_a_sample_of_paths_ends_at_two_steps_and_is_complete_where_paths_are_few(graph, paths, seed):
    edges, size = graph
    first = adjacency(edges, size)
    found = second_neighbours(first, paths=paths, rng=np.random.default_rng(seed)).toarray() > 0
    exact = squared(first)
    assert not (found & ~exact).any() and (found.sum(axis=1) <= paths).all()
    few = (first @ first).sum(axis=1) <= paths
    assert (found[few] == exact[few]).all()


def test_paths_are_drawn_evenly():
    # From 0 there are four paths: three by way of 1 (to 3, 4, 5) and one by way of 2 (to 6); one is followed.
    first = adjacency(np.array([[0, 0, 1, 1, 1, 2], [1, 2, 3, 4, 5, 6]]), 7)
    rng = np.random.default_rng(0)
    ends = np.zeros(7)
    for _ in range(2000):
        ends[second_neighbours(first, paths=1, rng=rng)[[0]].nonzero()[1]] += 1
    # Three standard errors of 2,000 draws are below 0.03.
    assert ends / 2000 == pytest.approx([0, 0, 0, 0.25, 0.25, 0.25, 0.25], abs=0.03)


def test_only_the_wanted_rows_are_looked_at():
    path = adjacency(np.array([[0, 1, 2], [1, 2, 3]]), 4)
    second = second_neighbours(path, rows=np.array([False, True, True, True]))
    assert np.stack(second.nonzero()).tolist() == [[1], [3]]


def test_a_sample_of_paths_needs_a_generator():
    star = adjacency(np.array([[0, 1, 1], [1, 2, 3]]), 4)
    with pytest.raises(ValueError, match="needs a generator"):
        second_neighbours(star, paths=1)


@given(st.lists(st.integers(0, 5_000_000), max_size=20))
def test_blocks_cover_all_rows_in_order_and_hold_little_more_than_their_share(entries):
    blocks = list(row_blocks(np.array(entries, dtype=np.int64)))
    assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(len(entries)))
    # A block ends before a row that starts the next two million; its first row alone may be larger.
    assert all(sum(entries[block.start + 1 : block.stop]) < 2_000_000 for block in blocks)
