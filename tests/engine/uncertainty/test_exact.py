"""The exact program: budgets, locks, and counts too large for the narrow type."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.uncertainty.boundaries import count_selected, precision_fraction
from engine.uncertainty.exact import solve_frontier
from engine.uncertainty.grid import Grid
from engine.uncertainty.isotonic import mist_path
from engine.uncertainty.methods import METHODS, Solver
from engine.uncertainty.monotone import solve_monotone_frontier

TARGETS = (0.2, 0.5, 0.7, 0.9)


def random_grid(random, n_buckets=3, n_bins=4, count=12):
    totals = np.array([[random.randint(0, count) for _ in range(n_bins)] for _ in range(n_buckets)])
    positives = np.array([[random.randint(0, n) for n in row] for row in totals.tolist()])
    return Grid(positives.astype(np.int64), totals.astype(np.int64))


def all_boundaries(grid, locks=(), shape=None):
    """Counts of every boundary that keeps the locks and, if asked, never rises."""
    found = []
    for cuts in product(range(grid.shape[1] + 1), repeat=grid.shape[0]):
        held = all(cuts[bucket] == cut for bucket, cut in dict(locks).items())
        if held and (shape is None or all(np.diff(cuts) <= 0)):
            found.append(tuple(int(v) for v in count_selected(grid, np.array(cuts))))
    return found


def best(boundaries, allowed):
    """Most positives, then fewest rows."""
    kept = [(tp, n) for tp, n in boundaries if allowed(tp, n)]
    return max(kept, key=lambda pair: (pair[0], -pair[1])) if kept else None


def achieved(grid, cuts):
    return tuple(int(v) for v in count_selected(grid, np.asarray(cuts)))


def meets(target):
    sigma = precision_fraction(target)
    return lambda tp, n: sigma.denominator * tp >= sigma.numerator * n


@given(st.randoms(use_true_random=False), st.integers(0, 60))
def test_a_budget_is_filled_as_brute_force_fills_it(random, budget):
    grid = random_grid(random)
    found = achieved(grid, solve_frontier(grid).within(budget))
    assert found == best(all_boundaries(grid), lambda _tp, n: n <= budget)
    by_mist = achieved(grid, mist_path(grid).within(budget))
    assert by_mist[1] <= budget and by_mist[0] <= found[0]


@pytest.mark.parametrize(("method", "shape"), [("exact_dp", None), ("monotone_dp", "falling")])
@given(random=st.randoms(use_true_random=False), target=st.sampled_from(TARGETS))
def test_with_locked_buckets_the_rest_is_solved_as_brute_force_solves_it(method, shape, random, target):
    grid = random_grid(random)
    locks = {bucket: random.randint(0, 4) for bucket in random.sample(range(3), random.randint(1, 2))}
    expected = best(all_boundaries(grid, locks, shape), meets(target))
    if expected is None:
        with pytest.raises(ConfigError, match="locked"):
            Solver(grid).family(method, locks).solve(target)
        return
    cuts = Solver(grid).family(method, locks).solve(target)
    assert achieved(grid, cuts) == expected and all(cuts[b] == cut for b, cut in locks.items())


@pytest.mark.parametrize("method", METHODS)
@given(random=st.randoms(use_true_random=False), target=st.sampled_from(TARGETS))
def test_no_method_moves_a_locked_bucket_or_breaks_the_target(method, random, target):
    grid = random_grid(random)
    locks = {random.randrange(3): random.randint(0, 4)}
    try:
        cuts = Solver(grid).family(method, locks).solve(target)
    except ConfigError:
        return
    assert all(cuts[b] == cut for b, cut in locks.items()) and meets(target)(*achieved(grid, cuts))
    ceiling = achieved(grid, solve_frontier(grid, locks).solve(target))[0]
    assert achieved(grid, cuts)[0] <= ceiling


def test_all_buckets_locked_leaves_one_boundary_or_a_clear_refusal():
    grid = Grid(np.array([[1, 4], [2, 3]]), np.array([[10, 5], [10, 5]]))
    for method in METHODS:
        assert Solver(grid).family(method, {0: 1, 1: 1}).solve(0.7).tolist() == [1, 1] or method == "monotone_dp"
        with pytest.raises(ConfigError, match=r"keeps to precision 0\.8; unlock one"):
            Solver(grid).family(method, {0: 1, 1: 1}).solve(0.8)


@pytest.mark.parametrize("locks", [{3: 0}, {-1: 0}, {0: 5}, {1: -1}])
def test_a_lock_outside_the_grid_is_refused(locks):
    grid = Grid(np.ones((3, 4), dtype=np.int64), np.ones((3, 4), dtype=np.int64))
    with pytest.raises(ConfigError, match="buckets 0 to 2 with cuts 0 to 4"):
        Solver(grid).family("mist", locks)


@given(st.randoms(use_true_random=False))
def test_counts_beyond_the_narrow_type_give_the_same_boundary(random):
    grid = random_grid(random, n_buckets=2, n_bins=3, count=6)
    scale = 2**31
    frontier, narrow = solve_frontier(Grid(grid.positives, grid.totals * scale)), solve_frontier(grid)
    assert narrow.selected.dtype == np.int32
    assert frontier.selected.dtype == (np.int64 if grid.totals.any() else np.int32)
    for budget in (0, 5, 11, 17):
        assert frontier.within(budget * scale).tolist() == narrow.within(budget).tolist()


@given(st.randoms(use_true_random=False))
def test_the_path_of_the_monotone_program_answers_every_target(random):
    grid = random_grid(random)
    frontier = solve_monotone_frontier(grid)
    path = frontier.path()
    for target in np.arange(0.05, 1.0, 0.1):
        assert achieved(grid, path.solve(target)) == achieved(grid, frontier.solve(target))


def test_a_table_too_large_tries_fewer_cuts_and_says_which(monkeypatch):
    monkeypatch.setattr("engine.uncertainty.monotone.MOST_STATES", 500)
    rng = np.random.default_rng(0)
    totals = rng.integers(1, 9, (2, 30))
    grid = Grid(rng.binomial(totals, 0.4), totals)
    frontier = solve_monotone_frontier(grid, {1: 7})
    assert 7 in frontier.tried and {0, 30} <= set(frontier.tried.tolist()) and frontier.tried.size < 31
    cuts = frontier.solve(0.1)
    assert set(cuts.tolist()) <= set(frontier.tried.tolist()) and cuts[1] == 7 and cuts[0] >= 7
