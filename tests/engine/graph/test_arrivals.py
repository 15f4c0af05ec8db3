"""Embedding unseen nodes: the trained formula, messages from known edges, and nothing given back."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from engine.graph.arrivals import arrived_scorer, encode, feature_neighbours
from engine.graph.coldsplit import split_by_nodes
from engine.graph.features import node_features
from engine.graph.model import DirectedEncoder, sparse_tensor
from engine.graph.sampling import row_normalised
from engine.graph.train import fit_form


@pytest.fixture(scope="module")
def arrived(dataset, quick):
    """Split by nodes and fit the dual form without the arrivals."""
    split = split_by_nodes(dataset, quick)
    return split, fit_form("dual", split.training, quick)


@pytest.mark.parametrize("is_dual", [True, False])
def test_the_formula_is_that_of_the_trained_network(five, is_dual):
    torch.manual_seed(0)
    encoder = DirectedEncoder(five.num_nodes, dimension=4, scale=3.0, is_dual=is_dual)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    forward = row_normalised(five.adjacency())
    backward = row_normalised(sparse.csr_array(five.adjacency().T))
    expected = encoder(sparse_tensor(forward), sparse_tensor(backward))
    parameters = {name: value.detach().numpy() for name, value in encoder.named_parameters()}
    found = encode(parameters, encoder.node_input().detach().numpy(), forward, backward)
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other.detach().numpy(), abs=1e-6)


def test_seen_nodes_score_each_other_as_before(arrived, quick):
    split, form = arrived
    scorer = arrived_scorer(form, split, split.test.revealed(4), quick)
    before = form.scorer.rows(np.arange(5)) - form.scorer.source_offset[:5, np.newaxis]
    assert scorer.rows(split.seen[:5])[:, split.seen] == pytest.approx(before, abs=1e-5)


def test_a_new_node_is_what_its_features_and_its_known_neighbours_say(arrived, quick):
    split, form = arrived
    revealed = split.test.revealed(1)
    node = int(revealed[0, np.flatnonzero(split.test.is_new[revealed[0]])[0]])
    target = int(revealed[1, revealed[0] == node][0])
    weights = form.parameters
    own = (split.features.row_normalised()[[node]] @ weights["feature_weight"])[0]
    message = weights["input"][np.searchsorted(split.seen, target)] @ weights["target_role"]
    source = own @ weights["source_role"] + weights["mix"][0] * message
    scorer = arrived_scorer(form, split, revealed, quick)
    assert scorer.source[node] == pytest.approx(weights["scale"] * source / np.linalg.norm(source), abs=1e-5)
    assert scorer.target_offset[node] == pytest.approx(0)


def test_a_node_of_which_nothing_is_known_is_zero(dataset, quick):
    bare = split_by_nodes(dataclasses.replace(dataset, features=None), quick)
    form = fit_form("dual", bare.training, quick)
    scorer = arrived_scorer(form, bare, bare.edge_index[:, :0], quick)
    new = np.flatnonzero(bare.test.is_new)
    assert not scorer.source[new].any() and not scorer.target[new].any() and not scorer.target_offset[new].any()


def test_the_most_alike_nodes_are_found_and_weigh_by_likeness(arrived):
    split, _ = arrived
    # Node 0 has a and b; nodes 1, 2, 3 have a and b, a alone, c alone.
    table = pd.DataFrame({"tags": ["a;b", "a;b", "a", "c", "a;b", "c", "c;b"]})
    features = node_features(table, ("tags",))
    made = dataclasses.replace(
        split,
        seen=np.array([1, 2, 3]),
        features=features,
        test=dataclasses.replace(split.test, is_new=np.array([True, False, False, False, False, False, False])),
    )
    row = feature_neighbours(made, np.array([0]), 2).toarray()[0]
    half = 2**-0.5
    assert row[[1, 2, 3]] == pytest.approx([1 / (1 + half), half / (1 + half), 0], abs=1e-6)
    assert feature_neighbours(made, np.array([0]), 1).toarray()[0, 1] == 1


def test_known_edges_to_a_new_node_make_it_popular_and_answer_their_reversal(arrived, quick):
    split, form = arrived
    revealed = split.test.revealed(4)
    scorer = arrived_scorer(form, split, revealed, quick)
    weight, level, slope = (
        float(form.parameters[name]) for name in ("popularity_weight", "reciprocity", "reciprocity_slope")
    )
    assert weight and level and slope
    new = np.flatnonzero(split.test.is_new)
    known = [(revealed[1] == node).sum() for node in new]
    assert max(known) > 1
    assert scorer.target_offset[new] == pytest.approx(weight * np.log1p(known), rel=1e-5)
    for u, v in revealed.T.tolist():
        # A node of training counts the edges of training, a new one those that became known.
        counted = revealed if split.test.is_new[v] else split.edge_index
        expected = level + slope * np.log1p((counted[1] == v).sum())
        assert scorer.pair_bonus[v, u] == pytest.approx(expected, rel=1e-4)


def test_what_a_node_borrows_does_not_depend_on_other_arrivals(arrived, quick):
    split, form = arrived
    lonely, revealed = np.flatnonzero(split.test.is_new)[:5], split.test.revealed(4)
    revealed = revealed[:, ~np.isin(revealed, lonely).any(axis=0)]
    alone, among = (arrived_scorer(form, split, edges, quick) for edges in (revealed[:, :0], revealed))
    assert revealed.shape[1] > 20 and alone.source[lonely].any() and alone.target[lonely].any()
    assert np.array_equal(alone.source[lonely], among.source[lonely])
    assert np.array_equal(alone.target[lonely], among.target[lonely])
