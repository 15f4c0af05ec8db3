"""The literal form draws its negatives among the other nodes and reads directions off its two scores."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.graph.heads import direction_scale, one_way_validation
from engine.graph.train_paper import _other_nodes


def test_negatives_are_any_node_but_the_source_and_equally_often(five):
    drawn = _other_nodes(five, 4000, np.random.default_rng(0))
    assert drawn.shape == (five.edge_index.shape[1], 4000)
    for source, row in zip(five.edge_index[0], drawn, strict=True):
        count = np.bincount(row, minlength=5)
        assert count[source] == 0
        assert np.delete(count, source) == pytest.approx(1000, abs=120)


def test_a_direction_is_the_difference_of_both_scores_on_a_fitted_scale(fitted, prepared):
    scorer = fitted.scorers["paper"]
    source, target = one_way_validation(prepared.training)
    difference = (scorer.pairs(source, target) - scorer.pairs(target, source)).astype(float)
    assert scorer.direction_head is not None
    assert float(scorer.direction_head.scale) == pytest.approx(direction_scale(difference), rel=1e-4)
    assert not scorer.direction_head.potential.any()
    plain = dataclasses.replace(scorer, direction_head=None)
    ratio = scorer.direction(source, target) - scorer.direction_head.scale * plain.direction(source, target)
    assert np.abs(ratio).max() < 1e-3
