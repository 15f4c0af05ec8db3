"""The stored result of the delay benchmark, and what the README says of it."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from engine.benchmark.delay_methods import METHODS
from engine.benchmark.delay_sources import DATA
from engine.benchmark.delay_summary import SUMMARY_COLUMNS
from engine.benchmark.delay_table import digest, markdown
from engine.benchmark.delay_verdicts import LATER, RECENT, verdicts


@pytest.fixture(scope="module")
def folder(request):
    return request.config.rootpath / "engine" / "benchmark" / "results"


@pytest.fixture(scope="module")
def stored(folder) -> pd.DataFrame:
    """Return the stored result."""
    return pd.read_csv(folder / "delay.csv").fillna({"baseline": ""})


def test_the_stored_result_has_every_method_on_all_data_and_five_seeds(stored):
    assert tuple(stored.columns) == SUMMARY_COLUMNS
    assert set(stored["data"]) == set(DATA) and set(stored["seeds"]) == {5}
    for data, rows in stored[stored["split"] == "test"].groupby("data"):
        assert set(rows["method"]) == set(METHODS), data


def test_stored_intervals_hold_their_values(stored):
    known = stored.dropna(subset=["value", "ci_low"])
    known = known[known["statistic"] == "value"]
    assert (known["ci_low"] <= known["value"] + 1e-5).all() and (known["value"] <= known["ci_high"] + 1e-5).all()


def test_stored_shares_of_the_gap_are_those_of_the_stored_losses(stored):
    rows = stored[(stored["metric"] == "log_loss") & (stored["split"] == "test") & (stored["segment"] == "all")]
    loss = rows[rows["statistic"] == "value"].set_index(["data", "method"])["value"]
    for row in rows[rows["statistic"] == "gap_closed"].itertuples():
        vanilla, oracle = loss[row.data, "vanilla"], loss[row.data, "oracle"]
        # Losses are rounded to five places, so a share of a small gap is known roughly.
        slack = 3e-5 / abs(vanilla - oracle)
        expected = (vanilla - loss[row.data, row.method]) / (vanilla - oracle)
        assert row.value == pytest.approx(expected, abs=slack * (1 + abs(expected))), (row.data, row.method)


def test_the_readme_shows_the_stored_result(stored, request):
    text = (request.config.rootpath / "README.md").read_text(encoding="utf-8")
    between = re.search(r"<!-- delay-benchmark -->\n(.*?)\n?<!-- /delay-benchmark -->", text, re.DOTALL)
    assert between and between[1].strip() == digest(stored), f"the README needs:\n{digest(stored)}"


def test_the_page_of_all_methods_shows_the_stored_result(stored, folder):
    text = (folder / "delay.md").read_text(encoding="utf-8")
    assert text[text.index("## ") :].rstrip() == markdown(stored)


def test_what_the_readme_says_of_the_result_is_so(stored):
    """The gap is closed with and without drift; later exposures drift on; calibration, the stream, the coupons."""
    judged = verdicts(stored)
    kind = judged["goal"].str.partition(" ")[0]
    found = {(row.data, word, row.rows): row.verdict for row, word in zip(judged.itertuples(), kind, strict=True)}
    assert {found["simulated", word, place] for word in ("closes", "mean") for place in (LATER, RECENT)} == {"met"}
    drifts = [f"simulated-{what}-drift" for what in ("engagement", "delay", "conversion")]
    assert {found[data, "closes", RECENT] for data in drifts} == {"met"}
    assert [found[data, "closes", LATER] for data in drifts] == ["met", "open", "met"]
    recent = judged[(kind == "mean") & (judged["rows"] == RECENT)].set_index("data")["value"]
    assert [abs(recent[data] - 1) < 0.005 for data in drifts] == [True, False, True]
    assert round(recent["simulated-delay-drift"], 3) == 1.019
    coupons = judged[(judged["data"] == "journey-coupons") & (kind == "log")]
    assert set(coupons["verdict"]) == {"met"} and list(coupons["value"] < 0) == [True, False]
    waiting = judged[(judged["data"] == "journey-coupons") & (kind == "calibration")]
    assert list(waiting["verdict"]) == ["met", "open"]
    drifting = judged[(kind == "mean") & judged["data"].str.endswith("drift") & (judged["rows"] == LATER)]
    assert set(drifting["verdict"]) == {"missed"}
    losses = stored[(stored["split"] == "test") & (stored["segment"] == "all") & (stored["statistic"] == "value")]
    losses = losses[(losses["metric"] == "log_loss") & (losses["method"] != "oracle")]
    best = losses.loc[losses.groupby("data")["value"].idxmin()].set_index("data")["method"]
    assert best["simulated-conversion-drift"] == best["simulated-engagement-drift"] == "dress_style"
    streamed = stored[(stored["split"] == "stream") & (stored["statistic"] == "gap_closed")]
    share = {(row.data, row.metric, row.method): round(row.value, 3) for row in streamed.itertuples()}
    for data, ours, other, theirs in (
        ("simulated", 1.005, "vanilla", 0.0),
        ("simulated-engagement-drift", 1.0, "es_dfm", 0.953),
        ("simulated-delay-drift", 1.001, "vanilla", 0.0),
        ("simulated-conversion-drift", 0.957, "es_dfm", 0.963),
        ("journey-mailer", 0.981, "wait", 0.995),
        ("journey-coupons", 0.602, "wait", 0.973),
        ("journey-coupons", 0.602, "pretrained", 1.358),
    ):
        assert (share[data, "log_loss", "dress_style"], share[data, "log_loss", other]) == (ours, theirs), data
    assert len({method for _, _, method in share}) == 14
    behind = stored[(stored["data"] == "simulated-delay-drift") & (stored["split"] == "test")]
    behind = behind[(behind["statistic"] == "difference") & (behind["metric"] == "log_loss") & (behind["ci_low"] > 0)]
    behind = behind[(behind["segment"] == "all") & (behind["ci_low"] > 1e-4)].set_index("baseline")["value"].round(4)
    assert behind.pop("oracle") == 0.0012 and len(behind) == 11 and behind.max() == 0.0011
