"""Several workers train one model: the same losses, one writer, and a plain end when one of them dies."""

from __future__ import annotations

import importlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine.cli import CONFIGS, main
from engine.datasets import load
from engine.distributed import Workers, alone, announced, joined, launcher, require_agreement, workers
from engine.errors import ConfigError, TrainingError
from engine.graph.config import GraphConfig
from engine.graph.run import run
from engine.graph.simulate import SimulationConfig, simulate
from engine.options import build_config
from engine.runs import Run, read_run

ROOT = Path(__file__).resolve().parent.parent.parent
KIND_SETTINGS = {
    "delay": {"steps": "10", "members": "1", "hidden": "8", "batch_size": "33", "resamples": "20"},
    # Dropout and posterior networks are trained by the first worker alone, the ensemble by both.
    "uncertainty": {"epochs": "2", "members": "2", "hidden": "8", "batch_size": "64", "resamples": "20"}
    | {"estimators": "mc_dropout,ensemble,natpn_flat"},
}
SETTINGS = {"epochs": "3", "methods": "dual", "dimension": "8", "negatives": "64", "resamples": "20"}
REVERSED = {"reversed_weight": "0.3"}


@pytest.fixture(scope="module")
def rows_of(tmp_path_factory):
    """Write rows to train on, of a kind."""

    def _rows_of(kind: str) -> Path:
        path = tmp_path_factory.mktemp(kind) / f"{kind}.csv"
        module = importlib.import_module(f"engine.{kind}.simulate")
        frame = module.simulate(1500, module.SimulationConfig())
        # Without a score there is something to train.
        frame.drop(columns=["score", "uncertainty", "split"], errors="ignore").to_csv(path, index=False)
        return path

    return _rows_of


@pytest.fixture(scope="module")
def edges(tmp_path_factory) -> Path:
    """Write a graph of 1,200 edges."""
    path = tmp_path_factory.mktemp("graph") / "edges.csv"
    simulate(1200, SimulationConfig(groups=5)).to_csv(path, index=False)
    return path


def start(size: int, data: Path, out: Path, *, kind: str = "graph", words=(), **settings: str) -> subprocess.Popen:
    """Start a training with some workers."""
    words = ["train", kind, "--data", data, "--out", out, "--progress", out.with_suffix(".progress"), *words, "--set"]
    words += [f"{name}={value}" for name, value in (KIND_SETTINGS.get(kind, SETTINGS) | settings).items()]
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


def finished(size: int, data: Path, out: Path, **options) -> Run:
    """Train with some workers and return the run, which the first of them alone prints."""
    process = start(size, data, out, **options)
    printed, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert printed.count("made by:") == 1
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
    one = run(load("graph", str(edges)), config)
    stored = finished(2, edges, tmp_path / "workers", methods=methods)
    assert stored.history["stage"].tolist() == one.history["stage"].tolist()
    assert stored.history["value"].to_numpy() == pytest.approx(one.history["value"].to_numpy(), rel=1e-4)
    assert set(stored.metrics["method"]) == {"dual", "single", "popularity"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["delay", "uncertainty"])
def test_two_workers_have_the_losses_and_metrics_of_one(kind, rows_of, tmp_path):
    data = rows_of(kind)
    module = importlib.import_module(f"engine.{kind}.config")
    config = build_config(getattr(module, CONFIGS[kind]), KIND_SETTINGS[kind])
    one = importlib.import_module(f"engine.{kind}.run").run(load(kind, str(data)), config)
    both = finished(2, data, tmp_path / "workers", kind=kind)
    assert both.history.drop(columns="value").equals(one.history.drop(columns="value"))
    np.testing.assert_allclose(both.history["value"], one.history["value"], rtol=1e-5)
    judged = ["value", "ci_low", "ci_high"]
    assert both.metrics.drop(columns=judged).equals(one.metrics.drop(columns=judged))
    np.testing.assert_allclose(both.metrics["value"], one.metrics["value"], atol=1e-4)
    # The files hold one report of every loss, and one run.
    lines = (tmp_path / "workers.progress").read_text().splitlines()
    assert len(lines) == len(one.history.drop_duplicates(["stage", "epoch"]))
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["workers"]


