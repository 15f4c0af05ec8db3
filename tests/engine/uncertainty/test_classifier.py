"""Metrics of a score against the functions that work them out from rows, and what their intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from engine.metrics.calibration import expected_calibration_error
from engine.metrics.debiased import debiased_calibration_error
from engine.metrics.decomposition import brier_decomposition, corp_decomposition
from engine.metrics.smooth_calibration import smooth_calibration_error
from engine.uncertainty.classifier import INFLATED, METRICS, ScoreCounts, score_metrics
from engine.uncertainty.rows import Rows

EDGES = np.array([0.1, 0.2, 0.4])


def values_of(rows, edges=EDGES, taken=None):
    counts = ScoreCounts(rows, edges)
    return dict(zip(METRICS, counts.metrics(np.ones(counts.n_units) if taken is None else taken), strict=True))


def test_values_equal_those_worked_out_from_rows(make_rows):
    rows = make_rows(weighted=True)
    found = values_of(rows)
    args = {"y_true": rows.label, "y_prob": rows.score, "sample_weight": rows.weight}
    corp = corp_decomposition(**args)
    assert found["miscalibration"] == pytest.approx(corp["miscalibration"])
    assert found["discrimination"] == pytest.approx(corp["discrimination"])
    assert found["brier_uncertainty"] == pytest.approx(corp["uncertainty"])
    assert found["smooth_ece"] == pytest.approx(smooth_calibration_error(**args).value)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(rows.label, rows.score, sample_weight=rows.weight))
    assert found["pr_auc"] == pytest.approx(average_precision_score(rows.label, rows.score, sample_weight=rows.weight))


def test_values_of_bins_equal_those_of_the_metrics_where_bins_are_single_scores():
    # Four scores, each a bin of its own in both.
    rng = np.random.default_rng(0)
    score = np.repeat([0.05, 0.15, 0.3, 0.7], 100)
    label = (rng.random(400) < score).astype(np.int64)
    rows = Rows(score, np.full(400, 0.1), label, rng.integers(1, 4, 400), np.arange(400))
    found = values_of(rows)
    args = {"y_true": label, "y_prob": score, "n_bins": 1000, "sample_weight": rows.weight}
    murphy = brier_decomposition(**args)
    assert found["ece"] == pytest.approx(expected_calibration_error(**args))
    assert found["ece_debiased"] == pytest.approx(debiased_calibration_error(**args))
    for part in ("reliability", "resolution", "uncertainty"):
        assert found[f"brier_{part}"] == pytest.approx(murphy[part])
    assert found["brier_within"] == pytest.approx(0.0, abs=1e-12)


def test_the_parts_give_the_brier_score(make_rows):
    found = values_of(make_rows(weighted=True))
    murphy = found["brier_reliability"] - found["brier_resolution"] + found["brier_uncertainty"] + found["brier_within"]
    corp = found["miscalibration"] - found["discrimination"] + found["brier_uncertainty"]
    assert murphy == pytest.approx(found["brier"])
    assert corp == pytest.approx(found["brier"])


def test_a_unit_taken_twice_counts_as_its_rows_twice(make_rows):
    rows = make_rows()
    taken = np.random.default_rng(0).integers(0, 3, 200).astype(float)
    repeated = rows.take(np.repeat(np.arange(400), taken[rows.unit].astype(int)))
    one, many = values_of(rows, taken=taken), values_of(repeated)
    for name in ("log_loss", "brier", "ece", "roc_auc", "pr_auc", "ece_debiased", "brier_reliability"):
        assert one[name] == pytest.approx(many[name])


def test_no_unit_taken_says_nothing(make_rows):
    assert np.isnan(ScoreCounts(make_rows(), EDGES).metrics(np.zeros(200))).all()


def test_intervals_hold_their_value_and_none_of_an_error_is_negative(make_rows):
    rng = np.random.default_rng(0)
    table = score_metrics(make_rows(), EDGES, resamples=200, rng=rng).set_index("metric")
    assert (table["ci_low"] <= table["value"] + 1e-12).all()
    assert (table["value"] <= table["ci_high"] + 1e-12).all()
    assert (table.loc[list(INFLATED), "ci_low"] >= 0).all()
    assert (table["n"] == 200).all()


def test_the_interval_of_the_smooth_error_covers_the_value_of_many_rows():
    # Predicted p, true rate p²: the error of 400,000 rows is as good as the truth.
    rng = np.random.default_rng(1)
    score = rng.beta(2, 2, 400_000)
    truth = smooth_calibration_error((rng.random(score.size) < score**2).astype(float), score).value
    hits = 0
    for seed in range(20):
        draw = np.random.default_rng(seed)
        s = draw.beta(2, 2, 600)
        rows = Rows(s, s, (draw.random(600) < s**2).astype(np.int64), np.ones(600, dtype=np.int64), np.arange(600))
        row = score_metrics(rows, EDGES, resamples=100, rng=draw).set_index("metric").loc["smooth_ece"]
        hits += row["ci_low"] <= truth <= row["ci_high"]
    assert hits >= 16
