"""What a reader asks beside precision and recall, by hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest

from engine.metrics.calibration import wilson_interval
from engine.uncertainty.decision import decide
from engine.uncertainty.grid import Grid
from engine.uncertainty.readings import best_single, difference, f1_score, rates_at_the_cut, rows_needed

GRID = Grid(positives=np.array([[1, 5, 9], [0, 2, 8]]), totals=np.array([[20, 10, 10], [20, 10, 10]]))


def test_f1_and_its_interval_follow_from_the_share_of_hits() -> None:
    decision = decide(GRID, np.array([1, 1]))
    value, low, high = f1_score(decision)
    assert value == pytest.approx(2 * 17 / (2 * 17 + 3 + 8)) == pytest.approx(decision.f_score())
    ends = [float(end) for end in wilson_interval(17, 28)]
    assert [low, high] == pytest.approx([2 * end / (1 + end) for end in ends])


def test_the_rows_that_a_claim_takes_are_those_of_the_normal_interval() -> None:
    assert rows_needed(0.9, 0.02) == 865 and rows_needed(0.5, 0.05) == 385


def test_a_difference_of_equal_shares_is_nothing_with_an_interval_around_it() -> None:
    value, low, high = difference((0.5, 0.4, 0.6), (0.5, 0.4, 0.6))
    assert value == 0 and low == pytest.approx(-np.hypot(0.1, 0.1)) and high == -low


def test_rates_at_the_cut_pool_bins_evenly_until_they_hold_enough_rows() -> None:
    table = rates_at_the_cut(GRID, [1, 0], least=20)
    assert table["n"].tolist() == [20, 20] and table["positives"].tolist() == [14, 10]


def test_the_best_single_threshold_for_a_price_is_the_best_of_all() -> None:
    assert best_single(GRID, value=1.0, cost=1.0) == [1, 1]
    assert best_single(GRID, value=100.0, cost=1.0) == [3, 3]
