"""The observed funnel from exposure over engagement to conversion, from counts alone."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import numpy as np
import pandas as pd
from ibis import _

from engine.delay.arrival import ALL_SEGMENTS
from engine.delay.config import DelayConfig
from engine.delay.draws import draw_of
from engine.metrics.calibration import wilson_interval
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.seeding import generator

STAGES = ("exposed", "engaged", "converted_engaged", "converted_plain", "converted")
"""As in `engine.delay.funnel`, which needs torch."""


def stage_counts(exposures: ibis.Table, *, start: float | None, end: float, waiting_days: float) -> ibis.Table:
    """Count the exposures with a final label that reach every stage.

    Parameters
    ----------
    exposures : ibis.Table
        As `engine.delay.relation.Log.exposures`, with ``unit``.
    start : float, optional
        First day of exposure that counts; None for all.
    end : float
        Day up to which the log was observed.
    waiting_days : float
        Engagement after it does not count.

    Returns
    -------
    ibis.Table
        One row per ``segment`` and ``draw`` (group of units) with the columns `STAGES`.
    """
    first = ibis.least(ibis.literal(float(waiting_days)), _.window_days)
    settled = exposures.filter(_.exposure_time + _.window_days <= end)
    settled = settled if start is None else settled.filter(_.exposure_time >= start)
    timed = settled.mutate(
        draw=draw_of(settled.unit),
        is_engaged=(_.engagement_time - _.exposure_time <= first).fill_null(False),
        label=(_.conversion_time - _.exposure_time <= _.window_days).fill_null(False),
    )
    keys = ["segment", "draw"]
    return (
        timed.group_by(keys)
        .aggregate(
            exposed=_.count(),
            engaged=_.is_engaged.sum(),
            converted_engaged=(_.is_engaged & _.label).sum(),
            converted_plain=(~_.is_engaged & _.label).sum(),
            converted=_.label.sum(),
        )
        .order_by(keys)
    )


def observed_funnel(counts: pd.DataFrame, config: DelayConfig, *, is_unit: bool) -> pd.DataFrame:
    """Write `stage_counts` as the table of `engine.delay.funnel.funnel_table`, without promises.

    Parameters
    ----------
    counts : DataFrame
    config : DelayConfig
    is_unit : bool
        Whether the data name units; without, exposures count as independent.

    Returns
    -------
    DataFrame
        ``segment, stage, n, observed, ci_low, ci_high, predicted``, the last NaN; empty without exposures.
    """
    names = sorted(set(counts["segment"]))
    parts = [(ALL_SEGMENTS, counts)] if len(counts) else []
    if len(names) > 1:
        parts += [(name, counts[counts["segment"] == name]) for name in names]
    tables = []
    for segment, part in parts:
        table = part.groupby("draw")[list(STAGES)].sum().to_numpy(dtype=np.float64)
        total = table.sum(axis=0)
        n = int(total[0])
        if is_unit:
            rng = generator(config.seed, "funnel", str(segment))
            draws = bootstrap(_shares_of(table), np.arange(len(table)), n_resamples=config.resamples, rng=rng)
            low, high = percentile_interval(draws)
        else:
            low, high = wilson_interval(total, np.full(len(STAGES), total[0]))
        columns = {"n": n, "observed": _shares(total), "ci_low": low, "ci_high": high}
        tables.append(pd.DataFrame({"segment": segment, "stage": STAGES} | columns | {"predicted": np.nan}))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["segment", "stage"])


def _shares_of(table: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return the shares of a table of groups as a function of how often each is drawn."""
    return lambda weight: _shares(weight @ table)


def _shares(sums: np.ndarray) -> np.ndarray:
    """Return the share of the exposures at every stage."""
    return sums / sums[0] if sums[0] > 0 else np.full(sums.size, np.nan)
