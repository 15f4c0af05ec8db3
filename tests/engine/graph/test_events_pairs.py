"""Lift, time order and their errors against loops, pooled and in each half of the users."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from engine.graph.events import edges_from_events
from engine.graph.events_pairs import Pairs
from engine.seeding import generator

WINDOW, REACH, SEED = 5, 2, 4
FIRST, LAST = WINDOW, 39 - WINDOW


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """Nine users, five items, forty days; the table opens on day 0 and closes on day 39."""
    rng = np.random.default_rng(8)
    rows = [(f"user {rng.integers(9)}", "abcde"[rng.integers(5)], int(rng.integers(40))) for _ in range(160)]
    rows += [("user 0", "a", 0), ("user 1", "b", 39)]
    return pd.DataFrame(rows, columns=["user", "item", "time"])


@pytest.fixture(scope="module")
def edges(events) -> pd.DataFrame:
    return edges_from_events(
        events, window_days=WINDOW, baseline_days=REACH, minimum_users=1, top=9, minimum_score=0.0, seed=SEED
    )


class Loops:
    """Everything about a set of users, one occasion at a time."""

    def __init__(self, events: pd.DataFrame, users: list[str]) -> None:
        self.users = users
        taken = defaultdict(set)
        for row in events.itertuples():
            if row.user in users:
                taken[row.user, row.time].add(row.item)
        self.taken = {key: items for key, items in taken.items() if FIRST <= key[1] <= LAST}
        self.after, self.before = {}, {}
        for user, day in self.taken:
            for found, step in ((self.after, 1), (self.before, -1)):
                reached = (taken.get((user, day + step * k), set()) for k in range(1, WINDOW + 1))
                found[user, day] = set().union(*reached)

    def count(self, u: str, v: str, near: dict, user: str | None = None) -> int:
        """Occasions of U near V, of all users or of one."""
        return sum(u in own and v in near[key] for key, own in self.taken.items() if user in (None, key[0]))

    def expected(self, u: str, v: str, near: dict) -> float:
        """Occasions of U near V, were V as usual on the days close by."""
        total = 0.0
        for (_, day), own in self.taken.items():
            if u in own:
                close = [v in near[key] for key in self.taken if abs(key[1] - day) <= REACH]
                total += sum(close) / len(close)
        return total

    def order(self, u: str, v: str) -> tuple[float, float]:
        """Time order of U and V and its standard error."""
        there = [self.count(u, v, self.after, user) + self.count(v, u, self.before, user) for user in self.users]
        back = [self.count(v, u, self.after, user) + self.count(u, v, self.before, user) for user in self.users]
        x, y = sum(there) + 0.5, sum(back) + 0.5
        usual_x = self.expected(u, v, self.after) + self.expected(v, u, self.before) + 0.5
        usual_y = self.expected(v, u, self.after) + self.expected(u, v, self.before) + 0.5
        pairs = [*zip(there, back, strict=True), (0.5, 0.5)]
        return np.log(x / y) - np.log(usual_x / usual_y), np.sqrt(sum((a / x - b / y) ** 2 for a, b in pairs))


@pytest.fixture(scope="module")
def loops(events) -> list[Loops]:
    """The first half of the users, the second, and all."""
    names = sorted(set(events["user"]))
    code = generator(SEED, "graph", "events", "halves").permutation(len(names))
    halves = [[name for name, place in zip(names, code, strict=True) if place % 2 == half] for half in (0, 1)]
    return [Loops(events, users) for users in (*halves, names)]


def test_there_is_an_edge_for_every_pair_that_ever_follows(edges, loops):
    followed = {(u, v) for u in "abcde" for v in "abcde" if u != v and loops[2].count(u, v, loops[2].after)}
    assert set(zip(edges["source"], edges["target"], strict=True)) == followed
    assert len(followed) > 15


def test_lifts_are_those_of_the_loops_in_all_users_and_in_each_half(edges, loops):
    for row in edges.itertuples():
        for name, part in (("lift_first", loops[0]), ("lift_second", loops[1]), ("lift", loops[2])):
            usual = part.expected(row.source, row.target, part.after)
            value = part.count(row.source, row.target, part.after) / usual if usual else np.nan
            assert getattr(row, name) == pytest.approx(value, abs=6e-4, nan_ok=True)


def test_time_orders_and_errors_are_those_of_the_loops(edges, loops):
    for row in edges.itertuples():
        orders = [part.order(row.source, row.target) for part in loops]
        found = (row.time_order_first, row.time_order_second, row.time_order)
        assert found == pytest.approx([order for order, _ in orders], abs=6e-4)
        assert row.time_order_se == pytest.approx(orders[2][1], abs=6e-4)
        first, second = (order / error for order, error in orders[:2])
        same = min(abs(first), abs(second)) > 1.96 and first * second > 0
        assert row.direction_replicates == same


def test_the_asymmetry_has_the_users_as_units(edges, loops):
    everybody = loops[2]
    for row in edges.itertuples():
        u, v = row.source, row.target
        there = [everybody.count(u, v, everybody.after, user) for user in everybody.users]
        back = [everybody.count(v, u, everybody.after, user) for user in everybody.users]
        x, y = sum(there) + 0.5, sum(back) + 0.5
        pairs = [*zip(there, back, strict=True), (0.5, 0.5)]
        wanted = np.sqrt(sum((a / x - b / y) ** 2 for a, b in pairs))
        assert row.asymmetry_se == pytest.approx(wanted, abs=6e-4)


def one_pair(**values: float) -> Pairs:
    """Return one pair of items both ways, with the same numbers in each half and both together."""
    names = ("users", "followed", "preceded", "expected", "expected_preceded", "expected_all_year", "source_days")
    given = {name: np.full((3, 2), values.get(name, 10.0)) for name in names}
    return Pairs(
        source=np.array([0, 1]),
        target=np.array([1, 0]),
        order_variance=np.ones((3, 2)),
        asymmetry_variance=np.ones(2),
        **given,
    )


@pytest.mark.parametrize("users", [1, 15, 400])
def test_the_score_is_the_lift_that_the_fewest_plausible_users_would_leave(users):
    score = one_pair(users=users, followed=30.0, expected=10.0).score[0, 0]
    # With so many users expected, as many as there are or more come in one case of twenty.
    fewest = score / 3 * users
    assert poisson.sf(users - 1, fewest) == pytest.approx(0.05)
    assert one_pair(users=0).score[0, 0] == 0


def test_the_season_share_lies_between_nothing_and_everything():
    shares = {
        expected: one_pair(followed=20.0, expected=expected, expected_all_year=10.0).season_share[0, 0]
        for expected in (8.0, 10.0, 12.5, 20.0, 26.0)
    }
    assert shares == {8.0: 0, 10.0: 0, 12.5: 0.25, 20.0: 1, 26.0: 1}
    # Without an excess over the year there is nothing to explain.
    assert one_pair(followed=9.0, expected=12.0, expected_all_year=10.0).season_share[0, 0] == 0
