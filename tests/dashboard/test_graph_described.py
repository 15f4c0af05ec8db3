"""The page of a graph that was described without a training, and all places that list such a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cache
from dashboard.controls import graph_described, graph_described_pairs, run_label
from dashboard.controls.overview import claims_of, claims_sentence, claims_table
from dashboard.controls.training import runs_table
from engine.graph.described import describe
from engine.graph.described_config import DescribeSettings
from engine.result import DatasetInfo
from engine.runs import Run, read_run, write_run

HOSTILE = "![x](http://evil.example/x.png) <b>**bold**"
COMMAND = [
    "python",
    "-m",
    "engine",
    "describe",
    "graph",
    "--data",
    "my edges.csv",
    "--column",
    "source=from",
    "target=to",
]
COMMAND += ["--set", "listed=20", "--nodes", "n.csv", "--out", "x"]
TABS = {
    "plain": ["Explore a node", "Degrees", "Nodes"],
    "repeated": ["Explore a node", "Degrees", "Nodes", "Pairs"],
    "weighted": ["Explore a node", "Degrees", "Nodes", "Pairs"],
    "symmetric": ["Explore a node", "Degrees", "Nodes"],
    "events": ["Explore a node", "Degrees", "Nodes", "Pairs", "Halves"],
    "tiny": ["Explore a node", "Degrees", "Nodes"],
}
"""Kind of data to the tabs that its page has."""


def made_up(kind: str) -> pd.DataFrame:
    """Return edges, or events, of a kind."""
    rng = np.random.default_rng(0)
    if kind == "tiny":
        return pd.DataFrame({"source": ["a"], "target": ["b"]})
    if kind == "events":
        day, user, item = rng.integers(0, 80, 3000), rng.integers(0, 200, 3000), rng.integers(0, 6, 3000)
        rows = {"user": np.r_[user, user], "item": np.r_[item, (item + 1) % 6], "time": np.r_[day, day + 3]}
        return pd.DataFrame(rows).astype({"item": str})
    ends = rng.integers(60, size=(700, 2)) ** 2 // 60
    ends = pd.DataFrame(ends[ends[:, 0] != ends[:, 1]], columns=["source", "target"])
    if kind == "repeated":
        return pd.concat([ends] * 4, ignore_index=True)
    ends = ends.drop_duplicates(ignore_index=True)
    if kind == "weighted":
        return ends.assign(weight=rng.gamma(2.0, 1.0, len(ends)))
    if kind == "symmetric":
        return pd.concat([ends, ends.rename(columns={"source": "target", "target": "source"})]).drop_duplicates()
    return ends


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Describe every kind of data once."""
    root = tmp_path_factory.mktemp("described")
    nodes = ibis.memtable(pa.table({"node": ["0", "1"], "label": [HOSTILE, "One"]}))
    written = {}
    for kind in TABS:
        table = ibis.memtable(pa.Table.from_pandas(made_up(kind), preserve_index=False))
        settings = DescribeSettings(window_days=10, minimum_score=0.1, listed=20)
        info = DatasetInfo(name=f"{kind}.csv", origin="own", data_id="")
        result = describe(table, {}, settings, info=info, nodes=nodes)
        written[kind] = write_run(result, root / f"graph-{kind}", command=COMMAND)
    return written


@pytest.fixture
def put(folders: dict[str, Path], runs: Path) -> Callable[[str], Run]:
    """Return a function that puts a described run where the dashboard finds it."""

    def linked(kind: str) -> Run:
        (runs / f"graph-{kind}").symlink_to(folders[kind])
        cache.forget_list()
        return read_run(runs / f"graph-{kind}")

    return linked


def page() -> None:
    from dashboard.views import graph as view

    view.render()


def overview() -> None:
    from dashboard.views import overview as view

    view.render()


def train() -> None:
    from dashboard.views import runs as view

    view.render()


def opened(draw: Callable[[], None] = page, **query: str) -> AppTest:
    app = AppTest.from_function(draw, default_timeout=60)
    for name, value in query.items():
        app.query_params[name.replace("_", "-")] = value
    app.run()
    assert not app.exception and not app.error, [box.value for box in app.error]
    return app


