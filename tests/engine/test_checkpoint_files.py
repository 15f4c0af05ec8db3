"""The files of a checkpoint: whose they are, and state that comes back as it was."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from safetensors.numpy import load

from engine import checkpoint_files
from engine.checkpoint_files import (
    fits,
    folder_of,
    identity_of,
    require_fit,
    state_of,
    unfinished,
    write_identity,
    write_state,
)
from engine.errors import RunError


@dataclass(frozen=True)
class Settings:
    epochs: int = 3
    methods: tuple[str, ...] = ("dual", "single")


NOW = identity_of("graph", Settings(), "abc")


def keep(run, identity=NOW):
    """Make the checkpoint of a run."""
    folder_of(run).mkdir()
    write_identity(folder_of(run), identity)
    return run


def test_any_state_comes_back_with_its_types_and_numbers(tmp_path):
    state = {
        "tensor": torch.arange(6, dtype=torch.float32).reshape(2, 3).T,
        "scalar": torch.tensor(0.1, dtype=torch.float64),
        "array": np.array([1, 2], dtype=np.int64),
        "state": {0: {"step": torch.tensor(3.0)}, 1: {}},
        "rest": [1, 2.5, None, True, "é", 2**127, float("inf")],
        "random": np.random.default_rng(5).bit_generator.state,
    }
    write_state(tmp_path / "001.safetensors", state)
    found = state_of(load((tmp_path / "001.safetensors").read_bytes()))
    assert torch.equal(found["tensor"], state["tensor"]) and torch.equal(found["scalar"], state["scalar"])
    assert found["scalar"].dtype == torch.float64 and found["scalar"].shape == ()
    assert (
        torch.equal(found["array"], torch.tensor([1, 2])) and found["state"][0]["step"] == 3 and found["state"][1] == {}
    )
    assert found["rest"] == state["rest"] and found["random"] == state["random"]
    assert [path.name for path in tmp_path.iterdir()] == ["001.safetensors"]


def test_a_checkpoint_lies_hidden_beside_its_run_and_fits_the_same_training(tmp_path):
    run = keep(tmp_path / "run")
    assert folder_of(run) == tmp_path / ".run.checkpoint"
    assert fits(run, NOW) and not fits(tmp_path / "other", NOW)
    require_fit(run, NOW)


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (identity_of("graph", Settings(epochs=4), "abc"), r"was made with epochs=4 \(now 3\)"),
        (identity_of("graph", Settings(methods=("dual",)), "abc"), r"methods=\['dual'\] \(now \['dual', 'single'\]\)"),
        (identity_of("graph", Settings(), "xyz"), "was made with other data"),
        (identity_of("delay", Settings(), "abc"), "is of delay, this command trains graph"),
        (NOW | {"version": 0}, "is damaged or of another version"),
        ({}, "is damaged or of another version"),
        ({name: NOW[name] for name in NOW if name != "data"}, "is damaged or of another version"),
    ],
)
def test_another_training_is_refused_with_what_differs(tmp_path, then, reason):
    run = keep(tmp_path / "run", then)
    with pytest.raises(RunError, match=f"'--resume': the checkpoint of '{run}' .*{reason}.*leave out --resume"):
        require_fit(run, NOW)


def test_unfinished_runs_of_a_kind_are_found_the_latest_first(tmp_path):
    for age, name in enumerate(["new", "old", "other"]):
        run = keep(tmp_path / name, NOW if name != "other" else NOW | {"kind": "delay"})
        os.utime(folder_of(run), (1e9 - age, 1e9 - age))
    folder_of(tmp_path / "broken").mkdir()
    (folder_of(tmp_path / "broken") / "checkpoint.json").write_text('{"kind": "gra')
    (tmp_path / ".list.checkpoint").mkdir()
    (tmp_path / ".list.checkpoint" / "checkpoint.json").write_text(json.dumps(["graph"]))
    assert unfinished(tmp_path, "graph") == [tmp_path / "new", tmp_path / "old"]
    assert unfinished(tmp_path / "nowhere", "graph") == []


def test_a_training_that_ends_while_unfinished_runs_are_listed_is_passed_over(tmp_path, monkeypatch):
    ended = folder_of(keep(tmp_path / "ended"))
    keep(tmp_path / "run")

    def read(path):
        if path.parent == ended:
            shutil.rmtree(ended)
        return NOW

    monkeypatch.setattr(checkpoint_files, "_read", read)
    assert unfinished(tmp_path, "graph") == [tmp_path / "run"]
