"""The second protocol: methods learn from rows as they are emitted, and are tested on the exposures that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from engine.checkpoint import follow
from engine.delay.config import DelayConfig
from engine.delay.data import Dataset, Prepared
from engine.delay.encode import encode
from engine.delay.streaming_methods import StreamMethods
from engine.result import EpochRecord, OnEpoch

MIN_TEST_STEPS = 3
MAX_STEPS = 300
_BLOCK_SHARE = 0.5
"""Share of the days that pre-training takes, once the gap is set aside."""
_MIN_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The days of a stream; a step holds what happens from its first day up to, not at, its last."""

    pretrain_from: float
    pretrain_to: float
    """Exposures before it are pre-trained on, with final labels; those from it on are streamed."""
    gap_days: float
    """The longest attribution window."""
    edges: np.ndarray
    """First day of every step and the end of the last, shape (n_steps + 1,): steps of the gap, then of the test."""
    reason: str = ""
    """Why there is no stream; empty if there is one."""

    @property
    def first_test(self) -> float:
        """First day on which exposures are tested: every label of the pre-training is final by then."""
        return self.pretrain_to + self.gap_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What every method said of the exposures of each test step before it saw any of their rows."""

    timeline: Timeline
    exposure: np.ndarray
    """Tested rows of the prepared arrays, shape (n_tested,)."""
    day: np.ndarray
    """First day of the test step of each, shape (n_tested,)."""
    probability: Mapping[str, np.ndarray]
    """Method to P(conversion within the window | x), shape (n_tested,), float64; empty without a stream."""


def timeline(prepared: Prepared, step_days: float) -> Timeline:
    """Lay out pre-training, gap and test steps over the days of a log; labels are looked at for their number only.

    Parameters
    ----------
    prepared : Prepared
    step_days : float, > 0

    Returns
    -------
    Timeline
        With a reason if the log is too short, too sparse or would take more than `MAX_STEPS` steps.
    """
    first, last = float(np.floor(prepared.time.min())), float(prepared.time.max())
    gap = float(prepared.window.max())
    block_end = first + np.floor(max(last - first - gap, 0.0) * _BLOCK_SHARE)
    start = block_end + gap
    before, after = int(np.ceil(gap / step_days)), int(np.floor((last - start) / step_days)) + 1
    if before + after > MAX_STEPS:
        edges, reason = np.empty(0), f"'stream_step_days' of {step_days:g} makes more than {MAX_STEPS} steps"
    else:
        edges = start + step_days * np.arange(-before, max(after, 0) + 1)
        edges[0] = min(edges[0], block_end)
        reason = _shortage(prepared, block_end, start, edges)
    return Timeline(pretrain_from=first, pretrain_to=block_end, gap_days=gap, edges=edges, reason=reason)


def _shortage(prepared: Prepared, block_end: float, start: float, edges: np.ndarray) -> str:
    """Say what a stream lacks; nothing if it can run."""
    block = prepared.label[prepared.time < block_end]
    if block.size < _MIN_ROWS or block.min() == block.max():
        return (
            f"{block.size} exposures with {int(block.sum())} conversions before the gap of one attribution window "
            f"are too few to pre-train on"
        )
    tested = prepared.time >= start
    steps = np.unique(np.searchsorted(edges, prepared.time[tested], side="right")).size
    if steps < MIN_TEST_STEPS:
        return f"{steps} steps with exposures after the gap of one attribution window; {MIN_TEST_STEPS} are needed"
    label = prepared.label[tested]
    return "the exposures after the gap are all of one class" if label.min() == label.max() else ""


def replay(dataset: Dataset, prepared: Prepared, config: DelayConfig, *, on_epoch: OnEpoch | None = None) -> Replay:
    """Pre-train on a block of days, then train on every step and test on the exposures of the next.

    Parameters
    ----------
    dataset : Dataset
    prepared : Prepared
        Of the same data; its snapshot day and held-out units play no part here.
    config : DelayConfig
    on_epoch : callable, optional

    Returns
    -------
    Replay

    Raises
    ------
    TrainingError
        If a loss is not finite.

    Notes
    -----
    Between pre-training and test lies a gap of one attribution window, so that every label of the pre-training is
    final before the first test. Exposures of the gap are streamed, but nothing is tested there: a method that waits
    then has the lag of its window and no more, and when the test begins late positives come in the share that the
    weights reckon with. An exposure is either pre-trained on or streamed, never both. A stream reckons with an even
    flow: where exposures come in bursts, a step may hold late positives alone, and every method that learns from
    them is pulled up until the next burst. Features are standardised on the pre-training block alone.
    """
    days = timeline(prepared, config.stream_step_days)
    if days.reason:
        none = np.empty(0)
        return Replay(timeline=days, exposure=none.astype(int), day=none, probability={})
    found = _Found()
    methods = StreamMethods(
        prepared, _features(dataset, prepared, days, config.attribution_days), days.pretrain_to, config
    )

    def report(number: int, losses: dict[str, float]) -> None:
        if on_epoch is not None:
            on_epoch(EpochRecord(stage="stream", epoch=number, epochs=days.edges.size - 1, losses=losses))

    loop = follow("stream", report, methods=methods, found=found)
    for step in range(loop.done, days.edges.size - 1):
        start, end = days.edges[step], days.edges[step + 1]
        rows = np.flatnonzero((prepared.time >= start) & (prepared.time < end))
        if start >= days.first_test and rows.size:
            found.add(rows, methods.predict(rows))
        if step == days.edges.size - 2:
            break  # nothing is tested after the last step
        loss = methods.learn(start, end)
        loop.report(step + 1, {} if np.isnan(loss) else {"all methods": loss})
        loop.keep(step + 1)
    exposure = np.concatenate(found.rows)
    place = np.searchsorted(days.edges, prepared.time[exposure], side="right") - 1
    return Replay(
        timeline=days,
        exposure=exposure,
        day=days.edges[place],
        probability={name: np.concatenate(parts) for name, parts in found.probability.items()},
    )


@dataclass(slots=True)
class _Found:
    """The tests of the stream so far, a part per step."""

    rows: list[np.ndarray] = field(default_factory=list)
    probability: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def add(self, rows: np.ndarray, probability: Mapping[str, np.ndarray]) -> None:
        """Take the test of a step."""
        self.rows.append(rows)
        for name, values in probability.items():
            self.probability.setdefault(name, []).append(values)

    def state_dict(self) -> dict[str, Any]:
        """Return the tests so far."""
        return {"rows": self.rows, "probability": self.probability}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` has returned."""
        self.rows = [part.numpy() for part in state["rows"]]
        self.probability = {name: [part.numpy() for part in parts] for name, parts in state["probability"].items()}


def _features(dataset: Dataset, prepared: Prepared, days: Timeline, attribution_days: float) -> torch.Tensor:
    """Encode the prepared exposures anew, with means and levels of the pre-training block."""
    frame = dataset.frame
    end = frame["exposure_time"] + frame["window_days"].fillna(attribution_days)
    rows = frame[end <= prepared.observed_until]
    x, _ = encode(
        rows,
        numeric=dataset.numeric,
        categorical=dataset.categorical,
        window=prepared.window,
        fit_on=prepared.time < days.pretrain_to,
    )
    return torch.from_numpy(x)
