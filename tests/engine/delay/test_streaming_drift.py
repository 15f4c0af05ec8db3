"""When engagement drifts, weights that do not know it go stale, and weights given the engagement state hold."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from engine.delay.config import DelayConfig
from engine.delay.data import Prepared, prepare
from engine.delay.emission import STREAM_OF
from engine.delay.simulate import SimulationConfig, simulate
from engine.delay.streaming import timeline
from engine.delay.streaming_arrival import ArrivalModels, real_negatives_by_segment
from engine.delay.streaming_methods import emit_rows

SEEDS = 3
T_95 = 4.303
"""Two-sided 95 % quantile of Student's t with 2 degrees of freedom."""
LAW = {
    "features": 1,
    "feature_effect": 0.0,
    "engagement_rate": 0.5,
    "conversion_rate": 0.06,
    "engaged_conversion_rate": 0.45,
    "delay_days": 20.0,
}


@pytest.fixture(scope="module")
def errors_of(dataset_of):
    """Return a function from drifts to the errors of every seed, arrays of shape (SEEDS,) by kind of weight."""

    def errors(**drift) -> dict[str, np.ndarray]:
        found = []
        for seed in range(SEEDS):
            config = DelayConfig(members=3, hidden=16, steps=300, batch_size=128, learning_rate=0.02, seed=seed)
            log = dataset_of(simulate(12_000, SimulationConfig(seed=seed, **LAW, **drift)))
            found.append(weight_errors(prepare(log, config), config))
        return {name: np.array([one[name] for one in found]) for name in found[0]}

    return errors


def weight_errors(prepared: Prepared, config: DelayConfig) -> dict[str, float]:
    """Return by how much the real-negative weights of the tested days are off, as a share of their right sum."""
    days = timeline(prepared, config.stream_step_days)
    state = prepared.engaged_by(prepared.waiting)
    block = np.flatnonzero(prepared.time < days.pretrain_to)
    streamed = np.flatnonzero(prepared.time >= days.pretrain_to)
    first, matured = (emit_rows(STREAM_OF[name], prepared, streamed) for name in ("vanilla", "wait"))
    torch.manual_seed(config.seed)
    models = ArrivalModels(prepared, torch.from_numpy(prepared.x), state, block, config)
    usual = block.size * config.stream_step_days / days.pretrain_to
    right, found = 0.0, {"plain": 0.0, "signals": 0.0, "segment": 0.0}
    for start, end in itertools.pairwise(days.edges):
        models.learn(matured.between(start, end), usual_rows=usual)
        rows = first.between(start, end)
        negatives = rows.exposure[rows.label == 0]
        if start < days.first_test or not negatives.size:
            continue
        said = models.at(negatives)
        since = end - 2.0 * days.gap_days
        said["segment"] = real_negatives_by_segment(prepared, negatives, since=since, until=end)
        right += (1.0 - prepared.label[negatives]).sum()
        found = {name: total + said[name].sum() for name, total in found.items()}
    return {name: total / right - 1.0 for name, total in found.items()}


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of a mean over seeds."""
    half = T_95 * values.std(ddof=1) / np.sqrt(values.size)
    return float(values.mean() - half), float(values.mean() + half)


@pytest.mark.slow
def test_marginal_weights_go_stale_when_engagement_jumps_and_conditional_ones_hold(errors_of):
    errors = errors_of(engagement_drift=3.0, drift_shape="step")
    for stale in ("plain", "segment"):
        # More engagement means more late conversions: weights from before the change trust negatives too much.
        low, _ = interval(errors[stale] - errors["signals"])
        assert errors[stale].mean() > 0.02 and low > 0.01, stale
    assert abs(errors["signals"].mean()) < 0.04 < errors["segment"].mean()


@pytest.mark.slow
def test_without_drift_the_weights_do_not_differ(errors_of):
    errors = errors_of()
    for name in ("plain", "segment"):
        low, high = interval(errors[name] - errors["signals"])
        assert low < 0.005 and high > -0.005 and abs((errors[name] - errors["signals"]).mean()) < 0.01, name
    assert max(abs(values.mean()) for values in errors.values()) < 0.015
