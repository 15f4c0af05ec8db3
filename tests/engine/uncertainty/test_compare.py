"""Recall at matched precision, and measured boundaries against counts made by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.uncertainty.compare import Measurement, measure_split, paired
from engine.uncertainty.compare import matched_recall as matched_recalls
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.tuning import tune

TARGETS = (0.3, 0.5, 0.7)


def matched_recall(positives, selected, target, total):
    """One draw."""
    return matched_recalls(positives[:, None], selected[:, None], target, np.array([total], dtype=float))[0]


def test_a_boundary_that_meets_the_precision_counts_whole():
    # 4 of 5 positives at precision 4/6 >= 0.6; the next step ends at 5/10 < 0.6.
    positives, selected = np.array([0.0, 2, 4, 5]), np.array([0.0, 2, 6, 10])
    # Between 4/6 and 5/10: (4 + t) / (6 + 4t) = 0.6 gives t = 0.4 / 1.4.
    assert matched_recall(positives, selected, 0.6, 5) == pytest.approx((4 + 0.4 / 1.4) / 5)


def test_an_unreachable_precision_has_recall_zero():
    assert matched_recall(np.array([0.0, 1, 2]), np.array([0.0, 4, 8]), 0.5, 2) == 0.0


def test_everything_is_found_where_the_base_rate_meets_the_precision():
    assert matched_recall(np.array([0.0, 1, 3]), np.array([0.0, 4, 6]), 0.5, 3) == 1.0


def test_a_late_recovery_of_the_precision_counts():
    # 1/4 misses 0.5, 4/8 meets it again.
    assert matched_recall(np.array([0.0, 1, 4, 4]), np.array([0.0, 4, 8, 20]), 0.5, 4) == 1.0


def test_without_positives_recall_is_unknown():
    assert np.isnan(matched_recall(np.zeros(2), np.array([0.0, 3.0]), 0.5, 0.0))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8),
    st.sampled_from((0.2, 0.5, 0.8)),
)
def test_the_even_share_is_found_by_a_fine_search_too(steps, target):
    won = np.concatenate([[0], np.cumsum([p for p, _ in steps])]).astype(float)
    taken = np.concatenate([[0], np.cumsum([p + q for p, q in steps])]).astype(float)
    if won[-1] == 0:
        return
    place = np.linspace(0, len(steps), 400 * len(steps) + 1)
    p, n = (np.interp(place, np.arange(won.size), values) for values in (won, taken))
    best = p[p - target * n >= -1e-9].max() / won[-1]
    found = matched_recall(won, taken, target, won[-1])
    assert best - 1e-9 <= found <= best + 0.02


def naive_counts(plane, method, place, rows):
    """Select rows one by one by comparing the score with the threshold of the bucket."""
    tp = n = 0
    thresholds = plane.layout.thresholds(plane.cuts[method][place])
    for score, u, label, weight in zip(rows.score, rows.uncertainty, rows.label, rows.weight, strict=True):
        bucket = sum(u > edge for edge in plane.layout.uncertainty_edges)
        if score >= thresholds[bucket]:
            n += weight
            tp += weight * label
    return tp, n


@pytest.mark.parametrize("weighted", [False, True])
def test_tuned_metrics_equal_a_naive_loop_over_new_rows(make_rows, weighted):
    planes = tune(make_rows(weighted=weighted), UncertaintyConfig(buckets=3), TARGETS).planes
    rows = make_rows(seed=1, weighted=weighted)
    measurement = Measurement(planes[:1], rows, TARGETS, matched=False)
    found = dict(zip(measurement.keys, measurement(np.ones((200, 1)))[0], strict=True))
    for method in planes[0].paths:
        for place, target in enumerate(TARGETS):
            tp, n = naive_counts(planes[0], method, place, rows)
            assert found[method, target, "recall"] == pytest.approx(tp / (rows.weight @ rows.label))
            assert found[method, target, "coverage"] == pytest.approx(n / rows.weight.sum())
            if n:
                assert found[method, target, "precision"] == pytest.approx(tp / n)
            else:
                assert np.isnan(found[method, target, "precision"])


def test_a_weight_of_two_equals_the_row_twice(make_rows):
    rows = make_rows()
    planes = tune(rows, UncertaintyConfig(buckets=3), TARGETS).planes
    twice = type(rows)(*(np.repeat(getattr(rows, name), 2) for name in rows.__slots__))
    once = Measurement(planes[:2], rows, TARGETS, matched=True)(np.full((200, 1), 2.0))
    np.testing.assert_allclose(once, Measurement(planes[:2], twice, TARGETS, matched=True)(np.ones((200, 1))))


def test_intervals_share_their_draws_so_equal_methods_differ_by_exactly_zero(make_rows):
    rows = make_rows()
    planes = tune(rows, UncertaintyConfig(buckets=1), TARGETS).planes
    measurement = Measurement(planes[:1], make_rows(seed=1), TARGETS, matched=True)
    rng = np.random.default_rng(0)
    table, draws = measure_split({"given": measurement}, make_rows(seed=1), split="test", resamples=30, rng=rng)
    assert (table["ci_low"].dropna() <= table["ci_high"].dropna()).all() and set(table["n"]) == {200}
    recall = table[table["metric"] == "recall"]
    place = {method: recall.index[recall["method"] == method].tolist() for method in planes[0].paths}
    # With one bucket every method on this plane is one threshold.
    for method in ("mist", "greedy", "exact_dp"):
        assert paired(table, draws, place[method], place["single_threshold"]) == {
            "value": 0.0,
            "ci_low": 0.0,
            "ci_high": 0.0,
        }


def test_copies_of_the_rows_of_a_unit_narrow_no_interval(make_rows):
    rows = make_rows(seed=1)
    copies = type(rows)(*(np.tile(getattr(rows, name), 4) for name in rows.__slots__))
    plane = tune(make_rows(), UncertaintyConfig(buckets=3), TARGETS).planes[0]

    def width(shown):
        measurements = {"given": Measurement([plane], shown, TARGETS, matched=True)}
        rng = np.random.default_rng(0)
        table, _ = measure_split(measurements, shown, split="test", resamples=60, rng=rng)
        return (table["ci_high"] - table["ci_low"]).to_numpy()

    np.testing.assert_allclose(width(copies), width(rows), atol=1e-9)


def test_paired_effects_average_rows_and_turn_into_percent():
    table = pd.DataFrame({"value": [0.3, 0.5, 0.2, 0.2]})
    draws = np.array([[0.3, 0.5, 0.2, 0.2], [0.2, 0.4, 0.2, 0.2]])
    assert paired(table, draws, [0, 1], [2, 3])["value"] == pytest.approx(0.2)
    relative = paired(table, draws, [0, 1], [2, 3], relative=True)
    assert relative["value"] == pytest.approx(100.0)
    assert 50 <= relative["ci_low"] <= relative["ci_high"] <= 100


def test_percent_of_a_baseline_of_zero_is_unknown():
    table = pd.DataFrame({"value": [0.3, 0.0]})
    effect = paired(table, np.array([[0.3, 0.0], [0.2, 0.0]]), [0], [1], relative=True)
    assert all(np.isnan(value) for value in effect.values())
