"""Survival curves and mixture cure models beside those of statsmodels, lifelines and scikit-survival."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine.backends import open_table
from engine.benchmark import survival_peer
from engine.benchmark.limited import UNLIMITED, bare_environment, run_limited
from engine.benchmark.survival_peer import TOOLS
from engine.delay.arrival import curve_of
from engine.delay.counts import collect, exit_counts
from engine.delay.cure import LAWS, fit_cure
from engine.delay.simulate import SimulationConfig, write_parquet_folder
from engine.metrics.survival import log_log_interval

COLUMNS = ("quantity", "method", "version", "rows", "seconds", "read_seconds", "max_difference", "value", "note")
STEP_DAYS = 0.1
"""Bins of the compared curve; both sides use them."""


def peer_words(python: str, tool: str, task: str, data: Path, *, as_of: float, step: float) -> list[str]:
    """Return the command that lets one library work; parameters as `ask_peer`."""
    script = str(Path(survival_peer.__file__))
    return [python, script, tool, task, str(data), "--as-of", str(as_of), "--step", str(step)]


def ask_peer(python: str, tool: str, task: str, data: Path, *, as_of: float, step: float) -> dict[str, Any]:
    """Let one library work in its own environment.

    Parameters
    ----------
    python : str
        Interpreter of the environment.
    tool : str
        One of `TOOLS`.
    task : {"kaplan_meier", "exponential", "weibull"}
    data : Path
        Parquet file or folder with the columns of `engine.delay.simulate.write_parquet_folder`.
    as_of, step : float

    Returns
    -------
    dict
        ``rows, read_seconds, fit_seconds, peak_gib, version, found``, or ``note`` alone: why there is no answer.
    """
    words = peer_words(python, tool, task, data, as_of=as_of, step=step)
    outcome = run_limited(words, UNLIMITED, environment=bare_environment())
    return {"note": outcome.note} if outcome.note else dict(outcome.record)


def compare(
    python: str, folder: Path, *, rows: int, seed: int, on_step: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """Estimate the same curves and models by our code and by the others, from the same simulated exposures.

    Parameters
    ----------
    python : str
        Interpreter of the others' environment.
    folder : Path
        Where the exposures are written.
    rows, seed : int
    on_step : callable, optional
        Receives what comes next.

    Returns
    -------
    DataFrame
        `COLUMNS`: per ``quantity`` (kaplan_meier, greenwood, cure_exponential, cure_weibull) and ``method`` the
        ``seconds`` of the estimate alone, ``read_seconds`` of reading and counting, ``max_difference`` from ours:
        largest absolute one over the curve, over its band or standard error, or in P(ever converts), which is the
        ``value`` of the cure models. NaN with a ``note`` where a library gave no answer.
    """
    config = SimulationConfig(seed=seed)
    write_parquet_folder(rows, folder, config)
    as_of = config.days
    ours, curve = _our_curve(folder, as_of, config.window_days)
    table = [*ours]
    for tool in TOOLS:
        if on_step is not None:
            on_step(tool)
        answer = ask_peer(python, tool, "kaplan_meier", folder, as_of=as_of, step=STEP_DAYS)
        table += _curve_rows(tool, answer, curve)
    for law in LAWS:
        if on_step is not None:
            on_step(f"{law} cure model")
        table += _cure_rows(python, folder, law, as_of)
    return pd.DataFrame(table, columns=list(COLUMNS))


def _our_curve(folder: Path, as_of: float, window: float) -> tuple[list[dict[str, Any]], Any]:
    """Return our rows, and our curve."""
    horizon = round(window / STEP_DAYS)
    started = time.perf_counter()
    exits = collect(exit_counts(open_table(folder), as_of=as_of, step_days=STEP_DAYS, horizon_bin=horizon))
    read = time.perf_counter() - started
    started = time.perf_counter()
    curve = curve_of(exits, horizon)
    seconds = time.perf_counter() - started
    row = {"method": "ours", "rows": int(exits["n"].sum()), "seconds": seconds, "read_seconds": read}
    row |= {"max_difference": 0.0, "version": "", "note": ""}
    return [{"quantity": name} | row for name in ("kaplan_meier", "greenwood")], curve


def _curve_rows(tool: str, answer: dict[str, Any], curve: Any) -> list[dict[str, Any]]:
    """Return the two rows of one library's curve."""
    names = ("kaplan_meier", "greenwood")
    if "note" in answer:
        return [{"quantity": name, "method": tool, "note": answer["note"]} for name in names]
    found = {name: np.asarray(values) for name, values in answer["found"].items()}
    survival = curve.survival_at(found["time"])
    variance = survival**2 * curve.greenwood_at(found["time"])
    gaps = [np.abs(found["survival"] - survival).max()]
    if "error" in found:
        gaps.append(np.nanmax(np.abs(found["error"] - np.sqrt(variance))))
    else:
        low, high = log_log_interval(survival, variance)
        gaps.append(np.nanmax(np.abs(np.concatenate((found["low"] - low, found["high"] - high)))))
    shared = {"method": tool, "version": answer["version"], "rows": answer["rows"], "note": ""}
    shared |= {"seconds": answer["fit_seconds"], "read_seconds": answer["read_seconds"]}
    return [{"quantity": name, "max_difference": float(gap)} | shared for name, gap in zip(names, gaps, strict=True)]


def _cure_rows(python: str, folder: Path, law: Any, as_of: float) -> list[dict[str, Any]]:
    """Return our row and that of lifelines for one law, both from exact times."""
    started = time.perf_counter()
    age, window, delay, event = survival_peer.times(str(folder), as_of=as_of)
    duration = np.where(event, delay, np.minimum(age, window))
    read = time.perf_counter() - started
    started = time.perf_counter()
    fitted = fit_cure(duration, np.where(event, duration, np.inf), np.ones(duration.size), law=law)
    row: dict[str, Any] = {"quantity": f"cure_{law}", "method": "ours", "version": "", "rows": duration.size}
    row |= {"seconds": time.perf_counter() - started, "read_seconds": read, "max_difference": 0.0}
    row |= {"value": fitted.converted, "note": fitted.reason}
    answer = ask_peer(python, "lifelines", law, folder, as_of=as_of, step=STEP_DAYS)
    peer = {"quantity": f"cure_{law}", "method": "lifelines"}
    if "note" in answer:
        return [row, peer | {"note": answer["note"]}]
    found = answer["found"]
    return [
        row,
        peer
        | {
            "version": answer["version"],
            "rows": answer["rows"],
            "seconds": answer["fit_seconds"],
            "read_seconds": answer["read_seconds"],
            "max_difference": abs(found["converted"] - fitted.converted),
            "value": found["converted"],
            "note": f"log likelihood {found['log_likelihood'] - fitted.log_likelihood:+.2g} against ours",
        },
    ]


def text_of(table: pd.DataFrame) -> str:
    """Return the comparison for reading."""
    lines = [
        "| quantity | method | rows | seconds | largest difference | P(ever) | |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in table.itertuples():
        cells = (
            ("–", "–", "–")
            if np.isnan(row.rows)
            else (f"{row.rows:,.0f}", f"{row.seconds:.3g}", f"{row.max_difference:.1e}")
        )
        value = "" if np.isnan(row.value) else f"{row.value:.5f}"
        name = f"{row.method} {row.version}".strip() if isinstance(row.version, str) else row.method
        lines.append(f"| {row.quantity} | {name} | {' | '.join(cells)} | {value} | {row.note} |")
    return "\n".join(lines)
