"""Both roles are mirror images of one another, and losses have the values that a hand finds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.graph.data import adjacency
from engine.graph.model import (
    DirectedEncoder,
    PaperEncoder,
    paper_loss,
    ranking_loss,
    reversed_edge_loss,
    sparse_tensor,
)
from engine.graph.sampling import row_normalised

EDGES = np.array([[0, 0, 1, 2, 3], [1, 2, 2, 3, 2]])


def neighbours(edge_index, count=5):
    """Return the row averages over out- and in-neighbours."""
    forward = adjacency(edge_index, count)
    return sparse_tensor(row_normalised(forward)), sparse_tensor(row_normalised(forward.T.tocsr()))


def encoder_of(*, is_dual=True, count=5):
    """Return an encoder with parameters away from their symmetric start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = DirectedEncoder(count, dimension=4, scale=3.0, is_dual=is_dual)
        for parameter in (encoder.source_role, encoder.target_role, encoder.mix):
            if parameter is not None:
                parameter.data += 0.3 * torch.randn_like(parameter)
    return encoder


def test_swapping_every_edge_and_both_roles_swaps_the_embeddings():
    encoder, mirrored = encoder_of(), encoder_of()
    assert encoder.target_role is not None and mirrored.target_role is not None
    mirrored.source_role.data, mirrored.target_role.data = encoder.target_role.data, encoder.source_role.data
    mirrored.mix.data = encoder.mix.data[[2, 3, 0, 1]]
    source, target = encoder(*neighbours(EDGES))
    swapped_source, swapped_target = mirrored(*neighbours(EDGES[::-1]))
    # Only source rows carry the scale.
    torch.testing.assert_close(swapped_source, encoder.scale * target)
    torch.testing.assert_close(encoder.scale * swapped_target, source)
    assert not torch.allclose(source, encoder.scale * target)


def test_relabelling_nodes_permutes_the_embeddings_and_offsets():
    order = np.array([3, 0, 4, 2, 1])
    place = np.argsort(order)
    encoder, relabelled = encoder_of(), encoder_of()
    relabelled.input.data = encoder.input.data[order]
    for module in (encoder, relabelled):
        module.popularity_weight.data.fill_(0.7)
    before, after = encoder(*neighbours(EDGES)), relabelled(*neighbours(place[EDGES]))
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(other, one[order])
    degree = torch.from_numpy(np.bincount(EDGES[1], minlength=5)).float()
    torch.testing.assert_close(relabelled.target_offset(degree[order]), encoder.target_offset(degree)[order])


def test_a_single_embedding_scores_both_directions_alike_up_to_the_offsets():
    source, target = encoder_of(is_dual=False)(*neighbours(EDGES))
    scores = source @ target.T
    torch.testing.assert_close(scores, scores.T)
    dual_source, dual_target = encoder_of()(*neighbours(EDGES))
    assert not torch.allclose(dual_source @ dual_target.T, (dual_source @ dual_target.T).T, atol=1e-2)


def test_embeddings_have_the_lengths_that_the_score_is_made_of():
    encoder = encoder_of()
    source, target = encoder(*neighbours(EDGES))
    torch.testing.assert_close(source.norm(dim=1), encoder.scale.expand(5))
    torch.testing.assert_close(target.norm(dim=1), torch.ones(5))


def test_the_target_offset_grows_with_the_logarithm_of_the_in_degree():
    encoder = encoder_of()
    encoder.target_bias.data = torch.tensor([0.5, 0.0, 0.0, 0.0, -1.0])
    encoder.popularity_weight.data = torch.tensor(2.0)
    offset = encoder.target_offset(torch.tensor([0.0, 0.0, 1.0, 7.0, 3.0])).tolist()
    assert offset == pytest.approx([0.5, 0.0, 2 * math.log(2), 2 * math.log(8), 2 * math.log(4) - 1])


def test_a_known_reversal_counts_less_where_many_lead_to_the_source():
    encoder = encoder_of()
    encoder.reciprocity.data, encoder.reciprocity_slope.data = torch.tensor(2.0), torch.tensor(-0.5)
    gain = encoder.reversal_gain(torch.tensor([0.0, 1.0, 7.0])).tolist()
    assert gain == pytest.approx([2.0, 2 - 0.5 * math.log(2), 2 - 0.5 * math.log(8)])


