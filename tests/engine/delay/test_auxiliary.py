"""What the flip model is shown: engagement in one version only, and frozen at the waiting window in that one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.delay.auxiliary import FLIP_GROUPS, FlipModel, fit_auxiliary, flip_inputs
from engine.delay.data import Prepared, prepare
from engine.delay.loop import Progress
from engine.delay.model import StackedNetwork
from engine.seeding import torch_seed


@pytest.fixture
def config(quick_config):
    return quick_config(steps=20)


@pytest.fixture
def prepared(simulated, dataset_of, config):
    return prepare(dataset_of(simulated), config)


def toggled(prepared: Prepared) -> Prepared:
    """Engage at once who never engaged, and the other way round."""
    return dataclasses.replace(prepared, engage_delay=np.where(np.isfinite(prepared.engage_delay), np.inf, 0.0))


def test_the_version_without_signals_is_not_shown_the_engagement_state(prepared):
    exposure = np.arange(200)
    age = np.full(200, 0.9) * prepared.window[exposure]
    with torch_seed(0, "test"):
        width = flip_inputs(prepared, exposure, age).shape[1]
        network = StackedNetwork(width, hidden=4, outputs=1, members=2, groups=2)
    one, other = (FlipModel(network, rows).flip(exposure, age) for rows in (prepared, toggled(prepared)))
    without, with_signals = FLIP_GROUPS
    assert np.array_equal(one[without], other[without])
    assert (one[with_signals] != other[with_signals]).mean() > 0.5


def test_the_version_without_signals_does_not_learn_from_the_engagement_state(prepared, config):
    found = [fit_auxiliary(rows, config, Progress(None))[1] for rows in (prepared, toggled(prepared))]
    assert np.array_equal(found[0].flip_plain, found[1].flip_plain)
    assert np.array_equal(found[0].flip_at_waiting, found[1].flip_at_waiting)
    assert np.array_equal(found[0].flip_moved, found[1].flip_moved)
    assert not np.array_equal(found[0].flip_signals, found[1].flip_signals)
    assert not np.array_equal(found[0].flip_moved_signals, found[1].flip_moved_signals)


def test_engagement_after_the_waiting_window_leaves_the_inputs_of_the_flip_model_as_they_were(prepared):
    late, never = (
        dataclasses.replace(prepared, engage_delay=delay)
        for delay in (prepared.waiting + 0.5, np.full(prepared.time.size, np.inf))
    )
    exposure = np.arange(prepared.time.size)
    assert torch.equal(flip_inputs(late, exposure, late.window), flip_inputs(never, exposure, never.window))
    in_time = dataclasses.replace(prepared, engage_delay=prepared.waiting)
    assert not torch.equal(flip_inputs(in_time, exposure, late.window), flip_inputs(never, exposure, never.window))
