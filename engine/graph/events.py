"""Raw interactions in, directed edges out: "took U, then V on a later day", with the evidence for each edge."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.backends import BaseBackend
from numpy.typing import NDArray

from engine.errors import NoEdgeError, NotEnoughDataError
from engine.graph.events_config import SCHEMA, EventSettings
from engine.graph.events_counts import (
    Period,
    calendar_counts,
    item_counts,
    pair_counts,
    support_counts,
    user_days,
    visit_counts,
)
from engine.graph.events_pairs import POOLED, Pairs, calendar_of, pairs_of
from engine.graph.events_replication import replication_report
from engine.schema import validate
from engine.seeding import generator

MEMORY_LIMIT = "4GB"
"""Beyond this, the counting goes to disk."""
_ZONE = r"([T ]\d\d:?\d\d.*?)\s*(?:Z|[+-]\d\d(?::?\d\d)?)\s*$"
"""Hours and minutes, then a zone at the end of an ISO 8601 time."""
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


def edges_from_events(
    table: pd.DataFrame,
    *,
    window_days: int = 30,
    baseline_days: int = 3,
    minimum_users: int = 15,
    top: int = 10,
    minimum_score: float = 1.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Turn interactions into directed edges "took U, then V on a later day within a window".

    An *occasion* of U is a user's calendar day with U whose windows before and after both lie inside the table's
    period. It is *followed* by V if the user has V on one of the `window_days` days after it, *preceded* if on one of
    those before it. The calendar expects, for each occasion, the share of all user-days within `baseline_days` days
    that V follows; lift = followed / expected. An edge needs `minimum_users` users and a score above
    `minimum_score`; each U keeps its `top` best.

    Parameters
    ----------
    table : DataFrame
        Columns ``user, item, time``, one row per interaction; others are ignored, repeated rows count once.
    window_days, baseline_days, minimum_users, top, minimum_score, seed
        See `EventSettings`.

    Returns
    -------
    DataFrame
        Columns `EDGE_COLUMNS`. Counts are occasions but for both ``users``; ``source_days`` and ``target_days`` are all
        occasions of U and of V, so P(V|U) = days_followed / source_days. Logs are natural; ``popularity + season`` is
        what popularity and calendar give for ln P(V|U) / P(U|V), ``time_order`` is ln of U-then-V over V-then-U
        occasions against the calendar's, pooled and in each half; ``_se`` are standard errors over users.
        ``direction_replicates`` is 1 if the 95 % interval of the time order excludes 0 on the same side in both
        halves, which chance does for 1 edge in 800.

    Raises
    ------
    DataError
        If a column is missing or a value is not allowed; the message names the first row.
    NotEnoughDataError
        If no day has two whole windows, or there are fewer than two users or two items.
    NoEdgeError
        If no pair becomes an edge; the message says how many pairs there were, and which setting removed them.
    ConfigError
        If a setting is out of range.

    Notes
    -----
    The variance of a log ratio is linearised and summed over users, expectations held fixed; half an occasion is
    added to both counts, so that none is not never.
    """
    settings = EventSettings(
        window_days=window_days,
        baseline_days=baseline_days,
        minimum_users=minimum_users,
        top=top,
        minimum_score=minimum_score,
        seed=seed,
    )
    return event_graph(table, settings).edges


def event_graph(table: pd.DataFrame, settings: EventSettings) -> EventGraph:
    """Turn interactions into edges, nodes and a report on what replicates.

    Parameters
    ----------
    table : DataFrame
        See `edges_from_events`, which also lists what is raised.
    settings : EventSettings

    Returns
    -------
    EventGraph
    """
    events, items = _coded(validate(_on_own_clock(table), SCHEMA, source="the event table"), settings.seed)
    period = _period(events, settings.window_days)
    days = user_days(ibis.memtable(pa.Table.from_pandas(events, preserve_index=False)))
    with _counting() as backend:
        seen = _collect(backend, calendar_counts(days, period))
        visits = _collect(backend, visit_counts(days, period))
        counts = _collect(backend, pair_counts(days, period, n_items=len(items), minimum_users=settings.minimum_users))
        if counts.empty:
            found = _collect(backend, support_counts(days, period, n_items=len(items)))
            raise _without_pairs(int(found["pairs"].iloc[0]), found["most_users"].iloc[0], settings)
        totals = _collect(backend, item_counts(days))
    calendar = calendar_of(seen, visits, period, reach=settings.baseline_days, n_items=len(items))
    pairs = pairs_of(counts.sort_values("pair", ignore_index=True), calendar)
    chosen = _best(pairs, settings)
    if not len(chosen):
        raise _without_edges(pairs, settings)
    used = np.union1d(pairs.source[chosen], pairs.target[chosen])
    totals = totals.set_index("item").reindex(used)
    return EventGraph(
        edges=_edge_table(pairs, chosen, items),
        nodes=pd.DataFrame(
            {"node": items[used], "user_days": totals["days"].to_numpy(), "users": totals["users"].to_numpy()}
        ),
        replication=replication_report(pairs, chosen, minimum_users=settings.minimum_users, seed=settings.seed),
    )


