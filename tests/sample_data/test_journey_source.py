"""The clock and the departments of the grocery panel."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.mark.parametrize(
    ("stamp", "date"),
    [
        ("2017-01-15 22:00:00", "2017-01-15"),
        ("2017-01-16 04:30:00", "2017-01-15"),
        ("2017-01-16 05:30:00", "2017-01-16"),
        ("2017-07-16 03:30:00", "2017-07-15"),
        ("2017-07-16 04:30:00", "2017-07-16"),
        ("2017-03-12 04:59:00", "2017-03-11"),
        ("2017-03-13 04:01:00", "2017-03-13"),
        ("2017-11-05 04:01:00", "2017-11-05"),
        ("2017-11-06 04:59:00", "2017-11-05"),
        ("2018-01-01 04:01:00", "2017-12-31"),
    ],
    ids=[
        "the busiest hour in UTC, an afternoon in the store",
        "late evening in winter",
        "after midnight in winter",
        "late evening in summer",
        "after midnight in summer, an hour earlier in UTC",
        "the evening before the clocks go forward",
        "the first midnight of summer time",
        "the last midnight of summer time",
        "the first evening of winter time",
        "the last stamp of the panel",
    ],
)
def test_a_stamp_in_utc_gives_the_date_in_the_store(script, stamp, date):
    local = script("journey_source").local_date(pd.Series([pd.Timestamp(stamp)]))
    assert local.iloc[0] == pd.Timestamp(date)


def test_the_repeated_hour_of_autumn_has_one_date(script):
    stamps = pd.Series(pd.to_datetime(["2017-11-05 05:30", "2017-11-05 06:30"]))
    assert (script("journey_source").local_date(stamps) == pd.Timestamp("2017-11-05")).all()


def test_days_count_from_the_first_of_january(script):
    dates = pd.Series(pd.to_datetime(["2017-01-01", "2017-12-31"]))
    assert script("journey_source").day_number(dates).tolist() == [0, 364]


def test_transactions_get_local_dates_and_lose_their_seconds(script):
    raw = pd.DataFrame({"basket_id": [1], "transaction_timestamp": [pd.Timestamp("2017-01-03 02:15:59")]})
    dated = script("journey_source").dated_transactions(raw)
    assert list(dated.columns) == ["basket_id", "date", "day"]
    assert dated["day"].tolist() == [1]


def test_products_outside_groceries_go_and_blanks_in_names_are_one(script):
    products = pd.DataFrame(
        {
            "department": ["GROCERY", "FUEL", "COUPON", "MISCELLANEOUS", "GROCERY"],
            "product_category": ["CHRISTMAS  SEASONAL ", "X", "X", "X", None],
            "product_type": [" TEA", "X", "X", "X", "TEA"],
        }
    )
    kept = script("journey_source").clean_products(products)
    assert kept["product_category"].iloc[0] == "CHRISTMAS SEASONAL"
    assert kept["product_type"].tolist() == ["TEA", "TEA"]
    assert kept["product_category"].isna().tolist() == [False, True]
