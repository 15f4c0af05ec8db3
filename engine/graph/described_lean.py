"""Which of two ways something leans, against a fair coin: pairs by what was seen each way, nodes by their edges."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import binom

from engine.graph.described_config import ALL, LEAST_TRIALS
from engine.graph.described_counts import LEAN, MOST_TRIALS
from engine.metrics.calibration import wilson_interval

TRIAL_STARTS = (1, 2, 3, 5, 10, 20, 50, 100, MOST_TRIALS + 1)
"""Least number of trials of every bucket."""
_FAIR = 0.5


def lean_table(counts: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return how many lean to one side beyond a fair coin, by the number of trials, beside what a fair coin gives.

    Parameters
    ----------
    counts : DataFrame
        From `engine.graph.described_counts.lean_counts`.
    what : str
        Value of the column ``what``.

    Returns
    -------
    DataFrame
        ``what, bucket, least`` (trials), ``n``, ``value`` (share that leans), ``ci_low, ci_high`` (Wilson),
        ``to_first, to_second`` (shares that lean to that side), ``expected`` (share by a fair coin), ``larger`` (mean
        share of the larger count) and ``expected_larger``. First the row of all with `LEAST_TRIALS` or more.
    """
    trials = counts["trials"].to_numpy(dtype=np.int64)
    size = counts["n"].to_numpy(dtype=np.float64)
    mean = counts["total"].to_numpy(dtype=np.float64) / np.maximum(size, 1)
    lean, larger = _fair_coin(trials, mean)
    table = counts.assign(
        fair_lean=lean * size,
        fair_larger=larger * counts["total"].to_numpy(dtype=np.float64),
        least=np.array(TRIAL_STARTS)[np.searchsorted(TRIAL_STARTS, trials, side="right") - 1],
    )
    rows = [_lean_row(table[table["least"] >= LEAST_TRIALS], what, ALL, LEAST_TRIALS)]
    starts = [start for start in TRIAL_STARTS if start <= trials.max(initial=0)]
    ends = [*TRIAL_STARTS[1:], None]
    for start, end in zip(starts, ends, strict=False):
        rows.append(_lean_row(table[table["least"] == start], what, _bucket(start, end), start))
    return pd.DataFrame(rows)


def _lean_row(part: pd.DataFrame, what: str, bucket: str, least: int) -> dict[str, object]:
    """Sum some numbers of trials."""
    n, total = int(part["n"].sum()), float(part["total"].sum())
    sides = {name: int(part[name].sum()) for name in ("to_first", "to_second")}
    low, high = wilson_interval([sum(sides.values())], [n])
    return {
        "what": what,
        "bucket": bucket,
        "least": least,
        "n": n,
        "value": sum(sides.values()) / n if n else np.nan,
        "ci_low": float(low[0]),
        "ci_high": float(high[0]),
        **{name: count / n if n else np.nan for name, count in sides.items()},
        "expected": part["fair_lean"].sum() / n if n else np.nan,
        "larger": part["larger"].sum() / total if total else np.nan,
        "expected_larger": part["fair_larger"].sum() / total if total else np.nan,
    }


def _fair_coin(trials: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the chance of a fair coin to lean, and the mean share of its larger side, by the number of trials."""
    lean, larger = np.empty(len(trials)), np.empty(len(trials))
    for place, (count, average) in enumerate(zip(trials.tolist(), mean.tolist(), strict=True)):
        if count > MOST_TRIALS:
            lean[place], larger[place] = 0.05, _FAIR + np.sqrt(1 / (2 * np.pi * average))
            continue
        heads = np.arange(count + 1)
        weight = binom.pmf(heads, count, _FAIR)
        lean[place] = weight[(2 * heads - count) ** 2 > LEAN**2 * count].sum()
        larger[place] = (weight * np.maximum(heads, count - heads)).sum() / count
    return lean, larger


def _bucket(start: int, end: int | None) -> str:
    """Name a bucket of trials."""
    if end is None:
        return f"{start:,}+"
    return f"{start:,}" if end == start + 1 else f"{start:,}–{end - 1:,}"


def named_pairs(listed: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Write listed pairs from the node that was seen more often as the source, with the share that points this way.

    Parameters
    ----------
    listed : mapping of str to DataFrame
        What a list is ordered by to its rows, from `engine.graph.described_counts.listed_pairs`.

    Returns
    -------
    DataFrame
        ``list, place, source, target, seen, back_seen, share, ci_low, ci_high`` (Wilson, with rows as trials),
        ``ratio, ratio_low, ratio_high`` (rows this way per row back; infinite without one), and with a weight ``weight,
        back_weight``.
    """
    parts = []
    for by, rows in listed.items():
        is_turned = ((rows["back"] > rows["there"]) if by != "weight" else _weighs_more_back(rows)).to_numpy()
        seen, back = _turned(rows, "there", "back", is_turned)
        low, high = wilson_interval(seen, seen + back)
        source, target = _turned(rows, "low", "high", is_turned)
        share = seen / (seen + back)
        columns: dict[str, object] = {"list": by, "place": np.arange(1, len(rows) + 1)}
        columns |= {"source": source.astype(str), "target": target.astype(str), "seen": seen, "back_seen": back}
        columns |= {"share": share, "ci_low": low, "ci_high": high}
        with np.errstate(divide="ignore"):
            columns |= {"ratio": share / (1 - share), "ratio_low": low / (1 - low), "ratio_high": high / (1 - high)}
        if "there_weight" in rows:
            columns["weight"], columns["back_weight"] = _turned(rows, "there_weight", "back_weight", is_turned)
        parts.append(pd.DataFrame(columns))
    names = ("list", "place", "source", "target", "seen", "back_seen", "share", "ci_low", "ci_high")
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: [] for name in names})


def _weighs_more_back(rows: pd.DataFrame) -> pd.Series:
    """Tell which pairs weigh more against the order of their names."""
    return rows["back_weight"] > rows["there_weight"]


def _turned(rows: pd.DataFrame, first: str, second: str, is_turned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exchange two columns where told to."""
    one, two = rows[first].to_numpy(), rows[second].to_numpy()
    return np.where(is_turned, two, one), np.where(is_turned, one, two)


def named_nodes(listed: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Write the nodes whose one-way edges lean out, or in.

    Parameters
    ----------
    listed : mapping of str to DataFrame
        Side (out, in) to rows of `engine.graph.described_counts.listed_nodes`.

    Returns
    -------
    DataFrame
        ``list, place, name, out_degree, in_degree, mutual_degree, n`` (one-way edges), ``share`` (of them on this
        side), ``ci_low, ci_high`` (Wilson) and ``deviations`` of a fair coin.
    """
    parts = []
    for side, rows in listed.items():
        out, into = (rows[name].to_numpy() - rows["mutual"].to_numpy() for name in ("out", "into"))
        mine = out if side == "out" else into
        low, high = wilson_interval(mine, out + into)
        parts.append(
            pd.DataFrame(
                {
                    "list": side,
                    "place": np.arange(1, len(rows) + 1),
                    "name": rows["node"].astype(str).to_numpy(),
                    "out_degree": rows["out"].to_numpy(),
                    "in_degree": rows["into"].to_numpy(),
                    "mutual_degree": rows["mutual"].to_numpy(),
                    "n": out + into,
                    "share": mine / np.maximum(out + into, 1),
                    "ci_low": low,
                    "ci_high": high,
                    "deviations": rows["order"].to_numpy(dtype=np.float64),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
