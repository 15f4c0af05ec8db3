"""From what was counted of events to edges: which pairs are chosen, with their evidence and what replicates."""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from engine.errors import NoEdgeError, NotEnoughDataError
from engine.graph.described_kept import collect, lent
from engine.graph.events_blocks import counted_pairs
from engine.graph.events_config import EventSettings
from engine.graph.events_counts import support_counts, supported_pairs
from engine.graph.events_days import Period
from engine.graph.events_pairs import POOLED, Pairs, calendar_of, pairs_of
from engine.graph.events_replication import replication_report

EDGE_COLUMNS = (
    "source",
    "target",
    "users",
    "days_followed",
    "days_preceded",
    "reverse_days_followed",
    "reverse_days_preceded",
    "source_days",
    "target_days",
    "lift",
    "reverse_lift",
    "season_share",
    "lift_first",
    "lift_second",
    "popularity",
    "season",
    "time_order",
    "time_order_se",
    "time_order_first",
    "time_order_second",
    "asymmetry_se",
    "direction_replicates",
    "reverse_users",
    "reverse_season_share",
)


@dataclass(frozen=True, slots=True)
class EventGraph:
    """Edges from events, with what the halves of the users say about them."""

    edges: pd.DataFrame
    """Columns `EDGE_COLUMNS`, by source name, then falling score."""
    nodes: pd.DataFrame
    """``node, user_days, users`` over the whole table, of every item with an edge."""
    replication: pd.DataFrame
    """See `engine.graph.events_replication.replication_report`."""


def period_of(first_day: float, last_day: float, window_days: int) -> Period:
    """Return the days with a whole window on either side.

    Raises
    ------
    NotEnoughDataError
        If there is none.
    """
    first, last = (int(np.floor(value)) for value in (first_day, last_day))
    if last - first < 2 * window_days:
        raise NotEnoughDataError(
            f"The event table spans {last - first + 1:,} days; a window of {window_days} days before and after needs "
            f"at least {2 * window_days + 1:,}. Lower it with --set "
            "window_days=DAYS, or add events."
        )
    return Period(first_day=first + window_days, last_day=last - window_days, window_days=window_days)


def counted_graph(
    days: ir.Table,
    period: Period,
    items: pd.DataFrame,
    settings: EventSettings,
    *,
    blocks: int,
) -> EventGraph:
    """Run the aggregates over user-days and choose the edges.

    Parameters
    ----------
    days : ibis table
        From `engine.graph.events_blocks.kept_days`. Items with the code -1 become no nodes; they only make their days
        visits.
    period : Period
    items : DataFrame
        ``name, users, days`` (different ones), one row for each code from 0.
    settings : EventSettings
    blocks : int, >= 1
        Users are counted in so many blocks, see `engine.graph.events_blocks.summed`.

    Returns
    -------
    EventGraph

    Raises
    ------
    NoEdgeError
        If no pair becomes an edge.
    """
    codes = np.flatnonzero(items["users"] >= settings.minimum_users)
    with (
        lent(pa.table({"item": codes.astype(np.int32)}), days.get_backend()) as supported,
        counted_pairs(days, period, supported=supported, n_items=len(items), blocks=blocks) as tables,
    ):
        counts = collect(supported_pairs(tables["pairs"], settings.minimum_users))
        seen, visits = (collect(tables[name]) for name in ("calendar", "visits"))
    if counts.empty:
        raise _without_support(days, period, len(items), settings, blocks)
    names = items["name"].to_numpy(dtype=object)
    calendar = calendar_of(seen, visits, period, reach=settings.baseline_days, n_items=len(items))
    pairs = pairs_of(counts.sort_values("pair", ignore_index=True), calendar)
    chosen = _best(pairs, settings)
    if not len(chosen):
        raise _without_edges(pairs, settings)
    used = np.union1d(pairs.source[chosen], pairs.target[chosen])
    totals = items.iloc[used]
    return EventGraph(
        edges=_edge_table(pairs, chosen, names),
        nodes=pd.DataFrame(
            {"node": names[used], "user_days": totals["days"].to_numpy(), "users": totals["users"].to_numpy()}
        ),
        replication=replication_report(pairs, chosen, minimum_users=settings.minimum_users, seed=settings.seed),
    )


