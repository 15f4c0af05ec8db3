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

from engine.graph.events_counts import Period, calendar_counts, item_counts, pair_counts, user_days, visit_counts

ITEMS = 4
NO_NODE = -1
rows = st.tuples(st.integers(0, 4), st.integers(NO_NODE, ITEMS - 1), st.integers(0, 14))


def table(events: list[tuple[int, int, int]]) -> ibis.Table:
    """Return the user-days of interactions of (user, item, day)."""
    user, item, day = (list(values) for values in zip(*events, strict=True))
    return user_days(ibis.memtable(pa.table({"user": user, "item": item, "time": pa.array(day, pa.float64())})))


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


@settings(max_examples=25, deadline=None)
@given(st.lists(rows, min_size=1, max_size=40), st.integers(1, 4), st.integers(1, 2))
def test_every_count_is_that_of_plain_loops(events, window, minimum_users):
    period = Period(first_day=window, last_day=14 - window, window_days=window)
    days, found = table(events), loops(events, period)
    counted = pair_counts(days, period, n_items=ITEMS, minimum_users=minimum_users).to_pyarrow().to_pandas()
    wanted = expected_pairs(found, minimum_users)
    assert set(counted["pair"]) == set(wanted)
    for row in counted.to_dict("records"):
        pair = int(row.pop("pair"))
        assert row == {name: wanted[pair][name] for name in row}
    calendar = calendar_counts(days, period).to_pyarrow().to_pandas()
    for name, source in (("own", "own"), ("followed", "after"), ("preceded", "before")):
        values = {(r.half, r.day, r.item): getattr(r, name) for r in calendar.itertuples() if getattr(r, name)}
        assert values == {key: value for key, value in found[source].items() if value}
    visits = visit_counts(days, period).to_pyarrow().to_pandas()
    assert {(r.half, r.day): r.visits for r in visits.itertuples()} == dict(found["visits"])


def test_pairs_of_items_with_too_few_users_are_never_joined():
    period = Period(first_day=2, last_day=12, window_days=2)
    days = table([(user, item, 5 + item) for user in range(3) for item in (0, 1)] + [(0, 2, 6)])
    counted = pair_counts(days, period, n_items=ITEMS, minimum_users=2).to_pyarrow().to_pandas()
    assert counted["pair"].tolist() == [1]


def test_totals_count_distinct_days_and_users():
    totals = item_counts(table([(0, 1, 3), (0, 1, 3), (0, 1, 4), (1, 1, 3), (1, 2, 3)])).to_pyarrow().to_pandas()
    assert {(r.item, r.days, r.users) for r in totals.itertuples()} == {(1, 3, 2), (2, 1, 1)}


@pytest.mark.parametrize("time", [3.0, 3.999])
def test_a_day_is_the_whole_part_of_its_time(time):
    days = user_days(ibis.memtable(pa.table({"user": [0], "item": [1], "time": [time]})))
    assert days.to_pyarrow().to_pylist() == [{"user": 0, "item": 1, "day": 3}]
    before = user_days(ibis.memtable(pa.table({"user": [0], "item": [1], "time": [-0.5]})))
    assert np.asarray(before.to_pyarrow()["day"]).tolist() == [-1]
