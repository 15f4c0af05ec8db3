"""The reliability tab: curves follow their controls, tables repeat the run, older runs are told what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cache
from dashboard.controls.uncertainty_units import counts_rows, heading
from dashboard.layout import number
from engine.result import DatasetInfo, RunResult
from engine.runs import Run, read_run, write_run
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load
from engine.uncertainty.findings import recalibration_sentence
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate

HOSTILE = "![x](http://evil.example/x.png) <b>de"
AFTER = "Before and after recalibration"


def page() -> None:
    from dashboard import controls
    from dashboard.controls.thresholds import Choice
    from dashboard.views import uncertainty_reliability
    from engine.uncertainty.editor import open_editor

    run = controls.run_picker("uncertainty")
    scorer = str(run.curve("scorers")["scorer"].iloc[0])
    editor = open_editor(run.curve("cells"), run.curve("edges"), scorer)
    uncertainty_reliability.draw(Choice(run, scorer, float(run.curve("boundaries")["target"].min()), editor))


@pytest.fixture(scope="module")
def result() -> RunResult:
    """Run once on simulated scores with a flat prior and a column of two countries."""
    frame = simulate(4000, SimulationConfig(prior=(1.0, 3.0), seed=3)).drop(columns=["k_all", "n_all"])
    frame["country"] = np.where(np.random.default_rng(0).random(4000) < 0.7, HOSTILE, "fr")
    info = DatasetInfo(name="made-up", origin="simulated", data_id="0" * 8)
    return run(load(frame, info=info), UncertaintyConfig(resamples=20, buckets=3))


@pytest.fixture
def stored(runs: Path, result: RunResult) -> Run:
    return read_run(write_run(result, runs / "uncertainty-one", command=["python"]))


@pytest.fixture
def older(stored: Run) -> Run:
    """Leave only what runs of the first version hold."""
    folder = stored.folder
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["curves"] = ["boundaries", "cells", "claims", "differences", "edges", "reliability", "scorers", "trend"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    table = stored.curve("reliability")
    kept = table[table["binning"] == "equal_mass"].drop(columns=["binning", "positives", "exact_low", "exact_high"])
    kept.to_parquet(folder / "curves" / "reliability.parquet")
    metrics = stored.metrics
    metrics[metrics["metric"] == "ece"].to_parquet(folder / "metrics.parquet")
    cache.forget_list()
    return read_run(folder)


def opened(**address: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for name, value in address.items():
        app.query_params[name.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


def traces(figure: Any, app: AppTest, place: int = 0) -> dict[str, Any]:
    return {trace["name"]: trace for trace in figure(app, place)["data"] if trace["type"] == "scatter"}


def rates(stored: Run, bucket: int, *, split: str, binning: str) -> list[float]:
    table = stored.curve("reliability")
    own = table[(table["scorer"] == "given") & (table["bucket"] == bucket) & (table["n"] > 0)]
    return own[(own["split"] == split) & (own["binning"] == binning)]["observed_rate"].tolist()


@pytest.mark.parametrize(("split", "shown"), [("test", "Test rows"), ("tune", "Tuning rows")])
@pytest.mark.parametrize(("binning", "bins"), [("equal_mass", "Equal count"), ("equal_width", "Equal width")])
def test_the_curves_follow_split_and_bins(
    stored: Run, figure: Any, split: str, shown: str, binning: str, bins: str
) -> None:
    app = opened(uncertainty_rows=shown, uncertainty_bins=bins, uncertainty_isotonic="false")
    drawn = traces(figure, app)
    names = [name for name in drawn if "of 3" in name and "empty" not in name]
    assert len(names) == 3
    for bucket, name in enumerate(names):
        assert drawn[name]["y"] == pytest.approx(rates(stored, bucket, split=split, binning=binning))


def test_the_sentence_counts_bins_that_miss_empty_ones_and_rows(stored: Run) -> None:
    app = opened(uncertainty_bins="Equal width")
    table = stored.curve("reliability")
    own = table[(table["scorer"] == "given") & (table["bucket"] >= 0) & (table["split"] == "test")]
    own = own[own["binning"] == "equal_width"]
    off = (own["ci_low"] > own["mean_predicted"]) | (own["ci_high"] < own["mean_predicted"])
    told = next(element.value for element in app.markdown if "95 % interval leaves" in element.value)
    assert told.startswith(f"In {off.sum()} of {(own['n'] > 0).sum()} bins")
    assert f"{(own['n'] == 0).sum()} bin" in told and f"n {own['n'].sum():,} rows" in told


def test_the_isotonic_curve_and_the_axes_are_drawn_when_asked_for(stored: Run, figure: Any) -> None:
    plain, full = opened(uncertainty_isotonic="false"), opened(uncertainty_rate_axes="Log")
    assert not any("isotonic" in name for name in traces(figure, plain))
    assert sum("isotonic" in name for name in traces(figure, full)) == 3
    assert figure(full, 0)["layout"]["xaxis"]["range"][0] < 0


def test_the_tab_opens_with_a_panel_and_an_isotonic_curve_per_bucket_unlike_the_chart_above_it(
    stored: Run, figure: Any
) -> None:
    drawn = figure(opened(), 0)
    isotonic = [trace["xaxis"] for trace in drawn["data"] if "isotonic" in trace["name"] and trace["mode"] == "lines"]
    assert {"x", "x3", "x5"} <= set(isotonic)
    assert "xaxis3" not in figure(opened(uncertainty_apart="false"), 0)["layout"]
    assert {"xaxis", "xaxis3", "xaxis5"} <= set(drawn["layout"])
    assert sum("base rate" in note["text"] for note in drawn["layout"]["annotations"]) == 3


def test_a_value_without_an_interval_has_a_dash_for_it(runs: Path, result: RunResult) -> None:
    bare = result.metrics["segment"] == "uncertainty bucket 2 of 3"
    metrics = result.metrics.assign(**{c: result.metrics[c].mask(bare) for c in ("ci_low", "ci_high")})
    write_run(replace(result, metrics=metrics), runs / "uncertainty-one", command=["python"])
    app = opened()
    row = app.table[0].value.loc["2 of 3"]
    assert all(cell.endswith(" [–]") for cell in row[1:]) and not any("nan" in str(cell) for cell in row)


@pytest.mark.parametrize("name", ["n (rows)", "n (units)"])
def test_the_heading_of_n_names_what_it_counts(runs: Path, result: RunResult, name: str) -> None:
    unit = name.removeprefix("n (").removesuffix(")")
    scorers = result.curves["scorers"].assign(n_unit=unit)
    told = replace(result, curves={**result.curves, "scorers": scorers})
    run = read_run(write_run(told, runs / "uncertainty-one", command=["python"]))
    assert heading(run) == name and opened().table[0].value.columns[0] == name
    told = replace(result, curves={**result.curves, "scorers": scorers.drop(columns="n_unit")})
    older = read_run(write_run(told, runs / "uncertainty-two", command=["python"]))
    assert counts_rows(older)


@pytest.mark.parametrize("apart", ["false", "true"])
def test_slices_have_a_curve_each_and_their_names_are_harmless(stored: Run, figure: Any, apart: str) -> None:
    app = opened(uncertainty_by="country", uncertainty_apart=apart)
    drawn = traces(figure, app)
    assert "fr" in drawn and not any("<b>" in name for name in drawn)
    rows = figure(app, 0)["data"]
    counted = sum(sum(trace["y"]) for trace in rows if trace["type"] == "bar" and "positives" not in trace["name"])
    cells = stored.curve("slices")
    assert counted == cells.loc[(cells["scorer"] == "given") & (cells["split"] == "test"), "n"].sum()


@pytest.mark.parametrize(
    ("group", "metric"),
    [("Losses and ranking", "roc_auc"), ("Calibration", "ece_debiased"), ("Parts of the Brier score", "brier_within")],
)
def test_the_table_repeats_the_metrics_of_the_run(stored: Run, group: str, metric: str) -> None:
    table = opened(uncertainty_metrics=group).table[0].value
    assert list(table.index) == ["All rows", "1 of 3 · most certain", "2 of 3", "3 of 3 · least certain"]
    metrics = stored.metrics
    own = metrics[(metrics["method"] == "given") & (metrics["metric"] == metric)].set_index("segment")
    row = own.loc["uncertainty bucket 2 of 3"]
    shown = [cell for cell in table.loc["2 of 3"] if cell.startswith(f"{number(row['value'])} [")]
    assert shown[0].endswith(f"{number(row['ci_low'])},\u00a0{number(row['ci_high'])}]")
    assert table.loc["2 of 3", "n (rows)"] == f"{int(row['n']):,}"


def test_recalibration_is_judged_in_a_sentence_a_figure_and_a_table(stored: Run, figure: Any) -> None:
    app = opened(uncertainty_reliability_part=AFTER)
    own = stored.curve("recalibration")
    own = own[own["scorer"] == "given"]
    assert recalibration_sentence(own) in [element.value for element in app.markdown]
    before = own[(own["method"] == "raw") & (own["metric"] == "bias")].set_index("segment")["value"]
    drawn = traces(figure, app, 1)
    assert drawn["3 of 3 · least certain, before"]["x"][0] == pytest.approx(100 * before["uncertainty bucket 3 of 3"])
    table = app.table[0].value
    assert table.loc["All rows", "Before"].startswith(f"{number(100 * before['all'])} [")
    assert len(table.columns) == 6


@pytest.mark.parametrize("metric", ["ECE", "Log loss", "Brier score"])
def test_recalibration_can_be_judged_by_every_metric(stored: Run, figure: Any, metric: str) -> None:
    app = opened(uncertainty_reliability_part=AFTER, uncertainty_repaired=metric)
    assert metric in figure(app, 1)["layout"]["xaxis"]["title"]["text"]


@pytest.mark.parametrize("name", ["uncertainty_rows", "uncertainty_bins", "uncertainty_rate_axes", "uncertainty_by"])
def test_words_in_the_address_that_do_not_exist_are_ignored(stored: Run, name: str) -> None:
    assert len(opened(**{name: "nonsense"}).get("plotly_chart")) == 1


def test_an_older_run_shows_what_it_has_and_says_what_to_do(older: Run, figure: Any) -> None:
    app = opened()
    assert len(traces(figure, app)) == 4 and any("**slices**" in caption.value for caption in app.caption)
    assert "Open **Train**" in app.info[0].value and not app.table
    assert "Open **Train**" in opened(uncertainty_reliability_part=AFTER).info[0].value
    assert opened(uncertainty_metrics="Calibration").table[0].value.columns.tolist() == ["n (rows)", "ECE"]
    newer = {"uncertainty_isotonic": "true", "uncertainty_bins": "Equal width", "uncertainty_by": "country"}
    assert len(opened(**newer, uncertainty_apart="true").get("plotly_chart")) == 1