def _on_own_clock(table: pd.DataFrame) -> pd.DataFrame:
    """Drop time zones: a purchase in the evening belongs to the day on the buyer's clock, not to the next in UTC."""
    if "time" not in table.columns:
        return table
    times = table["time"]
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        return table.assign(time=times.dt.tz_localize(None))
    if pd.api.types.is_numeric_dtype(times.dtype) or pd.api.types.is_datetime64_any_dtype(times.dtype):
        return table
    return table.assign(time=times.astype("string").str.replace(_ZONE, r"\1", regex=True))


def _coded(events: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Give users codes in random order, which halves them by even and odd, and items codes by name."""
    user, users = pd.factorize(events["user"], sort=True)
    item, items = pd.factorize(events["item"], sort=True)
    for name, names in (("user", users), ("item", items)):
        if len(names) < 2:
            raise NotEnoughDataError(f"Column '{name}' of the event table has one value only; at least 2 are needed.")
    order = generator(seed, "graph", "events", "halves").permutation(len(users))
    coded = pd.DataFrame({"user": order[user], "item": item, "time": events["time"].to_numpy()})
    return coded, np.asarray(items, dtype=object)


def _period(events: pd.DataFrame, window_days: int) -> Period:
    """Return the days with a whole window on either side."""
    first, last = (int(np.floor(value)) for value in (events["time"].min(), events["time"].max()))
    if last - first < 2 * window_days:
        raise NotEnoughDataError(
            f"The event table spans {last - first + 1:,} days; a window of {window_days} days before and after needs "
            f"at least {2 * window_days + 1:,}. Lower 'window_days', or add events."
        )
    return Period(first_day=first + window_days, last_day=last - window_days, window_days=window_days)


@contextmanager
def _counting() -> Iterator[BaseBackend]:
    """Open a database in memory that goes to disk beyond `MEMORY_LIMIT`."""
    with tempfile.TemporaryDirectory(prefix="events-") as scratch:
        backend = ibis.duckdb.connect(memory_limit=MEMORY_LIMIT, temp_directory=scratch)
        # Python started by hand would draw a bar over what it prints.
        backend.raw_sql("SET enable_progress_bar = false")
        try:
            yield backend
        finally:
            backend.disconnect()


def _collect(backend: BaseBackend, expression: ir.Table) -> pd.DataFrame:
    """Run an aggregate."""
    return backend.to_pyarrow(expression).to_pandas()


def _best(pairs: Pairs, settings: EventSettings) -> NDArray[np.int64]:
    """Return the rows of the edges: enough users, a score above the least, the best of their source."""
    score = pairs.score[POOLED]
    rows = np.flatnonzero((pairs.users[POOLED] >= settings.minimum_users) & (score > settings.minimum_score))
    rows = rows[np.lexsort((pairs.target[rows], -score[rows], pairs.source[rows]))]
    rank = pd.Series(pairs.source[rows]).groupby(pairs.source[rows]).cumcount().to_numpy()
    return rows[rank < settings.top]


def _without_pairs(pairs: int, most_users: float, settings: EventSettings) -> NoEdgeError:
    """Say why no pair has enough users."""
    if not pairs:
        return NoEdgeError(
            f"No user of the event table has two items on different days within {settings.window_days} days, so there "
            "is no pair. Raise 'window_days', or add events."
        )
    return NoEdgeError(
        f"No pair becomes an edge. Pairs U, V with U followed by V: {pairs:,}; users of the best supported one: "
        f"{int(most_users):,}; 'minimum_users' is {settings.minimum_users:,}. Lower it, or add events."
    )


def _without_edges(pairs: Pairs, settings: EventSettings) -> NoEdgeError:
    """Say why no pair with enough users has enough score."""
    score = pairs.score[POOLED, pairs.users[POOLED] >= settings.minimum_users]
    return NoEdgeError(
        f"No pair becomes an edge. Pairs U, V with 'minimum_users' {settings.minimum_users:,} or more: {len(score):,}; "
        f"their highest score: {score.max():.3g}; 'minimum_score' is {settings.minimum_score:g}. Lower it, or add "
        "events."
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
