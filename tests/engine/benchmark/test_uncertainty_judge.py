"""Ways are judged on rows they were not tuned on: hand-counted values, and the ones the product measures."""

from __future__ import annotations

import numpy as np
import pytest

from engine.benchmark.uncertainty_judge import MATCHED, judge, judge_order
from engine.benchmark.uncertainty_methods import (
    LABELS,
    ONE,
    OURS,
    PER_BUCKET,
    bucket_ways,
    chosen_way,
    one_threshold,
    plain_ways,
)
from engine.benchmark.uncertainty_simulated import SETTINGS, draw, lines_of, rows_of
from engine.uncertainty.compare import Measurement
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.draws import unit_index
from engine.uncertainty.rows import Rows
from engine.uncertainty.tuning import tune

SETTING = SETTINGS["base rate .25, tau 1"]
TARGET = 0.6


def few(scores, labels, units) -> Rows:
    ones = np.ones(len(scores), dtype=np.int64)
    return Rows(np.array(scores), ones / 2, np.array(labels), ones, np.array(units))


@pytest.fixture(scope="module")
def tuning() -> Rows:
    return rows_of(draw(SETTING, 1, 4000))


@pytest.fixture(scope="module")
def testing() -> Rows:
    return rows_of(draw(SETTING, 2, 4000))


@pytest.fixture(scope="module")
def ways(tuning):
    found = plain_ways(tuning, (TARGET,)) + bucket_ways(tuning, 3, (TARGET,), seed=0, confidence=0.9)
    return {way.method: way for way in [*found, chosen_way(tuning, (TARGET,), seed=0)]}


def test_one_threshold_by_hand():
    tune_rows = few([0.9, 0.8, 0.7, 0.2], [1, 0, 1, 0], [0, 1, 2, 3])
    test = few([0.95, 0.75, 0.6, 0.1], [1, 0, 1, 1], [0, 0, 1, 2])
    way = one_threshold("single_threshold", lambda rows: rows.score, tune_rows, (TARGET,))
    # The sample, and a draw in which unit 0 came twice and unit 1 never.
    taken = np.array([[1.0, 2.0], [1.0, 0.0], [1.0, 1.0]])
    found = {row["metric"]: row["draws"] for row in judge(way, tune_rows, test, taken)}
    # On the tuning rows 0.7 selects two positives of three rows; on the test rows that is 0.95 and 0.75.
    assert found["tuning_recall"] == [1.0]
    assert found["precision"] == [0.5, 0.5]
    assert found["recall"] == pytest.approx([1 / 3, 2 / 3])
    # All rows have a precision of 3 in 4 in the sample and of 3 in 5 in the draw: at 0.7 the draw keeps its first two.
    assert found[MATCHED] == pytest.approx([1.0, 1.0])
    (stricter,) = judge_order("x", lambda rows: rows.score, test, (0.7,), taken)
    assert stricter["draws"] == pytest.approx([1.0, 2 / 3])


def test_an_order_of_chance_finds_everything_at_the_base_rate_and_a_perfect_one_at_any_precision():
    rows = few([0.1, 0.2, 0.3, 0.4], [1, 0, 1, 0], [0, 1, 2, 3])
    taken = np.ones((4, 1))
    constant = judge_order("x", lambda own: np.ones(own.score.size), rows, (0.5, 0.75), taken)
    assert [row["draws"] for row in constant] == [[1.0], [0.0]]
    perfect = judge_order("x", lambda own: own.label.astype(float), rows, (0.9,), taken)
    assert perfect[0]["draws"] == pytest.approx([1.0])


def test_ways_of_ours_are_the_same_boundaries_as_in_a_run(tuning, testing, ways):
    config = UncertaintyConfig(seed=0, buckets=3)
    planes = tune(tuning, config, (TARGET,)).planes
    measured = Measurement(planes, testing, (TARGET,), matched=True)
    taken = np.ones((unit_index(testing.unit)[1], 1))
    known = dict(zip(measured.keys, measured(taken)[0], strict=True))
    same = {name: name for name in [*PER_BUCKET, "isotonic", "equal_weight_dp", "guaranteed"] if name in ways}
    assert len(same) == len(PER_BUCKET) + 3
    for method in same:
        found = {row["metric"]: row["draws"][0] for row in judge(ways[method], tuning, testing, taken)}
        for metric in ("recall", "precision", MATCHED):
            if method == "isotonic" and metric == MATCHED:
                # With one bucket its grid has fewer bins than with three.
                continue
            assert found[metric] == pytest.approx(known[method, TARGET, metric], nan_ok=True), (method, metric)


def test_every_way_has_a_name_and_the_default_is_one_of_them(ways):
    assert set(ways) <= set(LABELS) and OURS in ways and ONE in ways


def test_lines_stand_for_their_rows(testing, ways):
    frame = draw(SETTING, 2, 4000)
    lines = rows_of(lines_of(frame), is_one_unit=True)
    every = rows_of(frame, is_one_unit=True)
    assert lines.label.size < every.label.size == lines.weight.sum()
    for method in ("mist", ONE, "recalibrated"):
        by_line, by_row = (judge(ways[method], testing, rows, np.ones((1, 1))) for rows in (lines, every))
        for one, other in zip(by_line, by_row, strict=True):
            assert one["draws"] == pytest.approx(other["draws"]), (method, one["metric"])
