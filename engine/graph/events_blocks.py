"""Users counted block by block: what is held at a time does not grow with their number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import ibis.expr.types as ir
from ibis import _

from engine.graph.described_kept import kept
from engine.graph.events_counts import Period, calendar_counts, pair_sums, supported_items, supported_pairs

BLOCK_DAYS = 4_000_000
"""User-days that DuckDB counts at a time: their pairs fit into its memory."""


def blocks_of(days: ir.Table, n: int) -> int:
    """Return in how many blocks `n` user-days are counted; a cluster divides its work by itself."""
    return max(math.ceil(n / BLOCK_DAYS), 1) if days.get_backend().name == "duckdb" else 1


@contextmanager
def counted_pairs(
    days: ir.Table, period: Period, *, n_items: int, minimum_users: int, blocks: int
) -> Iterator[ir.Table]:
    """Count pairs of items, see `engine.graph.events_counts.pair_counts`."""
    with ExitStack() as stack:
        items = supported_items(days, minimum_users)
        if blocks > 1:
            items = stack.enter_context(kept(items))
        sums = summed(
            days.semi_join(items, "item"),
            lambda part: pair_sums(part, period, n_items=n_items),
            by=["pair"],
            blocks=blocks,
        )
        yield supported_pairs(stack.enter_context(sums), minimum_users)


@contextmanager
def counted_calendar(days: ir.Table, period: Period, *, blocks: int) -> Iterator[ir.Table]:
    """Count what follows and precedes by calendar day, see `engine.graph.events_counts.calendar_counts`."""
    with summed(days, lambda part: calendar_counts(part, period), by=["half", "day", "item"], blocks=blocks) as table:
        yield table


@contextmanager
def summed(
    days: ir.Table, count: Callable[[ir.Table], ir.Table], *, by: Sequence[str], blocks: int
) -> Iterator[ir.Table]:
    """Count one block of users after the other and add what was counted.

    Parameters
    ----------
    days : ibis table
        From `engine.graph.events_counts.user_days`; with several blocks, of a backend, which keeps the sum so far.
    count : callable
        From user-days to one row per value of `by`, all other columns sums over users.
    by : sequence of str
    blocks : int, >= 1
        With one, nothing is kept.

    Yields
    ------
    ibis table
        As `count` of all user-days: the sums are whole numbers below 2^53, whose order does not matter.
    """
    if blocks == 1:
        yield count(days)
        return
    held, total = ExitStack(), None
    for number in range(blocks):
        # Neighbouring codes stay together, so that every block has as many even as odd ones: both halves.
        part = count(days.filter((_.user // 2) % blocks == number))
        with held:
            held = ExitStack()
            total = held.enter_context(kept(part if total is None else _sum(total.union(part), by)))
    with held:
        yield total


def _sum(parts: ir.Table, by: Sequence[str]) -> ir.Table:
    """Add the rows that have the same values of `by`."""
    return parts.group_by(by).aggregate({name: parts[name].sum() for name in parts.columns if name not in by})
