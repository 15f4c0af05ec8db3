"""Links, lists and marks are what the hand-drawn tables hold."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine.graph import explore, readout
from engine.graph.explore import Filters, Scene
from engine.graph.neighbourhood import neighbourhood

SPLITS = ["train", "validation", "test", "none"]


@pytest.fixture
def shown() -> Scene:
    """Five nodes: a -> b (train), a -> c (test), b -> a (train), d -> a (validation); a's list holds d, e and c."""
    nodes = pd.DataFrame(
        {
            "name": list("abcde"),
            "label": ["A", "Twin", "Twin", "D", "E"],
            "category": ["x", "x", "y", "y", "z"],
            "in_degree": [2, 1, 1, 0, 0],
            "out_degree": [2, 1, 0, 1, 0],
            "training_out_degree": [1, 1, 0, 0, 2],
        }
    )
    edges = pd.DataFrame(
        {
            "source": [0, 0, 1, 3],
            "target": [1, 2, 0, 0],
            "relation": ["needs", "wants", "needs", "needs"],
            "split": pd.Categorical(["train", "test", "train", "validation"], categories=SPLITS),
            "is_mutual": [True, False, True, False],
            "score": [3.0, 2.0, 1.0, 2.5],
            "rank": [1.0, 2.0, 4.0, 1.0],
            "back_score": [1.0, 0.5, 3.0, -1.0],
            "back_rank": [4.0, 9.0, 1.0, 30.0],
            "direction": [2.0, 1.5, -2.0, 3.5],
        }
    )
    lists = pd.DataFrame(
        {
            "method": ["dual"] * 4 + ["single"],
            "role": ["target", "target", "target", "source", "target"],
            "node": [0, 0, 0, 0, 0],
            "place": [1, 2, 3, 1, 1],
            "other": [2, 3, 4, 4, 4],
            "split": ["test", "none", "none", "none", "none"],
            "back_split": ["none", "validation", "none", "none", "none"],
            "score": [2.0, 0.5, 0.25, 0.75, np.nan],
            "rank": [1.0, 2.0, 3.0, 2.0, np.nan],
            "back_score": [0.5, 2.5, 0.75, 0.25, np.nan],
            "back_rank": [9.0, 1.0, 2.0, 3.0, np.nan],
            "direction": [1.5, -3.5, 0.0, 0.0, np.nan],
        }
    )
    return Scene(nodes, edges, lists, "dual")


def test_equal_labels_are_told_apart_by_name(shown):
    assert shown.names == ["A", "Twin (b)", "Twin (c)", "D", "E"]
    assert shown.position["Twin (c)"] == 2


def test_the_page_opens_on_the_node_with_edges_on_both_sides(shown):
    assert explore.default_node(shown) == 0


@pytest.mark.parametrize(("pairs", "node"), [([False, False, True, True], 1), ([False] * 4, 0)])
def test_the_page_opens_on_a_node_with_a_pair_where_there_is_one(shown, pairs, node):
    assert explore.default_node(replace(shown, edges=shown.edges.assign(is_mutual=pairs))) == node


def test_examples_come_from_different_categories_first(shown):
    assert explore.example_nodes(shown, 3) == [0, 2, 4]
    assert sorted(explore.example_nodes(shown, 9)) == [0, 1, 2, 3, 4]


def test_nodes_without_edges_are_no_random_goal(shown):
    assert explore.linked_nodes(shown) == [0, 1, 2, 3]


def test_a_node_is_found_by_its_id_too(shown):
    assert shown.position_of_id["c"] == 2 and "Twin (c)" not in shown.position_of_id
    # A name that already holds the id is offered as it is.
    assert list(shown.search_texts.values()) == ["A · a", "Twin (b)", "Twin (c)", "D · d", "E · e"]


def test_links_are_observed_held_out_or_predicted(shown):
    table = explore.links(shown, 0).set_index(["role", "other"])
    assert table["kind"].to_dict() == {
        ("target", 1): "observed",
        ("source", 3): "observed",
        ("target", 2): "held_out",
        ("source", 1): "observed",
        ("source", 4): "predicted",
        ("target", 3): "predicted",
        ("target", 4): "predicted",
    }
    assert table["is_pair"].to_dict() == {key: key[1] != 2 for key in table.index}
    assert table["score"].is_monotonic_decreasing
    assert table.loc[("source", 3), "back_score"] == -1.0
    assert table.loc[("target", 2), "relation"] == "wants" and table.loc[("target", 3), "relation"] == ""


