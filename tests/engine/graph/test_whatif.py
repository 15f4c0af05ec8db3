"""An edge added or dropped on a page moves the same vectors as in the network that was trained."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DataError, RunError
from engine.graph import heads, sampled, whatif
from engine.graph.config import GraphConfig
from engine.graph.data import TrainingGraph, prepare, training_graph
from engine.graph.model import DirectedEncoder
from engine.graph.ranks import excluded_candidates, pair_ranks
from engine.graph.reciprocity import reversal_bonus
from engine.graph.reencode import Weights, encode_node, offset_change
from engine.graph.run import run
from engine.graph.sampling import fan_out_of, operators
from engine.graph.scoring import DirectionHead, InnerProductScorer
from engine.graph.train import _SCALED, _scorer
from engine.runs import Run, read_run, write_run

CONFIG = GraphConfig(epochs=6, dimension=8, negatives=64, resamples=20, seed=3, methods=("dual", "popularity"))
ARRAYS = ("source", "target", "target_offset", "source_offset")


@pytest.fixture(scope="module")
def stored(dataset, tmp_path_factory) -> Run:
    """A run of the shown form and one baseline, trained in haste."""
    folder = tmp_path_factory.mktemp("whatif") / "graph-made"
    return read_run(write_run(run(dataset, CONFIG), folder, command=["python", "-m", "engine"]))


@pytest.fixture(scope="module")
def encoded(stored) -> whatif.Encoded:
    return whatif.opened(stored)


@pytest.fixture(scope="module")
def training(dataset) -> TrainingGraph:
    """The training part of the run's split."""
    return prepare(dataset, CONFIG).training


def network_on(encoded: whatif.Encoded, stored: Run, training: TrainingGraph, edges: np.ndarray) -> InnerProductScorer:
    """Return the scorer that the torch network and its heads make of an edge list, with the trained parameters."""
    after = training_graph(edges, training.validation_edge_index, encoded.count)
    network = DirectedEncoder(encoded.count, dimension=encoded.source.shape[1], scale=1.0, is_dual=True)
    trained = {k.removeprefix("dual."): v for k, v in whatif.parameters(stored).items() if k.startswith("dual.")}
    kappa, activity = trained.pop("edge_scale"), trained.pop("activity_weight")
    direction = trained.pop("direction_scale"), trained.pop("direction_weight")
    trained.pop("feature_weight", None)
    trained |= {name: trained[name] / kappa for name in _SCALED}
    # What a node brings along is stored whole; its free bias is what is left of the stored offset without degrees.
    popularity = trained["popularity_weight"] * np.log1p(training.in_degree)
    trained |= {"input": encoded.node_input, "target_bias": encoded.target_offset / kappa - popularity}
    unknown = set(trained) ^ set(dict(network.named_parameters()))
    assert unknown == set(), f"the network has parameters that the page does not know, or the reverse: {unknown}"
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.from_numpy(np.asarray(trained[name], dtype=np.float32)))
    fan = fan_out_of(after, "full", max_neighbours=20, min_neighbours=5, neighbour_bias=1.0)
    scorer = _scorer(network, after, operators(edges, encoded.count, fan, np.random.default_rng(0)))
    # The heads stay as they were fitted on the graph that was trained; the degrees that they read are the new ones.
    return InnerProductScorer(
        scorer.source * kappa,
        scorer.target,
        scorer.target_offset * kappa,
        (heads._activity(after) @ activity).astype(np.float32),
        scorer.pair_bonus * kappa,
        DirectionHead(direction[0], (heads.degree_features(after) @ direction[1]).astype(np.float32)),
    )


def test_the_unchanged_graph_gives_the_stored_vectors(encoded):
    for node in range(encoded.count):
        source, target = encode_node(
            encoded.node_input,
            encoded.weights,
            node,
            targets=encoded.targets(node),
            sources=encoded.sources(node),
        )
        # Half precision keeps 11 bits of every input and every stored entry.
        assert source == pytest.approx(encoded.source[node], abs=4e-3 * encoded.weights.length)
        assert target == pytest.approx(encoded.target[node], abs=4e-3)


