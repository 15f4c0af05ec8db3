"""How time and memory of the delay statistics grow with the number of exposures, beside survival libraries."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from engine.benchmark.delay_peers import TOOLS, ask_peer
from engine.benchmark.scaling import growth_lines, peak_gib, power_law
from engine.delay.simulate import SimulationConfig, write_parquet_folder
from engine.errors import TrainingError

ROWS = (1_000_000, 3_000_000, 10_000_000, 100_000_000)
PEER_ROWS = 10_000_000
"""Largest size that the other libraries are given by default."""
STEP_DAYS = 1.0
WAITING_DAYS = 7.0
COLUMNS = (
    *("rows", "method", "version", "curve_seconds", "curve_cpu_seconds", "all_seconds", "all_cpu_seconds"),
    *("rows_per_second", "peak_gib", "times_ours", "max_difference", "cores", "memory_gib", "note"),
)
GROWTH = ("curve_seconds", "curve_cpu_seconds", "all_seconds", "all_cpu_seconds", "peak_gib")
"""Figures of ours whose growth with the number of exposures is fitted."""
_GIBIBYTE = 2**30


def measure(folder: str, as_of: float, window: float) -> dict[str, Any]:
    """Describe a folder of exposures once; to be called in a process of its own.

    Parameters
    ----------
    folder : str
    as_of, window : float

    Returns
    -------
    dict
        ``curve_seconds``: from Parquet to one Kaplan-Meier curve of all exposures with its band; ``all_seconds``: all
        of what the command `describe` does, checks, households, cure models and cohorts included; both also as
        ``…_cpu_seconds`` of the processor over all threads, which a busy machine changes less; ``peak_gib`` over
        both, libraries included; ``survival``, the curve.
    """
    from engine.backends import open_table
    from engine.delay.arrival import curve_of
    from engine.delay.counts import collect, exit_counts
    from engine.delay.relation import exposures_of
    from engine.delay.statistics import horizon_bin_of, statistics_tables

    horizon = horizon_bin_of(window, STEP_DAYS)
    marks = [(time.perf_counter(), time.process_time())]
    exits = collect(exit_counts(open_table(Path(folder)), as_of=as_of, step_days=STEP_DAYS, horizon_bin=horizon))
    curve = curve_of(exits, horizon)
    marks.append((time.perf_counter(), time.process_time()))
    log = exposures_of(open_table(Path(folder)), {}, source=folder, attribution_days=window)
    statistics_tables(
        log.exposures,
        as_of=as_of,
        final_day=as_of,
        other_days=(),
        step_days=STEP_DAYS,
        horizon_bin=horizon,
        waiting_bin=int(WAITING_DAYS / STEP_DAYS),
    )
    marks.append((time.perf_counter(), time.process_time()))
    (curve_wall, curve_cpu), (all_wall, all_cpu) = np.diff(marks, axis=0)
    return {
        "curve_seconds": curve_wall,
        "curve_cpu_seconds": curve_cpu,
        "all_seconds": all_wall,
        "all_cpu_seconds": all_cpu,
        "peak_gib": peak_gib(),
        "survival": [] if curve is None else curve.survival_at(np.arange(horizon + 1)).tolist(),
    }


def measure_all(
    sizes: Sequence[int],
    *,
    work: Path,
    python: str,
    peer_rows: int,
    seed: int,
    on_step: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Measure ours and the others at every size, one after the other, each in a process of its own.

    Parameters
    ----------
    sizes : sequence of int
        Exposures.
    work : Path
        Where the exposures are written; a folder that is there already is used again.
    python : str
        Interpreter of the others' environment.
    peer_rows : int
        Largest size that the others are given.
    seed : int
    on_step : callable, optional
        Receives what comes next.

    Returns
    -------
    DataFrame
        `COLUMNS`, one row per size and method: ``curve_seconds`` from Parquet to the Kaplan-Meier curve with its
        band; of ours ``all_seconds`` for all statistics; ``rows_per_second`` of the curve; ``times_ours``: curve
        seconds over ours; ``max_difference`` of the curve from ours. NaN with a ``note`` where there is no answer.

    Raises
    ------
    TrainingError
        If our process dies, as it does for want of memory.
    """
    config = SimulationConfig(seed=seed)
    machine = {
        "cores": os.cpu_count() or 1,
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIBIBYTE,
    }
    say = on_step or (lambda _: None)
    rows: list[dict[str, Any]] = []
    for size in sizes:
        say(f"{size:,} exposures · simulate")
        folder = exposures_folder(work, size, config)
        say(f"{size:,} exposures · ours")
        ours = _in_own_process(folder, config, size)
        survival = np.asarray(ours.pop("survival"))
        rows.append({"rows": size, "method": "ours", "times_ours": 1.0, "max_difference": 0.0, "note": ""} | ours)
        for tool in TOOLS if size <= peer_rows else ():
            say(f"{size:,} exposures · {tool}")
            answer = ask_peer(python, tool, "kaplan_meier", folder, as_of=config.days, step=STEP_DAYS)
            rows.append({"rows": size, "method": tool} | _peer_row(answer, survival, ours["curve_seconds"]))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).assign(**machine)
    return table.assign(rows_per_second=table["rows"] / table["curve_seconds"])