@pytest.mark.slow
def test_killed_workers_end_the_run_with_a_sentence_and_resume_ends_it_with_the_losses_of_one(edges, tmp_path):
    settings = {"epochs": "60", "batch_size": "100", "averaged_share": "0.5"}
    out, left = tmp_path / "killed", tmp_path / ".killed.checkpoint" / "001.safetensors"
    for number, (rank, how) in enumerate([(1, signal.SIGTERM), (0, signal.SIGKILL)]):
        written = left.stat().st_mtime_ns if left.exists() else 0
        process = start(2, edges, out, words=["--checkpoint", "0.2", *["--resume"] * (number > 0)], **settings)
        wait_for(lambda: left.exists() and left.stat().st_mtime_ns > written, process)  # noqa: B023 - called at once
        os.kill(process_of_rank(rank, process.pid), how)
        killed = time.monotonic()
        printed, err = process.communicate(timeout=90)
        assert process.returncode != 0 and printed == "" and time.monotonic() - killed < 60
        assert "no run was written. " in err and "another worker ended" in err
        assert "The same command with --resume goes on" in err
        # A first worker that is killed cannot take back its claim on the name; the next one takes it over.
        claim = [".killed.claim.partial"] if (rank, how) == (0, signal.SIGKILL) else []
        assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [".killed.checkpoint", *claim]
    again = finished(2, edges, out, words=["--resume"], **settings)
    one = run(load("graph", str(edges)), build_config(GraphConfig, SETTINGS | settings))
    assert again.history.drop(columns="value").equals(one.history.drop(columns="value"))
    np.testing.assert_allclose(again.history["value"], one.history["value"], rtol=1e-3)
    np.testing.assert_allclose(again.metrics["value"], one.metrics["value"], atol=0.02)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["killed"]


def wait_for(happened, process: subprocess.Popen) -> None:
    """Wait until something has happened while a process runs."""
    deadline = time.monotonic() + 180
    while not happened():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)


DIES_ONCE = """
import os
from pathlib import Path
from torch import nn, optim
from engine.distributed import joined

with joined(2.0) as group:
    if os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
        os._exit(9)
    said = group.from_first(b"here" if group.is_first else b"")
    optim.Adam(nn.Linear(1, 1).parameters()).step()
left = [name for task in Path("/proc/self/task").iterdir() if "gloo" in (name := (task / "comm").read_text())]
Path(f"{os.environ['SAID']}-{group.rank}").write_text(f"{said} {left}")
"""


def test_workers_that_the_launcher_starts_again_find_each_other_and_leave_no_thread(tmp_path):
    (tmp_path / "work.py").write_text(DIES_ONCE)
    words = "-m torch.distributed.run --standalone --max-restarts 1 --nproc-per-node 2".split()
    own = {"PYTHONPATH": str(ROOT), "SAID": str(tmp_path / "said")}
    done = subprocess.run(
        [sys.executable, *words, tmp_path / "work.py"],
        env=os.environ | own,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert [(tmp_path / f"said-{rank}").read_text() for rank in range(2)] == ["b'here' []"] * 2


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


def test_what_is_done_alone_is_done_as_a_group_of_one(monkeypatch):
    from torch import distributed

    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    with alone():
        assert workers() == Workers(rank=0, size=1)
    assert workers() == Workers(rank=1, size=2)


def test_more_workers_than_rows_of_a_step_are_refused():
    assert [list(range(3))[Workers(rank=rank, size=3).columns(3)] for rank in range(3)] == [[0], [1], [2]]
    with pytest.raises(ConfigError, match="3 workers are more than the 2 rows of a step; start fewer, or raise 'batch"):
        Workers(rank=0, size=3).columns(2)


def test_workers_that_cannot_be_reached_are_said_to_need_a_network(monkeypatch):
    from torch.distributed import distributed_c10d

    def fail(*_, **__):
        raise RuntimeError("Gloo connectFullMesh failed")

    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    meeting = importlib.import_module("torch.distributed.rendezvous")
    monkeypatch.setattr(meeting, "rendezvous", lambda *_, **__: iter([(None, 0, 2)]))
    monkeypatch.setattr(distributed_c10d, "init_process_group", fail)
    with pytest.raises(TrainingError, match=r"the other workers cannot be reached.*GLOO_SOCKET_IFNAME"), joined():
        pass


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("Connection closed by peer [10.0.0.2]:4071", "another worker ended before the training was done"),
        ("Timed out waiting 3600000ms for recv operation to complete", r"did not answer for as long as --patience"),
    ],
)
def test_a_worker_that_ended_is_told_from_one_that_does_not_answer(monkeypatch, fault, sentence):
    from torch import distributed, ones

    def fail(_):
        raise RuntimeError(fault)

    monkeypatch.setattr(distributed, "all_reduce", fail)
    with pytest.raises(TrainingError, match=sentence):
        Workers(rank=0, size=2).total(ones(1))


def test_a_worker_with_other_data_than_the_first_is_refused():
    class Second(Workers):
        def from_first(self, content):
            return b'{"data": "abc"}'

    require_agreement(Second(rank=1, size=2), {"data": "abc"})
    with pytest.raises(TrainingError, match="worker 1 has other data or settings than the first; start all of them"):
        require_agreement(Second(rank=1, size=2), {"data": "abd"})
    assert Workers().from_first(b"mine") == b"mine"


def test_of_two_workers_with_one_bad_input_the_first_says_so(monkeypatch, capsys):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["train", "delay", "--data", "gone.csv", "--out", "never-made"]) == 2
    assert "'--data gone.csv' is neither a file" in capsys.readouterr().err
    monkeypatch.setenv("RANK", "1")
    assert main(["train", "delay", "--data", "gone.csv", "--out", "never-made"]) == 2
    assert capsys.readouterr().err == ""
