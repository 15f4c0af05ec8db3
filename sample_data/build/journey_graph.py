"""Count "bought U, then V on a later day within 30 days" and keep the top ten per U."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

Frame = pd.DataFrame
Matrix = NDArray[np.float64]

WINDOW_DAYS = 30
BASELINE_REACH_DAYS = 3
N_DAYS = 365
MIN_HOUSEHOLDS = 15
TOP = 10
EDGE_COLUMNS = (
    "source",
    "target",
    "households",
    "days_followed",
    "days_preceded",
    "lift",
    "reverse_lift",
    "season_share",
)


@dataclass(frozen=True)
class PairCounts:
    """Counts over ordered item pairs (row U, column V) and over days x items."""

    followed: Matrix
    """Household-days with U that V follows on a later day within the window."""
    preceded: Matrix
    """Household-days with U that V precedes on an earlier day within the window."""
    households: Matrix
    """Households with at least one such followed day."""
    source_days: Matrix
    """Calendar day x item: household-days with the item."""
    target_days: Matrix
    """Calendar day x item: household-days followed by the item."""
    shopping_days: NDArray[np.float64]
    """Calendar day: household-days with any purchase."""


def household_baskets(days: Frame, n_items: int) -> Iterator[tuple[NDArray, Matrix, NDArray]]:
    """Yield (days, day x own-item 0/1 matrix, own item codes) for each household.

    ``days`` has one row per household, day and item code; codes are below ``n_items``.
    """
    for _, rows in days.groupby("household_id", sort=True):
        day, day_at = np.unique(rows["day"].to_numpy(), return_inverse=True)
        item, item_at = np.unique(rows["item"].to_numpy(), return_inverse=True)
        if item[-1] >= n_items:
            raise ValueError(f"Item code {item[-1]} is not below {n_items}.")
        bought = np.zeros((len(day), len(item)))
        bought[day_at, item_at] = 1.0
        yield day, bought, item


def count_pairs(days: Frame, n_items: int) -> PairCounts:
    """Count followed and preceded days of all pairs, on days with two complete windows."""
    followed, preceded, households = (np.zeros((n_items, n_items)) for _ in range(3))
    source_days, target_days = (np.zeros((N_DAYS, n_items)) for _ in range(2))
    shopping_days = np.zeros(N_DAYS)
    for day, bought, item in household_baskets(days, n_items):
        gap = day[None, :] - day[:, None]
        after = ((gap > 0) & (gap <= WINDOW_DAYS)).astype(float) @ bought > 0
        before = ((gap < 0) & (gap >= -WINDOW_DAYS)).astype(float) @ bought > 0
        complete = (day >= WINDOW_DAYS) & (day < N_DAYS - WINDOW_DAYS)
        source = bought[complete]
        pairs = np.ix_(item, item)
        own = source.T @ after[complete]
        followed[pairs] += own
        preceded[pairs] += source.T @ before[complete]
        households[pairs] += own > 0
        at = np.ix_(day[complete], item)
        source_days[at] += source
        target_days[at] += after[complete]
        shopping_days[day[complete]] += 1
    return PairCounts(followed, preceded, households, source_days, target_days, shopping_days)


def calendar_baseline(counts: PairCounts) -> Matrix:
    """Return, day x item, the share of household-days within 3 days that the item follows."""
    width = np.abs(np.subtract.outer(np.arange(N_DAYS), np.arange(N_DAYS)))
    near = (width <= BASELINE_REACH_DAYS).astype(float)
    shopping = np.maximum(near @ counts.shopping_days, 1.0)
    return near @ counts.target_days / shopping[:, None]


def expected_by_calendar(counts: PairCounts) -> Matrix:
    """Return the followed days that U's calendar days alone would give."""
    return counts.source_days.T @ calendar_baseline(counts)


def expected_all_year(counts: PairCounts) -> Matrix:
    """Return the followed days that a year-round rate of V would give."""
    rate = counts.target_days.sum(axis=0) / counts.shopping_days.sum()
    return np.outer(counts.source_days.sum(axis=0), rate)


def season_share(followed: Matrix, by_calendar: Matrix, all_year: Matrix) -> Matrix:
    """Return the share of the excess over the year-round rate that the calendar explains.

    (by_calendar - all_year) / (followed - all_year), clipped to 0..1; 0 without an excess.
    """
    excess = followed - all_year
    explained = np.where(excess > 0, by_calendar - all_year, 0.0)
    return np.clip(explained / np.where(excess > 0, excess, 1.0), 0.0, 1.0)


def poisson_lower_factor(count: Matrix) -> Matrix:
    """Return the 5 % lower Poisson bound of a count as a share of the count."""
    safe = np.maximum(count, 1.0)
    return np.where(count > 0, chi2.ppf(0.05, 2 * safe) / 2 / safe, 0.0)


def divide(numerator: Matrix, denominator: Matrix) -> Matrix:
    """Divide; zero where nothing is expected."""
    return np.where(denominator > 0, numerator / np.where(denominator > 0, denominator, 1.0), 0.0)


def top_edges(counts: PairCounts, names: list[str], *, top: int = TOP) -> Frame:
    """Return the edge table: per source the ``top`` targets by lower-bound seasonal lift."""
    by_calendar = expected_by_calendar(counts)
    lift = divide(counts.followed, by_calendar)
    share = season_share(counts.followed, by_calendar, expected_all_year(counts))
    score = lift * poisson_lower_factor(counts.households)
    score[counts.households < MIN_HOUSEHOLDS] = 0.0
    np.fill_diagonal(score, 0.0)
    order = np.argsort(-score, axis=1, kind="stable")[:, :top]
    source = np.repeat(np.arange(len(names)), order.shape[1])
    target = order.ravel()
    kept = score[source, target] > 1.0
    source, target = source[kept], target[kept]
    at = (source, target)
    return pd.DataFrame(
        {
            "source": np.asarray(names, dtype=object)[source],
            "target": np.asarray(names, dtype=object)[target],
            "households": counts.households[at].astype(int),
            "days_followed": counts.followed[at].astype(int),
            "days_preceded": counts.preceded[at].astype(int),
            "lift": lift[at].round(3),
            "reverse_lift": lift[target, source].round(3),
            "season_share": share[at].round(3),
        }
    )[list(EDGE_COLUMNS)]


def item_days(lines: Frame, level: str) -> tuple[Frame, list[str]]:
    """Return one row per household, day and item code, and the names behind the codes."""
    rows = lines.dropna(subset=[level])[["household_id", "day", level]].drop_duplicates()
    codes = pd.Categorical(rows[level])
    frame = rows[["household_id", "day"]].assign(item=codes.codes.astype(int))
    return frame, [str(name) for name in codes.categories]


def node_table(lines: Frame, level: str, names: list[str]) -> Frame:
    """Return department (where most bought), purchase days and households per name."""
    rows = lines[lines[level].isin(names)]
    where = rows.groupby([level, "department"], observed=True).size().reset_index(name="n")
    main = where.sort_values(["n", "department"], ascending=[False, True])
    main = main.drop_duplicates(level).set_index(level)["department"]
    days = rows[["household_id", "day", level]].drop_duplicates()
    table = days.groupby(level, observed=True)["household_id"].agg(["size", "nunique"])
    return pd.DataFrame(
        {
            "node": names,
            "department": main.reindex(names).to_numpy(),
            "purchases": table["size"].reindex(names).to_numpy(),
            "households": table["nunique"].reindex(names).to_numpy(),
        }
    )
