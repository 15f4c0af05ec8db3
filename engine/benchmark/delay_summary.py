"""The parts of all seeds as one table: values, differences to ours and shares of the gap, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine.benchmark.delay_judge import Floats
from engine.benchmark.delay_methods import ORACLE, OURS, VANILLA
from engine.benchmark.delay_run import Part
from engine.metrics.resampling import percentile_interval
from engine.seeding import generator

SUMMARY_COLUMNS = (
    *("data", "split", "segment", "method", "baseline", "statistic", "metric"),
    *("value", "ci_low", "ci_high", "n", "rows", "seeds"),
)
CALIBRATION_ERRORS = {"calibration": "calibration_error", "calibration_truth": "calibration_truth_error"}
"""|ratio - 1|, as a difference only: a distance from 1 has no useful interval alone."""
LOSSES = ("log_loss", "excess_log_loss")
"""Metrics of which shares of the gap are formed."""

Draws = dict[tuple[str, str, str, str], Floats]
"""Split, segment, method and metric to the mean over seeds, on the sample (first) and on every resample."""


def summarise(data: str, parts: Sequence[Part], methods: Sequence[str]) -> pd.DataFrame:
    """Judge the methods over all seeds of one data set.

    Parameters
    ----------
    data : str
    parts : sequence of Part
        One per seed.
    methods : sequence of str
        Those to keep.

    Returns
    -------
    DataFrame
        Columns `SUMMARY_COLUMNS`. ``statistic`` is ``value``; ``difference``, ours minus ``baseline``;
        ``gap_closed``, (vanilla - method) / (vanilla - oracle) of a loss; or ``cost``, whose interval is the least
        and the most over seeds. ``n`` counts units and ``rows`` exposures, their means over seeds.

    Notes
    -----
    Intervals are percentiles of draws of units; in each, the seeds are drawn with replacement, too, the same for all
    methods. So they cover who was tested and how training, held-out units and (simulated) data fell out, as far as
    a few seeds show it. All that is compared comes from the same draws. A share of the gap is formed from means over
    seeds, as the gap of one seed may be small.
    """
    draws = mean_draws([part.cells for part in parts])
    draws = {key: values for key, values in draws.items() if key[2] in methods}
    sizes = pd.concat([part.cells for part in parts]).groupby(["split", "segment"])[["n", "rows"]].mean()
    found: dict[tuple[str, ...], Floats] = {(*key[:3], "", "value", key[3]): values for key, values in draws.items()}
    found |= _differences(draws) | _gaps(draws)
    low, high = percentile_interval(np.stack(list(found.values()), axis=1)[1:])
    rows: list[tuple[object, ...]] = []
    for (key, values), least, most in zip(found.items(), low, high, strict=True):
        split, segment = key[:2]
        n, exposures = sizes.loc[(split, segment)]
        rows.append((data, *key, values[0], least, most, round(n), round(exposures), len(parts)))
    rows += [(data, "train", "all", *row, 0, 0, len(parts)) for row in _costs(parts, methods)]
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def mean_draws(cells: Sequence[pd.DataFrame]) -> Draws:
    """Average every metric over seeds, once plainly and then over seeds drawn with replacement.

    Parameters
    ----------
    cells : sequence of DataFrame
        One per seed, columns `engine.benchmark.delay_judge.CELL_COLUMNS`, all with draws of one length.

    Returns
    -------
    dict
        See `Draws`. Seeds in which a metric is undefined are left out of its mean.
    """
    names = ["split", "segment", "method", "metric"]
    by_key: dict[tuple[str, str, str, str], list[Floats | None]] = {}
    for place, table in enumerate(cells):
        for key, values in zip(table[names].itertuples(index=False, name=None), table["draws"], strict=True):
            by_key.setdefault(key, [None] * len(cells))[place] = np.asarray(values, dtype=np.float64)
    length = next(values.size for row in by_key.values() for values in row if values is not None)
    taken = generator(0, "benchmark", "delay", "seeds").multinomial(
        len(cells), np.full(len(cells), 1 / len(cells)), size=length - 1
    )
    weight = np.concatenate([np.ones((1, len(cells))), taken]).T  # (seeds, draws)
    found = {}
    for key, row in by_key.items():
        table = np.stack([np.full(length, np.nan) if values is None else values for values in row])
        shown = np.where(np.isnan(table), 0.0, weight)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[key] = (np.nan_to_num(table) * shown).sum(axis=0) / shown.sum(axis=0)
    return found


def gap_closed(method: Floats, vanilla: Floats, oracle: Floats) -> Floats:
    """Return (vanilla - method) / (vanilla - oracle) of a loss: 0 for vanilla, 1 for the oracle; NaN without a gap."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (vanilla - method) / (vanilla - oracle)
    return np.where(np.isfinite(share), share, np.nan)


def _gaps(draws: Draws) -> dict[tuple[str, ...], Floats]:
    """Return the share of the gap in every loss, over all rows of a split and by age."""
    found: dict[tuple[str, ...], Floats] = {}
    for (split, segment, method, metric), values in draws.items():
        ends = [draws.get((split, segment, name, metric)) for name in (VANILLA, ORACLE)]
        if metric in LOSSES and not segment.startswith("segment:") and ends[0] is not None and ends[1] is not None:
            found[split, segment, method, "", "gap_closed", metric] = gap_closed(values, ends[0], ends[1])
    return found


def _differences(draws: Draws) -> dict[tuple[str, ...], Floats]:
    """Return ours minus every other method, over all rows of a split and by age."""
    found: dict[tuple[str, ...], Floats] = {}
    for (split, segment, method, metric), values in draws.items():
        ours = draws.get((split, segment, OURS, metric))
        if method == OURS or ours is None or segment.startswith("segment:"):
            continue
        key = split, segment, OURS, method, "difference"
        found[*key, metric] = ours - values
        if metric in CALIBRATION_ERRORS:
            found[*key, CALIBRATION_ERRORS[metric]] = np.abs(ours - 1) - np.abs(values - 1)
    return found


def _costs(parts: Sequence[Part], methods: Sequence[str]) -> list[tuple[object, ...]]:
    """Return what weights and training cost: mean, least and most over the seeds."""
    table = pd.concat([part.costs for part in parts])
    table = table[table["method"].isin([*methods, "shared"])]
    grouped = table.groupby(["method", "metric"], sort=False)["value"].agg(["mean", "min", "max"]).reset_index()
    return [(row.method, "", "cost", row.metric, row.mean, row.min, row.max) for row in grouped.itertuples(index=False)]
