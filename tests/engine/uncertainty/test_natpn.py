"""The posterior network: its loss is the expected log loss, its evidence follows the training rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from engine.metrics.classification import roc_auc
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import prepare
from engine.uncertainty.natpn import bayesian_loss, fit_natpn, matched_prior
from engine.uncertainty.optimise import inputs_of

CONFIG = UncertaintyConfig(hidden=16, epochs=30, batch_size=128, seed=3)


@pytest.fixture(scope="module")
def inputs(as_dataset, purchases):
    return inputs_of(prepare(as_dataset(purchases), CONFIG), CONFIG)


def test_the_loss_is_the_mean_log_loss_under_the_beta():
    a, b = torch.tensor([2.0, 0.5]), torch.tensor([5.0, 3.0])
    draws = stats.beta.rvs([2.0, 0.5], [5.0, 3.0], size=(400_000, 2), random_state=0)
    label = torch.tensor([1.0, 0.0])
    expected = [-np.log(draws[:, 0]).mean(), -np.log1p(-draws[:, 1]).mean()]
    np.testing.assert_allclose(bayesian_loss(a, b, label).numpy(), expected, rtol=0.01)


def test_the_matched_prior_has_the_base_rate_and_the_strength_of_the_flat_one():
    a, b = matched_prior(0.1)
    assert a / (a + b) == pytest.approx(0.1) and a + b == pytest.approx(2.0)


@pytest.mark.parametrize("matched", [False, True])
def test_parameters_never_fall_below_the_prior(inputs, matched):
    posterior = fit_natpn(inputs, UncertaintyConfig(hidden=8, epochs=2, seed=1), None, matched=matched)
    assert posterior.prior == (matched_prior(inputs.base_rate()) if matched else (1.0, 1.0))
    assert (posterior.a >= posterior.prior[0] - 1e-6).all() and (posterior.b >= posterior.prior[1] - 1e-6).all()
    assert np.isfinite(posterior.a).all() and np.isfinite(posterior.b).all()


def test_evidence_is_thin_away_from_the_training_rows_and_the_prior_rules_there(inputs):
    posterior = fit_natpn(inputs, CONFIG, None, matched=False)
    evidence = posterior.a + posterior.b - 2
    train = inputs.train.numpy()
    assert np.median(evidence[train]) > 5
    far = torch.full((1, inputs.numeric.shape[1]), 8.0)
    with torch.no_grad():
        a, b = posterior.net(far, inputs.category[:1])
    assert float(a + b - 2) < 0.01 * np.median(evidence[train])
    assert float(a / (a + b)) == pytest.approx(0.5, abs=0.1)


def test_the_score_learns_and_the_same_seed_gives_it_again(inputs):
    first, second = (fit_natpn(inputs, CONFIG, None, matched=True) for _ in range(2))
    assert (first.a == second.a).all() and (first.b == second.b).all()
    losses = [record["value"] for record in first.records if record["loss"] == "tune log loss"]
    assert losses[-1] < losses[0]
    score, label = first.a / (first.a + first.b), inputs.label.numpy()
    tune = inputs.tune.numpy()
    assert roc_auc(label[tune], score[tune]) > 0.65
