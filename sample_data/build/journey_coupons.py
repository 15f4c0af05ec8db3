"""Build one row per coupon campaign and household that received it (delayed feedback).

Exposure is the campaign's start, conversion the household's first redemption. Features
use only days before the exposure; the visit and engagement days come strictly after it.
"""

from __future__ import annotations

import pandas as pd
from journey_source import FIRST_DAY, LAST_DAY, Frame

HISTORY_DAYS = 60
LONGEST_GAP_DAYS = 90
DEMOGRAPHICS = (
    "age",
    "income",
    "home_ownership",
    "marital_status",
    "household_size",
    "household_comp",
    "kids_count",
)
KEY = ["campaign_id", "household_id"]
COLUMNS = (
    "exposure_id",
    "unit",
    "segment",
    "campaign",
    "exposure_time",
    "engagement_time",
    "visit_time",
    "conversion_time",
    "window_days",
    "trips_60d",
    "spend_60d",
    "retail_discount_60d",
    "coupon_discount_60d",
    "days_since_visit",
    "listed_purchase_days_60d",
    "listed_spend_60d",
    "listed_products",
    "prior_campaigns",
    "prior_redemptions",
    "prior_coupon_discount",
    *DEMOGRAPHICS,
)
COUNTS = (
    "trips_60d",
    "days_since_visit",
    "listed_purchase_days_60d",
    "listed_products",
    "prior_campaigns",
    "prior_redemptions",
)


def exposures(campaigns: Frame, descriptions: Frame) -> Frame:
    """Return household x campaign rows of the campaigns that lie wholly inside 2017."""
    inside = descriptions[(descriptions["start_date"] >= FIRST_DAY) & (descriptions["end_date"] <= LAST_DAY)]
    rows = campaigns.merge(inside, on="campaign_id")
    rows["segment"] = rows["campaign_type"].str.removeprefix("Type ").str.strip()
    rows["window_days"] = (rows["end_date"] - rows["start_date"]).dt.days
    return rows.sort_values(KEY, ignore_index=True)


def first_redemption(rows: Frame, redemptions: Frame) -> pd.Series:
    """Return the day of the first redemption per exposure, missing without one."""
    first = redemptions.groupby(KEY)["redemption_date"].min().rename("conversion_time")
    return rows[KEY].join(first, on=KEY)["conversion_time"]


def first_after(rows: Frame, events: Frame) -> pd.Series:
    """Return the first event strictly after the exposure day and up to the campaign's end.

    ``events`` has the columns household_id and date, and campaign_id if events belong to one.
    """
    keys = [key for key in KEY if key in events]
    pairs = rows[[*KEY, "start_date", "end_date"]].merge(events, on=keys)
    inside = pairs[(pairs["date"] > pairs["start_date"]) & (pairs["date"] <= pairs["end_date"])]
    first = inside.groupby(KEY)["date"].min()
    return rows[KEY].join(first, on=KEY)["date"]


def before(rows: Frame, events: Frame, *, days: int | None) -> Frame:
    """Return the events of each exposure strictly before it, at most ``days`` days back."""
    keys = [key for key in KEY if key in events]
    pairs = rows[[*KEY, "start_date"]].merge(events, on=keys)
    age = (pairs["start_date"] - pairs["date"]).dt.days
    past = age > 0 if days is None else (age > 0) & (age <= days)
    return pairs[past].assign(age=age[past])


def listed_lines(transactions: Frame, coupons: Frame) -> Frame:
    """Return the transaction lines of products that a campaign's coupons cover."""
    listed = coupons[["campaign_id", "product_id"]].drop_duplicates()
    columns = ["household_id", "product_id", "date", "sales_value"]
    return transactions[columns].merge(listed, on="product_id")


def shopping_features(rows: Frame, transactions: Frame) -> Frame:
    """Return trips, spend and discounts of the 60 days before each exposure."""
    past = before(rows, transactions, days=HISTORY_DAYS).groupby(KEY)
    table = pd.DataFrame(
        {
            "trips_60d": past["basket_id"].nunique(),
            "spend_60d": past["sales_value"].sum().round(2),
            "retail_discount_60d": past["retail_disc"].sum().round(2),
            "coupon_discount_60d": past["coupon_disc"].sum().round(2),
        }
    )
    return rows[KEY].join(table, on=KEY)[list(table.columns)].fillna(0.0)


