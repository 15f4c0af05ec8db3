"""Which explanation carries an asymmetry: popularity, season, or time order."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.errors import DataError
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.seeding import generator

Explanation = Literal["popularity", "season", "time_order", "rest", "none"]
EXPLANATIONS: tuple[Explanation, ...] = ("popularity", "season", "time_order", "rest", "none")
TERMS: tuple[Explanation, ...] = EXPLANATIONS[:4]
"""Those that add up to the asymmetry."""
EVIDENCE = (
    "users",
    "days_followed",
    "days_preceded",
    "reverse_days_followed",
    "reverse_days_preceded",
    "source_days",
    "target_days",
    "asymmetry_se",
    "popularity",
    "season",
    "time_order",
    "time_order_se",
    "direction_replicates",
)
"""Columns of `engine.graph.events.edges_from_events` that an explanation needs."""
EXPLAINED_COLUMNS = (
    "source",
    "target",
    "evidence",
    "asymmetry",
    "asymmetry_low",
    "asymmetry_high",
    *TERMS[:3],
    "time_order_low",
    "time_order_high",
    "rest",
    "replicates",
    "before_after",
    "before_after_by_calendar",
    "explanation",
    "n",
)
SUMMARY_COLUMNS = ("explanation", "edges", "share", "ci_low", "ci_high", "n")
N_RESAMPLES = 1000

_Z = 1.959963984540054
"""Half-width of a 95 % interval in standard errors."""


def explain_edges(edges: pd.DataFrame, *, in_degree: NDArray[np.integer] | None = None) -> pd.DataFrame:
    """Split the asymmetry of every edge U -> V into what explains it.

    asymmetry = ln P(V|U) / P(U|V) = popularity + season + time_order + rest, with P(V|U) = days_followed /
    source_days. *Popularity* is what the year-round rates of U and V give, *season* what their calendar days add,
    *time order* the log ratio of U-then-V to V-then-U occasions beyond the calendar, and *rest* what remains: it is
    the same when time runs backwards, as when one item is a staple of the users of the other.

    Parameters
    ----------
    edges : DataFrame
        ``source, target`` (names or positions). With the columns `EVIDENCE`, each row is explained by its events;
        without them, or where they are missing in a row, by degree only.
    in_degree : ndarray of shape (num_nodes,), int, optional
        Edges that point to each node, by position; for positions in ``source, target`` alone. Counted in `edges` by
        default, which is too few where a table holds a part of the edges.

    Returns
    -------
    DataFrame
        Columns `EXPLAINED_COLUMNS`, one row per edge, with the index of `edges`; natural logs, 95 % intervals.
        ``evidence`` is ``"events"`` or ``"degree"``. ``explanation`` is ``"none"`` if the interval of the asymmetry
        includes 0, else the largest of the four terms in the asymmetry's direction; a time order that does not
        replicate counts as ``"rest"``. ``replicates`` is 1, 0, or NaN without events. ``before_after`` is the plain log
        ratio of U-then-V to V-then-U occasions, counted from the days of both, and ``before_after_by_calendar`` the
        part of it that the calendar gives; time order is the other part. ``n`` counts users, or the edges behind a
        degree.
        By degree, asymmetry = popularity = ln (in-degree of V / in-degree of U), each plus a half and without the
        pair's own edges, the interval from the Poisson variance of both; the other terms are NaN, and an edge with
        its reverse has explanation ``"none"``.

    Raises
    ------
    DataError
        If ``source`` or ``target`` is missing.

    Notes
    -----
    The terms are a bookkeeping of logs, not causes. Half an occasion is added to every count; expectations are held
    fixed.
    """
    for name in ("source", "target"):
        if name not in edges.columns:
            raise DataError(f"Column '{name}' is missing in the edges to explain; name both ends of every edge.")
    found = _by_degree(edges, in_degree)
    if set(EVIDENCE) <= set(edges.columns):
        known = edges[list(EVIDENCE)].notna().all(axis=1).to_numpy()
        by_events = _by_events(edges)
        found = {name: np.where(known, by_events[name], values) for name, values in found.items()}
    explained = pd.DataFrame(found, index=edges.index).assign(source=edges["source"], target=edges["target"])
    return explained.astype({"n": np.int64})[list(EXPLAINED_COLUMNS)]


def explanation_summary(explained: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Count the edges by what explains their asymmetry.

    Parameters
    ----------
    explained : DataFrame
        From `explain_edges`.
    seed : int, >= 0
        Of the intervals, which resample sources.

    Returns
    -------
    DataFrame
        Columns `SUMMARY_COLUMNS`, one row for each of `EXPLANATIONS`; ``share`` is of the ``n`` edges.

    Raises
    ------
    DataError
        If there is no edge.
    """
    if len(explained) == 0:
        raise DataError("There is no edge to summarise; at least one is needed.")
    is_kind = (explained["explanation"].to_numpy()[:, None] == np.array(EXPLANATIONS)).astype(np.float64)
    rng = generator(seed, "graph", "explain")
    draws = bootstrap(
        lambda weights: weights @ is_kind / weights.sum(), explained["source"], n_resamples=N_RESAMPLES, rng=rng
    )
    low, high = percentile_interval(draws)
    return pd.DataFrame(
        {
            "explanation": EXPLANATIONS,
            "edges": is_kind.sum(axis=0).astype(np.int64),
            "share": is_kind.mean(axis=0),
            "ci_low": low,
            "ci_high": high,
            "n": len(explained),
        }
    )


