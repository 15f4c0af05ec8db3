"""How time and memory of describing given scores grow with the rows, beside pandas and scikit-learn in memory."""

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

from engine.benchmark.scaling import growth_lines, peak_gib, power_law
from engine.errors import TrainingError
from engine.uncertainty.simulate import SimulationConfig, simulate

ROWS = (1_000_000, 3_000_000, 10_000_000, 100_000_000)
PEER_ROWS = 10_000_000
"""Largest size that is given to what works in memory, by default."""
RESAMPLES = 200
BLOCK = 500_000
N_BINS = 10
COLUMNS = ("label", "score", "uncertainty", "split")
TABLE = (
    *("rows", "method", "version", "count_seconds", "count_cpu_seconds", "all_seconds", "all_cpu_seconds"),
    *("rows_per_second", "peak_gib", "times_ours", "max_difference", "cores", "memory_gib", "note"),
)
GROWTH = ("count_seconds", "count_cpu_seconds", "all_seconds", "all_cpu_seconds", "peak_gib")
"""Figures of ours whose growth with the rows is fitted."""
_GIBIBYTE = 2**30


def scores_folder(work: Path, size: int, seed: int) -> Path:
    """Return a Parquet folder with as many simulated scores, written block by block unless it is there in full."""
    folder = work / f"scores-{seed}-{size}"
    if sum(pq.read_metadata(file).num_rows for file in folder.glob("*.parquet")) == size:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, size, BLOCK)):
        rows = simulate(min(BLOCK, size - start), SimulationConfig(seed=1000 * seed + number))
        rows[list(COLUMNS)].to_parquet(folder / f"part-{number:05d}.parquet", index=False)
    return folder


def measure(folder: str) -> dict[str, Any]:
    """Describe a folder of scores once; to be called in a process of its own.

    Parameters
    ----------
    folder : str

    Returns
    -------
    dict
        ``count_seconds``: from Parquet to the counts per step; ``all_seconds``: all of what the command `describe
        uncertainty` does; both also as ``…_cpu_seconds`` over all threads; ``peak_gib`` over both, libraries included;
        ``edges`` and ``cells`` of the run.
    """
    from engine.backends import open_table
    from engine.uncertainty.compress import compress
    from engine.uncertainty.config import UncertaintyConfig
    from engine.uncertainty.described import describe
    from engine.uncertainty.relation import scored_rows_of

    marks = [_mark()]
    scored = scored_rows_of(open_table(Path(folder)), {}, source=folder)
    compress(scored, seed=0, tune_share=0.4, source=folder)
    marks.append(_mark())
    result = describe(open_table(Path(folder)), {}, UncertaintyConfig(resamples=RESAMPLES), source=folder)
    marks.append(_mark())
    (count_wall, count_cpu), (all_wall, all_cpu) = np.diff(marks, axis=0)
    return {
        "count_seconds": count_wall,
        "count_cpu_seconds": count_cpu,
        "all_seconds": all_wall,
        "all_cpu_seconds": all_cpu,
        "peak_gib": peak_gib(),
        **{name: result.curves[name] for name in ("edges", "cells")},
    }


def by_pandas(folder: str, edges: pd.DataFrame, cells: pd.DataFrame) -> dict[str, Any]:
    """Count the same cells by pandas from all rows in memory; to be called in a process of its own."""
    marks = [_mark()]
    rows = pd.read_parquet(folder, columns=list(COLUMNS))
    inner = {axis: np.sort(part["edge"].to_numpy()) for axis, part in edges.groupby("axis")}
    bucket = np.searchsorted(inner.get("uncertainty", np.empty(0)), rows["uncertainty"], side="left")
    score_bin = np.searchsorted(inner["score"], rows["score"], side="right")
    grouped = rows.assign(bucket=bucket, bin=score_bin).groupby(["split", "bucket", "bin"])["label"]
    counted = grouped.agg(["size", "sum"])
    marks.append(_mark())
    ours = cells.set_index(["split", "bucket", "bin"])[["n", "positives"]]
    theirs = counted.reindex(ours.index, fill_value=0)
    difference = float(np.abs(ours.to_numpy() - theirs.to_numpy()).max())
    return _peer(marks) | {"version": pd.__version__, "max_difference": difference}


