"""Events of any size to edges: what `engine.graph.events` does, without a row in Python."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis import _

from engine.errors import NotEnoughDataError
from engine.graph.described_config import DescribeSettings
from engine.graph.described_kept import collect, kept, lent
from engine.graph.events_blocks import blocks_of, kept_days
from engine.graph.events_counts import item_counts
from engine.graph.events_days import NO_NODE, whole_days
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
    with ExitStack() as held:
        with kept(_user_codes(events, settings.seed)) as users:
            items = held.enter_context(kept(_item_codes(events)))
            totals = {"user": _count(users), "item": _count(items)}
            for name, count in totals.items():
                if count < 2:
                    raise NotEnoughDataError(
                        f"Column '{name}' of the events has one value only; at least 2 are needed."
                    )
            # Each table is about as large as the events, and let go once the next one is made of it.
            with kept(whole_days(_coded(events, users, items))) as coded:
                facts = collect(coded.aggregate(n=_.count(), first=_.day.min(), last=_.day.max())).iloc[0]
                period = period_of(float(facts["first"]), float(facts["last"]), settings.window_days)
                blocks = blocks_of(coded, int(facts["n"]), users=totals["user"], period=period)
                days = held.enter_context(kept_days(coded, blocks=blocks))
                # On a cluster it is this count that makes the table, and what it is made of has to be there.
                user_days = _count(days)
        nodes = _most_used(days, items, settings.most_items)
        places = held.enter_context(lent(_places(nodes), days.get_backend()))
        graph = counted_graph(_as_nodes(days, places), period, nodes, settings, blocks=blocks)
    return Counted(
        graph=graph, users=totals["user"], items=totals["item"], items_as_nodes=len(nodes), user_days=user_days
    )


def _user_codes(events: ir.Table, seed: int) -> ir.Table:
    """Give users numbers in the order of a digest: even and odd ones are the halves."""
    users = events.select("user").distinct()
    digest = (ibis.literal(f"{seed}:") + users.user).hexdigest("md5")
    numbered = users.mutate(digest=digest)
    return numbered.select("user", code=ibis.row_number().over(order_by=["digest", "user"]).cast("int32"))


def _item_codes(events: ir.Table) -> ir.Table:
    """Give items numbers, in any order."""
    items = events.select("item").distinct()
    return items.select("item", code=ibis.row_number().over(order_by="item").cast("int32"))


def _coded(events: ir.Table, users: ir.Table, items: ir.Table) -> ir.Table:
    """Return the events with numbers for users and items."""
    named = items.select("item", number="code")
    joined = events.join(users, "user").join(named, "item")
    return joined.select(user=joined.code, item=joined.number, time=joined.time)


def _most_used(days: ir.Table, items: ir.Table, most: int) -> pd.DataFrame:
    """Return the items of most users by name: ``code, name, days, users``."""
    counts = item_counts(days).rename(number="item")
    named = counts.join(items, counts.number == items.code).select("code", "days", "users", name="item")
    return collect(named.order_by([ibis.desc("users"), "name"]).limit(most)).sort_values("name", ignore_index=True)


def _places(nodes: pd.DataFrame) -> pa.Table:
    """Return the place of every item that is a node among the nodes."""
    return pa.table({"item": nodes["code"].to_numpy(np.int32), "place": np.arange(len(nodes), dtype=np.int32)})


def _as_nodes(days: ir.Table, places: ir.Table) -> ir.Table:
    """Let items be their places among the nodes, -1 for those that are none."""
    joined = days.left_join(places, "item").select("user", "day", "previous", "following", "place")
    # Apart from the join: else Ibis takes a further one for a part of it.
    return joined.mutate(item=_.place.fill_null(NO_NODE).cast("int32")).drop("place")


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
