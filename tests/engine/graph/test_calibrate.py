"""Direction probabilities are antisymmetric, fitted by maximum likelihood and checked on other edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from engine.graph.calibrate import CONFIDENCE_EDGES, direction_calibration, direction_scale
from engine.graph.readout import direction_probability


def test_the_scale_is_that_of_a_logistic_regression_without_intercept():
    rng = np.random.default_rng(0)
    difference = rng.normal(1.0, 2.0, size=400)
    both, label = np.concatenate([difference, -difference])[:, np.newaxis], np.repeat([1, 0], 400)
    # Penalty 0.0005 kappa² per edge: C = 1 / (2 × 0.0005 × 2 × 400) on the doubled data.
    reference = LogisticRegression(C=1 / 0.8, fit_intercept=False, tol=1e-10).fit(both, label).coef_[0, 0]
    assert direction_scale(difference) == pytest.approx(reference, rel=1e-3)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_the_scale_is_finite_for_edges_that_all_point_the_same_way(size):
    scale = direction_scale(np.array([1.0, 2.0, 3.0]) * size)
    assert np.isfinite(scale) and scale > 0


def test_scores_that_point_the_wrong_way_turn_the_scale_negative():
    assert direction_scale(np.array([-1.0, -2.0, 0.5])) < 0
    assert direction_scale(np.empty(0)) == 0.0


def test_scores_without_a_difference_have_no_scale():
    assert direction_scale(np.zeros(5)) == 0.0 == direction_scale(np.empty(0))


def test_a_tie_is_right_half_the_time(fitted, prepared):
    # A score of the pair alone, whatever its direction: every one-way test edge ties with its reversal.
    single = fitted.scorers["single"]
    nothing = np.zeros_like(single.target_offset)
    tied = replace(single, source=np.zeros_like(single.source), target_offset=nothing, source_offset=nothing)
    table = direction_calibration(tied, prepared)
    assert table.loc[table["n"] > 0, "observed"].tolist() == [0.5] == table.loc[table["n"] > 0, "predicted"].tolist()


def test_swapping_the_nodes_turns_the_probability_around():
    pairs = pd.DataFrame({"score": [2.0, -1.0, 800.0], "back_score": [0.5, 3.0, -800.0]})
    swapped = pairs.rename(columns={"score": "back_score", "back_score": "score"})
    forward, backward = direction_probability(pairs, 0.7), direction_probability(swapped, 0.7)
    assert forward + backward == pytest.approx([1, 1, 1])
    assert forward[0] == pytest.approx(1 / (1 + np.exp(-0.7 * 1.5)))


def test_every_one_way_test_edge_is_in_one_bin(fitted, prepared):
    table = direction_calibration(fitted.scorers["dual"], prepared)
    assert table["n"].sum() == prepared.heldout.is_one_way.sum()
    assert table["low"].tolist() == list(CONFIDENCE_EDGES[:-1])
    filled = table[table["n"] > 0]
    assert ((filled["low"] <= filled["predicted"]) & (filled["predicted"] <= filled["high"])).all()
    assert ((filled["ci_low"] <= filled["observed"]) & (filled["observed"] <= filled["ci_high"])).all()
    assert table.loc[table["n"] == 0, ["predicted", "observed", "ci_low", "ci_high"]].isna().all(axis=None)


def test_the_scale_is_fitted_on_validation_edges(fitted, prepared):
    import dataclasses

    before = direction_calibration(fitted.scorers["dual"], prepared)["scale"].iloc[0]
    heldout = dataclasses.replace(prepared.heldout, edge_index=prepared.heldout.edge_index[::-1])
    changed = direction_calibration(fitted.scorers["dual"], dataclasses.replace(prepared, heldout=heldout))
    assert changed["scale"].iloc[0] == before
