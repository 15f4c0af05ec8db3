"""A step on gathered rows is the step on the whole graph where they overlap, and touches nothing else."""

from __future__ import annotations

import copy
import dataclasses
from functools import partial

import numpy as np
import pytest
import torch

from engine.distributed import Workers
from engine.graph.batches import epochs
from engine.graph.minibatch import (
    NODE_PARAMETERS,
    RowAdam,
    Stepper,
    backward_in_blocks,
    embed,
    features_of,
    gathered,
)
from engine.graph.model import DirectedEncoder, sparse_tensor
from engine.graph.ranks import excluded_candidates
from engine.graph.sampling import fan_out_of, operators
from engine.graph.train import _losses, _optimizer, fit

SIZES = {"max_neighbours": 6, "min_neighbours": 2, "neighbour_bias": 1.0}
CUT = 10_000
"""Supervised edges per step: more than there are, so one step that gathers rows."""


@pytest.fixture
def training(prepared):
    """Return the training graph with two features on some of its nodes."""
    from scipy import sparse

    from engine.graph.features import NodeFeatures

    nodes = np.arange(prepared.training.num_nodes)
    matrix = sparse.csr_array(np.stack([nodes % 2, nodes % 3 == 0], axis=1).astype(np.float32))
    return dataclasses.replace(prepared.training, features=NodeFeatures(matrix, ("odd", "third")))


def make_encoder(training, seed=0):
    """Return an encoder whose every parameter differs from its start."""
    torch.manual_seed(seed)
    encoder = DirectedEncoder(training.num_nodes, dimension=8, scale=3.0, is_dual=True, features=training.features)
    with torch.no_grad():
        for value in encoder.parameters():
            value += 0.1 * torch.randn_like(value)
    return encoder


def stepper_of(encoder, config):
    """Return the stepper that training would use."""
    return Stepper(
        encoder,
        _optimizer(encoder, config),
        loss_of=partial(_losses, config=config),
        penalty=lambda: config.role_decay * encoder.role_difference(),
    )


def epochs_of(training, config, sampling="full"):
    """Return the epochs of a training."""
    known = excluded_candidates(training.edge_index, training.num_nodes)
    return epochs(training, known, fan_out_of(training, sampling, **SIZES), config)


@pytest.mark.parametrize("sampling", ["full", "adaptive", "uniform"])
def test_one_step_with_everything_has_the_loss_and_the_gradient_of_the_full_batch(training, quick, sampling):
    found = {}
    for size in (0, CUT):
        config = dataclasses.replace(quick, batch_size=size, reversed_weight=0.3)
        encoder = make_encoder(training)
        (batch,) = next(epochs_of(training, config, sampling))
        assert (batch.nodes is None) == (size == 0)
        local = encoder if batch.nodes is None else gathered(encoder, batch.nodes, features_of(encoder))
        losses = _losses(local, batch, config)
        torch.stack(list(losses.values())).sum().backward()
        gradients = {name: value.grad for name, value in local.named_parameters() if value.grad is not None}
        for name in NODE_PARAMETERS if size else ():
            whole = torch.zeros_like(encoder.get_parameter(name))
            whole[torch.from_numpy(batch.nodes)] = gradients[name]
            gradients[name] = whole
        found[size] = {name: float(value.detach()) for name, value in losses.items()}, gradients
    assert found[CUT][0] == pytest.approx(found[0][0], rel=1e-5)
    assert found[CUT][1].keys() == found[0][1].keys() > set(NODE_PARAMETERS) | {"feature_weight"}
    for name, gradient in found[0][1].items():
        assert torch.allclose(found[CUT][1][name], gradient, atol=1e-6), name


def test_a_whole_fit_in_single_steps_of_gathered_rows_keeps_the_losses_of_the_full_batch(prepared, quick):
    histories = [
        fit(prepared, dataclasses.replace(quick, methods=("dual",), batch_size=size, epochs=3)).history
        for size in (0, CUT)
    ]
    # Rows without a gradient rest in one and drift on in the other, so later epochs agree less exactly.
    first = [history[history["epoch"] == 1]["value"].to_numpy() for history in histories]
    assert first[1] == pytest.approx(first[0], rel=1e-6)
    assert histories[1]["value"].to_numpy() == pytest.approx(histories[0]["value"].to_numpy(), rel=0.02)
    assert set(histories[1]["stage"]) == {"dual embeddings, 10,000 edges per step"}


def test_a_step_moves_the_rows_it_gathered_and_no_other(training, quick):
    config = dataclasses.replace(quick, batch_size=16, negatives=4)
    encoder = make_encoder(training)
    before = copy.deepcopy(encoder)
    batch = next(next(epochs_of(training, config, "adaptive")))
    stepper_of(encoder, config).step(batch)
    resting = np.setdiff1d(np.arange(training.num_nodes), batch.nodes)
    assert 0 < len(resting) < training.num_nodes
    assert torch.equal(encoder.input[resting], before.input[resting])
    assert torch.equal(encoder.target_bias[resting], before.target_bias[resting])
    assert (encoder.input[batch.nodes] != before.input[batch.nodes]).any(dim=1).all()
    assert not torch.equal(encoder.source_role, before.source_role)


