"""What returns in another half: everything in a copy, nothing of what is only chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

ITEMS = 40


@pytest.fixture
def measure(script):
    return script("journey_replication")


def pair_counts(graph, rng: np.random.Generator, base: np.ndarray):
    """Counts whose followed days scatter around ``base`` in each direction on its own."""
    followed = rng.poisson(base).astype(float)
    source_days = np.zeros((365, ITEMS))
    source_days[100] = 1000.0
    target_days = np.zeros((365, ITEMS))
    target_days[100] = 200.0
    shopping_days = np.zeros(365)
    shopping_days[100] = 2000.0
    return graph.PairCounts(followed, followed, np.full((ITEMS, ITEMS), 50.0), source_days, target_days, shopping_days)


def test_halves_share_no_household_and_repeat_with_the_seed(measure):
    days = pd.DataFrame({"household_id": np.repeat(np.arange(9), 3), "day": 1, "item": 0})
    first, second = measure.halves(days, seed=3)
    assert len(set(first["household_id"])) == 4
    assert set(first["household_id"]).isdisjoint(second["household_id"])
    assert len(first) + len(second) == len(days)
    assert measure.halves(days, seed=3)[0].equals(first)
    assert not measure.halves(days, seed=4)[0].equals(first)


def test_a_copy_replicates_in_full(measure, script):
    rng = np.random.default_rng(1)
    counts = pair_counts(script("journey_graph"), rng, rng.uniform(50, 200, size=(ITEMS, ITEMS)))
    found = measure.replication(counts, counts)
    assert found["pairs"] == ITEMS * (ITEMS - 1) // 2
    assert found["lift of both directions"] == found["difference of the directions"] == found["popularity"] == 1.0


def test_chance_differences_between_directions_do_not_replicate(measure, script):
    rng = np.random.default_rng(2)
    base = rng.uniform(50, 200, size=(ITEMS, ITEMS))
    symmetric = (base + base.T) / 2
    first, second = (pair_counts(script("journey_graph"), rng, symmetric) for _ in range(2))
    found = measure.replication(first, second)
    assert found["lift of both directions"] > 0.8
    assert abs(found["difference of the directions"]) < 0.15


def test_pairs_with_few_households_in_any_direction_or_half_are_left_out(measure, script):
    rng = np.random.default_rng(3)
    first = pair_counts(script("journey_graph"), rng, np.full((ITEMS, ITEMS), 100.0))
    few = first.households.copy()
    few[0, 1] = 14
    few[3, 2] = 14
    pairs = measure.supported_pairs(first, replace(first, households=few))
    assert not pairs[0, 1]
    assert not pairs[2, 3]
    assert pairs.sum() == ITEMS * (ITEMS - 1) // 2 - 2
