"""What of a graph from events returns in another half of the users: the pairs, and their direction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.graph.events_pairs import POOLED, Floats, Pairs
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.seeding import generator

REPLICATION_COLUMNS = ("quantity", "measure", "value", "ci_low", "ci_high", "n", "n_unit", "by_chance")
N_RESAMPLES = 200
_BOTH_HALVES_BY_CHANCE = 2 * 0.025**2
"""Two 95 % intervals that both exclude 0, on the same side."""


def replication_report(pairs: Pairs, edges: NDArray[np.int64], *, minimum_users: int, seed: int) -> pd.DataFrame:
    """Compare two random halves of the users, over all supported pairs and over the chosen edges.

    Parameters
    ----------
    pairs : Pairs
    edges : ndarray of int64
        Rows of `pairs` that became edges.
    minimum_users : int
        A pair enters the correlations if it has so many users in each half and in each direction.
    seed : int
        Of the intervals.

    Returns
    -------
    DataFrame
        Columns `REPLICATION_COLUMNS`. Correlations between the halves: of ``lift_of_both_directions`` (sum of log
        lifts: who goes with whom), ``lift_difference`` (their difference), ``time_order``, ``popularity`` (log P(V|U) /
        P(U|V)); their interval resamples items. Shares of edges: ``direction_replicates``, and
        ``same_direction`` among edges whose order is beyond noise in the first half; their interval resamples
        sources. ``by_chance`` is the value without any signal; without a pair or an edge, values are NaN.
    """
    n_unordered = len(pairs.source) // 2
    least = np.minimum(pairs.users[:POOLED].min(axis=0), pairs.reverse(pairs.users[:POOLED].min(axis=0)))
    kept = np.flatnonzero(least[:n_unordered] >= minimum_users)
    there, back = np.log(pairs.lift[:POOLED, kept]), np.log(pairs.lift[:POOLED, kept + n_unordered])
    quantities = {
        "lift_of_both_directions": there + back,
        "lift_difference": there - back,
        "time_order": pairs.time_order[:POOLED, kept],
        "popularity": pairs.asymmetry[:POOLED, kept],
    }
    rng = generator(seed, "graph", "events", "replication")
    rows = _correlations(quantities, pairs.source[kept], pairs.target[kept], rng)
    signs = np.sign(pairs.time_order[:POOLED, edges])
    beyond = pairs.order_is_beyond_noise[0, edges]
    rows += [
        _share("direction_replicates", pairs.direction_replicates[edges], pairs.source[edges], rng)
        | {"by_chance": _BOTH_HALVES_BY_CHANCE},
        _share("same_direction", (signs[0] == signs[1])[beyond], pairs.source[edges][beyond], rng) | {"by_chance": 0.5},
    ]
    return pd.DataFrame(rows, columns=list(REPLICATION_COLUMNS))


def _correlations(
    quantities: dict[str, Floats], low: NDArray[np.int64], high: NDArray[np.int64], rng: np.random.Generator
) -> list[dict[str, object]]:
    """Correlate the halves of each quantity; a resample takes items, and a pair as often as both its items."""
    items, place = np.unique(np.concatenate([low, high]), return_inverse=True)
    first, second = place[: len(low)], place[len(low) :]

    def measure(weights: Floats) -> Floats:
        return np.array([_weighted_correlation(values[0], values[1], weights) for values in quantities.values()])

    draws = np.full((N_RESAMPLES, len(quantities)), np.nan)
    for row in range(N_RESAMPLES if len(items) > 1 else 0):
        taken = np.bincount(rng.integers(len(items), size=len(items)), minlength=len(items)).astype(float)
        draws[row] = measure(taken[first] * taken[second])
    lows, highs = percentile_interval(draws)
    values = measure(np.ones(len(low)))
    return [
        {"quantity": name, "measure": "correlation", "value": value, "ci_low": lower, "ci_high": upper}
        | {"n": len(low), "n_unit": "pairs", "by_chance": 0.0}
        for name, value, lower, upper in zip(quantities, values, lows, highs, strict=True)
    ]


def _weighted_correlation(first: Floats, second: Floats, weights: Floats) -> float:
    """Pearson's correlation with weights; NaN if it is not defined."""
    total = weights.sum()
    if total <= 0:
        return float("nan")
    x, y = first - weights @ first / total, second - weights @ second / total
    scale = np.sqrt((weights @ (x * x)) * (weights @ (y * y)))
    return float(weights @ (x * y) / scale) if scale > 0 else float("nan")


def _share(
    quantity: str, hits: NDArray[np.bool_], source: NDArray[np.int64], rng: np.random.Generator
) -> dict[str, object]:
    """Return the share of edges with a property."""
    row: dict[str, object] = {"quantity": quantity, "measure": "share", "n": len(hits), "n_unit": "edges"}
    if len(hits) == 0:
        return row | dict.fromkeys(("value", "ci_low", "ci_high"), float("nan"))
    mean: Callable[[Floats], float] = lambda weights: float(weights @ hits / weights.sum())  # noqa: E731
    low, high = percentile_interval(bootstrap(mean, source, n_resamples=N_RESAMPLES, rng=rng))
    return row | {"value": float(hits.mean()), "ci_low": float(low[0]), "ci_high": float(high[0])}
