"""Simulated exposures with engagement, late conversions and known truth."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import ConfigError
from engine.seeding import generator

_SEGMENT_EFFECT = np.array([0.4, 0.0, -0.5])
_SEGMENTS = np.array(["A", "B", "C"])
_SEGMENT_SHARES = (0.5, 0.3, 0.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationConfig:
    """Knobs of the simulator; drifts are changes from the first to the last day of exposures.

    Rates and delays without a drift hold on the middle day: half of a drift lies before it and half after it.
    """

    seed: int = 0
    """Seed of every random draw."""
    days: float = 120.0
    """Exposures arrive evenly over so many days."""
    window_days: float = 30.0
    """Attribution window W in days: a later conversion does not count."""
    features: int = 6
    """Number of numeric features, independent standard normal."""
    engagement_rate: float = 0.4
    """Share of engaged exposures at average features."""
    engagement_days: float = 1.0
    """Engagement happens evenly within so many days after the exposure."""
    conversion_rate: float = 0.05
    """Share of exposures without engagement that ever convert, at average features."""
    engaged_conversion_rate: float = 0.4
    """Share of engaged exposures that ever convert, at average features."""
    delay_days: float = 6.0
    """Mean days from exposure to conversion without engagement, at average features."""
    engaged_delay_days: float = 10.0
    """Mean days from engagement to conversion, at average features."""
    feature_effect: float = 1.5
    """Strength of the features in all three laws; 0 makes them noise."""
    engagement_drift: float = 0.0
    """Drift of the log odds of engagement."""
    conversion_drift: float = 0.0
    """Drift of the log odds of conversion."""
    delay_drift: float = 0.0
    """Drift of the log of the mean delay."""
    drift_shape: Literal["linear", "step"] = "linear"
    """How all drifts come: evenly from the first day to the last, or at once on the middle day."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        whole = {"seed": (0, 2**31), "features": (1, 200)}
        for name, (low, high) in whole.items():
            value: Any = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(f"'{name}' is {value!r}; allowed is a whole number from {low} to {high:,}.")
        for name, (least, most) in _REAL.items():
            number: Any = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
                raise ConfigError(f"'{name}' is {number!r}; allowed is a number from {least:g} to {most:g}.")
        if self.drift_shape not in ("linear", "step"):
            raise ConfigError(f"'drift_shape' is {self.drift_shape!r}; allowed are 'linear' and 'step'.")
        if self.engagement_days >= self.window_days:
            raise ConfigError(
                f"'engagement_days' is {self.engagement_days:g}; it must be below 'window_days' {self.window_days:g}."
            )


_REAL = {
    "days": (1.0, 100_000.0),
    "window_days": (0.1, 10_000.0),
    "engagement_rate": (0.001, 0.999),
    "engagement_days": (0.001, 10_000.0),
    "conversion_rate": (0.0001, 0.999),
    "engaged_conversion_rate": (0.0001, 0.999),
    "delay_days": (0.01, 10_000.0),
    "engaged_delay_days": (0.01, 10_000.0),
    "feature_effect": (0.0, 10.0),
    "engagement_drift": (-10.0, 10.0),
    "conversion_drift": (-10.0, 10.0),
    "delay_drift": (-5.0, 5.0),
}


