"""The benchmark of scale: what is measured, what ends a tool, how growth is fitted, and what is written."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.benchmark import scale
from engine.benchmark.limited import Limits, Outcome
from engine.benchmark.scale_command import LEAST_ROWS, count
from engine.benchmark.scale_engine import described
from engine.benchmark.scale_subject import OURS, SIMULATE, difference, question
from engine.cli import main
from engine.errors import EngineError
from engine.result import KINDS

GENEROUS = Limits(memory_gib=4, seconds=60)


def plan(work: Path, *, keep: bool = True, limits: Limits = GENEROUS, on_size=lambda _: None) -> scale.Plan:
    """Return a plan for a test."""
    shared = {"python": "/nowhere/python", "seed": 0, "on_step": lambda _: None}
    return scale.Plan(work=work, keep=keep, limits=limits, on_size=on_size, **shared)


@pytest.fixture
def asked(monkeypatch):
    """Let no process start: ours takes a second per thousand rows, peers have no answer beyond 20,000 rows."""
    calls = []

    def ask(task, module, folder, the_plan):
        rows = question(folder)["rows"]
        calls.append((task.tool, task.step, rows))
        if task.step == SIMULATE:
            task.work(folder)
        if task.tool != OURS and rows > 20_000:
            return Outcome(record={}, peak_gib=3.0, note="out of memory at 3 GiB"), {}
        table = pd.DataFrame({"what": ["edges"], "count": [rows if task.tool == OURS else rows - 2]})
        record = {"seconds": rows / 1000, "cpu_seconds": rows / 1000, "peak_gib": 0.5, "version": "1.0"}
        return Outcome(record=record, peak_gib=0.4, note=""), {"totals": table} if task.step == "pairs" else {}

    monkeypatch.setattr(scale, "_ask", ask)
    monkeypatch.setitem(scale.MODULES, "graph", ("engine.benchmark.edges_scale",))
    return calls


def test_a_tool_that_a_limit_has_ended_is_given_no_larger_size(asked, tmp_path):
    table = scale.measure_all(["graph"], [40_000, 10_000, 80_000], plan(tmp_path))
    assert [rows for tool, _, rows in asked if tool == "networkx"] == [10_000, 40_000]
    peers = table[table["tool"] == "networkx"]
    assert peers["note"].tolist() == ["", "out of memory at 3 GiB"]
    assert peers["peak_mebibytes"].tolist() == [512, 3072] and peers["seconds"].isna().tolist() == [False, True]


def test_differences_are_those_from_our_answer_and_rates_those_of_the_wall(asked, tmp_path):
    table = scale.measure_all(["graph"], [10_000], plan(tmp_path)).set_index(["tool", "step"])
    assert table.loc[("pandas", "pairs"), "max_difference"] == 2
    assert np.isnan(table.loc[(OURS, "pairs"), "max_difference"])
    assert table.loc[(OURS, "pairs"), "rows_per_second"] == 1000
    assert set(table.reset_index().columns) == set(scale.COLUMNS)


def test_data_are_thrown_away_after_their_size_or_kept_and_used_again(asked, tmp_path):
    scale.measure_all(["graph"], [10_000], plan(tmp_path, keep=False))
    assert list(tmp_path.iterdir()) == []
    scale.measure_all(["graph"], [10_000], plan(tmp_path))
    asked.clear()
    again = scale.measure_all(["graph"], [10_000], plan(tmp_path))
    assert SIMULATE not in set(again["step"]) and (OURS, SIMULATE, 10_000) not in asked
    next((tmp_path / "edges-0-10000").glob("*.parquet")).unlink()
    assert SIMULATE in set(scale.measure_all(["graph"], [10_000], plan(tmp_path))["step"])


def test_the_table_so_far_is_handed_over_after_every_size(asked, tmp_path):
    parts = []
    table = scale.measure_all(["graph"], [10_000, 20_000], plan(tmp_path, on_size=parts.append))
    assert [part["rows"].max() for part in parts] == [10_000, 20_000]
    pd.testing.assert_frame_equal(parts[-1], table)


def test_growth_is_the_slope_of_the_logarithms_of_processor_time(asked, tmp_path):
    table = scale.measure_all(["graph"], [10_000, 20_000, 40_000], plan(tmp_path))
    ours = table[(table["tool"] == OURS) & (table["step"] == "pairs")]
    assert ours["exponent"].tolist() == pytest.approx([1.0] * 3) and ours["n_sizes"].tolist() == [3] * 3
    assert ours["ci_low"].iloc[0] == pytest.approx(1.0, abs=1e-6)
    # Two answers leave no interval.
    peers = table[table["tool"] == "pandas"]
    assert peers["exponent"].isna().all() and peers["n_sizes"].tolist() == [2] * 3


def test_the_text_says_what_was_found_and_what_was_not(asked, tmp_path):
    text = scale.text_of(scale.measure_all(["graph"], [10_000, 20_000, 40_000], plan(tmp_path)))
    assert "| edges | 40,000 | networkx | pairs | out of memory at 3 GiB | | 3,072 | | |" in text
    assert "| edges | 10,000 | pandas 1.0 | pairs | 10.00 (10.00) | 1,000 | 512 | 2.0e+00 |" in text
    assert "1.00 [1.00, 1.00] · n 3 sizes" in text


def test_data_that_do_not_fit_end_their_size(tmp_path):
    table = scale.measure_all(["delay"], [10_000, 20_000], plan(tmp_path, limits=Limits(memory_gib=0.02, seconds=60)))
    assert table["step"].tolist() == [SIMULATE] and table["note"].tolist() == ["out of memory at 0.02 GiB"]


def test_every_kind_has_a_subject_that_simulates_first_and_asks_us_before_others():
    subjects = [importlib.import_module(module).SUBJECT for kind in KINDS for module in scale.MODULES[kind]]
    assert {subject.kind for subject in subjects} == set(KINDS)
    for subject in subjects:
        assert (subject.simulation.tool, subject.simulation.step) == (OURS, SIMULATE)
        tools = {}
        for task in subject.tasks:
            tools.setdefault(task.step, []).append(task.tool)
        assert all(names[0] == OURS for names in tools.values()) and max(map(len, tools.values())) > 1


def test_a_difference_is_the_largest_and_infinite_where_rows_or_numbers_are_missing():
    ours = pd.DataFrame({"a": ["x", "y"], "n": [1, 5], "m": [0.0, 1.0]})
    assert difference(ours, ours[::-1], ("a",)) == 0
    assert difference(ours, ours.assign(n=[1, 8]), ("a",)) == 3
    assert difference(ours, ours.head(1), ("a",)) == np.inf
    assert difference(ours, ours.assign(a=["x", "z"]), ("a",)) == np.inf
    assert difference(ours, ours.assign(m=[0.0, np.nan]), ("a",)) == np.inf
    assert difference(ours, ours[["a", "n"]], ("a",)) == 0


def test_a_description_without_an_answer_says_its_sentence(tmp_path):
    with pytest.raises(EngineError, match=r"holds no \.parquet file"):
        described("delay", tmp_path)


@pytest.mark.slow
def test_the_command_measures_ours_and_the_others_in_processes_of_their_own(tmp_path, capsys):
    words = ["benchmark", "scale", "--rows", "1e4", "--kinds", "delay", "--out", str(tmp_path), "--json"]
    assert main(words) == 0
    printed = json.loads(capsys.readouterr().out)
    stored = pd.read_csv(tmp_path / "scale.csv").set_index(["tool", "step"])
    assert len(printed) == len(stored) and list(printed[0]) == list(scale.COLUMNS)
    assert stored["rows"].tolist() == [10_000] * len(stored)
    answered = stored[stored["note"].isna()]
    assert (answered[["seconds", "cpu_seconds", "rows_per_second"]] > 0).all(axis=None)
    assert answered["peak_mebibytes"].between(50, 4000).all()
    assert {
        (OURS, SIMULATE),
        (OURS, "curve"),
        (OURS, "describe"),
        ("pandas", "curve"),
        ("statsmodels", "curve"),
    } <= set(answered.index)
    assert (answered["max_difference"].dropna() < 1e-12).all() and answered["max_difference"].notna().sum() >= 2
    assert set(stored["note"].dropna()) <= {"not installed there"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["scale", "--rows", "10"], f"'--rows' is 10; it must be at least {LEAST_ROWS:,}."),
        (["scale", "--rows", "1e3"], "'--rows' is 1,000;"),
        (["scale", "--seconds", "0"], "'--seconds' is 0; it must be above 0."),
        (["scale", "--memory-gib", "-1"], "'--memory-gib' is -1; it must be above 0."),
        (["scale", "--rows", "1.5"], "1.5"),
        (["scale", "--kinds", "time"], "time"),
    ],
)
def test_a_wrong_option_is_one_sentence(words, sentence, capsys):
    assert main(["benchmark", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_rows_are_whole_numbers_also_by_their_power():
    assert (count("1e6"), count("12345")) == (1_000_000, 12_345)
    for text in ("1.5", "inf", "many"):
        with pytest.raises(ValueError):
            count(text)


def test_the_stored_answers_agree_and_ours_stayed_within_the_budget_of_memory():
    stored = pd.read_csv(Path(scale.__file__).parent / "results" / "scale.csv")
    assert list(stored.columns) == list(scale.COLUMNS)
    modules = [module for kind in KINDS for module in scale.MODULES[kind]]
    assert set(stored["data"]) == {importlib.import_module(module).SUBJECT.data for module in modules}
    ours = stored[stored["tool"] == OURS]
    assert ours["note"].isna().all() and (ours["peak_mebibytes"] <= 4096).all()
    # Means of up to a hundred million scores, summed in another order.
    assert (stored["max_difference"].dropna() < 1e-10).all()
    assert {"pandas", "scikit-learn", "statsmodels", "lifelines", "scikit-survival", "networkx"} < set(stored["tool"])
    hundred_million = ours[ours["rows"] == 100_000_000]
    assert {("scores", "grid"), ("scores", "counts"), ("scores", "describe")} <= set(
        zip(hundred_million["data"], hundred_million["step"], strict=True)
    )
