"""The ensemble: its networks are independent, its arithmetic is that of single networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import prepare
from engine.uncertainty.model import DeepEnsemble
from engine.uncertainty.simulate import SimulationConfig, simulate
from engine.uncertainty.train import fit, summarise_members, weighted_log_loss

SMALL = UncertaintyConfig(members=3, hidden=8, epochs=2, seed=4)


def network(members=3):
    torch.manual_seed(0)
    return DeepEnsemble(2, (4, 3), members=members, hidden=5)


def inputs(rows=6, members=3):
    rng = np.random.default_rng(0)
    numeric = torch.tensor(rng.normal(size=(rows, 2)), dtype=torch.float32)
    category = torch.tensor(np.stack([rng.integers(0, 4, rows), rng.integers(0, 3, rows)], axis=1))
    return numeric.expand(members, -1, -1), category.expand(members, -1, -1)


def test_stacked_networks_equal_single_networks_computed_one_by_one():
    net = network()
    numeric, category = inputs()
    stacked = net(numeric, category)
    for m in range(3):
        embedded = [table[m][category[m][:, column]] for column, table in enumerate(net.tables)]
        x = torch.cat([numeric[m], *embedded], dim=1)
        for weight, bias in zip(list(net.weights)[:-1], list(net.biases)[:-1], strict=True):
            x = torch.relu(x @ weight[m] + bias[m])
        alone = (x @ net.weights[-1][m] + net.biases[-1][m]).squeeze(1)
        torch.testing.assert_close(stacked[m], alone)


def test_the_loss_of_one_network_moves_no_other():
    net = network()
    net(*inputs())[1].sum().backward()
    for parameter in net.parameters():
        assert parameter.grad is not None
        assert parameter.grad[[0, 2]].abs().sum() == 0 and parameter.grad[1].isfinite().all()
    assert sum(float(parameter.grad[1].abs().sum()) for parameter in net.parameters()) > 0


def test_the_weighted_loss_is_the_mean_over_repeated_rows():
    log_odds, label = torch.tensor([[0.3, -1.0, 2.0]]), torch.tensor([[1.0, 0.0, 0.0]])
    weight = torch.tensor([[1.0, 2.0, 3.0]])
    repeated = torch.nn.functional.binary_cross_entropy_with_logits(
        log_odds.repeat_interleave(torch.tensor([1, 2, 3]), dim=1),
        label.repeat_interleave(torch.tensor([1, 2, 3]), dim=1),
    )
    assert weighted_log_loss(log_odds, label, weight)[0] == pytest.approx(float(repeated))


def test_members_are_summarised_by_mean_and_variance():
    log_odds = np.array([[0.0, 2.0], [0.0, -2.0]])
    by_logit = summarise_members(log_odds, "variance_of_logit")
    assert by_logit.score == pytest.approx([0.5, 0.5]) and by_logit.uncertainty == pytest.approx([0.0, 4.0])
    by_probability = summarise_members(log_odds, "variance_of_probability")
    assert by_probability.uncertainty[1] == pytest.approx((1 / (1 + np.exp(-2)) - 0.5) ** 2)


def test_the_same_seed_trains_the_same_scores_and_another_seed_others(as_dataset, purchases):
    prepared = prepare(as_dataset(purchases), SMALL)
    first, again = fit(prepared, SMALL).scorers["ensemble"], fit(prepared, SMALL).scorers["ensemble"]
    assert (first.score == again.score).all() and (first.uncertainty == again.uncertainty).all()
    other = fit(prepared, UncertaintyConfig(members=3, hidden=8, epochs=2, seed=5)).scorers["ensemble"]
    assert (first.score != other.score).any()


def test_training_sees_neither_tuning_nor_test_labels(as_dataset, purchases):
    prepared = prepare(as_dataset(purchases), SMALL)
    flipped = purchases.copy()
    later = ~prepared.mask("train")
    flipped.loc[later, "label"] = 1 - flipped.loc[later, "label"]
    changed = prepare(as_dataset(flipped), SMALL)
    for name, scored in fit(prepared, SMALL).scorers.items():
        other = fit(changed, SMALL).scorers[name]
        assert (scored.score == other.score).all() and (scored.uncertainty == other.uncertainty).all()


def test_progress_is_told_after_every_epoch(as_dataset, purchases):
    told = []
    fitted = fit(prepare(as_dataset(purchases), SMALL), SMALL, on_epoch=told.append)
    assert [(record.epoch, record.epochs) for record in told] == [(1, 2), (2, 2)]
    assert len(fitted.history) == 4 and set(fitted.history["loss"]) == {"train log loss", "tune log loss"}


def test_rates_stand_beside_the_ensemble_with_both_priors(as_dataset, purchases):
    fitted = fit(prepare(as_dataset(purchases), SMALL), SMALL)
    assert list(fitted.scorers) == ["ensemble", "rate_4_flat", "rate_4_matched"]
    assert fitted.priors["rate_4_flat"] == (1.0, 1.0)
    assert fitted.priors["rate_4_matched"] == pytest.approx((1.0, 3.0), rel=0.5)


def test_the_matched_prior_is_fitted_to_tuning_histories_alone(as_dataset):
    frame = simulate(2000, SimulationConfig(prior=(1.0, 3.0), seed=2))
    changed, test = frame.copy(), frame["split"] == "test"
    changed.loc[test, "k_all"] = frame.loc[test, "n_all"]  # every test history is all positive
    first, second = (fit(prepare(as_dataset(rows), SMALL), SMALL).priors for rows in (frame, changed))
    assert first == second and first["rate_all_matched"] != (1.0, 1.0)
