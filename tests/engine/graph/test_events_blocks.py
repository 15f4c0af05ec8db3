"""Blocks of users change what is held at a time, and no count."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.graph import events_blocks
from engine.graph.described_kept import kept
from engine.graph.events_blocks import blocks_of, counted_calendar, counted_pairs, summed
from engine.graph.events_counts import Period, calendar_counts, pair_counts

PERIOD = Period(first_day=6, last_day=53, window_days=6)
ITEMS = 9
DRAWN = (("user", 0, 41), ("item", -1, ITEMS), ("day", 0, 60))


@pytest.fixture(scope="module")
def days() -> Iterator[ir.Table]:
    """User-days of 41 users, of whom the last block has fewer."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({name: rng.integers(low, high, 900) for name, low, high in DRAWN}).drop_duplicates()
    with kept(ibis.memtable(pa.Table.from_pandas(frame.astype("int32"), preserve_index=False))) as table:
        yield table


def rows(table: ir.Table, by: list[str]) -> pd.DataFrame:
    return table.to_pyarrow().to_pandas().sort_values(by, ignore_index=True)


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_pairs_and_calendar_are_the_same_in_any_number_of_blocks(days, blocks):
    whole = rows(pair_counts(days, PERIOD, n_items=ITEMS, minimum_users=15), ["pair"])
    every = rows(pair_counts(days, PERIOD, n_items=ITEMS, minimum_users=1), ["pair"])
    with counted_pairs(days, PERIOD, n_items=ITEMS, minimum_users=15, blocks=blocks) as table:
        pd.testing.assert_frame_equal(rows(table, ["pair"]), whole, check_exact=True)
    assert 0 < len(whole) < len(every)
    by = ["half", "day", "item"]
    with counted_calendar(days, PERIOD, blocks=blocks) as table:
        pd.testing.assert_frame_equal(rows(table, by), rows(calendar_counts(days, PERIOD), by), check_exact=True)


def test_every_block_has_both_halves_of_the_users(days):
    seen = []

    def count(part: ir.Table) -> ir.Table:
        users = part.to_pyarrow()["user"].to_numpy()
        seen.append(set(users.tolist()))
        return part.group_by("item").aggregate(n=part.count())

    with summed(days, count, by=["item"], blocks=4) as table:
        total = rows(table, ["item"])
    assert total["n"].sum() == days.count().to_pyarrow().as_py()
    assert sorted(user for block in seen for user in block) == list(range(41))
    assert all(abs(sum(user % 2 for user in block) - len(block) / 2) <= 1 for block in seen)


def test_no_table_stays_behind_even_after_a_failure(days):
    before = tables(days)

    def fail(part: ir.Table) -> ir.Table:
        if tables(days) > before:
            raise ValueError("in the second block")
        return part.group_by("item").aggregate(n=part.count())

    with pytest.raises(ValueError, match="second block"), summed(days, fail, by=["item"], blocks=3):
        pass
    assert tables(days) == before


def tables(days: ir.Table) -> int:
    return days.get_backend().con.sql("SELECT count(*) FROM duckdb_tables()").fetchall()[0][0]


def test_the_number_of_blocks_follows_the_data_on_one_machine(days, monkeypatch):
    monkeypatch.setattr(events_blocks, "BLOCK_DAYS", 100)
    assert [blocks_of(days, n) for n in (0, 100, 101, 950)] == [1, 1, 2, 10]
