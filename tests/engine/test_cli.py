"""The command line: codes, sentences, options; what is trained is a stand-in here."""

import dataclasses
import json

import pandas as pd
import pytest

from engine import cli
from engine.runs import read_run


def test_a_training_writes_a_run_and_prints_what_it_found(train, tmp_path, capsys):
    assert train() == 0
    out, err = capsys.readouterr()
    assert err == "" and out.startswith("new-run · edges.csv (own) · seed 0 · ")
    assert "test · all · mrr\n    dual             0.500 [0.400, 0.600] n 12\n" in out
    assert "C1 supported: MRR, dual − popularity (all test edges) = 0.3 [0.1, 0.5] · n 120 queries" in out
    assert out.endswith(f"{tmp_path / 'new-run'}\n")
    assert read_run(tmp_path / "new-run").manifest["dataset"]["rows"]["edges"] == 132


def test_json_holds_the_manifest_and_the_metrics_and_nothing_else(train, tmp_path, capsys):
    assert train("--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"manifest", "metrics"} and printed["manifest"] == read_run(tmp_path / "new-run").manifest
    assert printed["metrics"][0] == {
        "method": "dual",
        "split": "test",
        "segment": "all",
        "metric": "mrr",
        "value": 0.5,
        "ci_low": 0.4,
        "ci_high": 0.6,
        "n": 12,
    }


def test_show_prints_the_same_as_the_training_did(train, tmp_path, capsys):
    train("--json")
    trained = capsys.readouterr().out
    assert cli.main(["show", str(tmp_path / "new-run"), "--json"]) == 0
    assert capsys.readouterr().out == trained
    assert cli.main(["show", str(tmp_path / "new-run")]) == 0
    assert "C1 supported" in capsys.readouterr().out


def test_a_run_without_a_metric_has_no_gap_in_its_print(train, model, capsys, tiny_result):
    bare = dataclasses.replace(tiny_result, metrics=tiny_result.metrics.head(0))
    model.run = lambda dataset, config, on_epoch=None: dataclasses.replace(bare, config=config)
    assert train() == 0
    assert "\n\n\n" not in capsys.readouterr().out


def test_json_writes_an_undefined_metric_as_null(train, model, tmp_path, capsys, tiny_result):
    metrics = tiny_result.metrics.assign(value=float("nan"))
    model.run = lambda dataset, config, on_epoch=None: dataclasses.replace(tiny_result, config=config, metrics=metrics)
    assert train("--json") == 0
    assert json.loads(capsys.readouterr().out)["metrics"][0]["value"] is None


def test_settings_come_from_the_file_then_from_set_then_from_seed(train, model, tmp_path):
    (tmp_path / "s.toml").write_text('epochs = 3\ndimension = 16\nseed = 1\nmethods = ["dual", "hope"]\n')
    words = ("--config", str(tmp_path / "s.toml"), "--set", "dimension=32", "learning_rate=0.02", "--set", "top_k=5")
    assert train(*words, "--seed", "9") == 0
    config = model.config
    assert (config.epochs, config.dimension, config.learning_rate, config.top_k) == (3, 32, 0.02, 5)
    assert config.seed == 9 and config.methods == ("dual", "hope")
    assert read_run(tmp_path / "new-run").manifest["config"]["methods"] == ["dual", "hope"]


def test_columns_play_their_roles(train, model):
    assert train() == 0
    assert sorted(model.dataset.nodes["name"]) == sorted(f"n{i}" for i in range(12))


def test_the_recorded_command_leaves_out_where_progress_went(train, tmp_path):
    for number, words in enumerate([("--progress", str(tmp_path / "p")), (f"--progress={tmp_path / 'p'}",)]):
        assert train(*words, out=f"run-{number}") == 0
        command = read_run(tmp_path / f"run-{number}").manifest["command"]
        assert command[:5] == ["python", "-m", "engine", "train", "graph"] and str(tmp_path / "p") not in " ".join(
            command[:-1]
        )
    assert [json.loads(line)["stage"] for line in (tmp_path / "p").read_text().splitlines()] == ["dual", "dual"]


def test_threads_hold_during_the_training_and_are_recorded(train, model, tmp_path, monkeypatch):
    import torch
    from threadpoolctl import threadpool_info

    seen = []
    monkeypatch.setattr(torch, "set_num_threads", seen.append)
    inner = model.run

    def run(*args, **kwargs):
        seen.append({pool["num_threads"] for pool in threadpool_info()})
        return inner(*args, **kwargs)

    model.run = run
    assert train("--threads", "2") == 0
    assert seen == [2, {2}] and read_run(tmp_path / "new-run").manifest["threads"] == 2


def test_without_out_a_run_goes_where_the_dashboard_looks(edges, model, tmp_path, monkeypatch):
    monkeypatch.setenv("RECOMMENDER_LENS_RUNS", str(tmp_path / "store"))
    words = ["train", "graph", "--data", str(edges), "--column", "source=from", "target=to"]
    assert cli.main(words) == 0 and cli.main(words) == 0
    names = [path.name for path in (tmp_path / "store").iterdir()]
    assert len(names) == 2 and all(name.startswith("graph-2") for name in names)


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["simulate", "-h"]])
def test_help_is_printed_with_code_0(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 0 and "usage: python -m engine" in capsys.readouterr().out


def test_datasets_are_listed_for_reading_and_as_json(capsys):
    assert cli.main(["datasets"]) == 0
    text = capsys.readouterr().out
    assert text.count("(default)") == 3 and "debian-programs      graph        real (default)\n" in text
    assert cli.main(["datasets", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["kind"] for row in rows} == {"graph", "delay", "uncertainty"}
    assert all(row["name"] in text and row["origin"] in ("real", "derived", "simulated") for row in rows)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("kind", ["graph", "delay", "uncertainty"])
def test_simulated_rows_are_written_as_many_as_asked_with_their_truth(kind, ending, tmp_path, capsys):
    path = tmp_path / "deep" / f"sim.{ending}"
    assert cli.main(["simulate", kind, "--rows", "400", "--out", str(path), "--set", "seed=3"]) == 0
    frame = pd.read_csv(path) if ending == "csv" else pd.read_parquet(path)
    assert len(frame) == 400 and any(name.startswith("true_") for name in frame.columns)
    assert f"{path}: 400 rows, columns {', '.join(frame.columns)}\n" in capsys.readouterr().out
    left = {file.name for file in path.parent.iterdir()}
    assert left == {f"sim.{ending}"} | ({f"sim_nodes.{ending}"} if kind == "graph" else set())


@pytest.mark.parametrize("kind", ["graph", "delay", "uncertainty"])
def test_the_seed_decides_what_is_simulated(kind, tmp_path):
    def simulate(name, seed):
        path = tmp_path / f"{name}.csv"
        assert cli.main(["simulate", kind, "--rows", "300", "--out", str(path), "--set", f"seed={seed}"]) == 0
        return path.read_bytes()

    assert simulate("a", 1) == simulate("b", 1) != simulate("c", 2)


def test_a_cancelled_simulation_leaves_no_half_file(tmp_path, monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_csv", stop)
    assert cli.main(["simulate", "delay", "--rows", "9", "--out", str(tmp_path / "x.csv")]) == 130
    assert list(tmp_path.iterdir()) == []


def test_the_old_answer_to_a_termination_signal_is_put_back():
    import signal

    before = signal.getsignal(signal.SIGTERM)
    assert cli.main(["datasets", "--json"]) == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_commands_run_outside_the_main_thread_too(capsys):
    import threading

    codes = []
    thread = threading.Thread(target=lambda: codes.append(cli.main(["datasets"])))
    thread.start()
    thread.join(30)
    assert codes == [0]