def test_two_ways_are_two_known_edges_and_a_prediction_is_none(shown):
    table = explore.links(shown, 0).set_index(["role", "other"])
    # Node 3 leads to node 0; the way back is only predicted. Node 4 is predicted both ways.
    assert table.index[table["is_two_way"]].tolist() == [("target", 1), ("source", 1)]
    assert table.loc[[("source", 3), ("target", 3)], "is_pair"].all()


@pytest.mark.parametrize(
    ("filters", "others"),
    [
        ({"kinds": ["observed"]}, {1, 3}),
        ({"least_score": 2.0}, {1, 2, 3}),
        ({"categories": ("y",)}, {2, 3}),
        ({"relations": ("wants",)}, {2, 3, 4}),
        ({"relations": ("wants",), "kinds": ("observed", "held_out")}, {2}),
        ({"categories": ("x", "z"), "kinds": ("predicted",)}, {4}),
    ],
)
def test_filters_leave_links_out(shown, filters, others):
    assert set(explore.links(shown, 0, Filters(**filters))["other"]) == others


def test_a_pair_with_one_way_left_out_is_no_pair(shown):
    table = explore.links(shown, 0, Filters(least_score=2.0))
    assert not table["is_pair"].any() and not table["is_two_way"].any()


def test_what_a_page_can_filter_by_is_what_the_input_has(shown):
    assert shown.relations == ["needs", "wants"] and shown.categories == ["x", "y", "z"]
    bare = replace(shown, edges=shown.edges.drop(columns="relation"))
    assert bare.relations == [] and set(explore.links(bare, 0)["relation"]) == {""}


def test_a_source_that_ranks_the_node_below_its_list_predicts_nothing(shown):
    low = shown.lists.assign(rank=[1.0, 2.0, 3.0, 4.0, np.nan])
    table = explore.links(Scene(shown.nodes, shown.edges, low, "dual"), 0)
    assert ("source", 4) not in set(zip(table["role"], table["other"], strict=True))
    assert not table.loc[table["other"] == 4, "is_pair"].any()


def test_a_node_without_any_link_has_an_empty_table(shown):
    assert explore.links(shown, 4).empty


def test_both_ranked_lists_carry_scores_ranks_and_known_edges(shown):
    after = readout.ranked_list(shown, 0, "target")
    assert after["name"].tolist() == ["Twin (c)", "D", "E"]
    assert after["is_hit"].tolist() == [True, False, False]
    assert after["reverse"].tolist() == ["none", "observed", "none"]
    assert after["back_rank"].tolist() == [9, 1, 2] and after["direction"].tolist() == [1.5, -3.5, 0]
    before = readout.ranked_list(shown, 0, "source")
    assert before[["name", "score", "rank", "back_rank"]].values.tolist() == [["E", 0.75, 2.0, 3.0]]
    assert readout.ranked_list(shown, 1, "target").empty


def test_lists_of_other_methods_stand_beside(shown):
    lists = readout.compared_lists(shown, 0, ("dual", "single", "popularity"))
    assert list(lists) == ["dual", "single"]
    columns = ["place", "name", "is_hit", "is_shared"]
    assert lists["single"].rows[columns].values.tolist() == [[1, "E", False, True]]
    assert [(lists[method].hits, lists[method].held_out) for method in lists] == [(1, 1), (0, 1)]


def test_the_selection_and_its_neighbours_are_marked(shown):
    points = pd.DataFrame({"name": shown.names, "source_x": np.arange(5.0)})
    drawn = neighbourhood(shown, 0, k=5, hops=2, filters=Filters(kinds=["observed", "held_out"])).links
    marked = readout.marked_points(points, 0, drawn)
    assert marked.set_index("name")["part"].to_dict() == {
        "Twin (b)": "both",
        "D": "source",
        "Twin (c)": "target",
        "A": "selected",
    }
    assert marked["source_x"].tolist() == [
        points.loc[points["name"] == name, "source_x"].item() for name in marked["name"]
    ]


def test_asymmetry_holds_the_edges_of_one_part_with_their_evidence(shown):
    edges, selected = readout.asymmetry(shown, 1, "train")
    assert edges["text"].tolist() == ["A → Twin (b) · relation needs", "Twin (b) → A · relation needs"]
    assert edges[["score", "back_score"]].values.tolist() == [[3, 1], [1, 3]]
    assert len(selected) == 2
    edges, selected = readout.asymmetry(shown, 1, "validation")
    assert (len(edges), len(selected)) == (1, 0)


def test_exploring_needs_neither_torch_nor_scipy():
    program = (
        "import engine.graph.readout, engine.graph.neighbourhood, sys; "
        "print({'torch', 'scipy', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"
