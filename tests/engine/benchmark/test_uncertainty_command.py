"""The command from end to end, on few rows and in haste."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from engine import cli
from engine.benchmark import uncertainty_peers, uncertainty_run, uncertainty_simulated, uncertainty_speed
from engine.benchmark.uncertainty_judge import MATCHED
from engine.benchmark.uncertainty_methods import LABELS
from engine.benchmark.uncertainty_summary import SUMMARY_COLUMNS


@pytest.fixture
def haste(monkeypatch):
    """Draw few rows of one setting, without peers that may be absent."""
    name = "base rate .25, tau 1"
    setting = uncertainty_simulated.SETTINGS[name]
    monkeypatch.setattr(uncertainty_simulated, "SETTINGS", {name: setting})
    monkeypatch.setattr(uncertainty_simulated, "SIZES", (1500, 3000))
    monkeypatch.setattr(uncertainty_simulated, "TEST_ROWS", 3000)
    for module in (uncertainty_peers, uncertainty_speed):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    measured = []

    def counted(name, seed, whole=uncertainty_simulated.measure):
        measured.append(seed)
        return whole(name, seed)

    monkeypatch.setattr(uncertainty_simulated, "measure", counted)
    monkeypatch.setattr(uncertainty_run, "code_hash", lambda module: module)
    return measured


def test_the_command_measures_prints_and_repeats_no_finished_part(haste, tmp_path, capsys):
    words = ["benchmark", "uncertainty", "--parts", "simulated", "--seeds", "2", "--out", str(tmp_path), "--json"]
    assert cli.main(words) == 0
    said = capsys.readouterr()
    assert haste == [0, 1]
    assert "venn-abers p0, one threshold left out: needs a package that is not installed" in said.err
    assert "pip install relplot==1.0.3" in said.err
    first = json.loads(said.out)
    assert cli.main(words) == 0
    assert haste == [0, 1] and json.loads(capsys.readouterr().out) == first
    table = pd.read_csv(tmp_path / "uncertainty.csv").fillna({"baseline": ""})
    assert tuple(table.columns) == SUMMARY_COLUMNS and len(table) == len(first)
    absent = {"venn_abers", "mapie_one", "mapie_buckets", "mapie_sequence"}
    assert set(table["method"]) == set(LABELS) - absent
    assert {"tuning_recall", "recall", "precision", MATCHED, "seconds"} == set(table["metric"])
    assert set(table.loc[table["method"] == "mist", "buckets"]) == {1, 3, 10}
    text = (tmp_path / "uncertainty.md").read_text()
    assert "## base rate .25, tau 1" in text and "3,000 tuning rows, 2 seeds" in text


def test_settings_that_are_not_judged_are_drawn_less_often():
    steps = list(uncertainty_run.steps(("simulated", "real", "guarantee", "speed"), seeds=7, trainings=2))
    drawn = pd.Series([step.name for step in steps if step.part == "simulated"]).value_counts()
    assert set(drawn) == {5, 7}
    for name, setting in uncertainty_simulated.SETTINGS.items():
        assert drawn[name] == min(7, setting.most_seeds or 7)
    assert [step.part for step in steps[-4:]] == ["real", "real", "guarantee", "speed"]


def test_a_result_without_a_peer_is_not_taken_for_one_with_it(tmp_path):
    step = uncertainty_run.Step("speed", "x", 0, lambda name, seed: pd.DataFrame())
    names = {uncertainty_run._file_name(step, peers) for peers in ([], ["a"], ["a", "b"], ["b", "a"])}
    assert len(names) == 3


@pytest.mark.parametrize("option", ["--seeds", "--trainings"])
def test_a_wrong_option_is_one_sentence(tmp_path, option, capsys):
    assert cli.main(["benchmark", "uncertainty", option, "0", "--out", str(tmp_path)]) == 2
    assert f"'{option}' is 0; it must be at least 1." in capsys.readouterr().err


def test_equal_draws_give_equal_results(haste):
    first, second = (uncertainty_simulated.measure("base rate .25, tau 1", 0) for _ in range(2))
    kept = first["metric"] != "seconds"
    for one, other in zip(first.loc[kept, "draws"], second.loc[kept, "draws"], strict=True):
        assert np.array_equal(one, other, equal_nan=True)