def figures(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize(("kind", "tab"), [(kind, tab) for kind, tabs in TABS.items() for tab in tabs])
def test_every_tab_of_every_kind_draws_something(put, kind, tab):
    run = put(kind)
    app = opened(graph_described_tab=tab)
    assert app.title[0].value == "Which way does it point?"
    assert [item.label for item in app.tabs] == TABS[kind]
    assert app.markdown[0].value == f"##### {graph_described.answer(run)}"
    drawn = figures(app)
    assert len(drawn) >= 2
    for figure in drawn:
        assert any(len(trace.get("x", [])) for trace in figure["data"]), figure["layout"].get("annotations")


def test_what_needs_a_training_is_said_with_its_command(put):
    run = put("repeated")
    app = opened()
    assert app.code[0].value == (
        "python -m engine train graph --data 'my edges.csv' --column source=from target=to --nodes n.csv"
    )
    said = " ".join(item.value for item in [*app.markdown, *app.caption])
    assert "How good is it?" in said and "merge repeated rows" in said
    repeated = int(run.curve("described")["repeated"].iloc[0])
    assert f"{repeated:,} repeated rows were merged" in said


def test_cards_show_shares_beside_chance(put):
    run = put("repeated")
    app = opened()
    facts = run.curve("described").iloc[0]
    labels = [metric.label for metric in app.metric]
    assert labels == ["Edges that point one way", "Pairs that lean one way", "Nodes that lean out or in"]
    assert app.metric[0].value.startswith(f"{100 * facts['one_way_share']:#.3g}")
    assert any("by the degrees alone" in caption.value for caption in app.caption)


def test_a_symmetric_graph_is_called_one(put):
    put("symmetric")
    app = opened(graph_described_tab="Nodes")
    assert "No edge points one way" in app.markdown[0].value
    assert [metric.label for metric in app.metric] == ["Edges that point one way"]
    assert sum("No node has more one-way edges" in caption.value for caption in app.caption) == 2


def test_the_picture_moves_to_the_chosen_node_and_says_what_was_seen(put):
    run = put("repeated")
    app = opened(graph_node="One")
    network = {trace["name"]: trace for trace in figures(app)[-1]["data"]}
    assert network["nodes"]["customdata"][0] == ["One"]
    edges, names = run.curve("edges"), run.curve("nodes")["label"].tolist()
    first = edges[edges["source"] == names.index("One")].nlargest(1, "seen").iloc[0]
    texts = network["links"]["text"]
    target = names[int(first["target"])]
    assert any(
        f"seen {first['seen']} times, back {first['back_seen']}" in text for text in texts if f"→ {target}" in text
    )


def test_names_from_data_stay_text(put):
    put("plain")
    app = opened(graph_node=HOSTILE)
    assert app.selectbox(key="graph-node").value == HOSTILE
    assert not any("](http" in item.value or "<b>" in item.value for item in app.markdown)
    assert "&lt;b&gt;" in json.dumps(figures(app)[-1]["data"])


def test_the_degree_of_the_shares_can_be_changed_and_changed_back(put):
    run = put("plain")
    app = opened()
    before = figures(app)[0]["data"][1]["text"]
    choice = app.segmented_control(key="graph-described-degree")
    choice.set_value("in_degree").run()
    rows = graph_described.by_degree(run, "in_degree")
    assert len(figures(app)[0]["data"][1]["text"]) == len(rows) and figures(app)[0]["data"][1]["text"] != before
    app.segmented_control(key="graph-described-degree").set_value("out_degree").run()
    assert figures(app)[0]["data"][1]["text"] == before


def test_another_list_of_pairs_is_drawn_beside_its_table(put):
    run = put("repeated")
    app = opened(graph_described_tab="Pairs", graph_described_list="Lean most")
    table = app.dataframe[0].value
    rows = graph_described_pairs.pairs(run, "lean")
    assert table["From"].tolist() == rows["source"].tolist() and len(figures(app)) == 4
    assert (rows["value"] >= 0.5).all()


def test_a_list_by_weight_points_along_the_weight_and_has_no_interval(put):
    rows = graph_described_pairs.pairs(put("weighted"), "weight")
    assert (rows["value"] >= 0.5).all() and rows["ci_low"].isna().all()
    total = rows["weight"] + rows["back_weight"]
    assert rows["value"].tolist() == pytest.approx((rows["weight"] / total).tolist())
    assert total.is_monotonic_decreasing


def test_the_overview_stands_a_run_without_claims(put):
    run = put("plain")
    app = opened(overview)
    assert app.markdown[0].value == "##### No claim is measured on these runs: they were described, not trained."
    assert any("not measured" in item.value for item in app.markdown)
    claims = claims_of({"graph": run})
    assert claims_table(claims).empty and "described" in claims_sentence(claims)


def test_claims_of_other_runs_stay_as_they_are(put, store_run):
    described = put("plain")
    delay = read_run(store_run("delay-one", "delay"))
    found = claims_of({"graph": described, "delay": delay})
    assert found["run"].tolist() == ["delay-one"] and found["value"].dtype == np.float64
    opened(overview)


def test_lists_of_runs_name_it_as_described(put):
    run = put("plain")
    assert run_label(run.manifest).startswith("plain.csv · described · seed 0")
    assert runs_table()["Run"].tolist() == ["graph-plain"]
    opened(train)