def listed_features(rows: Frame, listed: Frame, coupons: Frame) -> Frame:
    """Return past purchases of coupon-listed products and how many products are listed."""
    events = listed[listed["campaign_id"].isin(rows["campaign_id"])]
    past = before(rows, events, days=HISTORY_DAYS).groupby(KEY)
    table = pd.DataFrame(
        {
            "listed_purchase_days_60d": past["date"].nunique(),
            "listed_spend_60d": past["sales_value"].sum().round(2),
        }
    )
    found = rows[KEY].join(table, on=KEY)[list(table.columns)].fillna(0.0)
    size = coupons.groupby("campaign_id")["product_id"].nunique()
    return found.assign(listed_products=rows["campaign_id"].map(size))


def coupon_history(rows: Frame, *, campaigns: Frame, redemptions: Frame, lines: Frame) -> Frame:
    """Return earlier campaigns, redemptions and coupon discount since 1 January 2017.

    A redemption counts once per household, day and coupon; earlier campaigns count by start.
    """
    dated = redemptions.rename(columns={"redemption_date": "date"})[["household_id", "date"]]
    starts = campaigns.rename(columns={"start_date": "date"})[["household_id", "date"]]
    couponed = lines.loc[lines["coupon_disc"] > 0, ["household_id", "date", "coupon_disc"]]
    table = pd.DataFrame(
        {
            "prior_campaigns": before(rows, starts, days=None).groupby(KEY).size(),
            "prior_redemptions": before(rows, dated, days=None).groupby(KEY).size(),
            "prior_coupon_discount": before(rows, couponed, days=None).groupby(KEY)["coupon_disc"].sum().round(2),
        }
    )
    return rows[KEY].join(table, on=KEY)[list(table.columns)].fillna(0.0)


def days_since_visit(rows: Frame, visits: Frame) -> pd.Series:
    """Return days from the last visit to the exposure; 90 stands for 90 or more and for none."""
    age = before(rows, visits, days=LONGEST_GAP_DAYS).groupby(KEY)["age"].min()
    return rows[KEY].join(age, on=KEY)["age"].fillna(LONGEST_GAP_DAYS)


def demographic_columns(rows: Frame, demographics: Frame) -> Frame:
    """Return the seven demographic columns; "unknown" for households without them."""
    table = demographics.set_index("household_id")[list(DEMOGRAPHICS)]
    return rows[["household_id"]].join(table, on="household_id")[list(DEMOGRAPHICS)].fillna("unknown")


def build_coupons(tables: dict[str, Frame], transactions: Frame) -> Frame:
    """Return the exposure table of all campaigns inside 2017."""
    descriptions, coupons = tables["campaign_descriptions"], tables["coupons"]
    rows = exposures(tables["campaigns"], descriptions)
    visits = transactions[["household_id", "date"]].drop_duplicates()
    listed = listed_lines(transactions, coupons)
    started = tables["campaigns"].merge(descriptions, on="campaign_id")
    redemptions = tables["coupon_redemptions"]
    code = rows["campaign_id"].astype(str).str.zfill(2)
    rows["exposure_id"] = "c" + code + "-h" + rows["household_id"].astype(str)
    rows["engagement_time"] = first_after(rows, listed)
    rows["visit_time"] = first_after(rows, visits)
    rows["conversion_time"] = first_redemption(rows, redemptions)
    rows["days_since_visit"] = days_since_visit(rows, visits)
    features = [
        shopping_features(rows, transactions),
        listed_features(rows, listed, coupons),
        coupon_history(rows, campaigns=started, redemptions=redemptions, lines=transactions),
        demographic_columns(rows, tables["demographics"]),
    ]
    named = rows.rename(columns={"household_id": "unit", "campaign_id": "campaign", "start_date": "exposure_time"})
    whole = pd.concat([named, *features], axis=1)[list(COLUMNS)]
    return whole.astype(dict.fromkeys(COUNTS, int))
