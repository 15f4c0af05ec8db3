"""The stored result of the uncertainty benchmark, and what the README says of it."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from engine.benchmark.uncertainty_judge import MATCHED
from engine.benchmark.uncertainty_methods import CEILING, LABELS, ONE
from engine.benchmark.uncertainty_real import DATA, ESTIMATORS, SCORERS, TREND
from engine.benchmark.uncertainty_simulated import BUCKETS, SETTINGS, SIZES
from engine.benchmark.uncertainty_summary import AGREEMENT, GUARANTEE, SPEED, SUMMARY_COLUMNS
from engine.benchmark.uncertainty_table import digest, markdown


@pytest.fixture(scope="module")
def folder(request):
    return request.config.rootpath / "engine" / "benchmark" / "results"


@pytest.fixture(scope="module")
def stored(folder) -> pd.DataFrame:
    """Return the stored result."""
    table = pd.read_csv(folder / "uncertainty.csv", dtype={"target": str})
    return table.fillna({"baseline": "", "target": "", "scorer": ""})


def test_the_stored_result_has_every_way_on_all_data_sizes_and_buckets(stored):
    assert tuple(stored.columns) == SUMMARY_COLUMNS
    assert set(stored["data"]) == {*SETTINGS, DATA, GUARANTEE, SPEED, AGREEMENT}
    judged = set(LABELS) - {"mapie_sequence"}
    for name, setting in SETTINGS.items():
        rows = stored[stored["data"] == name]
        assert set(rows["rows"]) == set(SIZES) and set(rows["method"]) == judged, name
        most = setting.most_seeds or 20
        assert rows["seeds"].between(most - 1, most).all()
        assert set(rows.loc[rows["method"] == "mist", "buckets"]) == set(BUCKETS)
        assert set(rows.loc[rows["metric"] == MATCHED, "target"]) == {f"{target:.2f}" for target in setting.targets}
    real = stored[stored["data"] == DATA]
    assert set(real.loc[real["metric"] == MATCHED, "scorer"]) == set(SCORERS) and set(real["seeds"]) == {5}
    assert set(real.loc[real["metric"] == "recall", "method"]) == judged - {CEILING}
    assert set(ESTIMATORS) <= set(real.loc[real["metric"] == TREND, "scorer"])


def test_stored_intervals_hold_their_values(stored):
    known = stored.dropna(subset=["value", "ci_low"])
    known = known[known["statistic"].isin(["share", "value"]) & ~known["metric"].eq("seconds")]
    assert len(known) > 1000
    slack = 2e-5 * known["value"].abs().clip(lower=1e-9) + 1e-12
    assert (known["ci_low"] <= known["value"] + slack).all() and (known["value"] <= known["ci_high"] + slack).all()


def test_stored_ratios_are_those_of_the_stored_recalls(stored):
    key = ["data", "scorer", "rows", "target"]
    matched = stored[stored["metric"] == MATCHED]
    values = matched[matched["statistic"] == "value"].set_index([*key, "method", "buckets"])["value"]
    ratios = matched[matched["statistic"] == "ratio"].dropna(subset=["value"])
    assert set(ratios["baseline"]) == {ONE, CEILING}
    for row in ratios.itertuples():
        place = row.data, row.scorer, row.rows, row.target
        expected = values[(*place, row.method, row.buckets)] / values[(*place, row.baseline, 1)]
        assert row.value == pytest.approx(expected, rel=1e-4)


def test_one_bucket_leaves_every_path_the_single_threshold(stored):
    rows = stored[(stored["statistic"] == "value") & (stored["metric"] == "precision") & (stored["buckets"] == 1)]
    rows = rows[rows["data"].isin(list(SETTINGS))]
    table = rows.pivot_table(index=["data", "rows", "target"], columns="method", values="value")
    for method in ("mist", "greedy", "exact_dp", "best_of"):
        assert table[method].to_numpy() == pytest.approx(table[ONE].to_numpy(), nan_ok=True), method


def test_the_readme_shows_the_stored_result(stored, request):
    text = (request.config.rootpath / "README.md").read_text(encoding="utf-8")
    between = re.search(r"<!-- uncertainty-benchmark -->\n(.*?)\n?<!-- /uncertainty-benchmark -->", text, re.DOTALL)
    assert between and between[1].strip() == digest(stored), f"the README needs:\n{digest(stored)}"


def test_the_page_of_all_ways_shows_the_stored_result(stored, folder):
    text = (folder / "uncertainty.md").read_text(encoding="utf-8")
    assert text[text.index("## ") :].rstrip() == markdown(stored)
