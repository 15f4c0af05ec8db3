"""One survival library on one table of exposures; a script of its own, for an environment without this project.

It counts exits from raw rows by its own few lines of NumPy, so it also checks our aggregate.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

MODULES = {
    "statsmodels": ("statsmodels.duration.survfunc",),
    "lifelines": ("lifelines",),
    "scikit-survival": ("sksurv.nonparametric",),
}
TOOLS = tuple(MODULES)


def times(path: str, *, as_of: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return age, window and delay of every exposure before a day, and whether its conversion was seen by then."""
    table = pq.read_table(path, columns=["exposure_time", "conversion_time", "window_days"])
    exposed, converted, window = (table[name].to_numpy() for name in table.column_names)
    there = exposed < as_of
    exposed, converted, window = exposed[there], converted[there], window[there]
    age, delay = as_of - exposed, converted - exposed
    # A missing conversion is NaN, and NaN compares false.
    return age, window, delay, (delay <= window) & (delay <= age)


def exits(path: str, *, as_of: float, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the elapsed bin in which every exposure leaves the risk set, and whether it converts there."""
    age, window, delay, seen = times(path, as_of=as_of)
    complete = age >= window
    lived = np.floor(np.minimum(age, window) / step + 1e-9)
    arrived = np.ceil(delay / step - 1e-9)
    event = seen & (complete | (arrived <= lived))
    horizon = np.ceil(window.max() / step - 1e-9)
    return np.minimum(np.where(event, arrived, np.where(complete, horizon, lived)), horizon), event


def kaplan_meier(tool: str, duration: np.ndarray, event: np.ndarray) -> tuple[float, dict[str, list[float]]]:
    """Return the seconds of the fit, and the curve with its log-log band or its standard error."""
    if tool == "lifelines":
        from lifelines import KaplanMeierFitter

        started = time.perf_counter()
        fitted = KaplanMeierFitter().fit(duration, event)
        seconds = time.perf_counter() - started
        band = fitted.confidence_interval_.to_numpy()
        curve = {"time": fitted.survival_function_.index.to_numpy(), "low": band[:, 0], "high": band[:, 1]}
        curve["survival"] = fitted.survival_function_.iloc[:, 0].to_numpy()
    elif tool == "scikit-survival":
        from sksurv.nonparametric import kaplan_meier_estimator

        started = time.perf_counter()
        at, survival, (low, high) = kaplan_meier_estimator(event, duration, conf_type="log-log")
        seconds = time.perf_counter() - started
        curve = {"time": at, "survival": survival, "low": low, "high": high}
    else:
        from statsmodels.duration.survfunc import SurvfuncRight

        started = time.perf_counter()
        fitted = SurvfuncRight(duration, event.astype(np.int64))
        seconds = time.perf_counter() - started
        curve = {"time": fitted.surv_times, "survival": fitted.surv_prob, "error": fitted.surv_prob_se}
    return seconds, {name: np.asarray(values, dtype=np.float64).tolist() for name, values in curve.items()}


def cure(law: str, duration: np.ndarray, event: np.ndarray) -> tuple[float, dict[str, float]]:
    """Return the seconds of the fit of lifelines' mixture cure model to exact times, and its numbers.

    Not to intervals: its likelihood of an interval that never ends leaves those out who never convert.
    """
    from lifelines import ExponentialFitter, MixtureCureFitter, WeibullFitter

    base = ExponentialFitter() if law == "exponential" else WeibullFitter()
    started = time.perf_counter()
    fitted = MixtureCureFitter(base_fitter=base).fit(duration, event)
    seconds = time.perf_counter() - started
    return seconds, {
        "converted": float(1 - fitted.cured_fraction_),
        "scale": float(fitted.lambda_),
        "shape": float(getattr(fitted, "rho_", 1.0)),
        "log_likelihood": float(fitted.log_likelihood_),
    }


def peak_gib() -> float:
    """Return the largest memory that this process has held, GiB; NaN where the system does not tell.

    Not that of the resource usage: it counts in what the process was before it became this program.
    """
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 2**20
    return float("nan")


def main(words: list[str]) -> None:
    """Fit and print one JSON record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("task", choices=("kaplan_meier", "exponential", "weibull"))
    parser.add_argument("data")
    parser.add_argument("--as-of", type=float, required=True)
    parser.add_argument("--step", type=float, required=True)
    arguments = parser.parse_args(words)
    for module in MODULES[arguments.tool]:
        importlib.import_module(module)
    started, started_cpu = time.perf_counter(), time.process_time()
    if arguments.task == "kaplan_meier":
        duration, event = exits(arguments.data, as_of=arguments.as_of, step=arguments.step)
    else:
        age, window, delay, event = times(arguments.data, as_of=arguments.as_of)
        duration = np.where(event, delay, np.minimum(age, window))
    read = time.perf_counter() - started
    found: dict[str, Any]
    if arguments.task == "kaplan_meier":
        seconds, found = kaplan_meier(arguments.tool, duration, event)
    else:
        seconds, found = cure(arguments.task, duration, event)
    record = {
        "rows": int(duration.size),
        "read_seconds": read,
        "fit_seconds": seconds,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - started_cpu,
        "peak_gib": peak_gib(),
        "version": version(arguments.tool),
        "found": found,
    }
    sys.stdout.write(json.dumps(record))


if __name__ == "__main__":
    main(sys.argv[1:])
