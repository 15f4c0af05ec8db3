"""The delay statistics beside survival libraries: agreement to the last digits, and what is missing is said."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.benchmark import delay_peers, delay_scale
from engine.benchmark.delay_scale_command import run_scale, run_survival
from engine.benchmark.survival_peer import exits, kaplan_meier, times
from engine.delay.simulate import SimulationConfig
from engine.errors import ConfigError


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Compare on 2,000 exposures with what this environment holds: statsmodels."""
    return delay_peers.compare(sys.executable, tmp_path_factory.mktemp("data"), rows=2000, seed=1)


def test_statsmodels_finds_our_curve_and_our_greenwood(compared):
    rows = compared[compared["method"] == "statsmodels"].set_index("quantity")
    assert list(rows.index) == ["kaplan_meier", "greenwood"]
    assert (rows["max_difference"] < 1e-12).all()
    ours = compared[(compared["method"] == "ours") & (compared["quantity"] == "kaplan_meier")].iloc[0]
    assert (rows["rows"] == ours["rows"]).all() and ours["rows"] > 600


def test_a_library_that_is_not_installed_says_so_and_the_others_answer(compared):
    absent = compared[compared["method"].isin(["lifelines", "scikit-survival"])]
    assert set(absent["note"]) == {"not installed there"} and absent["seconds"].isna().all()
    assert len(compared) == 2 + 2 * 3 + 2 * 2
    assert "not installed there" in delay_peers.text_of(compared)


def test_an_interpreter_that_is_none_says_so(tmp_path):
    answer = delay_peers.ask_peer("/nowhere/python", "lifelines", "kaplan_meier", tmp_path, as_of=1.0, step=1.0)
    assert "cannot be started" in answer["note"]


def test_the_cure_models_of_both_laws_are_ours(compared):
    ours = compared[compared["quantity"].str.startswith("cure") & (compared["method"] == "ours")]
    assert len(ours) == 2 and ours["value"].between(0.1, 0.5).all()


def test_the_script_counts_by_hand(tmp_path):
    # On day 20, windows of 10: seen in bin 3; censored after 4 whole bins; matured without; seen in an open bin.
    frame = pd.DataFrame(
        {
            "exposure_time": [0.0, 15.5, 1.0, 15.5, 25.0],
            "conversion_time": [2.5, np.nan, 15.0, 19.7, 26.0],
            "window_days": 10.0,
        }
    )
    path = tmp_path / "log.parquet"
    frame.to_parquet(path)
    duration, event = exits(str(path), as_of=20.0, step=1.0)
    assert duration.tolist() == [3, 4, 10, 4] and event.tolist() == [True, False, False, False]
    assert times(str(path), as_of=20.0)[3].tolist() == [True, False, False, True]
    seconds, curve = kaplan_meier("statsmodels", duration, event)
    assert curve["survival"][0] == pytest.approx(0.75) and seconds > 0


@pytest.mark.slow
def test_sizes_are_measured_side_by_side_and_kept_folders_are_used_again(tmp_path):
    table = delay_scale.measure_all([2000, 4000], work=tmp_path, python=sys.executable, peer_rows=2000, seed=0)
    assert list(table["method"]) == ["ours", *delay_peers.TOOLS, "ours"]
    ours = table[table["method"] == "ours"]
    assert (ours["all_seconds"] > 0).all() and (ours["peak_gib"] > 0.05).all()
    peer = table[table["method"] == "statsmodels"].iloc[0]
    assert peer["max_difference"] < 1e-12 and peer["times_ours"] > 0
    assert peer["times_ours"] == pytest.approx(peer["curve_seconds"] / ours["curve_seconds"].iloc[0])
    config = SimulationConfig(seed=0)
    files = sorted((tmp_path / "exposures-0-2000").iterdir())
    before = [file.stat().st_mtime_ns for file in files]
    assert delay_scale.exposures_folder(tmp_path, 2000, config) == tmp_path / "exposures-0-2000"
    assert [file.stat().st_mtime_ns for file in files] == before
    files[0].unlink()
    delay_scale.exposures_folder(tmp_path, 2000, config)
    assert files[0].exists()
    assert "not installed there" in delay_scale.text_of(table, delay_scale.growth(table))


def test_growth_is_the_slope_of_the_logarithms():
    rows = np.array([1e6, 1e7, 1e8])
    table = pd.DataFrame({"method": "ours", "rows": rows, "curve_seconds": rows**0.9, "peak_gib": 1.0})
    table = table.assign(curve_cpu_seconds=rows, all_seconds=rows, all_cpu_seconds=rows)
    found = delay_scale.growth(table).set_index("figure")["exponent"]
    assert found.tolist() == pytest.approx([0.9, 1.0, 1.0, 1.0, 0.0])
    assert np.isnan(delay_scale.growth(table.iloc[:2])["exponent"]).all()


def test_the_commands_refuse_too_few_exposures_and_write_their_tables(tmp_path, capsys):
    shared = {"peers": "/nowhere/python", "seed": 0, "out": str(tmp_path), "json": False}
    for run, rows in ((run_scale, [10]), (run_survival, 10)):
        with pytest.raises(ConfigError, match="at least 1,000"):
            run(argparse.Namespace(**shared, rows=rows, peer_rows=None, work=None), [])
    run_survival(argparse.Namespace(**shared, rows=1000), [])
    assert "| kaplan_meier | ours | " in capsys.readouterr().out
    assert set(pd.read_csv(tmp_path / "delay_survival.csv").columns) == set(delay_peers.COLUMNS)


RESULTS = Path(delay_scale.__file__).parent / "results"


def test_the_stored_comparison_agrees_to_the_last_digits():
    stored = pd.read_csv(RESULTS / "delay_survival.csv")
    assert set(stored["method"]) == {"ours", *delay_peers.TOOLS}
    curves = stored[~stored["quantity"].str.startswith("cure")]
    assert (curves["max_difference"] < 1e-12).all()
    assert (stored["max_difference"] < 1e-5).all()


def test_a_hundred_million_exposures_were_within_the_budget():
    stored = pd.read_csv(RESULTS / "delay_scale.csv")
    assert list(stored.columns) == list(delay_scale.COLUMNS)
    largest = stored[(stored["method"] == "ours") & (stored["rows"] == 100_000_000)].iloc[0]
    assert largest["peak_gib"] <= 4.0
    assert (stored["max_difference"].dropna() < 1e-12).all()
