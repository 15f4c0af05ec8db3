"""Simulated exposures at ten thousand rows: one curve and the same counts, whoever works them out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.benchmark import delay_scale as scale
from engine.benchmark.scale_subject import difference, question
from engine.benchmark.survival_peer import exits, kaplan_meier


@pytest.fixture(scope="module")
def folder(scale_data):
    return scale_data(scale, 10_000)


def test_pandas_counts_the_same_exits_and_finds_the_same_curve(folder):
    ours, theirs = scale.curve(folder), scale.by_pandas(folder)
    assert ours["exits"]["n"].sum() == 10_000 and ours["exits"]["converted"].mean() > 0.1
    assert difference(ours["exits"], theirs["exits"], scale.SUBJECT.keys["exits"]) == 0
    assert difference(ours["curve"], theirs["curve"], ("bin",)) < 1e-12
    assert ours["curve"]["survival"].iloc[-1] < 0.9


def test_statsmodels_finds_the_same_curve(folder):
    told = question(folder)
    _, found = kaplan_meier("statsmodels", *exits(str(folder), as_of=told["as_of"], step=told["step"]))
    theirs = scale.curve_by_bin(found, told["horizon"])
    assert difference(scale.curve(folder)["curve"], theirs, ("bin",)) < 1e-12


def test_pandas_counts_by_hand(tmp_path):
    # On day 20: seen in bin 3; censored after 4 whole bins; matured without; seen in an open bin; not there yet.
    frame = pd.DataFrame(
        {
            "segment": ["A", "A", "B", "B", "B"],
            "exposure_time": [0.0, 15.5, 1.0, 15.5, 25.0],
            "engagement_time": [0.5, np.nan, np.nan, np.nan, np.nan],
            "conversion_time": [2.5, np.nan, 15.0, 19.7, 26.0],
            "window_days": 10.0,
        }
    )
    frame.to_parquet(tmp_path / "part.parquet")
    scale.tell(tmp_path, as_of=20.0, step=1.0, horizon=10)
    for answer in (scale.curve(tmp_path), scale.by_pandas(tmp_path)):
        found = answer["exits"].sort_values(["segment", "exit_bin", "cohort"])
        assert found["exit_bin"].tolist() == [3, 4, 4, 10] and found["engage_bin"].tolist() == [1, -1, -1, -1]
        assert found["cohort"].tolist() == [0, 14, 14, 0] and found["converted"].tolist() == [1, 0, 0, 0]
        assert answer["curve"]["survival"].tolist() == pytest.approx([1, 1, 1] + [0.75] * 8)


def test_a_curve_that_knows_times_alone_is_laid_out_by_bin():
    found = scale.curve_by_bin({"time": [1.0, 3.0], "survival": [0.8, 0.5]}, 4)
    assert found["survival"].tolist() == [1.0, 0.8, 0.8, 0.5, 0.5]


def test_the_command_answers(folder):
    assert scale.describe(folder) == {}
