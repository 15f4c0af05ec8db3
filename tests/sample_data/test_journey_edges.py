"""The grocery graphs: which rows reach the engine's call, and what is added to its nodes."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.graph.events import edges_from_events


@pytest.fixture
def edges(script):
    return script("journey_edges")


def test_events_are_distinct_and_skip_missing_names(edges):
    lines = pd.DataFrame(
        {"household_id": [1, 1, 1, 2], "day": [3, 3, 3, 4], "product_type": ["TEA", "TEA", None, "EGGS"]}
    )
    events = edges.purchase_events(lines, "product_type")
    assert events.to_dict("list") == {"user": [1, 2], "item": ["TEA", "EGGS"], "time": [3, 4]}


def test_the_graph_is_that_of_the_call_on_the_groceries(edges):
    rows = [(h, item, day) for h in range(20) for item, day in (("TEA", 100), ("EGGS", 110))]
    rows += [(100 + h, "SALT", day) for h in range(60) for day in (100, 111)]
    rows += [(999, "SALT", 0), (999, "SALT", 364)]
    lines = pd.DataFrame(rows, columns=["household_id", "product_category", "day"])
    graph = edges.grocery_graph(lines, "product_category")
    assert graph.edges[["source", "target"]].to_numpy().tolist() == [["TEA", "EGGS"]]
    called = edges_from_events(edges.purchase_events(lines, "product_category"))
    pd.testing.assert_frame_equal(graph.edges, called.drop(columns=list(edges.NOT_FROZEN)))


def test_a_node_has_its_main_department_and_counts_days_and_households(edges):
    lines = pd.DataFrame(
        {"product_type": ["TEA"] * 4 + ["EGGS"], "department": ["GROCERY", "DELI", "GROCERY", "DELI", "DAIRY"]}
    )
    nodes = pd.DataFrame({"node": ["TEA"], "user_days": [3], "users": [2]})
    # Two lines each: the first name in the alphabet decides.
    assert edges.node_table(lines, "product_type", nodes).to_dict("records") == [
        {"node": "TEA", "department": "DELI", "purchases": 3, "households": 2}
    ]


def test_the_facts_say_what_two_halves_of_the_households_agree_on(edges):
    row = ("popularity", "correlation", 0.99, 0.98, 0.995, 1200, "pairs", 0.0)
    report = pd.DataFrame(
        [row], columns=["quantity", "measure", "value", "ci_low", "ci_high", "n", "n_unit", "by_chance"]
    )
    assert edges.replication_facts(report) == {"popularity correlation": "0.9900 [0.9800, 0.9950], 1200 pairs"}