def _best(pairs: Pairs, settings: EventSettings) -> NDArray[np.int64]:
    """Return the rows of the edges: enough users, a score above the least, the best of their source."""
    score = pairs.score[POOLED]
    rows = np.flatnonzero((pairs.users[POOLED] >= settings.minimum_users) & (score > settings.minimum_score))
    rows = rows[np.lexsort((pairs.target[rows], -score[rows], pairs.source[rows]))]
    rank = pd.Series(pairs.source[rows]).groupby(pairs.source[rows]).cumcount().to_numpy()
    return rows[rank < settings.top]


def _without_support(days: ir.Table, period: Period, n_items: int, settings: EventSettings, blocks: int) -> NoEdgeError:
    """Count the pairs that have too few users."""
    every = counted_pairs(days, period, supported=None, n_items=n_items, blocks=blocks, calendar=False)
    with every as tables:
        found = collect(support_counts(tables["pairs"]))
    return _without_pairs(int(found["pairs"].iloc[0]), found["most_users"].iloc[0], settings)


def _without_pairs(pairs: int, most_users: float, settings: EventSettings) -> NoEdgeError:
    """Say why no pair has enough users."""
    if not pairs:
        return NoEdgeError(
            f"No user of the event table has two items on different days within {settings.window_days} days, so there "
            "is no pair. Widen it with --set window_days=DAYS, or add events."
        )
    return NoEdgeError(
        f"No pair becomes an edge. Pairs U, V with U followed by V: {pairs:,}; users of the best supported one: "
        f"{int(most_users):,}; 'minimum_users' is {settings.minimum_users:,}. Lower it with --set "
        "minimum_users=NUMBER, or add events."
    )


def _without_edges(pairs: Pairs, settings: EventSettings) -> NoEdgeError:
    """Say why no pair with enough users has enough score."""
    score = pairs.score[POOLED, pairs.users[POOLED] >= settings.minimum_users]
    return NoEdgeError(
        f"No pair becomes an edge. Pairs U, V with 'minimum_users' {settings.minimum_users:,} or more: {len(score):,}; "
        f"their highest score: {score.max():.3g}; 'minimum_score' is {settings.minimum_score:g}. Lower it with "
        "--set minimum_score=NUMBER, or add events."
    )


def _edge_table(pairs: Pairs, rows: NDArray[np.int64], items: NDArray[np.object_]) -> pd.DataFrame:
    """Lay out the evidence of the chosen pairs, rounded to what it can carry."""
    lift, order, error = pairs.lift, pairs.time_order, np.sqrt(pairs.order_variance)
    halves = np.where(pairs.expected[:POOLED] > 0, lift[:POOLED], np.nan)
    counts = {
        "users": pairs.users,
        "days_followed": pairs.followed,
        "days_preceded": pairs.preceded,
        "reverse_days_followed": pairs.reverse(pairs.followed),
        "reverse_days_preceded": pairs.reverse(pairs.preceded),
        "source_days": pairs.source_days,
        "target_days": pairs.reverse(pairs.source_days),
        "reverse_users": pairs.reverse(pairs.users),
    }
    values = {
        "lift": lift[POOLED],
        "reverse_lift": pairs.reverse(lift)[POOLED],
        "season_share": pairs.season_share[POOLED],
        "reverse_season_share": pairs.reverse(pairs.season_share)[POOLED],
        "lift_first": halves[0],
        "lift_second": halves[1],
        "popularity": pairs.popularity[POOLED],
        "season": pairs.season[POOLED],
        "time_order": order[POOLED],
        "time_order_se": error[POOLED],
        "time_order_first": order[0],
        "time_order_second": order[1],
        "asymmetry_se": np.sqrt(pairs.asymmetry_variance),
    }
    columns: dict[str, object] = {"source": items[pairs.source[rows]], "target": items[pairs.target[rows]]}
    columns |= {name: value[POOLED, rows].astype(np.int64) for name, value in counts.items()}
    columns |= {name: value[rows].round(3) for name, value in values.items()}
    columns["direction_replicates"] = pairs.direction_replicates[rows].astype(np.int64)
    return pd.DataFrame(columns)[list(EDGE_COLUMNS)]