@settings(max_examples=12)
@given(data=st.data())
def test_adding_or_dropping_an_edge_equals_the_network_on_the_changed_edges(encoded, stored, training, data):
    if data.draw(st.booleans(), label="drop"):
        source, target = encoded.edges[:, data.draw(st.integers(0, encoded.edges.shape[1] - 1))].tolist()
    else:
        source, target = data.draw(
            st.lists(st.integers(0, encoded.count - 1), min_size=2, max_size=2, unique=True), label="pair"
        )
    step, before, after = whatif.changed(encoded, source, target)
    assert step == ("drop" if whatif.has_edge(encoded, source, target) else "add")
    assert whatif.has_edge(after, source, target) != whatif.has_edge(encoded, source, target)
    assert abs(after.edges.shape[1] - encoded.edges.shape[1]) == 1
    network = [network_on(encoded, stored, training, state.edges) for state in (encoded, after)]
    ends, others = [source, target], np.setdiff1d(np.arange(encoded.count), [source, target])
    for name in ARRAYS:
        for expected, state in zip(network, (before, after), strict=True):
            found, wanted = getattr(state, name), getattr(expected, name)
            assert found[ends] == pytest.approx(wanted[ends], abs=2e-3), name
            assert np.array_equal(found[others], getattr(encoded, name)[others]), "no other vector moves"
            assert found[others] == pytest.approx(wanted[others], abs=2e-2), name
    for expected, state in zip(network, (before, after), strict=True):
        for node in ends:
            assert whatif.scores_of(state, node) == pytest.approx(expected.rows(np.array([node]))[0], abs=2e-2)
        logit = expected.direction(np.array([source]), np.array([target]))[0]
        assert whatif.direction_of(state, source, target) == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-3)
        assert whatif.direction_of(state, target, source) == pytest.approx(1 / (1 + np.exp(logit)), abs=1e-3)


def test_dropping_an_added_edge_leads_back(encoded):
    source, target = 0, int(np.setdiff1d(np.arange(1, encoded.count), encoded.targets(0))[0])
    _, before, after = whatif.changed(encoded, source, target)
    step, _, back = whatif.changed(after, source, target)
    assert step == "drop"
    for name in ARRAYS:
        assert getattr(back, name) == pytest.approx(getattr(before, name), abs=1e-5)
    assert set(map(tuple, back.known.T)) == set(map(tuple, encoded.known.T))


def test_scores_and_ranks_are_those_of_the_evaluation(encoded):
    in_degree = np.bincount(encoded.edges[1], minlength=encoded.count)
    level, slope = encoded.weights.reciprocity, encoded.weights.reciprocity_slope
    assert level and slope
    bonus = reversal_bonus(encoded.edges, in_degree, level=level, slope=slope)
    scorer = InnerProductScorer(encoded.source, encoded.target, encoded.target_offset, encoded.source_offset, bonus)
    excluded = excluded_candidates(encoded.known, encoded.count)
    pairs = np.array([[0, 5, *encoded.edges[0, :3]], [7, 1, *encoded.edges[1, :3]]])
    expected = pair_ranks(scorer, pairs, excluded)
    scores = scorer.pairs(*pairs)
    for place, (source, target) in enumerate(pairs.T.tolist()):
        assert whatif.rank_of(encoded, source, target) == expected[place]
        assert whatif.scores_of(encoded, source)[target] == pytest.approx(scores[place], abs=1e-5)
    best = whatif.first_targets(encoded, 5, 4)
    rows = scorer.rows(np.array([5]))[0]
    rows[excluded[[5]].toarray()[0]] = -np.inf
    assert best.tolist() == np.argsort(-rows, kind="stable")[:4].tolist()


def test_the_model_table_holds_both_ways_before_and_after(encoded):
    _, before, after = whatif.changed(encoded, 3, 9)
    table = whatif.model_table(before, after, 3, 9).set_index(["quantity", "way"])
    assert table.loc[("score", "forward"), "before"] == pytest.approx(whatif.scores_of(before, 3)[9])
    assert table.loc[("score", "backward"), "after"] == pytest.approx(whatif.scores_of(after, 9)[3])
    assert table.loc[("direction", "forward"), "after"] == whatif.direction_of(after, 3, 9)
    assert table.loc[("rank", "backward"), "before"] == whatif.rank_of(before, 9, 3)
    assert table.loc[("rank", "forward"), "after"] == whatif.rank_of(after, 3, 9)


