"""Metrics on draws of units agree with the metrics of the engine, and with sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.benchmark import delay_judge
from engine.benchmark.delay_judge import CELL_COLUMNS, Rows, judge, linear_draws, ranked_draws
from engine.metrics.classification import SortedScores, log_loss

LABEL = np.array([1.0, 0.0, 0.0, 1.0])
P = np.array([0.5, 0.25, 0.5, 0.75])
UNIT = np.array([0, 0, 1, 2])
COUNTS = np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 1.0], [0.0, 3.0, 0.0]])


def test_sums_over_rows_are_those_by_hand():
    draws = linear_draws(LABEL, {"m": P}, UNIT, COUNTS, truth=np.array([0.5, 0.5, 0.5, 0.5]))
    ln = np.log
    assert draws["m", "log_loss"] == pytest.approx(
        [-(ln(0.5) + ln(0.75) + ln(0.5) + ln(0.75)) / 4, -(2 * (ln(0.5) + ln(0.75)) + ln(0.75)) / 5, -ln(0.5)]
    )
    assert draws["m", "brier"] == pytest.approx([(0.25 + 0.0625 + 0.25 + 0.0625) / 4, 0.6875 / 5, 0.25])
    assert draws["m", "calibration"] == pytest.approx([2.0 / 2, 2.25 / 3, np.nan], nan_ok=True)
    assert draws["m", "calibration_truth"] == pytest.approx([2.0 / 2, 2.25 / 2.5, 1.0])
    off = 0.5 * ln(0.5 / 0.25) + 0.5 * ln(0.5 / 0.75)
    assert draws["m", "excess_log_loss"] == pytest.approx([off / 2, 3 * off / 5, 0.0], abs=1e-12)


def test_the_truth_itself_has_no_excess_and_is_calibrated():
    q = np.array([0.1, 0.4, 0.2, 1.0])
    draws = linear_draws(LABEL, {"truth": q}, UNIT, COUNTS, truth=q)
    assert draws["truth", "excess_log_loss"] == pytest.approx([0, 0, 0], abs=1e-12)
    assert draws["truth", "calibration_truth"] == pytest.approx([1, 1, 1])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.sampled_from([3, 10, 10_000]))
def test_areas_are_those_of_the_engine_whatever_the_weights_and_ties(seed, size, levels):
    rng = np.random.default_rng(seed)
    label, p = rng.integers(0, 2, size).astype(float), rng.integers(0, levels, size) / levels
    unit = rng.integers(0, 5, size)
    counts = np.concatenate([np.ones((1, 5)), rng.multinomial(5, np.full(5, 0.2), size=45)])
    found, slow = ranked_draws(label, p, unit, counts), SortedScores(label, p)
    assert found["roc_auc"] == pytest.approx([slow.roc_auc(row[unit]) for row in counts], nan_ok=True)
    assert found["pr_auc"] == pytest.approx([slow.average_precision(row[unit]) for row in counts], nan_ok=True)


def rows(**changes) -> Rows:
    plain = {
        "split": "test",
        "label": LABEL,
        "unit": UNIT,
        "probability": {"m": P, "n": np.full(4, 0.5)},
        "segments": {"all": np.ones(4, bool), "segment:a": UNIT == 0, "segment:none": np.zeros(4, bool)},
    }
    return Rows(**(plain | changes))


def test_every_segment_method_and_metric_has_a_row_with_its_units_and_exposures():
    table = judge(rows(), COUNTS)
    assert tuple(table.columns) == CELL_COLUMNS
    assert len(table) == 2 * 2 * 5
    assert table.groupby("segment")[["n", "rows"]].first().to_numpy().tolist() == [[3, 4], [1, 2]]
    cell = table.set_index(["segment", "method", "metric"])["draws"]
    assert cell["all", "m", "log_loss"][0] == pytest.approx(log_loss(LABEL, P))
    assert cell["segment:a", "n", "brier"] == pytest.approx([0.25, 0.25, np.nan], nan_ok=True)


def test_areas_take_few_draws_and_in_segments_none(monkeypatch):
    monkeypatch.setattr(delay_judge, "RANKED_DRAWS", 1)
    cell = judge(rows(), COUNTS).set_index(["segment", "method", "metric"])["draws"]
    assert np.isnan(cell["all", "m", "roc_auc"]).tolist() == [False, False, True]
    assert np.isnan(cell["segment:a", "m", "roc_auc"]).tolist() == [False, True, True]
    assert len(judge(rows(is_ranked=False), COUNTS)) == 2 * 2 * 3
