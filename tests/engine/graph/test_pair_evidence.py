"""What the edges say of a pair is what one counts on paper."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph import pair_evidence, whatif
from engine.graph.baselines import fit_baseline
from engine.graph.data import training_graph
from engine.graph.reencode import Weights

# 0 -> 1, 0 -> 2, 1 -> 2, 2 -> 3, 3 -> 2, 4 -> 1, 4 -> 2
SIX = np.array([[0, 0, 1, 2, 3, 4, 4], [1, 2, 2, 3, 2, 1, 2]])


def by_hand(edges: np.ndarray, count: int = 5) -> whatif.Encoded:
    """Return a graph without vectors that matter."""
    nothing = np.zeros((count, 2), dtype=np.float32)
    weights = Weights(np.eye(2), np.eye(2), np.ones(4), 1.0, 0.0, 0.0, 0.0, np.zeros(2), 0.0, np.zeros(4))
    flat = np.zeros(count, dtype=np.float32)
    return whatif.Encoded(nothing, nothing, flat, flat, nothing, weights, edges, edges)


def test_evidence_is_counted_as_on_paper():
    found = pair_evidence.evidence(by_hand(SIX), 0, 4)
    assert (found["edge"], found["edge_back"]) == (0, 0)
    assert (found["shared_targets"], found["shared_sources"]) == (2, 0)  # 1 and 2; none
    assert (found["two_steps"], found["two_steps_back"]) == (0, 0)
    assert (found["out_degree"], found["in_degree"]) == (2, 0)
    assert (found["target_out_degree"], found["target_in_degree"]) == (2, 0)
    found = pair_evidence.evidence(by_hand(SIX), 0, 2)
    assert (found["edge"], found["two_steps"]) == (1, 1)  # over 1
    assert found["shared_sources"] == 0 and found["target_in_degree"] == 4
    # Edges from {0, 1, 3, 4} to {1, 2}: 0->1, 0->2, 1->2, 3->2, 4->1, 4->2.
    assert found["cocitation"] == 6


@settings(max_examples=15)
@given(st.integers(0, 400))
def test_cocitation_is_the_score_of_the_baseline_before_and_after(prepared, seed):
    encoded = by_hand(prepared.training.edge_index, prepared.training.num_nodes)
    source, target = np.random.default_rng(seed).choice(encoded.count, size=2, replace=False).tolist()
    _, _, after = whatif.changed(encoded, source, target)
    for state in (encoded, after):
        training = training_graph(state.edges, np.empty((2, 0), dtype=np.int64), state.count)
        scorer = fit_baseline("cocitation", training, dimension=2, seed=0)
        found = pair_evidence.evidence(state, source, target)
        pair = np.array([source]), np.array([target])
        assert found["cocitation"] == scorer.pairs(*pair)[0]
        assert found["cocitation_back"] == scorer.pairs(*pair[::-1])[0]


def test_adding_an_edge_moves_only_the_counts_it_touches():
    before, after = (pair_evidence.evidence(state, 0, 4) for state in whatif.changed(by_hand(SIX), 0, 4)[1:])
    moved = {name: after[name] - before[name] for name in before if after[name] != before[name]}
    # The new edge itself, one degree at either end, and three ways 0 -> x <- w -> 4, all with w = 0: x = 1, 2, 4.
    assert moved == {"edge": 1, "out_degree": 1, "target_in_degree": 1, "cocitation": 3}


def test_what_the_input_says_is_shown_per_direction():
    edges = pd.DataFrame(
        {"source": [0, 2, 1], "target": [2, 0, 2], "weight": [5.0, 7.0, 9.0], "split": "train", "score": 0.0}
    )
    found = pair_evidence.input_counts(edges, 2, 0)
    assert found.to_dict("records") == [
        {"weight": 5.0, "split": "train", "way": "backward"},
        {"weight": 7.0, "split": "train", "way": "forward"},
    ]
    assert pair_evidence.input_counts(edges, 0, 1).empty
