"""The figures of the neighbourhood study: means over splits, paired differences, and what they say of the claim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.claims import MINIMUM_UNITS, verdict
from engine.graph.contrasts import HIT_RATE_MARGIN
from engine.graph.intervals import Resamples
from engine.graph.segments import DEGREE_BUCKETS, degree_bucket
from engine.metrics.ranking import hit_at
from engine.metrics.resampling import percentile_interval
from engine.seeding import generator

STUDY_COLUMNS = (
    *("data", "data_id", "setting", "known", "revealed", "method", "baseline", "segment"),
    *("value", "ci_low", "ci_high", "n", "splits", "ahead", "margin", "verdict"),
)
RESAMPLES = 1000

_KEYS = ("seed", "node", "source", "target", "in_degree", "out_degree", "role")
_BUDGETS = (5, 10, 20)
_PAIRS = (
    *((f"adaptive-{k}", f"fixed-{k}") for k in _BUDGETS),
    ("adaptive-10-any", "fixed-10-any"),
    ("adaptive-10", "adaptive-10-any"),
    ("fixed-10", "fixed-10-any"),
    ("full", "none"),
    *((f"{name}-{k}", other) for k in _BUDGETS for name in ("adaptive", "fixed") for other in ("full", "none")),
    *(("dual", other) for other in ("popularity", "cocitation", "feature_neighbours", "single", "no_propagation")),
    *((f"{name}-{k}", "dual") for k in _BUDGETS for name in ("adaptive", "fixed")),
)
"""Method and baseline of every difference, where both were measured."""


def summarise(ranks: pd.DataFrame) -> pd.DataFrame:
    """Turn the ranks of all splits of a data set into HitRate@10 with intervals.

    Parameters
    ----------
    ranks : DataFrame
        Columns ``seed, setting, known, revealed, method, node, source, target, rank``; of a split by edges
        ``in_degree, out_degree`` from training edges, of a split by nodes ``role``.

    Returns
    -------
    DataFrame
        Columns `STUDY_COLUMNS` but the data set's. A row without ``baseline`` is HitRate@10, a share of test edges;
        one with it is the difference to the baseline on the same edges, ``ahead`` the number of splits in which it is
        above 0, ``verdict`` from its interval alone (see `engine.claims.verdict`). ``n`` counts distinct nodes:
        query nodes of a split by edges, arriving nodes of a split by nodes.

    Notes
    -----
    The edges of all splits are pooled. Nodes are drawn with replacement, one draw weighs a node in every split in
    which it occurs, and all methods get the same draws; so differences are paired and a node is one unit however many
    splits it occurs in. Fitted models are held fixed: the interval holds chance of nodes, `ahead` shows that of splits.
    """
    rows: list[dict[str, object]] = []
    filled = ranks.assign(known=ranks["known"].fillna("") if "known" in ranks else "")
    filled["revealed"] = ranks["revealed"].fillna(-1).astype(int) if "revealed" in ranks else -1
    for (setting, known, revealed), part in filled.groupby(["setting", "known", "revealed"], sort=False):
        hits = _wide(part)
        place = {"setting": setting, "known": known, "revealed": revealed}
        rows += [place | row for row in _rows(hits)]
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """Write the differences of all data sets on all edges, and on the edges of rarely linked targets, one line each.

    Parameters
    ----------
    table : DataFrame
        Columns `STUDY_COLUMNS`.

    Returns
    -------
    str
    """
    lines = [
        "| data | setting | segment | difference | HitRate@10 | nodes | ahead | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in table[table["baseline"] != ""].itertuples():
        if row.segment not in ("all", "in_degree:0", "in_degree:1") or pd.isna(row.value):
            continue
        known = f"new nodes, {row.known}, up to {row.revealed}"
        place = {-1: "split by edges", 0: "new nodes, features"}.get(row.revealed, known)
        points = f"{100 * row.value:+.1f} [{100 * row.ci_low:+.1f}, {100 * row.ci_high:+.1f}] points"
        lines.append(
            f"| {row.data} | {place} | {row.segment} | {row.method} − {row.baseline} | {points} | {row.n:,} | "
            f"{row.ahead} of {row.splits} | {row.verdict} |"
        )
    return "\n".join(lines)


def _wide(part: pd.DataFrame) -> pd.DataFrame:
    """Return one row per tested edge and split, with the hits of every method as columns."""
    part = part.assign(hit=hit_at(part["rank"].to_numpy(), 10))
    keys = [key for key in _KEYS if key in part and part[key].notna().all()]
    return part.pivot_table(index=keys, columns="method", values="hit").reset_index()


def _rows(hits: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Return the values of every method and the differences of every pair, in every segment."""
    node = np.unique(hits["node"], return_inverse=True)[1]
    resamples = Resamples.draw(node, RESAMPLES, generator(0, "benchmark", "neighbourhoods"))
    methods = [name for name in hits.columns if name not in _KEYS]
    columns = {name: hits[name].to_numpy(dtype=np.float64) for name in methods}
    pairs = [pair for pair in _PAIRS if pair[0] in columns and pair[1] in columns]
    columns |= {f"{method}\n{baseline}": columns[method] - columns[baseline] for method, baseline in pairs}
    seed = hits["seed"].to_numpy()
    for segment, member in _segments(hits).items():
        inside = member.astype(np.float64)[:, np.newaxis]
        values = np.stack(list(columns.values()), axis=1) * inside
        draws = resamples.ratios(values, np.repeat(inside, values.shape[1], axis=1))
        low, high = percentile_interval(draws[1:])
        for place, name in enumerate(columns):
            method, _, baseline = name.partition("\n")
            row = {"method": method, "baseline": baseline, "segment": segment, "value": draws[0, place]}
            row |= {"ci_low": low[place], "ci_high": high[place]}
            row |= {"n": len(np.unique(node[member])), "splits": len(np.unique(seed))}
            yield row | _judged(row, columns[name][member], seed[member])


def _judged(
    row: dict[str, Any], differences: NDArray[np.float64], seed: NDArray[np.int64]
) -> dict[str, float | int | str]:
    """Say of a difference in how many splits it is above 0, and what its interval says."""
    if not row["baseline"]:
        return {"ahead": -1, "margin": np.nan, "verdict": ""}
    means = [differences[seed == one].mean() for one in np.unique(seed)]
    is_enough = row["n"] >= MINIMUM_UNITS
    says = verdict(row["ci_low"], row["ci_high"], margin=HIT_RATE_MARGIN) if is_enough else "inconclusive"
    return {"ahead": int(np.sum(np.array(means) > 0)), "margin": HIT_RATE_MARGIN, "verdict": says}


def _segments(hits: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Return the edges of every segment: all, by degree in training, by the role of the arriving node."""
    segments = {"all": np.ones(len(hits), dtype=np.bool_)}
    for name in ("in_degree", "out_degree"):
        if name in hits:
            bucket = degree_bucket(hits[name].to_numpy(dtype=np.int64))
            segments |= {f"{name}:{label}": bucket == place for place, label in enumerate(DEGREE_BUCKETS)}
    if "role" in hits:
        segments |= {role: (hits["role"] == role).to_numpy() for role in ("source", "target")}
    return segments