def test_a_step_on_gathered_rows_has_the_penalties_of_the_full_batch(training, quick):
    moved = {}
    for size in (0, CUT):
        config = dataclasses.replace(quick, batch_size=size, bias_decay=1.0)
        encoder = make_encoder(training)
        (batch,) = next(epochs_of(training, config))
        stepper_of(encoder, config).step(batch)
        moved[size] = encoder.target_bias.detach(), batch.nodes
    nodes = torch.from_numpy(moved[CUT][1])
    assert torch.allclose(moved[CUT][0][nodes], moved[0][0][nodes], atol=1e-5)
    # The penalty outweighs the loss here: nearly every bias shrinks.
    before = make_encoder(training).target_bias.detach()[nodes]
    assert (moved[CUT][0][nodes].abs() < before.abs()).float().mean() > 0.8


class Pair(Workers):
    """One of two workers that do the same halves: a sum is twice what this one has."""

    def sum_in_place(self, tensors):
        for tensor in tensors:
            tensor *= 2


def test_two_workers_with_half_a_loss_each_have_the_gradient_of_one(training, quick, monkeypatch):
    config = dataclasses.replace(quick, role_decay=0.5)
    (batch,) = next(epochs_of(training, config))
    gradients = []
    for group in (Workers(), Pair(rank=0, size=2)):
        monkeypatch.setattr("engine.graph.minibatch.workers", lambda group=group: group)
        encoder = make_encoder(training)
        Stepper(
            encoder,
            _optimizer(encoder, config),
            loss_of=lambda local, part, size=group.size: {"ranking": _losses(local, part, config)["ranking"] / size},
            penalty=lambda encoder=encoder: config.role_decay * encoder.role_difference(),
        ).step(batch)
        gradients.append(encoder.source_role.grad.clone())
    assert torch.allclose(gradients[0], gradients[1], atol=1e-6)
    assert gradients[0].abs().max() > 0.1


def test_every_tensor_of_the_encoder_with_a_row_per_node_is_gathered(training):
    encoder = make_encoder(training)
    per_node = {
        name for name, value in encoder.named_parameters() if len(value.shape) and len(value) == len(encoder.input)
    }
    assert per_node == set(NODE_PARAMETERS)
    assert not list(encoder.named_buffers())


@pytest.mark.parametrize("block", [40, 10**7])
def test_embedding_in_blocks_is_embedding_at_once(training, monkeypatch, block):
    monkeypatch.setattr("engine.graph.two_steps._BLOCK", block)
    encoder = make_encoder(training)
    matrices = operators(
        training.edge_index, training.num_nodes, fan_out_of(training, "full", **SIZES), np.random.default_rng(0)
    )
    whole = [role.detach().numpy() for role in encoder(*map(sparse_tensor, matrices))]
    for role, expected in zip(embed(encoder, *matrices), whole, strict=True):
        assert role == pytest.approx(expected, abs=1e-5)


def test_row_adam_is_adam_where_every_row_takes_part():
    torch.manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(5, 3))
    theirs = torch.nn.Parameter(ours.detach().clone())
    adam = torch.optim.Adam([theirs], lr=0.05, weight_decay=0.01)
    rows = RowAdam(ours, betas=(0.9, 0.999), epsilon=1e-8)
    for _ in range(7):
        theirs.grad = torch.randn(5, 3)
        rows.step(torch.arange(5), theirs.grad.clone(), rate=0.05, decay=0.01)
        adam.step()
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_the_first_step_of_a_late_row_is_as_long_as_of_an_early_one():
    table = torch.nn.Parameter(torch.zeros(2, 1))
    rows = RowAdam(table, betas=(0.9, 0.999), epsilon=1e-8)
    for _ in range(50):
        rows.step(torch.tensor([0]), torch.ones(1, 1), rate=0.01, decay=0.0)
    rows.step(torch.tensor([1]), torch.full((1, 1), 7.0), rate=0.01, decay=0.0)
    # Adam's first step has the length of the rate whatever the gradient.
    assert table.detach().ravel().tolist() == pytest.approx([-0.5, -0.01], rel=1e-3)


def test_mini_batches_learn_as_the_full_batch_does(prepared, quick):
    config = dataclasses.replace(quick, methods=("dual",), epochs=15)
    history = fit(prepared, dataclasses.replace(config, batch_size=64)).history
    ranking = history[history["loss"] == "ranking"]["value"].to_numpy()
    whole = fit(prepared, dataclasses.replace(config, batch_size=0)).history
    assert ranking[-1] < ranking[0] - 0.3
    # Seven steps per epoch instead of one reach at least as low.
    assert ranking[-1] < whole[whole["loss"] == "ranking"]["value"].to_numpy()[-1]


def test_a_loss_in_blocks_has_the_value_and_the_gradient_of_the_whole(monkeypatch):
    monkeypatch.setattr("engine.graph.minibatch._EDGES", 3)
    torch.manual_seed(0)
    edges = torch.randint(5, (2, 10))

    def loss_of(source, target, some):
        return (source[edges[0, some]] * target[edges[1, some]]).sum(dim=1).sigmoid().mean()

    found = []
    for in_blocks in (True, False):
        table = torch.nn.Parameter(torch.linspace(-1, 1, 20).reshape(5, 4))
        source, target = table.sin(), table.cos()
        if in_blocks:
            value = backward_in_blocks(source, target, loss_of, count=10)
        else:
            loss = loss_of(source, target, slice(0, 10))
            loss.backward()
            value = float(loss.detach())
        found.append((value, table.grad))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-6)
