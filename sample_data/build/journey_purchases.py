"""Build household x visited week x category rows: the label says whether it was bought.

Every history column of week w uses weeks before w only; the mailer and display columns
describe week w itself at the household's home store (known when the mailer comes out).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from journey_coupons import DEMOGRAPHICS
from journey_source import Frame, clean_products
from numpy.typing import NDArray

N_WEEKS = 53
FIRST_WEEK, LAST_WEEK = 20, 52
MIN_TRIPS = 20
N_CATEGORIES = 100
LONGEST_GAP_WEEKS = 52
FEATURE_MAILER = ("D", "F", "H", "J", "L")
PRICE_COLUMNS = ("sales_value", "retail_disc")

Cube = NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """Weekly arrays; axis 0 household, axis 1 week 1..53 (index 0..52), axis 2 category."""

    households: NDArray[np.int64]
    categories: list[str]
    bought: Cube
    """1 if the category was bought in the week."""
    spent: Cube
    """Dollars spent on the category in the week."""
    discounted: Cube
    """1 if the category was bought with a retail discount in the week."""
    trips: Cube
    """Baskets of the household in the week (two axes)."""
    basket: Cube
    """Dollars the household spent in the week on everything (two axes)."""


def common_categories(lines: Frame) -> list[str]:
    """Return the categories bought by the most households, in alphabetical order."""
    reach = lines.groupby("product_category")["household_id"].nunique()
    ranked = reach.reset_index().sort_values(["household_id", "product_category"], ascending=[False, True])
    return sorted(ranked["product_category"].head(N_CATEGORIES))


def weekly_sum(rows: Frame, at: tuple[pd.Series, ...], shape: tuple[int, ...], value: str) -> Cube:
    """Return the sum of a column per cell; ``at`` holds one index series per axis."""
    cube = np.zeros(shape)
    np.add.at(cube, tuple(axis.to_numpy() for axis in at), rows[value].to_numpy(dtype=float))
    return cube


def build_panel(transactions: Frame, lines: Frame) -> Panel:
    """Return the weekly panel of the households with enough trips in the year."""
    baskets = transactions.groupby("household_id")["basket_id"].nunique()
    households = np.sort(baskets.index[baskets >= MIN_TRIPS].to_numpy())
    row_of = pd.Series(np.arange(len(households)), index=households)
    everything = transactions[transactions["household_id"].isin(households)]
    week_shape = (len(households), N_WEEKS)
    trips = everything.drop_duplicates(["household_id", "week", "basket_id"]).assign(one=1.0)
    week_axes = (trips["household_id"].map(row_of), trips["week"] - 1)
    spend_axes = (everything["household_id"].map(row_of), everything["week"] - 1)
    categories = common_categories(lines)
    column_of = pd.Series(np.arange(len(categories)), index=categories)
    kept = lines[lines["product_category"].isin(categories) & lines["household_id"].isin(households)]
    axes = (kept["household_id"].map(row_of), kept["week"] - 1, kept["product_category"].map(column_of))
    shape = (*week_shape, len(categories))
    kept = kept.assign(one=1.0, cut=(kept["retail_disc"] > 0).astype(float))
    return Panel(
        households=households,
        categories=categories,
        bought=np.minimum(weekly_sum(kept, axes, shape, "one"), 1.0),
        spent=weekly_sum(kept, axes, shape, "sales_value"),
        discounted=np.minimum(weekly_sum(kept, axes, shape, "cut"), 1.0),
        trips=weekly_sum(trips, week_axes, week_shape, "one"),
        basket=weekly_sum(everything, spend_axes, week_shape, "sales_value"),
    )


def past_sum(weekly: Cube, *, weeks: int | None) -> Cube:
    """Return, at each week, the sum over the ``weeks`` weeks before it (all if None)."""
    total = np.cumsum(weekly, axis=1)
    before = np.zeros_like(total)
    before[:, 1:] = total[:, :-1]
    if weeks is None:
        return before
    earlier = np.zeros_like(before)
    earlier[:, weeks:] = before[:, :-weeks]
    return before - earlier


def weeks_since(weekly: Cube) -> Cube:
    """Return the weeks since the last positive week before each week (52 without one)."""
    index = np.arange(1, weekly.shape[1] + 1).reshape(1, -1, *[1] * (weekly.ndim - 2))
    last = np.maximum.accumulate(np.where(weekly > 0, index, 0), axis=1)
    before = np.zeros_like(last)
    before[:, 1:] = last[:, :-1]
    return np.where(before > 0, index - before, LONGEST_GAP_WEEKS).astype(float)


def home_stores(transactions: Frame, stores: NDArray[np.int64]) -> pd.Series:
    """Return each household's most visited promoted store in the weeks before week 20."""
    seen = transactions[(transactions["week"] < FIRST_WEEK) & transactions["store_id"].isin(stores)]
    visits = seen.groupby(["household_id", "store_id"])["basket_id"].nunique().reset_index()
    ranked = visits.sort_values(["basket_id", "store_id"], ascending=[False, True])
    return ranked.drop_duplicates("household_id").set_index("household_id")["store_id"]


