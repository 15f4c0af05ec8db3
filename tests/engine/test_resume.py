"""`--resume` of every kind: broken off anywhere, a training ends with the very run of an unbroken one."""

from __future__ import annotations

import importlib
import json

import pytest

from engine import checkpoint
from engine.cli import main
from engine.errors import TrainingError
from engine.partial import held
from engine.progress import Progress
from engine.runs import read_run

SETTINGS = {
    "graph": "epochs=4 methods=dual,paper,popularity dimension=8 negatives=32 batch_size=200 averaged_share=0.7",
    "delay": "steps=10 members=1 hidden=8 batch_size=33",
    "uncertainty": "epochs=3 members=2 hidden=8 batch_size=64 estimators=ensemble,mc_dropout,natpn_flat",
}
CUTS = [
    ("graph", ("dual embeddings, 200 edges per step", 3)),
    ("graph", ("literal paper form", 2)),
    ("uncertainty", ("ensemble", 2)),
    ("uncertainty", ("natpn_flat", 2)),
    ("delay", ("stream", 4)),
]
"""Where a training of a kind is broken off: the delay's in its last loop, so that all before are gone on with too."""


@pytest.fixture
def cut(monkeypatch):
    """Write checkpoints all the time, and break trainings off when they report an epoch of a stage."""
    monkeypatch.setattr(checkpoint, "_SHARE", 0.0)
    inner = Progress.epoch

    def _cut(*where, error=KeyboardInterrupt):
        def epoch(self, record):
            inner(self, record)
            if (record.stage, record.epoch) == where:
                raise error

        monkeypatch.setattr(Progress, "epoch", epoch)

    return _cut


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Train a kind once, unbroken; return the words of the command, and the run."""
    made = {}

    def _whole(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            module = importlib.import_module(f"engine.{kind}.simulate")
            frame = module.simulate(1500, module.SimulationConfig())
            frame.drop(columns=["score", "uncertainty", "split"], errors="ignore").to_csv(folder / "x.csv", index=False)
            words = ["train", kind, "--data", str(folder / "x.csv"), "--json", "--set", "resamples=20"]
            words += SETTINGS[kind].split()
            assert main([*words, "--out", str(folder / "whole")]) == 0
            made[kind] = words, read_run(folder / "whole")
        return made[kind]

    return _whole


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "where"), CUTS)
def test_a_cancelled_training_goes_on_to_the_run_of_an_unbroken_one(kind, where, whole, cut, tmp_path, capsys):
    words, run = whole(kind)
    words = [*words, "--out", str(tmp_path / "run")]
    cut(*where)
    assert main([*words, "--checkpoint", "1e-9"]) == 130
    kept = "Cancelled; no run was written. The same command with --resume goes on from the last checkpoint.\n"
    assert capsys.readouterr().err == kept
    assert [path.name for path in tmp_path.iterdir()] == [".run.checkpoint"]
    cut()
    assert main([*words, "--resume", "--progress", str(tmp_path / "progress")]) == 0
    assert capsys.readouterr().err == f"Going on from the checkpoint of '{tmp_path / 'run'}'.\n"
    again = read_run(tmp_path / "run")
    assert again.metrics.equals(run.metrics) and again.history.equals(run.history)
    assert again.predictions.equals(run.predictions)
    assert [name for name in run.manifest["curves"] if not again.curve(name).equals(run.curve(name))] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["progress", "run"]
    # Losses of before are told again, and the command is the one that makes the run without a break.
    told = [json.loads(line) for line in (tmp_path / "progress").read_text().splitlines()]
    assert len(told) == len(run.history.drop_duplicates(["stage", "epoch"]))
    assert again.manifest["command"] == ["python", "-m", "engine", *words]


@pytest.fixture
def broken(whole, cut, tmp_path, monkeypatch, capsys):
    """Break off a training that was given no name; return its words."""
    monkeypatch.setenv("RECOMMENDER_LENS_RUNS", str(tmp_path))
    words, _ = whole("graph")
    cut("literal paper form", 2)
    assert main([*words, "--checkpoint=1e-9"]) == 130
    cut()
    capsys.readouterr()
    return words


@pytest.mark.slow
def test_a_run_without_a_name_is_found_by_its_command_and_keeps_its_name(broken, tmp_path, capsys):
    (left,) = tmp_path.iterdir()
    with held(left):
        assert main([*broken, "--resume"]) == 2
    assert "is being trained by another process" in capsys.readouterr().err
    # Others of the kind do not fit; one that is named has no checkpoint.
    assert main([*broken, "--seed", "5", "--resume"]) == 2
    err = capsys.readouterr().err
    assert "was made with seed=0 (now 5); repeat the data and settings" in err and err.count("\n") == 1
    assert main([*broken, "--out", str(tmp_path / "named"), "--resume"]) == 0
    assert capsys.readouterr().err == "No checkpoint yet; starting from the beginning.\n"
    assert main([*broken, "--resume"]) == 0
    assert read_run(tmp_path / left.name[1:].removesuffix(".checkpoint")).manifest["command"][-1] != "--resume"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_a_training_that_fails_by_itself_leaves_no_checkpoint(whole, cut, tmp_path, capsys):
    words, _ = whole("graph")
    cut("literal paper form", 2, error=TrainingError("The loss is not finite."))
    assert main([*words, "--out", str(tmp_path / "run"), "--checkpoint", "1e-9"]) == 1
    assert capsys.readouterr().err == "Training failed: The loss is not finite.\n" and list(tmp_path.iterdir()) == []
