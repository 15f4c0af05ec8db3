"""The tab on sampled neighbourhoods shows what the engine draws, with both sizes and all that is in reach."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.controls import graph_sampled
from engine.graph.explore import Scene
from engine.graph.sampled import sampled, sampler_of
from engine.runs import Run, read_run


def page() -> None:
    from dashboard.views import graph as view

    view.render()


def opened(**params: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for key, value in params.items():
        app.query_params[key.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


@pytest.fixture
def node(shown: Scene) -> int:
    """Return the node that the most training edges lead to."""
    return int(shown.nodes["training_in_degree"].argmax())


def test_the_tab_shows_the_draws_of_the_engine(stored: Run, shown: Scene, node: int) -> None:
    app = opened(graph_detail="Neighbours drawn", graph_node=shown.names[node])
    sampler = sampler_of(stored.curve("edges"), len(shown.nodes), stored.manifest["config"])
    charts = [json.loads(chart.proto.spec)["data"] for chart in app.get("plotly_chart")[-2:]]
    tables = [table.value for table in app.dataframe if "Size K" in table.value]
    for chart, table, role in zip(charts, tables, ("source", "target"), strict=True):
        result = sampled(sampler, node, role)
        ever = result.neighbours.query("adaptive > 0 or uniform > 0")
        marks = next(trace for trace in chart if trace.get("name") == "Degree-adaptive")
        assert marks["x"] == pytest.approx(ever["adaptive"].head(graph_sampled.SHOWN).tolist())
        assert table["All nodes"].nunique() == 1
        assert table["Size K"].iloc[0] == str(sampler.adaptive[node])
    words = " ".join(element.value for element in app.markdown)
    assert f"In-degree **{sampler.in_degree[node]:,}**" in words and f"**K = {sampler.adaptive[node]}**" in words


def test_what_is_not_in_the_picture_is_counted_and_in_the_table(stored: Run, node: int) -> None:
    drawn = graph_sampled.drawn(stored, node, "source")
    assert len(drawn.picture) <= graph_sampled.SHOWN and len(drawn.table) >= len(drawn.picture)
    assert f"of {len(drawn.table):,} in reach" in drawn.badge


def test_the_page_says_which_sampler_its_own_form_used(stored: Run, runs: Path, node: int) -> None:
    about_run = graph_sampled.sentences(stored, node)[1]
    assert "takes **all** neighbours" in about_run and "degree-adaptive and the fixed sampler were trained" in about_run
    manifest = json.loads((stored.folder / "manifest.json").read_text())
    manifest["config"] |= {"sampling": "adaptive", "methods": ["dual"]}
    (stored.folder / "manifest.json").write_text(json.dumps(manifest))
    about_run = graph_sampled.sentences(read_run(stored.folder), node)[1]
    assert "**degree-adaptive** size" in about_run and "would have made" in about_run
    manifest["config"] |= {"sampling": "none"}
    (stored.folder / "manifest.json").write_text(json.dumps(manifest))
    assert "takes **no** neighbours" in graph_sampled.sentences(read_run(stored.folder), node)[1]
