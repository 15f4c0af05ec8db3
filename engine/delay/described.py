"""A run without a training: how labels arrive in a log of any size, from aggregates alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd

from engine.delay.asof import asof_days, asof_tables
from engine.delay.config import DelayConfig
from engine.delay.described_claims import described_claims
from engine.delay.draws import exit_ages, read_sums, sums_of, unit_facts, with_unit
from engine.delay.funnel_counts import observed_funnel, stage_counts
from engine.delay.relation import Log
from engine.delay.scope import Scope
from engine.delay.scope_counts import described_law, law_counts, law_points, scope_facts
from engine.delay.statistics import horizon_bin_of, statistics_tables
from engine.delay.tradeoff import tradeoff_of, waiting_grid
from engine.delay.window_counts import described_windows, window_cells
from engine.result import DIFFERENCE_COLUMNS, METRIC_COLUMNS, DatasetInfo, Origin, RunResult
from engine.tables import content_hash

_COUNTED = ("exposures", "matured", "immature", "pending")


def describe(
    log: Log, scope: Scope, config: DelayConfig, *, source: str, origin: Origin = "own", description: str = ""
) -> RunResult:
    """Describe how the labels of a log arrive, as a training does, for data that need not fit into memory.

    Parameters
    ----------
    log : Log
        See `engine.delay.relation.exposures_of`.
    scope : Scope
        See `engine.delay.scope.scope_of`.
    config : DelayConfig
        Settings of the training are not read.
    source : str
        What the run calls the data.
    origin : str, default "own"
        Where they come from.
    description : str, default ""
        What they hold.

    Returns
    -------
    RunResult
        Without methods. Curves ``arrival, cure, cohorts, asof, asof_curves, asof_cohorts, windows, tradeoff, law,
        funnel, snapshot, claims`` as of a training, but for what needs a model; and ``present``, the rows of ``asof``
        for the end of the log with all exposures. Final figures are NaN where labels are still open at the end.
        ``law`` is absent where nothing had matured, ``tradeoff`` has the estimators without a network.

    Raises
    ------
    ConfigError
        If the grid of elapsed time would have too many bins.

    Notes
    -----
    Intervals draw groups of whole units. Without units the claims take exposures as independent, and the error of a
    window draws moments of exposure (see `engine.delay.draws.with_unit`).
    """
    started = time.perf_counter()
    facts = collected(scope_facts(scope.exposures, as_of=scope.as_of, end=scope.end)).iloc[0].to_dict()
    facts["has_truth"] = scope.is_past or pd.isna(facts["first_open"])
    grid = {"step_days": config.step_days, "horizon_bin": horizon_bin_of(facts["window_max"], config.step_days)}
    curves = label_tables(scope, config, facts, grid)
    by_unit = collected(unit_facts(with_unit(scope.exposures), as_of=scope.as_of, waiting_days=config.waiting_days))
    curves["funnel"] = _funnel(scope, config)
    curves["present"] = _present(log, scope, curves["asof"], grid)
    curves["snapshot"] = _snapshot(log, scope, config, facts, by_unit)
    is_unit = "unit" in log.exposures.columns
    curves["claims"] = described_claims(
        by_unit, curves["present"], config, has_truth=facts["has_truth"], is_unit=is_unit
    )
    curves["differences"] = pd.DataFrame(columns=list(DIFFERENCE_COLUMNS))
    rows = {"exposures": log.rows, "conversions": log.conversions, "exposures without a final label": scope.dropped}
    whole = content_hash(curves["asof"], curves["arrival"], curves["present"])
    info = DatasetInfo(name=source, origin=origin, data_id=whole, description=description, rows=rows)
    return RunResult(
        kind="delay",
        config=config,
        dataset=info,
        metrics=pd.DataFrame(columns=list(METRIC_COLUMNS)),
        curves=curves,
        predictions=pd.DataFrame({"exposure_id": pd.Series(dtype=object)}),
        history=pd.DataFrame(columns=["stage", "epoch", "loss", "value"]),
        seconds=time.perf_counter() - started,
    )


def printed_tables(log: Log, scope: Scope, config: DelayConfig) -> dict[str, pd.DataFrame]:
    """Return the tables that `engine.delay.summary` reads, and no others: half the scans.

    Parameters
    ----------
    log : Log
    scope : Scope
    config : DelayConfig

    Returns
    -------
    dict of str to DataFrame
        ``arrival, cure, cohorts``.
    """
    horizon_bin = horizon_bin_of(log.longest_window, config.step_days)
    return _statistics(scope, config, step_days=config.step_days, horizon_bin=horizon_bin)


def label_tables(
    scope: Scope, config: DelayConfig, facts: Mapping[str, Any], grid: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:
    """Return every table of labels over time, by the names that a training gives them.

    Parameters
    ----------
    scope : Scope
    config : DelayConfig
    facts : mapping
        Row of `engine.delay.scope_counts.scope_facts`, with ``has_truth``: whether every final label is known.
    grid : mapping
        ``step_days`` and ``horizon_bin``.

    Returns
    -------
    dict of str to DataFrame
    """
    days = _days(scope, facts["first_closed"], config.asof_days)
    tables = _statistics(scope, config, days=days, **grid)
    if not scope.is_past:
        tables["cohorts"] = _without_open_weeks(tables["cohorts"])
        tables["asof"] = _without_truth(tables["asof"], facts["first_open"])
    cells = collected(window_cells(scope.exposures, as_of=scope.as_of, **grid))
    tables["windows"] = described_windows(tables["arrival"], cells, has_truth=facts["has_truth"], **grid)
    tables["tradeoff"] = _tradeoff(scope, config, facts, grid)
    if facts["matured"]:
        elapsed = law_points(float(facts["matured_window"]))
        counts = law_counts(scope.exposures, elapsed, as_of=scope.as_of, waiting_days=config.waiting_days)
        tables["law"] = described_law(collected(counts), elapsed)
    return tables


def _statistics(
    scope: Scope, config: DelayConfig, *, step_days: float, horizon_bin: int, days: tuple[float, ...] = ()
) -> dict[str, pd.DataFrame]:
    """Return the tables of `engine.delay.statistics.statistics_tables` for a scope; those by day for some days."""
    return statistics_tables(
        scope.exposures,
        as_of=scope.as_of,
        # Every exposure has a complete window at the end, which the aggregate takes as exclusive.
        final_day=scope.end + 1.0 if scope.is_past else scope.end,
        other_days=days,
        step_days=step_days,
        horizon_bin=horizon_bin,
        waiting_bin=int(np.floor(config.waiting_days / config.step_days + 1e-9)),
    )


def collected(expression: ibis.Table) -> pd.DataFrame:
    """Run an aggregate and return it as a small frame."""
    return expression.to_pyarrow().to_pandas()


def _without_truth(asof: pd.DataFrame, first_open: Any) -> pd.DataFrame:
    """Take away what came in the end from the days on which exposures count whose label is still open at the end."""
    unknown = asof["as_of"] > (np.nan if first_open is None else first_open)
    return asof.assign(
        rate_final=asof["rate_final"].mask(unknown), flips_final=asof["flips_final"].astype(np.float64).mask(unknown)
    )


def _without_open_weeks(cohorts: pd.DataFrame) -> pd.DataFrame:
    """Take away the final rates of ages that a week has not lived through: as of the end, they are counts so far."""
    keys = ["cohort", "age_days"]
    seen = pd.MultiIndex.from_frame(cohorts.loc[cohorts["stage"] == "seen", keys])
    lived = pd.MultiIndex.from_frame(cohorts[keys]).isin(seen)
    return cohorts[(cohorts["stage"] != "final") | lived].reset_index(drop=True)


def _days(scope: Scope, first_closed: float, count: int) -> tuple[float, ...]:
    """Return the days to look at; each has a date of its own."""
    if first_closed > scope.end:
        return (scope.as_of,)
    days = asof_days(first_closed, scope.end, scope.as_of, count)
    return tuple(day for day in days if day == scope.as_of or np.floor(day) != np.floor(scope.as_of))


def _tradeoff(scope: Scope, config: DelayConfig, facts: Mapping[str, Any], grid: Mapping[str, Any]) -> pd.DataFrame:
    """Return the error of every waiting window for the estimators that need no network."""
    period = min(config.training_days or np.inf, float(facts["window_max"]))
    waiting = waiting_grid(grid["horizon_bin"], config)
    exposures = with_unit(scope.exposures)
    read = collected(read_sums(exposures, waiting, as_of=scope.as_of, period=period))
    exits = collected(exit_ages(exposures, as_of=scope.as_of, **grid))
    return tradeoff_of(sums_of(read, exits, waiting, **grid), waiting, period, config)


def _funnel(scope: Scope, config: DelayConfig) -> pd.DataFrame:
    """Return the observed funnel of the exposures from the day on; at the end of the log, of all with a final label."""
    start = scope.as_of if scope.is_past else None
    exposures = with_unit(scope.exposures)
    counts = stage_counts(exposures, start=start, end=scope.end, waiting_days=config.waiting_days)
    return observed_funnel(collected(counts), config, is_unit="unit" in scope.exposures.columns)


def _present(log: Log, scope: Scope, asof: pd.DataFrame, grid: Mapping[str, Any]) -> pd.DataFrame:
    """Return what is known of all exposures at the end of the log, by segment."""
    if not scope.is_past:
        return asof[np.isclose(asof["as_of"], scope.as_of)].reset_index(drop=True)
    if not scope.dropped:
        # No window is open, so nothing is left to say.
        return asof.iloc[:0].reset_index(drop=True)
    found = asof_tables(log.exposures, (scope.end,), final_day=scope.end, **grid)["asof"]
    return found.assign(rate_final=np.float32(np.nan), flips_final=np.nan)


def _snapshot(
    log: Log, scope: Scope, config: DelayConfig, facts: Mapping[str, Any], by_unit: pd.DataFrame
) -> pd.DataFrame:
    """Return one row that says what the snapshot holds, by the names that a training gives it."""
    immature = int(facts["immature"])
    known = facts["has_truth"] and immature > 0
    return pd.DataFrame(
        [
            {
                "as_of": scope.as_of,
                "has_dates": log.has_dates,
                "waiting_days": config.waiting_days,
                "window_min": float(facts["window_min"]),
                "window_max": float(facts["window_max"]),
                **{name: int(facts[name]) for name in _COUNTED},
                "flipped": float(facts["flipped"]) if facts["has_truth"] else np.nan,
                "seen_rate": facts["seen"] / immature if immature else np.nan,
                "final_rate": facts["positives"] / immature if known else np.nan,
                "test": int(facts["later"]),
                "units": int(by_unit["units"].sum()) if "unit" in log.exposures.columns else 0,
                "dropped": scope.dropped,
                "has_leak": False,
                "engaged": int(facts["engaged"]),
                "has_truth": facts["has_truth"],
                "end": scope.end,
            }
        ]
    )
