"""Train and judge every method on one snapshot: the whole story of a delayed-feedback run."""

from __future__ import annotations

import time
from dataclasses import fields

import numpy as np
import pandas as pd

from engine.delay.arrival import ALL_SEGMENTS, TAKEN_SEGMENT
from engine.delay.asof import asof_days
from engine.delay.config import DelayConfig
from engine.delay.counterfactual import counterfactual_rows
from engine.delay.data import Dataset, Prepared, prepare
from engine.delay.drift import Drift
from engine.delay.evaluate import evaluate, pending_rows
from engine.delay.flipped import flip_examples
from engine.delay.flips import FLIP_GROUPS
from engine.delay.funnel import funnel_table, selection_gap
from engine.delay.influence import influence_tables
from engine.delay.loop import Progress
from engine.delay.maturing import maturing_table
from engine.delay.statistics import exposure_table, horizon_bin_of, statistics_tables
from engine.delay.streaming import replay
from engine.delay.streaming_tables import stream
from engine.delay.streams import Outlook, snapshot_rows, streams
from engine.delay.tradeoff import tradeoff_table
from engine.delay.train import Fitted, fit
from engine.delay.whatif import law_table
from engine.delay.windows import window_table
from engine.distributed import alone
from engine.errors import DataError, NotEnoughDataError
from engine.result import OnEpoch, RunResult


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
        Curves ``claims, differences, arrival, cure, asof, asof_curves, asof_cohorts, windows, tradeoff, cohorts,
        reliability, weights, tails, funnel, funnel_check, maturing, flips, influence, influence_check, law,
        snapshot``; with the setting `streaming` also ``stream, stream_facts``, and the split ``stream`` in metrics
        and differences.

    Raises
    ------
    ConfigError
        If the grid of elapsed time would have too many bins.
    DataError
        If a segment is called `engine.delay.arrival.ALL_SEGMENTS`.
    NotEnoughDataError
        If nothing can be learned or judged; see `engine.delay.data.prepare`. If the settings leave a
        method without training rows.
    TrainingError
        If a loss is not finite.
    """
    started = time.perf_counter()
    if (dataset.frame["segment"] == ALL_SEGMENTS).any():
        raise DataError(TAKEN_SEGMENT.format(dataset.info.name, ALL_SEGMENTS))
    prepared = prepare(dataset, config)
    require_rows(prepared, config)
    horizon_bin = horizon_bin_of(float(prepared.window.max()), config.step_days)
    statistics = describe_window(prepared, config, horizon_bin)
    arrival = statistics["arrival"]
    fitted = fit(prepared, config, on_epoch=on_epoch)
    progress = Progress(on_epoch)
    streamed = stream(dataset, prepared, config, on_epoch=progress.pass_on) if config.streaming else None
    history = pd.concat((fitted.history, progress.table()), ignore_index=True) if streamed else fitted.history
    # Other workers have done their part: what is trained from here on, for comparisons, this one trains alone.
    with alone():
        evaluation = evaluate(fitted, prepared, config, flip_by_segment(arrival, prepared, config))
        curves = _tables(fitted, prepared, config, arrival, horizon_bin)
    metrics, differences = evaluation.metrics, evaluation.differences
    if streamed is not None:
        metrics = pd.concat((metrics, streamed.metrics), ignore_index=True)
        differences = pd.concat((differences, streamed.differences), ignore_index=True)
        curves |= {"stream": streamed.stream, "stream_facts": streamed.facts}
    curves |= {
        "claims": evaluation.claims,
        "differences": differences,
        "reliability": evaluation.reliability,
        "weights": evaluation.weights,
        "tails": evaluation.tails,
        **statistics,
    }
    return RunResult(
        kind="delay",
        config=config,
        dataset=dataset.info,
        metrics=metrics,
        curves=curves,
        predictions=evaluation.predictions,
        model=fitted.model,
        history=history,
        seconds=time.perf_counter() - started,
    )


def _tables(
    fitted: Fitted, prepared: Prepared, config: DelayConfig, arrival: pd.DataFrame, horizon_bin: int
) -> dict[str, pd.DataFrame]:
    """Return what the page shows beside the judgement of the methods."""
    influence, influence_check = influence_tables(prepared, fitted.streams["vanilla"], config)
    return {
        "funnel": funnel_table(fitted, prepared, config),
        "funnel_check": selection_gap(fitted, prepared, config),
        "maturing": maturing_table(fitted, prepared, config),
        "flips": flip_examples(fitted, prepared, config),
        "windows": window_table(fitted, prepared, arrival, config, horizon_bin=horizon_bin),
        "influence": influence,
        "influence_check": influence_check,
        "law": law_table(prepared),
        "tradeoff": tradeoff_table(prepared, config, horizon_bin=horizon_bin, flip_of=fitted.flip_model.flip),
        "snapshot": snapshot_facts(prepared, config, has_leak=fitted.has_leak, drift=fitted.drift[FLIP_GROUPS[1]]),
    }


def assist(dataset: Dataset, config: DelayConfig) -> None:
    """Take part in the trainings of a run that another worker reports: all methods, in both protocols.

    Parameters
    ----------
    dataset : Dataset
    config : DelayConfig
        The same as the other worker's.
    """
    prepared = prepare(dataset, config)
    require_rows(prepared, config)
    fit(prepared, config)
    if config.streaming:
        replay(dataset, prepared, config)


def require_rows(prepared: Prepared, config: DelayConfig) -> None:
    """Refuse settings that leave a method without training rows; the default ones never do with enough data.

    Parameters
    ----------
    prepared : Prepared
    config : DelayConfig

    Raises
    ------
    NotEnoughDataError
    """
    past = counterfactual_rows(prepared, days=config.counterfactual_days)
    if not past.by_snapshot.any() or past.by_deadline.all():
        raise NotEnoughDataError(
            f"Of the training exposures, {past.exposure.size:,} are older than 'counterfactual_days' and "
            f"{int(past.by_snapshot.sum()):,} of these converted; both outcomes are needed. Choose fewer days."
        )
    # Which rows a method has does not depend on what the models of arrival say.
    anything = Outlook(**{field.name: np.ones(prepared.time.size) for field in fields(Outlook)})
    rows = streams(prepared, anything, max_weight=config.max_weight)
    rows |= snapshot_rows(prepared, counterfactual_days=config.counterfactual_days)
    for method, part in rows.items():
        if not part.exposure.size:
            raise NotEnoughDataError(
                f"No training exposure is left for the method '{method}' on day {prepared.as_of:g}; choose a longer "
                "'training_days' (above 'waiting_days'), another 'as_of_day' or more data."
            )


def describe_window(prepared: Prepared, config: DelayConfig, horizon_bin: int) -> dict[str, pd.DataFrame]:
    """Describe how labels arrive, see `engine.delay.statistics.statistics_tables`.

    Parameters
    ----------
    prepared : Prepared
    config : DelayConfig
    horizon_bin : int

    Returns
    -------
    dict of str to DataFrame
        ``arrival, cure, cohorts, asof, asof_curves, asof_cohorts``.
    """
    closed = prepared.time + prepared.window
    return statistics_tables(
        exposure_table(prepared),
        as_of=prepared.as_of,
        # Every prepared exposure has a complete window at the end of the log, which the aggregate takes as exclusive.
        final_day=max(prepared.observed_until, float(closed.max())) + 1.0,
        other_days=asof_days(float(closed.min()), prepared.observed_until, prepared.as_of, config.asof_days),
        step_days=config.step_days,
        horizon_bin=horizon_bin,
        waiting_bin=int(np.floor(config.waiting_days / config.step_days + 1e-9)),
    )


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


def snapshot_facts(prepared: Prepared, config: DelayConfig, *, has_leak: bool, drift: Drift) -> pd.DataFrame:
    """Return one row that says what the snapshot holds: days, windows, counts of exposures, and the drift of ours."""
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
                "drift_conversion": drift.conversion,
                "drift_delay": drift.delay,
                "drift_gain": drift.gain,
                "drift_forecast": drift.forecast,
            }
        ]
    )