@pytest.mark.parametrize("pair", [(1, 1), (-1, 2), (0, 10**6)])
def test_what_is_no_pair_of_nodes_is_refused(encoded, pair):
    with pytest.raises(DataError, match="joins two different nodes"):
        whatif.changed(encoded, *pair)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"form": "paper"}, "literal form"),
        ({"sampling": "adaptive"}, "at random"),
        ({"sampling": "none"}, "takes no neighbours"),
    ],
)
def test_forms_that_cannot_be_gathered_anew_are_refused(stored, config, words):
    other = Run(stored.folder, stored.manifest | {"config": stored.manifest["config"] | config})
    with pytest.raises(RunError, match=words):
        whatif.opened(other)


def test_a_run_without_inputs_asks_to_be_trained_again(stored):
    kept = [name for name in stored.manifest["embeddings"] if name != "input"]
    with pytest.raises(RunError, match="train it again"):
        whatif.opened(Run(stored.folder, stored.manifest | {"embeddings": kept}))


def test_lost_parameters_are_reported(stored, tmp_path):
    (tmp_path / "graph-made").mkdir()
    with pytest.raises(RunError, match="cannot be read; train it again"):
        whatif.parameters(Run(tmp_path / "graph-made", stored.manifest))


def test_a_node_without_neighbours_keeps_its_own_input():
    weights = Weights(2 * np.eye(2), np.eye(2), np.ones(4), 3.0, 0.0, 0.0, 0.0, np.zeros(2), 0.0, np.zeros(4))
    alone = np.array([], dtype=np.int64)
    source, target = encode_node(np.array([[3.0, 4.0]]), weights, 0, targets=alone, sources=alone)
    assert source == pytest.approx([1.8, 2.4]) and target == pytest.approx([0.6, 0.8])


def test_the_first_edge_out_of_a_node_ends_its_being_without_any():
    activity = np.array([2.0, -5.0])
    weights = Weights(np.eye(2), np.eye(2), np.ones(4), 3.0, 0.5, 0.0, 0.0, activity, 0.0, np.zeros(4))
    gained = offset_change(weights, in_degree=(1, 3), out_degree=(0, 1))
    assert gained == pytest.approx((0.5 * np.log(2), 2 * np.log(2) + 5))
    assert offset_change(weights, in_degree=(3, 1), out_degree=(1, 0)) == pytest.approx((-gained[0], -gained[1]))
    assert offset_change(weights, in_degree=(2, 2), out_degree=(1, 3))[1] == pytest.approx(2 * np.log(2))


def test_a_run_without_a_slope_of_reciprocity_counts_every_known_reversal_alike(stored):
    kept = whatif.parameters(stored)
    weights = Weights.of(kept, "dual")
    level, slope = (float(kept[f"dual.{name}"]) for name in ("reciprocity", "reciprocity_slope"))
    assert slope and weights.reversal_gain(7) == pytest.approx(level + slope * np.log(8))
    del kept["dual.reciprocity_slope"]
    former = Weights.of(kept, "dual")
    assert former.reversal_gain(7) == former.reversal_gain(0) == pytest.approx(level)


def test_a_run_that_keeps_a_part_of_its_edges_says_so(stored, tmp_path):
    folder = shutil.copytree(stored.folder, tmp_path / "graph-large")
    edges = stored.curve("edges")
    edges.drop(edges.index[edges["split"] == "train"][:3]).to_parquet(folder / "curves" / "edges.parquet", index=False)
    with pytest.raises(RunError, match=r"keep [0-9,]+ of 900 training edges"):
        whatif.opened(read_run(folder))
    with pytest.raises(RunError, match="no neighbourhood can be gathered anew"):
        sampled.opened(read_run(folder))