def store_promotions(promotions: Frame, products: Frame, categories: list[str]) -> Frame:
    """Return products in the mailer, on its prominent pages and on display, per store week."""
    category = clean_products(products).set_index("product_id")["product_category"]
    rows = promotions.assign(category=promotions["product_id"].map(category))
    rows = rows[rows["category"].isin(categories)]
    rows = rows.assign(
        mailer_items=rows["mailer_location"] != "0",
        feature_items=rows["mailer_location"].isin(FEATURE_MAILER),
        display_items=rows["display_location"] != "0",
    )
    counts = ["mailer_items", "feature_items", "display_items"]
    return rows.groupby(["store_id", "week", "category"])[counts].sum().reset_index()


def sample_rows(panel: Panel, *, n_rows: int, rng: np.random.Generator) -> tuple[NDArray, ...]:
    """Draw rows from all (household, visited week, category) triples; return sorted indices."""
    weeks = np.arange(1, N_WEEKS + 1)
    visited = (panel.trips > 0) & (weeks >= FIRST_WEEK) & (weeks <= LAST_WEEK)
    household, week = np.nonzero(visited)
    total = len(household) * len(panel.categories)
    drawn = np.sort(rng.choice(total, size=min(n_rows, total), replace=False))
    pair, category = np.divmod(drawn, len(panel.categories))
    return household[pair], week[pair], category


def evidence_columns(panel: Panel, at: tuple[NDArray, ...]) -> dict[str, NDArray]:
    """Return k (weeks bought) and n (weeks visited) of the last 4, 8 and all weeks before."""
    visited = (panel.trips > 0).astype(float)
    columns: dict[str, NDArray] = {}
    for name, weeks in (("4", 4), ("8", 8), ("all", None)):
        columns[f"k_{name}"] = past_sum(panel.bought, weeks=weeks)[at].astype(int)
        columns[f"n_{name}"] = past_sum(visited, weeks=weeks)[at[:2]].astype(int)
    return columns


def history_columns(panel: Panel, at: tuple[NDArray, ...]) -> dict[str, NDArray]:
    """Return the history features of the sampled rows, from weeks before the row's week."""
    pair = at[:2]
    bought, visits = panel.bought.sum(axis=0), (panel.trips > 0).sum(axis=0).astype(float)
    popular = past_sum(bought[None], weeks=8)[0] / np.maximum(past_sum(visits[None], weeks=8)[0], 1)[:, None]
    times = np.maximum(past_sum(panel.bought, weeks=None)[at], 1.0)
    return {
        "bought_last_week": past_sum(panel.bought, weeks=1)[at],
        "weeks_since_purchase": weeks_since(panel.bought)[at],
        "weeks_since_visit": weeks_since(panel.trips)[pair],
        "spend_per_purchase": past_sum(panel.spent, weeks=None)[at] / times,
        "discount_share": past_sum(panel.discounted, weeks=None)[at] / times,
        "trips_4w": past_sum(panel.trips, weeks=4)[pair],
        "basket_spend_4w": past_sum(panel.basket, weeks=4)[pair],
        "categories_4w": past_sum(panel.bought.sum(axis=2), weeks=4)[pair],
        "category_rate_8w": popular[at[1], at[2]],
    }


COMPACT = {"float64": "float32", "int64": "int16", "int32": "int16"}


def build_purchases(tables: dict[str, Frame], panel: Panel, *, n_rows: int, seed: int) -> Frame:
    """Return the sampled table, compact types, sorted by household, week and category."""
    at = sample_rows(panel, n_rows=n_rows, rng=np.random.default_rng(seed))
    frame = pd.DataFrame(
        {
            "unit": panel.households[at[0]],
            "week": at[1] + 1,
            "category": np.asarray(panel.categories, dtype=object)[at[2]],
            "label": panel.bought[at].astype(int),
            **history_columns(panel, at),
        }
    )
    offers = store_promotions(tables["promotions"], tables["products"], panel.categories)
    stores = home_stores(tables["transactions"], tables["promotions"]["store_id"].unique())
    frame["store_id"] = frame["unit"].map(stores)
    frame = frame.merge(offers, on=["store_id", "week", "category"], how="left")
    frame["home_store_known"] = frame.pop("store_id").notna().astype(int)
    counts = ["mailer_items", "feature_items", "display_items"]
    frame[counts] = frame[counts].fillna(0).astype(int)
    people = tables["demographics"].set_index("household_id")[list(DEMOGRAPHICS)]
    frame = frame.join(people, on="unit")
    frame[list(DEMOGRAPHICS)] = frame[list(DEMOGRAPHICS)].fillna("unknown")
    frame = frame.assign(**evidence_columns(panel, at))
    return frame.astype({name: COMPACT[str(kind)] for name, kind in frame.dtypes.items() if str(kind) in COMPACT})
