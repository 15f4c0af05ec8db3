"""The command `policy` writes thresholds of a run and judges them on new rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.datasets import DEFAULT
from engine.result import DatasetInfo
from engine.runs import list_runs, write_run
from engine.tables import write_table
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate

ROWS = simulate(3000, SimulationConfig(prior=(1.0, 3.0), seed=3)).drop(columns=["k_all", "n_all"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    info = DatasetInfo(name="made up", origin="simulated", data_id="0" * 8)
    result = run(load(ROWS, info=info), UncertaintyConfig(resamples=10, buckets=3, precision_targets=(0.4, 0.6)))
    return write_run(result, tmp_path_factory.mktemp("runs") / "a-run", command=["python"])


def test_thresholds_leave_a_run_and_are_judged_on_rows(folder, tmp_path, capsys):
    policy, data, out = tmp_path / "p.json", tmp_path / "rows.csv", tmp_path / "chosen.csv"
    assert main(["policy", "export", str(folder), "--method", "exact_dp", "--target", "0.6", "--out", str(policy)]) == 0
    assert "exact_dp for given, 3 thresholds" in capsys.readouterr().out
    write_table(ROWS, data)
    assert main(["policy", "apply", str(policy), "--data", str(data), "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["target"] == 0.6 and found["verdict"] in ("met", "missed", "exceeded")
    assert out.read_text().count("True") == found["selected"] > 0
    assert main(["policy", "apply", str(policy), "--data", str(data)]) == 0
    assert f"precision target 0.6: {found['verdict']}" in capsys.readouterr().out


def test_thresholds_can_leave_as_program_text(folder, tmp_path, capsys):
    code = tmp_path / "p.py"
    assert main(["policy", "export", str(folder), "--out", str(code)]) == 0
    assert "def select(score, uncertainty)" in code.read_text()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["export", "RUN", "--out", "p.txt"], "allowed are .json, .py"),
        (["export", "RUN", "--method", "best", "--out", "p.json"], "'method' is 'best'"),
        (["export", "RUN", "--target", "0.5", "--out", "p.json"], "'target' is '0.5'"),
        (["apply", "nowhere.json", "--data", "rows.csv"], "cannot be read as text"),
        (["keep"], "invalid choice"),
    ],
)
def test_a_wrong_option_is_one_sentence(folder, words, complaint, capsys):
    assert main(["policy", *(str(folder) if word == "RUN" else word for word in words)]) == 2
    told = capsys.readouterr().err
    assert complaint in told and told.count("\n") == 1


def test_a_run_of_another_kind_has_no_thresholds(tmp_path, capsys):
    runs = list_runs(Path(__file__).resolve().parent.parent.parent / "sample_data" / "runs")
    other = next(r for r in runs if r.manifest["dataset"]["name"] == DEFAULT["graph"])
    assert main(["policy", "export", str(other.folder), "--out", str(tmp_path / "p.json")]) == 2
    assert "runs of kind uncertainty" in capsys.readouterr().err


def test_showing_a_run_ends_in_its_verdict(folder, capsys):
    assert main(["show", str(folder)]) == 0
    last = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Given score: ")]
    assert len(last) == 1 and "points of recall" in last[0]
