"""Edges never split ties, keep empty bins, and follow ranks only."""

from __future__ import annotations

import numpy as np
import pytest

from engine.uncertainty import grid as g


def test_tail_edges_put_a_few_rows_on_top_and_ever_more_below():
    score = np.arange(1000) / 1000
    edges = g.tail_edges(score, start=10, growth=2.0)
    # top 10, then 20, 40, ... rows: cumulated 10, 30, 70, 150, 310, 630
    assert edges.tolist() == [0.37, 0.69, 0.85, 0.93, 0.97, 0.99]


def test_equal_scores_share_a_bin():
    score = np.repeat([0.1, 0.2, 0.5, 0.9], [400, 300, 200, 100])
    bins = g.assign_bins(score, g.score_edges(score, np.zeros(1000, dtype=np.int64)))
    assert np.unique(np.stack([score, bins]), axis=1).tolist() == [[0.1, 0.2, 0.5, 0.9], [0, 1, 2, 3]]


def test_a_row_on_an_edge_belongs_to_the_bin_above():
    assert g.assign_bins(np.array([0.29, 0.3, 0.31]), np.array([0.3])).tolist() == [0, 1, 1]


def test_score_edges_hold_the_thresholds_of_score_only():
    rng = np.random.default_rng(0)
    score = rng.uniform(size=5000)
    extra = float(score[17])
    edges = g.score_edges(score, rng.integers(0, 3, 5000), extra=(extra, np.inf))
    assert extra in edges and np.isfinite(edges).all()
    assert (np.diff(edges) > 0).all()


def test_increasing_transforms_of_score_and_uncertainty_leave_the_cells_unchanged():
    rng = np.random.default_rng(1)
    score, uncertainty = rng.uniform(0.01, 0.99, 3000), rng.gamma(2, size=3000)

    def cells(s, u):
        bucket = g.assign_buckets(u, g.uncertainty_edges(u, 3))
        return bucket, g.assign_bins(s, g.score_edges(s, bucket))

    for plain, transformed in zip(cells(score, uncertainty), cells(score**3, np.log(uncertainty)), strict=True):
        assert np.array_equal(plain, transformed)


def test_uncertainty_quantiles_make_buckets_of_equal_size():
    uncertainty = np.arange(900) / 900
    bucket = g.assign_buckets(uncertainty, g.uncertainty_edges(uncertainty, 3))
    assert np.bincount(bucket).tolist() == [300, 300, 300]


def test_few_values_get_a_bucket_each_and_small_ones_join():
    uncertainty = np.repeat([0.1, 0.2, 0.3, 0.4], [500, 20, 480, 30])
    bucket = g.assign_buckets(uncertainty, g.uncertainty_edges(uncertainty, 3))
    # 0.2 has too few rows and joins 0.3; 0.4 is short too and joins down.
    assert np.bincount(bucket).tolist() == [500, 530]


def test_constant_uncertainty_gives_one_bucket():
    assert g.uncertainty_edges(np.ones(100), 3).size == 0


def test_empty_bins_stay_with_a_count_of_zero():
    grid = g.grid_from_cells(np.array([0, 0, 5]), np.array([1, 0, 1]), np.array([1, 2, 4]), shape=(2, 3))
    assert grid.totals.tolist() == [[3, 0, 0], [0, 0, 4]]
    assert grid.positives.tolist() == [[1, 0, 0], [0, 0, 4]]


def test_cumulated_counts_start_with_nothing_selected():
    grid = g.Grid(positives=np.array([[1, 2, 3]]), totals=np.array([[4, 5, 6]]))
    positives, totals = grid.from_top()
    assert positives.tolist() == [[0, 3, 5, 6]]
    assert totals.tolist() == [[0, 6, 11, 15]]


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_a_value_on_an_edge_stays_below_it_in_every_precision(kind):
    edges = np.array([0.1, 0.2, 0.7])
    values = np.array([0.1, 0.2, 0.3, 0.7, 0.8]).astype(kind)
    assert g.assign_buckets(values, edges).tolist() == [0, 1, 2, 2, 3]
    assert g.precision_of(values) == kind and g.precision_of([0.1]) == "float64"


def test_limits_keep_their_infinities_and_finite_ones_stay_finite():
    found = g.in_precision(np.array([-np.inf, 1e300, np.inf]), "float32")
    assert found.tolist() == [-np.inf, float(np.finfo("float32").max), np.inf]
