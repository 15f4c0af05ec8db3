"""What is drawn around a node: chosen as stated, counted, and placed so that no two nodes share a spot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph.explore import Filters, Scene, links, links_in_role
from engine.graph.neighbourhood import BRANCHES, MIDDLE_NODES, MOST_NODES, neighbourhood, placed_nodes

SPLITS = ["train", "validation", "test", "none"]
NO_LISTS = {"method": [], "role": [], "node": [], "place": [], "other": [], "split": [], "back_split": []}


def scene(edges: list[tuple], lists: list[tuple] = (), count: int | None = None) -> Scene:
    """Return a scene from edges (source, target, split, score) and listed pairs (role, node, other, score)."""
    count = count or 1 + max(max(edge[:2]) for edge in edges)
    known = pd.DataFrame(edges, columns=["source", "target", "split", "score"])
    pairs = set(zip(known["source"], known["target"], strict=True))
    rest = {"rank": 1.0, "back_score": 0.0, "back_rank": 9.0, "direction": 0.5}
    known = known.assign(is_mutual=[(v, u) in pairs for u, v in zip(known["source"], known["target"], strict=True)])
    table = pd.DataFrame(lists, columns=["role", "node", "other", "score"]).assign(
        method="dual", place=1, split="none", back_split="none", **rest
    )
    nodes = pd.DataFrame(
        {
            "name": [f"n{place}" for place in range(count)],
            "label": [f"n{place}" for place in range(count)],
            "category": [f"c{place % 3}" for place in range(count)],
            "in_degree": np.bincount(known["target"], minlength=count),
            "out_degree": np.bincount(known["source"], minlength=count),
        }
    )
    return Scene(nodes, known.assign(**rest), table, "dual")


@pytest.fixture
def chain() -> Scene:
    """0 is followed by 1 and 2, these by 3 to 7; 8 leads to 0, and 9 to 8."""
    edges = [(0, 1, "train", 5.0), (0, 2, "test", 4.0), (1, 3, "train", 3.0), (1, 4, "train", 2.0)]
    edges += [(1, 5, "test", 1.0), (1, 6, "train", 2.5), (2, 7, "train", 1.5), (2, 3, "train", 0.5)]
    return scene([*edges, (8, 0, "train", 1.0), (9, 8, "train", 1.0), (2, 1, "train", 9.0), (3, 0, "train", 0.1)])


def test_the_kinds_take_turns():
    shown = scene(
        [(0, 1, "train", 9.0), (0, 2, "train", 8.0), (0, 3, "test", 1.0)], lists=[("target", 0, 4, 0.5)], count=5
    )
    around = neighbourhood(shown, 0, k=3)
    assert around.links["other"].tolist() == [1, 3, 4]
    assert (around.found, around.drawn) == ((4, 0), (3, 0))


def test_a_neighbour_with_edges_both_ways_comes_first():
    shown = scene([(0, 1, "train", 9.0), (0, 2, "train", 0.1), (2, 0, "test", 0.1)])
    drawn = neighbourhood(shown, 0, k=1).links
    assert drawn["other"].tolist() == [2, 2] and drawn["is_two_way"].all()


def test_a_predicted_way_back_makes_no_two_way_neighbour_but_is_drawn_beside():
    shown = scene([(0, 1, "train", 1.0)], lists=[("source", 0, 1, 0.5)])
    around = neighbourhood(shown, 0, k=4)
    assert around.links["kind"].tolist() == ["observed", "predicted"]
    assert around.links["is_pair"].all() and not around.links["is_two_way"].any()
    assert around.nodes["side"].tolist() == ["centre", "target"]


def test_a_known_edge_places_a_neighbour_whatever_a_prediction_back_scores():
    shown = scene([(0, 1, "train", 1.0), (1, 2, "train", 1.0), (3, 1, "train", 1.0)], lists=[("source", 0, 1, 7.0)])
    around = neighbourhood(shown, 0, k=4, hops=2)
    side = around.nodes.set_index("node")["side"]
    assert side.to_dict() == {0: "centre", 1: "target", 2: "target"}, "its targets are looked at, not its sources"


def test_a_second_step_follows_the_direction_and_leaves_drawn_nodes_out(chain):
    around = neighbourhood(chain, 0, k=5, hops=2)
    second = around.links[around.links["hop"] == 2]
    # 1 -> 3 and 2 -> 3 end at a source of 0, and 2 -> 1 at a neighbour: none of them is a second step.
    assert sorted(zip(second["node"], second["other"], second["role"], strict=True)) == [
        (1, 4, "target"),
        (1, 5, "target"),
        (1, 6, "target"),
        (2, 7, "target"),
        (8, 9, "source"),
    ]
    assert around.found == (4, 5) and around.drawn == (4, 5)


def test_a_neighbour_shows_its_best_links_outward_kind_by_kind():
    edges = [(0, 1, "train", 1.0), *((1, other, "train", float(other)) for other in range(2, 8)), (1, 8, "test", 0.5)]
    around = neighbourhood(scene(edges), 0, k=5, hops=2)
    second = around.links[around.links["hop"] == 2]
    assert BRANCHES == 3 and sorted(second["other"]) == [6, 7, 8]
    assert around.found == (1, 7)


def test_a_node_behind_two_neighbours_stands_at_the_better_link():
    edges = [(0, 1, "train", 1.0), (0, 2, "train", 1.0), (1, 3, "train", 1.0), (2, 3, "train", 2.0)]
    second = neighbourhood(scene(edges), 0, k=5, hops=2).links.query("hop == 2")
    assert second[["node", "other"]].values.tolist() == [[2, 3]]


def test_filters_hold_at_both_steps(chain):
    around = neighbourhood(chain, 0, k=5, hops=2, filters=Filters(kinds=("observed",), least_score=1.0))
    assert set(around.nodes["node"]) == {0, 1, 3, 4, 6, 8, 9} and around.nodes.set_index("node").loc[3, "hop"] == 2
    assert (around.links["kind"] == "observed").all() and around.links["score"].min() >= 1.0


def test_a_second_step_stands_outside_the_first_on_the_side_of_its_role(chain):
    nodes = neighbourhood(chain, 0, k=5, hops=2).nodes.set_index("node")
    assert nodes.loc[0, ["x", "y", "hop"]].tolist() == [0, 0, 0]
    for outer, inner in ((4, 1), (5, 1), (6, 1), (7, 2)):
        assert nodes.loc[outer, "x"] > nodes.loc[inner, "x"] > 0
    assert nodes.loc[9, "x"] < nodes.loc[8, "x"] < 0
    assert nodes.loc[1, "y"] == pytest.approx(nodes.loc[[4, 5, 6], "y"].mean())


def test_the_branches_of_two_neighbours_do_not_cross(chain):
    nodes = neighbourhood(chain, 0, k=5, hops=2).nodes.set_index("node")
    upper, lower = sorted((1, 2), key=lambda node: -nodes.loc[node, "y"])
    branches = {1: [4, 5, 6], 2: [7]}
    assert nodes.loc[branches[upper], "y"].min() > nodes.loc[branches[lower], "y"].max()


@st.composite
def graphs(draw):
    count = draw(st.integers(2, 60))
    codes = draw(st.lists(st.integers(0, count * count - 1), min_size=1, max_size=400, unique=True))
    edges = [(code // count, code % count) for code in codes if code // count != code % count]
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    parts = [(str(rng.choice(["train", "test"])), float(rng.normal())) for _ in edges]
    drawn = [(*edge, *part) for edge, part in zip(edges, parts, strict=True)]
    return scene(drawn or [(0, 1, "train", 0.0)], count=count)


@settings(deadline=None, max_examples=40)
@given(shown=graphs(), k=st.integers(1, 16), hops=st.sampled_from([1, 2]), node=st.integers(0, 59))
def test_every_picture_is_consistent(shown, k, hops, node):
    node %= len(shown.nodes)
    around = neighbourhood(shown, node, k=k, hops=hops)
    nodes, drawn = around.nodes, around.links
    assert nodes["node"].is_unique and len(nodes) <= MOST_NODES
    assert drawn.loc[drawn["hop"] == 2, "other"].is_unique
    assert {node, *drawn["other"], *drawn["node"]} == set(nodes["node"])
    assert all(few <= all_ for few, all_ in zip(around.drawn, around.found, strict=True))
    spots = nodes[["x", "y"]].to_numpy()
    apart = np.hypot(*(spots[:, np.newaxis] - spots).T)[~np.eye(len(spots), dtype=bool)]
    assert not len(apart) or apart.min() > 0.015
    hop = nodes.set_index("node")["hop"]
    assert (hop[drawn["other"]].to_numpy() == drawn["hop"].to_numpy()).all()
    assert (hop[drawn["node"]].to_numpy() == drawn["hop"].to_numpy() - 1).all()
    known = set(zip(shown.edges["source"], shown.edges["target"], strict=True))
    for row in drawn.itertuples():
        ends = (row.other, row.node) if row.role == "source" else (row.node, row.other)
        assert ends in known


@settings(deadline=None, max_examples=40)
@given(shown=graphs(), node=st.integers(0, 59))
def test_all_neighbours_are_drawn_where_they_fit(shown, node):
    node %= len(shown.nodes)
    around = neighbourhood(shown, node, k=1000)
    assert len(around.links) == len(links(shown, node)) and around.drawn[0] == around.found[0]


@settings(deadline=None, max_examples=30)
@given(shown=graphs(), node=st.integers(0, 59))
def test_what_lies_behind_the_neighbours_is_counted_once(shown, node):
    node %= len(shown.nodes)
    around = neighbourhood(shown, node, k=1000, hops=2)
    first = around.links[around.links["hop"] == 1].drop_duplicates("other")
    behind = set()
    for row in first.itertuples():
        behind |= set(links_in_role(shown, [row.other], row.role)["other"])
    assert around.found[1] == len(behind - set(first["other"]) - {node})


def test_a_node_without_any_link_stands_alone():
    around = neighbourhood(scene([(0, 1, "train", 1.0)], count=3), 2, k=5, hops=2)
    assert around.links.empty and around.found == (0, 0)
    assert around.nodes[["node", "side", "name"]].values.tolist() == [[2, "centre", "n2"]]


@pytest.mark.parametrize(("sources", "targets", "both"), [(0, 0, 1), (16, 16, 0), (1, 2, 14), (16, 16, 16)])
def test_no_two_nodes_of_one_step_share_a_spot(sources, targets, both):
    count = sources + targets + both
    two_way = list(range(sources + targets, count))
    drawn = pd.DataFrame(
        {
            "other": [*range(sources), *two_way, *range(sources, sources + targets), *two_way],
            "role": ["source"] * (sources + both) + ["target"] * (targets + both),
            "is_two_way": [False] * sources + [True] * both + [False] * targets + [True] * both,
            "hop": 1,
            "kind": "observed",
        }
    )
    placed = placed_nodes(scene([(0, 1, "train", 1.0)], count=50), 49, drawn)
    spots = placed[["x", "y"]].to_numpy()
    distance = np.hypot(*(spots[:, np.newaxis] - spots).T)[~np.eye(len(spots), dtype=bool)]
    assert len(placed) == count + 1 and distance.min() > 0.05
    assert placed["side"].isin(["above", "below"]).sum() == min(both, MIDDLE_NODES)


def test_sources_stand_left_targets_right_and_two_way_neighbours_above_and_below():
    shown = scene([(0, 1, "train", 1.0), (1, 0, "test", 1.0), (0, 2, "train", 1.0), (3, 0, "train", 1.0)])
    placed = neighbourhood(shown, 0, k=5).nodes.set_index("node")
    assert placed.loc[3, "x"] < -0.5 and placed.loc[2, "x"] > 0.5
    assert placed.loc[1, "side"] == "above" and placed.loc[1, "y"] > 0.5 and placed.loc[1, "is_two_way"]
    assert placed.loc[3, ["category", "out_degree"]].tolist() == ["c0", 1]
