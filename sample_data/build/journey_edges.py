"""Make the grocery graphs: "bought U, then V on a later day within 30 days", by the call that the engine offers."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from journey_source import Frame

# A script's own folder is on the path, the project's is not.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.graph.events import EventGraph, event_graph
from engine.graph.events_config import EventSettings

SETTINGS = EventSettings(window_days=30, baseline_days=3, minimum_users=15, top=10, seed=0)
NOT_FROZEN = ("reverse_users", "reverse_season_share")
"""Columns of an edge table that came after the frozen files, which keep theirs."""


def purchase_events(lines: Frame, level: str) -> Frame:
    """Return one row per household, item and day; ``level`` is the product column that names the item."""
    rows = lines.dropna(subset=[level])[["household_id", level, "day"]].drop_duplicates()
    return rows.set_axis(["user", "item", "time"], axis=1)


def grocery_graph(lines: Frame, level: str) -> EventGraph:
    """Return edges, nodes and what two halves of the households agree on."""
    graph = event_graph(purchase_events(lines, level), SETTINGS)
    return replace(graph, edges=graph.edges.drop(columns=list(NOT_FROZEN)))


def node_table(lines: Frame, level: str, nodes: Frame) -> Frame:
    """Add to the nodes of a graph the department in which each is bought most."""
    rows = lines[lines[level].isin(nodes["node"])]
    where = rows.groupby([level, "department"], observed=True).size().reset_index(name="n")
    main = where.sort_values(["n", "department"], ascending=[False, True]).drop_duplicates(level)
    department = main.set_index(level)["department"].reindex(nodes["node"]).to_numpy()
    named = nodes.rename(columns={"user_days": "purchases", "users": "households"})
    return named.assign(department=department)[["node", "department", "purchases", "households"]]


def replication_facts(replication: Frame) -> dict[str, object]:
    """Return each measured agreement of the halves in one line."""
    return {
        f"{row.quantity} {row.measure}": f"{row.value:.4f} [{row.ci_low:.4f}, {row.ci_high:.4f}], {row.n} {row.n_unit}"
        for row in replication.itertuples()
    }
