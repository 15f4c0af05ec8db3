"""Simulated scores at ten thousand rows: blocks that differ, and one grid whoever counts it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.benchmark import uncertainty_scale as scale
from engine.benchmark.scale_subject import difference, question


@pytest.fixture(scope="module")
def folder(scale_data):
    return scale_data(scale, 10_000, block=4000)


def test_blocks_hold_all_rows_and_differ(folder):
    parts = [pd.read_parquet(file) for file in sorted(folder.glob("*.parquet"))]
    assert [len(part) for part in parts] == [4000, 4000, 2000]
    assert not parts[0]["score"].equals(parts[1]["score"])


def test_pandas_and_scikit_learn_find_our_grid(folder):
    ours, pandas, learned = scale.grid(folder), scale.by_pandas(folder), scale.by_scikit_learn(folder)
    keys = scale.SUBJECT.keys
    assert ours["cells"]["n"].sum() == 10_000 and len(ours["cells"]) > 100
    assert difference(ours["cells"], pandas["cells"], keys["cells"]) == 0
    assert difference(ours["rates"], pandas["rates"], keys["rates"]) < 1e-12
    assert difference(ours["rates"], learned["rates"], keys["rates"]) < 1e-12


def test_scores_on_an_edge_lie_in_the_same_bin_for_all(folder):
    # Scores are small fractions such as 1 / 20, which are edges.
    scores = pd.read_parquet(folder)["score"]
    assert np.isin(scores, np.linspace(0, 1, scale.BINS + 1)[1:-1]).sum() > 50


def test_buckets_are_deciles_of_the_first_block(folder):
    found = scale.grid(folder)["cells"].groupby("bucket")["n"].sum()
    assert len(found) == len(question(folder)["uncertainty_edges"]) + 1 == scale.BUCKETS
    assert found.between(500, 1600).all()


def test_the_steps_of_a_run_and_the_command_answer(folder, monkeypatch):
    monkeypatch.setattr(scale, "RESAMPLES", 10)
    assert scale.counts(folder) == {} and scale.describe(folder) == {}