def by_scikit_learn(folder: str, edges: pd.DataFrame) -> dict[str, Any]:
    """Work out a curve per bucket by scikit-learn from all rows in memory; to be called in a process of its own."""
    import sklearn
    from sklearn.calibration import calibration_curve

    marks = [_mark()]
    rows = pd.read_parquet(folder, columns=list(COLUMNS))
    rows = rows[rows["split"] == "test"]
    inner = np.sort(edges.loc[edges["axis"] == "uncertainty", "edge"].to_numpy())
    bucket = np.searchsorted(inner, rows["uncertainty"], side="left")
    for _, part in rows.groupby(bucket):
        calibration_curve(part["label"], part["score"], n_bins=N_BINS, strategy="quantile")
    marks.append(_mark())
    return _peer(marks) | {"version": sklearn.__version__}


def measure_all(
    sizes: Sequence[int], *, work: Path, peer_rows: int, seed: int, on_step: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """Measure ours and the others at every size, one after the other, each in a process of its own.

    Parameters
    ----------
    sizes : sequence of int
        Rows.
    work : Path
        Where the scores are written; a folder that is there already is used again.
    peer_rows : int
        Largest size that the others are given.
    seed : int
    on_step : callable, optional
        Receives what comes next.

    Returns
    -------
    DataFrame
        `TABLE`, one row per size and method: ``times_ours`` compares seconds with our counting; ``max_difference``
        is the largest difference of a cell from ours, in rows; scikit-learn counts no cells. NaN with a ``note``
        where a process was ended.

    Raises
    ------
    TrainingError
        If our process dies, as it does for want of memory.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIBIBYTE
    say = on_step or (lambda _: None)
    rows: list[dict[str, Any]] = []
    for size in sizes:
        say(f"{size:,} rows · simulate")
        folder = str(scores_folder(work, size, seed))
        say(f"{size:,} rows · ours")
        ours = _alone(measure, folder)
        if ours is None:
            raise TrainingError(f"The process for {size:,} rows was ended, most likely for want of memory.")
        curves = {name: ours.pop(name) for name in ("edges", "cells")}
        rows.append({"rows": size, "method": "ours", "times_ours": 1.0, "max_difference": 0.0, "note": ""} | ours)
        peers = {"pandas": (by_pandas, *curves.values()), "scikit-learn": (by_scikit_learn, curves["edges"])}
        for name, (function, *tables) in peers.items() if size <= peer_rows else ():
            say(f"{size:,} rows · {name}")
            answer = _alone(function, folder, *tables)
            found = {"note": "ended, most likely for want of memory"} if answer is None else answer | {"note": ""}
            found["times_ours"] = found.get("count_seconds", np.nan) / ours["count_seconds"]
            rows.append({"rows": size, "method": name} | found)
    table = pd.DataFrame(rows, columns=list(TABLE)).assign(cores=os.cpu_count() or 1, memory_gib=memory)
    return table.assign(rows_per_second=table["rows"] / table["count_seconds"])


def growth(table: pd.DataFrame) -> pd.DataFrame:
    """Fit how our figures in the table of `measure_all` grow with the rows, see `power_law`."""
    ours = table[table["method"] == "ours"]
    return power_law(ours["rows"], ours[list(GROWTH)])


def text_of(table: pd.DataFrame, fitted: pd.DataFrame) -> str:
    """Return both tables for reading."""
    first = table.iloc[0]
    lines = [
        f"{first['cores']:.0f} cores, {first['memory_gib']:.1f} GiB of memory",
        "",
        "| rows | method | count s (CPU) | all s (CPU) | rows/s | peak GiB | times ours | difference |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in table.itertuples():
        name = f"{row.method} {row.version}" if isinstance(row.version, str) else row.method
        if row.note:
            lines.append(f"| {row.rows:,} | {name} | {row.note} | | | | | |")
            continue
        everything = "" if np.isnan(row.all_seconds) else f"{row.all_seconds:.1f} ({row.all_cpu_seconds:.1f})"
        difference = "" if np.isnan(row.max_difference) else f"{row.max_difference:.0f}"
        lines.append(
            f"| {row.rows:,} | {name} | {row.count_seconds:.1f} ({row.count_cpu_seconds:.1f}) | {everything} | "
            f"{row.rows_per_second:,.0f} | {row.peak_gib:.2f} | {row.times_ours:.1f} | {difference} |"
        )
    return "\n".join([*lines, *growth_lines(fitted, what="rows")])


def _alone(function: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any] | None:
    """Call a function in a fresh process; None if the process is ended."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except (BrokenProcessPool, MemoryError):
            return None


def _mark() -> tuple[float, float]:
    """Return the clock of the wall and that of the processor, seconds."""
    return time.perf_counter(), time.process_time()


def _peer(marks: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return what another way took."""
    (wall, cpu), *_ = np.diff(marks, axis=0)
    return {"count_seconds": wall, "count_cpu_seconds": cpu, "peak_gib": peak_gib()}
