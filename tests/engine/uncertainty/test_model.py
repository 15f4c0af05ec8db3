"""Stacked networks: independent of one another, with the arithmetic of single networks."""

from __future__ import annotations

import numpy as np
import torch

from engine.uncertainty.model import DeepEnsemble, thinned_networks


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


def test_several_outputs_keep_their_axis():
    net = DeepEnsemble(2, (4, 3), members=2, hidden=5, outputs=4)
    assert net(*inputs(members=2)).shape == (2, 6, 4)


def test_dropout_acts_in_training_alone():
    torch.manual_seed(1)
    net = DeepEnsemble(2, (4, 3), members=1, hidden=40, dropout=0.5)
    rows = inputs(members=1)
    assert (net(*rows) != net(*rows)).any()
    net.eval()
    assert (net(*rows) == net(*rows)).all()


def test_a_pass_with_a_mask_is_a_network_of_its_own():
    torch.manual_seed(2)
    net = DeepEnsemble(2, (4, 3), members=1, hidden=6, dropout=0.4)
    passes = thinned_networks(net, 3)
    found = passes(*inputs(members=3))
    numeric, category = inputs(members=1)
    embedded = [table[0][category[0][:, column]] for column, table in enumerate(net.tables)]
    for t in range(3):
        # The mask is read off where a unit's outgoing weights are all 0.
        x = torch.cat([numeric[0], *embedded], dim=1)
        for layer in range(2):
            mask = (passes.weights[layer + 1][t] != 0).any(dim=1).float()
            x = torch.relu(x @ net.weights[layer][0] + net.biases[layer][0]) * mask / 0.6
        alone = (x @ net.weights[2][0] + net.biases[2][0]).squeeze(1)
        torch.testing.assert_close(found[t], alone)


def test_passes_scatter_around_the_whole_network():
    torch.manual_seed(3)
    net = DeepEnsemble(2, (4, 3), members=1, hidden=50, dropout=0.2)
    net.eval()
    with torch.no_grad():
        whole = net(*inputs(members=1))[0].numpy()
        found = thinned_networks(net, 400)(*inputs(members=400)).numpy()
    spread = found.std(axis=0)
    assert (spread > 0).all()
    assert np.abs(found.mean(axis=0) - whole).max() < 0.5 * spread.max()
