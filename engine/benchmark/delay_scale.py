"""Simulated exposures of any number: the curve of late labels, ours beside pandas and survival libraries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from engine.benchmark.scale_engine import described
from engine.benchmark.scale_subject import DESCRIBE, OURS, SIMULATE, Answer, Subject, Task, question, tell
from engine.benchmark.survival_peer import TOOLS
from engine.delay.simulate import SimulationConfig, write_parquet_folder

STEP_DAYS = 1.0
_EXIT = ("segment", "cohort", "engage_bin", "exit_bin", "converted")


def write_exposures(folder: Path) -> Answer:
    """Write simulated exposures block by block."""
    told = question(folder)
    config = SimulationConfig(seed=told["seed"])
    tell(folder, as_of=config.days, step=STEP_DAYS, horizon=round(config.window_days / STEP_DAYS))
    write_parquet_folder(told["rows"], folder, config)
    return {}


def curve(folder: Path) -> Answer:
    """Count how exposures leave the risk set by our expression, and estimate the curve."""
    from engine.backends import open_table
    from engine.delay.arrival import curve_of
    from engine.delay.counts import collect, exit_counts

    told = question(folder)
    expression = exit_counts(
        open_table(folder), as_of=told["as_of"], step_days=told["step"], horizon_bin=told["horizon"]
    )
    exits = collect(expression)
    found = curve_of(exits, told["horizon"])
    bins = np.arange(told["horizon"] + 1)
    survival = np.ones(bins.size) if found is None else found.survival_at(bins)
    return {"exits": exits, "curve": pd.DataFrame({"bin": bins, "survival": survival})}


def describe(folder: Path) -> Answer:
    """Do all that the command does."""
    return described("delay", folder)


def by_pandas(folder: Path) -> Answer:
    """Count the same by a group-by of all rows in memory, and multiply up the curve."""
    told = question(folder)
    as_of, step, horizon = told["as_of"], told["step"], told["horizon"]
    rows = pd.read_parquet(folder)
    rows = rows[rows["exposure_time"] < as_of]
    age, window = as_of - rows["exposure_time"], rows["window_days"]
    delay, engaged = (rows[name] - rows["exposure_time"] for name in ("conversion_time", "engagement_time"))
    lived = np.floor(np.minimum(age, window) / step + 1e-9).clip(upper=horizon)
    arrived = np.ceil(delay / step - 1e-9)
    # A comparison with NaN, an event that never came, is false.
    converted = (delay <= window) & (delay <= age) & ((age >= window) | (arrived <= lived))
    is_engaged = (engaged <= age) & (engaged <= window)
    keyed = pd.DataFrame(
        {
            "segment": rows["segment"].astype("category"),
            "cohort": np.floor(rows["exposure_time"] / 7) * 7,
            "engage_bin": np.ceil(engaged / step - 1e-9).where(is_engaged, -1).astype("int16"),
            "exit_bin": arrived.clip(upper=horizon)
            .where(converted, lived.where(age < window, horizon))
            .astype("int16"),
            "converted": converted.astype("int8"),
        }
    )
    exits = keyed.groupby(list(_EXIT), observed=True).size().rename("n").reset_index()
    leaving = exits.groupby("exit_bin")["n"].sum().reindex(range(horizon + 1), fill_value=0)
    events = exits[exits["converted"] == 1].groupby("exit_bin")["n"].sum().reindex(leaving.index, fill_value=0)
    at_risk = leaving[::-1].cumsum()[::-1]
    survival = (1 - events / at_risk.where(at_risk > 0, 1)).cumprod()
    exits = exits.astype({"segment": object})
    return {"exits": exits, "curve": pd.DataFrame({"bin": leaving.index, "survival": survival.to_numpy()})}


def curve_by_bin(found: dict[str, list[float]], horizon: int) -> pd.DataFrame:
    """Lay out the curve of a survival library, which knows the times of its rows alone, by bin.

    Parameters
    ----------
    found : dict
        ``time`` (ascending) and ``survival``.
    horizon : int

    Returns
    -------
    DataFrame
        ``bin, survival``.
    """
    bins = np.arange(horizon + 1)
    place = np.searchsorted(found["time"], bins, side="right")
    return pd.DataFrame({"bin": bins, "survival": np.concatenate([[1.0], found["survival"]])[place]})


SUBJECT = Subject(
    kind="delay",
    data="exposures",
    tasks=(
        Task(tool=OURS, step=SIMULATE, work=write_exposures),
        Task(tool=OURS, step="curve", work=curve, needs=("engine.backends", "engine.delay.counts")),
        Task(tool="pandas", step="curve", work=by_pandas),
        *(Task(tool=tool, step="curve", work=None) for tool in TOOLS),
        Task(tool=OURS, step=DESCRIBE, work=describe, needs=("engine.cli", "engine.delay.described")),
    ),
    keys={"exits": _EXIT, "curve": ("bin",)},
)
