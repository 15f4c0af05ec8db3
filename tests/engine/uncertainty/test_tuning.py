"""What is fixed on the tuning rows: targets, buckets, edges, boundaries and their rivals."""

from __future__ import annotations

import numpy as np
import pytest

from engine.uncertainty import tuning as t
from engine.uncertainty.boundaries import count_selected, is_feasible, score_only_threshold, solve_greedy
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.planes import shuffled
from engine.uncertainty.rows import Rows

TARGETS = (0.3, 0.5, 0.7)


def rows_with_base_rate(share, n=2000):
    label = np.zeros(n, dtype=np.int64)
    label[: round(share * n)] = 1
    ones = np.ones(n, dtype=np.int64)
    return Rows(np.linspace(0, 1, n), np.linspace(0, 1, n), label, ones, np.arange(n))


@pytest.mark.parametrize(
    ("share", "targets"),
    [
        # odds .125 x 3, 5, 8, 12 = .375, .625, 1, 1.5 -> precisions .273, .385, .5, .6
        (1 / 9, (0.25, 0.4, 0.5, 0.6)),
        # odds 1/99 -> .0294, .0481, .0748, .1081
        (0.01, (0.03, 0.05, 0.07, 0.11)),
        # odds 1 -> .75, .833, .889, .923
        (0.5, (0.75, 0.85, 0.9)),
    ],
)
def test_default_targets_are_multiples_of_the_odds(share, targets):
    assert t.default_targets(rows_with_base_rate(share)) == targets


@pytest.mark.parametrize(("rows", "k"), [(10_000, 3), (49_999, 3), (50_000, 5), (100_000, 10)])
def test_few_tuning_rows_get_few_buckets(rows, k):
    assert t.buckets_by_rows(rows) == k


@pytest.mark.parametrize("weighted", [False, True])
def test_every_method_meets_every_target_on_the_rows_it_was_tuned_on(make_rows, weighted):
    rows = make_rows(800, weighted=weighted)
    for plane in t.tune(rows, UncertaintyConfig(buckets=3), TARGETS).planes:
        grid = plane.grid(rows)
        for cuts in plane.cuts.values():
            positives, selected = count_selected(grid, cuts)
            assert all(is_feasible(positives[i], selected[i], target) for i, target in enumerate(TARGETS))


def test_the_exact_boundary_is_never_below_the_best_of_the_others_on_its_grid(make_rows):
    for seed in range(5):
        rows = make_rows(800, seed=seed)
        plane = t.tune(rows, UncertaintyConfig(buckets=3), TARGETS).planes[0]
        found = {method: count_selected(plane.grid(rows), cuts)[0] for method, cuts in plane.cuts.items()}
        assert (found["exact_dp"] >= np.max([found[m] for m in found if m != "exact_dp"], axis=0)).all()


def test_one_threshold_on_the_grid_equals_one_threshold_on_the_raw_rows(make_rows):
    rows = make_rows(5000)
    plane = t.tune(rows, UncertaintyConfig(buckets=3), TARGETS).planes[0]
    for place, target in enumerate(TARGETS):
        raw = score_only_threshold(rows.score, rows.label, rows.weight, target)
        assert plane.layout.thresholds(plane.cuts["single_threshold"][place]).tolist() == [raw] * 3


def test_constant_uncertainty_gives_one_bucket_on_which_all_methods_agree(make_rows):
    rows = make_rows()
    constant = Rows(rows.score, np.full(rows.score.size, 0.1), rows.label, rows.weight, rows.unit)
    plane = t.tune(constant, UncertaintyConfig(buckets=5), TARGETS).planes[0]
    assert plane.layout.shape[0] == 1
    won = {method: tuple(count_selected(plane.grid(constant), cuts)[0]) for method, cuts in plane.cuts.items()}
    # These two cut between pooled blocks only, even where there is one bucket.
    coarse = {won.pop("isotonic"), won.pop("mist_group")}
    assert len(coarse) == 1 and len(set(won.values())) == 1


def test_the_placebo_keeps_scores_and_shuffles_uncertainty_alone(make_rows):
    rows = make_rows()
    planes = t.tune(rows, UncertaintyConfig(buckets=3), TARGETS).planes
    plain, placebo = planes[0], planes[-1]
    assert plain.layout is placebo.layout
    grids = plain.grid(rows), placebo.grid(rows)
    assert (grids[0].totals.sum(axis=0) == grids[1].totals.sum(axis=0)).all()
    assert (grids[0].totals.sum(axis=1) == grids[1].totals.sum(axis=1)).all()
    assert (grids[0].totals != grids[1].totals).any()


def test_shuffling_repeats_for_the_same_seed_only():
    values = np.arange(50.0)
    assert (shuffled(values, 1) == shuffled(values, 1)).all()
    assert (shuffled(values, 1) != shuffled(values, 2)).any()
    assert sorted(shuffled(values, 1)) == values.tolist()


def test_the_recalibrated_plane_has_one_bucket_and_one_method(make_rows):
    plane = t.tune(make_rows(), UncertaintyConfig(buckets=3), TARGETS).planes[3]
    assert plane.layout.shape[0] == 1 and list(plane.paths) == ["recalibrated"]


def test_cells_of_new_rows_do_not_depend_on_their_labels(make_rows):
    rows = make_rows(seed=1)
    flipped = Rows(rows.score, rows.uncertainty, 1 - rows.label, rows.weight, rows.unit)
    for plane in t.tune(make_rows(), UncertaintyConfig(buckets=3), TARGETS).planes:
        assert (plane.cell(rows) == plane.cell(flipped)).all()


def test_greedy_meets_the_target_in_every_bucket_on_its_own(make_rows):
    rows = make_rows(800)
    grid = t.tune(rows, UncertaintyConfig(buckets=3), TARGETS).planes[0].grid(rows)
    positives, totals = grid.from_top()
    for target in TARGETS:
        cuts = solve_greedy(grid, target)
        assert is_feasible(positives[range(3), cuts], totals[range(3), cuts], target).all()
