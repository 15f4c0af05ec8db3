"""Direction probabilities are antisymmetric, fitted by maximum likelihood and checked on other edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine.graph.calibrate import CONFIDENCE_EDGES, direction_calibration
from engine.graph.readout import direction_probability
from engine.graph.scoring import DirectionHead


def test_a_tie_is_right_half_the_time(fitted, prepared):
    # A score of the pair alone, whatever its direction: every one-way test edge ties with its reversal.
    single = fitted.scorers["single"]
    nothing = np.zeros_like(single.target_offset)
    tied = replace(single, direction_head=DirectionHead(np.float32(0), nothing))
    table = direction_calibration(tied, prepared)
    assert table.loc[table["n"] > 0, "observed"].tolist() == [0.5] == table.loc[table["n"] > 0, "predicted"].tolist()


def test_swapping_the_nodes_turns_the_probability_around():
    pairs = pd.DataFrame({"direction": [1.5, -4.0, 1600.0]})
    forward, backward = direction_probability(pairs), direction_probability(-pairs)
    assert forward + backward == pytest.approx([1, 1, 1])
    assert forward[0] == pytest.approx(1 / (1 + np.exp(-1.5)))


def test_every_one_way_test_edge_is_in_one_bin(fitted, prepared):
    table = direction_calibration(fitted.scorers["dual"], prepared)
    assert table["n"].sum() == prepared.heldout.is_one_way.sum()
    assert table["low"].tolist() == list(CONFIDENCE_EDGES[:-1])
    filled = table[table["n"] > 0]
    assert ((filled["low"] <= filled["predicted"]) & (filled["predicted"] <= filled["high"])).all()
    assert ((filled["ci_low"] <= filled["observed"]) & (filled["observed"] <= filled["ci_high"])).all()
    assert table.loc[table["n"] == 0, ["predicted", "observed", "ci_low", "ci_high"]].isna().all(axis=None)


def test_the_bins_follow_the_log_odds_of_the_head(fitted, prepared):
    scorer = fitted.scorers["dual"]
    certain = replace(scorer, direction_head=replace(scorer.direction_head, scale=np.float32(1e4)))
    table = direction_calibration(certain, prepared)
    assert table.iloc[-1]["n"] > 0.9 * table["n"].sum()
