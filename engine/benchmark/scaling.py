"""What the benchmarks of scale share: memory held, growth with the size, and how both are written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_GIBIBYTE = 2**30


def peak_gib(process: int | None = None) -> float:
    """Return the largest memory that a process has held, GiB; NaN where the system does not tell.

    Parameters
    ----------
    process : int, optional
        Its number; none: this process.
    """
    return _status_gib("VmHWM", process)


def held_gib(process: int) -> float:
    """Return the memory that a process holds now, GiB; NaN where the system does not tell."""
    return _status_gib("VmRSS", process)


def _status_gib(field: str, process: int | None) -> float:
    """Read one figure of a process; a process that has just ended has none."""
    try:
        lines = Path(f"/proc/{'self' if process is None else process}/status").read_text().splitlines()
    except OSError:
        return float("nan")
    for line in lines:
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / _GIBIBYTE
    return float("nan")


def machine() -> dict[str, Any]:
    """Return ``cores`` and ``memory_gib`` of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIBIBYTE
    return {"cores": os.cpu_count() or 1, "memory_gib": memory}


def power_law(size: pd.Series, figures: pd.DataFrame) -> pd.DataFrame:
    """Fit figure = constant * size ^ exponent.

    Parameters
    ----------
    size : Series of length n, > 0
    figures : DataFrame of n rows, > 0
        One column per figure.

    Returns
    -------
    DataFrame
        ``figure, exponent, ci_low, ci_high, n``: slope of the logarithms by least squares with its 95 % interval from
        Student's t on n - 2 degrees of freedom; NaN where fewer than three sizes leave none.
    """
    from scipy import stats

    rows = []
    for figure in figures.columns:
        exponent = half = float("nan")
        if len(size) >= 3:
            fitted = stats.linregress(np.log(size), np.log(figures[figure]))
            exponent, half = fitted.slope, fitted.stderr * stats.t.ppf(0.975, len(size) - 2)
        rows.append((figure, exponent, exponent - half, exponent + half, len(size)))
    return pd.DataFrame(rows, columns=["figure", "exponent", "ci_low", "ci_high", "n"])


def growth_lines(fitted: pd.DataFrame, *, what: str) -> list[str]:
    """Write what `power_law` has found, below a heading that names what the figures grow with."""
    lines = ["", f"Growth of ours with the {what} (exponent of a power law, 95 % interval):"]
    for row in fitted.itertuples():
        figure = row.figure.replace("_", " ")
        lines.append(f"{figure}: {row.exponent:.2f} [{row.ci_low:.2f}, {row.ci_high:.2f}] · n {row.n} sizes")
    return lines
