"""A neighbourhood is what the hand-drawn tables hold, placed so that no two nodes share a spot."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine.graph import explore, readout
from engine.graph.explore import Scene

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
    assert table["is_two_way"].to_dict() == {key: key[1] != 2 for key in table.index}
    assert table["score"].is_monotonic_decreasing
    assert table.loc[("source", 3), "back_score"] == -1.0


def test_a_source_that_ranks_the_node_below_its_list_predicts_nothing(shown):
    low = shown.lists.assign(rank=[1.0, 2.0, 3.0, 4.0, np.nan])
    table = explore.links(Scene(shown.nodes, shown.edges, low, "dual"), 0)
    assert ("source", 4) not in set(zip(table["role"], table["other"], strict=True))
    assert not table.loc[table["other"] == 4, "is_two_way"].any()


def test_a_node_without_any_link_has_an_empty_table(shown):
    empty = explore.links(shown, 4)
    assert empty.empty
    drawn = explore.neighbourhood(shown, 4, k=5)
    placed = explore.placed_nodes(shown, 4, drawn)
    assert placed[["node", "side", "name"]].values.tolist() == [[4, "centre", "E"]]


def test_the_kinds_take_turns(shown):
    drawn = explore.neighbourhood(shown, 0, k=2)
    targets = drawn[drawn["role"] == "target"]
    # Two targets are chosen: the best observed and the best held-out one; predictions to chosen sources come along.
    assert {1, 2} <= set(targets["other"])
    assert (drawn[drawn["role"] == "source"]["other"]).tolist()[:1] == [3]


def test_a_neighbour_that_points_both_ways_comes_first(shown):
    weakest = shown.edges.assign(score=[0.1, 2.0, 0.1, 2.5])
    drawn = explore.neighbourhood(replace(shown, edges=weakest), 0, k=1, kinds=["observed", "held_out"])
    # One link per role: the pair with node 1, though edges from node 3 and to node 2 have better scores.
    assert drawn["other"].unique().tolist() == [1] and drawn["is_two_way"].all()


def test_only_the_chosen_kinds_are_drawn_and_both_ways_is_judged_among_them(shown):
    drawn = explore.neighbourhood(shown, 0, k=5, kinds=["observed"])
    assert sorted(zip(drawn["role"], drawn["other"], strict=True)) == [("source", 1), ("source", 3), ("target", 1)]
    assert drawn.set_index(["role", "other"])["is_two_way"].to_dict() == {
        ("target", 1): True,
        ("source", 3): False,
        ("source", 1): True,
    }


def test_sources_stand_left_targets_right_and_two_way_neighbours_above_and_below(shown):
    drawn = explore.neighbourhood(shown, 0, k=5, kinds=["observed", "held_out"])
    placed = explore.placed_nodes(shown, 0, drawn).set_index("node")
    assert placed.loc[0, ["x", "y", "side"]].tolist() == [0, 0, "centre"]
    assert placed.loc[3, "x"] < -0.5 and placed.loc[2, "x"] > 0.5
    assert placed.loc[1, "side"] == "above" and placed.loc[1, "y"] > 0.5
    assert placed.loc[3, ["category", "out_degree"]].tolist() == ["y", 1]


@pytest.mark.parametrize(("sources", "targets", "both"), [(0, 0, 1), (16, 16, 0), (1, 2, 14), (16, 16, 16)])
def test_no_two_nodes_share_a_spot(shown, sources, targets, both):
    count = sources + targets + both
    role = ["source"] * (sources + both) + ["target"] * (targets + both)
    two_way = list(range(sources + targets, count))
    drawn = pd.DataFrame(
        {
            "other": [*range(sources), *two_way, *range(sources, sources + targets), *two_way],
            "role": role,
            "is_two_way": [False] * sources + [True] * both + [False] * targets + [True] * both,
        }
    )
    nodes = pd.DataFrame(
        {"name": map(str, range(50)), "label": map(str, range(50)), "category": "x", "in_degree": 1, "out_degree": 1}
    )
    placed = explore.placed_nodes(Scene(nodes, shown.edges, shown.lists, "dual"), 49, drawn)
    spots = placed[["x", "y"]].to_numpy()
    distance = np.hypot(*(spots[:, np.newaxis] - spots).T)[~np.eye(len(spots), dtype=bool)]
    assert len(placed) == count + 1 and distance.min() > 0.05
    assert placed["side"].isin(["above", "below"]).sum() == min(both, explore.MIDDLE_NODES)


def test_both_ranked_lists_carry_scores_ranks_and_known_edges(shown):
    after = readout.ranked_list(shown, 0, "target")
    assert after["name"].tolist() == ["Twin (c)", "D", "E"]
    assert after["is_hit"].tolist() == [True, False, False]
    assert after["reverse"].tolist() == ["none", "observed", "none"]
    assert after["back_rank"].tolist() == [9, 1, 2]
    before = readout.ranked_list(shown, 0, "source")
    assert before[["name", "score", "rank", "back_rank"]].values.tolist() == [["E", 0.75, 2.0, 3.0]]
    assert readout.ranked_list(shown, 1, "target").empty


def test_lists_of_other_methods_stand_beside(shown):
    lists = readout.compared_lists(shown, 0, ("dual", "single", "popularity"))
    assert list(lists) == ["dual", "single"]
    assert lists["single"][["place", "name", "is_hit"]].values.tolist() == [[1, "E", False]]


def test_the_selection_and_its_neighbours_are_marked(shown):
    points = pd.DataFrame({"name": shown.names, "source_x": np.arange(5.0)})
    drawn = explore.neighbourhood(shown, 0, k=5, kinds=["observed", "held_out"])
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
    program = "import engine.graph.readout, sys; print({'torch', 'scipy', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"
