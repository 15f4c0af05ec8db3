"""Boundary solvers against brute force and against the identities that hold between them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.uncertainty import boundaries as b
from engine.uncertainty.exact import solve_frontier
from engine.uncertainty.grid import Grid
from engine.uncertainty.isotonic import isotonic_rates, solve_mist, upper_bound
from engine.uncertainty.methods import METHODS, Solver

TARGETS = (0.2, 0.5, 0.7, 0.9, 1.0)
SOLVERS = {method: lambda grid, target, method=method: Solver(grid).family(method).solve(target) for method in METHODS}
ONE_BUCKET = [method for method in METHODS if method not in ("mist_group", "isotonic")]
"""Methods that may cut between any two bins of one bucket."""


@st.composite
def grids(draw, max_buckets=3, max_bins=4, max_count=12):
    """Arbitrary counts, empty bins included."""
    shape = (draw(st.integers(1, max_buckets)), draw(st.integers(1, max_bins)))
    totals = np.array(
        draw(st.lists(st.integers(0, max_count), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
    )
    shares = np.array(draw(st.lists(st.floats(0, 1), min_size=totals.size, max_size=totals.size)))
    return Grid(positives=np.rint(totals * shares).astype(np.int64).reshape(shape), totals=totals.reshape(shape))


def brute_force(grid, target):
    """Most positives over all (L + 1)^K boundaries, fewest rows among equals."""
    n_buckets, n_bins = grid.shape
    sigma = b.precision_fraction(target)
    best = (0, 0)
    for cuts in product(range(n_bins + 1), repeat=n_buckets):
        tp = sum(int(grid.positives[i, n_bins - t :].sum()) for i, t in enumerate(cuts))
        n = sum(int(grid.totals[i, n_bins - t :].sum()) for i, t in enumerate(cuts))
        if sigma.denominator * tp >= sigma.numerator * n and (tp, -n) > (best[0], -best[1]):
            best = (tp, n)
    return best


def achieved(grid, cuts):
    tp, n = b.count_selected(grid, cuts)
    return int(tp), int(n)


def test_hand_computed_two_bucket_example():
    # Bucket A bins (ascending score): 3/10, 2/3.  Bucket B: 5/7, 11/11.  Target 0.9.
    grid = Grid(positives=np.array([[3, 2], [5, 11]]), totals=np.array([[10, 3], [7, 11]]))
    assert achieved(grid, b.solve_single(grid, 0.9)) == (13, 14)  # both top bins: 13/14 = .929
    assert achieved(grid, b.solve_greedy(grid, 0.9)) == (11, 11)  # A reaches nothing on its own
    assert achieved(grid, solve_mist(grid, 0.9)) == (11, 11)  # 5/7 comes next and breaks the bound
    assert achieved(grid, solve_frontier(grid).solve(0.9)) == (13, 14)


@given(grids(), st.sampled_from(TARGETS))
@settings(max_examples=400, deadline=None)
def test_exact_equals_brute_force(grid, target):
    assert achieved(grid, solve_frontier(grid).solve(target)) == brute_force(grid, target)


@given(grids(max_buckets=5, max_bins=12, max_count=30), st.sampled_from(TARGETS))
@settings(max_examples=200, deadline=None)
def test_every_solver_meets_the_target_in_integers_and_exact_is_never_below(grid, target):
    sigma = b.precision_fraction(target)
    found = {name: achieved(grid, solve(grid, target)) for name, solve in SOLVERS.items()}
    for tp, n in found.values():
        assert sigma.denominator * tp >= sigma.numerator * n
    assert found["exact_dp"][0] == max(tp for tp, _ in found.values())


@given(grids(max_buckets=1, max_bins=12), st.sampled_from(TARGETS))
@settings(max_examples=200, deadline=None)
def test_with_one_bucket_all_solvers_agree(grid, target):
    found = {achieved(grid, SOLVERS[method](grid, target)) for method in ONE_BUCKET}
    assert len(found) == 1


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 8), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_mist_is_exact_for_equal_bins_with_rates_rising_in_the_score(n_buckets, n_bins, count, random):
    positives = np.sort([[random.randint(0, count) for _ in range(n_bins)] for _ in range(n_buckets)], axis=1)
    grid = Grid(positives=positives.astype(np.int64), totals=np.full((n_buckets, n_bins), count))
    for target in TARGETS:
        assert achieved(grid, solve_mist(grid, target))[0] == brute_force(grid, target)[0]


@given(grids(max_buckets=4, max_bins=8, max_count=30))
@settings(max_examples=150, deadline=None)
def test_recall_never_rises_with_the_target(grid):
    for solve in SOLVERS.values():
        tps = [achieved(grid, solve(grid, target))[0] for target in TARGETS]
        assert tps == sorted(tps, reverse=True)


@given(grids(), st.sampled_from(TARGETS))
@settings(max_examples=100, deadline=None)
def test_a_target_at_the_base_rate_selects_every_positive(grid, _):
    total, positives = int(grid.totals.sum()), int(grid.positives.sum())
    if positives == 0:
        return
    below_base_rate = np.floor(positives / total * 1000) / 1000
    assert achieved(grid, solve_frontier(grid).solve(below_base_rate))[0] == positives


def test_an_unreachable_target_selects_nothing():
    grid = Grid(positives=np.array([[1, 4], [2, 3]]), totals=np.array([[10, 10], [10, 10]]))
    for solve in SOLVERS.values():
        assert solve(grid, 0.9).tolist() == [0, 0]


@given(grids(max_bins=3), st.sampled_from(TARGETS), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_splitting_bins_never_lowers_the_optimum(grid, target, random):
    n_buckets, n_bins = grid.shape
    positives, totals = np.zeros((2, n_buckets, 2 * n_bins), dtype=np.int64)
    for i, j in product(range(n_buckets), range(n_bins)):
        p, n = int(grid.positives[i, j]), int(grid.totals[i, j])
        low_p = random.randint(0, p)
        low_n = low_p + random.randint(0, n - p)
        positives[i, 2 * j], positives[i, 2 * j + 1] = low_p, p - low_p
        totals[i, 2 * j], totals[i, 2 * j + 1] = low_n, n - low_n
    finer = Grid(positives=positives, totals=totals)
    coarse_tp = achieved(grid, solve_frontier(grid).solve(target))[0]
    assert achieved(finer, solve_frontier(finer).solve(target))[0] >= coarse_tp


@given(grids(), st.sampled_from(TARGETS))
@settings(max_examples=100, deadline=None)
def test_duplicating_all_rows_doubles_the_positives_found(grid, target):
    doubled = Grid(positives=2 * grid.positives, totals=2 * grid.totals)
    for solve in SOLVERS.values():
        assert achieved(doubled, solve(doubled, target))[0] == 2 * achieved(grid, solve(grid, target))[0]


@given(grids(), st.sampled_from(TARGETS))
@settings(max_examples=300, deadline=None)
def test_the_linear_bound_is_never_below_the_optimum(grid, target):
    assert upper_bound(grid, target) >= achieved(grid, solve_frontier(grid).solve(target))[0] - 1e-9


@given(grids(), st.sampled_from(TARGETS))
@settings(max_examples=300, deadline=None)
def test_mist_misses_at_most_one_group_of_equal_rates(grid, target):
    rates = isotonic_rates(grid)
    group = [int(grid.positives[rates == rate].sum()) for rate in np.unique(rates)]
    optimum = achieved(grid, solve_frontier(grid).solve(target))[0]
    assert optimum - achieved(grid, solve_mist(grid, target))[0] <= max(group)


@given(grids(max_buckets=3, max_bins=6))
@settings(max_examples=100, deadline=None)
def test_one_frontier_answers_every_target_like_separate_solves(grid):
    path = solve_frontier(grid).path()
    for target in np.arange(0.05, 1.0, 0.1):
        on_path = achieved(grid, path.solve(target))
        assert on_path == achieved(grid, solve_frontier(grid).solve(target))


def test_subset_sum_is_decided_by_the_exact_boundary():
    # sigma = 1/2; a level of T positives pays for levels of a_i positives and 2 a_i negatives.
    def grid(items, budget):
        positives = np.array([[budget], *([a] for a in items)], dtype=np.int64)
        totals = np.array([[budget], *([3 * a] for a in items)], dtype=np.int64)
        return Grid(positives=positives, totals=totals)

    assert achieved(grid([3, 5, 8], 11), solve_frontier(grid([3, 5, 8], 11)).solve(0.5))[0] == 22  # 3 + 8
    assert achieved(grid([3, 5, 9], 11), solve_frontier(grid([3, 5, 9], 11)).solve(0.5))[0] == 20  # 9 is the best


def test_isotonic_rates_match_scikit_learn():
    from sklearn.isotonic import isotonic_regression

    rng = np.random.default_rng(0)
    totals = rng.integers(1, 50, size=(3, 20))
    positives = rng.binomial(totals, rng.uniform(size=totals.shape))
    rates = isotonic_rates(Grid(positives=positives, totals=totals))
    for i in range(3):
        expected = isotonic_regression(positives[i] / totals[i], sample_weight=totals[i].astype(float))
        np.testing.assert_allclose(rates[i], expected, atol=1e-12)


@pytest.mark.parametrize(("target", "threshold"), [(0.6, 0.4), (0.7, 0.9), (1.0, 0.9), (0.2, 0.1)])
def test_score_only_threshold_keeps_ties_together(target, threshold):
    # descending: .9(1) | .4(1) .4(0) | .1(0) .1(1) .1(0)
    score = np.array([0.9, 0.4, 0.4, 0.1, 0.1, 0.1])
    label = np.array([1, 1, 0, 0, 1, 0])
    assert b.score_only_threshold(score, label, np.ones(6, dtype=np.int64), target) == threshold


def test_score_only_threshold_is_infinite_when_nothing_reaches_the_target():
    score, label = np.array([0.9, 0.1]), np.array([0, 1])
    assert b.score_only_threshold(score, label, np.ones(2, dtype=np.int64), 0.9) == np.inf


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 9), st.sampled_from(TARGETS), st.data())
@settings(max_examples=200, deadline=None)
def test_exact_equals_brute_force_on_bins_of_equal_counts(n_buckets, n_bins, count, target, data):
    cells = st.lists(st.integers(0, count), min_size=n_buckets * n_bins, max_size=n_buckets * n_bins)
    positives = np.array(data.draw(cells), dtype=np.int64).reshape(n_buckets, n_bins)
    grid = Grid(positives=positives, totals=np.full((n_buckets, n_bins), count))
    assert achieved(grid, solve_frontier(grid).solve(target)) == brute_force(grid, target)