def _by_events(edges: pd.DataFrame) -> dict[str, NDArray]:
    """Explain every edge by its counts; rows without evidence come out as NaN."""
    column = {name: edges[name].to_numpy(dtype=np.float64) for name in EVIDENCE}
    there, back = column["days_followed"] + 0.5, column["reverse_days_followed"] + 0.5
    asymmetry = np.log(there / back) - np.log((column["source_days"] + 0.5) / (column["target_days"] + 0.5))
    order = column["time_order"]
    forward = column["days_followed"] + column["reverse_days_preceded"]
    backward = column["reverse_days_followed"] + column["days_preceded"]
    before_after = np.log((forward + 0.5) / (backward + 0.5))
    terms = {name: column[name] for name in TERMS[:3]}
    terms["rest"] = asymmetry - sum(terms.values())
    reach = _Z * column["asymmetry_se"]
    direction = np.where(np.abs(asymmetry) > reach, np.sign(asymmetry), 0.0)
    parts = np.stack([terms[name] for name in TERMS]) * direction
    largest = np.array(TERMS, dtype=object)[np.argmax(np.nan_to_num(parts, nan=-np.inf), axis=0)]
    replicates = column["direction_replicates"]
    largest = np.where((largest == "time_order") & (replicates != 1), "rest", largest)
    return terms | {
        "evidence": np.full(len(edges), "events", dtype=object),
        "asymmetry": asymmetry,
        "asymmetry_low": asymmetry - reach,
        "asymmetry_high": asymmetry + reach,
        "time_order_low": order - _Z * column["time_order_se"],
        "time_order_high": order + _Z * column["time_order_se"],
        "replicates": replicates,
        "before_after": before_after,
        "before_after_by_calendar": before_after - order,
        "explanation": np.where(direction == 0, "none", largest),
        "n": column["users"],
    }


def _by_degree(edges: pd.DataFrame, known: NDArray[np.integer] | None) -> dict[str, NDArray]:
    """Explain every edge by how many other edges point to its ends."""
    source, target = edges["source"].to_numpy(), edges["target"].to_numpy()
    codes, ends = pd.factorize(np.concatenate([source, target]))
    start, end = codes[: len(edges)].astype(np.int64), codes[len(edges) :].astype(np.int64)
    size = int(codes.max()) + 1 if len(codes) else 0
    mutual = np.isin(end * size + start, start * size + end)
    in_degree = np.bincount(end, minlength=size) if known is None else known[ends]
    to_target, to_source = in_degree[end] - 1, in_degree[start] - mutual
    asymmetry = np.log((to_target + 0.5) / (to_source + 0.5))
    reach = _Z * np.sqrt(1 / (to_target + 0.5) + 1 / (to_source + 0.5))
    unknown = np.full(len(edges), np.nan)
    clear = (np.abs(asymmetry) > reach) & ~mutual
    return {
        "evidence": np.full(len(edges), "degree", dtype=object),
        "asymmetry": asymmetry,
        "asymmetry_low": asymmetry - reach,
        "asymmetry_high": asymmetry + reach,
        "popularity": asymmetry,
        "season": unknown,
        "time_order": unknown,
        "time_order_low": unknown,
        "time_order_high": unknown,
        "rest": unknown,
        "replicates": unknown,
        "before_after": unknown,
        "before_after_by_calendar": unknown,
        "explanation": np.where(clear, "popularity", "none"),
        "n": (to_target + to_source).astype(np.float64),
    }
