"""What is before, on and after an exposure, on two households and one campaign of ten days."""

from __future__ import annotations

import pandas as pd
import pytest


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(f"2017-{text}")


@pytest.fixture
def coupons(script):
    return script("journey_coupons")


@pytest.fixture
def rows():
    """Campaign 1 from 10 to 20 May for households 1 and 2."""
    return pd.DataFrame(
        {
            "campaign_id": [1, 1],
            "household_id": [1, 2],
            "start_date": [day("05-10")] * 2,
            "end_date": [day("05-20")] * 2,
        }
    )


def events(*pairs: tuple[int, str]) -> pd.DataFrame:
    return pd.DataFrame({"household_id": [h for h, _ in pairs], "date": [day(text) for _, text in pairs]})


def test_campaigns_that_reach_over_the_year_are_left_out(coupons):
    descriptions = pd.DataFrame(
        {
            "campaign_id": [1, 2, 3, 4],
            "campaign_type": ["Type A", "Type B", "Type C", "Type B"],
            "start_date": pd.to_datetime(["2017-01-01", "2016-12-31", "2017-12-01", "2017-06-01"]),
            "end_date": pd.to_datetime(["2017-12-31", "2017-02-01", "2018-01-01", "2017-07-08"]),
        }
    )
    campaigns = pd.DataFrame({"campaign_id": [4, 1, 2, 3, 1], "household_id": [9, 8, 8, 8, 7]})
    kept = coupons.exposures(campaigns, descriptions)
    assert kept[["campaign_id", "household_id", "segment", "window_days"]].to_numpy().tolist() == [
        [1, 7, "A", 364],
        [1, 8, "A", 364],
        [4, 9, "B", 37],
    ]


def test_the_first_event_is_strictly_after_the_exposure_and_inside_the_window(coupons, rows):
    seen = events((1, "05-09"), (1, "05-10"), (1, "05-15"), (1, "05-12"), (2, "05-21"))
    first = coupons.first_after(rows, seen)
    assert first.iloc[0] == day("05-12")
    assert pd.isna(first.iloc[1])
    assert coupons.first_after(rows, events((2, "05-20"))).iloc[1] == day("05-20")


def test_events_of_another_campaign_do_not_count(coupons, rows):
    seen = events((1, "05-12"), (1, "05-14")).assign(campaign_id=[2, 1])
    assert coupons.first_after(rows, seen).iloc[0] == day("05-14")


def test_history_excludes_the_day_of_the_exposure_and_ends_at_its_window(coupons, rows):
    seen = events((1, "05-10"), (1, "05-09"), (1, "03-11"), (1, "03-10"), (1, "05-11"))
    assert sorted(coupons.before(rows, seen, days=60)["age"]) == [1, 60]
    assert sorted(coupons.before(rows, seen, days=None)["age"]) == [1, 60, 61]


def test_the_first_redemption_of_the_own_campaign_converts(coupons, rows):
    redemptions = pd.DataFrame(
        {
            "campaign_id": [1, 1, 2],
            "household_id": [1, 1, 2],
            "redemption_date": [day("05-18"), day("05-13"), day("05-12")],
        }
    )
    first = coupons.first_redemption(rows, redemptions)
    assert first.iloc[0] == day("05-13")
    assert pd.isna(first.iloc[1])


def test_days_since_a_visit_are_capped(coupons, rows):
    seen = events((1, "05-03"), (1, "04-01"), (1, "05-10"), (2, "01-05"))
    assert coupons.days_since_visit(rows, seen).tolist() == [7, 90]


@pytest.fixture
def tables():
    return {
        "campaigns": pd.DataFrame({"campaign_id": [1, 1, 2], "household_id": [1, 2, 1]}),
        "campaign_descriptions": pd.DataFrame(
            {
                "campaign_id": [1, 2],
                "campaign_type": ["Type A", "Type B"],
                "start_date": [day("05-10"), day("03-01")],
                "end_date": [day("05-20"), day("04-01")],
            }
        ),
        "coupons": pd.DataFrame({"campaign_id": [1, 1, 2], "product_id": [100, 100, 200], "coupon_upc": [5, 6, 7]}),
        "coupon_redemptions": pd.DataFrame(
            {
                "household_id": [1, 1],
                "campaign_id": [2, 1],
                "coupon_upc": [7, 5],
                "redemption_date": [day("03-05"), day("05-14")],
            }
        ),
        "demographics": pd.DataFrame(
            {
                "household_id": [1],
                "age": ["65+"],
                "income": ["250K+"],
                "home_ownership": [None],
                "marital_status": ["Married"],
                "household_size": ["2"],
                "household_comp": ["2 Adults No Kids"],
                "kids_count": ["0"],
            }
        ),
    }


@pytest.fixture
def lines():
    """Household 1 on 5 March, 1 and 10 May (the day of the exposure) and 14 May; household 2 never."""
    return pd.DataFrame(
        {
            "household_id": [1, 1, 1, 1, 1],
            "basket_id": [10, 11, 11, 12, 13],
            "product_id": [200, 100, 300, 100, 100],
            "date": [day("03-05"), day("05-01"), day("05-01"), day("05-10"), day("05-14")],
            "sales_value": [3.0, 2.5, 4.0, 50.0, 60.0],
            "retail_disc": [0.0, 0.5, 0.25, 9.0, 9.0],
            "coupon_disc": [1.0, 0.0, 0.75, 9.0, 9.0],
        }
    )


def test_the_exposure_table_knows_nothing_of_the_day_of_exposure_or_later(coupons, tables, lines):
    table = coupons.build_coupons(tables, lines)
    assert tuple(table.columns) == coupons.COLUMNS
    first = table.set_index("exposure_id").loc["c01-h1"]
    assert first["unit"] == 1
    assert first["segment"] == "A"
    assert first["window_days"] == 10
    assert first["conversion_time"] == day("05-14")
    assert first["engagement_time"] == first["visit_time"] == day("05-14")
    # The 60 days before 10 May hold one basket of two lines; 5 March is 66 days back.
    history = first[["trips_60d", "spend_60d", "retail_discount_60d", "coupon_discount_60d"]]
    assert history.tolist() == [1, 6.5, 0.75, 0.75]
    assert first["days_since_visit"] == 9
    assert (first["listed_purchase_days_60d"], first["listed_spend_60d"], first["listed_products"]) == (1, 2.5, 1)
    assert (first["prior_campaigns"], first["prior_redemptions"], first["prior_coupon_discount"]) == (1, 1, 1.75)
    assert (first["age"], first["home_ownership"]) == ("65+", "unknown")


def test_a_household_without_history_has_zeros_and_unknowns(coupons, tables, lines):
    quiet = coupons.build_coupons(tables, lines).set_index("exposure_id").loc["c01-h2"]
    assert quiet[["conversion_time", "engagement_time", "visit_time"]].isna().all()
    assert quiet[["trips_60d", "spend_60d", "listed_purchase_days_60d", "prior_redemptions"]].tolist() == [0, 0, 0, 0]
    assert quiet["days_since_visit"] == 90
    assert (quiet[list(coupons.DEMOGRAPHICS)] == "unknown").all()