def simulate(rows: int, config: SimulationConfig | None = None) -> pd.DataFrame:
    """Draw exposures whose conversion probability, engagement and delay are known.

    Engagement: P(a = 1 | x, t) = sigmoid(linear in x + drift), uniform within `engagement_days`.
    Conversion: P(ever | x, a, t) = sigmoid(linear in x, higher if engaged + drift).
    Delay: from engagement if engaged, else from exposure, exponential with a mean that depends on x, a, t.

    Parameters
    ----------
    rows : int, >= 1
        Number of exposures.
    config : SimulationConfig, optional

    Returns
    -------
    DataFrame
        One row per exposure in order of time, times in days from 0: ``exposure_id, unit, segment, exposure_time,
        engagement_time, conversion_time, window_days, feature_1 …`` and the truth: ``true_p`` = P(conversion
        within the window | x, t), ``true_p_engage`` = P(a = 1 | x, t), ``true_delay_rate`` = 1 / mean delay
        given the drawn a, ``true_label`` = conversion within the window. Conversions after the window are in
        the table, as in a log; they are negatives.

    Raises
    ------
    ConfigError
        If `rows` is below 1.

    Notes
    -----
    `true_p` is P(within W), below P(ever): a model of the delay law alone would aim at the second. A quarter as
    many units as exposures; rows of a unit are independent given x.
    """
    _require_rows(rows)
    config = config or SimulationConfig()
    rng = generator(config.seed, "simulate-delay")
    time = np.sort(rng.uniform(0.0, config.days, rows))
    drawn = _draw(config, time, rng)
    frame = pd.DataFrame(
        {
            "exposure_id": np.char.add("e", np.arange(rows).astype(str)),
            "unit": np.char.add("u", rng.integers(0, max(rows // 4, 1), rows).astype(str)),
            "segment": _SEGMENTS[drawn["segment"]],
            "exposure_time": time,
            "engagement_time": drawn["engagement_time"],
            "conversion_time": drawn["conversion_time"],
            "window_days": config.window_days,
        }
        | {f"feature_{k + 1}": drawn["features"][:, k] for k in range(config.features)}
    )
    truth = ("true_p", "true_p_engage", "true_delay_rate", "true_label")
    return frame.assign(**{name: drawn[name] for name in truth})


def write_parquet_folder(
    rows: int, folder: Path, config: SimulationConfig | None = None, *, chunk: int = 1_000_000
) -> list[Path]:
    """Write exposures of the same law to a folder of Parquet files, with memory for one file at a time.

    Parameters
    ----------
    rows : int, >= 1
        Number of exposures in all.
    folder : Path
        Created if it does not exist; files of the same names are replaced.
    config : SimulationConfig, optional
    chunk : int, >= 1
        Largest number of exposures in a file.

    Returns
    -------
    list of Path
        ``part-00000.parquet`` and so on, in order of time. Columns ``segment`` (text), ``unit`` (int32, a quarter
        as many values as exposures), ``exposure_time, engagement_time, conversion_time`` (days, NULL for what does
        not happen) and ``window_days``: the roles that the statistics read, without features and truth.

    Raises
    ------
    ConfigError
        If `rows` or `chunk` is below 1.

    Notes
    -----
    Each file holds an equal slice of the days and has a random stream of its own, so a larger folder is not an
    extension of a smaller one, and the rows differ from those of `simulate` with the same seed.
    """
    _require_rows(rows)
    if isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1:
        raise ConfigError(f"'chunk' is {chunk!r}; allowed is a whole number of at least 1.")
    config = config or SimulationConfig()
    folder.mkdir(parents=True, exist_ok=True)
    edges = np.linspace(0, rows, -(-rows // chunk) + 1).round().astype(int)
    paths = []
    for part, (first, after) in enumerate(itertools.pairwise(edges)):
        rng = generator(config.seed, "simulate-delay", str(part))
        moments = np.sort(rng.uniform(first, after, after - first)) * (config.days / rows)
        drawn = _draw(config, moments, rng)
        unit = rng.integers(0, max(rows // 4, 1), moments.size, dtype=np.int32)
        paths.append(folder / f"part-{part:05d}.parquet")
        pq.write_table(_role_table(config, moments, unit, drawn), paths[-1])
    return paths


def _require_rows(rows: int) -> None:
    """Refuse a number of rows that is none."""
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise ConfigError(f"'rows' is {rows!r}; allowed is a whole number of at least 1.")


def _role_table(
    config: SimulationConfig, time: np.ndarray, unit: np.ndarray, drawn: Mapping[str, np.ndarray]
) -> pa.Table:
    """Keep the columns that the statistics read; NaN becomes NULL."""
    segment = pa.DictionaryArray.from_arrays(pa.array(drawn["segment"].astype(np.int8)), pa.array(list(_SEGMENTS)))
    return pa.table(
        {
            "segment": segment,
            "unit": unit,
            "exposure_time": time,
            "engagement_time": pa.array(drawn["engagement_time"], from_pandas=True),
            "conversion_time": pa.array(drawn["conversion_time"], from_pandas=True),
            "window_days": np.full(time.size, config.window_days),
        }
    )


def _draw(config: SimulationConfig, time: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw what happens to exposures at given times: features, events and truth, one entry or row per exposure."""
    rows = time.size
    drift = time / config.days - 0.5
    if config.drift_shape == "step":
        drift = np.where(drift < 0.0, -0.5, 0.5)
    features = rng.standard_normal((rows, config.features))
    segment = rng.choice(len(_SEGMENTS), size=rows, p=_SEGMENT_SHARES)
    laws = _laws(config, features, segment, drift)
    engaged = rng.random(rows) < laws["p_engage"]
    head_start = np.where(engaged, rng.uniform(0.0, config.engagement_days, rows), 0.0)
    mean_delay = np.where(engaged, laws["delay_engaged"], laws["delay_plain"])
    delay = head_start + rng.exponential(mean_delay)
    converts = rng.random(rows) < np.where(engaged, laws["ever_engaged"], laws["ever_plain"])
    return {
        "features": features,
        "segment": segment,
        "engagement_time": np.where(engaged, time + head_start, np.nan),
        "conversion_time": np.where(converts, time + delay, np.nan),
        "true_p": _probability_within(config, laws),
        "true_p_engage": laws["p_engage"],
        "true_delay_rate": 1.0 / mean_delay,
        "true_label": (converts & (delay <= config.window_days)).astype(np.int64),
    }


def _laws(
    config: SimulationConfig, features: np.ndarray, segment: np.ndarray, drift: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the true probabilities and mean delays of every exposure, both with and without engagement."""
    # Directions are fixed, not drawn: data sets of different seeds then follow one law.
    k = np.arange(1, config.features + 1)
    scale = config.feature_effect / np.sqrt(config.features)
    engage = features @ (np.cos(1.0 * k) * scale)
    convert = features @ (np.cos(2.3 * k) * scale) + _SEGMENT_EFFECT[segment] * config.feature_effect
    slow = features @ (np.cos(0.7 * k + 1.0) * scale) * 0.4 + config.delay_drift * drift
    move = convert + config.conversion_drift * drift
    return {
        "p_engage": _sigmoid(_logit(config.engagement_rate) + engage + config.engagement_drift * drift),
        "ever_engaged": _sigmoid(_logit(config.engaged_conversion_rate) + move),
        "ever_plain": _sigmoid(_logit(config.conversion_rate) + move),
        "delay_engaged": config.engaged_delay_days * np.exp(slow),
        "delay_plain": config.delay_days * np.exp(slow),
    }


def _probability_within(config: SimulationConfig, laws: dict[str, np.ndarray]) -> np.ndarray:
    """Return P(conversion within the window | x, t), engagement averaged out."""
    window, spread = config.window_days, config.engagement_days
    rate = 1.0 / laws["delay_engaged"]
    # P(U + D <= W) for U uniform on [0, spread], D exponential: the mean of 1 - exp(-rate (W - u)). The largest
    # exponential is taken out, as exp(rate spread) overflows for short delays.
    within_engaged = 1.0 + np.exp(-rate * (window - spread)) * np.expm1(-rate * spread) / (rate * spread)
    within_plain = -np.expm1(-window / laws["delay_plain"])
    engaged = laws["p_engage"] * laws["ever_engaged"] * within_engaged
    return engaged + (1.0 - laws["p_engage"]) * laws["ever_plain"] * within_plain


def _sigmoid(value: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-value))."""
    return 1.0 / (1.0 + np.exp(-value))


def _logit(share: float) -> float:
    """Return log(share / (1 - share))."""
    return float(np.log(share / (1.0 - share)))
