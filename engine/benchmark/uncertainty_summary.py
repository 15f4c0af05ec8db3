"""The parts of the uncertainty benchmark as one table: values and paired ratios, with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from engine.benchmark.uncertainty_guarantee import PRECISION, RECALL
from engine.benchmark.uncertainty_judge import MATCHED
from engine.benchmark.uncertainty_methods import CEILING, ONE
from engine.benchmark.uncertainty_real import DATA, RESAMPLES, UNITS
from engine.metrics.binomial import clopper_pearson_interval
from engine.metrics.resampling import percentile_interval
from engine.seeding import generator
from engine.uncertainty.grid import Floats

SUMMARY_COLUMNS = (
    *("data", "scorer", "rows", "buckets", "method", "baseline", "target", "statistic", "metric"),
    *("value", "ci_low", "ci_high", "n", "seeds"),
)
GUARANTEE, SPEED, AGREEMENT = "guarantee", "speed", "agreement"
MEAN = "mean"
"""Target that stands for the mean over all targets."""
_AVERAGED = ("tuning_recall", "recall", MATCHED)
_KEY = ["data", "scorer", "rows", "buckets", "method", "target", "metric"]

Key = tuple[str, str, int, int, str, str, str]
Draws = Mapping[Key, Floats]
"""Data, scorer, tuning rows, buckets, method, target and metric to the mean over seeds: sample first, then draws."""


def summarise(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Judge all ways over all seeds.

    Parameters
    ----------
    parts : sequence of DataFrame
        Columns `engine.benchmark.uncertainty_judge.PART_COLUMNS` and ``seed``.

    Returns
    -------
    DataFrame
        Columns `SUMMARY_COLUMNS`. ``statistic`` is ``value``; ``ratio`` or ``difference``, the method against
        ``baseline``; or ``share``. ``n`` counts what the interval resamples: seeds of a simulated setting, units of
        real data, repetitions of the guarantee.

    Notes
    -----
    Seeds are drawn with replacement, the same for all ways; on real data every draw takes units, too. So a simulated
    interval covers tuning rows and test rows, a real one test units and training. A ratio is formed from means over
    seeds. Times and differences of metrics span the least and the most of their repeats.
    """
    table = pd.concat(list(parts), ignore_index=True)
    rows: list[tuple[object, ...]] = []
    judged = table[~table["data"].isin([GUARANTEE, SPEED, AGREEMENT])]
    for data, own in judged.groupby("data", sort=False):
        rows += _judged(str(data), own)
    rows += _guaranteed(table[table["data"] == GUARANTEE])
    rows += _repeated(table[table["data"].isin([SPEED, AGREEMENT])])
    found = pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))
    return found.assign(**{name: _rounded(found[name]) for name in ("value", "ci_low", "ci_high")})


def _rounded(values: pd.Series) -> pd.Series:
    """Keep five significant digits."""
    return values.astype(float).map(lambda value: float(f"{value:.5g}"))


def mean_draws(table: pd.DataFrame) -> dict[Key, Floats]:
    """Average every metric over seeds, once plainly and then over seeds drawn with replacement.

    Parameters
    ----------
    table : DataFrame
        Rows of one data set with ``draws`` of one value or of 1 + `RESAMPLES` values, and ``seed``.

    Returns
    -------
    dict
        See `Draws`. Seeds in which a metric is undefined are left out of its mean.
    """
    seeds = sorted(table["seed"].unique())
    drawn = generator(0, "benchmark", "uncertainty", "seeds").multinomial(
        len(seeds), np.full(len(seeds), 1 / len(seeds)), size=RESAMPLES
    )
    weight = np.concatenate([np.ones((1, len(seeds))), drawn]).T  # (seeds, 1 + draws)
    place = {seed: at for at, seed in enumerate(seeds)}
    found: dict[Key, Floats] = {}
    for key, own in table.groupby(_KEY, sort=False):
        values = np.full(weight.shape, np.nan)
        for seed, draws in zip(own["seed"], own["draws"], strict=True):
            values[place[seed]] = np.asarray(draws, dtype=np.float64)
        shown = np.where(np.isnan(values), 0.0, weight)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[key] = (np.nan_to_num(values) * shown).sum(axis=0) / shown.sum(axis=0)
    return found


