"""Every goal is judged by its interval alone."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.benchmark.delay_summary import SUMMARY_COLUMNS
from engine.benchmark.delay_verdicts import LATER, RECENT, VERDICT_COLUMNS, verdicts, within

PLACE = {LATER: ("test", "all"), RECENT: ("holdout", "age:immature")}


def figure(place, statistic, metric, value, low, high, *, method="dress_style", baseline="", n=100):
    return ("made", *PLACE[place], method, baseline, statistic, metric, value, low, high, n, n, 5)


def judged(*rows):
    return verdicts(pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS)))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.96, 1.2, "met"), (0.95, 0.95, "met"), (0.5, 0.94, "missed"), (0.9, 1.0, "open"), (float("nan"), 1.0, "open")],
)
@pytest.mark.parametrize("place", [LATER, RECENT])
def test_the_share_of_the_gap_must_lie_above_95_percent(place, low, high, expected):
    assert within(low, high, least=0.95) == expected
    excess = figure(LATER, "value", "excess_log_loss", 0.001, 0.0, 0.002)
    table = judged(excess, figure(place, "gap_closed", "excess_log_loss", 1.0, low, high))
    assert table[["rows", "verdict"]].to_numpy().tolist() == [[place, expected]]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.992, 1.009, "met"), (0.98, 0.989, "missed"), (1.011, 1.02, "missed"), (0.985, 1.0, "open")],
)
@pytest.mark.parametrize("place", [LATER, RECENT])
def test_calibration_must_lie_within_one_percent_of_the_truth(place, low, high, expected):
    table = judged(
        figure(LATER, "value", "excess_log_loss", 0.001, 0.0, 0.002),
        figure(place, "value", "calibration_truth", (low + high) / 2, low, high),
        figure(place, "value", "calibration_truth", 1.004, 1.0, 1.01, method="oracle"),
    )
    assert tuple(table.columns) == VERDICT_COLUMNS
    assert table[["rows", "verdict"]].to_numpy().tolist() == [[place, expected]]
    assert table["goal"].iloc[0] == "mean predicted is within 1 % of the truth (oracle 1.004)"


def losses(*rows):
    return [figure(LATER, "difference", "log_loss", *row[1:], baseline=row[0]) for row in rows]


def test_on_real_data_no_method_but_the_oracle_may_be_surely_better():
    found = judged(*losses(("oracle", 0.1, 0.05, 0.2), ("fnw", -0.01, -0.02, -0.001), ("defer", 0.01, -0.001, 0.02)))
    assert found[["goal", "verdict"]].to_numpy().tolist() == [
        ["log loss is not above that of any method: less DEFER", "met"]
    ]
    worse = judged(*losses(("fnw", 0.004, 0.001, 0.006), ("defer", 0.01, -0.001, 0.02)))
    assert worse[["goal", "verdict"]].to_numpy().tolist() == [
        ["log loss is not above that of any method: less FNW", "missed"]
    ]


@pytest.mark.parametrize(("low", "high", "expected"), [(-0.3, -0.1, "met"), (0.1, 0.2, "missed"), (-0.1, 0.1, "open")])
def test_on_real_data_calibration_must_be_closer_than_that_of_waiting(low, high, expected):
    table = judged(
        figure(RECENT, "difference", "calibration_error", 0.0, low, high, baseline="wait"),
        figure(RECENT, "difference", "calibration_error", -1.0, -2.0, -0.5, baseline="vanilla"),
    )
    assert table[["rows", "verdict"]].to_numpy().tolist() == [[RECENT, expected]]


def test_few_units_decide_nothing():
    (found,) = judged(*[figure(LATER, "difference", "log_loss", 0.1, 0.05, 0.2, baseline="fnw", n=19)])["verdict"]
    assert found == "open"
