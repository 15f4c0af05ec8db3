"""The tab of estimators: sentences, figures and tables repeat the run, and an older run is told what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cache
from dashboard.controls import uncertainty_estimators as controls
from dashboard.layout import number
from engine.result import DatasetInfo, RunResult
from engine.runs import Run, read_run, write_run
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load
from engine.uncertainty.findings import abstention_sentence, information_sentence, informative
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate

OUT, EQUAL = "Leaving doubtful rows out", "At equal score"


def page() -> None:
    from dashboard import controls
    from dashboard.controls.thresholds import Choice
    from dashboard.views import uncertainty_estimators
    from engine.uncertainty.editor import open_editor

    run = controls.run_picker("uncertainty")
    editor = open_editor(run.curve("cells"), run.curve("edges"), "given")
    uncertainty_estimators.draw(Choice(run, "given", float(run.curve("boundaries")["target"].min()), editor))


@pytest.fixture(scope="module")
def result() -> RunResult:
    """Run once on simulated scores with a flat prior; two rates stand beside the given score."""
    frame = simulate(4000, SimulationConfig(prior=(1.0, 3.0), seed=3))
    info = DatasetInfo(name="made-up", origin="simulated", data_id="0" * 8)
    return run(load(frame, info=info), UncertaintyConfig(resamples=20, buckets=3))


@pytest.fixture
def stored(runs: Path, result: RunResult) -> Run:
    return read_run(write_run(result, runs / "uncertainty-one", command=["python"]))


def opened(**address: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for name, value in address.items():
        app.query_params[name.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown]


def test_the_tab_opens_on_what_the_run_found(stored: Run) -> None:
    app = opened()
    assert app.markdown[0].value == f"##### {information_sentence(stored.curve('estimators'))}"
    verdicts = stored.curve("verdicts").set_index("scorer")
    assert verdicts.loc["given", "sentence"] in texts(app)
    assert any(verdicts.loc["given", "verdict"].capitalize() in text for text in texts(app))


def test_every_panel_shows_the_numbers_of_the_run(stored: Run, figure: Any) -> None:
    table = stored.curve("estimators").set_index(["scorer", "metric"])
    drawn = figure(opened(), 0)["data"]
    for place, panel in enumerate(controls.PANELS):
        axis = f"x{place + 1}" if place else "x"
        dots = [trace for trace in drawn if trace["xaxis"] == axis and trace["name"] == "Given score"]
        assert dots[0]["x"] == pytest.approx([table.loc[("given", panel.metric), "value"]])
    trend = [trace for trace in drawn if trace["name"] == "Given score, shuffled"]
    assert trend[0]["x"] == pytest.approx([table.loc[("given", "placebo_trend"), "value"]])


def test_the_tables_repeat_the_run_and_mark_who_tells_more_than_the_score(stored: Run) -> None:
    table = stored.curve("estimators")
    score = opened().table[0].value
    told = informative(table)
    assert told and {name.strip("*") for name in score.index} == set(controls.names(stored).values())
    assert {name for name in score.index if name.startswith("**")} == {f"**{controls.names(stored)[s]}**" for s in told}
    added = opened(uncertainty_measures="What its uncertainty adds").table[0].value
    row = table.set_index(["scorer", "metric"]).loc[("given", "recall_gain")]
    cells = [cell for cell in added.iloc[0] if cell.startswith(f"{number(row['value'])} [")]
    assert cells and cells[0].endswith(f"{number(row['ci_low'])},\u00a0{number(row['ci_high'])}]")
    verdicts = opened(uncertainty_measures="Verdict").table[0].value
    assert verdicts["Verdict"].str.lower().tolist() == stored.curve("verdicts")["verdict"].tolist()


@pytest.mark.parametrize(("shown", "risk"), [(label, key) for key, label in controls.RISKS.items()])
def test_leaving_rows_out_is_told_and_drawn_for_every_measure(stored: Run, figure: Any, shown: str, risk: str) -> None:
    app = opened(uncertainty_estimators_part=OUT, uncertainty_risk=shown)
    areas = stored.curve("abstention")
    areas = areas[areas["scorer"] == "given"]
    assert abstention_sentence(areas, risk) in texts(app)
    curves = stored.curve("risk_coverage")
    own = curves[(curves["scorer"] == "given") & (curves["metric"] == risk) & (curves["method"] == "uncertainty")]
    line = next(trace for trace in figure(app, 0)["data"] if trace["name"] == "By uncertainty")
    assert line["y"] == pytest.approx(own["value"].dropna().tolist()[::-1])
    mean = areas[(areas["metric"] == f"area_{risk}") & (areas["baseline"] == "")].set_index("method")["value"]
    dots = {trace["name"]: trace["x"][0] for trace in figure(app, 1)["data"]}
    assert dots["At random"] == pytest.approx(mean["random"])


def test_positivity_at_equal_score_has_interval_n_and_placebo(stored: Run) -> None:
    app = opened(uncertainty_estimators_part=EQUAL)
    trend = stored.curve("trend")
    own = trend[(trend["scorer"] == "given") & (trend["method"] == "uncertainty")]
    assert [metric.value for metric in app.metric] == [f"{number(value)} pp" for value in own["value"]]
    captions = [caption.value for caption in app.caption if "shuffled" in caption.value]
    assert len(captions) == 2 and all("· n " in caption for caption in captions)


def test_an_older_run_shows_its_trend_and_says_what_to_do(stored: Run) -> None:
    path = stored.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["curves"] = ["boundaries", "cells", "claims", "differences", "edges", "reliability", "scorers", "trend"]
    path.write_text(json.dumps(manifest))
    cache.forget_list()
    assert "Open **Train**" in opened().info[0].value
    assert "Open **Train**" in opened(uncertainty_estimators_part=OUT).info[0].value
    assert len(opened(uncertainty_estimators_part=EQUAL).metric) == 2