def exposures_folder(work: Path, size: int, config: SimulationConfig) -> Path:
    """Return a folder with as many simulated exposures, written unless it is there in full."""
    folder = work / f"exposures-{config.seed}-{size}"
    there = sum(pq.read_metadata(file).num_rows for file in folder.glob("*.parquet"))
    if there != size:
        write_parquet_folder(size, folder, config)
    return folder


def _in_own_process(folder: Path, config: SimulationConfig, size: int) -> dict[str, Any]:
    """Measure ours in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(measure, str(folder), config.days, config.window_days).result()
        except BrokenProcessPool as error:
            raise TrainingError(
                f"The process for {size:,} exposures was ended, most likely for want of memory; measure fewer."
            ) from error


def _peer_row(answer: dict[str, Any], survival: np.ndarray, ours: float) -> dict[str, Any]:
    """Return what one library took, and how far its curve is from ours."""
    if "note" in answer:
        return {"note": answer["note"]}
    seconds = answer["read_seconds"] + answer["fit_seconds"]
    place = np.asarray(answer["found"]["time"]).astype(int)
    return {
        "version": answer["version"],
        "curve_seconds": seconds,
        "curve_cpu_seconds": answer["cpu_seconds"],
        "peak_gib": answer["peak_gib"],
        "times_ours": seconds / ours,
        "max_difference": float(np.abs(np.asarray(answer["found"]["survival"]) - survival[place]).max()),
        "note": "",
    }


def growth(table: pd.DataFrame) -> pd.DataFrame:
    """Fit how our figures in the table of `measure_all` grow with the exposures, see `power_law`."""
    ours = table[table["method"] == "ours"]
    return power_law(ours["rows"], ours[list(GROWTH)])


def text_of(table: pd.DataFrame, fitted: pd.DataFrame) -> str:
    """Return both tables for reading."""
    first = table.iloc[0]
    lines = [
        f"{first['cores']:.0f} cores, {first['memory_gib']:.1f} GiB of memory",
        "",
        "| exposures | method | curve s (CPU) | all s (CPU) | exposures/s | peak GiB | times ours | difference |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in table.itertuples():
        name = f"{row.method} {row.version}" if isinstance(row.version, str) else row.method
        if row.note:
            lines.append(f"| {row.rows:,} | {name} | {row.note} | | | | | |")
            continue
        curve = f"{row.curve_seconds:.1f} ({row.curve_cpu_seconds:.1f})"
        everything = "" if np.isnan(row.all_seconds) else f"{row.all_seconds:.1f} ({row.all_cpu_seconds:.1f})"
        lines.append(
            f"| {row.rows:,} | {name} | {curve} | {everything} | {row.rows_per_second:,.0f} | "
            f"{row.peak_gib:.2f} | {row.times_ours:.1f} | {row.max_difference:.1e} |"
        )
    return "\n".join([*lines, *growth_lines(fitted, what="exposures")])
