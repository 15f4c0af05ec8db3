"""Blocks of users change what is held at a time, and no count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.graph import events_blocks
from engine.graph.described_kept import kept
from engine.graph.events_blocks import blocks_of, counted_pairs, kept_days, summed
from engine.graph.events_counts import KEYS, calendar_counts, item_counts, pair_counts, pair_sums, visit_counts
from engine.graph.events_days import Period, successions, user_days, visits

PERIOD = Period(first_day=6, last_day=53, window_days=6)
ITEMS = 9
DRAWN = (("user", 0, 41), ("item", -1, ITEMS), ("day", 0, 60))


@pytest.fixture(scope="module")
def events() -> Iterator[ir.Table]:
    """Days of 41 users, of whom the last block has fewer; some come twice."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({name: rng.integers(low, high, 900) for name, low, high in DRAWN})
    frame = pd.concat([frame, frame.head(50)]).astype("int32")
    with kept(ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))) as table:
        yield table


def rows(table: ir.Table, by: Sequence[str]) -> pd.DataFrame:
    return table.to_pyarrow().to_pandas().sort_values(list(by), ignore_index=True)


def whole(events: ir.Table) -> dict[str, ir.Table]:
    """Count everything at once."""
    days = visits(user_days(events))
    found = successions(days, PERIOD)
    return {
        "pairs": pair_sums(**pair_counts(found, n_items=ITEMS), n_items=ITEMS),
        "calendar": calendar_counts(days, found, PERIOD),
        "visits": visit_counts(days, PERIOD),
    }


@pytest.mark.parametrize("blocks", [2, 5, 6])
def test_pairs_and_calendar_are_the_same_in_any_number_of_blocks(events, blocks, monkeypatch):
    monkeypatch.setattr(events_blocks, "ADDED", 2)
    with kept_days(events, blocks=blocks) as days:
        every = ["user", "item", "day"]
        pd.testing.assert_frame_equal(rows(days, every), rows(user_days(events), every))
        with counted_pairs(days, PERIOD, supported=None, n_items=ITEMS, blocks=blocks) as tables:
            for name, table in whole(events).items():
                pd.testing.assert_frame_equal(rows(tables[name], KEYS[name]), rows(table, KEYS[name]), check_exact=True)
        with counted_pairs(days, PERIOD, supported=None, n_items=ITEMS, blocks=blocks, calendar=False) as tables:
            assert list(tables) == ["pairs"]
            pairs = whole(events)["pairs"]
            pd.testing.assert_frame_equal(rows(tables["pairs"], KEYS["pairs"]), rows(pairs, KEYS["pairs"]))


@pytest.mark.parametrize("blocks", [1, 5])
def test_items_without_support_only_make_their_days_visits(events, blocks):
    expected = whole(events)
    with kept_days(events, blocks=blocks) as days:
        items = item_counts(days)
        supported = items.filter((items.users >= 34) & (items.item >= 0)).select("item")
        chosen = set(supported.to_pyarrow()["item"].to_pylist())
        assert 2 < len(chosen) < ITEMS
        every, dated = rows(expected["pairs"], KEYS["pairs"]), expected["calendar"]
        pairs = every[[{pair // ITEMS, pair % ITEMS} <= chosen for pair in every["pair"]]].reset_index(drop=True)
        calendar = rows(dated.filter(dated.item.isin(list(chosen))), KEYS["calendar"])
        with counted_pairs(days, PERIOD, supported=supported, n_items=ITEMS, blocks=blocks) as tables:
            pd.testing.assert_frame_equal(rows(tables["pairs"], KEYS["pairs"]), pairs, check_exact=True)
            pd.testing.assert_frame_equal(rows(tables["calendar"], KEYS["calendar"]), calendar, check_exact=True)
            seen = rows(expected["visits"], KEYS["visits"])
            pd.testing.assert_frame_equal(rows(tables["visits"], KEYS["visits"]), seen, check_exact=True)


def test_every_user_is_in_one_block(events):
    seen = []

    @contextmanager
    def count(part: ir.Table) -> Iterator[dict[str, ir.Table]]:
        seen.append(set(part.to_pyarrow()["user"].to_pylist()))
        yield {"visits": part.group_by(half=part.user % 2, day=part.day).aggregate(n=part.count())}

    with summed(events, count, blocks=4) as tables:
        total = rows(tables["visits"], KEYS["visits"])
    assert total["n"].sum() == events.count().to_pyarrow().as_py()
    assert sorted(user for block in seen for user in block) == list(range(41))
    assert {len(block) for block in seen} == {10, 11}


def test_no_table_stays_behind_even_after_a_failure(events):
    before = tables(events)

    @contextmanager
    def fail(part: ir.Table) -> Iterator[dict[str, ir.Table]]:
        if tables(events) > before:
            raise ValueError("in the second block")
        yield {"visits": part.group_by(half=part.user % 2, day=part.day).aggregate(n=part.count())}

    with pytest.raises(ValueError, match="second block"), summed(events, fail, blocks=3):
        pass
    assert tables(events) == before


def tables(events: ir.Table) -> int:
    return events.get_backend().con.sql("SELECT count(*) FROM duckdb_tables()").fetchall()[0][0]


def test_the_number_of_blocks_follows_the_data_on_one_machine(events, monkeypatch):
    monkeypatch.setattr(events_blocks, "BLOCK_ROWS", 100)
    # 60 days, a tenth of which is the window: up to ten events of a user have one of them after each.
    assert [blocks_of(events, n, users=100, period=PERIOD) for n in (0, 100, 101, 950)] == [1, 1, 2, 10]
    assert blocks_of(events, 1_000, users=20, period=PERIOD) == 20
    assert blocks_of(events, 1_000, users=50, period=PERIOD) == 20
    assert blocks_of(events, 1_000, users=5, period=PERIOD) == 5
