"""The change in positivity at equal score: the arithmetic, and what it finds on planted rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from engine.uncertainty import trend as t
from engine.uncertainty.rows import Rows


def rows_of(score, uncertainty, rate, rng):
    """Draw labels; every row is a unit of its own."""
    n = score.size
    label = (rng.random(n) < rate).astype(np.int64)
    return Rows(score, uncertainty, label, np.ones(n, dtype=np.int64), np.arange(n))


def measured(rows, resamples=60):
    return t.positivity_trend(rows, resamples=resamples, rng=np.random.default_rng(0))


@given(arrays(float, st.integers(2, 30), elements=st.sampled_from([0.1, 0.2, 0.3, 0.9])))
def test_mid_ranks_are_those_of_scipy_scaled_to_one(values):
    if np.unique(values).size == 1:
        assert (t.mid_rank(values) == 0.5).all()
    else:
        np.testing.assert_allclose(t.mid_rank(values), (rankdata(values) - 1) / (values.size - 1))


def test_the_smooth_fit_equals_least_squares_on_hat_functions():
    rng = np.random.default_rng(0)
    score, weight = rng.beta(1, 3, 500), rng.integers(1, 4, 500).astype(float)
    outcome = np.sin(6 * score) + rng.normal(0, 0.1, 500)
    knots = t.score_knots(score)
    basis = np.stack([np.interp(score, knots, row) for row in np.eye(knots.size)], axis=1)
    root = np.sqrt(weight)
    height = np.linalg.lstsq(basis * root[:, None], outcome * root, rcond=None)[0]
    np.testing.assert_allclose(t.smooth_by_score(score, outcome, weight), basis @ height, atol=1e-8)


def test_a_constant_score_is_smoothed_to_the_weighted_mean():
    fitted = t.smooth_by_score(np.full(3, 0.2), np.array([0.0, 1.0, 1.0]), np.array([2.0, 1.0, 1.0]))
    assert fitted.tolist() == [0.5, 0.5, 0.5]


def test_knots_are_scores_that_occur_and_at_most_a_hundred():
    assert t.score_knots(np.linspace(0, 1, 5000)).size == 100
    assert t.score_knots(np.repeat([0.1, 0.4], 50)).tolist() == [0.1, 0.4]
    coarse = t.score_knots(np.arange(15) / 15)
    assert coarse.size == 5 and np.isin(coarse, np.arange(15) / 15).all()


def test_a_planted_fall_of_ten_points_is_found():
    rng = np.random.default_rng(1)
    score, uncertainty = rng.uniform(0.2, 0.8, 20_000), rng.gamma(2, size=20_000)
    rows = rows_of(score, uncertainty, score - 0.10 * (t.mid_rank(uncertainty) - 0.5), rng)
    effect = measured(rows)
    assert effect["ci_low"] < -10 < effect["ci_high"] and effect["ci_high"] < -5 and effect["n"] == 20_000


def test_the_placebo_does_not_see_a_planted_trend():
    rng = np.random.default_rng(1)
    score, uncertainty = rng.uniform(0.2, 0.8, 10_000), rng.gamma(2, size=10_000)
    rows = rows_of(score, uncertainty, score - 0.30 * (t.mid_rank(uncertainty) - 0.5), rng)
    table = t.trend_table(rows, seed=0, resamples=60, rng=np.random.default_rng(0))
    found = table[table["segment"] == "all"].set_index("method")
    assert found.loc["uncertainty", "ci_high"] < -20
    assert found.loc["placebo", "ci_low"] < 0 < found.loc["placebo", "ci_high"]


def test_uncertainty_that_only_follows_the_score_has_no_effect_of_its_own():
    rng = np.random.default_rng(2)
    score = rng.beta(1, 3, 20_000)
    rows = rows_of(score, score * (1 - score) * rng.lognormal(0, 0.3, score.size), score, rng)
    effect = measured(rows)
    assert effect["ci_low"] < 0 < effect["ci_high"]


def test_an_uncertainty_that_the_score_determines_gives_no_number():
    rng = np.random.default_rng(3)
    score = rng.choice([0.2, 0.4, 0.6], 300)
    effect = measured(rows_of(score, 1 - score, score, rng))
    assert np.isnan(effect["value"]) and np.isnan(effect["ci_low"])


def test_increasing_transforms_of_the_uncertainty_leave_the_trend_unchanged(make_rows):
    rows = make_rows()
    moved = Rows(rows.score, np.exp(3 * rows.uncertainty), rows.label, rows.weight, rows.unit)
    assert measured(rows)["value"] == pytest.approx(measured(moved)["value"])


def test_units_are_resampled_whole_so_copies_of_a_unit_do_not_narrow_the_interval(make_rows):
    rows = make_rows()
    copies = Rows(*(np.tile(getattr(rows, name), 4) for name in rows.__slots__))
    width = {name: measured(r)["ci_high"] - measured(r)["ci_low"] for name, r in (("once", rows), ("four", copies))}
    assert width["four"] == pytest.approx(width["once"], rel=0.05)


def test_the_table_sets_a_placebo_beside_every_segment(make_rows):
    table = t.trend_table(make_rows(), seed=0, resamples=20, rng=np.random.default_rng(0))
    assert table[["method", "segment"]].values.tolist() == [
        ["uncertainty", "all"],
        ["placebo", "all"],
        ["uncertainty", "top tenth of scores"],
        ["placebo", "top tenth of scores"],
    ]
    assert table["n"].iloc[0] == 200 and table["n"].iloc[2] < 60


@given(st.integers(0, 2**32 - 1))
def test_a_weight_equals_that_many_copies_of_a_row(seed):
    rng = np.random.default_rng(seed)
    score, uncertainty, weight = np.round(rng.random(80), 2), np.round(rng.random(80), 1), rng.integers(1, 4, 80)
    label, unit = rng.integers(0, 2, 80), np.arange(80) // 4
    once = Rows(score, uncertainty, label, weight, unit)
    copies = once.take(np.repeat(np.arange(80), weight))
    copies = Rows(copies.score, copies.uncertainty, copies.label, np.ones(weight.sum(), dtype=np.int64), copies.unit)
    one, other = (measured(rows, resamples=10) for rows in (once, copies))
    assert one == pytest.approx(other, nan_ok=True)
    # The top tenth is cut at a rank of rows, too.
    tables = [
        t.trend_table(rows, seed=0, resamples=10, rng=np.random.default_rng(0)).query("method == 'uncertainty'")
        for rows in (once, copies)
    ]
    np.testing.assert_allclose(tables[0]["value"], tables[1]["value"], atol=1e-8)
