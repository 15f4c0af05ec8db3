"""The benchmark of given scores on few rows: same cells as pandas, blocks that differ, growth as planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.benchmark import uncertainty_scale as scale
from engine.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setattr(scale, "BLOCK", 4000)
    yield scale.scores_folder(tmp_path_factory.mktemp("work"), 10_000, 0)
    patch.undo()


def test_blocks_hold_all_rows_and_differ(folder):
    parts = [pd.read_parquet(file) for file in sorted(folder.glob("*.parquet"))]
    assert [len(part) for part in parts] == [4000, 4000, 2000]
    assert not parts[0]["score"].equals(parts[1]["score"])


def test_a_folder_that_is_there_in_full_is_used_again(folder):
    before = {file: file.stat().st_mtime_ns for file in folder.glob("*.parquet")}
    assert scale.scores_folder(folder.parent, 10_000, 0) == folder
    assert {file: file.stat().st_mtime_ns for file in folder.glob("*.parquet")} == before


def test_pandas_counts_the_same_cells(folder, monkeypatch):
    monkeypatch.setattr(scale, "RESAMPLES", 10)
    ours = scale.measure(str(folder))
    assert ours["cells"]["n"].sum() == 10_000
    assert ours["all_cpu_seconds"] > 0 and ours["peak_gib"] > 0
    theirs = scale.by_pandas(str(folder), ours["edges"], ours["cells"])
    assert theirs["max_difference"] == 0
    moved = ours["cells"].assign(n=ours["cells"]["n"] + 3)
    assert scale.by_pandas(str(folder), ours["edges"], moved)["max_difference"] == 3
    assert scale.by_scikit_learn(str(folder), ours["edges"])["count_seconds"] > 0


def test_growth_finds_the_planted_exponent_and_the_text_says_it():
    rows = np.array([1e6, 1e7, 1e8])
    table = pd.DataFrame({name: np.nan for name in scale.TABLE}, index=range(3))
    table = table.assign(rows=rows.astype(int), method="ours", note="", cores=2.0, memory_gib=8.0, version=None)
    for figure in scale.GROWTH:
        table[figure] = 3e-6 * rows
    fitted = scale.growth(table)
    assert fitted["exponent"].tolist() == pytest.approx([1.0] * 5)
    assert "count seconds: 1.00 [1.00, 1.00] · n 3 sizes" in scale.text_of(table, fitted)
    assert scale.growth(table.head(2))["exponent"].isna().all()


def test_too_few_rows_are_refused(capsys):
    assert main(["benchmark", "uncertainty-scale", "--rows", "10"]) == 2
    assert "'--rows' is 10" in capsys.readouterr().err


def test_a_hundred_million_scores_were_within_the_budget_and_the_counts_those_of_pandas():
    stored = pd.read_csv(Path(scale.__file__).parent / "results" / "uncertainty_scale.csv")
    assert list(stored.columns) == list(scale.TABLE)
    largest = stored[(stored["method"] == "ours") & (stored["rows"] == 100_000_000)].iloc[0]
    assert largest["peak_gib"] <= 4.0
    assert (stored["max_difference"].dropna() == 0).all() and "pandas" in set(stored["method"])
