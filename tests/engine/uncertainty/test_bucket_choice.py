"""The number of buckets follows what held-out units say."""

from __future__ import annotations

import numpy as np
import pytest

from engine.uncertainty.bucket_choice import CANDIDATES, choose_buckets
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.rows import Rows
from engine.uncertainty.tuning import tune


def draw(n, effect, seed=0):
    """Rows whose rate depends on the score, and on uncertainty by `effect`."""
    rng = np.random.default_rng(seed)
    score, uncertainty = rng.beta(1, 2, n), rng.random(n)
    rate = np.clip(score * (1 + effect * (0.5 - uncertainty)), 0, 1)
    return Rows(score, uncertainty, (rng.random(n) < rate).astype(np.int64), np.ones(n, dtype=np.int64), np.arange(n))


def chosen(table):
    return int(table.loc[table["chosen"], "buckets"].iloc[0])


def test_an_uncertainty_that_tells_nothing_gets_one_bucket_most_of_the_time():
    found = [chosen(choose_buckets(draw(4000, 0.0, seed), (0.6, 0.7), seed=seed)) for seed in range(8)]
    assert np.mean(np.array(found) <= 2) >= 0.75


def test_a_strong_effect_gets_several_buckets():
    found = [chosen(choose_buckets(draw(20_000, 1.6, seed), (0.6, 0.7), seed=seed)) for seed in range(4)]
    assert min(found) >= 3


def test_the_smallest_number_within_one_standard_error_of_the_best_is_chosen():
    table = choose_buckets(draw(6000, 0.8), (0.6,), seed=0)
    assert table["buckets"].tolist() == list(CANDIDATES) and table["chosen"].sum() == 1
    near = table[table["behind"] <= table["error"]]
    assert chosen(table) == near["buckets"].min()
    best = table["recall"].idxmax()
    assert table.loc[best, "behind"] == 0.0 and table["behind"].tolist() == pytest.approx(
        (table.loc[best, "recall"] - table["recall"]).tolist()
    )


def test_rows_of_a_unit_stay_in_one_fold():
    rows = draw(1000, 0.0)
    unit = np.arange(1000) // 10
    fold = Rows(rows.score, rows.uncertainty, rows.label, rows.weight, unit).split_units(5, np.random.default_rng(0))
    assert (fold.reshape(100, 10) == fold.reshape(100, 10)[:, :1]).all()
    assert np.bincount(fold).tolist() == [200] * 5


def test_where_one_bucket_does_best_three_are_still_compared():
    rows = draw(3000, 0.0, seed=1)
    tuned = tune(rows, UncertaintyConfig(seed=1), (0.6, 0.7))
    k = chosen(tuned.choice)
    assert tuned.layout.shape[0] == (3 if k == 1 else k)


def test_a_number_that_is_given_is_not_questioned():
    tuned = tune(draw(2000, 0.0), UncertaintyConfig(buckets=4), (0.6,))
    assert tuned.layout.shape[0] == 4 and tuned.choice.empty
