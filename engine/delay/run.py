"""Train and judge every method on one snapshot: the whole story of a delayed-feedback run."""

from __future__ import annotations

import time

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from engine.delay.arrival import arrival_table
from engine.delay.cohorts import cohort_triangle
from engine.delay.config import DelayConfig
from engine.delay.counts import collect, exit_counts
from engine.delay.data import Dataset, Prepared, prepare
from engine.delay.evaluate import evaluate, pending_rows
from engine.delay.funnel import funnel_table, selection_gap
from engine.delay.maturing import maturing_table
from engine.delay.train import fit
from engine.delay.windows import window_table
from engine.errors import ConfigError
from engine.result import OnEpoch, RunResult

MAX_BINS = 400


def run(dataset: Dataset, config: DelayConfig, *, on_epoch: OnEpoch | None = None) -> RunResult:
    """Cut the log at one day, train every method on what was visible, and judge them on what came true.

    Parameters
    ----------
    dataset : Dataset
        See `engine.delay.data.load`.
    config : DelayConfig
    on_epoch : callable, optional
        Receives an `EpochRecord` after every block of optimiser steps.

    Returns
    -------
    RunResult
        Curves ``claims, differences, arrival, windows, cohorts, reliability, weights, tails, funnel,
        funnel_check, maturing, snapshot``.

    Raises
    ------
    ConfigError
        If the grid of elapsed time would have more than `MAX_BINS` bins.
    NotEnoughDataError
        If nothing can be learned or judged; see `engine.delay.data.prepare`.
    TrainingError
        If a loss is not finite.
    """
    started = time.perf_counter()
    prepared = prepare(dataset, config)
    horizon_bin = _horizon_bin(prepared, config)
    snapshot, final = count_exits(prepared, config, horizon_bin)
    arrival = arrival_table(
        snapshot,
        final,
        step_days=config.step_days,
        horizon_bin=horizon_bin,
        waiting_bin=int(np.floor(config.waiting_days / config.step_days + 1e-9)),
    )
    fitted = fit(prepared, config, on_epoch=on_epoch)
    evaluation = evaluate(fitted, prepared, config, flip_by_segment(arrival, prepared, config))
    return RunResult(
        kind="delay",
        config=config,
        dataset=dataset.info,
        metrics=evaluation.metrics,
        curves={
            "claims": evaluation.claims,
            "differences": evaluation.differences,
            "reliability": evaluation.reliability,
            "weights": evaluation.weights,
            "tails": evaluation.tails,
            "funnel": funnel_table(fitted, prepared, config),
            "funnel_check": selection_gap(fitted, prepared, config),
            "maturing": maturing_table(fitted, prepared, config),
            "arrival": arrival,
            "windows": window_table(fitted, prepared, arrival, config, horizon_bin=horizon_bin),
            "cohorts": cohort_triangle(snapshot, final, step_days=config.step_days, horizon_bin=horizon_bin),
            "snapshot": snapshot_facts(prepared, config, has_leak=fitted.has_leak),
        },
        predictions=evaluation.predictions,
        model=fitted.model,
        history=fitted.history,
        seconds=time.perf_counter() - started,
    )


def count_exits(prepared: Prepared, config: DelayConfig, horizon_bin: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run the aggregate as of the snapshot day and as of the end of the log.

    Returns
    -------
    snapshot, final : DataFrame
        Columns `engine.delay.counts.EXIT_COLUMNS`.
    """
    exposures = ibis.memtable(
        pa.table(
            {
                "segment": pa.array(prepared.segment.astype(str).tolist(), pa.string()),
                "exposure_time": prepared.time,
                "engagement_time": _event_time(prepared.time, prepared.engage_delay),
                "conversion_time": _event_time(prepared.time, prepared.delay),
                "window_days": prepared.window,
            }
        )
    )
    # Every prepared exposure has a complete window at the end of the log, which the aggregate takes as exclusive.
    days = (prepared.as_of, max(prepared.observed_until, float((prepared.time + prepared.window).max())) + 1.0)
    found = [
        collect(exit_counts(exposures, as_of=day, step_days=config.step_days, horizon_bin=horizon_bin)) for day in days
    ]
    return found[0], found[1]


def _event_time(time_: np.ndarray, delay: np.ndarray) -> pa.Array:
    """Return the day of an event, NULL if it did not happen."""
    happened = np.isfinite(delay)
    return pa.array(np.where(happened, time_ + np.where(happened, delay, 0.0), 0.0), mask=~happened)


def _horizon_bin(prepared: Prepared, config: DelayConfig) -> int:
    """Return the bin in which the longest window ends."""
    horizon = int(np.ceil(float(prepared.window.max()) / config.step_days - 1e-9))
    if horizon > MAX_BINS:
        raise ConfigError(
            f"'step_days' is {config.step_days:g}, which makes {horizon:,} bins of the longest window; at most "
            f"{MAX_BINS} are allowed. Choose a longer step."
        )
    return horizon


def flip_by_segment(arrival: pd.DataFrame, prepared: Prepared, config: DelayConfig) -> np.ndarray:
    """Return the flip rate of each exposure's segment at its age, as known on the snapshot day: the simplest guess.

    Parameters
    ----------
    arrival : DataFrame
    prepared : Prepared
    config : DelayConfig

    Returns
    -------
    ndarray of shape (n_rows,), float64, in [0, 1]
        The curve over all exposures where that of the segment is not known.
    """
    rows = arrival[(arrival["view"] == "snapshot") & arrival["group"].isin(("all", "segment"))]
    curves = {key: part["flip"].to_numpy() for key, part in rows.groupby("key")}
    age = np.clip(prepared.age, 0.0, prepared.window)
    place = np.minimum((age / config.step_days + 1e-9).astype(int), curves["all"].size - 1)
    guess = curves["all"][place]
    for key, curve in curves.items():
        mine = (prepared.segment == key) & np.isfinite(curve[place])
        guess[mine] = curve[place[mine]]
    return np.nan_to_num(guess, nan=0.0)


def snapshot_facts(prepared: Prepared, config: DelayConfig, *, has_leak: bool) -> pd.DataFrame:
    """Return one row that says what the snapshot holds: days, windows and counts of exposures."""
    before = ~prepared.test
    recent = before & ~prepared.matured
    pending = pending_rows(prepared)
    return pd.DataFrame(
        [
            {
                "as_of": prepared.as_of,
                "has_dates": prepared.has_dates,
                "waiting_days": config.waiting_days,
                "window_min": float(prepared.window.min()),
                "window_max": float(prepared.window.max()),
                "exposures": int(before.sum()),
                "matured": int((before & prepared.matured).sum()),
                "immature": int(recent.sum()),
                "pending": int(pending.sum()),
                "flipped": int(prepared.label[pending].sum()),
                "seen_rate": float(prepared.seen[recent].mean()) if recent.any() else np.nan,
                "final_rate": float(prepared.label[recent].mean()) if recent.any() else np.nan,
                "test": int(prepared.test.sum()),
                "units": int(np.unique(prepared.unit).size),
                "dropped": prepared.dropped,
                "has_leak": has_leak,
            }
        ]
    )
