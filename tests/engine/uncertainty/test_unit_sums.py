"""Sums per unit give the bootstrap of the rows themselves."""

from __future__ import annotations

import numpy as np
import pytest

from engine.metrics.resampling import bootstrap
from engine.uncertainty.unit_sums import bootstrap_of_sums, interval


def test_draws_are_those_of_a_bootstrap_over_rows():
    rng = np.random.default_rng(0)
    unit, step, value = rng.integers(5, 40, 300), rng.integers(0, 3, 300), rng.random(300)
    weight = rng.random(300)

    def by_rows(taken):
        return [(taken * weight * value)[step == at].sum() / (taken * weight).sum() for at in range(3)]

    expected = bootstrap(by_rows, unit, n_resamples=20, rng=np.random.default_rng(1))
    quantities = {"w": (np.zeros(300, dtype=np.int64), weight), "v": (step, weight * value)}
    found, draws = bootstrap_of_sums(
        unit, quantities, 3, lambda sums: sums["v"] / sums["w"][0], resamples=20, rng=np.random.default_rng(1)
    )
    np.testing.assert_allclose(draws, expected)
    np.testing.assert_allclose(found, by_rows(np.ones(300)))


def test_an_interval_leaves_out_undefined_draws():
    assert interval(0.5, np.array([0.0, 1.0, np.nan]))["ci_high"] == pytest.approx(0.975)
