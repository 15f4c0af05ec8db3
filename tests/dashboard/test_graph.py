"""The directed-graph page follows the chosen node, its links and its run."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.controls import graph, graph_summary
from engine.errors import RunError
from engine.graph import explore, readout
from engine.graph.explore import Scene
from engine.runs import Run, read_run

ROOT = Path(__file__).resolve().parents[2]
SEARCH, KINDS, LINKS = "graph-node", "graph-kinds", "graph-links"


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


def after_names(app: AppTest) -> list[str]:
    """Return the names in the list of what to recommend after the node."""
    return list(app.dataframe[0].value["Node"])


def network(app: AppTest) -> dict[str, dict]:
    """Return the traces of the neighbourhood by name."""
    return {trace["name"]: trace for trace in json.loads(app.get("plotly_chart")[0].proto.spec)["data"]}


def drawn_names(app: AppTest) -> list[str]:
    """Return the nodes in the picture, the centre first."""
    return [item[0] for item in network(app)["nodes"]["customdata"]]


def test_the_page_opens_on_a_well_linked_node_with_both_lists(stored: Run, shown: Scene) -> None:
    app = opened()
    node = explore.default_node(shown)
    assert app.selectbox(key=SEARCH).value == shown.names[node] == drawn_names(app)[0]
    assert after_names(app) == readout.ranked_list(shown, node, "target")["name"].tolist()
    assert list(app.dataframe[1].value["Node"]) == readout.ranked_list(shown, node, "source")["name"].tolist()


def test_choosing_another_node_changes_lists_and_picture_and_back_again(stored: Run, shown: Scene) -> None:
    app = opened()
    first = app.selectbox(key=SEARCH).value
    before, picture = after_names(app), drawn_names(app)
    other = next(name for name in shown.names if name != first)
    app.selectbox(key=SEARCH).select(other).run()
    assert drawn_names(app)[0] == other
    assert after_names(app) == readout.ranked_list(shown, shown.position[other], "target")["name"].tolist() != before
    app.button(key="graph-back").click().run()
    assert app.selectbox(key=SEARCH).value == first
    assert (after_names(app), drawn_names(app)) == (before, picture)
    assert app.button(key="graph-back").disabled


def test_the_address_opens_a_node(stored: Run, shown: Scene) -> None:
    name = shown.names[17]
    app = opened(graph_node=name, graph_links="5")
    assert app.selectbox(key=SEARCH).value == name == drawn_names(app)[0]
    assert app.slider(key=LINKS).value == 5


@pytest.mark.parametrize("name", ["no such node", "", "../../etc/passwd", "\x00"])
def test_an_unknown_node_in_the_address_opens_the_default(stored: Run, shown: Scene, name: str) -> None:
    app = opened(graph_node=name)
    assert app.selectbox(key=SEARCH).value == shown.names[explore.default_node(shown)]


def test_examples_and_dice_move_to_a_node(stored: Run, shown: Scene) -> None:
    app = opened()
    example = shown.names[explore.example_nodes(shown, 2)[1]]
    app.button(key="graph-example-1").click().run()
    assert app.selectbox(key=SEARCH).value == example == drawn_names(app)[0]
    app.button(key="graph-random").click().run()
    assert not app.exception and app.selectbox(key=SEARCH).value in shown.names


def test_kinds_of_links_can_be_left_out_and_taken_in_again(stored: Run, shown: Scene) -> None:
    app = opened()
    everything = drawn_names(app)
    app.pills(key=KINDS).set_value(["observed"]).run()
    assert {name.split(" (")[0] for name in network(app) if " (" in name} == {"Observed edge"}
    app.pills(key=KINDS).set_value([]).run()
    assert not app.exception
    assert "neighbours passes: choose more kinds" in app.get("plotly_chart")[0].proto.spec
    app.pills(key=KINDS).set_value(["observed", "held_out", "predicted"]).run()
    assert drawn_names(app) == everything


def test_more_links_per_side_draw_more_neighbours(stored: Run) -> None:
    app = opened()
    app.slider(key=LINKS).set_value(4).run()
    few = len(drawn_names(app))
    app.slider(key=LINKS).set_value(16).run()
    assert len(drawn_names(app)) > few


def test_a_node_of_another_run_gives_way_to_the_default(stored: Run, runs: Path) -> None:
    nodes = stored.curve("nodes")
    shutil.copytree(stored.folder, runs / "graph-other")
    renamed = nodes.assign(label=[f"other {place}" for place in range(len(nodes))])
    renamed.to_parquet(runs / "graph-other" / "curves" / "nodes.parquet", index=False)
    app = opened(graph_run="graph-made")
    app.selectbox(key="graph-run").select("graph-other").run()
    assert not app.exception
    assert app.selectbox(key=SEARCH).value.startswith("other ")
    app.selectbox(key="graph-run").select("graph-made").run()
    assert not app.exception and app.selectbox(key=SEARCH).value in set(nodes["label"])


def test_a_run_of_an_earlier_version_is_refused_with_what_to_do(stored: Run) -> None:
    stored.curve("edges").drop(columns="direction").to_parquet(stored.folder / "curves" / "edges.parquet", index=False)
    with pytest.raises(RunError, match=r"lack 'direction' of its pairs.*train it again, or choose another"):
        graph.scene(read_run(stored.folder))


@pytest.mark.parametrize(
    ("detail", "charts"), [("Map", 2), ("Other methods", 1), ("Neighbours drawn", 3), ("What if", 1)]
)
def test_every_tab_on_a_node_opens(stored: Run, detail: str, charts: int) -> None:
    assert len(opened(graph_detail=detail).get("plotly_chart")) == charts


@pytest.mark.parametrize(("check", "charts"), [("Methods", 4), ("Direction", 3), ("By degree", 2), ("Training", 1)])
def test_every_tab_on_the_evaluation_opens(stored: Run, check: str, charts: int) -> None:
    app = opened(graph_tab="How good is it?", graph_check=check)
    assert len(app.get("plotly_chart")) == charts and len(app.metric) == 4


def test_the_evaluation_keeps_the_chosen_node(stored: Run, shown: Scene) -> None:
    name = shown.names[17]
    app = opened(graph_tab="How good is it?", graph_check="Direction", graph_node=name)
    table = graph.asymmetry(stored, shown.position[name], "test")[1]
    rings = {trace["name"]: trace for trace in json.loads(app.get("plotly_chart")[0].proto.spec)["data"]}
    assert len(rings["At the selected node"]["text"]) == len(table)


def test_a_pair_under_review_leads_to_either_of_its_nodes(stored: Run, shown: Scene) -> None:
    app = opened(graph_tab="Review pairs")
    button = app.button(key="review-explore-target")
    button.click().run()
    assert not app.exception
    assert drawn_names(app)[0] == app.selectbox(key=SEARCH).value
    assert graph_summary.label(drawn_names(app)[0], limit=28) in button.label


def test_names_from_data_never_become_markdown(stored: Run, shown: Scene) -> None:
    app = opened(graph_node=shown.names[3])
    assert app.selectbox(key=SEARCH).value.startswith("![x]")
    texts = [element.value for element in [*app.markdown, *app.caption]]
    assert not any("![x](" in text or "<b>" in text for text in texts)
    assert any(r"\!\[x\]" in text for text in texts)


def test_the_headline_figures_are_those_of_the_run(stored: Run) -> None:
    cards = {card.metric: card for card in graph_summary.cards(stored)}
    table = stored.metrics
    for metric in ("hit_rate_at_10", "mrr_at_10", "direction_auc", "existence_auc"):
        rows = table[(table["metric"] == metric) & (table["segment"] == "all")].set_index("method")
        assert (cards[metric].value, cards[metric].low, cards[metric].n) == tuple(
            rows.loc["dual", ["value", "ci_low", "n"]]
        )
        assert f"Single embedding {graph_summary.number(rows.loc['single', 'value'])}" in cards[metric].baseline
    app = opened()
    assert [metric.value for metric in app.metric] == [graph_summary.number(card.value) for card in cards.values()]


def test_the_answer_is_computed(stored: Run) -> None:
    sentence = graph_summary.answer(stored)
    hits = stored.metrics.query("metric == 'hit_rate_at_10' and segment == 'all'").set_index("method")["value"]
    assert f"two embeddings find {graph_summary.number(100 * hits['dual'])}\u00a0% of the held-out targets" in sentence
    assert f"one embedding {graph_summary.number(100 * hits['single'])}\u00a0%" in sentence
    best = hits[["popularity", "cocitation", "hope"]].max()
    assert f"the best baseline of this run, {graph_summary.number(100 * best)}\u00a0%." in sentence
    told = stored.metrics.query("metric == 'direction_auc' and segment == 'all'").set_index("method")["value"]
    assert f"told from their reversals with AUC {graph_summary.number(told['dual'])} (" in sentence


@pytest.mark.parametrize(("n", "is_told"), [(19, False), (20, True)])
def test_directions_of_fewer_than_twenty_query_nodes_are_not_judged(stored: Run, n: int, is_told: bool) -> None:
    table = stored.metrics.copy()
    table.loc[(table["metric"] == "direction_auc") & (table["method"] == "dual"), "n"] = n
    table.to_parquet(stored.folder / "metrics.parquet", index=False)
    run = read_run(stored.folder)
    sentence, few = graph_summary.answer(run), f"Too few one-way test edges (n {n} query nodes) to say"
    assert ("told from their reversals with AUC 0." in sentence) == is_told == (not sentence.startswith(few))
    card = next(card for card in graph_summary.cards(run) if card.metric == "direction_auc")
    assert math.isfinite(card.value) == is_told == (few not in card.baseline) and card.n == n
    app = opened()
    assert (app.metric[2].value != "–") == is_told


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"selection": {"points": [{"customdata": ["item 05"]}]}}, "item 05"),
        ({"selection": {"points": [{"customdata": "item 05"}]}}, "item 05"),
        ({"selection": {"points": [{"x": 1.0}, {"customdata": ["item 07"]}]}}, "item 07"),
        ({"selection": {"points": [{"customdata": [5]}]}}, "item 05"),
        ({"selection": {"points": [{"customdata": [999]}]}}, None),
        ({"selection": {"points": [{"customdata": [-1]}]}}, None),
        ({"selection": {"points": []}}, None),
        ({"selection": {"points": [{"customdata": ["unknown"]}]}}, None),
        ({"selection": {"points": [{"customdata": []}]}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_click_chooses_the_node_it_hit(shown: Scene, event: object, name: str | None) -> None:
    assert graph.clicked_name(event, shown) == name


def test_degree_buckets_come_in_order_with_empty_ones(stored: Run) -> None:
    table = graph_summary.by_degree(stored, "out_degree", "hit_rate_at_10")
    buckets = ["0", "1", "2–3", "4–7", "8–15", "16–31", "32+"]
    assert table.groupby("method", sort=False)["bucket"].agg(list).to_dict() == {"adaptive": buckets, "fixed": buckets}
    assert table.loc[table["n"] == 0, "value"].isna().all() and (table["n"] == 0).any()


def test_direction_is_shown_for_one_way_edges_and_has_nothing_to_say_of_mutual_ones(stored: Run) -> None:
    everywhere = graph_summary.methods(stored, "direction_auc", "all")
    pd.testing.assert_frame_equal(graph_summary.methods(stored, "direction_auc", "one_way"), everywhere)
    assert graph_summary.methods(stored, "direction_auc", "mutual").empty


@pytest.mark.slow
def test_drawing_the_page_loads_nothing_that_trains(trained_graph: Path) -> None:
    program = f"""
import os, sys
os.environ["RECOMMENDER_LENS_RUNS"] = {str(trained_graph.parent)!r}
from streamlit.testing.v1 import AppTest
app = AppTest.from_string("from dashboard.views import graph; graph.render()", default_timeout=60)
app.query_params["graph-run"] = "graph-made"
app.run()
assert not app.exception, app.exception
assert len(app.get("plotly_chart")) == 2
print(sorted({{"torch", "scipy", "sklearn", "networkx"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
