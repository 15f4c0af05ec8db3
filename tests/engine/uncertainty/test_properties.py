"""What must hold for every method, and what must not be claimed because it does not hold."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.uncertainty.boundaries import (
    Path,
    count_selected,
    greedy_merged_path,
    is_feasible,
    single_path,
    solve_greedy,
)
from engine.uncertainty.equal_weight import equal_weight_path, nested_layout
from engine.uncertainty.exact import solve_frontier
from engine.uncertainty.grid import Grid, Layout, grid_from_cells, score_edges, uncertainty_edges
from engine.uncertainty.isotonic import headroom, isotonic_path, mist_group_path, mist_path, upper_bound
from engine.uncertainty.methods import METHODS, Solver
from engine.uncertainty.monotone import solve_monotone_frontier

TARGETS = (0.2, 0.5, 0.7, 0.9)


def random_grid(rng, n_buckets=3, n_bins=5, count=12):
    totals = rng.integers(0, count + 1, (n_buckets, n_bins))
    return Grid(rng.binomial(totals, rng.random((n_buckets, n_bins))), totals)


def won(grid, cuts):
    return int(count_selected(grid, np.asarray(cuts))[0])


def brute_force(grid, target):
    cuts = np.array(list(product(range(grid.shape[1] + 1), repeat=grid.shape[0])))
    positives, selected = count_selected(grid, cuts)
    return int(positives[is_feasible(positives, selected, target)].max())


seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(1, 3), st.integers(1, 4), st.integers(1, 9), st.sampled_from(TARGETS))
@settings(max_examples=200)
def test_the_equal_weight_program_equals_brute_force_on_equal_bins(seed, n_buckets, n_bins, count, target):
    rng = np.random.default_rng(seed)
    grid = Grid(rng.integers(0, count + 1, (n_buckets, n_bins)), np.full((n_buckets, n_bins), count))
    path = equal_weight_path(grid, count)
    cuts = path.solve(target)
    assert won(grid, cuts) == brute_force(grid, target) == won(grid, solve_frontier(grid).solve(target))
    assert all(is_feasible(*count_selected(grid, cuts[None, :]), target))


@given(seeds, st.sampled_from(TARGETS))
def test_the_equal_weight_program_keeps_the_target_on_unequal_bins(seed, target):
    grid = random_grid(np.random.default_rng(seed))
    cuts = equal_weight_path(grid, max(grid.totals.sum() / 15, 1)).solve(target)
    assert all(is_feasible(*count_selected(grid, cuts[None, :]), target))
    assert won(grid, cuts) <= brute_force(grid, target)


def test_nested_bins_hold_equal_rows_and_never_split_ties():
    rng = np.random.default_rng(0)
    score, uncertainty = rng.random(6000), rng.random(6000)
    ones = np.ones(6000, dtype=np.int64)
    layout = nested_layout(score, uncertainty, ones, np.array([0.5, 0.9]))
    cell = layout.cell(score, uncertainty)
    counts = np.bincount(cell, minlength=300).reshape(layout.shape)
    assert layout.shape == (3, 100) and (np.ptp(counts, axis=1) <= 1).all()
    rounded = np.round(score, 1)
    tied = nested_layout(rounded, uncertainty, ones, np.array([0.5]))
    for bucket in range(2):
        own = (uncertainty > 0.5) == bool(bucket)
        bins = tied.cell(rounded, uncertainty)[own] % tied.shape[1]
        assert np.unique(np.stack([rounded[own], bins]), axis=1).shape[1] == np.unique(rounded[own]).size


@given(seeds, st.integers(0, 5), st.integers(0, 5))
def test_nested_thresholds_select_the_rows_that_their_bins_hold(seed, first, second):
    rng = np.random.default_rng(seed)
    score, uncertainty = np.round(rng.random(300), 1), rng.random(300)
    layout = nested_layout(score, uncertainty, np.ones(300, dtype=np.int64), np.array([0.5]))
    cuts = np.minimum([first, second], layout.shape[1])
    bucket, score_bin = np.divmod(layout.cell(score, uncertainty), layout.shape[1])
    by_bin = score_bin >= layout.shape[1] - cuts[bucket]
    assert (by_bin == (score >= layout.thresholds(cuts)[bucket])).all()


@given(seeds, st.sampled_from(TARGETS))
@settings(max_examples=200)
def test_no_method_beats_the_exact_program_and_the_bound_beats_none(seed, target):
    grid = random_grid(np.random.default_rng(seed), n_bins=8, count=30)
    solver = Solver(grid)
    found = {method: won(grid, solver.family(method).solve(target)) for method in METHODS}
    bound = upper_bound(grid, target)
    assert max(found.values()) == found["exact_dp"] <= bound + 1e-9
    assert found["best_of"] == max(found["mist"], found["single_threshold"])
    assert found["monotone_dp"] >= found["single_threshold"] >= found["isotonic"]
    assert found["mist"] >= found["mist_group"]
    assert headroom(found["exact_dp"], bound) >= 0


@given(seeds, st.sampled_from(TARGETS))
@settings(max_examples=200)
def test_whole_groups_miss_at_most_the_first_group_left_out(seed, target):
    grid = random_grid(np.random.default_rng(seed), n_bins=8, count=30)
    path = mist_group_path(grid)
    outside = np.flatnonzero(~is_feasible(path.positives, path.selected, target))
    missed = won(grid, solve_frontier(grid).solve(target)) - won(grid, path.solve(target))
    group = int(np.diff(path.positives)[outside[0] - 1]) if outside.size else 0
    assert 0 <= missed <= group


@given(seeds)
def test_the_corners_of_the_bound_fall_in_precision(seed):
    path = mist_group_path(random_grid(np.random.default_rng(seed), n_bins=8))
    filled = path.selected > 0
    precision = path.positives[filled] / path.selected[filled]
    assert (np.diff(precision) <= 1e-12).all() and (np.diff(path.cuts, axis=0) >= 0).all()


@given(seeds, st.sampled_from(TARGETS))
def test_merged_greedy_takes_the_best_next_bin_every_time(seed, target):
    grid = random_grid(np.random.default_rng(seed))
    path = greedy_merged_path(grid)
    for before, after in zip(path.cuts[:-1], path.cuts[1:], strict=True):
        rates = []
        for bucket, cut in enumerate(before):
            below = np.flatnonzero(grid.totals[bucket, : grid.shape[1] - cut])
            rates.append(grid.positives[bucket, below[-1]] / grid.totals[bucket, below[-1]] if below.size else -1)
        assert rates[int(np.argmax(after - before))] == max(rates) and np.count_nonzero(after - before) == 1
    assert path.positives[-1] == grid.positives.sum()


@given(seeds)
def test_one_isotonic_threshold_never_splits_a_pooled_block(seed):
    grid = random_grid(np.random.default_rng(seed), n_buckets=2, n_bins=8)
    pooled = Grid(grid.positives.sum(axis=0)[None], grid.totals.sum(axis=0)[None])
    rates = mist_path(pooled)
    steps = isotonic_path(grid).cuts
    assert (steps == steps[:, :1]).all() and set(steps[:, 0]) <= set(rates.cuts[:, 0])
    ends = isotonic_path(grid)
    gains = np.diff(ends.positives) / np.maximum(np.diff(ends.selected), 1)
    assert (np.diff(gains[np.diff(ends.selected) > 0]) <= 1e-12).all()


@given(seeds, st.sampled_from((2, 3, 7)))
def test_a_weight_equals_that_many_copies_in_every_edge(seed, most):
    rng = np.random.default_rng(seed)
    n = 400
    score, uncertainty = np.round(rng.random(n), 3), rng.gamma(2, size=n)
    weight = rng.integers(1, most, n)
    copies = np.repeat(np.arange(n), weight)
    for k in (1, 2, 3, 10):
        edges = uncertainty_edges(uncertainty, k, weight)
        assert edges.tolist() == uncertainty_edges(uncertainty[copies], k).tolist()
        bucket = np.searchsorted(edges, uncertainty)
        own = score_edges(score, bucket, weight)
        assert own.tolist() == score_edges(score[copies], bucket[copies]).tolist()
    coarse = np.round(uncertainty)
    assert uncertainty_edges(coarse, 5, weight).tolist() == uncertainty_edges(coarse[copies], 5).tolist()
    ones = np.ones(copies.size, dtype=np.int64)
    nested = nested_layout(score, uncertainty, weight, np.array([1.0]))
    for one, other in zip(
        nested.score_edges,
        nested_layout(score[copies], uncertainty[copies], ones, np.array([1.0])).score_edges,
        strict=True,
    ):
        assert one.tolist() == other.tolist()


def found_among(seeds_tried, wrong):
    """Whether a statement fails on one of many random grids."""
    return any(wrong(random_grid(np.random.default_rng(seed), n_buckets=3, n_bins=4)) for seed in range(seeds_tried))


FALSE = {
    "greedy finds at least as much as one threshold": lambda g: (
        won(g, solve_greedy(g, 0.5)) < won(g, single_path(g).solve(0.5))
    ),
    "merged greedy finds at least as much as one threshold": lambda g: (
        won(g, greedy_merged_path(g).solve(0.5)) < won(g, single_path(g).solve(0.5))
    ),
    "MIST by groups finds at least as much as one threshold": lambda g: (
        won(g, mist_group_path(g).solve(0.5)) < won(g, single_path(g).solve(0.5))
    ),
    "MIST finds at least as much as one threshold": lambda g: (
        won(g, mist_path(g).solve(0.7)) < won(g, single_path(g).solve(0.7))
    ),
    "MIST is exact": lambda g: won(g, mist_path(g).solve(0.5)) < won(g, solve_frontier(g).solve(0.5)),
}


@pytest.mark.parametrize("claim", FALSE)
def test_this_is_false_so_nobody_may_claim_it(claim):
    assert found_among(4000, FALSE[claim])


def test_the_best_boundary_need_not_be_monotone_even_where_the_rates_are():
    def one(seed):
        rng = np.random.default_rng(seed)
        # True rates rise with the score and fall with uncertainty; only the counts are noisy.
        rate = np.linspace(0.1, 0.8, 5)[None, :] * np.array([1.0, 0.85, 0.7])[:, None]
        totals = np.full(rate.shape, 30)
        return Grid(rng.binomial(totals, rate), totals)

    grids = [one(seed) for seed in range(60)]
    lost = [won(g, solve_monotone_frontier(g).solve(0.5)) < won(g, solve_frontier(g).solve(0.5)) for g in grids]
    assert any(lost)


def test_nested_equal_bins_can_lose_to_one_raw_threshold_which_an_added_edge_mends():
    def one(seed):
        rng = np.random.default_rng(seed)
        score, uncertainty = rng.random(600), rng.random(600)
        return score, uncertainty, (rng.random(600) < score**2).astype(np.int64)

    lost = mended = 0
    ones = np.ones(600, dtype=np.int64)
    for seed in range(40):
        score, uncertainty, label = one(seed)
        order = np.argsort(-score)
        hits = np.cumsum(label[order])
        raw = int(hits[is_feasible(hits, np.arange(1, 601), 0.7)].max(initial=0))
        threshold = score[order][np.flatnonzero(hits == raw)[0]]
        quantiles = np.quantile(score, [0.2, 0.4, 0.6, 0.8])
        for edges in (quantiles, np.unique(np.append(quantiles, threshold))):
            layout = Layout(np.array([0.33, 0.66]), edges)
            grid = grid_from_cells(layout.cell(score, uncertainty), label, ones, shape=layout.shape)
            loses = won(grid, solve_frontier(grid).solve(0.7)) < raw
            lost, mended = lost + (loses and edges.size == 4), mended + (loses and edges.size == 5)
    assert lost > 0 and mended == 0


def test_the_target_met_on_tuning_rows_is_missed_on_new_ones_and_more_search_misses_more():
    rng = np.random.default_rng(0)
    rate = np.tile(np.linspace(0.05, 0.75, 12), (6, 1))
    totals = np.full(rate.shape, 12)

    def kept(solve):
        found = []
        for _ in range(150):
            tune, test = (Grid(rng.binomial(totals, rate), totals) for _ in range(2))
            positives, selected = count_selected(test, solve(tune))
            if selected:
                found.append(positives / selected)
        return float(np.mean(found))

    single = kept(lambda grid: single_path(grid).solve(0.6))
    exact = kept(lambda grid: solve_frontier(grid).solve(0.6))
    assert exact < 0.6 and exact < single


def test_a_path_without_a_boundary_in_reach_says_so():
    path = Path(np.array([[1]]), np.array([1]), np.array([9]))
    with pytest.raises(ValueError, match="unlock one"):
        path.solve(0.5)
