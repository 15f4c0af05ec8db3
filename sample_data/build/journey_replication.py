"""Measure what of the grocery graphs returns in another half of the households.

Run ``python sample_data/build/journey_replication.py [--level product_category|product_type] [--seed N]``.
Three correlations between two random halves go to standard error: of the lift that both
directions share, of the difference between the directions, and of popularity.
"""

from __future__ import annotations

import argparse

import numpy as np
from checks import report
from journey_graph import (
    MIN_HOUSEHOLDS,
    Frame,
    Matrix,
    PairCounts,
    count_pairs,
    divide,
    expected_by_calendar,
    item_days,
)
from journey_source import grocery_lines
from numpy.typing import NDArray

LEVELS = ("product_category", "product_type")


def halves(days: Frame, *, seed: int) -> tuple[Frame, Frame]:
    """Split the rows at random into two halves of whole households."""
    households = np.sort(days["household_id"].unique())
    drawn = np.random.default_rng(seed).permutation(households)[: len(households) // 2]
    first = days["household_id"].isin(drawn)
    return days[first], days[~first]


def supported_pairs(first: PairCounts, second: PairCounts) -> NDArray[np.bool_]:
    """Mark each unordered pair once, above the diagonal, with enough households in both directions and halves."""
    least = np.minimum(first.households, second.households)
    return np.triu(np.minimum(least, least.T) >= MIN_HOUSEHOLDS, 1)


def parts(counts: PairCounts, pairs: NDArray[np.bool_]) -> dict[str, Matrix]:
    """Return log-lift sum and difference of the two directions, and log P(V|U) - log P(U|V), per pair."""
    lift = divide(counts.followed, expected_by_calendar(counts))
    share = divide(counts.followed, np.broadcast_to(counts.source_days.sum(axis=0)[:, None], counts.followed.shape))
    there, back = np.log(lift[pairs]), np.log(lift.T[pairs])
    return {
        "lift of both directions": there + back,
        "difference of the directions": there - back,
        "popularity": np.log(share[pairs]) - np.log(share.T[pairs]),
    }


def replication(first: PairCounts, second: PairCounts) -> dict[str, object]:
    """Return the number of pairs and the correlation of each part between the halves."""
    pairs = supported_pairs(first, second)
    one, other = parts(first, pairs), parts(second, pairs)
    return {"pairs": int(pairs.sum())} | {
        name: round(float(np.corrcoef(one[name], other[name])[0, 1]), 3) for name in one
    }


def main() -> None:
    """Measure one level with one split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", choices=LEVELS, default=LEVELS[0])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    days, names = item_days(grocery_lines(), options.level)
    first, second = (count_pairs(half, len(names)) for half in halves(days, seed=options.seed))
    report(f"Replication of {options.level}, seed {options.seed}", replication(first, second))


if __name__ == "__main__":
    main()
