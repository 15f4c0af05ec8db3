"""Raw interactions in, directed edges out: "took U, then V on a later day", with the evidence for each edge."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.backends import BaseBackend
from numpy.typing import NDArray

from engine.errors import NotEnoughDataError
from engine.graph.described_kept import collect, lent
from engine.graph.events_blocks import blocks_of, kept_days
from engine.graph.events_config import SCHEMA, EventSettings
from engine.graph.events_counts import item_counts
from engine.graph.events_days import whole_days
from engine.graph.events_edges import EDGE_COLUMNS as EDGE_COLUMNS
from engine.graph.events_edges import EventGraph as EventGraph
from engine.graph.events_edges import counted_graph, period_of
from engine.schema import validate
from engine.seeding import generator

MEMORY_LIMIT = "4GB"
"""Beyond this, the counting goes to disk."""
_ZONE = r"([T ]\d\d:?\d\d.*?)\s*(?:Z|[+-]\d\d(?::?\d\d)?)\s*$"
"""Hours and minutes, then a zone at the end of an ISO 8601 time."""


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
    period = period_of(events["time"].min(), events["time"].max(), settings.window_days)
    with _counting() as backend:
        with lent(pa.Table.from_pandas(events, preserve_index=False), backend) as rows:
            blocks = blocks_of(rows, len(events), users=events["user"].nunique(), period=period)
            with kept_days(whole_days(rows), blocks=blocks) as days:
                counts = collect(item_counts(days)).sort_values("item", ignore_index=True)
                return counted_graph(days, period, counts.assign(name=items), settings, blocks=blocks)


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
