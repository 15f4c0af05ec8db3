"""What returns in another half of the users: a planted order, and nothing of chance or of the calendar."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.graph.events import EventGraph, event_graph
from engine.graph.events_config import EventSettings
from engine.graph.events_pairs import Pairs
from engine.graph.events_replication import replication_report
from engine.graph.explain import explain_edges

SETTINGS = EventSettings(window_days=10, minimum_users=10, minimum_score=0.0)
USERS, DAYS = 240, 200


def noise(rng: np.random.Generator) -> list[tuple[int, str, int]]:
    """Each user takes some of eight items on days of their own."""
    return [(u, f"n{rng.integers(8)}", day) for u in range(USERS) for day in rng.integers(0, DAYS, size=25)]


def ordered(rng: np.random.Generator) -> list[tuple[int, str, int]]:
    """Each user takes U three times a year, any day, and V two to eight days later."""
    starts = rng.integers(0, DAYS - 10, size=(USERS, 3))
    gaps = rng.integers(2, 9, size=starts.shape)
    rows = [(u, "U", day) for u in range(USERS) for day in starts[u]]
    return rows + [(u, "V", day) for u in range(USERS) for day in (starts + gaps)[u]]


def graph_of(rows: list[tuple[int, str, int]]) -> EventGraph:
    """Return the graph of a period of `DAYS` days."""
    table = pd.DataFrame([*rows, (0, "n0", 0), (1, "n1", DAYS - 1)], columns=["user", "item", "time"])
    return event_graph(table, SETTINGS)


def between(graph: EventGraph, source: str, target: str) -> pd.DataFrame:
    """Return the edge with what explains it, in one row."""
    edges = graph.edges
    explained = explain_edges(edges)
    both = pd.concat([edges, explained.drop(columns=[name for name in explained if name in edges])], axis=1)
    return both[(both["source"] == source) & (both["target"] == target)]


@pytest.fixture(scope="module")
def planted() -> EventGraph:
    rng = np.random.default_rng(1)
    return graph_of(noise(rng) + ordered(rng))


def test_a_planted_order_replicates_and_carries_the_asymmetry(planted):
    edge = between(planted, "U", "V").iloc[0]
    assert edge["direction_replicates"] == 1
    assert min(edge["time_order_first"], edge["time_order_second"]) > 0.7
    assert edge["time_order"] - 4 * edge["time_order_se"] > 0
    assert edge["explanation"] == "time_order"
    back = between(planted, "V", "U").iloc[0]
    assert (back["direction_replicates"], back["time_order"]) == (1, -edge["time_order"])


def test_without_an_order_hardly_any_direction_replicates(planted):
    others = planted.edges[~planted.edges["source"].isin(["U", "V"]) & ~planted.edges["target"].isin(["U", "V"])]
    assert len(others) > 40
    assert others["direction_replicates"].mean() < 0.05


def test_shuffled_days_leave_no_order(planted):
    rng = np.random.default_rng(2)
    table = pd.DataFrame(noise(rng) + ordered(rng), columns=["user", "item", "time"])
    table["time"] = table.groupby("user")["time"].transform(rng.permutation)
    shuffled = graph_of(list(table.itertuples(index=False, name=None)))
    assert between(shuffled, "U", "V").iloc[0]["direction_replicates"] == 0
    assert not (explain_edges(shuffled.edges)["explanation"] == "time_order").any()
    found = shuffled.replication.set_index("quantity").loc["time_order"]
    assert found["ci_low"] < 0 < found["ci_high"]


def test_intervals_of_an_order_that_is_not_there_miss_it_one_time_in_twenty():
    rng = np.random.default_rng(3)
    edges = pd.concat([graph_of(noise(rng)).edges for _ in range(3)])
    beyond = edges["time_order"].abs() > 1.96 * edges["time_order_se"]
    assert len(edges) > 150
    assert 0.01 < beyond.mean() < 0.11


def test_what_the_calendar_alone_orders_is_season_and_not_time_order():
    rng = np.random.default_rng(4)
    rows = noise(rng)
    # Who takes U and when has nothing to do with who takes V: only the seasons overlap, U's before V's.
    rows += [(u, "U", day) for u in rng.choice(USERS, 160, replace=False) for day in rng.integers(80, 96, size=3)]
    rows += [(u, "V", day) for u in rng.choice(USERS, 160, replace=False) for day in rng.integers(90, 106, size=3)]
    edge = between(graph_of(rows), "U", "V").iloc[0]
    assert edge["before_after"] > 1
    assert edge["before_after_by_calendar"] > 0.8 * edge["before_after"]
    assert abs(edge["time_order"]) < 2.5 * edge["time_order_se"]
    assert edge["direction_replicates"] == 0
    assert edge["explanation"] == "season"


def test_a_popular_target_is_asymmetric_by_popularity():
    rng = np.random.default_rng(5)
    rows = noise(rng)
    rows += [(u, "often", day) for u in range(USERS) for day in rng.integers(0, DAYS, size=20)]
    rows += [(u, "rare", day) for u in range(USERS) for day in rng.integers(0, DAYS, size=2)]
    edge = between(graph_of(rows), "rare", "often").iloc[0]
    assert edge["asymmetry_low"] > 1
    assert edge["explanation"] == "popularity"
    assert edge["popularity"] == pytest.approx(edge["asymmetry"], abs=0.25)


def test_the_report_names_each_quantity_with_interval_count_and_chance(planted):
    report = planted.replication
    assert report["quantity"].tolist() == [
        "lift_of_both_directions",
        "lift_difference",
        "time_order",
        "popularity",
        "direction_replicates",
        "same_direction",
    ]
    known = report.dropna(subset=["value"])
    assert (known["ci_low"] <= known["value"] + 1e-9).all() and (known["value"] <= known["ci_high"] + 1e-9).all()
    share = report.set_index("quantity").loc["direction_replicates"]
    assert share["value"] == pytest.approx(planted.edges["direction_replicates"].mean())
    assert (share["n"], share["by_chance"]) == (len(planted.edges), 2 * 0.025**2)


def test_a_report_without_a_pair_has_no_values():
    no_edge = np.zeros(0, dtype=np.int64)
    report = replication_report(hub_pairs(np.zeros((2, 4))), no_edge, minimum_users=10, seed=0)
    assert report["value"].isna().all() and (report["n"] == 0).all()


def hub_pairs(users: np.ndarray) -> Pairs:
    """Return pairs of item 0 with every other, both ways, with users in both halves and other counts at random."""
    count = users.shape[1]
    hub, leaves = np.zeros(count // 2, dtype=np.int64), np.arange(1, count // 2 + 1)
    rng = np.random.default_rng(0)
    values = {
        name: rng.uniform(20, 40, size=(3, count))
        for name in ("followed", "preceded", "expected", "expected_preceded", "expected_all_year", "source_days")
    }
    return Pairs(
        source=np.concatenate([hub, leaves]),
        target=np.concatenate([leaves, hub]),
        users=np.concatenate([users, users.sum(axis=0, keepdims=True)]).astype(float),
        order_variance=np.full((3, count), 0.1),
        asymmetry_variance=np.full(count, 0.1),
        **values,
    )


@pytest.mark.parametrize(("half", "row"), [(0, 1), (1, 1), (0, 7), (1, 7)])
def test_a_pair_is_compared_if_each_half_supports_it_both_ways(half, row):
    # Six pairs; rows 1 and 7 are the two ways of the second one.
    users = np.full((2, 12), 10)
    everything = replication_report(hub_pairs(users), np.arange(3), minimum_users=10, seed=0)
    users[half, row] = 9
    report = replication_report(hub_pairs(users), np.arange(3), minimum_users=10, seed=0)
    assert everything["n"].tolist()[:4] == [6] * 4 and report["n"].tolist()[:4] == [5] * 4


def test_the_interval_of_a_correlation_draws_both_items_of_a_pair():
    report = replication_report(hub_pairs(np.full((2, 60), 10)), np.arange(3), minimum_users=10, seed=0)
    for row in report[report["measure"] == "correlation"].itertuples():
        # All pairs share item 0: only draws of the others can move the correlation.
        assert row.ci_low < row.value - 0.05 and row.value + 0.05 < row.ci_high
