"""Users counted block by block: what is held at a time does not grow with their number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import pairwise

import ibis.expr.types as ir
from ibis import _

from engine.graph.described_kept import append, collect, kept
from engine.graph.events_counts import KEYS, calendar_counts, pair_counts, pair_sums, visit_counts
from engine.graph.events_days import NO_NODE, Period, successions, user_days, visits

BLOCK_ROWS = 4_000_000
"""Events, or what is joined of them, that DuckDB counts at a time; of users who differ much it may be more."""
ADDED = 8
"""Blocks whose counts are kept side by side before they are added up."""
Tables = Mapping[str, ir.Table]
Count = Callable[[ir.Table], AbstractContextManager[Tables]]


def blocks_of(events: ir.Table, n: int, *, users: int, period: Period) -> int:
    """Return in how many blocks events are counted.

    Parameters
    ----------
    events : ibis table
    n : int
        Number of events.
    users : int, >= 1
    period : Period

    Returns
    -------
    int, >= 1
        So many that a block has `BLOCK_ROWS` events, or successions of events were these spread evenly over users and
        days; 1 on a cluster, which divides its work by itself.
    """
    if events.get_backend().name != "duckdb":
        return 1
    window = period.window_days
    successions_of_event = n / users * window / (period.last_day - period.first_day + 1 + 2 * window)
    return min(max(math.ceil(n * max(successions_of_event, 1.0) / BLOCK_ROWS), 1), users)


@contextmanager
def kept_days(events: ir.Table, *, blocks: int) -> Iterator[ir.Table]:
    """Keep the user-days of events, see `engine.graph.events_days.user_days`.

    Parameters
    ----------
    events : ibis table
        ``user, item, day``, from `engine.graph.events_days.whole_days`; rows may repeat.
    blocks : int, >= 1

    Yields
    ------
    ibis table
    """
    first, *others = _parts(events, blocks)
    with kept(user_days(first)) as days:
        for part in others:
            append(days, user_days(part))
        yield days


@contextmanager
def counted_pairs(
    days: ir.Table, period: Period, *, supported: ir.Table | None, n_items: int, blocks: int, calendar: bool = True
) -> Iterator[Tables]:
    """Count pairs of items and what happens on each calendar day.

    Parameters
    ----------
    days : ibis table
        From `kept_days`.
    period : Period
    supported : ibis table or None
        ``item``: those that may be part of a pair; None for all. The others only make their days visits.
    n_items : int, >= 1
    blocks : int, >= 1
    calendar : bool, default True
        Whether to count the calendar, too.

    Yields
    ------
    mapping of str to ibis table
        ``pairs`` (see `engine.graph.events_counts.pair_sums`), and ``calendar`` and ``visits``.
    """

    @contextmanager
    def count(part: ir.Table) -> Iterator[Tables]:
        nodes = _nodes(part, supported)
        if not calendar:
            with kept(successions(nodes.filter(_.item > NO_NODE), period)) as found:
                yield pair_counts(found, n_items=n_items)
            return
        with kept(visits(nodes)) as led, kept(successions(led, period)) as found:
            dated = {"calendar": calendar_counts(led, found, period), "visits": visit_counts(led, period)}
            yield pair_counts(found, n_items=n_items) | dated

    with summed(days, count, blocks=blocks) as tables:
        dated = {name: table for name, table in tables.items() if name in ("calendar", "visits")}
        yield {"pairs": pair_sums(tables["once"], tables["several"], n_items=n_items)} | dated


def _nodes(days: ir.Table, supported: ir.Table | None) -> ir.Table:
    """Let items without support be no nodes."""
    if supported is None:
        return days
    joined = days.left_join(supported.select("item", node="item"), "item")
    return joined.select("user", "day", "previous", "following", item=_.node.fill_null(NO_NODE).cast("int32"))


@contextmanager
def summed(days: ir.Table, count: Count, *, blocks: int) -> Iterator[Tables]:
    """Count one block of users after the other and add what was counted.

    Parameters
    ----------
    days : ibis table
        With a column ``user`` of whole numbers.
    count : callable
        From the rows of a block of users to a context that yields tables, named as in `KEYS`: one row per value of
        these, all other columns sums over users.
    blocks : int, >= 1
        With one, nothing is kept.

    Yields
    ------
    mapping of str to ibis table
        As `count` of all rows: the sums are whole numbers below 2^53, whose order does not matter.
    """
    if blocks == 1:
        with count(days) as tables:
            yield tables
        return
    totals: dict[str, ir.Table] = {}
    with ExitStack() as held:
        for number, part in enumerate(_parts(days, blocks)):
            with count(part) as tables:
                for name, table in tables.items():
                    if number:
                        append(totals[name], table)
                    else:
                        totals[name] = held.enter_context(kept(table))
            if number % ADDED == ADDED - 1 or number == blocks - 1:
                with ExitStack() as fresh:
                    sums = {name: fresh.enter_context(kept(_sum(table, KEYS[name]))) for name, table in totals.items()}
                    held.close()
                    totals = sums
                    held.push(fresh.pop_all())
        yield totals


def _parts(table: ir.Table, blocks: int) -> Iterator[ir.Table]:
    """Divide rows by user."""
    if blocks == 1:
        yield table
        return
    ends = collect(table.aggregate(first=_.user.min(), last=_.user.max())).iloc[0]
    first, users = int(ends["first"]), int(ends["last"]) - int(ends["first"]) + 1
    starts = [first + users * number // blocks for number in range(blocks + 1)]
    for start, end in pairwise(starts):
        yield table.filter((_.user >= start) & (_.user < end))


def _sum(table: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Add the rows that have the same keys."""
    sums = {name: table[name].sum().cast(table[name].type()) for name in table.columns if name not in keys}
    return table.group_by(keys).aggregate(sums)