def test_the_role_difference_is_zero_for_tied_roles_only():
    assert float(encoder_of(is_dual=False).role_difference().detach()) == 0.0
    encoder = encoder_of()
    assert encoder.target_role is not None
    expected = float(((encoder.source_role - encoder.target_role) ** 2).sum().detach())
    assert float(encoder.role_difference().detach()) == pytest.approx(expected)


def test_the_paper_encoder_sums_over_neighbours_as_printed():
    # 0 -> 1 and 0 -> 2, inputs x, W = identity: s_0 = (x_1 + x_2) / |.|, t_1 = t_2 = x_0 / |x_0|, others zero.
    forward = adjacency(np.array([[0, 0], [1, 2]]), 3)
    encoder = PaperEncoder(3, dimension=2, layers=1)
    encoder.input.data = torch.tensor([[3.0, 4.0], [1.0, 0.0], [1.0, 1.0]])
    encoder.layer[0].data = torch.eye(2)
    source, target = encoder(sparse_tensor(forward), sparse_tensor(forward.T.tocsr()))
    root = math.sqrt(5)
    torch.testing.assert_close(source, torch.tensor([[2 / root, 1 / root], [0.0, 0.0], [0.0, 0.0]]))
    torch.testing.assert_close(target, torch.tensor([[0.0, 0.0], [0.6, 0.8], [0.6, 0.8]]))


def test_row_averages_serve_for_the_printed_sums():
    encoder = PaperEncoder(5, dimension=3, layers=3)
    forward = adjacency(EDGES, 5)
    summed = encoder(sparse_tensor(forward), sparse_tensor(forward.T.tocsr()))
    averaged = encoder(*neighbours(EDGES))
    for one, other in zip(summed, averaged, strict=True):
        torch.testing.assert_close(one, other)


def test_the_mirror_image_holds_for_the_paper_form():
    encoder = PaperEncoder(5, dimension=3, layers=3)
    source, target = encoder(*neighbours(EDGES))
    mirrored_source, mirrored_target = encoder(*neighbours(EDGES[::-1]))
    torch.testing.assert_close(mirrored_source, target)
    torch.testing.assert_close(mirrored_target, source)


def test_the_paper_loss_has_its_value_by_hand():
    # One edge with score 0.5, one negative with 0.2, one-way with reversal 0.3:
    # L = -(2 log σ(0.5) + log σ(0.8) + log σ(0.7))
    def log_sigmoid(x):
        return -math.log1p(math.exp(-x))

    expected = -(2 * log_sigmoid(0.5) + log_sigmoid(1 - 0.2) + log_sigmoid(1 - 0.3))
    forward = torch.tensor([0.5])
    value = paper_loss(forward, torch.tensor([[0.2]]), forward, torch.tensor([0.3]))
    assert float(value) == pytest.approx(expected)


def test_the_ranking_loss_has_its_value_by_hand_and_ignores_masked_negatives():
    positive, negative = torch.tensor([1.0, 2.0]), torch.tensor([[0.0, 5.0], [1.0, 1.0]])
    masked = torch.tensor([[False, True], [False, False]])
    value = ranking_loss(positive, negative, torch.tensor([0, 1]), masked)
    first = -math.log(math.exp(1) / (math.exp(1) + math.exp(0)))
    second = -math.log(math.exp(2) / (math.exp(2) + 2 * math.exp(1)))
    assert float(value) == pytest.approx((first + second) / 2)


def test_a_query_whose_negatives_are_all_masked_has_no_loss():
    value = ranking_loss(torch.tensor([1.0]), torch.tensor([[9.0]]), torch.tensor([0]), torch.tensor([[True]]))
    assert float(value) == pytest.approx(0.0, abs=1e-6)


def test_the_reversed_edge_loss_has_its_value_by_hand():
    value = reversed_edge_loss(torch.tensor([2.0]), torch.tensor([1.0]), margin=1.5)
    expected = math.log1p(math.exp(1.5 - 2.0)) + math.log1p(math.exp(1.0 - 1.5))
    assert float(value) == pytest.approx(expected)
    assert float(reversed_edge_loss(torch.empty(0), torch.empty(0), margin=1.5)) == 0.0
