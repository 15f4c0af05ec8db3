"""Events described on the backend, against the same events made edges in memory."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.errors import NoEdgeError, NotEnoughDataError
from engine.graph import events_blocks
from engine.graph.described_config import DescribeSettings
from engine.graph.described_events import Counted, event_graph, listed_edges
from engine.graph.described_relation import relation_of
from engine.graph.events import event_graph as graph_in_memory
from engine.graph.events_config import EventSettings

OF_HALVES = ("lift_first", "lift_second", "time_order_first", "time_order_second", "direction_replicates")


def followers(items: int = 12, users: int = 240, *, planted: bool = True) -> pd.DataFrame:
    """Return events over 120 days; item k is often followed by item k + 1, if planted."""
    rng = np.random.default_rng(5)
    count = 12 * users
    user, item, day = rng.integers(users, size=count), rng.integers(items, size=count), rng.integers(120, size=count)
    later = slice(0, count // 3 if planted else 0)
    return pd.DataFrame(
        {
            "user": [f"u{k:03d}" for k in np.r_[user, user[later]]],
            "item": [f"item {k:02d}" for k in np.r_[item, (item[later] + 1) % items]],
            "time": np.r_[day, np.minimum(day[later] + rng.integers(1, 9, len(day[later])), 119)].astype(float),
        }
    )


def described(frame: pd.DataFrame, **settings: float) -> Counted:
    table = ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))
    rows = relation_of(table, {}, source="made").rows
    return event_graph(rows, DescribeSettings(window_days=14, **settings))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return followers()


def test_edges_are_those_of_the_events_in_memory(frame):
    found = described(frame)
    expected = graph_in_memory(frame, EventSettings(window_days=14))
    columns = [name for name in expected.edges if name not in OF_HALVES]
    pd.testing.assert_frame_equal(found.graph.edges[columns], expected.edges[columns])
    pd.testing.assert_frame_equal(found.graph.nodes, expected.nodes, check_dtype=False)
    assert (found.users, found.items, found.items_as_nodes) == (240, 12, 12)
    assert found.user_days == len(frame.drop_duplicates())


def test_edges_do_not_depend_on_the_blocks_that_users_are_counted_in(frame, monkeypatch):
    whole = described(frame).graph.edges
    in_memory = graph_in_memory(frame, EventSettings(window_days=14)).edges
    monkeypatch.setattr(events_blocks, "BLOCK_ROWS", len(frame) // 3)
    before = kept_tables()
    pd.testing.assert_frame_equal(described(frame).graph.edges, whole, check_exact=True)
    pd.testing.assert_frame_equal(
        graph_in_memory(frame, EventSettings(window_days=14)).edges, in_memory, check_exact=True
    )
    with pytest.raises(NoEdgeError, match="'minimum_users' is 9,999"):
        described(frame, minimum_users=9_999)
    assert kept_tables() == before


def kept_tables() -> int:
    """Return how many tables lie on the backend of tables of memory."""
    names = ibis.get_backend().con.sql("SELECT table_name FROM duckdb_tables()").fetchall()
    return sum(name.startswith("kept_") for (name,) in names)


def test_different_days_of_rare_items_are_different_user_days():
    frame = followers(items=4)
    rare = pd.concat([frame, frame.head(60).assign(item="rare 1"), frame.head(60).assign(item="rare 2")])
    found = described(rare, most_items=4)
    assert (found.items, found.items_as_nodes) == (6, 4)
    assert found.user_days == len(rare.drop_duplicates())


def test_the_halves_are_of_equal_size_and_give_the_same_verdict(frame):
    found = described(frame).graph
    expected = graph_in_memory(frame, EventSettings(window_days=14))
    shares = [table.set_index("quantity")["value"] for table in (found.replication, expected.replication)]
    assert shares[0]["direction_replicates"] == pytest.approx(shares[1]["direction_replicates"], abs=0.15)
    again = described(frame, seed=1).graph
    assert not again.edges["time_order_first"].equals(found.edges["time_order_first"])
    assert again.edges["time_order"].equals(found.edges["time_order"])


def test_rare_items_stay_visits_but_become_no_nodes(frame):
    rare = frame.assign(item=[name if place % 9 else f"rare {place}" for place, name in enumerate(frame["item"])])
    whole, part = described(rare, most_items=2000), described(rare, most_items=6)
    nodes = set(part.graph.nodes["node"])
    assert len(nodes) <= 6 < part.items and part.items_as_nodes == 6
    edges = whole.graph.edges.merge(part.graph.edges, on=["source", "target"], suffixes=("", "_part"))
    assert len(edges) == len(part.graph.edges) > 0
    for name in ("days_followed", "users", "lift", "season", "time_order"):
        assert edges[name].tolist() == edges[f"{name}_part"].tolist()


def test_without_planted_order_hardly_an_edge_replicates():
    found = described(
        followers(planted=False, users=400), minimum_users=3, minimum_score=0.0
    ).graph.replication.set_index("quantity")
    row = found.loc["direction_replicates"]
    assert row["n"] >= 20 and row["value"] <= 0.05


def test_listed_edges_point_as_the_clearer_order_does(frame):
    edges = described(frame).graph.edges
    found = listed_edges(edges, 50)
    assert found["place"].tolist() == list(range(1, len(found) + 1))
    ends = [frozenset(row) for row in found[["source", "target"]].itertuples(index=False)]
    assert (found["ratio"] >= 1).all() and len(set(ends)) == len(ends)
    best = found.iloc[0]
    number = {end: int(str(best[end]).removeprefix("item ")) for end in ("source", "target")}
    assert (number["source"] + 1) % 12 == number["target"]
    days = graph_of(edges, best["source"], best["target"])
    assert (best["seen"], best["back_seen"]) == days
    assert best["ratio"] == pytest.approx((days[0] + 0.5) / (days[1] + 0.5) / best["expected_ratio"], rel=1e-6)
    assert best["ratio_low"] > 1 and best["direction_replicates"] == 1


def graph_of(edges: pd.DataFrame, source: str, target: str) -> tuple[int, int]:
    """Return the occasions U-then-V and V-then-U of a pair, from either of its edges."""
    rows = edges[(edges["source"] == source) & (edges["target"] == target)]
    if len(rows):
        row = rows.iloc[0]
        return row.days_followed + row.reverse_days_preceded, row.reverse_days_followed + row.days_preceded
    row = edges[(edges["source"] == target) & (edges["target"] == source)].iloc[0]
    return row.reverse_days_followed + row.days_preceded, row.days_followed + row.reverse_days_preceded


def test_too_little_is_said(frame):
    with pytest.raises(NotEnoughDataError, match="Column 'user' of the events has one value"):
        described(frame.assign(user="one"))
    with pytest.raises(NotEnoughDataError, match="spans 10 days"):
        described(frame.assign(time=frame["time"] % 10))
    with pytest.raises(NoEdgeError, match="'minimum_users' is 9,999"):
        described(frame, minimum_users=9_999)
    with pytest.raises(NoEdgeError, match="U followed by V: 2;"):
        described(frame, minimum_users=9_999, most_items=2)
