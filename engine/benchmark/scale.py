"""How time and memory of the aggregates of all three kinds grow with the data, beside what people use today."""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import engine
from engine.benchmark.delay_peers import peer_words
from engine.benchmark.delay_scale import curve_by_bin
from engine.benchmark.limited import Limits, Outcome, bare_environment, run_limited
from engine.benchmark.scale_subject import OURS, SIMULATE, Answer, Subject, Task, difference, question, tell
from engine.benchmark.scaling import machine, power_law
from engine.result import Kind

ROWS = (1_000_000, 10_000_000, 100_000_000)
MODULES: dict[Kind, tuple[str, ...]] = {
    "uncertainty": ("engine.benchmark.uncertainty_scale",),
    "delay": ("engine.benchmark.delay_scale",),
    "graph": ("engine.benchmark.edges_scale", "engine.benchmark.events_scale"),
}
"""Kind to the modules that hold a `SUBJECT`."""
COLUMNS = (
    *("kind", "data", "rows", "tool", "version", "step", "seconds", "cpu_seconds", "rows_per_second"),
    *("peak_mebibytes", "max_difference", "exponent", "ci_low", "ci_high", "n_sizes", "cores", "memory_gib", "note"),
)
_ROOT = Path(engine.__file__).resolve().parent.parent
_MEBIBYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is the same for all that is measured."""

    work: Path
    """Where the data are written; data that are there already are used again."""
    keep: bool
    """Whether they stay there."""
    limits: Limits
    """Of every task, ours too."""
    python: str
    """Interpreter of the environment with the survival libraries."""
    seed: int
    on_step: Callable[[str], None]
    """Receives what comes next."""
    on_size: Callable[[pd.DataFrame], None]
    """Receives the table so far after every size: the largest take long."""


def measure_all(kinds: Sequence[Kind], sizes: Sequence[int], plan: Plan) -> pd.DataFrame:
    """Measure every tool at every size, one after the other, each task in a process of its own.

    A tool that a limit has ended is not given a larger size.

    Parameters
    ----------
    kinds : sequence of Kind
    sizes : sequence of int
        Rows.
    plan : Plan

    Returns
    -------
    DataFrame
        `COLUMNS`, one row per size, tool and step: ``seconds`` from Parquet to the answer, ``cpu_seconds`` over all
        threads, ``peak_mebibytes`` with the libraries; ``max_difference`` is the largest one between the tool's
        answer and ours; ``exponent`` with its interval is the growth of ``cpu_seconds`` with the rows, see
        `power_law`, the same in all rows of a tool and step. NaN with a ``note`` where there is no answer.
    """
    rows: list[dict[str, Any]] = []
    for module in (module for kind in kinds for module in MODULES[kind]):
        subject: Subject = importlib.import_module(module).SUBJECT
        ended: set[tuple[str, str]] = set()
        for size in sorted(sizes):
            folder = plan.work / f"{subject.data}-{plan.seed}-{size}"
            found = _measure_size(subject, module, folder, size, plan, ended)
            rows += [{"kind": subject.kind, "data": subject.data, "rows": size} | row for row in found]
            ended |= {(row["tool"], row["step"]) for row in found if row["note"]}
            plan.on_size(_table(rows))
            if not plan.keep:
                shutil.rmtree(folder, ignore_errors=True)
            if (OURS, SIMULATE) in ended:
                break
    return _table(rows)


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Lay out what was measured, with what follows from it."""
    table = pd.DataFrame(rows, columns=list(COLUMNS)).assign(**machine())
    return with_growth(table.assign(rows_per_second=table["rows"] / table["seconds"]))


def is_complete(folder: Path, rows: int) -> bool:
    """Tell whether a folder holds as many rows."""
    return sum(pq.read_metadata(file).num_rows for file in folder.glob("*.parquet")) == rows


