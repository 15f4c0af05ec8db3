"""The counts against loops over users and days that share no line with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import product

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph.events_counts import (
    calendar_counts,
    item_counts,
    pair_counts,
    pair_sums,
    support_counts,
    supported_pairs,
    visit_counts,
)
from engine.graph.events_days import Period, successions, user_days, visits, whole_days

ITEMS = 4
NO_NODE = -1
rows = st.tuples(st.integers(0, 4), st.integers(NO_NODE, ITEMS - 1), st.integers(0, 14))


def table(events: list[tuple[int, int, int]]) -> ibis.Table:
    """Return the user-days of interactions of (user, item, day)."""
    user, item, day = (list(values) for values in zip(*events, strict=True))
    return user_days(
        whole_days(ibis.memtable(pa.table({"user": user, "item": item, "time": pa.array(day, pa.float64())})))
    )


def sums_of(found: ibis.Table) -> ibis.Table:
    return pair_sums(**pair_counts(found, n_items=ITEMS), n_items=ITEMS)


def loops(events: list[tuple[int, int, int]], period: Period) -> dict[str, Counter]:
    """Count per user, and from there everything, in the plainest way."""
    taken = defaultdict(set)
    for user, item, day in events:
        taken[user, day].add(item)
    found: dict[str, Counter] = defaultdict(Counter)
    for (user, day), own in taken.items():
        if not period.first_day <= day <= period.last_day:
            continue
        window = range(1, period.window_days + 1)
        after = set().union(*(taken.get((user, day + k), set()) for k in window))
        before = set().union(*(taken.get((user, day - k), set()) for k in window))
        found["visits"][user % 2, day] += 1
        for item in range(ITEMS):
            found["own"][user % 2, day, item] += item in own
            found["after"][user % 2, day, item] += item in after
            found["before"][user % 2, day, item] += item in before
        for u, v in product(own, range(ITEMS)):
            if u not in (v, NO_NODE):
                found["followed"][user, u, v] += v in after
                found["preceded"][user, u, v] += v in before
    return found


def expected_pairs(found: dict[str, Counter], minimum_users: int) -> dict[int, dict[str, float]]:
    """Arrange the counts per user as rows of the pair table."""
    table = {}
    users = {key[0] for key in found["followed"]}
    for low, high in product(range(ITEMS), range(ITEMS)):
        if low >= high:
            continue
        row: Counter = Counter()
        for user in users:
            lf, lp = found["followed"][user, low, high], found["preceded"][user, low, high]
            hf, hp = found["followed"][user, high, low], found["preceded"][user, high, low]
            half = user % 2
            for name, value in (
                ("low_followed", lf),
                ("low_preceded", lp),
                ("high_followed", hf),
                ("high_preceded", hp),
                ("low_users", lf > 0),
                ("high_users", hf > 0),
                ("forward_square", (lf + hp) ** 2),
                ("backward_square", (hf + lp) ** 2),
                ("product", (lf + hp) * (hf + lp)),
            ):
                row[f"{name}_{half}"] += value
            row["low_square"] += lf * lf
            row["high_square"] += hf * hf
            row["low_high"] += lf * hf
        support = [row[f"{side}_users_0"] + row[f"{side}_users_1"] for side in ("low", "high")]
        if max(support) >= minimum_users:
            table[low * ITEMS + high] = row
    return table


@settings(max_examples=15, deadline=None)
@given(st.lists(rows, min_size=1, max_size=40), st.integers(1, 4), st.integers(1, 2))
def test_every_count_is_that_of_plain_loops(events, window, minimum_users):
    check_counts(events, window, minimum_users)


@pytest.mark.parametrize("seed", range(6))
def test_many_events_at_the_edges_of_the_period_are_counted_as_by_plain_loops(seed):
    """Where an occasion is followed and its pair not preceded, or the other way, which few small tables have."""
    rng = np.random.default_rng(seed)
    drawn = zip(rng.integers(0, 30, 70), rng.integers(NO_NODE, ITEMS, 70), rng.integers(0, 15, 70), strict=True)
    check_counts([tuple(map(int, event)) for event in drawn], window=1 + seed % 4, minimum_users=1)


def check_counts(events: list[tuple[int, int, int]], window: int, minimum_users: int) -> None:
    period = Period(first_day=window, last_day=14 - window, window_days=window)
    days, found = visits(table(events)), loops(events, period)
    following = successions(days, period)
    sums = sums_of(following)
    counted = supported_pairs(sums, minimum_users).to_pyarrow().to_pandas()
    wanted = expected_pairs(found, minimum_users)
    assert set(counted["pair"]) == set(wanted)
    for row in counted.to_dict("records"):
        pair = int(row.pop("pair"))
        assert row == {name: wanted[pair][name] for name in row}
    calendar = calendar_counts(days, following, period).to_pyarrow().to_pandas()
    for name, source in (("own", "own"), ("followed", "after"), ("preceded", "before")):
        values = {(r.half, r.day, r.item): getattr(r, name) for r in calendar.itertuples() if getattr(r, name)}
        assert values == {key: value for key, value in found[source].items() if value}
    seen = visit_counts(days, period).to_pyarrow().to_pandas()
    assert {(r.half, r.day): r.visits for r in seen.itertuples()} == dict(found["visits"])


def test_a_pair_needs_its_users_in_one_direction_and_all_pairs_are_counted():
    period = Period(first_day=2, last_day=12, window_days=2)
    days = table([(user, item, 5 + item) for user in range(3) for item in (0, 1)] + [(0, 2, 6)])
    sums = sums_of(successions(days, period))
    assert supported_pairs(sums, 2).to_pyarrow()["pair"].to_pylist() == [1]
    # 0 then 1 by three users, 0 then 2 by one; 1 and 2 on the same day follow neither.
    assert support_counts(sums).to_pyarrow().to_pylist() == [{"pairs": 2.0, "most_users": 3.0}]


def test_what_a_user_has_on_several_days_is_added_up_before_it_is_squared():
    """Item 0 lies between two days of item 1: one user, with both orders twice."""
    period = Period(first_day=2, last_day=12, window_days=2)
    sums = sums_of(successions(table([(0, 1, 3), (0, 0, 5), (0, 1, 7)]), period))
    ones = ("low_followed", "low_preceded", "high_followed", "high_preceded", "low_users", "high_users")
    expected = dict.fromkeys((*ones, "low_square", "high_square", "low_high"), 1.0)
    expected |= dict.fromkeys(("forward_square", "backward_square", "product"), 4.0)
    assert sums.to_pyarrow().to_pylist() == [{"pair": 1, "half": 0} | expected]


def test_days_before_the_first_of_the_count_are_stretches_too():
    for shift in (0, -40, -17, 1):
        period = Period(first_day=3 + shift, last_day=60 + shift, window_days=3)
        days = table([(0, 0, 30 + shift), (0, 1, 33 + shift), (2, 0, 30 + shift), (2, 1, 34 + shift)])
        found = successions(days, period).to_pyarrow().to_pylist()
        assert [(row["user"], row["start"] - shift, row["end"] - shift) for row in found] == [(0, 30, 33)]


def test_totals_count_distinct_days_and_users():
    totals = item_counts(table([(0, 1, 3), (0, 1, 3), (0, 1, 4), (1, 1, 3), (1, 2, 3)])).to_pyarrow().to_pandas()
    assert {(r.item, r.days, r.users) for r in totals.itertuples()} == {(1, 3, 2), (2, 1, 1)}


@pytest.mark.parametrize("time", [3.0, 3.999])
def test_a_day_is_the_whole_part_of_its_time(time):
    days = whole_days(ibis.memtable(pa.table({"user": [0], "item": [1], "time": [time]})))
    assert days.to_pyarrow().to_pylist() == [{"user": 0, "item": 1, "day": 3}]
    before = whole_days(ibis.memtable(pa.table({"user": [0], "item": [1], "time": [-0.5]})))
    assert np.asarray(before.to_pyarrow()["day"]).tolist() == [-1]
