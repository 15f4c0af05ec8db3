"""Settings of a delayed-feedback run, with units and limits in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.errors import ConfigError

METHODS = (
    "oracle",
    "pretrained",
    "wait",
    "vanilla",
    "vanilla_win",
    "fnw",
    "fnc",
    "es_dfm",
    "exact_joint",
    "defer",
    "defuse",
    "fsiw",
    "ulc",
    "dfm",
    "nndf",
    "kaplan_meier",
    "esdf",
    "entire_space",
    "dress_style",
)
"""Every method of a run, in the order of its tables; ours comes last, before it the same network without signals."""

SIGNIFICANT_GAIN = 4.0
"""Nats of log likelihood from which a drift is believed: two numbers gain as much by chance once in 50 times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayConfig:
    """Settings of one run: the day of the snapshot, the windows, the network and the evaluation."""

    seed: int = 0
    """Seed of every random stream of the run."""
    as_of_day: float | None = None
    """Day of the snapshot, on the time axis of the data (days; ISO dates count from 1970-01-01). Training sees
    nothing later. None: the day that best balances matured, immature and later exposures."""
    attribution_days: float = 30.0
    """Attribution window W in days for rows without `window_days`: a later conversion does not count."""
    waiting_days: float = 7.0
    """Waiting window e in days: when the stream methods read the label first and engagement is frozen."""
    training_days: float | None = None
    """Length in days of the training window before the snapshot; `wait` shifts its window back by W.
    None: all history."""
    holdout_share: float = 0.2
    """Share of the units kept out of training to judge calibration by age at the snapshot."""
    hidden: int = 32
    """Width of the two hidden layers; every method has the same."""
    members: int = 5
    """Networks per method, from different starts; their probabilities are averaged."""
    steps: int = 400
    """Optimiser steps per network; every method takes the same number."""
    batch_size: int = 256
    """Rows per optimiser step."""
    learning_rate: float = 0.01
    """First Adam step; it falls to 0 along a half cosine."""
    weight_decay: float = 0.01
    """L2 penalty on the weight matrices, added to the mean loss."""
    landmarks: int = 3
    """Ages per matured exposure at which the flip model looks back at it."""
    counterfactual_days: float | None = None
    """Days from the snapshot back to the deadline that FSIW, ULC and nnDF pretend, so that later labels teach them
    what comes. Conversions that take longer still count as none. None: the row's attribution window, so that all
    labels read are final."""
    max_weight: float = 10.0
    """Importance weights above this are clipped; the share clipped is reported."""
    step_days: float = 1.0
    """Grid of elapsed time in the aggregates and curves, days."""
    influence_flips: int = 20
    """Flipped labels whose influence is worked out one by one."""
    asof_days: int = 12
    """Days from the first matured label to the end of the log on which the run looks at what was known then."""
    streaming: bool = True
    """Whether the methods are also run as a stream: train on each step, test on the exposures of the next."""
    stream_step_days: float = 7.0
    """Length of a step of the stream, days."""
    resamples: int = 300
    """Bootstrap resamples of the units behind every interval."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name, (low, high) in _WHOLE.items():
            value: Any = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(f"'{name}' is {value!r}; allowed is a whole number from {low} to {high:,}.")
        for name, (least, most) in _REAL.items():
            number: Any = getattr(self, name)
            if number is None and name in _OPTIONAL:
                continue
            if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
                raise ConfigError(f"'{name}' is {number!r}; allowed is a number from {least:g} to {most:g}.")
        if self.waiting_days >= self.attribution_days:
            raise ConfigError(
                f"'waiting_days' is {self.waiting_days:g}; it must be below 'attribution_days' "
                f"{self.attribution_days:g}, or there is nothing to wait for."
            )
        if self.step_days > self.waiting_days:
            raise ConfigError(
                f"'step_days' is {self.step_days:g}; it must not exceed 'waiting_days' {self.waiting_days:g}."
            )


_WHOLE = {
    "seed": (0, 2**31),
    "hidden": (1, 1024),
    "members": (1, 50),
    "steps": (1, 1_000_000),
    "batch_size": (1, 1_000_000),
    "landmarks": (1, 100),
    "influence_flips": (1, 500),
    "asof_days": (1, 16),
    "resamples": (10, 100_000),
}
_REAL = {
    "as_of_day": (-1e6, 1e6),
    "attribution_days": (0.01, 10_000.0),
    "waiting_days": (0.001, 10_000.0),
    "training_days": (0.01, 100_000.0),
    "holdout_share": (0.05, 0.9),
    "counterfactual_days": (0.001, 10_000.0),
    "learning_rate": (1e-6, 1.0),
    "weight_decay": (0.0, 10.0),
    "max_weight": (1.0, 1e6),
    "step_days": (0.001, 365.0),
    "stream_step_days": (0.01, 10_000.0),
}
_OPTIONAL = ("as_of_day", "training_days", "counterfactual_days")
