"""Means over seeds, shares of the gap and differences, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.benchmark.delay_judge import CELL_COLUMNS
from engine.benchmark.delay_run import Part
from engine.benchmark.delay_summary import SUMMARY_COLUMNS, gap_closed, mean_draws, summarise

METHODS = ("oracle", "vanilla", "wait", "dress_style")
DRAWS = 40


def part(losses: dict[str, float], calibration: dict[str, float] | None = None, seconds: float = 1.0) -> Part:
    """Return a seed on which every draw gives the same."""
    values = [("log_loss", losses), ("calibration", calibration or {})]
    cells = [
        ("test", "all", method, metric, 30, 100, np.full(1 + DRAWS, value, np.float32))
        for metric, by_method in values
        for method, value in by_method.items()
    ]
    costs = [("dress_style", "seconds", seconds), ("shared", "seconds", 7.0), ("fnw", "seconds", 9.0)]
    return Part(
        cells=pd.DataFrame(cells, columns=list(CELL_COLUMNS)),
        costs=pd.DataFrame(costs, columns=["method", "metric", "value"]),
    )


@pytest.fixture
def table():
    parts = [
        part({"oracle": 0.2, "vanilla": 0.6, "wait": 0.3, "dress_style": 0.2, "fnw": 0.1},
             {"dress_style": 0.98, "wait": 1.05}, seconds=2.0),
        part({"oracle": 0.2, "vanilla": 0.4, "wait": 0.3, "dress_style": 0.26, "fnw": 0.1},
             {"dress_style": 0.98, "wait": 1.05}, seconds=4.0),
    ]  # fmt: skip
    return summarise("made", parts, METHODS)


def row(table, **wanted):
    (found,) = table[np.all([table[name] == value for name, value in wanted.items()], axis=0)].itertuples()
    return found


def test_the_table_has_its_columns_and_only_the_chosen_methods(table):
    assert tuple(table.columns) == SUMMARY_COLUMNS
    assert set(table["method"]) == {*METHODS, "shared"} and set(table["seeds"]) == {2}


def test_a_value_is_the_mean_over_seeds_and_its_interval_covers_the_draw_of_seeds(table):
    found = row(table, method="vanilla", statistic="value", metric="log_loss")
    assert (found.value, found.ci_low, found.ci_high) == pytest.approx((0.5, 0.4, 0.6))
    assert (found.n, found.rows) == (30, 100)


def test_the_share_of_the_gap_is_formed_from_means_over_seeds(table):
    found = row(table, method="dress_style", statistic="gap_closed")
    assert found.value == pytest.approx((0.5 - 0.23) / (0.5 - 0.2))
    assert (found.ci_low, found.ci_high) == pytest.approx(((0.4 - 0.26) / 0.2, 1.0))
    ends = [row(table, method=name, statistic="gap_closed").value for name in ("vanilla", "oracle")]
    assert ends == [0.0, 1.0]


def test_differences_are_ours_less_the_other_and_paired_by_seed(table):
    found = row(table, baseline="vanilla", metric="log_loss")
    assert (found.value, found.ci_low, found.ci_high) == pytest.approx((-0.27, -0.4, -0.14))
    error = row(table, baseline="wait", metric="calibration_error")
    assert (error.value, error.ci_low, error.ci_high) == pytest.approx((-0.03, -0.03, -0.03))


def test_costs_show_the_least_and_the_most_over_seeds(table):
    found = row(table, method="dress_style", statistic="cost")
    assert (found.value, found.ci_low, found.ci_high) == (3.0, 2.0, 4.0)


def test_a_seed_without_a_value_is_left_out_of_the_mean():
    first, second = part({"oracle": 0.2}).cells, part({"oracle": 0.4}).cells
    second["draws"] = [np.full(1 + DRAWS, np.nan, np.float32)]
    draws = mean_draws([first, second])["test", "all", "oracle", "log_loss"]
    assert draws[0] == pytest.approx(0.2) and np.nanmax(draws) == pytest.approx(0.2)
    assert np.isnan(draws).any(), "draws of the empty seed alone have no value"


def test_without_a_gap_there_is_no_share_of_it():
    assert gap_closed(np.array([1.0, 2.0]), np.array([3.0, 3.0]), np.array([1.0, 3.0])).tolist()[0] == 1.0
    assert np.isnan(gap_closed(np.array([2.0]), np.array([3.0]), np.array([3.0])))[0]
