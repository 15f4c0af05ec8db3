"""The neighbourhood study runs from the command line, goes on where it stopped, and finds its way to the page."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from engine.benchmark import neighbourhoods as study
from engine.benchmark.neighbourhood_table import STUDY_COLUMNS
from engine.cli import main
from engine.graph.simulate import SimulationConfig, simulate, simulate_nodes
from engine.studies import neighbourhood_study


@pytest.fixture
def quick(monkeypatch):
    """Make every cell a fit of a fraction of a second, and count the fits."""
    slow, fits = study.Cell.config, []
    short = {"epochs": 3, "dimension": 8, "negatives": 32}
    monkeypatch.setattr(study.Cell, "config", lambda cell, seed: dataclasses.replace(slow(cell, seed), **short))
    few = tuple(cell for cell in study.CELLS if cell.name in ("none", "full", "adaptive-10", "fixed-10"))
    monkeypatch.setattr(study, "CELLS", few)
    for name in ("_by_edges", "_arrivals", "_sampled_arrivals"):
        measure = getattr(study, name)

        def counted(*arguments, measure=measure):
            fits.append(measure.__name__)
            return measure(*arguments)

        monkeypatch.setattr(study, name, counted)
    return fits


@pytest.fixture
def files(tmp_path):
    """Write a graph with node features."""
    config = SimulationConfig(groups=5)
    simulate(900, config).drop(columns=["true_relation", "true_direction"]).to_csv(tmp_path / "edges.csv", index=False)
    simulate_nodes(900, config).to_csv(tmp_path / "nodes.csv", index=False)
    return tmp_path


def test_the_command_writes_a_table_and_repeats_no_finished_cell(files, quick, capsys):
    words = ["benchmark", "neighbourhoods", "--data", str(files / "edges.csv"), "--seeds", "2", "--out", str(files)]
    main(words)
    first = pd.read_csv(files / "neighbourhoods.csv", keep_default_na=False)
    assert list(first) == list(STUDY_COLUMNS)
    assert len(quick) == 2 * (4 + 1 + 2)
    main(words)
    assert len(quick) == 2 * (4 + 1 + 2)
    assert first.equals(pd.read_csv(files / "neighbourhoods.csv", keep_default_na=False))
    shown = capsys.readouterr()
    assert "adaptive-10 − fixed-10" in shown.out and "seconds" in shown.err


def test_the_page_finds_a_study_by_the_contents_of_the_data(files, quick):
    main(["benchmark", "neighbourhoods", "--data", str(files / "edges.csv"), "--seeds", "1", "--out", str(files)])
    data_id = pd.read_csv(files / "neighbourhoods.csv", dtype={"data_id": str})["data_id"].iloc[0]
    found = neighbourhood_study(data_id, [files / "nowhere", files])
    assert set(found["setting"]) == {"edges", "arrivals"} and set(found["splits"]) == {1}
    assert neighbourhood_study("another", [files]).empty


def test_no_seed_is_refused(capsys):
    assert main(["benchmark", "neighbourhoods", "--seeds", "0"]) != 0
    assert "'--seeds' is 0; it must be at least 1." in capsys.readouterr().err


def test_the_simulated_graph_has_a_heavy_tail_and_no_features():
    dataset = study.simulated_graph()
    degree = dataset.edges["target"].value_counts()
    assert dataset.features is None
    assert degree.quantile(0.99) >= 10 * degree.median()
