"""The training loop of the graph networks of others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse

from engine.benchmark import fitting
from engine.benchmark.choice import best_on_validation
from engine.benchmark.fitting import (
    NodeInput,
    PairEncoder,
    Trial,
    _cross_entropy,
    _Epoch,
    _epochs,
    _softmax,
    fit_by_validation,
)
from engine.graph.ranks import excluded_candidates
from engine.graph.scoring import InnerProductScorer


class Table(PairEncoder):
    """Two free tables, no propagation."""

    def __init__(self, training, width):
        super().__init__()
        self.source, self.target = NodeInput(training, width), NodeInput(training, width)

    def operators(self, edge_index):
        return ()

    def forward(self, *operators):
        return self.source(), self.target()


def test_the_loss_is_the_sampled_softmax_written_out():
    source, target = torch.randn(4, 3), torch.randn(4, 3)
    edges, negatives = np.array([[0, 0, 2], [1, 3, 0]]), np.array([3, 2, 0, 1])
    known = excluded_candidates(edges, 4)
    terms = []
    for u, v in edges.T:
        against = [z for z in negatives if z != u and (u, z) not in set(map(tuple, edges.T))]
        scores = torch.stack([source[u] @ target[v], *(source[u] @ target[z] for z in against)])
        terms.append(-torch.log_softmax(scores, dim=0)[0])
    found = _softmax((source, target), _Epoch(None, edges, negatives), sparse.csr_array(known))
    assert found.item() == pytest.approx(torch.stack(terms).mean().item(), abs=1e-5)


def test_the_published_loss_is_the_cross_entropy_of_edges_and_pairs_without():
    source, target = torch.randn(4, 3), torch.randn(4, 3)
    edges, others = np.array([[0, 2], [1, 0]]), np.array([[3, 1], [0, 2]])
    logits = torch.cat([(source[pairs[0]] * target[pairs[1]]).sum(dim=1) for pairs in (edges, others)])
    label = torch.tensor([1.0, 1, 0, 0])
    expected = 2 * torch.nn.functional.binary_cross_entropy_with_logits(logits, label)
    found = _cross_entropy((source, target), _Epoch(None, edges, others))
    assert found.item() == pytest.approx(expected.item(), abs=1e-6)


def test_supervised_edges_carry_no_message_unless_every_edge_does_both(prepared):
    training = prepared.training
    epoch = next(_epochs(Trial(lambda: None, 0.5), training, 0))
    assert {tuple(edge) for edge in epoch.message.T} & {tuple(edge) for edge in epoch.supervised.T} == set()
    assert epoch.message.shape[1] + epoch.supervised.shape[1] == training.edge_index.shape[1]
    epoch = next(_epochs(Trial(lambda: None, 1.0), training, 0))
    assert epoch.message is None and np.array_equal(epoch.supervised, training.edge_index)


def test_negatives_of_the_cross_entropy_are_no_training_edges_and_new_in_every_epoch(prepared):
    training = prepared.training
    edges = {tuple(edge) for edge in training.edge_index.T}
    draws = _epochs(Trial(lambda: None, 1.0, "cross_entropy"), training, 0)
    first, second = next(draws).negatives, next(draws).negatives
    assert first.shape == training.edge_index.shape and not np.array_equal(first, second)
    assert edges & {tuple(pair) for pair in np.concatenate([first, second], axis=1).T} == set()


def test_the_trial_that_ranks_the_validation_edges_best_is_kept(prepared, haste):
    training = prepared.training

    class Frozen(Table):
        def forward(self, *operators):
            source, target = super().forward()
            return source * 0, target * 0 + self.source.free.sum() * 0

    trials = [Trial(lambda: Frozen(training, 4), 1.0), Trial(lambda: Table(training, 6), 1.0)]
    assert fit_by_validation(trials, training, 0, "table").source.shape[1] == 6


def test_the_best_trial_gets_a_second_rate(prepared, haste, monkeypatch):
    monkeypatch.setattr(fitting, "RATES", (1e-9, 0.05))
    training = prepared.training
    trained = fit_by_validation([Trial(lambda: Table(training, 6), 1.0)], training, 0, "table")
    monkeypatch.setattr(fitting, "RATES", (1e-9, 1e-9))
    untrained = fit_by_validation([Trial(lambda: Table(training, 6), 1.0)], training, 0, "table")
    assert np.abs(trained.source - untrained.source).mean() > 0.1


def test_the_best_candidate_is_chosen_on_validation_edges_alone(five):
    nothing = np.zeros(5, dtype=np.float32)
    empty = np.zeros((5, 0), dtype=np.float32)
    # The validation edges are 0 -> 3 and 1 -> 4.
    good = InnerProductScorer(empty, empty, np.array([0, 0, 0, 1, 1], dtype=np.float32), nothing)
    bad = InnerProductScorer(empty, empty, np.array([1, 1, 1, 0, 0], dtype=np.float32), nothing)
    assert best_on_validation([bad, good, bad], five) is good
    assert best_on_validation(iter([bad, good]), five) is good
