"""Rates from short histories, and the prior that is fitted to them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import NotEnoughDataError
from engine.uncertainty.rates import FLAT_PRIOR, fit_matched_prior, rate_score


def histories(a, b, n=60_000, seed=0):
    rng = np.random.default_rng(seed)
    seen = rng.integers(1, 9, n)
    return rng.binomial(seen, rng.beta(a, b, n)).astype(float), seen.astype(float)


def test_the_flat_prior_adds_one_positive_and_one_negative():
    score, uncertainty = rate_score(np.array([0.0, 2.0, 4.0]), np.array([0.0, 2.0, 4.0]), prior=FLAT_PRIOR)
    assert score.tolist() == [1 / 2, 3 / 4, 5 / 6]
    assert uncertainty.tolist() == [1 / 2, 1 / 4, 1 / 6]


@pytest.mark.parametrize("prior", [(0.5, 3.0), (2.0, 2.0), (1.0, 9.0)])
def test_the_prior_behind_histories_is_found(prior):
    k, n = histories(*prior)
    assert fit_matched_prior(k, n, np.ones(k.size)) == pytest.approx(prior, rel=0.08)


def test_a_weight_counts_as_repeated_rows():
    k, n = histories(0.5, 3.0, n=500)
    weight = np.random.default_rng(0).integers(1, 4, 500)
    whole = fit_matched_prior(np.repeat(k, weight), np.repeat(n, weight), np.ones(weight.sum()))
    assert fit_matched_prior(k, n, weight.astype(float)) == pytest.approx(whole, rel=1e-3)


def test_rows_without_history_do_not_move_the_prior():
    k, n = histories(0.5, 3.0, n=500)
    longer = fit_matched_prior(np.append(k, np.zeros(300)), np.append(n, np.zeros(300)), np.ones(800))
    assert longer == pytest.approx(fit_matched_prior(k, n, np.ones(500)))


def test_without_any_history_there_is_no_prior():
    with pytest.raises(NotEnoughDataError, match="0 in every tuning row"):
        fit_matched_prior(np.zeros(5), np.zeros(5), np.ones(5))
