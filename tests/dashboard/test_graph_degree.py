"""The degree tab: any metric and method by degree, the study where there is one, and how new nodes fare."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.controls import graph_degree
from engine.benchmark.neighbourhood_table import STUDY_COLUMNS
from engine.claims import as_shown
from engine.runs import Run

METRIC = "graph-degree-metric"


def page() -> None:
    from dashboard.views import graph as view

    view.render()


def opened() -> AppTest:
    """Open the page on the degree tab."""
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["graph-tab"] = "How good is it?"
    app.query_params["graph-check"] = "By degree"
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    """Return all text of the page."""
    return "\n".join(item.value for item in app.markdown)


def charts(app: AppTest) -> list[dict]:
    """Return the drawn figures."""
    return [json.loads(item.proto.spec) for item in app.get("plotly_chart")]


def study_of(run: Run, *, low: float) -> pd.DataFrame:
    """Return a made-up study in which the adaptive sampler gains `low` + 0.01 on rarely linked targets."""
    rows = []

    def add(setting: str, method: str, baseline: str, segment: str, value: float, **more: object) -> None:
        row = {"setting": setting, "method": method, "baseline": baseline, "segment": segment, "value": value}
        row |= {
            "ci_low": value - 0.01,
            "ci_high": value + 0.01,
            "n": 100,
            "splits": 5,
            "ahead": 4,
            "revealed": -1,
            "margin": 0.01,
        }
        says = "supported" if value > 0.01 else "not supported"
        rows.append(row | {"known": "", "verdict": says if baseline else ""} | more)

    for segment, value in (("all", 0.0), ("in_degree:1", low + 0.01)):
        for k in (5, 10, 20):
            add("edges", f"adaptive-{k}", f"fixed-{k}", segment, value)
        add("edges", "full", "none", segment, 0.03)
    for revealed, known in ((0, "features"), (1, "features and edges"), (2, "features and edges"), (2, "edges")):
        for segment in ("all", "source", "target"):
            for method in ("dual", "popularity"):
                add("arrivals", method, "", segment, 0.3, known=known, revealed=revealed)
            add("arrivals", "dual", "popularity", segment, 0.2, known=known, revealed=revealed)
    table = pd.DataFrame(rows).assign(data="made", data_id=run.manifest["dataset"]["data_id"])
    return table[list(STUDY_COLUMNS)]


@pytest.fixture
def with_study(stored: Run, runs: Path):
    """Return a function that keeps a study of the stored run's data in the folder of runs."""

    def keep(**knobs: float) -> None:
        study_of(stored, **knobs).to_csv(runs / "neighbourhoods.csv", index=False)

    return keep


def test_any_metric_and_method_can_be_drawn_by_degree(stored: Run) -> None:
    app = opened()
    metric = app.selectbox(key=METRIC)
    assert {"HitRate@10", "Recall@20", "NDCG@5", "MRR", "Direction AUC"} <= set(metric.options)
    metric.select("recall_at_20").run()
    app.multiselect(key="graph-degree-methods-recall_at_20").set_value(["popularity", "single"]).run()
    drawn = [figure for figure in charts(app) if "Recall@20" in str(figure["layout"]["yaxis"].get("title"))]
    assert len(drawn) == 2
    rows = stored.metrics[
        (stored.metrics["metric"] == "recall_at_20")
        & (stored.metrics["method"] == "popularity")
        & stored.metrics["segment"].str.startswith("in_degree:")
    ]
    line = next(trace for trace in drawn[1]["data"] if trace["name"] == "In-degree popularity")
    values = [np.nan if value is None else value for value in line["y"]]
    assert values == pytest.approx(rows["value"].tolist(), nan_ok=True)


def test_the_claim_is_told_with_its_verdict_difference_and_n(stored: Run) -> None:
    shown = texts(opened())
    rows = as_shown(stored.curve("claims"))
    rows = rows[rows["claim"] == "C2"]
    for row in rows.itertuples():
        assert f"{100 * row.value:+.1f} [" in shown and f"n {row.n:,} for {row.segment} ({row.verdict}" in shown
    says = {"supported": "holds", "not supported": "does not hold", "inconclusive": "is undecided"}
    assert f"at equal total size **{says[rows.iloc[0]['verdict']]}** on this split" in shown


def test_an_effect_that_no_query_shows_is_undecided_and_says_why(stored: Run) -> None:
    claims = stored.curve("claims")
    is_asked = claims["claim"] == "C2"
    for name, value in {"value": 0.0, "ci_low": 0.0, "ci_high": 0.0, "n": 35, "verdict": "not supported"}.items():
        claims.loc[is_asked, name] = value
    claims.to_parquet(stored.folder / "curves" / "claims.parquet", index=False)
    shown = texts(opened())
    assert "n 35 for" in shown and "(inconclusive: no query differed, too few to rule out a gain)" in shown
    assert "**is undecided** on this split" in shown and "not supported" not in shown


def test_without_a_study_the_page_shows_the_command_that_makes_one(stored: Run) -> None:
    app = opened()
    assert "benchmark neighbourhoods --data" in app.code[0].value and "--out runs" in app.code[0].value
    assert "How does a new node fare?" not in texts(app)


def test_the_study_says_where_the_claim_fails(stored: Run, with_study) -> None:
    with_study(low=-0.03)
    app = opened()
    shown = texts(app)
    assert "targets with 1 training in-edges is supported at 0 of 3 budgets" in shown
    assert "-2.0 [-3.0, -1.0] points, n 100, ahead in 4 of 5 splits" in shown
    assert "All neighbours − none on all test edges: +3.0 [+2.0, +4.0] points, n 100, supported." in shown


def test_the_study_says_where_the_claim_holds(stored: Run, with_study) -> None:
    with_study(low=0.02)
    assert "targets with 1 training in-edges is supported at 3 of 3 budgets" in texts(opened())


def test_new_nodes_are_drawn_in_both_roles_with_what_is_known_of_them(stored: Run, with_study) -> None:
    with_study(low=0.0)
    app = opened()
    assert "features HitRate@10 is 0.300 [0.290, 0.310] · n 100 new nodes" in texts(app)
    drawn = [chart for chart in charts(app) if "features<br>only" in chart["layout"]["xaxis"].get("ticktext", [])]
    assert len(drawn) == 2
    names = [trace["name"] for trace in drawn[0]["data"]]
    assert names == ["Dual embeddings (ours)", "Dual embeddings (ours), edges only", "In-degree popularity"]
    assert drawn[0]["layout"]["xaxis"]["ticktext"][0] == "features<br>only"


def test_a_study_of_other_contents_is_not_shown(stored: Run, with_study, runs: Path) -> None:
    with_study(low=0.0)
    table = pd.read_csv(runs / "neighbourhoods.csv")
    table.assign(data_id="another").to_csv(runs / "neighbourhoods.csv", index=False)
    assert graph_degree.study(stored).empty


def test_a_run_without_the_two_samplers_compares_what_it_has(stored: Run) -> None:
    table = stored.metrics[~stored.metrics["method"].isin(["adaptive", "fixed"])]
    assert graph_degree.default_methods(_with_metrics(stored, table), "mrr") == ["dual", "single", "popularity"]


def _with_metrics(run: Run, table: pd.DataFrame) -> Run:
    """Return a stand-in for a run with other metrics."""

    class Other:
        metrics = table
        manifest = run.manifest

    return Other()  # type: ignore[return-value]
