"""The command from end to end, on a small simulated graph."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from engine import cli
from engine.benchmark import methods as methods_module
from engine.benchmark import run as run_module


@pytest.fixture(scope="module")
def edges(tmp_path_factory):
    """Return a file of 400 edges."""
    path = tmp_path_factory.mktemp("data") / "small.csv"
    assert cli.main(["simulate", "graph", "--rows", "400", "--out", str(path), "--set", "seed=1", "groups=5"]) == 0
    return path


@pytest.fixture
def bench(edges, tmp_path):
    """Return a function that runs the command with further words."""

    def run(*words):
        return cli.main(["benchmark", "graph", "--data", str(edges), "--out", str(tmp_path / "out"), *words])

    return run


@pytest.mark.slow
def test_the_command_measures_prints_and_keeps_what_it_found(bench, tmp_path, capsys):
    assert bench("--splits", "2", "--methods", "dual", "cocitation", "degree_head") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("**small.csv** · 2 splits · ")
    assert [line.split(" | ")[0] for line in printed.splitlines() if line.startswith("| ")] == [
        "| method",
        "| Dual embeddings (ours)",
        "| Degrees only",
        "| Co-citation",
    ]
    written = (tmp_path / "out" / "benchmark.md").read_text()
    assert written.startswith(printed) and "HitRate@10 by segment" in written.removeprefix(printed)
    table = pd.read_parquet(tmp_path / "out" / "benchmark.parquet")
    ours = table[(table["method"] == "dual") & (table["statistic"] == "value")]
    assert {"all", "one_way", "mutual", "out_degree:1", "in_degree:32+"} <= set(ours["segment"])
    assert {"hit_rate_at_5", "mrr_at_20", "ndcg_at_20", "recall_at_20", "existence_auc", "seconds"} <= set(
        ours["metric"]
    )
    assert (ours.loc[ours["metric"] == "megabytes", "value"] > 0).all()
    parts = sorted(path.name.split("-")[1:3] for path in (tmp_path / "out" / "parts").iterdir())
    assert parts == sorted([seed, name] for seed in "01" for name in ("dual", "cocitation", "degree_head"))


@pytest.mark.slow
def test_an_interrupted_benchmark_goes_on_and_gives_what_it_would_have_given(bench, tmp_path, capsys, monkeypatch):
    words = ("--splits", "2", "--methods", "dual", "hope", "popularity", "--json")
    fitted, apart = [], run_module._measured_apart

    def interrupted(method, prepared, config):
        if len(fitted) == 4:
            raise KeyboardInterrupt
        fitted.append((config.seed, method.name))
        return apart(method, prepared, config)

    monkeypatch.setattr(run_module, "_measured_apart", interrupted)
    assert bench(*words) == 130
    assert len(list((tmp_path / "out" / "parts").iterdir())) == 4
    monkeypatch.setattr(run_module, "_measured_apart", lambda *given: fitted.append(given) or apart(*given))
    assert bench(*words) == 0
    assert len(fitted) == 6
    resumed = capsys.readouterr().out
    assert bench(*words) == 0
    assert len(fitted) == 6
    assert json.loads(capsys.readouterr().out) == json.loads(resumed)


def test_what_is_not_installed_is_said_and_the_rest_runs(bench, capsys, monkeypatch):
    monkeypatch.setattr(methods_module, "find_spec", lambda name: None)
    assert bench("--splits", "1", "--methods", "als", "bpr", "popularity") == 0
    said = capsys.readouterr()
    assert said.err == (
        "ALS, BPR left out: needs a package that is not installed; install it with: pip install implicit==0.7.3\n"
    )
    assert "In-degree popularity" in said.out and "ALS" not in said.out


def test_nothing_left_to_run_is_an_error(bench, capsys, monkeypatch):
    monkeypatch.setattr(methods_module, "find_spec", lambda name: None)
    assert bench("--methods", "dirgnn") == 2
    assert "None of the methods can run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--splits", "0"), "'--splits' is 0; it must be at least 1."),
        (("--methods", "gravity"), "'--methods gravity' is unknown; allowed are dual"),
        (("--data", "nowhere.csv"), "'--data nowhere.csv' is neither a file nor bundled graph data"),
        (("--out", "/proc/none"), "'--out /proc/none' cannot be written"),
    ],
)
def test_a_wrong_option_is_one_sentence(bench, words, sentence, capsys):
    assert bench(*words) == 2
    # What is not installed is said on lines of its own before.
    said = [line for line in capsys.readouterr().err.splitlines() if "left out" not in line]
    assert len(said) == 1 and sentence in said[0]
