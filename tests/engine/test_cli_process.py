"""The command line as a process of its own: signals, pipes, and every kind from simulated rows to a stored run."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from engine.result import DIFFERENCE_COLUMNS, KINDS, METRIC_COLUMNS
from engine.runs import list_runs, read_run

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent.parent
SMALL = {
    "graph": (2000, ["epochs=3", "dimension=8", "resamples=20", "negatives=64"]),
    "delay": (2000, ["steps=20", "members=1", "hidden=8", "resamples=20", "streaming=false"]),
    "uncertainty": (3000, ["epochs=1", "members=2", "hidden=8", "resamples=20"]),
}
"""Rows to simulate and settings with which a training takes a second or two."""
LONG = {"graph": ["epochs=10000"], "delay": ["steps=4000", "members=2"]}
"""Settings with which a training takes longer than any test waits."""


def start(*words, **options) -> subprocess.Popen:
    """Start a command as a user would."""
    return subprocess.Popen(
        [sys.executable, "-m", "engine", *map(str, words)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        # A shell in the background ignores Ctrl+C, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )


def finish(*words) -> tuple[int, str, str]:
    """Run a command; return its code and what it wrote."""
    process = start(*words)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Simulate the rows of a kind once; return the words that name them."""
    folder = tmp_path_factory.mktemp("simulated")

    def _simulated(kind: str) -> list[str]:
        path = folder / f"{kind}.csv"
        if not path.exists():
            assert finish("simulate", kind, "--rows", SMALL[kind][0], "--out", path)[0] == 0
            if kind == "uncertainty":
                # Without a score there is something to train: an ensemble on the evidence.
                pd.read_csv(path).drop(columns=["score", "uncertainty", "split"]).to_csv(path, index=False)
        return ["--data", str(path), *(["--nodes", str(folder / "graph_nodes.csv")] if kind == "graph" else [])]

    return _simulated


@pytest.mark.parametrize("kind", KINDS)
def test_simulated_rows_become_a_run_and_the_same_words_the_same_run(kind, simulated, tmp_path):
    words = ["train", kind, *simulated(kind), "--set", *SMALL[kind][1], "--seed", "5", "--json"]
    printed = []
    for name in ("one", "two"):
        code, out, err = finish(*words, "--out", tmp_path / name, "--progress", tmp_path / f"{name}.jsonl")
        assert (code, err) == (0, "")
        printed.append(json.loads(out))
    assert printed[0]["metrics"] == printed[1]["metrics"]
    run, again = read_run(tmp_path / "one"), read_run(tmp_path / "two")
    assert run.kind == kind and run.manifest["seed"] == 5 and run.manifest["dataset"]["origin"] == "simulated"
    assert tuple(run.metrics.columns) == METRIC_COLUMNS and not run.metrics.empty
    assert tuple(run.curve("differences").columns) == DIFFERENCE_COLUMNS and not run.curve("differences").empty
    assert set(run.curve("claims")["verdict"]) <= {"supported", "not supported", "inconclusive"}
    for name in run.manifest["curves"]:
        assert run.curve(name).equals(again.curve(name)), f"{name} differs between two equal runs"
    assert run.predictions.equals(again.predictions) and not run.history.empty
    records = [json.loads(line) for line in (tmp_path / "one.jsonl").read_text().splitlines()]
    assert records and all(0 < record["epoch"] <= record["epochs"] for record in records)
    assert {record["stage"] for record in records} == set(run.history["stage"])


@pytest.mark.parametrize(("kind", "which"), [("delay", signal.SIGTERM), ("graph", signal.SIGINT)])
def test_an_interrupted_training_ends_with_130_and_leaves_no_run(kind, which, simulated, tmp_path):
    progress = tmp_path / "progress.jsonl"
    store = tmp_path / "runs"
    words = ["train", kind, *simulated(kind), "--set", *LONG[kind], "--out", store / "cut", "--progress", progress]
    # A slow machine would have kept one by then, which the message tells.
    words += ["--checkpoint", "0"]
    process = start(*words, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not (progress.exists() and progress.stat().st_size) and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.send_signal(which)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (130, "", "Cancelled; nothing unfinished was kept.\n")
    assert not store.exists() or (list(store.iterdir()) == [] and list_runs(store) == [])


def test_a_reader_that_goes_away_is_no_error():
    process = start("datasets")
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_bad_input_leaves_no_trace_of_the_program():
    code, out, err = finish("train", "graph", "--data", "no.csv")
    assert code == 2 and out == "" and err.startswith("Error: '--data no.csv'") and err.count("\n") == 1


def test_a_terminal_without_our_signs_gets_others(tmp_path, tiny_result):
    from engine.runs import write_run

    write_run(tiny_result, tmp_path / "run", command=["x"])
    done = subprocess.run(
        [sys.executable, "-m", "engine", "show", str(tmp_path / "run")],
        cwd=ROOT,
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        timeout=60,
    )
    assert done.returncode == 0 and b"C1 supported: MRR, dual ? popularity" in done.stdout
