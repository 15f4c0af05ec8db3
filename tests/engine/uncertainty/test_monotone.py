"""The monotone program against brute force over boundaries of its shape."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.uncertainty.boundaries import count_selected, is_feasible, precision_fraction, solve_single
from engine.uncertainty.exact import solve_frontier
from engine.uncertainty.grid import Grid
from engine.uncertainty.monotone import solve_monotone_frontier

TARGETS = (0.2, 0.5, 0.7, 0.9, 1.0)


@st.composite
def grids(draw, max_buckets=3, max_bins=4, max_count=12):
    """Arbitrary counts, empty bins included."""
    shape = (draw(st.integers(1, max_buckets)), draw(st.integers(1, max_bins)))
    cells = st.lists(st.tuples(st.integers(0, max_count), st.integers(0, max_count)), min_size=1)
    pairs = draw(cells)
    pairs = [pairs[i % len(pairs)] for i in range(shape[0] * shape[1])]
    positives = np.array([p for p, _ in pairs], dtype=np.int64).reshape(shape)
    return Grid(positives=positives, totals=positives + np.array([q for _, q in pairs]).reshape(shape))


def brute_force(grid, target):
    """Most positives over all boundaries whose cuts never rise, fewest rows among equals."""
    sigma = precision_fraction(target)
    best = (0, 0)
    for cuts in product(range(grid.shape[1] + 1), repeat=grid.shape[0]):
        if all(a >= b for a, b in pairwise(cuts)):
            tp, n = (int(v) for v in count_selected(grid, np.array(cuts)))
            if sigma.denominator * tp >= sigma.numerator * n and (tp, -n) > (best[0], -best[1]):
                best = (tp, n)
    return best


@given(grids(), st.sampled_from(TARGETS))
@settings(max_examples=300)
def test_it_equals_brute_force_over_boundaries_of_its_shape(grid, target):
    cuts = solve_monotone_frontier(grid).solve(target)
    assert (np.diff(cuts) <= 0).all()
    assert tuple(int(v) for v in count_selected(grid, cuts)) == brute_force(grid, target)


@given(grids(max_buckets=4, max_bins=8, max_count=30), st.sampled_from(TARGETS))
@settings(max_examples=100)
def test_it_lies_between_one_threshold_and_the_free_optimum(grid, target):
    monotone = solve_monotone_frontier(grid).solve(target)
    positives, selected = count_selected(grid, monotone)
    assert is_feasible(positives, selected, target)
    assert count_selected(grid, solve_single(grid, target))[0] <= positives
    assert positives <= count_selected(grid, solve_frontier(grid).solve(target))[0]


def test_a_free_optimum_of_another_shape_is_not_taken():
    # Only the less certain bucket is worth selecting; the shape then asks for as much of the certain one.
    grid = Grid(positives=np.array([[0, 2], [0, 9]]), totals=np.array([[10, 10], [10, 10]]))
    assert solve_frontier(grid).solve(0.8).tolist() == [0, 1]
    assert solve_monotone_frontier(grid).solve(0.8).tolist() == [0, 0]
    assert solve_monotone_frontier(grid).solve(0.5).tolist() == [1, 1]


@pytest.mark.parametrize("target", TARGETS)
def test_one_bucket_has_no_shape_to_keep(target):
    rng = np.random.default_rng(0)
    totals = rng.integers(0, 20, (1, 12))
    grid = Grid(positives=rng.binomial(totals, 0.4), totals=totals)
    assert solve_monotone_frontier(grid).solve(target).tolist() == solve_frontier(grid).solve(target).tolist()
