"""Moving through the graph, filters and looks: every change can be undone, and stands in the address bar."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cache
from engine.graph import explore, readout
from engine.graph.explore import Scene
from engine.runs import Run

SEARCH = "graph-node"
SHIPPED = Path(__file__).resolve().parents[2] / "sample_data" / "runs"


def page() -> None:
    from dashboard.views import graph as view

    view.render()


def opened(**params: str | list[str]) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for key, value in params.items():
        app.query_params[key.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


def network(app: AppTest) -> dict[str, dict[str, Any]]:
    """Return the traces of the neighbourhood by name."""
    return {trace["name"]: trace for trace in json.loads(app.get("plotly_chart")[0].proto.spec)["data"]}


def drawn_names(app: AppTest) -> list[str]:
    """Return the nodes in the picture, the centre first."""
    return [item[0] for item in network(app)["nodes"]["customdata"]]


def badge(app: AppTest) -> str:
    """Return the sentence on how much is drawn."""
    return next(caption.value for caption in app.caption if caption.value.startswith("Showing"))


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def test_search_recentre_twice_back_and_forward(stored: Run, shown: Scene) -> None:
    app = opened()
    app.selectbox(key=SEARCH).select(shown.names[5]).run()
    way = [shown.names[5]]
    for _ in range(2):
        name = next(name for name in drawn_names(app) if name not in way)
        app.selectbox(key=SEARCH).select(name).run()
        way.append(name)
    assert drawn_names(app)[0] == way[2] and app.button(key="graph-forward").disabled
    assert drawn_names(press(app, "graph-back"))[0] == app.selectbox(key=SEARCH).value == way[1]
    assert drawn_names(press(app, "graph-back"))[0] == way[0]
    assert drawn_names(press(app, "graph-forward"))[0] == way[1]
    assert not app.button(key="graph-forward").disabled
    app.selectbox(key=SEARCH).select(shown.names[40]).run()
    assert app.button(key="graph-forward").disabled, "a new way forgets the old one ahead"
    assert drawn_names(press(app, "graph-back"))[0] == way[1]


def test_the_breadcrumb_leads_back_without_forgetting_the_way(stored: Run, shown: Scene) -> None:
    app = opened()
    start = drawn_names(app)[0]
    for place in (5, 6, 7):
        app.selectbox(key=SEARCH).select(shown.names[place]).run()
    labels = [button.label for button in app.button if (button.key or "").startswith("graph-crumb-")]
    assert labels == [start, *shown.names[5:7], f"**{shown.names[7]}**"]
    assert drawn_names(press(app, "graph-crumb-1"))[0] == shown.names[5]
    assert drawn_names(press(app, "graph-forward"))[0] == shown.names[6]


def test_a_node_is_found_by_its_id(stored: Run, shown: Scene) -> None:
    own = str(shown.nodes["name"].iloc[3])
    app = opened(graph_node=own)
    assert app.selectbox(key=SEARCH).value == shown.names[3] == drawn_names(app)[0]
    assert any(option.endswith(f"· {own}") for option in app.selectbox(key=SEARCH).options)


def test_a_second_step_is_drawn_and_taken_away_again(stored: Run) -> None:
    app = opened()
    one = drawn_names(app)
    app.segmented_control(key="graph-hops").set_value(2).run()
    two = drawn_names(app)
    assert set(one) < set(two) and len(two) <= 150
    shown, found = badge(app).split("** nodes behind them")[0].rsplit("**", 1)[1].split(" of ")
    assert int(shown) == len(two) - len(one) and int(found) >= int(shown)
    assert opened(graph_hops="2").segmented_control(key="graph-hops").value == 2
    app.segmented_control(key="graph-hops").set_value(1).run()
    assert drawn_names(app) == one


def test_filters_narrow_the_picture_and_say_so(stored: Run, shown: Scene) -> None:
    app = opened()
    everything = drawn_names(app)
    category = str(shown.nodes["category"].iloc[shown.position[everything[1]]])
    app.multiselect(key="graph-category").set_value([category]).run()
    around = drawn_names(app)[1:]
    assert around and {str(shown.nodes["category"].iloc[shown.position[name]]) for name in around} == {category}
    node = shown.position[everything[0]]
    count = explore.links(shown, node, explore.Filters(categories=(category,)))["other"].nunique()
    assert badge(app).startswith(f"Showing **{len(around)} of {count}** neighbours")
    app.multiselect(key="graph-category").set_value([]).run()
    slider = app.slider(key="graph-score")
    slider.set_value(slider.max).run()
    assert "passes: choose more kinds of links, or widen" in app.get("plotly_chart")[0].proto.spec
    app.slider(key="graph-score").set_value(slider.min).run()
    assert drawn_names(app) == everything


def test_colours_and_labels_can_tell_other_things(stored: Run, shown: Scene) -> None:
    app = opened()
    before = network(app)["nodes"]
    app.segmented_control(key="graph-node-color").set_value("category").run()
    after = network(app)
    categories = {str(shown.nodes["category"].iloc[shown.position[name]]) for name in drawn_names(app)[1:]}
    legend = {name.split(" · ")[0] for name, trace in after.items() if trace["showlegend"]}
    assert categories <= legend and after["nodes"]["marker"]["color"] != before["marker"]["color"]
    app.segmented_control(key="graph-node-text").set_value("degree").run()
    row = shown.nodes.iloc[shown.position[drawn_names(app)[1]]]
    assert network(app)["nodes"]["text"][1].endswith(f" · {row['in_degree']}/{row['out_degree']}")


def test_lassoed_nodes_are_ringed_and_marked_in_the_lists(stored: Run, shown: Scene) -> None:
    node = explore.default_node(shown)
    after = readout.ranked_list(shown, node, "target")
    app = AppTest.from_function(page, default_timeout=60)
    neighbour = int(after["node"].iloc[0])
    app.session_state["graph-lasso"] = [neighbour, node]
    app.run()
    assert not app.exception
    marks = app.dataframe[0].value["Edge"]
    assert "◎" in marks.iloc[0] and not marks.iloc[1:].str.contains("◎").any()
    assert any(name.startswith("In the lasso") for name in network(app))
    assert len(network(app)["marked"]["x"]) == sum(
        name in {shown.names[neighbour], shown.names[node]} for name in drawn_names(app)
    )


def test_both_lists_fall_by_score(stored: Run) -> None:
    for listed in (table.value for table in opened().dataframe[:2]):
        assert listed["Score"].is_monotonic_decreasing and listed["#"].tolist() == list(range(1, len(listed) + 1))


@pytest.mark.parametrize(
    "params",
    [
        {"graph_hops": "7"},
        {"graph_score": "nan"},
        {"graph_category": "no such category"},
        {"graph_relation": "no such relation"},
        {"graph_node_color": "shoe size", "graph_node_text": ""},
        {"graph_kinds": "rumour"},
    ],
)
def test_nonsense_in_the_address_is_passed_over(stored: Run, params: dict[str, str]) -> None:
    assert len(drawn_names(opened(**params))) > 1


def test_the_first_sight_of_a_session_sends_the_top_first(stored: Run) -> None:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["graph-painted"] = False
    app.run()
    assert len(app.get("plotly_chart")) == 1 and len(app.dataframe) == 2 and len(app.metric) == 4
    app.session_state["graph-painted"] = True
    app.run()
    assert not app.exception and len(app.get("plotly_chart")) == 2


def test_both_lists_say_how_likely_each_pair_points_as_listed(stored: Run, shown: Scene) -> None:
    app = opened()
    node = explore.default_node(shown)
    for listed, role in zip(app.dataframe[:2], ("target", "source"), strict=True):
        table = readout.ranked_list(shown, node, role)
        chances = 1 / (1 + np.exp(-table["direction"].to_numpy()))
        for said, chance in zip(listed.value["P"], chances, strict=True):
            assert said == (f"{chance:.2f}" if 0.005 <= chance < 0.995 else "> 0.99" if chance > 0.5 else "< 0.01")


def test_the_alternative_text_counts_what_is_drawn(stored: Run) -> None:
    app = opened()
    kinds = {name.split(" (")[0] for name in network(app) if " (" in name}
    text = app.get("plotly_chart")[0].proto.alt
    sources, targets, both = (int(part) for part in re.findall(r"(\d+) (?:sources|targets|linked both ways)", text))
    assert sources + targets + both == len(drawn_names(app)) - 1
    assert all(f" 0 {kind.lower()}s" not in text for kind in kinds)


@pytest.mark.parametrize("way", [("debian-programs", "journey-categories"), ("journey-categories", "debian-programs")])
@pytest.mark.parametrize("asked", ["", "10.5", "-5.5"])
def test_the_least_score_fits_the_run_that_is_chosen_next(
    runs: Path, monkeypatch: pytest.MonkeyPatch, way: tuple[str, str], asked: str
) -> None:
    monkeypatch.setattr(cache, "run_folders", lambda: (SHIPPED, runs))
    cache.forget_list()
    app = opened(graph_run=way[0], **({"graph_score": asked} if asked else {}))
    left_end = app.slider(key="graph-score").min
    app.selectbox(key="graph-run").select(way[1]).run()
    slider = app.slider(key="graph-score")
    assert slider.min != left_end, "the runs have scales of their own"
    assert slider.min <= app.session_state["graph-score"] == slider.value <= slider.max
    assert asked or slider.value == slider.min, "no filter stays no filter"
    app.button(key="graph-random").click().run()
    assert not app.exception
    assert slider.min <= app.session_state["graph-score"] <= slider.max
