"""The stored result of the benchmark of scale, and what the README says of it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import engine.benchmark
from engine.benchmark.scale import COLUMNS, with_growth
from engine.benchmark.scale_subject import DESCRIBE
from engine.benchmark.scale_table import digest

ROW = {"rows": 1_000_000, "step": "curve", "seconds": 1.234, "cpu_seconds": 0.5, "peak_mebibytes": 1536.0, "note": ""}
NOT_FITTED = {name: np.nan for name in ("version", "max_difference", "exponent", "ci_low", "ci_high", "n_sizes")}


@pytest.fixture(scope="module")
def stored() -> pd.DataFrame:
    return pd.read_csv(Path(engine.benchmark.__file__).parent / "results" / "scale.csv")


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def test_a_cell_says_time_processor_time_and_memory_or_what_ended_it():
    own = NOT_FITTED | ROW | {"data": "exposures", "tool": "ours"}
    peer = own | {"tool": "pandas", "version": "3.1.1", "max_difference": 0.0}
    fit = {"exponent": 0.912, "ci_low": 0.8, "ci_high": 1.05, "n_sizes": 3}
    rows = [
        own | {"step": "simulate"},
        own | fit,
        own | fit | {"rows": 3_000_000},
        own | fit | {"rows": 10_000_000, "seconds": 12.345, "cpu_seconds": 20.0, "peak_mebibytes": 512.0},
        peer,
        peer | {"rows": 10_000_000, "seconds": np.nan, "note": "out of memory at 11.8 GiB", "max_difference": 3e-12},
    ]
    assert cells(digest(pd.DataFrame(rows))) == [
        ["data, step", "tool", "1 M rows", "10 M rows", "growth [95 %]", "differs by"],
        ["---"] * 6,
        [
            "exposures, curve",
            "**ours**",
            "1.23 s (0.5), 1.5 GiB",
            "12.3 s (20), 0.5 GiB",
            "0.91 [0.80, 1.05] · n 3 sizes",
            "–",
        ],
        ["exposures, curve", "pandas 3.1.1", "1.23 s (0.5), 1.5 GiB", "out of memory at 11.8 GiB", "–", "3e-12"],
    ]


def test_the_answers_of_others_are_ours(stored):
    peers = stored[(stored["tool"] != "ours") & stored["note"].isna()]
    assert len(peers) >= 20 and (peers["max_difference"] < 1e-9).all()


def test_rates_and_growth_follow_from_the_stored_times(stored):
    assert tuple(stored.columns) == COLUMNS
    assert np.allclose(stored["rows_per_second"], stored["rows"] / stored["seconds"], rtol=1e-3, equal_nan=True)
    again = with_growth(stored.assign(note=stored["note"].fillna("")))
    for name in ("exponent", "ci_low", "ci_high"):
        assert np.allclose(stored[name], again[name], rtol=0.01, atol=0.01, equal_nan=True), name


def test_the_aggregates_of_every_kind_of_data_are_measured_up_to_100_million_rows(stored):
    ours = stored[(stored["tool"] == "ours") & stored["note"].isna() & (stored["step"] != DESCRIBE)]
    largest = ours.groupby(["data", "step"])["rows"].max()
    assert set(largest.index.get_level_values("data")) == {"scores", "exposures", "edges", "events"}
    assert (largest == 100_000_000).all(), largest


def test_the_readme_shows_the_stored_result(stored, request):
    text = (request.config.rootpath / "README.md").read_text(encoding="utf-8")
    between = re.search(r"<!-- scale -->\n(.*?)\n?<!-- /scale -->", text, re.DOTALL)
    assert between and between[1].strip() == digest(stored), f"the README needs:\n{digest(stored)}"
