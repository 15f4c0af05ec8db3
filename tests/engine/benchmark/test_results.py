"""The stored result of the benchmark, and what the README says of it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from engine.benchmark.digest import digest
from engine.benchmark.methods import METHODS
from engine.benchmark.summary import SUMMARY_COLUMNS
from engine.benchmark.table import markdown
from engine.datasets import BUNDLED


@pytest.fixture(scope="module")
def stored(request) -> pd.DataFrame:
    """Return the stored result."""
    path = request.config.rootpath / "engine" / "benchmark" / "results" / "graph.csv"
    return pd.read_csv(path).fillna({"baseline": ""})


def test_the_stored_result_has_every_method_on_every_bundled_graph_and_five_splits(stored):
    assert tuple(stored.columns) == SUMMARY_COLUMNS
    assert set(stored["data"]) == {name for name, entry in BUNDLED.items() if entry.kind == "graph"}
    assert set(stored["method"]) == set(METHODS)
    assert set(stored["splits"]) == {5}


def test_stored_intervals_hold_their_values(stored):
    known = stored.dropna(subset=["value"])
    assert (known["ci_low"] <= known["value"] + 1e-5).all() and (known["value"] <= known["ci_high"] + 1e-5).all()


def test_stored_ratios_are_those_of_the_stored_values(stored):
    values = stored[stored["statistic"] == "value"].set_index(["data", "method", "metric"])["value"]
    ratios = stored[stored["statistic"] == "ratio"]
    expected = [
        values[row.data, row.method, row.metric] / values[row.data, row.baseline, row.metric]
        for row in ratios.itertuples()
    ]
    assert len(ratios) >= 5 and np.allclose(ratios["value"], expected, rtol=1e-3)


def test_no_peer_is_better_than_the_one_that_ours_are_compared_with(stored):
    values = stored[stored["statistic"] == "value"]
    for row in stored[(stored["statistic"] == "ratio") & (stored["baseline"] != "degree_head")].itertuples():
        peers = values[(values["data"] == row.data) & (values["metric"] == row.metric)]
        peers = peers[[not METHODS[name].is_ours for name in peers["method"]]].set_index("method")["value"]
        assert peers[row.baseline] == peers.max(), (row.data, row.metric)


def test_the_readme_shows_the_stored_result(stored, request):
    text = (request.config.rootpath / "README.md").read_text(encoding="utf-8")
    between = re.search(r"<!-- benchmark -->\n(.*?)\n?<!-- /benchmark -->", text, re.DOTALL)
    assert between and between[1].strip() == digest(stored), f"the README needs:\n{digest(stored)}"


def test_the_page_of_all_methods_shows_the_stored_result(stored, request):
    path = request.config.rootpath / "engine" / "benchmark" / "results" / "graph.md"
    assert path.read_text(encoding="utf-8").partition("\n**")[2].rstrip() == markdown(stored).removeprefix("**")


def test_what_the_readme_says_of_the_result_is_so(stored):
    """Ours ranks best and tells uniform non-edges best on every graph; degree-corrected ones on one of four."""
    values = stored[(stored["statistic"] == "value") & ~stored["metric"].isin(["seconds", "megabytes"])]
    ours = values[values["method"] == "dual"].set_index(["data", "metric"])["value"]
    others = values[~values["method"].isin(["dual", "paper"])].groupby(["data", "metric"])["value"].max()
    won = set(ours.index[ours > others.reindex(ours.index)])
    graphs = list(dict.fromkeys(values["data"]))
    assert {(data, metric) for data in graphs for metric in ("hit_rate_at_10", "mrr", "existence_auc")} <= won
    assert [data for data in graphs if (data, "existence_auc_degree_corrected") in won] == ["airline-routes"]
