"""Several workers train one model: the same losses, one writer, and a plain end when one of them dies."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.cli import main
from engine.datasets import load
from engine.distributed import Workers, announced, joined, launcher, workers
from engine.errors import ConfigError
from engine.graph.config import GraphConfig
from engine.graph.run import run
from engine.graph.simulate import SimulationConfig, simulate
from engine.options import build_config
from engine.runs import Run, read_run

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = {"epochs": "3", "methods": "dual", "dimension": "8", "negatives": "64", "resamples": "20"}
REVERSED = {"reversed_weight": "0.3"}


@pytest.fixture(scope="module")
def edges(tmp_path_factory) -> Path:
    """Write a graph of 1,200 edges."""
    path = tmp_path_factory.mktemp("graph") / "edges.csv"
    simulate(1200, SimulationConfig(groups=5)).to_csv(path, index=False)
    return path


def start(size: int, edges: Path, out: Path, **settings: str) -> subprocess.Popen:
    """Start a training with some workers."""
    words = ["train", "graph", "--data", edges, "--out", out, "--progress", out.with_suffix(".progress"), "--set"]
    words += [f"{name}={value}" for name, value in (SETTINGS | settings).items()]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size)]
    return subprocess.Popen(
        [*launch, "-m", "engine", *map(str, words)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def finished(size: int, edges: Path, out: Path, **settings: str) -> Run:
    """Train with some workers and return the run."""
    process = start(size, edges, out, **settings)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    return read_run(out)


def process_of_rank(rank: int, launcher_id: int) -> int:
    """Return the process of one worker of a launch."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            named = f"RANK={rank}".encode() in (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(parent) == launcher_id and named:
            return int(folder.name)
    raise AssertionError(f"no worker {rank} below process {launcher_id}")


@pytest.mark.slow
def test_one_and_two_workers_have_the_same_losses_and_embeddings(edges, tmp_path):
    one, two = (finished(size, edges, tmp_path / f"workers-{size}", batch_size="100", **REVERSED) for size in (1, 2))
    assert one.history.drop(columns="value").equals(two.history.drop(columns="value"))
    assert set(one.history["loss"]) == {"ranking", "reversed edges"} and len(one.history) == 6
    assert two.history["value"].to_numpy() == pytest.approx(one.history["value"].to_numpy(), rel=1e-4)
    assert two.embedding("source") == pytest.approx(one.embedding("source"), abs=0.01)
    # Only the first worker reports, and one run is written.
    lines = [json.loads(line) for line in (tmp_path / "workers-2.progress").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["workers-1", "workers-2"]
    assert two.manifest["command"][:5] == ["torchrun", "--nproc-per-node", "2", "-m", "engine"]
    assert one.manifest["command"][:3] == ["python", "-m", "engine"]


@pytest.mark.slow
def test_two_workers_share_a_full_batch_too_and_leave_other_methods_to_the_first(edges, tmp_path):
    methods = "dual,single,popularity"
    config = build_config(GraphConfig, SETTINGS | {"methods": methods})
    alone = run(load("graph", str(edges)), config)
    stored = finished(2, edges, tmp_path / "workers", methods=methods)
    assert stored.history["stage"].tolist() == alone.history["stage"].tolist()
    assert stored.history["value"].to_numpy() == pytest.approx(alone.history["value"].to_numpy(), rel=1e-4)
    assert set(stored.metrics["method"]) == {"dual", "single", "popularity"}


@pytest.mark.slow
def test_a_killed_worker_ends_the_run_with_a_clear_sentence_and_leaves_nothing(edges, tmp_path):
    process = start(2, edges, tmp_path / "killed", epochs="10000", batch_size="16")
    progress, deadline = tmp_path / "killed.progress", time.monotonic() + 90
    while not (progress.exists() and progress.read_text()):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process_of_rank(1, process.pid), signal.SIGKILL)
    _, err = process.communicate(timeout=90)
    assert process.returncode != 0
    assert "another worker ended" in err and "nothing" in err
    assert [path.name for path in tmp_path.iterdir()] == ["killed.progress"]


def test_a_process_of_its_own_is_a_group_of_one(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert announced() == workers() == Workers(rank=0, size=1)
    assert launcher(["train", "graph"]) == ["python", "-m", "engine", "train", "graph"]
    with joined() as group:
        assert group.is_first and group.sum_values({"a": 2.0}) == {"a": 2.0}


def test_shares_are_disjoint_and_together_everything():
    shares = [list(range(11))[Workers(rank=rank, size=3).share(11)] for rank in range(3)]
    assert sorted(itertools.chain(*shares)) == list(range(11)) and max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(("rank", "size"), [("2", "2"), ("-1", "2"), ("0", "two")])
def test_a_senseless_announcement_is_refused(monkeypatch, rank, size):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    with pytest.raises(ConfigError, match=f"'WORLD_SIZE' {size}; start several workers with torchrun"):
        announced()


def test_only_what_can_be_trained_together_starts_with_several_workers(monkeypatch, capsys):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["train", "delay", "--out", "never-made"]) == 2
    assert "torchrun trains graph only" in capsys.readouterr().err
    # The second of two workers with the same bad input keeps silent.
    monkeypatch.setenv("RANK", "1")
    assert main(["train", "delay", "--out", "never-made"]) == 2
    assert capsys.readouterr().err == ""