def with_growth(table: pd.DataFrame) -> pd.DataFrame:
    """Fit how the processor time of every tool and step grows, and write it into all of their rows.

    Parameters
    ----------
    table : DataFrame
        `COLUMNS`.

    Returns
    -------
    DataFrame
        The same rows with ``exponent, ci_low, ci_high, n_sizes``.
    """
    parts = []
    for _, part in table.groupby(["data", "tool", "step"], sort=False):
        answered = part[part["note"] == ""]
        fitted = power_law(answered["rows"], answered[["cpu_seconds"]]).iloc[0]
        known = {name: fitted[name] for name in ("exponent", "ci_low", "ci_high")}
        parts.append(part.assign(**known, n_sizes=fitted["n"]))
    return pd.concat(parts).sort_index()


def _measure_size(
    subject: Subject, module: str, folder: Path, size: int, plan: Plan, ended: set[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Measure every task at one size; without data there is nothing to measure."""
    rows: list[dict[str, Any]] = []
    ours: dict[str, pd.DataFrame] = {}
    there = is_complete(folder, size)
    if not there:
        shutil.rmtree(folder, ignore_errors=True)
        tell(folder, rows=size, seed=plan.seed)
    for task in subject.tasks:
        if (task.tool, task.step) in ended or (task is subject.simulation and there):
            continue
        plan.on_step(f"{size:,} {subject.data} · {task.tool} · {task.step}")
        outcome, answer = _ask(task, module, folder, plan)
        if task.tool == OURS:
            ours |= answer
        shared = [difference(ours[name], table, subject.keys[name]) for name, table in answer.items() if name in ours]
        gap = max(shared, default=np.nan) if task.tool != OURS else np.nan
        rows.append({"tool": task.tool, "step": task.step, "max_difference": gap} | _figures(outcome))
        if task is subject.simulation and outcome.note:
            break
    return rows


def _ask(task: Task, module: str, folder: Path, plan: Plan) -> tuple[Outcome, Answer]:
    """Let a tool work, and read its answer."""
    if task.work is None:
        told = question(folder)
        words = peer_words(plan.python, task.tool, "kaplan_meier", folder, as_of=told["as_of"], step=told["step"])
        outcome = run_limited(words, plan.limits, environment=bare_environment())
        return outcome, {} if outcome.note else {"curve": curve_by_bin(outcome.record["found"], told["horizon"])}
    with tempfile.TemporaryDirectory() as answers:
        words = [sys.executable, "-m", "engine.benchmark.scale_worker", module, task.tool, task.step]
        outcome = run_limited([*words, str(folder.resolve()), answers], plan.limits, folder=_ROOT)
        return outcome, {file.stem: pd.read_parquet(file) for file in Path(answers).glob("*.parquet")}


def _figures(outcome: Outcome) -> dict[str, Any]:
    """Return what a task took; the process itself knows its peak best."""
    taken = {name: outcome.record[name] for name in ("seconds", "cpu_seconds", "version") if name in outcome.record}
    peak = outcome.record.get("peak_gib", outcome.peak_gib)
    return taken | {"peak_mebibytes": peak * _MEBIBYTES, "note": outcome.note}


def text_of(table: pd.DataFrame) -> str:
    """Return the table for reading."""
    first = table.iloc[0]
    lines = [
        f"{first['cores']:.0f} cores, {first['memory_gib']:.1f} GiB of memory",
        "",
        "| data | rows | tool | step | s (CPU) | rows/s | peak MiB | difference | growth of CPU s [95 %] |",
        "|---|---:|---|---|---:|---:|---:|---:|---|",
    ]
    for row in table.itertuples():
        name = f"{row.tool} {row.version}" if isinstance(row.version, str) and row.version else row.tool
        peak = "" if np.isnan(row.peak_mebibytes) else f"{row.peak_mebibytes:,.0f}"
        head = f"| {row.data} | {row.rows:,} | {name} | {row.step} "
        if row.note:
            lines.append(f"{head}| {row.note} | | {peak} | | |")
            continue
        gap = "" if np.isnan(row.max_difference) else f"{row.max_difference:.1e}"
        growth = "" if np.isnan(row.exponent) else f"{row.exponent:.2f} [{row.ci_low:.2f}, {row.ci_high:.2f}]"
        lines.append(
            f"{head}| {row.seconds:.2f} ({row.cpu_seconds:.2f}) | {row.rows_per_second:,.0f} | {peak} | {gap} | "
            f"{growth}{f' · n {row.n_sizes} sizes' if growth else ''} |"
        )
    return "\n".join(lines)