def _judged(data: str, table: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return values and ratios of one data set."""
    seeds = int(table["seed"].nunique())
    is_real = table["metric"].eq(UNITS).any()
    n = int(table.loc[table["metric"] == UNITS, "draws"].iloc[0][0]) if is_real else seeds
    draws = mean_draws(table[(table["metric"] != UNITS) & _is_first_time(table)])
    if data == DATA:
        draws |= _over_targets(draws)
    found: dict[tuple[object, ...], Floats] = {}
    for key, values in draws.items():
        found[*key[:5], "", key[5], "value", key[6]] = values
    found |= _against(draws, ONE) | _against(draws, CEILING)
    if data == DATA:
        # At single precisions only what is achieved there is of interest.
        found = {key: v for key, v in found.items() if key[6] in (MEAN, "") or key[-1] in ("precision", "seconds")}
    low, high = percentile_interval(np.stack(list(found.values()), axis=1)[1:])
    return [
        (*key, values[0], least, most, n, seeds)
        for (key, values), least, most in zip(found.items(), low, high, strict=True)
    ]


def _is_first_time(table: pd.DataFrame) -> pd.Series:
    """Keep seconds, which no target changes, once per way."""
    key = [name for name in _KEY if name != "target"]
    return (table["metric"] != "seconds") | ~table.duplicated([*key, "seed"])


def _over_targets(draws: Draws) -> dict[Key, Floats]:
    """Average recalls over all targets: a coarse score jumps over single precisions."""
    by_key: dict[Key, list[Floats]] = {}
    for key, values in draws.items():
        if key[6] in _AVERAGED:
            by_key.setdefault((*key[:5], MEAN, key[6]), []).append(values)
    return {key: np.mean(values, axis=0) for key, values in by_key.items()}


def _against(draws: Draws, baseline: str) -> dict[tuple[object, ...], Floats]:
    """Set recall at matched precision against that of a baseline with one bucket; on real data the difference, too."""
    found: dict[tuple[object, ...], Floats] = {}
    for (data, scorer, rows, buckets, method, target, metric), values in draws.items():
        base = draws.get((data, scorer, rows, 1, baseline, target, metric))
        if metric != MATCHED or base is None or method == baseline:
            continue
        key = data, scorer, rows, buckets, method, baseline, target
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = values / base
        found[*key, "ratio", metric] = np.where(np.isfinite(ratio), ratio, np.nan)
        if data == DATA:
            found[*key, "difference", metric] = values - base
    return found


def _guaranteed(table: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return how often a precision was kept, mean recalls, and the recall of ours against the others'."""
    rows: list[tuple[object, ...]] = []
    recalls = {row.method: np.asarray(row.draws) for row in table[table["metric"] == RECALL].itertuples()}
    for row in table.itertuples():
        key = row.data, row.scorer, row.rows, row.buckets, row.method
        values = np.asarray(row.draws, dtype=np.float64)
        if row.metric == PRECISION:
            kept = int(np.count_nonzero(values >= float(row.target)))
            low, high = (float(end) for end in clopper_pearson_interval(kept, values.size))
            share = kept / values.size
            rows.append((*key, "", row.target, "share", "precision_kept", share, low, high, values.size, 1))
            continue
        own = _resampled(values.size, partial(_mean_ratio, values, None))
        rows.append((*key, "", row.target, "value", row.metric, *own, values.size, 1))
        if row.method != "guaranteed":
            ours = recalls["guaranteed"][: values.size]
            ratio = _resampled(values.size, partial(_mean_ratio, ours, values))
            ours_key = (*key[:4], "guaranteed", row.method, row.target)
            rows.append((*ours_key, "ratio", row.metric, *ratio, values.size, 1))
    return rows


def _mean_ratio(values: Floats, others: Floats | None, place: np.ndarray) -> float:
    """Return the mean of some repetitions, or its ratio to that of others."""
    return float(values[place].mean() / (1.0 if others is None else others[place].mean()))


def _resampled(size: int, statistic: Callable[[np.ndarray], float]) -> tuple[float, float, float]:
    """Return a statistic of repetitions with its bootstrap interval."""
    rng = generator(0, "benchmark", "uncertainty", "repetitions")
    draws = [statistic(rng.integers(size, size=size)) for _ in range(RESAMPLES)]
    low, high = percentile_interval(np.array(draws))
    return float(statistic(np.arange(size))), float(low[0]), float(high[0])


def _repeated(table: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return times and differences with the least and the most of their repeats, and times against ours."""
    rows: list[tuple[object, ...]] = []
    timed = table[(table["metric"] == "seconds") & (table["method"] == "mist")]
    ours = {row.rows: np.asarray(row.draws) for row in timed.itertuples()}
    for row in table.itertuples():
        values = np.asarray(row.draws, dtype=np.float64)
        key = row.data, row.scorer, row.rows, row.buckets, row.method
        spread = float(values.mean()), float(values.min()), float(values.max())
        rows.append((*key, "", row.target, "value", row.metric, *spread, values.size, 1))
        if row.metric == "seconds" and row.method not in ("mist", "exact_dp"):
            ratios = values / ours[row.rows]
            ratio = float(values.mean() / ours[row.rows].mean()), float(ratios.min()), float(ratios.max())
            rows.append((*key, "mist", row.target, "ratio", row.metric, *ratio, values.size, 1))
    return rows
