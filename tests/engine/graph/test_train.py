"""Training sees training edges only, repeats itself exactly, and stops on a loss that is no number."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.errors import TrainingError
from engine.graph import train
from engine.graph.batches import epochs
from engine.graph.data import Dataset, prepare
from engine.graph.model import DirectedEncoder
from engine.graph.ranks import excluded_candidates
from engine.graph.scoring import CocitationScorer, InnerProductScorer
from engine.graph.train import _losses, _optimizer, fit
from engine.graph.train_common import sampler


def arrays(scorer):
    """Return every number that a scorer holds."""
    if isinstance(scorer, InnerProductScorer):
        bonus, head = scorer.pair_bonus, scorer.direction_head
        return [
            *(getattr(scorer, name) for name in ("source", "target", "target_offset", "source_offset")),
            np.zeros((0, 0)) if bonus is None else bonus.toarray(),
            *((np.zeros(1), np.zeros(1)) if head is None else (np.asarray(head.scale), head.potential)),
        ]
    assert isinstance(scorer, CocitationScorer)
    return [scorer.adjacency.toarray(), scorer.transposed.toarray()]


def assert_identical(one, other):
    """Compare two fits bit by bit."""
    assert list(one.scorers) == list(other.scorers)
    for method in one.scorers:
        for left, right in zip(arrays(one.scorers[method]), arrays(other.scorers[method]), strict=True):
            assert left.dtype == right.dtype and np.array_equal(left, right), method
    assert one.history.equals(other.history)
    assert one.model.keys() == other.model.keys()
    assert all(np.array_equal(one.model[name], other.model[name]) for name in one.model)


def with_other_test_edges(dataset: Dataset, split: np.ndarray) -> Dataset:
    """Replace every test edge by another pair of nodes that is no edge; all other rows stay."""
    edges = dataset.edges.copy()
    taken = set(map(tuple, edges[["source", "target"]].to_numpy()))
    rng = np.random.default_rng(0)
    for row in np.flatnonzero(split == 2):
        pair = tuple(rng.integers(len(dataset.nodes), size=2).tolist())
        while pair in taken or pair[0] == pair[1]:
            pair = tuple(rng.integers(len(dataset.nodes), size=2).tolist())
        taken.add(pair)
        edges.loc[row, ["source", "target"]] = pair
    return dataclasses.replace(dataset, edges=edges)


@pytest.fixture
def batches(prepared, quick, monkeypatch):
    """Fit the dual form and return what every epoch was given, with the mask that its loss received."""
    seen, masks = [], []
    divide, loss = train.epochs, train.ranking_loss

    def recorded(*arguments, **rest):
        for steps in divide(*arguments, **rest):
            seen.extend(steps)
            yield iter(seen[-1:])

    def spied(positive, negative, query, is_masked):
        masks.append(is_masked.numpy())
        return loss(positive, negative, query, is_masked)

    monkeypatch.setattr(train, "epochs", recorded)
    monkeypatch.setattr(train, "ranking_loss", spied)
    fit(prepared, dataclasses.replace(quick, methods=("dual",), epochs=3))
    return list(zip(seen, masks, strict=True))


def test_message_and_supervised_edges_are_disjoint_and_together_all_training_edges(batches, prepared):
    training = sorted(map(tuple, prepared.training.edge_index.T.tolist()))
    for batch, _ in batches:
        supervised = list(map(tuple, batch.edges.T.tolist()))
        message = list(map(tuple, batch.out_neighbours.indices().T.tolist()))
        assert sorted(supervised + message) == training and supervised and message
        assert sorted(map(tuple, batch.in_neighbours.indices().flip(0).T.tolist())) == sorted(message)
    assert len({tuple(batch.edges[0].tolist()) for batch, _ in batches}) == len(batches) == 3


def test_the_query_and_its_known_targets_are_masked_among_the_negatives(batches, prepared):
    known = set(map(tuple, prepared.training.edge_index.T.tolist()))
    for batch, mask in batches:
        negatives = batch.negatives.tolist()
        naive = [[v == u or (u, v) in known for v in negatives] for u in batch.queries.tolist()]
        assert mask.tolist() == naive
        assert batch.queries[batch.query].tolist() == batch.edges[0].tolist()


def test_validation_edges_reach_the_heads_and_nothing_else(prepared, fitted, quick):
    training = prepared.training
    source, target = training.validation_edge_index
    other = np.stack([source, (target + 1) % training.num_nodes])
    changed = dataclasses.replace(prepared, training=dataclasses.replace(training, validation_edge_index=other))
    again = fit(changed, dataclasses.replace(quick, methods=("dual", "single", "paper", "adaptive")))
    for method, scorer in again.scorers.items():
        before = fitted.scorers[method]
        assert np.array_equal(scorer.target, before.target), method
        # The head of the cosine forms scales source vectors, offsets and bonus alike: no ranking moves.
        scale = scorer.source[0, 0] / before.source[0, 0] if method != "paper" else 1
        assert scorer.source == pytest.approx(before.source * scale, rel=1e-4, abs=1e-6), method
        assert scorer.target_offset == pytest.approx(before.target_offset * scale, rel=1e-4, abs=1e-6), method
        assert not np.array_equal(scorer.direction_head.potential, before.direction_head.potential) or method == "paper"


def test_the_single_form_keeps_its_offsets(fitted):
    # Constant offsets would tell nothing apart: popular targets and active sources have to stand out.
    assert np.ptp(fitted.scorers["single"].target_offset) > 0
    assert np.ptp(fitted.scorers["single"].source_offset) > 0


def test_nothing_about_test_edges_reaches_training(dataset, prepared, fitted, quick):
    changed = prepare(with_other_test_edges(dataset, prepared.split), quick)
    assert (changed.split == prepared.split).all()
    assert (changed.heldout.edge_index != prepared.heldout.edge_index).any(axis=0).all()
    assert (changed.training.in_degree == prepared.training.in_degree).all()
    assert_identical(fit(changed, quick), fitted)


def test_the_same_seed_fits_the_same_twice_whatever_was_drawn_before(prepared, fitted, quick):
    import torch

    torch.rand(17)
    np.random.default_rng().random()
    assert_identical(fit(prepared, quick), fitted)


def test_a_method_is_fitted_alike_alone_and_among_others(prepared, fitted, quick):
    alone = fit(prepared, dataclasses.replace(quick, methods=("dual",)))
    for left, right in zip(arrays(alone.scorers["dual"]), arrays(fitted.scorers["dual"]), strict=True):
        assert np.array_equal(left, right)


def test_another_seed_fits_otherwise(prepared, fitted, quick):
    other = fit(prepared, dataclasses.replace(quick, seed=4, methods=("dual",)))
    assert not np.array_equal(other.scorers["dual"].source, fitted.scorers["dual"].source)


def test_training_lowers_every_loss(prepared, quick):
    config = dataclasses.replace(quick, epochs=30, methods=("dual", "single", "paper"))
    history = fit(prepared, config).history
    for (stage, loss), rows in history.groupby(["stage", "loss"]):
        values = rows.sort_values("epoch")["value"].to_numpy()
        assert values[-5:].mean() < values[:5].mean(), (stage, loss)


def test_every_epoch_of_every_trained_method_is_reported(prepared, quick):
    seen = []
    fit(prepared, dataclasses.replace(quick, methods=("dual", "paper", "hope")), on_epoch=seen.append)
    assert [(record.stage, record.epoch) for record in seen] == [
        (stage, epoch) for stage in ("dual embeddings", "literal paper form") for epoch in range(1, 7)
    ]
    assert all(record.epochs == 6 for record in seen)


def test_the_reversed_edge_term_is_a_setting(prepared, quick):
    config = dataclasses.replace(quick, methods=("dual",), reversed_weight=0.3)
    assert set(fit(prepared, config).history["loss"]) == {"ranking", "reversed edges"}


def test_the_final_weights_are_the_average_of_the_last_epochs(prepared, quick):
    methods = {"methods": ("dual",), "epochs": 2}
    last, both = (
        fit(prepared, dataclasses.replace(quick, averaged_share=share, **methods)).model["dual.input"]
        for share in (0.0, 1.0)
    )
    one = dataclasses.replace(quick, averaged_share=0.0, methods=("dual",), epochs=1)
    first = fit(prepared, one).model["dual.input"]
    assert both == pytest.approx((first + last) / 2, abs=1e-6)
    assert not np.allclose(first, last)


@pytest.mark.parametrize(("epochs", "share", "averaged"), [(10, 0.9, 9), (120, 0.5, 60), (5, 0.5, 3), (4, 0.0, 1)])
def test_as_many_epochs_are_averaged_as_the_share_says(prepared, quick, monkeypatch, epochs, share, averaged):
    taken = []
    monkeypatch.setattr(
        train.AveragedModel, "update_parameters", lambda model, encoder: taken.append(encoder), raising=True
    )
    fit(prepared, dataclasses.replace(quick, methods=("dual",), epochs=epochs, averaged_share=share))
    assert len(taken) == averaged


def test_reciprocity_is_learned_from_the_graph(make_dataset, quick):
    def reciprocity(share: float) -> float:
        config = dataclasses.replace(quick, methods=("dual",), epochs=60)
        graph = make_dataset(1200, groups=5, seed=1, mutual_share=share, random_share=0.1)
        return float(fit(prepare(graph, config), config).model["dual.reciprocity"])

    none, most = reciprocity(0.0), reciprocity(0.8)
    assert most > 0.5 and most > none + 1


def test_a_pair_gets_the_bonus_whose_reversal_is_a_training_edge(prepared, fitted):
    training, scorer = prepared.training, fitted.scorers["dual"]
    reversals = {(v, u) for u, v in training.edge_index.T.tolist()}
    row, column = scorer.pair_bonus.nonzero()
    assert set(zip(row.tolist(), column.tolist(), strict=True)) == reversals
    level, slope = (float(fitted.model[f"dual.{name}"]) for name in ("reciprocity", "reciprocity_slope"))
    assert slope != 0
    for u, v in list(reversals)[:50]:
        expected = level + slope * np.log1p((training.edge_index[1] == u).sum())
        assert scorer.pair_bonus[u, v] == pytest.approx(expected, rel=1e-4)
    assert reversals != set(map(tuple, training.edge_index.T.tolist()))


@pytest.mark.parametrize("slope", [0.0, -0.6])
@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_the_losses_are_those_of_the_documented_score(prepared, quick, weight, slope):
    training, config = prepared.training, dataclasses.replace(quick, reversed_weight=weight)
    torch.manual_seed(0)
    encoder = DirectedEncoder(training.num_nodes, dimension=4, scale=3.0, is_dual=True)
    encoder.reciprocity.data, encoder.popularity_weight.data = torch.tensor(1.5), torch.tensor(0.4)
    encoder.target_bias.data, encoder.reciprocity_slope.data = torch.randn(training.num_nodes), torch.tensor(slope)
    known = excluded_candidates(training.edge_index, training.num_nodes)
    batch = next(next(epochs(training, known, sampler(training, config, "full"), config)))
    source, target = (role.detach().numpy() for role in encoder(batch.out_neighbours, batch.in_neighbours))
    offset = encoder.target_offset(batch.in_degree).detach().numpy()
    messages = set(map(tuple, batch.out_neighbours.indices().T.tolist()))
    carried = len(messages) / training.edge_index.shape[1]

    def score(u: int, v: int) -> float:
        # Half of the edges carry messages, so a node has twice the in-degree that they show.
        gain = 1.5 + slope * np.log1p(sum(tail == u for _, tail in messages) / carried)
        return float(source[u] @ target[v] + offset[v]) + gain * ((v, u) in messages)

    left_out = set(map(tuple, training.edge_index.T.tolist()))
    ranking, reversals = [], []
    for (u, v), is_one_way in zip(batch.edges.T.tolist(), batch.is_one_way.tolist(), strict=True):
        against = [score(u, k) for k in batch.negatives.tolist() if k != u and (u, k) not in left_out]
        ranking.append(np.logaddexp.reduce([score(u, v), *against]) - score(u, v))
        if is_one_way:
            # This term compares vectors and offsets alone.
            ahead, back = (float(source[a] @ target[b] + offset[b]) for a, b in ((u, v), (v, u)))
            reversals.append(np.logaddexp(0, 1.5 - ahead) + np.logaddexp(0, back - 1.5))
    found = {name: float(value.detach()) for name, value in _losses(encoder, batch, config).items()}
    expected = {"ranking": np.mean(ranking)} | ({"reversed edges": weight * np.mean(reversals)} if weight else {})
    assert found == pytest.approx(expected, rel=1e-4)
    assert {bool(value) for value in batch.reversed_edge} == {True, False} and batch.reversed_negative.any()


def test_every_kind_of_parameter_has_its_step_and_its_penalty(prepared, quick):
    config = dataclasses.replace(quick, learning_rate=0.02, feature_decay=0.3, bias_decay=0.4)
    encoder = DirectedEncoder(9, dimension=4, scale=3.0, is_dual=True, features=prepared.training.features)
    groups = _optimizer(encoder, config).param_groups
    place = {id(value): (group["lr"], group["weight_decay"]) for group in groups for value in group["params"]}
    assert {name: place[id(value)] for name, value in encoder.named_parameters()} == {
        "input": (0.02, 0),
        "feature_weight": (0.02, 0.3),
        "source_role": (0.01, 0),
        "target_role": (0.01, 0),
        "mix": (0.01, 0),
        "target_bias": (0.02, 0.4),
        "scale": (0.06, 0),
        "popularity_weight": (0.06, 0),
        "reciprocity": (0.2, 0),
        "reciprocity_slope": (0.2, 0),
    }


def test_the_role_penalty_ties_the_two_matrices(prepared, quick):
    def gap(decay: float) -> float:
        model = fit(prepared, dataclasses.replace(quick, methods=("dual",), epochs=30, role_decay=decay)).model
        return float(np.square(model["dual.source_role"] - model["dual.target_role"]).sum())

    assert gap(100.0) < gap(0.0) / 10


def test_every_small_parameter_is_kept_where_there_are_as_many_dimensions_as_nodes(make_dataset, quick):
    data = make_dataset(240, groups=3, mutual_share=0.5, seed=2)
    config = dataclasses.replace(quick, epochs=1, dimension=len(data.nodes), methods=("dual", "popularity"))
    model = fit(prepare(data, config), config).model
    assert model["dual.source_role"].shape == model["dual.target_role"].shape == (config.dimension, config.dimension)
    assert "dual.target_bias" not in model


def test_a_loss_that_is_no_number_ends_the_training(prepared, quick, monkeypatch):
    monkeypatch.setattr("engine.graph.train.ranking_loss", lambda *_: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(TrainingError, match="ranking loss of the dual embeddings is not finite in epoch 1"):
        fit(prepared, dataclasses.replace(quick, methods=("dual",)))


def test_adaptive_and_fixed_differ_in_their_neighbourhoods_only(prepared, quick):
    one = dataclasses.replace(quick, methods=("dual", "adaptive", "fixed"), max_neighbours=1, min_neighbours=1)
    scorers = fit(prepared, one).scorers
    # With one neighbour for everyone the two samplers have the same sizes and the same draws.
    assert np.array_equal(scorers["adaptive"].source, scorers["fixed"].source)
