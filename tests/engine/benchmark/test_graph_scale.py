"""Time and memory by size: every figure is measured, the growth is a fit on logarithms, and the command writes both."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.benchmark.graph_scale import GROWTH, Scale, growth, measure
from engine.cli import main


@pytest.mark.slow
def test_a_size_is_simulated_drawn_trained_embedded_and_ranked():
    found = measure(2_000, threads=1, seed=1)
    assert (found.nodes, found.edges, found.queries) == (2_000, 20_000, 2_000)
    # 9,500 supervised edges fit into one step; every node draws 5 to 20 neighbours per role.
    assert found.steps == 1 and 2 * 5 * 2_000 < found.drawn <= 2 * 20 * 2_000
    assert found.drawn_per_second == pytest.approx(found.drawn / found.draw_seconds)
    assert found.largest_in_degree > 40 and 0.1 < found.peak_gib < found.memory_gib
    assert min(value for value in dataclasses.asdict(found).values()) > 0


def test_the_exponent_of_an_exact_power_law_is_found_without_doubt():
    edges = np.array([1e5, 1e6, 1e7])
    fitted = growth(pd.DataFrame({"edges": edges} | {name: 3 * edges**1.25 for name in GROWTH}))
    assert fitted["figure"].tolist() == list(GROWTH) and (fitted["n"] == 3).all()
    assert fitted[["exponent", "ci_low", "ci_high"]].to_numpy() == pytest.approx(1.25, abs=1e-6)


def test_the_interval_of_the_exponent_is_that_of_a_straight_line_on_logarithms():
    edges, seconds = np.array([1e4, 1e5, 1e6, 1e7]), np.array([1.0, 7.0, 90.0, 800.0])
    fitted = growth(pd.DataFrame({"edges": edges} | dict.fromkeys(GROWTH, seconds))).iloc[0]
    x, y = np.log(edges), np.log(seconds)
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    residual = y - y.mean() - slope * (x - x.mean())
    error = np.sqrt((residual**2).sum() / 2 / ((x - x.mean()) ** 2).sum())
    assert fitted["exponent"] == pytest.approx(slope)
    assert fitted["ci_high"] - slope == pytest.approx(stats.t.ppf(0.975, 2) * error)


def test_two_sizes_leave_no_interval_and_no_exponent():
    fitted = growth(pd.DataFrame({"edges": [1.0, 2.0]} | {name: [1.0, 2.0] for name in GROWTH}))
    assert fitted[["exponent", "ci_low", "ci_high"]].isna().all(axis=None)


@pytest.mark.slow
def test_the_command_measures_in_a_process_of_its_own_and_writes_a_table(tmp_path, capsys):
    assert main(["benchmark", "graph-scale", "--nodes", "500", "--threads", "1", "--out", str(tmp_path), "--json"]) == 0
    (printed,) = json.loads(capsys.readouterr().out)
    stored = pd.read_csv(tmp_path / "graph_scale.csv")
    assert stored.columns.tolist() == [field.name for field in dataclasses.fields(Scale)]
    assert stored["nodes"].tolist() == [printed["nodes"]] == [500]
    assert stored["epoch_seconds"][0] == pytest.approx(printed["epoch_seconds"], abs=0.001)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["--nodes", "5"], "'--nodes' is 5; it must be at least 100."), (["--threads", "0"], "'--threads' is 0;")],
)
def test_a_wrong_option_is_one_sentence(words, sentence, capsys):
    assert main(["benchmark", "graph-scale", *words]) == 2
    assert sentence in capsys.readouterr().err
