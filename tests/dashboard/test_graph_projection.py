"""What is lassoed on the map is marked in both roles, listed and forgotten on request."""

from __future__ import annotations

import base64
import io
import json
import shutil
from pathlib import Path

import networkx
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.controls import graph_projection, graph_projection_text
from dashboard.state import GRAPH, PROJECTION
from engine.graph.explore import Scene
from engine.runs import Run, read_run

MAP = "As a source"


def page() -> None:
    from dashboard.views import graph as view

    view.render()


def opened(run: Run | None = None, lasso: list[int] | None = None, **params: str) -> AppTest:
    """Open the page, perhaps with nodes circled in a run."""
    app = AppTest.from_function(page, default_timeout=60)
    if run is not None:
        app.session_state[GRAPH["lasso"]] = lasso
        app.session_state[PROJECTION["run"]] = run.id
    for key, value in params.items():
        app.query_params[key.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


def traces(app: AppTest) -> dict[str, dict]:
    """Return the traces of the map by name."""
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    (spec,) = [spec for spec in specs if any(trace.get("name") == "selected as source" for trace in spec["data"])]
    return {trace["name"]: trace for trace in spec["data"]}


def numbers(values: object) -> list:
    """Read an array of a figure, which may be packed."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).tolist()
    return list(values)


def lasso_table(app: AppTest) -> pd.DataFrame | None:
    """Return the table of circled nodes, if it is on the page."""
    found = [table.value for table in app.dataframe if "Source x" in table.value.columns]
    return found[0] if found else None


def test_circled_nodes_are_ringed_in_both_roles_and_listed(stored: Run, shown: Scene) -> None:
    app = opened(stored, [4, 9, 30])
    places = stored.curve("projection")
    for role in ("source", "target"):
        ring = traces(app)[f"lassoed as {role}"]
        assert numbers(ring["customdata"]) == [4, 9, 30]
        assert numbers(ring["x"]) == pytest.approx(places[f"{role}_x"].iloc[[4, 9, 30]].tolist())
    assert set(lasso_table(app)["Node"]) == {shown.names[node] for node in (4, 9, 30)}
    assert any("3 lassoed nodes" in text.value for text in app.markdown)


def test_clearing_the_selection_takes_rings_and_table_away(stored: Run) -> None:
    app = opened(stored, [4, 9])
    app.button(key="graph-lasso-clear").click().run()
    assert not app.exception
    assert app.session_state[GRAPH["lasso"]] == [] and lasso_table(app) is None
    assert numbers(traces(app)["lassoed as source"]["x"]) == []


def test_nodes_circled_in_another_run_are_forgotten(stored: Run, runs: Path) -> None:
    shutil.copytree(stored.folder, runs / "graph-other")
    app = opened(stored, [4, 9], graph_run="graph-made")
    app.selectbox(key="graph-run").select("graph-other").run()
    assert app.session_state[GRAPH["lasso"]] == [] and lasso_table(app) is None


def test_the_choice_of_view_and_colours_follows_the_address(stored: Run) -> None:
    app = opened(graph_map="Overlaid", graph_color="Category")
    found = traces(app)
    assert {trace.get("xaxis", "x") for trace in found.values()} == {"x"}
    _, legend = graph_projection.projection_view.grouped(stored.curve("nodes"), "category")
    named = [name for name, trace in found.items() if trace.get("showlegend") is not False]
    groups = [f"{row.label} ({row.n:,})" for row in legend.itertuples()]
    assert named == [*groups, "as a source", "as a target"]
    app.segmented_control(key=PROJECTION["color"]).set_value("in_degree").run()
    assert next(name for name, trace in traces(app).items() if trace.get("showlegend") is not False).startswith("0 (")
    app.segmented_control(key=PROJECTION["view"]).set_value("side").run()
    assert {trace.get("xaxis", "x") for trace in traces(app).values()} == {"x", "x2"}


def test_each_space_can_be_centred_where_the_map_is_linear(stored: Run) -> None:
    app = opened()
    star = traces(app)["selected as target"]
    app.toggle(key=PROJECTION["centre"]).set_value(True).run()
    moved = traces(app)["selected as target"]
    gap = stored.curve("projection")["target_x"].mean()
    assert numbers(moved["x"])[0] == pytest.approx(numbers(star["x"])[0] - gap, abs=1e-5)
    config = stored.manifest["config"] | {"projection": "tsne"}
    assert not graph_projection.is_linear(Run(stored.folder, stored.manifest | {"config": config}))


def test_method_and_quality_stand_below_the_map(stored: Run) -> None:
    app = opened()
    rows = stored.curve("projection_quality")
    text = " ".join(caption.value for caption in app.caption)
    assert "Joint principal components" in text and f"Showing all {len(stored.curve('nodes')):,} nodes" in text
    (table,) = [table.value for table in app.dataframe if "Random map" in table.value.columns]
    assert len(table) == len(rows) == 5
    first = rows.iloc[0]
    assert table["Value [95 % interval]"][0].startswith(graph_projection_text.number(first["value"]))


def test_a_run_from_before_maps_were_judged_says_so(stored: Run) -> None:
    kept = [name for name in stored.manifest["curves"] if name != "projection_quality"]
    old = Run(stored.folder, stored.manifest | {"curves": kept})
    sentence, table = graph_projection_text.quality(old)
    assert "train it again" in sentence and table.empty


@pytest.mark.parametrize(
    ("method", "words"), [("tsne", "perplexity 30.0, seed 7"), ("umap", "fitted to 10 of 40 nodes")]
)
def test_other_maps_name_their_settings_and_their_sample(stored: Run, method: str, words: str) -> None:
    table = stored.curve("projection_quality").assign(
        method=method, parameters='{"perplexity": 30.0}', seed=7, n_fitted=10 if method == "umap" else 40, n_nodes=40
    )
    table.to_parquet(stored.folder / "curves" / "projection_quality.parquet", index=False)
    sentence, _ = graph_projection_text.quality(read_run(stored.folder))
    assert words in sentence and "variance" not in sentence
    config = stored.manifest["config"] | {"projection": method}
    assert graph_projection_text.axis_titles(Run(stored.folder, stored.manifest | {"config": config}))[0].endswith(
        "axis 1"
    )


@pytest.mark.parametrize(
    ("event", "nodes"),
    [
        ({"selection": {"lasso": [{}], "points": [{"customdata": 3}, {"customdata": [1]}, {"customdata": 3}]}}, [1, 3]),
        ({"selection": {"box": [{}], "points": [{"customdata": 2.0}]}}, [2]),
        ({"selection": {"lasso": [{}], "points": []}}, []),
        (
            {"selection": {"lasso": [{}], "points": [{"customdata": 99}, {"customdata": -1}, {"customdata": "x"}, {}]}},
            [],
        ),
        ({"selection": {"points": [{"customdata": 3}], "lasso": [], "box": []}}, None),
        ({"selection": {}}, None),
        (None, None),
    ],
)
def test_a_lasso_is_told_from_a_click(event: object, nodes: list[int] | None) -> None:
    assert graph_projection.circled(event, 10) == nodes


def test_a_lasso_keeps_no_more_nodes_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_projection, "LASSO_LIMIT", 2)
    event = {"selection": {"lasso": [{}], "points": [{"customdata": node} for node in (5, 4, 3)]}}
    assert graph_projection.circled(event, 10) == [3, 4]


def test_a_selection_is_kept_and_a_click_moves_to_the_node(
    stored: Run, shown: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = {PROJECTION["chart"]: {"selection": {"lasso": [{}], "points": [{"customdata": 5}]}}}
    monkeypatch.setattr(graph_projection.st, "session_state", state)
    graph_projection.follow_selection(stored, shown)
    assert graph_projection.lassoed(stored) == [5] and state[PROJECTION["run"]] == stored.id
    # The figure changes, so the chart reports an empty selection: what was circled stays.
    state[PROJECTION["chart"]] = {"selection": {"points": [], "lasso": [], "box": []}}
    graph_projection.follow_selection(stored, shown)
    assert graph_projection.lassoed(stored) == [5] and GRAPH["node"] not in state
    state[PROJECTION["chart"]] = {"selection": {"points": [{"customdata": 7}]}}
    graph_projection.follow_selection(stored, shown)
    assert state[GRAPH["node"]] == shown.names[7] and graph_projection.lassoed(stored) == [5]


def test_a_large_map_is_sampled_and_keeps_what_is_marked(stored: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    state = {GRAPH["lasso"]: [1, 2], PROJECTION["run"]: stored.id}
    monkeypatch.setattr(graph_projection.st, "session_state", state)
    links = pd.DataFrame({"other": [3], "role": ["target"], "is_two_way": [False], "hop": [1], "kind": ["observed"]})
    choice = graph_projection.Choice(view="side", color="role", limit=5)
    drawn = graph_projection.drawn_map(stored, 0, links, choice)
    assert {0, 1, 2, 3} <= set(drawn.points["node"]) and 5 <= len(drawn.points) <= 9
    assert f"Showing {len(drawn.points)} of" in drawn.badge and "always drawn" in drawn.badge


def test_exports_open_in_their_readers(stored: Run) -> None:
    table = pd.read_parquet(io.BytesIO(graph_projection.embeddings_file(stored)))
    assert len(table) == 2 * len(stored.curve("nodes"))
    assert networkx.read_graphml(io.BytesIO(graph_projection.neighbourhood_file(stored, 3, "graphml"))).nodes["3"]
    assert networkx.read_gexf(io.BytesIO(graph_projection.neighbourhood_file(stored, 3, "gexf"))).nodes["3"]
