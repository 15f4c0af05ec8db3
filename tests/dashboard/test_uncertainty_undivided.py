"""The page says what buckets that part nothing leave open, in the header and in the verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.controls.uncertainty_estimators import MEASURES, measure_table, verdict_table
from engine.figures.theme import METHOD_LABEL
from engine.result import RunResult
from engine.runs import read_run, write_run
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.described import describe
from engine.uncertainty.simulate import SimulationConfig, simulate

TABS = ("Thresholds", "Reliability", "Estimators", "As tuned", "Own scores", "Policy")
WORDS = "rows lie in uncertainty bucket 1 of 3"


def page() -> None:
    from dashboard.views import uncertainty

    uncertainty.render()


@pytest.fixture(scope="module")
def result() -> RunResult:
    """Describe scores whose uncertainty lies below both own edges, for all but three rows."""
    frame = simulate(3000, SimulationConfig(prior=(1.0, 3.0), seed=3))[["label", "score", "uncertainty"]]
    frame.loc[:2, "uncertainty"] = 150.0
    table = ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))
    config = UncertaintyConfig(resamples=20, bucket_edges=(100.0, 200.0))
    return describe(table, {}, config, source="scores.csv")


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens_and_nothing_is_ruled_out(runs: Path, result: RunResult, tab: str) -> None:
    run = read_run(write_run(result, runs / "uncertainty-one", command=["python", "-m", "engine"]))
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["uncertainty-tab"] = tab
    app.run()
    assert not app.exception and not app.error
    texts = [element.value for element in (*app.markdown, *app.caption, *app.title, *app.header, *app.subheader)]
    assert any("All but 3 of 3,000 tuning and test " + WORDS in text for text in texts)
    assert not any("ruled out" in text and "**" not in text for text in texts)
    table = verdict_table(run)
    assert table["Verdict"].tolist() == ["Not judged"] and table.columns[-1] == "n (rows)"
    assert table["Recall gained at equal precision, points"].tolist() == ["not judged"]
    assert any("Several thresholds are not judged: uncertainty parts next to no rows." in text for text in texts)
    gains = json.loads(app.get("plotly_chart")[1].proto.spec)["data"]
    drawn = {label for trace in gains for label in trace.get("y", [])}
    assert {METHOD_LABEL[name] for name in ("isotonic", "recalibrated", "boosted")} == drawn
    if tab == "Estimators":
        assert any("all but 3 of 3,000 tuning and test " + WORDS in text for text in texts)
    if tab == "Reliability":
        assert any("n (rows)" in shown.value.columns for shown in app.table)


def test_no_gain_of_nothing_is_listed_not_even_of_a_run_that_stored_one(runs: Path, result: RunResult) -> None:
    stored = result.curves["estimators"].set_index("metric")
    assert stored.loc["recall_gain", ["value", "ci_low", "ci_high"]].isna().all()
    assert stored.drop(index="recall_gain")["value"].notna().all()
    earlier = result.curves["estimators"].fillna({"value": 0.0, "ci_low": 0.0, "ci_high": 0.0})
    for table in (result.curves["estimators"], earlier):
        curves = {**result.curves, "estimators": table}
        folder = write_run(
            replace(result, curves=curves), runs / f"run-{len(list(runs.iterdir()))}", command=["python"]
        )
        listed = measure_table(read_run(folder), "What its uncertainty adds").iloc[0]
        assert listed[MEASURES["What its uncertainty adds"]["recall_gain"]] == "not judged"
        assert "not judged" not in listed.drop(MEASURES["What its uncertainty adds"]["recall_gain"]).tolist()
