"""Counts of "V on a later day within 30 days" on two households, and the lift by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

U, V, W = 0, 1, 2
ITEMS = 3

# Household 1 buys U on day 40 and 100, V on day 40 and 70, W on day 335.
# Household 2 buys U on day 10 and 333, V on day 15 and 364.
DAYS = pd.DataFrame(
    [(1, 40, U), (1, 40, V), (1, 70, V), (1, 100, U), (1, 335, W), (2, 10, U), (2, 15, V), (2, 333, U), (2, 364, V)],
    columns=["household_id", "day", "item"],
)


@pytest.fixture
def graph(script):
    return script("journey_graph")


@pytest.fixture
def counts(graph):
    return graph.count_pairs(DAYS, ITEMS)


def test_a_followed_day_needs_a_later_day_within_thirty_and_two_whole_windows(counts):
    # Day 40: V again on day 70, exactly 30 days later. The V of day 40 itself is not later. Day 100: nothing after.
    # Day 10 has no whole window before it; from day 333 to V on day 364 are 31 days.
    assert counts.followed[U, V] == 1
    assert counts.followed[V, V] == 1
    assert counts.followed[V, U] == 1
    assert counts.followed[U, U] == 0


def test_a_preceded_day_looks_back_thirty_days(counts):
    # U on day 100 has V on day 70 before it; V on day 70 has U and V on day 40.
    assert counts.preceded[U, V] == 1
    assert counts.preceded[V, U] == 1
    assert counts.preceded[V, V] == 1


def test_days_at_either_end_of_the_year_count_nowhere(counts):
    assert counts.shopping_days.sum() == 4
    assert np.flatnonzero(counts.shopping_days).tolist() == [40, 70, 100, 333]
    assert counts.source_days[:, W].sum() == 0
    assert counts.source_days[:, U].sum() == 3


def test_households_count_once(graph):
    twice = pd.DataFrame(
        [(7, 40, U), (7, 45, U), (7, 50, V), (8, 60, U), (8, 61, V)], columns=["household_id", "day", "item"]
    )
    counts = graph.count_pairs(twice, ITEMS)
    assert counts.followed[U, V] == 3
    assert counts.households[U, V] == 2


def test_an_item_code_out_of_range_is_refused(graph):
    with pytest.raises(ValueError, match="Item code 2 is not below 2"):
        graph.count_pairs(pd.DataFrame({"household_id": [1], "day": [40], "item": [2]}), 2)


def test_the_lift_compares_with_days_close_by(graph):
    # Days 50 and 53 are within 3 days, day 54 sees only day 53. Household 1 and 2 buy U on day 50, V follows for 1;
    # households 3 and 4 shop on days 53 and 54, V follows for 3.
    rows = [(1, 50, U), (1, 60, V), (2, 50, U), (3, 53, W), (3, 60, V), (4, 54, W)]
    counts = graph.count_pairs(pd.DataFrame(rows, columns=["household_id", "day", "item"]), ITEMS)
    baseline = graph.calendar_baseline(counts)
    # Within 3 days of day 50 lie the days of households 1, 2 and 3: V follows two of the three.
    assert baseline[50, V] == pytest.approx(2 / 3)
    # Within 3 days of day 54: households 3 and 4.
    assert baseline[54, V] == pytest.approx(1 / 2)
    expected = graph.expected_by_calendar(counts)
    assert expected[U, V] == pytest.approx(2 * 2 / 3)
    # Day 53 sees all four households, day 54 two of them: V follows half of them both times.
    assert expected[W, V] == pytest.approx(1 / 2 + 1 / 2)
    assert graph.divide(counts.followed, expected)[U, V] == pytest.approx(1 / (4 / 3))
    # Over the year: V follows 2 of 6 shopping days, two of them days of V itself.
    assert graph.expected_all_year(counts)[U, V] == pytest.approx(2 * 2 / 6)


def test_the_season_share_is_the_explained_part_of_the_excess(graph):
    share = graph.season_share(np.array([10.0, 10.0, 10.0, 3.0]), np.array([7.0, 2.0, 12.0, 4.0]), np.full(4, 4.0))
    assert share.tolist() == [0.5, 0.0, 1.0, 0.0]


@pytest.mark.parametrize("count", [1, 15, 200])
def test_the_lower_bound_has_five_percent_above_the_count(graph, count):
    rate = float(graph.poisson_lower_factor(np.array([float(count)]))[0]) * count
    below = sum(math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)) for k in range(count))
    assert 1 - below == pytest.approx(0.05, abs=1e-9)


def test_no_count_has_no_lower_bound(graph):
    assert graph.poisson_lower_factor(np.zeros(1)).tolist() == [0.0]


def planted(households: int) -> pd.DataFrame:
    """U is followed by V in each household; as many other households buy W and nothing after it."""
    rows = [(h, day, item) for h in range(households) for day, item in ((100, U), (110, V))]
    rows += [(1000 + h, day, W) for h in range(3 * households) for day in (100, 111)]
    return pd.DataFrame(rows, columns=["household_id", "day", "item"])


def test_a_planted_relation_is_an_edge_and_its_reverse_is_not(graph):
    edges = graph.top_edges(graph.count_pairs(planted(20), ITEMS), ["u", "v", "w"])
    assert edges[["source", "target"]].to_numpy().tolist() == [["u", "v"]]
    edge = edges.iloc[0]
    assert (edge["households"], edge["days_followed"], edge["days_preceded"]) == (20, 20, 0)
    # 20 of the 80 households shopping on day 100 buy V later.
    assert edge["lift"] == pytest.approx(20 / (20 * 20 / 80))
    assert edge["reverse_lift"] == 0


def test_an_edge_needs_fifteen_households(graph):
    names = ["u", "v", "w"]
    assert len(graph.top_edges(graph.count_pairs(planted(14), ITEMS), names)) == 0
    assert len(graph.top_edges(graph.count_pairs(planted(15), ITEMS), names)) == 1


def test_each_source_keeps_its_best_targets(graph):
    # Targets 1 to 4 follow U in fewer and fewer households.
    rows = [(h, 100, U) for h in range(80)]
    rows += [(h, 105, item) for item in range(1, 5) for h in range(80 - 10 * item)]
    rows += [(500 + h, day, 5) for h in range(300) for day in (100, 200)]
    counts = graph.count_pairs(pd.DataFrame(rows, columns=["household_id", "day", "item"]), 6)
    names = list("uabcdx")
    assert graph.top_edges(counts, names, top=2).query("source == 'u'")["target"].tolist() == ["a", "b"]


def test_item_days_are_distinct_and_skip_missing_names(graph):
    lines = pd.DataFrame(
        {"household_id": [1, 1, 1, 2], "day": [3, 3, 3, 4], "product_type": ["TEA", "TEA", None, "EGGS"]}
    )
    days, names = graph.item_days(lines, "product_type")
    assert names == ["EGGS", "TEA"]
    assert days.to_numpy().tolist() == [[1, 3, 1], [2, 4, 0]]


def test_a_node_has_its_main_department_and_counts_days_and_households(graph):
    lines = pd.DataFrame(
        {
            "household_id": [1, 1, 1, 2],
            "day": [3, 3, 9, 3],
            "product_type": ["TEA"] * 4,
            "department": ["GROCERY", "DELI", "GROCERY", "DELI"],
        }
    )
    table = graph.node_table(lines, "product_type", ["TEA"])
    # Two lines each: the first name in the alphabet decides.
    assert table.to_numpy().tolist() == [["TEA", "DELI", 3, 2]]
