"""The ensemble and dropout as scorers of rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import prepare
from engine.uncertainty.networks import (
    fit_ensemble,
    fit_mc_dropout,
    hidden_units,
    predict,
    tuning_log_loss,
    weighted_log_loss,
)
from engine.uncertainty.optimise import inputs_of

SMALL = UncertaintyConfig(members=3, hidden=8, epochs=2, seed=4, passes=6, dropout=0.2)


@pytest.fixture(scope="module")
def inputs(as_dataset, purchases):
    return inputs_of(prepare(as_dataset(purchases), SMALL), SMALL)


def test_the_weighted_loss_is_the_mean_over_repeated_rows():
    log_odds, label = torch.tensor([[0.3, -1.0, 2.0]]), torch.tensor([[1.0, 0.0, 0.0]])
    weight = torch.tensor([[1.0, 2.0, 3.0]])
    repeated = torch.nn.functional.binary_cross_entropy_with_logits(
        log_odds.repeat_interleave(torch.tensor([1, 2, 3]), dim=1),
        label.repeat_interleave(torch.tensor([1, 2, 3]), dim=1),
    )
    total = weight.sum(dim=1)
    assert weighted_log_loss(log_odds, label, weight, total)[0] == pytest.approx(float(repeated))
    parts = [weighted_log_loss(log_odds[:, at], label[:, at], weight[:, at], total)[0] for at in ([0, 2], [1], [])]
    assert float(sum(parts)) == pytest.approx(float(repeated)) and parts[2] == 0


def test_passes_are_the_same_whenever_and_with_whatever_rows_they_are_made(inputs):
    first, second = (fit_mc_dropout(inputs, SMALL, None) for _ in range(2))
    assert first.log_odds.shape == (6, len(inputs.label)) and (first.log_odds == second.log_odds).all()
    some = slice(5, 9)
    alone = predict(first.net, inputs.numeric[some], inputs.category[some])
    np.testing.assert_allclose(alone, first.log_odds[:, some], rtol=1e-4, atol=1e-5)
    assert (first.log_odds.std(axis=0) > 0).all()


def test_another_share_of_dropout_leaves_the_ensemble_as_it_is(inputs):
    other = UncertaintyConfig(members=3, hidden=8, epochs=2, seed=4, dropout=0.5, passes=9)
    assert (fit_ensemble(inputs, SMALL, None).log_odds == fit_ensemble(inputs, other, None).log_odds).all()


def test_hidden_units_and_the_last_layer_make_the_log_odds(inputs):
    trained = fit_ensemble(inputs, SMALL, None)
    hidden = hidden_units(trained.net, inputs.numeric, inputs.category)[0]
    weight, bias = (values[-1][0].detach().numpy() for values in (trained.net.weights, trained.net.biases))
    np.testing.assert_allclose((hidden @ weight + bias)[:, 0], trained.log_odds[0], rtol=1e-4, atol=1e-5)


def test_networks_start_at_the_base_rate_however_rare_positives_are(as_dataset, purchases):
    rare = purchases.assign(label=(np.arange(len(purchases)) % 15 == 0).astype(int))
    config = UncertaintyConfig(members=2, hidden=8, epochs=1, learning_rate=1e-6, seed=4)
    inputs = inputs_of(prepare(as_dataset(rare), config), config)
    score = 1 / (1 + np.exp(-fit_ensemble(inputs, config, None).log_odds))
    assert inputs.base_rate() == pytest.approx(1 / 15, abs=0.01)
    assert np.median(score) == pytest.approx(1 / 15, abs=0.08)


def test_the_tuning_loss_of_the_base_rate_is_its_entropy(inputs):
    rows = inputs.tune
    rate = float(inputs.label[rows].mean())
    entropy = -rate * np.log(rate) - (1 - rate) * np.log(1 - rate)
    assert tuning_log_loss(np.full(len(rows), rate), inputs, SMALL) == pytest.approx(entropy, rel=1e-5)
    tau = 5.0
    kept = tau * rate / (1 + (tau - 1) * rate)
    thinned = UncertaintyConfig(undersampling=tau)
    assert tuning_log_loss(np.full(len(rows), kept), inputs, thinned) == pytest.approx(entropy, rel=1e-5)
