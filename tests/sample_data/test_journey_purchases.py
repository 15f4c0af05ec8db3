"""Weekly arrays: nothing of the current week in its history."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def purchases(script):
    return script("journey_purchases")


@pytest.fixture
def panel(purchases):
    """Three households, 53 weeks, two categories; household 0 visits in weeks 18, 19, 20 and 53."""
    rng = np.random.default_rng(4)
    trips = rng.integers(0, 3, size=(3, 53)).astype(float)
    trips[0] = 0
    trips[0, [17, 18, 19, 52]] = 1
    bought = (rng.random((3, 53, 2)) < 0.4) * (trips > 0)[:, :, None]
    bought = bought.astype(float)
    return purchases.Panel(
        households=np.array([11, 12, 13]),
        categories=["EGGS", "TEAS"],
        bought=bought,
        spent=2.0 * bought,
        discounted=bought,
        trips=trips,
        basket=5.0 * trips,
    )


@pytest.mark.parametrize(
    ("weeks", "expected"), [(1, [0, 1, 2, 4]), (2, [0, 1, 3, 6]), (None, [0, 1, 3, 7])], ids=["last", "two", "all"]
)
def test_a_past_sum_excludes_the_current_week(purchases, weeks, expected):
    assert purchases.past_sum(np.array([[1.0, 2.0, 4.0, 8.0]]), weeks=weeks).tolist() == [expected]


def test_a_past_sum_runs_along_weeks_for_each_category(purchases):
    weekly = np.array([[[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]]])
    assert purchases.past_sum(weekly, weeks=1).tolist() == [[[0, 0], [1, 10], [2, 20]]]


def test_weeks_since_start_at_one_and_at_52_without_an_event(purchases):
    weekly = np.array([[0.0, 3.0, 0.0, 0.0, 1.0]])
    assert purchases.weeks_since(weekly).tolist() == [[52, 52, 1, 2, 3]]


def test_evidence_counts_bought_and_visited_weeks_before(purchases, panel):
    cells = np.array([(h, w, c) for h in range(3) for w in (0, 5, 19, 52) for c in (0, 1)])
    at = tuple(cells.T)
    columns = purchases.evidence_columns(panel, at)
    for row, (h, w, c) in enumerate(zip(*at, strict=True)):
        for name, reach in (("4", 4), ("8", 8), ("all", 53)):
            past = range(max(0, w - reach), w)
            assert columns[f"k_{name}"][row] == sum(panel.bought[h, week, c] for week in past)
            assert columns[f"n_{name}"][row] == sum(panel.trips[h, week] > 0 for week in past)


def test_history_does_not_change_with_the_current_week_or_later(purchases, panel):
    at = (np.array([1]), np.array([30]), np.array([1]))
    before = purchases.history_columns(panel, at) | purchases.evidence_columns(panel, at)
    for weekly in (panel.bought, panel.spent, panel.discounted, panel.trips, panel.basket):
        weekly[:, 30:] = 7.0
    after = purchases.history_columns(panel, at) | purchases.evidence_columns(panel, at)
    assert {name: float(value[0]) for name, value in before.items()} == {
        name: float(value[0]) for name, value in after.items()
    }
    panel.bought[:, 29] = 1.0 - panel.bought[:, 29]
    changed = purchases.history_columns(panel, at)
    assert changed["bought_last_week"][0] != before["bought_last_week"][0]


def test_rows_are_distinct_visited_weeks_from_20_to_52(purchases, panel):
    household, week, category = purchases.sample_rows(panel, n_rows=10_000, rng=np.random.default_rng(1))
    visited = panel.trips[:, 19:52] > 0
    assert len(household) == 2 * visited.sum()
    assert len(set(zip(household, week, category, strict=True))) == len(household)
    assert set(week[household == 0]) == {19}
    assert (panel.trips[household, week] > 0).all()


def test_a_sample_repeats_with_its_seed(purchases, panel):
    first, again, other = (
        purchases.sample_rows(panel, n_rows=20, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_the_home_store_is_the_most_visited_before_week_20(purchases):
    visits = [(1, 5, 3, 1), (1, 5, 4, 2), (1, 6, 5, 3), (1, 6, 20, 4), (1, 6, 21, 5), (2, 9, 3, 6), (2, 5, 30, 7)]
    transactions = pd.DataFrame(visits, columns=["household_id", "store_id", "week", "basket_id"])
    assert purchases.home_stores(transactions, np.array([5, 6])).to_dict() == {1: 5}


def test_promotions_are_counted_by_kind(purchases):
    products = pd.DataFrame(
        {
            "product_id": [1, 2, 3],
            "department": ["GROCERY", "GROCERY", "FUEL"],
            "product_category": ["TEAS", "TEAS", "TEAS"],
            "product_type": ["A", "B", "C"],
        }
    )
    promotions = pd.DataFrame(
        {
            "product_id": [1, 2, 2, 3],
            "store_id": [5, 5, 5, 5],
            "week": [20, 20, 21, 20],
            "mailer_location": ["A", "D", "0", "D"],
            "display_location": ["0", "3", "3", "3"],
        }
    )
    offers = purchases.store_promotions(promotions, products, ["TEAS"])
    # Page A is inside the mailer, D is its front.
    assert offers.to_numpy().tolist() == [[5, 20, "TEAS", 2, 1, 1], [5, 21, "TEAS", 0, 0, 1]]


def grocery_year() -> pd.DataFrame:
    """Household 1 shops once a week and buys tea every other week; household 2 shops too rarely."""
    rows = [(1, 5, 100 + week, week, 7 if week % 2 else 8) for week in range(1, 53)] + [(2, 5, 1, 20, 7)]
    frame = pd.DataFrame(rows, columns=["household_id", "store_id", "basket_id", "week", "product_id"])
    return frame.assign(sales_value=1.5, retail_disc=0.5)


def test_the_whole_table_from_a_hand_made_year(purchases):
    transactions = grocery_year()
    category = {7: "TEAS", 8: "EGGS"}
    lines = transactions.assign(product_category=transactions["product_id"].map(category))
    panel = purchases.build_panel(transactions, lines)
    assert panel.households.tolist() == [1]
    products = pd.DataFrame(
        {"product_id": [7, 8], "department": "GROCERY", "product_category": ["TEAS", "EGGS"], "product_type": "X"}
    )
    promotions = pd.DataFrame(
        {"product_id": [7], "store_id": [5], "week": [21], "mailer_location": ["D"], "display_location": ["0"]}
    )
    demographics = pd.DataFrame({"household_id": [99], **dict.fromkeys(purchases.DEMOGRAPHICS, "x")})
    tables = {
        "transactions": transactions,
        "promotions": promotions,
        "products": products,
        "demographics": demographics,
    }
    table = purchases.build_purchases(tables, panel, n_rows=1000, seed=0)
    assert len(table) == 33 * 2
    row = table[(table["week"] == 21) & (table["category"] == "TEAS")].iloc[0]
    assert (row["unit"], row["label"], row["bought_last_week"], row["weeks_since_purchase"]) == (1, 1, 0, 2)
    assert (row["k_4"], row["n_4"], row["k_8"], row["n_8"], row["k_all"], row["n_all"]) == (2, 4, 4, 8, 10, 20)
    assert (row["spend_per_purchase"], row["discount_share"], row["basket_spend_4w"]) == (1.5, 1.0, 6.0)
    assert (row["mailer_items"], row["feature_items"], row["display_items"], row["home_store_known"]) == (1, 1, 0, 1)
    assert row["age"] == "unknown"
    assert table["mailer_items"].sum() == 1
    assert (table["label"] == ((table["week"] % 2 == 1) == (table["category"] == "TEAS"))).all()
