"""The delay statistics beside survival libraries: agreement to the last digits, and what is missing is said."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.benchmark import delay_peers
from engine.benchmark.delay_survival_command import run_survival
from engine.benchmark.survival_peer import exits, kaplan_meier, times
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


def test_the_command_refuses_too_few_exposures_and_writes_its_table(tmp_path, capsys):
    shared = {"peers": "/nowhere/python", "seed": 0, "out": str(tmp_path), "json": False}
    with pytest.raises(ConfigError, match="at least 1,000"):
        run_survival(argparse.Namespace(**shared, rows=10), [])
    run_survival(argparse.Namespace(**shared, rows=1000), [])
    assert "| kaplan_meier | ours | " in capsys.readouterr().out
    assert set(pd.read_csv(tmp_path / "delay_survival.csv").columns) == set(delay_peers.COLUMNS)


RESULTS = Path(delay_peers.__file__).parent / "results"


def test_the_stored_comparison_agrees_to_the_last_digits():
    stored = pd.read_csv(RESULTS / "delay_survival.csv")
    assert set(stored["method"]) == {"ours", *delay_peers.TOOLS}
    curves = stored[~stored["quantity"].str.startswith("cure")]
    assert (curves["max_difference"] < 1e-12).all()
    assert (stored["max_difference"] < 1e-5).all()
