"""Which rows train, and what a training reports."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.errors import NotEnoughDataError, TrainingError
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import prepare
from engine.uncertainty.optimise import Stage, inputs_of, optimise


@pytest.fixture(scope="module")
def prepared(as_dataset, purchases):
    return prepare(as_dataset(purchases), UncertaintyConfig())


def test_all_training_rows_train_unless_negatives_are_left_out(prepared):
    rows = inputs_of(prepared, UncertaintyConfig()).train.numpy()
    assert (rows == np.flatnonzero(prepared.mask("train"))).all()


def test_undersampling_keeps_all_positives_and_one_in_tau_negatives(prepared):
    config = UncertaintyConfig(undersampling=4.0, seed=2)
    rows = inputs_of(prepared, config).train.numpy()
    train = np.flatnonzero(prepared.mask("train"))
    label = prepared.label
    assert set(rows) <= set(train) and label[rows].sum() == label[train].sum()
    assert (label[rows] == 0).sum() == round((label[train] == 0).sum() / 4)
    assert (rows == inputs_of(prepared, config).train.numpy()).all()
    assert set(rows) != set(inputs_of(prepared, UncertaintyConfig(undersampling=4.0, seed=3)).train.numpy())


def test_too_few_negatives_left_are_refused_with_what_is_allowed(prepared):
    with pytest.raises(NotEnoughDataError, match=r"'undersampling' is 500.*choose at most"):
        inputs_of(prepared, UncertaintyConfig(undersampling=500.0))


def test_a_mean_is_learned_by_every_member_and_reported(prepared):
    config = UncertaintyConfig(epochs=30, batch_size=64, learning_rate=0.05, weight_decay=0.0)
    inputs = inputs_of(prepared, config)
    level = torch.nn.Parameter(torch.zeros(2, 1))
    totals, told = [], []
    stage = Stage(name="level", loss="train loss", tuning_loss=lambda: 0.5, on_epoch=told.append)

    def loss(batch, total):
        totals.append((total == inputs.weight[batch].sum(dim=1)).all())
        return (level - inputs.label[batch]).square().mean(dim=1)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        records = optimise(torch.nn.ParameterList([level]), loss, inputs, config, stage, members=2)
    assert level.detach().squeeze(1).tolist() == pytest.approx([inputs.base_rate()] * 2, abs=0.03) and all(totals)
    assert len(records) == 60 and records[-1] == {"stage": "level", "epoch": 30, "loss": "tune log loss", "value": 0.5}
    assert [(record.epoch, record.epochs, record.stage) for record in told][-1] == (30, 30, "level")


def test_a_loss_that_is_not_finite_stops_the_training(prepared):
    config = UncertaintyConfig(epochs=1)
    level = torch.nn.Parameter(torch.zeros(1))
    stage = Stage(name="level", loss="train loss", tuning_loss=lambda: 0.5)
    with pytest.raises(TrainingError, match="'level' is not finite in epoch 1"):
        net = torch.nn.ParameterList([level])
        optimise(net, lambda *_: level * float("nan"), inputs_of(prepared, config), config, stage)
