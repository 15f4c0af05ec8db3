"""Events of any size to edges: what `engine.graph.events` does, without a row in Python."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from engine.errors import NotEnoughDataError
from engine.graph.described_config import DescribeSettings
from engine.graph.described_kept import collect, kept
from engine.graph.events_blocks import blocks_of
from engine.graph.events_counts import user_days
from engine.graph.events_edges import EventGraph, counted_graph, period_of

LISTED_COLUMNS = (
    "source",
    "target",
    "users",
    "reverse_users",
    "days_followed",
    "reverse_days_followed",
    "seen",
    "back_seen",
    "expected_ratio",
    "ratio",
    "ratio_low",
    "ratio_high",
    "direction_replicates",
    "season_share",
)
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Counted:
    """A graph from events, and how much of them it is made of."""

    graph: EventGraph
    users: int
    items: int
    """Items of all events."""
    items_as_nodes: int
    """Items that could become nodes."""
    user_days: int
    """Different user, day and item."""


def event_graph(events: ir.Table, settings: DescribeSettings) -> Counted:
    """Turn events on any backend into edges.

    Parameters
    ----------
    events : ibis table
        ``user, item`` (text) and ``time`` (days), all present.
    settings : DescribeSettings

    Returns
    -------
    Counted

    Raises
    ------
    NotEnoughDataError
        If no day has two whole windows, or there are fewer than two users or two items.
    NoEdgeError
        If no pair becomes an edge.

    Notes
    -----
    The halves of the users are every other one in the order of a digest of seed and id: the same on every engine.
    Items beyond the `most_items` with most users become no nodes, but their days still count as visits.
    """
    with kept(_user_codes(events, settings.seed)) as users, kept(item_users(events)) as items:
        totals = {"user": _count(users), "item": _count(items)}
        for name, count in totals.items():
            if count < 2:
                raise NotEnoughDataError(f"Column '{name}' of the events has one value only; at least 2 are needed.")
        chosen = collect(items.order_by([ibis.desc("users"), "item"]).limit(settings.most_items))
        names = np.sort(chosen["item"].astype(str).to_numpy(dtype=object))
        with kept(user_days(_coded(events, users, items, settings.most_items))) as days:
            facts = collect(days.aggregate(n=_.count(), first=_.day.min(), last=_.day.max())).iloc[0]
            period = period_of(float(facts["first"]), float(facts["last"]), settings.window_days)
            graph = counted_graph(days, period, names, settings, collect, blocks=blocks_of(days, int(facts["n"])))
    return Counted(
        graph=graph,
        users=totals["user"],
        items=totals["item"],
        items_as_nodes=len(names),
        user_days=int(facts["n"]),
    )


def item_users(events: ir.Table) -> ir.Table:
    """Count the different users of every item.

    Parameters
    ----------
    events : ibis table
        ``user, item``.

    Returns
    -------
    ibis table
        ``item, users``.
    """
    return events.group_by("item").aggregate(users=_.user.nunique())


def _user_codes(events: ir.Table, seed: int) -> ir.Table:
    """Give users numbers in the order of a digest: even and odd ones are the halves."""
    users = events.select("user").distinct()
    digest = (ibis.literal(f"{seed}:") + users.user).hexdigest("md5")
    numbered = users.mutate(digest=digest)
    return numbered.select("user", code=ibis.row_number().over(order_by=["digest", "user"]).cast("int32"))


def _coded(events: ir.Table, users: ir.Table, items: ir.Table, most: int) -> ir.Table:
    """Return the events with numbers for users and items, -1 for an item that becomes no node."""
    ranked = items.mutate(rank=ibis.row_number().over(order_by=[ibis.desc("users"), "item"]))
    chosen = ranked.filter(ranked["rank"] < most)
    # Codes by name, as the names come sorted.
    coded_items = chosen.select("item", item_code=ibis.row_number().over(order_by="item").cast("int32"))
    joined = events.join(users, "user").left_join(coded_items, "item")
    return joined.select(user=joined.code, item=joined.item_code.fill_null(-1), time=joined.time)


def _count(table: ir.Table) -> int:
    """Count rows."""
    return int(collect(table.aggregate(n=table.count()))["n"].iloc[0])


def listed_edges(edges: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Return the edges whose time order is clearest, from U to V as more often than the calendar gives.

    Parameters
    ----------
    edges : DataFrame
        See `engine.graph.events_edges.EDGE_COLUMNS`.
    limit : int

    Returns
    -------
    DataFrame
        ``list`` (time_order), ``place`` and `LISTED_COLUMNS`: ``seen`` and ``back_seen`` are occasions U-then-V and
        V-then-U, counted from either end; ``ratio`` is seen / back_seen over that of the calendar, ``expected_ratio``;
        its interval is over users. Of two edges between the same nodes one is listed.
    """
    order = edges["time_order"].to_numpy(dtype=np.float64)
    error = np.maximum(edges["time_order_se"].to_numpy(dtype=np.float64), 1e-9)
    forward = edges["days_followed"] + edges["reverse_days_preceded"]
    backward = edges["reverse_days_followed"] + edges["days_preceded"]
    expected = np.log((forward + 0.5) / (backward + 0.5)).to_numpy() - order
    is_turned = order < 0
    turned = {"users": "reverse_users", "days_followed": "reverse_days_followed"}
    table = edges.assign(seen=forward, back_seen=backward, z=np.abs(order) / error)
    pairs = {"source": "target", "seen": "back_seen"} | turned
    columns: dict[str, object] = {}
    for one, two in pairs.items():
        columns[one] = np.where(is_turned, table[two], table[one])
        columns[two] = np.where(is_turned, table[one], table[two])
    columns |= {"expected_ratio": np.exp(np.where(is_turned, -expected, expected)), "ratio": np.exp(np.abs(order))}
    columns |= {f"ratio_{end}": np.exp(np.abs(order) + sign * _Z * error) for end, sign in (("low", -1), ("high", 1))}
    season = np.where(is_turned, edges["reverse_season_share"], edges["season_share"])
    columns |= {"direction_replicates": edges["direction_replicates"].to_numpy(), "season_share": season}
    found = pd.DataFrame(columns)[list(LISTED_COLUMNS)].assign(z=table["z"].to_numpy())
    found = found.sort_values(["z", "source", "target"], ascending=[False, True, True]).drop_duplicates(
        ["source", "target"]
    )
    found = found.head(limit).drop(columns="z").reset_index(drop=True)
    return found.assign(list="time_order", place=np.arange(1, len(found) + 1))
